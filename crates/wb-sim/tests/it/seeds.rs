//! Seeds: the same one does the same again, and nothing is wrong in them.

use wb_sim::{STEPS, run, run_many};

/// Seeds that run with the other tests; the stage `sim` runs more.
const SEEDS: u64 = 12;

#[test]
fn a_seed_replays_exactly() {
    for seed in [1, 5, 2] {
        let (first, second) = (run(seed, STEPS), run(seed, STEPS));
        assert_eq!(first.steps, second.steps, "seed {seed}");
        assert_eq!(first.coverage, second.coverage, "seed {seed}");
        assert_eq!(first.failures, second.failures, "seed {seed}");
    }
}

#[test]
fn seeds_are_clean() {
    let outcomes = run_many(1, SEEDS, STEPS, &|_| {});
    for outcome in &outcomes.failures {
        let steps: Vec<&str> = outcome
            .steps
            .iter()
            .map(|told| told.step.as_str())
            .collect();
        println!(
            "seed {}: {:?}\n{}",
            outcome.seed,
            outcome.failures,
            steps.join("\n")
        );
    }
    assert_eq!(outcomes.failed, 0);
    assert_eq!(outcomes.seeds, SEEDS);
}
