//! Moments as AWS's JSON protocols write them: epoch seconds with a fraction of milliseconds.

use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::calendar::Civil;

/// Milliseconds since the Unix epoch.
///
/// In JSON it is a number of seconds with up to three decimals (`1634586271.302`), always exact. [`Display`]
/// writes RFC 3339 in UTC (`2021-10-18T19:44:31.302Z`), the form of the Query protocol.
///
/// [`Display`]: fmt::Display
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimestampMs(pub i64);

/// A decimal of up to fifteen digits comes back unchanged from the nearest `f64`, and so do milliseconds below this.
const EXACT_MS_MAX: u64 = 1_000_000_000_000_000;

impl TimestampMs {
    /// The moment that many whole seconds after the epoch, at the end of the range if it lies outside.
    pub fn from_epoch_s(epoch_s: i64) -> Self {
        Self(epoch_s.saturating_mul(1_000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn epoch_s(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Reads RFC 3339 in UTC, with or without milliseconds, as [`Display`] writes it.
    ///
    /// [`Display`]: fmt::Display
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (moment, ms) = match text.strip_suffix('Z')?.split_once('.') {
            Some((moment, ms)) if ms.len() == 3 => (moment, digits(ms)?),
            Some(_) => return None,
            None => (text.strip_suffix('Z')?, 0),
        };
        let (date, time) = moment.split_once('T')?;
        let (mut date, mut time) = (date.split('-'), time.split(':'));
        let civil = Civil {
            year: digits(date.next()?)?,
            month: digits(date.next()?)?,
            day: digits(date.next()?)?,
            hour: digits(time.next()?)?,
            minute: digits(time.next()?)?,
            second: digits(time.next()?)?,
        };
        if date.next().is_some() || time.next().is_some() {
            return None;
        }
        Some(Self::from_epoch_s(civil.to_epoch_s()?).saturating_add_ms(ms))
    }

    /// That many milliseconds later, or the end of the range.
    pub fn saturating_add_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// That many milliseconds earlier, or the end of the range.
    pub fn saturating_sub_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}

impl fmt::Display for TimestampMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = Civil::from_epoch_s(self.epoch_s());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.0.rem_euclid(1_000) {
            0 => f.write_str("Z"),
            ms => write!(f, ".{ms:03}Z"),
        }
    }
}

impl Serialize for TimestampMs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.unsigned_abs() < EXACT_MS_MAX {
            #[expect(clippy::cast_precision_loss, reason = "below 2^53, so exact")]
            return serializer.serialize_f64(self.0 as f64 / 1_000.0);
        }
        RawValue::from_string(decimal_seconds(self.0)).map_err(S::Error::custom)?.serialize(serializer)
    }
}

fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn decimal_seconds(epoch_ms: i64) -> String {
    let sign = if epoch_ms < 0 { "-" } else { "" };
    let ms = epoch_ms.unsigned_abs();
    format!("{sign}{}.{:03}", ms / 1_000, ms % 1_000)
}

impl<'de> Deserialize<'de> for TimestampMs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(EpochSeconds)
    }
}

struct EpochSeconds;

impl Visitor<'_> for EpochSeconds {
    type Value = TimestampMs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds since the epoch")
    }

    fn visit_i64<E: serde::de::Error>(self, epoch_s: i64) -> Result<Self::Value, E> {
        let ms = epoch_s.checked_mul(1_000).filter(|ms| ms.unsigned_abs() < EXACT_MS_MAX);
        ms.map(TimestampMs).ok_or_else(|| E::custom("timestamp out of range"))
    }

    fn visit_u64<E: serde::de::Error>(self, epoch_s: u64) -> Result<Self::Value, E> {
        i64::try_from(epoch_s)
            .map_err(|_| E::custom("timestamp out of range"))
            .and_then(|s| self.visit_i64(s))
    }

    fn visit_f64<E: serde::de::Error>(self, epoch_s: f64) -> Result<Self::Value, E> {
        let ms = (epoch_s * 1_000.0).round();
        #[expect(clippy::cast_precision_loss, reason = "below 2^53, so exact")]
        let is_exact = ms.abs() < EXACT_MS_MAX as f64;
        if !is_exact {
            return Err(E::custom("timestamp out of range"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked above, and rounded")]
        Ok(TimestampMs(ms as i64))
    }
}
