//! The times that signatures carry: `20150830T123600Z`, and the HTTP `Date` header.

use std::fmt;

use crate::calendar::Civil;

/// Epoch seconds that print in ISO 8601's basic format.
pub(super) struct BasicTime(pub(super) i64);

impl BasicTime {
    /// The day alone, `20150830`.
    pub(super) fn date(&self) -> String {
        let Civil { year, month, day, .. } = Civil::from_epoch_s(self.0);
        format!("{year:04}{month:02}{day:02}")
    }

    /// Appends the sixteen characters; the fast path of [`fmt::Display`].
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        let Civil { year, month, day, hour, minute, second } = Civil::from_epoch_s(self.0);
        push_two(out, year / 100);
        push_two(out, year % 100);
        push_two(out, month);
        push_two(out, day);
        out.push(b'T');
        push_two(out, hour);
        push_two(out, minute);
        push_two(out, second);
        out.push(b'Z');
    }
}

impl fmt::Display for BasicTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(16);
        self.push(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

fn push_two(out: &mut Vec<u8>, number: i64) {
    const DIGITS: &[u8; 10] = b"0123456789";
    let digit = |n: i64| DIGITS[usize::try_from(n % 10).unwrap_or(0)];
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}

/// Reads `20150830T123600Z` into epoch seconds.
pub(super) fn parse_basic(text: &[u8]) -> Option<i64> {
    let [date @ .., b'T', h1, h2, m1, m2, s1, s2, b'Z'] = text else {
        return None;
    };
    let (year, month, day) = split_date(date)?;
    let hour = number(&[*h1, *h2])?;
    let minute = number(&[*m1, *m2])?;
    let second = number(&[*s1, *s2])?;
    Civil { year, month, day, hour, minute, second }.to_epoch_s()
}

/// True for eight digits that are a day, `20150830`.
pub(super) fn is_date(text: &[u8]) -> bool {
    split_date(text).is_some_and(|(year, month, day)| {
        Civil { year, month, day, hour: 0, minute: 0, second: 0 }.to_epoch_s().is_some()
    })
}

fn split_date(text: &[u8]) -> Option<(i64, i64, i64)> {
    let [year @ .., m1, m2, d1, d2] = text else {
        return None;
    };
    if year.len() != 4 {
        return None;
    }
    Some((number(year)?, number(&[*m1, *m2])?, number(&[*d1, *d2])?))
}

/// Reads a `Date` header into epoch seconds: `Sun, 30 Aug 2015 12:36:00 GMT`, also with `+0000` or `-0000` as
/// botocore writes it, or the basic format.
pub(super) fn parse_header(text: &[u8]) -> Option<i64> {
    parse_basic(text).or_else(|| parse_http(text))
}

fn parse_http(text: &[u8]) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = std::str::from_utf8(text).ok()?;
    let (_weekday, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day = number_of_len(words.next()?, 2)?;
    let month_name = words.next()?;
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month_name).map(|(_, month)| month)?;
    let year = number_of_len(words.next()?, 4)?;
    let mut clock = words.next()?.split(':');
    let hour = number_of_len(clock.next()?, 2)?;
    let minute = number_of_len(clock.next()?, 2)?;
    let second = number_of_len(clock.next()?, 2)?;
    let is_utc = matches!(words.next()?, "GMT" | "UTC" | "+0000" | "-0000");
    if !is_utc || words.next().is_some() || clock.next().is_some() {
        return None;
    }
    Civil { year, month, day, hour, minute, second }.to_epoch_s()
}

fn number_of_len(text: &str, len: usize) -> Option<i64> {
    (text.len() == len).then(|| number(text.as_bytes())).flatten()
}

/// A few decimal digits; nothing else, not even a sign.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE_S: i64 = 1_440_938_160;

    #[test]
    fn basic_format_both_ways() {
        assert_eq!(parse_basic(b"20150830T123600Z"), Some(SUITE_S));
        assert_eq!(BasicTime(SUITE_S).to_string(), "20150830T123600Z");
        assert_eq!(BasicTime(SUITE_S).date(), "20150830");
        let bad = [
            "",
            "20150830T123600",
            "20150830T123600z",
            "2015-08-30T12:36:00Z",
            "20150830 123600Z",
            "20150230T000000Z",
            "20150830T240000Z",
            "+0150830T123600Z",
            "120150830T123600Z",
            "0830T123600Z",
            "T123600Z",
            "Z",
        ];
        for text in bad {
            assert_eq!(parse_basic(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn date_headers() {
        let good = [
            "Sun, 30 Aug 2015 12:36:00 GMT",
            "Sun, 30 Aug 2015 12:36:00 -0000",
            "Sun, 30 Aug 2015 12:36:00 +0000",
            "Sun, 30 Aug 2015 12:36:00 UTC",
            "20150830T123600Z",
        ];
        for text in good {
            assert_eq!(parse_header(text.as_bytes()), Some(SUITE_S), "{text:?}");
        }
        let bad = [
            "Sun, 30 Aug 2015 12:36:00 +0200",
            "Sun, 30 Aug 2015 12:36:00",
            "Sun, 30 Aug 2015 12:36:00 GMT ",
            "Sun, 30 aug 2015 12:36:00 GMT",
            "Sun, 31 Feb 2015 12:36:00 GMT",
            "Sun Aug 30 12:36:00 2015",
            "Sunday, 30-Aug-15 12:36:00 GMT",
            "yesterday",
        ];
        for text in bad {
            assert_eq!(parse_header(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_header(b"Sun, 30 Aug 2015 12:36:00 \xff"), None);
    }

    #[test]
    fn days() {
        assert!(is_date(b"20160229"));
        for bad in ["20150229", "2015830", "2015083a", "", "20150830T"] {
            assert!(!is_date(bad.as_bytes()), "{bad:?}");
        }
    }
}
