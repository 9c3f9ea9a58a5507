//! Which backups are kept: the newest of each of the last days, weeks and months.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::time::Timestamp;

const DAY_MS: i64 = 86_400_000;
/// 1970-01-01 was a Thursday; weeks begin on Mondays.
const DAYS_BEFORE_THE_FIRST_MONDAY: i64 = 3;
const DAYS_A_WEEK: i64 = 7;
/// Backups of one sort that can be kept; protects whoever mistypes a number.
const KEEP_MAX: usize = 1_000;

/// How many backups are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days of which the newest is kept.
    pub daily: usize,
    /// Weeks of which the newest is kept.
    pub weekly: usize,
    /// Months of which the newest is kept.
    pub monthly: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            daily: 7,
            weekly: 4,
            monthly: 6,
        }
    }
}

/// Says that a text is not like `7 daily, 4 weekly, 6 monthly`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "something like `7 daily, 4 weekly, 6 monthly` is needed, each number at most {KEEP_MAX}, and one at least 1"
)]
pub struct ParseKeepError;

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            daily,
            weekly,
            monthly,
        } = self;
        write!(f, "{daily} daily, {weekly} weekly, {monthly} monthly")
    }
}

impl FromStr for Keep {
    type Err = ParseKeepError;

    fn from_str(text: &str) -> Result<Self, ParseKeepError> {
        let mut keep = Self {
            daily: 0,
            weekly: 0,
            monthly: 0,
        };
        for part in text.split(',') {
            let (number, what) = part.trim().split_once(' ').ok_or(ParseKeepError)?;
            let number: usize = number.parse().map_err(|_| ParseKeepError)?;
            if number > KEEP_MAX {
                return Err(ParseKeepError);
            }
            match what.trim() {
                "daily" => keep.daily = number,
                "weekly" => keep.weekly = number,
                "monthly" => keep.monthly = number,
                _ => return Err(ParseKeepError),
            }
        }
        if keep.daily + keep.weekly + keep.monthly == 0 {
            return Err(ParseKeepError);
        }
        Ok(keep)
    }
}

/// The times of those backups that need not be kept any more. The newest always stays.
///
/// ```
/// use wb_core::backup::{Keep, outlived};
/// let at = |text: &str| text.parse().unwrap();
/// let times = [at("2026-11-28T03:00:00.000Z"), at("2026-11-29T03:00:00.000Z"), at("2026-11-29T15:00:00.000Z")];
/// let keep = "7 daily".parse::<Keep>().unwrap();
/// assert_eq!(outlived(&times, keep), [at("2026-11-29T03:00:00.000Z")]);
/// ```
#[must_use]
pub fn outlived(times: &[Timestamp], keep: Keep) -> Vec<Timestamp> {
    let mut newest_first = times.to_vec();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    let mut stay: BTreeSet<Timestamp> = newest_first.first().copied().into_iter().collect();
    let sorts = [
        (keep.daily, day as Period),
        (keep.weekly, week),
        (keep.monthly, month),
    ];
    for (number, period) in sorts {
        let mut periods = BTreeSet::new();
        for time in &newest_first {
            if periods.len() == number {
                break;
            }
            if periods.insert(period(*time)) {
                stay.insert(*time);
            }
        }
    }
    let mut outlived: Vec<Timestamp> = newest_first;
    outlived.retain(|time| !stay.contains(time));
    outlived
}

/// In which day, week or month a time is.
type Period = fn(Timestamp) -> i64;

fn day(time: Timestamp) -> i64 {
    time.unix_ms().div_euclid(DAY_MS)
}

fn week(time: Timestamp) -> i64 {
    (day(time) + DAYS_BEFORE_THE_FIRST_MONDAY).div_euclid(DAYS_A_WEEK)
}

/// Months since the year 0.
fn month(time: Timestamp) -> i64 {
    let text = time.to_string();
    let number = |range: std::ops::Range<usize>| -> i64 {
        let digits = text.get(range).unwrap_or_default();
        digits.parse().unwrap_or_default()
    };
    number(0..4) * 12 + number(5..7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(number: i64) -> Vec<Timestamp> {
        let first: Timestamp = "2026-01-01T03:00:00.000Z".parse().unwrap();
        (0..number).map(|day| first.plus_ms(day * DAY_MS)).collect()
    }

    #[test]
    fn a_year_of_days_leaves_days_weeks_and_months() {
        let times = days(365);
        let gone = outlived(&times, Keep::default());
        let mut left: Vec<String> = times
            .iter()
            .filter(|time| !gone.contains(time))
            .map(ToString::to_string)
            .collect();
        left.iter_mut().for_each(|time| time.truncate(10));
        // Seven days to New Year's Eve; then Sundays; then the last days of months.
        assert_eq!(
            left,
            [
                "2026-07-31",
                "2026-08-31",
                "2026-09-30",
                "2026-10-31",
                "2026-11-30",
                "2026-12-13",
                "2026-12-20",
                "2026-12-25",
                "2026-12-26",
                "2026-12-27",
                "2026-12-28",
                "2026-12-29",
                "2026-12-30",
                "2026-12-31",
            ]
        );
    }

    #[test]
    fn removing_day_by_day_leaves_the_same_and_never_the_newest() {
        let mut kept: Vec<Timestamp> = Vec::new();
        for time in days(400) {
            kept.push(time);
            let gone = outlived(&kept, Keep::default());
            assert!(!gone.contains(&time));
            kept.retain(|time| !gone.contains(time));
            assert!(kept.len() <= 7 + 4 + 6);
        }
        let one = "1 monthly".parse().unwrap();
        assert_eq!(outlived(&days(3), one).len(), 2);
        assert_eq!(outlived(&[], one), []);
    }

    #[test]
    fn a_text_is_read_back_and_others_are_refused() {
        for text in [
            "7 daily, 4 weekly, 6 monthly",
            "0 daily, 0 weekly, 1 monthly",
        ] {
            assert_eq!(text.parse::<Keep>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "7",
            "7 hourly",
            "0 daily",
            "-1 daily",
            "1001 daily",
            "daily",
        ] {
            assert!(text.parse::<Keep>().is_err(), "{text}");
        }
    }
}
