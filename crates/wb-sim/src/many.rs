//! Many seeds, on all cores: each in a thread of its own while it runs, and none knows of another.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::coverage::Coverage;
use crate::run::{Outcome, run};

/// Failing seeds that are kept with their steps; of more, only the number is of interest.
const FAILED_KEPT_MAX: usize = 100;

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// Seeds that ran.
    pub seeds: u64,
    /// Seeds in which something was wrong.
    pub failed: u64,
    /// The first of those, by seed.
    pub failures: Vec<Outcome>,
    /// Which faults there were.
    pub coverage: Coverage,
}

impl Outcomes {
    fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.coverage.add(&outcome.coverage);
        if !outcome.is_clean() {
            self.failed += 1;
            let place = self
                .failures
                .partition_point(|other| other.seed < outcome.seed);
            self.failures.insert(place, outcome);
            self.failures.truncate(FAILED_KEPT_MAX);
        }
    }
}

/// Runs seeds from one on, on all cores; `progress` is told how many are done.
#[must_use]
pub fn run_many(from: u64, count: u64, steps: usize, progress: &(dyn Fn(u64) + Sync)) -> Outcomes {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let (next, outcomes) = (AtomicU64::new(0), Mutex::new(Outcomes::default()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let outcome = run(from.wrapping_add(number), steps);
            let mut all = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            all.add(outcome);
            progress(all.seeds);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}
