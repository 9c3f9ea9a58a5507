//! Times as they stand in records: RFC 3339, UTC, milliseconds, exactly 24 characters.
//!
//! Times are shown and never compared to choose a winner; the one place where they are compared is
//! with a `now` that the caller brings, to see what has expired here.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z, within the years 0001 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Says that a text is not a time in the one form that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time like 2026-11-22T10:23:59.123Z")]
pub struct ParseTimeError;

/// Civil times, because instants of jiff end a day before the year 9999 does.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// 0001-01-01T00:00:00.000Z.
const UNIX_MS_MIN: i64 = -62_135_596_800_000;
/// 9999-12-31T23:59:59.999Z.
const UNIX_MS_MAX: i64 = 253_402_300_799_999;

impl Timestamp {
    /// Takes milliseconds since the epoch; `None` outside of the years 0001 to 9999.
    #[must_use]
    pub fn from_unix_ms(unix_ms: i64) -> Option<Self> {
        (UNIX_MS_MIN..=UNIX_MS_MAX)
            .contains(&unix_ms)
            .then_some(Self(unix_ms))
    }

    /// Milliseconds since the epoch; negative before 1970.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch for a UUID, which knows no time before 1970.
    #[must_use]
    pub fn unix_ms_clamped(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }

    /// This time moved by milliseconds, stopping at the ends of the range.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms).clamp(UNIX_MS_MIN, UNIX_MS_MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = EPOCH
            .checked_add(SignedDuration::from_millis(self.0))
            .expect("the range is that of civil times");
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.millisecond()
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let bytes = text.as_bytes();
        let shape = b"dddd-dd-ddTdd:dd:dd.dddZ";
        let well_formed = bytes.len() == shape.len()
            && bytes.iter().zip(shape).all(|(b, s)| {
                if *s == b'd' {
                    b.is_ascii_digit()
                } else {
                    b == s
                }
            });
        // A leap second is a valid RFC 3339 time that jiff would read as the second before.
        if !well_formed || &bytes[17..19] == b"60" {
            return Err(ParseTimeError);
        }
        let without_zone = &text[..text.len() - 1];
        let time: DateTime = without_zone.parse().map_err(|_| ParseTimeError)?;
        let since_epoch = time.duration_since(EPOCH).as_millis();
        let unix_ms = i64::try_from(since_epoch).map_err(|_| ParseTimeError)?;
        Self::from_unix_ms(unix_ms).ok_or(ParseTimeError)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_read_back() {
        for text in [
            "0001-01-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "2026-11-22T10:23:59.123Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "2026-11-22T10:23:59Z",
            "2026-11-22T10:23:59.123+00:00",
            "2026-11-22 10:23:59.123Z",
            "2026-02-30T10:23:59.123Z",
            "2026-11-22T10:23:60.000Z",
            "2026-11-22T24:00:00.000Z",
            "0000-01-01T00:00:00.000Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
