//! ARNs from `tests/data/arn`.

use std::collections::HashSet;

use rampart_aws::arn::ARN_LEN_MAX;
use rampart_aws::{Arn, ArnError};

const GOOD: &str = include_str!("../data/arn/good.txt");
const BAD: &str = include_str!("../data/arn/bad.txt");

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn good() {
    for line in lines(GOOD) {
        let words: Vec<&str> = line.split(' ').map(|word| if word == "-" { "" } else { word }).collect();
        let [text, partition, service, region, account, resource] = words[..] else { panic!("{line}") };
        let arn = Arn::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let fields = [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()];
        assert_eq!(fields, [partition, service, region, account, resource]);
        assert_eq!(arn.as_str(), text);
        assert_eq!(arn.to_string(), text);
        assert_eq!(arn.account_id().is_some(), account.len() == 12);
        assert_eq!(Arn::from_fields(partition, service, region, account, resource), Ok(arn.clone()));
        let json = serde_json::to_string(&arn).unwrap();
        assert_eq!(serde_json::from_str::<Arn>(&json).unwrap(), arn);
        assert_eq!(arn.into_string(), text);
    }
}

#[test]
fn bad() {
    for line in lines(BAD) {
        let (reason, text) = line.split_once('\t').unwrap();
        let error = Arn::parse(text).expect_err(text);
        assert_eq!(format!("{error:?}"), reason, "{text:?}");
        assert!(serde_json::from_value::<Arn>(text.into()).is_err());
    }
    for text in ["", "arn:aws:ram:::a\nb", "arn:aws:ram:::\u{0}", "arn:aws:ram:::\u{7f}"] {
        assert!(Arn::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn as_long_as_the_limit() {
    let of_len = |len: usize| format!("arn:aws:x:::{}", "r".repeat(len - 12));
    assert_eq!(Arn::parse(&of_len(ARN_LEN_MAX)).unwrap().as_str().len(), ARN_LEN_MAX);
    assert_eq!(Arn::parse(&of_len(ARN_LEN_MAX + 1)), Err(ArnError::TooLong));
}

#[test]
fn colons_do_not_shift_fields() {
    assert_eq!(Arn::from_fields("aws", "ram:x", "", "", "r"), Err(ArnError::InvalidCharacter));
    assert_eq!(Arn::from_fields("aws", "ram", "", "1:2", "r"), Err(ArnError::InvalidCharacter));
}

#[test]
fn sets_are_asked_with_text() {
    let arns: HashSet<Arn> =
        lines(GOOD).map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert!(arns.contains("arn:aws-iso-b:s3:::bucket"));
    assert!(!arns.contains("arn:aws-iso-b:s3:::other"));
}
