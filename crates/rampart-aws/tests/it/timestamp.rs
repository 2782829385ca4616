//! Timestamps on the wire.

use rampart_aws::TimestampMs;

fn json(epoch_ms: i64) -> String {
    serde_json::to_string(&TimestampMs(epoch_ms)).unwrap()
}

#[test]
fn seconds_with_up_to_three_decimals() {
    let cases = [
        (1_634_586_271_302, "1634586271.302"),
        (1_634_586_271_000, "1634586271.0"),
        (1_634_586_271_100, "1634586271.1"),
        (1_634_586_271_001, "1634586271.001"),
        (0, "0.0"),
        (1, "0.001"),
        (-1, "-0.001"),
        (-1_500, "-1.5"),
        (999_999_999_999_999, "999999999999.999"),
        (1_000_000_000_000_000, "1000000000000.000"),
        (i64::MAX, "9223372036854775.807"),
        (i64::MIN, "-9223372036854775.808"),
    ];
    for (epoch_ms, text) in cases {
        assert_eq!(json(epoch_ms), text);
        assert!(serde_json::from_str::<f64>(text).is_ok());
    }
}

#[test]
fn integers_and_fractions_are_read() {
    let read = |text: &str| serde_json::from_str::<TimestampMs>(text);
    assert_eq!(read("1634586271.302").unwrap(), TimestampMs(1_634_586_271_302));
    assert_eq!(read("1634586271").unwrap(), TimestampMs(1_634_586_271_000));
    assert_eq!(read("-1").unwrap(), TimestampMs(-1_000));
    assert_eq!(read("1e3").unwrap(), TimestampMs(1_000_000));
    assert_eq!(read("-999999999999.999").unwrap(), TimestampMs(-999_999_999_999_999));
    // Of later moments nobody could say which millisecond is meant.
    let late = ["1000000000000", "1000000000000.0", "-1e12", "1634516345862702", "1e300"];
    let wrong = ["\"1634586271\"", "null", "9223372036854775807", "18446744073709551615"];
    for bad in late.into_iter().chain(wrong) {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn text_form() {
    assert_eq!(TimestampMs(1_634_586_271_302).to_string(), "2021-10-18T19:44:31.302Z");
    assert_eq!(TimestampMs(1_634_586_271_000).to_string(), "2021-10-18T19:44:31Z");
    assert_eq!(TimestampMs(-1).to_string(), "1969-12-31T23:59:59.999Z");
}

#[test]
fn arithmetic_stays_in_range() {
    let (first, last) = (TimestampMs(i64::MIN), TimestampMs(i64::MAX));
    assert_eq!(last.saturating_add_ms(1), last);
    assert_eq!(first.saturating_sub_ms(1), first);
    assert_eq!(TimestampMs(5).saturating_add_ms(-7), TimestampMs(-2));
    assert_eq!(TimestampMs::from_epoch_s(i64::MAX), last);
    assert_eq!(TimestampMs::from_epoch_s(3), TimestampMs(3_000));
    assert_eq!(TimestampMs(-1).epoch_s(), -1);
}
