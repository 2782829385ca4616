//! The Gregorian calendar, as far as timestamps need it: days since 1970-01-01 and back, and the time of day.

/// A moment in UTC, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

const DAY_S: i64 = 86_400;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of a year can say.
const EPOCH_S_MIN: i64 = -62_167_219_200;
const EPOCH_S_MAX: i64 = 253_402_300_799;

impl Civil {
    /// The moment that many seconds after the epoch, moved into the years 0000 to 9999 if it lies outside.
    pub(crate) fn from_epoch_s(epoch_s: i64) -> Self {
        let epoch_s = epoch_s.clamp(EPOCH_S_MIN, EPOCH_S_MAX);
        let (year, month, day) = date_of_day(epoch_s.div_euclid(DAY_S));
        let second = epoch_s.rem_euclid(DAY_S);
        Self { year, month, day, hour: second / 3_600, minute: second / 60 % 60, second: second % 60 }
    }

    /// Seconds since the epoch, or nothing when there is no such date or time of day.
    pub(crate) fn to_epoch_s(self) -> Option<i64> {
        let is_time =
            (0..24).contains(&self.hour) && (0..60).contains(&self.minute) && (0..60).contains(&self.second);
        let is_date = (0..=9_999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day);
        if !is_time || !is_date {
            return None;
        }
        let days = day_of_date(self.year, self.month, self.day);
        // A day that the month does not have comes back as another date.
        (date_of_day(days) == (self.year, self.month, self.day))
            .then_some(days * DAY_S + self.hour * 3_600 + self.minute * 60 + self.second)
    }
}

// Both count years from March, so that the leap day is the last of its year, and in cycles of 400 years.
const CYCLE_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAY: i64 = 719_468;

fn day_of_date(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month > 2 { year } else { year - 1 };
    let march_month = (month + 9) % 12;
    let (cycle, year_of_cycle) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let leap_days = year_of_cycle / 4 - year_of_cycle / 100;
    cycle * CYCLE_DAYS + year_of_cycle * 365 + leap_days + day_of_year - EPOCH_DAY
}

fn date_of_day(epoch_day: i64) -> (i64, i64, i64) {
    let days = epoch_day + EPOCH_DAY;
    let (cycle, day_of_cycle) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
    // Leap days passed so far, taken out so that the rest divides into years of 365 days.
    let passed = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / (CYCLE_DAYS - 1);
    let year_of_cycle = (day_of_cycle - passed) / 365;
    let day_of_year = day_of_cycle - (year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Civil {
        Civil { year, month, day, hour, minute, second }
    }

    #[test]
    fn known_moments() {
        let cases = [
            (0, moment(1970, 1, 1, 0, 0, 0)),
            (-1, moment(1969, 12, 31, 23, 59, 59)),
            (1_440_938_160, moment(2015, 8, 30, 12, 36, 0)),
            (951_782_399, moment(2000, 2, 28, 23, 59, 59)),
            (951_782_400, moment(2000, 2, 29, 0, 0, 0)),
            (EPOCH_S_MIN, moment(0, 1, 1, 0, 0, 0)),
            (EPOCH_S_MAX, moment(9999, 12, 31, 23, 59, 59)),
        ];
        for (epoch_s, civil) in cases {
            assert_eq!(Civil::from_epoch_s(epoch_s), civil);
            assert_eq!(civil.to_epoch_s(), Some(epoch_s));
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = moment(0, 1, 1, 0, 0, 0);
        for day in EPOCH_S_MIN / DAY_S..=EPOCH_S_MAX / DAY_S {
            let civil = Civil::from_epoch_s(day * DAY_S);
            assert_eq!(civil, expected);
            assert_eq!(civil.to_epoch_s(), Some(day * DAY_S));
            expected = next_day(civil);
        }
    }

    fn next_day(at: Civil) -> Civil {
        let is_leap = at.year % 4 == 0 && (at.year % 100 != 0 || at.year % 400 == 0);
        let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let month_len = lengths[usize::try_from(at.month - 1).unwrap()];
        match (at.day == month_len, at.month == 12) {
            (false, _) => Civil { day: at.day + 1, ..at },
            (true, false) => Civil { day: 1, month: at.month + 1, ..at },
            (true, true) => Civil { day: 1, month: 1, year: at.year + 1, ..at },
        }
    }

    #[test]
    fn no_such_moment() {
        let bad = [
            moment(2015, 2, 29, 0, 0, 0),
            moment(1900, 2, 29, 0, 0, 0),
            moment(2015, 4, 31, 0, 0, 0),
            moment(2015, 0, 1, 0, 0, 0),
            moment(2015, 13, 1, 0, 0, 0),
            moment(2015, 1, 0, 0, 0, 0),
            moment(2015, 1, 1, 24, 0, 0),
            moment(2015, 1, 1, 0, 60, 0),
            moment(2015, 1, 1, 0, 0, 60),
        ];
        for civil in bad {
            assert_eq!(civil.to_epoch_s(), None, "{civil:?}");
        }
    }

    #[test]
    fn far_away_is_clamped() {
        assert_eq!(Civil::from_epoch_s(i64::MAX).year, 9_999);
        assert_eq!(Civil::from_epoch_s(i64::MIN).year, 0);
    }
}
