//! `wb sim`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_node::ErrorKind;
use wb_sim::{Coverage, Outcome, Outcomes, STEPS, STEPS_MAX, Told};

use crate::context::Context;
use crate::output::{self, count};

/// Steps of a failing seed that are shown where not all are asked for.
const LAST_STEPS: usize = 12;

/// Run simulated nodes and hubs with faults, and check that they end up equal
#[derive(Debug, Args)]
pub struct Sim {
    /// The seed; the same one does the same again
    #[arg(long, value_name = "N")]
    seed: u64,
    /// Run so many seeds from there on, on all cores
    #[arg(long, value_name = "COUNT")]
    seeds: Option<u64>,
    /// Steps of each seed before faults stop
    #[arg(long, value_name = "N", default_value_t = STEPS, value_parser = steps)]
    steps: usize,
}

fn steps(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(steps) if (1..=STEPS_MAX).contains(&steps) => Ok(steps),
        _ => Err(format!("a number from 1 to {STEPS_MAX}")),
    }
}

#[derive(Serialize)]
struct SeedView<'a> {
    schema_version: u32,
    seed: u64,
    nodes: usize,
    hubs: usize,
    clean: bool,
    failures: Vec<FailureView<'a>>,
    steps: Vec<StepView<'a>>,
}

#[derive(Serialize)]
struct FailureView<'a> {
    check: &'a str,
    what: &'a str,
}

#[derive(Serialize)]
struct StepView<'a> {
    step: &'a str,
    then: &'a [String],
}

#[derive(Serialize)]
struct SeedsView {
    schema_version: u32,
    from: u64,
    seeds: u64,
    failed: u64,
    coverage: Vec<FaultView>,
}

#[derive(Serialize)]
struct FaultView {
    fault: &'static str,
    tried: u64,
    took_effect: u64,
    seeds: u64,
}

/// Runs one seed, or many.
pub fn run(context: &Context, args: &Sim) -> Result<ExitCode> {
    let is_clean = match args.seeds {
        None => one(context, args)?,
        Some(seeds) => many(context, args, seeds)?,
    };
    Ok(if is_clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorKind::Failed.exit_code())
    })
}

fn one(context: &Context, args: &Sim) -> Result<bool> {
    let outcome = wb_sim::run(args.seed, args.steps);
    if context.json() {
        output::json(&view(&outcome))?;
    } else {
        show(context, &outcome, args.steps)?;
    }
    Ok(outcome.is_clean())
}

fn many(context: &Context, args: &Sim, seeds: u64) -> Result<bool> {
    let bar = context.progress("seeds");
    bar.set_length(seeds);
    let outcomes = wb_sim::run_many(args.seed, seeds, args.steps, &|done| bar.set_position(done));
    bar.finish_and_clear();
    for outcome in &outcomes.failures {
        if context.json() {
            output::json(&view(outcome))?;
        } else {
            show(context, outcome, args.steps)?;
        }
    }
    if context.json() {
        output::json(&seeds_view(args.seed, &outcomes))?;
    } else {
        show_coverage(&outcomes.coverage)?;
        let failed = match outcomes.failed {
            0 => "all clean".to_owned(),
            failed => format!("{failed} FAILED"),
        };
        output::line(format!(
            "{}, {failed}",
            count(outcomes.seeds, "seed", "seeds")
        ))?;
    }
    Ok(outcomes.failed == 0)
}

fn view(outcome: &Outcome) -> SeedView<'_> {
    let failures = outcome.failures.iter().map(|failure| FailureView {
        check: failure.check,
        what: &failure.what,
    });
    let steps = outcome.steps.iter().map(|told| StepView {
        step: &told.step,
        then: &told.then,
    });
    SeedView {
        schema_version: 1,
        seed: outcome.seed,
        nodes: outcome.members,
        hubs: outcome.hubs,
        clean: outcome.is_clean(),
        failures: failures.collect(),
        steps: steps.collect(),
    }
}

fn seeds_view(from: u64, outcomes: &Outcomes) -> SeedsView {
    let rows = outcomes.coverage.rows().map(|(fault, count)| FaultView {
        fault,
        tried: count.tried,
        took_effect: count.took,
        seeds: count.seeds,
    });
    SeedsView {
        schema_version: 1,
        from,
        seeds: outcomes.seeds,
        failed: outcomes.failed,
        coverage: rows.collect(),
    }
}

/// Tells what happened: all of it with `--verbose`, else the end of it where something is wrong.
fn show(context: &Context, outcome: &Outcome, steps: usize) -> Result<()> {
    output::line(format!(
        "seed {}: {}, {}, {}",
        outcome.seed,
        count(outcome.members as u64, "node", "nodes"),
        count(outcome.hubs as u64, "hub", "hubs"),
        count(outcome.steps.len() as u64, "step", "steps"),
    ))?;
    let shown = match (context.verbose(), outcome.is_clean()) {
        (true, _) => outcome.steps.len(),
        (false, true) => 0,
        (false, false) => LAST_STEPS,
    };
    let hidden = outcome.steps.len().saturating_sub(shown);
    for (number, told) in outcome.steps.iter().enumerate().skip(hidden) {
        show_step(number + 1, told)?;
    }
    for failure in &outcome.failures {
        output::line(format!("FAILED  {}: {}", failure.check, failure.what))?;
    }
    if outcome.is_clean() {
        return output::line("clean");
    }
    let steps = if steps == STEPS {
        String::new()
    } else {
        format!(" --steps {steps}")
    };
    output::line(format!("again   wb sim --seed {}{steps} -v", outcome.seed))
}

fn show_step(number: usize, told: &Told) -> Result<()> {
    output::line(format!("{number:5}  {}", told.step))?;
    let mut then = told.then.iter();
    then.try_for_each(|then| output::line(format!("         {}", output::clean(then))))
}

fn show_coverage(coverage: &Coverage) -> Result<()> {
    output::line(format!(
        "{:<42} {:>8} {:>11} {:>8}",
        "fault", "tried", "took effect", "in seeds"
    ))?;
    for (fault, count) in coverage.rows() {
        output::line(format!(
            "{fault:<42} {:>8} {:>11} {:>8}",
            count.tried, count.took, count.seeds
        ))?;
    }
    Ok(())
}
