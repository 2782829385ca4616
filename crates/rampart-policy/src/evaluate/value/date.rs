//! Moments: ISO 8601 as the W3C profiles it, or seconds since the epoch.

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(i128);

const SECOND_NS: i128 = 1_000_000_000;

impl Moment {
    /// Reads `2026-11-21T09:30:00.25+01:00`, without seconds, or a date alone (midnight UTC), or `2026-11`; or seconds
    /// since the epoch with up to nine decimals. Four digits alone are such seconds too, not a year.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !text.is_ascii() {
            return None;
        }
        if bytes.get(4) == Some(&b'-') { parse_iso(text) } else { parse_epoch(text) }
    }
}

fn parse_epoch(text: &str) -> Option<Moment> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        None => (digits, 0),
        Some((whole, fraction)) => (whole, nanoseconds(fraction)?),
    };
    if whole.len() > 15 {
        return None;
    }
    let ns = i128::from(number(whole)?) * SECOND_NS + i128::from(fraction);
    Some(Moment(if is_negative { -ns } else { ns }))
}

fn parse_iso(text: &str) -> Option<Moment> {
    let (date, time) = match text.split_once(['T', 't']) {
        None => (text, None),
        Some((date, time)) => (date, Some(time)),
    };
    let mut fields = date.split('-');
    let year = fixed(fields.next()?, 4)?;
    let month = fixed(fields.next()?, 2)?;
    let day = match fields.next() {
        Some(day) => fixed(day, 2)?,
        // A month alone is its first moment; a time needs a day.
        None if time.is_none() => 1,
        None => return None,
    };
    if fields.next().is_some() || !(1..=12).contains(&month) || !(1..=month_len(year, month)).contains(&day) {
        return None;
    }
    let midnight_s = i128::from(days_since_epoch(year, month, day)) * 86_400;
    let time_ns = time.map_or(Some(0), parse_time)?;
    Some(Moment(midnight_s * SECOND_NS + time_ns))
}

/// Nanoseconds since midnight UTC of a time of day with its zone.
fn parse_time(text: &str) -> Option<i128> {
    let zone_at = text.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = text.split_at(zone_at);
    let offset_minutes = match zone.split_at(1) {
        ("Z" | "z", "") => 0,
        (sign, offset) => {
            let (hours, minutes) = offset.split_once(':')?;
            let (hours, minutes) = (fixed(hours, 2)?, fixed(minutes, 2)?);
            if sign.eq_ignore_ascii_case("z") || hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 60 + minutes;
            if sign == "-" { -offset } else { offset }
        }
    };
    let mut fields = time.split(':');
    let hour = fixed(fields.next()?, 2)?;
    let minute = fixed(fields.next()?, 2)?;
    let (second, fraction) = match fields.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (fixed(seconds, 2)?, 0),
            Some((seconds, fraction)) => (fixed(seconds, 2)?, nanoseconds(fraction)?),
        },
    };
    if fields.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = hour * 3_600 + (minute - offset_minutes) * 60 + second;
    Some(i128::from(seconds) * SECOND_NS + i128::from(fraction))
}

fn nanoseconds(fraction: &str) -> Option<i64> {
    let digits = fraction.len();
    let exponent = u32::try_from(digits).ok().filter(|digits| (1..=9).contains(digits))?;
    Some(number(fraction)? * 10_i64.pow(9 - exponent))
}

fn fixed(digits: &str, len: usize) -> Option<i64> {
    (digits.len() == len).then(|| number(digits)).flatten()
}

fn number(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

fn month_len(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, counting years from March so that the leap day is the last of its year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month > 2 { year } else { year - 1 };
    let march_month = (month + 9) % 12;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    march_year * 365 + leap_days + (153 * march_month + 2) / 5 + day - 1 - 719_468
}
