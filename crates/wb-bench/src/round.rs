//! One round: a hub that is empty, a publisher with N sealed records, a follower that has nothing.
//!
//! Rounds go through all N before they begin again, so that what disturbs the machine for a while falls
//! on all of them. Every round starts from a copy of the same publisher.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::child::{Running, play};
use crate::cli::Cli;
use crate::error::{BenchError, Result};
use crate::folder::{copy, text};
use crate::role::Report;
use crate::usage::{Usage, forget_peak};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// N local records are sealed.
    Seal,
    /// All N go to a hub that has nothing.
    Push,
    /// An empty follower takes all N.
    T1,
    /// 100 records changed.
    T2,
    /// Nothing changed.
    T3,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    schema_version: u32,
    /// What was measured.
    pub task: Task,
    /// Records of the publisher before any change.
    pub n: u64,
    /// Which round, from 1 on.
    pub round: u32,
    /// Records that were moved.
    pub records: u64,
    /// Seconds by the clock on the wall.
    pub wall_s: f64,
    /// Bytes that the node's side sent on its socket.
    pub bytes_sent: u64,
    /// Bytes that it received.
    pub bytes_received: u64,
    /// Requests.
    pub round_trips: u64,
    /// Bytes of headers and lines, where something was sealed.
    pub bytes_sealed: u64,
    /// The publisher's or follower's process, from its start to its end.
    pub node: Usage,
    /// The hub's, meanwhile; none where there was no hub.
    pub hub: Option<Usage>,
    /// Rows a second that a plain SQLite file took just before, of the same rows.
    pub limit_rows_s: f64,
    /// The same for each second of CPU.
    pub limit_rows_cpu_s: f64,
}

/// A publisher that every round starts from a copy of.
struct Original {
    n: u64,
    home: PathBuf,
    id: String,
}

/// Measures everything.
pub fn all(cli: &Cli) -> Result<Vec<Run>> {
    let dir = match &cli.dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    let dir = dir.map_err(BenchError::io("making a folder"))?;
    let mut runs = Vec::new();
    let mut keep = |run: Run| {
        if cli.json {
            let line = serde_json::to_string(&run).expect("a run has string keys and serialises");
            println!("{line}");
        } else {
            eprintln!(
                "{:?} of {}, round {}: {:.3} s",
                run.task, run.n, run.round, run.wall_s
            );
        }
        runs.push(run);
    };
    let mut originals = Vec::new();
    for n in &cli.n {
        let (original, run) = found(dir.path(), *n)?;
        originals.push(original);
        keep(run);
    }
    for round in 1..=cli.rounds {
        for original in &originals {
            let dir = dir.path().join("round");
            std::fs::create_dir(&dir).map_err(BenchError::file(&dir))?;
            for run in one(&dir, original, round)? {
                keep(run);
            }
            std::fs::remove_dir_all(&dir).map_err(BenchError::file(&dir))?;
        }
    }
    Ok(runs)
}

fn found(dir: &Path, n: u64) -> Result<(Original, Run)> {
    let home = dir.join(format!("north-{n}"));
    let (report, usage) = play(&["found", "--home", text(&home)?, "--n", &n.to_string()])?;
    let original = Original {
        n,
        home,
        id: report.id.clone(),
    };
    let run = measured(Task::Seal, &original, 1, &report, usage);
    Ok((original, run))
}

fn measured(task: Task, original: &Original, round: u32, report: &Report, node: Usage) -> Run {
    Run {
        schema_version: 1,
        task,
        n: original.n,
        round,
        records: report.records,
        wall_s: report.wall_s,
        bytes_sent: report.bytes_sent,
        bytes_received: report.bytes_received,
        round_trips: report.round_trips,
        bytes_sealed: report.bytes_sealed,
        node,
        hub: None,
        limit_rows_s: 0.0,
        limit_rows_cpu_s: 0.0,
    }
}

fn one(dir: &Path, original: &Original, round: u32) -> Result<Vec<Run>> {
    let (north, south, hub) = (dir.join("north"), dir.join("south"), dir.join("hub"));
    copy(&original.home, &north)?;
    let (north, south) = (text(&north)?, text(&south)?);
    let (plain, _) = play(&["limit", "--home", north])?;
    // Counting one row at least keeps an empty publisher from dividing by nothing.
    let rows = plain.records.max(1) as f64;

    let (hub, at) = Running::start(&["hub", "--home", text(&hub)?])?;
    let n = original.n.to_string();
    play(&["join", "--home", north, "--hub", &at.link])?;
    let measure = |task, arguments: &[&str]| -> Result<Run> {
        forget_peak(hub.pid())?;
        let before = hub.usage()?;
        let (report, usage) = play(arguments)?;
        Ok(Run {
            hub: Some(hub.usage()?.since(before)),
            limit_rows_s: rows / plain.wall_s,
            limit_rows_cpu_s: rows / plain.cpu_s,
            ..measured(task, original, round, &report, usage)
        })
    };
    let mut runs = vec![measure(Task::Push, &["push", "--home", north])?];
    let id = &original.id;
    play(&["join", "--home", south, "--hub", &at.link, "--follow", id])?;
    runs.push(measure(Task::T1, &["pull", "--home", south])?);
    check(south, original.n)?;
    let (change, _) = play(&["change", "--home", north, "--n", &n])?;
    play(&["push", "--home", north])?;
    runs.push(measure(Task::T2, &["pull", "--home", south])?);
    check(south, original.n + crate::workload::ADDED)?;
    runs.push(measure(Task::T3, &["pull", "--home", south])?);
    hub.end()?;
    for run in &mut runs {
        // The card of the publisher comes along, and is no record of the work-load.
        run.records = match run.task {
            Task::T2 => change.records,
            Task::T3 => 0,
            Task::Seal | Task::Push | Task::T1 => original.n,
        };
    }
    Ok(runs)
}

/// What is measured must be there: every record, shown.
fn check(south: &str, n: u64) -> Result<()> {
    let (counted, _) = play(&["count", "--home", south])?;
    if counted.records == n {
        Ok(())
    } else {
        Err(BenchError::Wrong(format!(
            "{} records are shown, not {n}",
            counted.records
        )))
    }
}
