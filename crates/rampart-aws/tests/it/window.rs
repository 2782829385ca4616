//! When a signature is good: to the second.

use rampart_aws::sigv4::{CLOCK_SKEW_MAX_S, ErrorKind};

use crate::case::{self, Refusal};

#[test]
fn from_the_first_second_to_the_last() {
    for case in case::good() {
        let valid_s = case.expires_s.map_or(CLOCK_SKEW_MAX_S, i64::from);
        let at = |offset_s: i64| match case.serve(&case.request, case.now_s + offset_s) {
            Ok(()) => None,
            Err(Refusal::Signature(error)) => Some(error.code()),
            Err(other) => panic!("{}: {other:?}", case.name),
        };
        assert_eq!(at(-CLOCK_SKEW_MAX_S - 1), Some(ErrorKind::NotYetCurrent), "{}", case.name);
        assert_eq!(at(-CLOCK_SKEW_MAX_S), None, "{}", case.name);
        assert_eq!(at(0), None, "{}", case.name);
        assert_eq!(at(valid_s), None, "{}", case.name);
        assert_eq!(at(valid_s + 1), Some(ErrorKind::Expired), "{}", case.name);
    }
}

#[test]
fn clocks_at_the_end_of_time() {
    for case in case::good() {
        for now_s in [i64::MIN, i64::MAX] {
            assert!(case.serve(&case.request, now_s).is_err(), "{}", case.name);
        }
    }
}

#[test]
fn the_sentence_says_when() {
    let cases = case::suite();
    let case = cases.iter().find(|case| case.name == "get-vanilla").unwrap();
    let sentence = |now_s: i64| match case.serve(&case.request, now_s) {
        Err(Refusal::Signature(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        sentence(case.now_s + 600),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z (20150830T124600Z - 5 min.)"
    );
    assert_eq!(
        sentence(case.now_s - 600),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123100Z (20150830T122600Z + 5 min.)"
    );
}
