//! How much is measured, and how long that may take.

use std::time::Duration;

use crate::clock::Stopwatch;

/// All of it ends within 15 minutes on two cores.
const WHOLE: Duration = Duration::from_secs(14 * 60);
/// The quick run ends within two.
const WHOLE_QUICK: Duration = Duration::from_secs(110);
/// What is predicted from a smaller N may take this much longer: caches are smaller than files.
const PREDICTED_TIMES: f64 = 1.5;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Everything, up to a million records.
    Full,
    /// Within two minutes.
    Quick,
    /// Shows that everything runs; says nothing about speed.
    Smoke,
}

/// Records of one step of the run, and how often it is repeated where time allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Records.
    pub n: u64,
    /// Rounds at most.
    pub rounds: u32,
}

impl Size {
    /// The steps, the least first. Each is begun when it is predicted to end in time.
    pub fn steps(self) -> &'static [Step] {
        match self {
            Self::Full => &[
                Step {
                    n: 10_000,
                    rounds: 3,
                },
                Step {
                    n: 100_000,
                    rounds: 3,
                },
            ],
            Self::Quick => &[
                Step {
                    n: 10_000,
                    rounds: 2,
                },
                Step {
                    n: 100_000,
                    rounds: 1,
                },
            ],
            Self::Smoke => &[Step { n: 300, rounds: 1 }],
        }
    }

    /// The largest N, of which the first that fits into the time that is left is measured once.
    pub fn largest(self) -> &'static [u64] {
        match self {
            Self::Full => &[1_000_000, 500_000, 200_000],
            Self::Quick | Self::Smoke => &[],
        }
    }

    /// Records that ten followers take at once.
    pub fn of_ten(self) -> u64 {
        match self {
            Self::Full | Self::Quick => 10_000,
            Self::Smoke => 100,
        }
    }

    /// Instances of which levels are worked out.
    pub fn instances(self) -> &'static [u64] {
        match self {
            Self::Full | Self::Quick => &[10, 100, 1_000, 5_000],
            Self::Smoke => &[10, 100],
        }
    }

    /// Instances at one hub.
    pub fn crowds(self) -> &'static [u64] {
        match self {
            Self::Full => &[10, 100, 1_000],
            Self::Quick => &[10, 100],
            Self::Smoke => &[3],
        }
    }

    /// How often what is short is repeated.
    pub fn repeats(self) -> u32 {
        match self {
            Self::Full => 10,
            Self::Quick => 5,
            Self::Smoke => 2,
        }
    }

    /// For how long pages are asked for.
    pub fn pages_for(self) -> Duration {
        match self {
            Self::Full => Duration::from_secs(5),
            Self::Quick => Duration::from_secs(2),
            Self::Smoke => Duration::from_millis(300),
        }
    }

    fn whole(self) -> Duration {
        match self {
            Self::Full => WHOLE,
            Self::Quick => WHOLE_QUICK,
            // Nobody waits for this one, and on an unoptimised build nothing can be predicted.
            Self::Smoke => Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// The time that is left.
#[derive(Debug)]
pub struct Budget {
    watch: Stopwatch,
    whole: Duration,
    /// Seconds that the last step took for each record, with its preparation.
    seconds_a_record: f64,
}

impl Budget {
    /// Begins.
    pub fn begin(size: Size) -> Self {
        Self {
            watch: Stopwatch::start(),
            whole: size.whole(),
            seconds_a_record: 0.0,
        }
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.whole.saturating_sub(self.watch.elapsed())
    }

    /// Learns from a round of N records.
    pub fn learn(&mut self, n: u64, took: Duration) {
        self.seconds_a_record = took.as_secs_f64() / n.max(1) as f64;
    }

    /// Whether a round of N records fits, by what the last one took.
    pub fn fits(&self, n: u64) -> bool {
        let predicted = self.seconds_a_record * n as f64 * PREDICTED_TIMES;
        predicted <= self.left().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Budget, Size};
    use crate::clock::Stopwatch;

    #[test]
    fn what_would_not_end_in_time_is_not_begun() {
        let mut budget = Budget {
            watch: Stopwatch::start(),
            whole: Duration::from_secs(1_000),
            seconds_a_record: 0.0,
        };
        budget.learn(100_000, Duration::from_secs(50));
        // 500,000 are predicted to take 375 s, a million 750, two million 1,500.
        assert!(budget.fits(500_000) && budget.fits(1_000_000));
        assert!(!budget.fits(2_000_000));
    }

    #[test]
    fn the_largest_that_fits_is_looked_for_from_above() {
        let largest = Size::Full.largest();
        assert!(largest.is_sorted_by(|one, next| one > next));
    }
}
