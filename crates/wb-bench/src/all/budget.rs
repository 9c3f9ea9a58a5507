//! How much is measured, and how long that may take.

use std::time::Duration;

use crate::clock::Stopwatch;

/// All of it ends within 15 minutes on two cores.
const WHOLE: Duration = Duration::from_secs(14 * 60);
/// The quick run ends within two.
const WHOLE_QUICK: Duration = Duration::from_secs(110);
/// What is predicted from smaller N may take this much longer: caches are smaller than files.
const PREDICTED_TIMES: f64 = 1.3;
/// What of a first, small round is taken to cost the same with any N: processes, pages, starts.
const SAME_SHARE: f64 = 0.8;

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
                    rounds: 2,
                },
            ],
            // Of two numbers the time of a third can be predicted.
            Self::Quick => &[
                Step {
                    n: 1_000,
                    rounds: 1,
                },
                Step {
                    n: 10_000,
                    rounds: 2,
                },
            ],
            Self::Smoke => &[Step { n: 300, rounds: 1 }],
        }
    }

    /// The largest N, of which the first that fits into the time that is left is measured once.
    pub fn largest(self) -> &'static [u64] {
        match self {
            Self::Full => &[1_000_000, 500_000, 200_000],
            Self::Quick => &[100_000, 50_000, 20_000],
            Self::Smoke => &[],
        }
    }

    /// Records that ten followers take at once.
    pub fn of_ten(self) -> u64 {
        match self {
            Self::Full | Self::Quick => 10_000,
            Self::Smoke => 100,
        }
    }

    /// Rounds of one follower and ten.
    pub fn rounds_of_ten(self) -> u32 {
        match self {
            Self::Full => 3,
            Self::Quick | Self::Smoke => 1,
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
            Self::Quick => Duration::from_secs(1),
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
    /// Numbers of records, and seconds that the first round of each took with its preparation.
    known: Vec<(f64, f64)>,
}

impl Budget {
    /// Begins.
    pub fn begin(size: Size) -> Self {
        Self {
            watch: Stopwatch::start(),
            whole: size.whole(),
            known: Vec::new(),
        }
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.whole.saturating_sub(self.watch.elapsed())
    }

    /// Learns from the first round of N records; N rises from call to call.
    pub fn learn(&mut self, n: u64, took: Duration) {
        self.known.push((n as f64, took.as_secs_f64()));
    }

    /// Whether a round of N records fits, by what those before took.
    pub fn fits(&self, n: u64) -> bool {
        self.predicted_s(n as f64) * PREDICTED_TIMES <= self.left().as_secs_f64()
    }

    /// Seconds of a round: along the line through the last two, because much of a round costs the same with any N.
    fn predicted_s(&self, n: f64) -> f64 {
        match self.known.as_slice() {
            [] => 0.0,
            [(one, took)] => took * (SAME_SHARE + (1.0 - SAME_SHARE) * n / one),
            [.., (less, before), (more, last)] => {
                let each = ((last - before) / (more - less)).max(0.0);
                last + each * (n - more)
            }
        }
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
            known: Vec::new(),
        };
        assert!(budget.fits(1_000_000), "nothing is known yet");
        budget.learn(10_000, Duration::from_secs(20));
        // A million is predicted to take 416 s, three 1,216.
        assert!(budget.fits(1_000_000) && !budget.fits(3_000_000));
        budget.learn(100_000, Duration::from_secs(65));
        // 15 s with any N, and half a millisecond a record: 515 s.
        assert!(budget.fits(1_000_000));
        // 1,015 s.
        assert!(!budget.fits(2_000_000));
    }

    #[test]
    fn the_largest_that_fits_is_looked_for_from_above() {
        for size in [Size::Full, Size::Quick] {
            assert!(size.largest().is_sorted_by(|one, next| one > next));
        }
    }
}
