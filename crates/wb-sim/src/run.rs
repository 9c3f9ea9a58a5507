//! One seed, from the founding of its world to the verdict.

use std::panic::AssertUnwindSafe;

use crate::coverage::Coverage;
use crate::error::SimError;
use crate::world::{Failure, World};

/// Steps of a seed unless another number is asked for.
pub const STEPS: usize = 40;
/// Steps at most: a world does not forget, and one that is too long says nothing a shorter one does not.
pub const STEPS_MAX: usize = 10_000;

/// What came of a seed.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Communities in its world.
    pub members: usize,
    /// Hubs in its world.
    pub hubs: usize,
    /// What happened, step by step.
    pub steps: Vec<Told>,
    /// What should not be; empty when all is well.
    pub failures: Vec<Failure>,
    /// Which faults there were.
    pub coverage: Coverage,
}

/// A step and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The step.
    pub step: String,
    /// What came of it.
    pub then: Vec<String>,
}

impl Outcome {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            members: 0,
            hubs: 0,
            steps: Vec::new(),
            failures: Vec::new(),
            coverage: Coverage::default(),
        }
    }

    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs a seed. Equal seeds and steps give equal outcomes.
///
/// # Panics
/// Never: a panic of what is simulated is a failure in the outcome.
#[must_use]
pub fn run(seed: u64, steps: usize) -> Outcome {
    let mut outcome = Outcome::new(seed);
    let ran = std::panic::catch_unwind(AssertUnwindSafe(|| simulate(&mut outcome, steps)));
    let trouble = match ran {
        Ok(Ok(())) => return outcome,
        Ok(Err(error)) => error.to_string(),
        Err(panic) => format!("a panic: {}", words_of(panic.as_ref())),
    };
    outcome.failures.push(Failure {
        check: "nothing fails by itself",
        what: trouble,
    });
    outcome
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without words".to_owned())
}

fn simulate(outcome: &mut Outcome, steps: usize) -> Result<(), SimError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads or sockets");
    runtime.block_on(async {
        let mut world = World::found(outcome.seed).await?;
        outcome.members = world.members.len();
        outcome.hubs = world.hubs.len();
        let ended = live(&mut world, outcome, steps).await;
        outcome.failures = std::mem::take(&mut world.failures);
        outcome.coverage = std::mem::take(&mut world.coverage);
        ended
    })
}

async fn live(world: &mut World, outcome: &mut Outcome, steps: usize) -> Result<(), SimError> {
    for _ in 0..steps {
        let step = world.draw()?;
        outcome.steps.push(Told {
            step: step.to_string(),
            then: Vec::new(),
        });
        let touched = world.play(&step).await?;
        world.check_touched(&touched)?;
        if let Some(last) = outcome.steps.last_mut() {
            last.then = touched.told;
        }
        if !world.failures.is_empty() {
            return Ok(());
        }
    }
    outcome.steps.push(Told {
        step: "faults stop, and everybody syncs".to_owned(),
        then: Vec::new(),
    });
    let mut told = Vec::new();
    let ended = world.finish(&mut told).await;
    if let Some(last) = outcome.steps.last_mut() {
        last.then = told;
    }
    ended
}
