//! A figure: what is measured, the limit beside it, and what is wanted of it.

use serde::Serialize;

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Records a second.
    RecordsPerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Bytes.
    Bytes,
    /// Mebibytes.
    Mebibytes,
    /// Mebibytes a second.
    MebibytesPerSecond,
    /// Requests.
    RoundTrips,
}

impl Unit {
    /// As a table says it.
    pub fn short(self) -> &'static str {
        match self {
            Self::RecordsPerSecond => "records/s",
            Self::Milliseconds => "ms",
            Self::Bytes => "bytes",
            Self::Mebibytes => "MiB",
            Self::MebibytesPerSecond => "MiB/s",
            Self::RoundTrips => "requests",
        }
    }
}

/// What is wanted of the median.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Nothing: it is measured to explain another.
    Nothing,
    /// At least so much.
    AtLeast(f64),
    /// At least so much, where the limit is no less.
    AtLeastWhereLimitAllows(f64),
    /// At most so much.
    AtMost(f64),
    /// At least such a share of the limit.
    OfLimitAtLeast(f64),
    /// At most so many times the limit.
    OfLimitAtMost(f64),
    /// At most so much above the limit.
    OverLimitAtMost(f64),
}

impl Target {
    /// Whether a median meets it; none where nothing is wanted, or where the limit that it is held against was
    /// not measured.
    pub fn is_met(self, ours: f64, limit: Option<f64>) -> Option<bool> {
        match self {
            Self::Nothing => None,
            Self::AtLeast(least) => Some(ours >= least),
            Self::AtLeastWhereLimitAllows(least) => {
                limit.filter(|limit| *limit >= least).map(|_| ours >= least)
            }
            Self::AtMost(most) => Some(ours <= most),
            Self::OfLimitAtLeast(share) => limit.map(|limit| ours >= share * limit),
            Self::OfLimitAtMost(times) => limit.map(|limit| ours <= times * limit),
            Self::OverLimitAtMost(more) => limit.map(|limit| ours <= limit + more),
        }
    }
}

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Its name in JSON.
    pub id: &'static str,
    /// Its name in the table.
    pub what: &'static str,
    /// What its values count.
    pub unit: Unit,
    /// What its limit is; empty where it has none.
    pub limit: &'static str,
    /// What is wanted of it.
    pub target: Target,
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn each_target_is_met_on_its_own_side() {
        let met = |target: Target, ours| target.is_met(ours, Some(100.0));
        assert_eq!(met(Target::AtLeast(10.0), 10.0), Some(true));
        assert_eq!(met(Target::AtLeast(10.0), 9.0), Some(false));
        assert_eq!(met(Target::AtMost(10.0), 11.0), Some(false));
        assert_eq!(met(Target::OfLimitAtLeast(0.6), 59.0), Some(false));
        assert_eq!(met(Target::OfLimitAtLeast(0.6), 60.0), Some(true));
        assert_eq!(met(Target::OfLimitAtMost(1.25), 126.0), Some(false));
        assert_eq!(met(Target::OverLimitAtMost(5.0), 105.0), Some(true));
        assert_eq!(met(Target::OverLimitAtMost(5.0), 106.0), Some(false));
        let allowed = Target::AtLeastWhereLimitAllows;
        assert_eq!(met(allowed(90.0), 89.0), Some(false));
        assert_eq!(met(allowed(90.0), 90.0), Some(true));
        assert_eq!(met(allowed(101.0), 90.0), None);
        assert_eq!(met(Target::Nothing, 1.0), None);
        assert_eq!(Target::OfLimitAtLeast(0.6).is_met(1.0, None), None);
    }
}
