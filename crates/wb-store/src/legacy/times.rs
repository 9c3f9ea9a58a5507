//! Times of the Python program: naive UTC, `YYYY-MM-DD HH:MM:SS.ffffff`, and their relatives.

use wb_core::time::Timestamp;

/// The time of a row whose own time, and those of all it hangs on, are unreadable: 1970-01-01.
///
/// # Panics
/// Never: the epoch is a time.
#[must_use]
pub fn fallback() -> Timestamp {
    Timestamp::from_unix_ms(0).expect("the epoch is within the range")
}

/// Reads a time, cut to milliseconds. A time without an offset is UTC.
///
/// Seconds and their fraction may be missing, or the whole time of day; `T` or a space stands before
/// it; `Z` or an offset like `+02:00`, `+0200` or `+02` may follow it.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, offset_ms) = match rest.as_bytes().first() {
        None => ("00:00:00.000".to_owned(), 0),
        Some(b' ' | b'T' | b't') => read_clock(&rest[1..])?,
        Some(_) => return None,
    };
    let time: Timestamp = format!("{date}T{clock}Z").parse().ok()?;
    Timestamp::from_unix_ms(time.unix_ms().checked_sub(offset_ms)?)
}

/// The time of day as `HH:MM:SS.fff`, and its offset.
fn read_clock(text: &str) -> Option<(String, i64)> {
    let end = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, offset) = text.split_at(end);
    let clock = clock.trim_end();
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = if seconds.len() == 5 {
        format!("{seconds}:00")
    } else {
        seconds.to_owned()
    };
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some((format!("{seconds}.{fraction}"), read_offset(offset)?))
}

fn read_offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (text.len() == 1).then_some(0),
        Some(b'-') => -1,
        Some(_) => 1,
    };
    let digits = text[1..].replacen(':', "", 1);
    let well_formed = matches!(digits.len(), 2 | 4) && digits.bytes().all(|b| b.is_ascii_digit());
    if !well_formed {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits[2..].parse().unwrap_or(0);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_is_met_is_read() {
        for (text, time) in [
            ("2026-03-01 09:01:02.345678", "2026-03-01T09:01:02.345Z"),
            ("2026-03-01T09:01:02", "2026-03-01T09:01:02.000Z"),
            ("2026-03-01 09:01", "2026-03-01T09:01:00.000Z"),
            ("2026-03-01 09:01:02.5Z", "2026-03-01T09:01:02.500Z"),
            ("2026-03-01T01:01:02+02:00", "2026-02-28T23:01:02.000Z"),
            ("2026-03-01 09:01:02.1 -0130", "2026-03-01T10:31:02.100Z"),
            ("2026-03-01T09:01:02-01", "2026-03-01T10:01:02.000Z"),
            (" 2026-03-01 ", "2026-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(
                read(text).map(|time| time.to_string()).as_deref(),
                Some(time),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_not_a_time() {
        for text in [
            "",
            "yesterday",
            "2026-02-30 09:01:02",
            "2026-03-01 25:01:02",
            "2026-03-01 09:01:02.",
            "2026-03-01 09:01:02+99",
            "2026-03-01 09:01:02Zulu",
            "2026-03-01 09:01:02+1:00",
            "0000-01-01 00:00:00",
            "0001-01-01 00:00:00+01:00",
            "1772355662",
            "２０２６-03-01",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
