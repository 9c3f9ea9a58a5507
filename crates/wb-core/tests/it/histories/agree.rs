//! The differential test: the same steps through the naive follower and through a [`Subject`].

use std::collections::BTreeMap;

use super::world::{Maker, World};
use crate::naive::{self, FeedView, Follower, HiddenView, Outcome, ShownView};

/// Anything that follows feeds by the specification, behind plain strings.
///
/// Lists come back sorted. Names are those of the specification: see `naive::Outcome`; a snapshot
/// that is taken is `take`, a first identity log is `extend`, a line that fits `filled`.
pub trait Subject {
    fn identity(&mut self, lines: &[String]) -> Outcome;
    fn delta(&mut self, header: &str, items: &[String]) -> Outcome;
    fn snapshot(&mut self, lines: &[String]) -> Outcome;
    fn fill(&mut self, line: &str) -> Outcome;
    fn feeds(&self) -> Vec<FeedView>;
    fn shown(&self) -> Vec<ShownView>;
    fn hidden(&self) -> Vec<HiddenView>;
}

impl Subject for Follower {
    fn identity(&mut self, lines: &[String]) -> Outcome {
        Follower::identity(self, lines)
    }

    fn delta(&mut self, header: &str, items: &[String]) -> Outcome {
        Follower::delta(self, header, items)
    }

    fn snapshot(&mut self, lines: &[String]) -> Outcome {
        Follower::snapshot(self, lines)
    }

    fn fill(&mut self, line: &str) -> Outcome {
        Follower::fill(self, line)
    }

    fn feeds(&self) -> Vec<FeedView> {
        Follower::feeds(self)
    }

    fn shown(&self) -> Vec<ShownView> {
        Follower::shown(self)
    }

    fn hidden(&self) -> Vec<HiddenView> {
        Follower::hidden(self)
    }
}

/// A number from the environment.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

/// Runs histories on every core; panics with the seeds of those that failed. Returns how often what
/// came about.
pub fn run_all(histories: u64, make: Option<Maker>) -> BTreeMap<String, u64> {
    if let Some(seed) = number("WB_SEED") {
        let world = run_one(seed, make);
        println!("{}", world.log.join("\n"));
        assert!(
            world.wrong.is_none(),
            "seed {seed}: {}",
            world.wrong.expect("just seen")
        );
        return world.outcomes;
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let answers = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || {
                    let mut failed = Vec::new();
                    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
                    for seed in (first as u64..histories).step_by(threads) {
                        let world = run_one(seed, make);
                        failed.extend(world.wrong.map(|wrong| (seed, wrong, world.log.len())));
                        for (name, n) in world.outcomes {
                            *outcomes.entry(name).or_default() += n;
                        }
                    }
                    (failed, outcomes)
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|w| w.join().expect("a history panicked"))
            .collect::<Vec<_>>()
    });
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    let mut failed = Vec::new();
    for (some, counts) in answers {
        failed.extend(some);
        for (name, n) in counts {
            *outcomes.entry(name).or_default() += n;
        }
    }
    println!("{outcomes:#?}");
    failed.sort_by_key(|(_, _, length)| *length);
    let worst: Vec<_> = failed
        .iter()
        .take(3)
        .map(|(seed, wrong, _)| format!("WB_SEED={seed}: {wrong}"))
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {histories} histories failed, the shortest:\n{}",
        failed.len(),
        worst.join("\n")
    );
    outcomes
}

fn run_one(seed: u64, make: Option<Maker>) -> World {
    naive::forget();
    let outcome = std::panic::catch_unwind(|| {
        let mut world = World::new(seed, make);
        world.run();
        world
    });
    outcome.unwrap_or_else(|_| panic!("history with WB_SEED={seed} panicked"))
}
