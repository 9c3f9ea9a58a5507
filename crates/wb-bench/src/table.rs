//! Tables in Markdown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::number::grouped;
use crate::round::{Run, Task};
use crate::spread::Spread;

/// Below this, processes have a size that has nothing to do with N.
const GROWS_FROM: u64 = 10_000;

/// All tables.
pub fn markdown(runs: &[Run]) -> String {
    let mut text = String::new();
    prepared(&mut text, runs);
    moved(&mut text, runs);
    incremental(&mut text, runs);
    memory(&mut text, runs);
    text
}

fn numbers(runs: &[Run]) -> BTreeSet<u64> {
    runs.iter().map(|run| run.n).collect()
}

fn those(runs: &[Run], task: Task, n: u64) -> Vec<&Run> {
    let fits = |run: &&Run| run.task == task && run.n == n;
    runs.iter().filter(fits).collect()
}

fn spread(runs: &[&Run], value: impl Fn(&Run) -> f64) -> Spread {
    Spread::of(runs.iter().map(|run| value(run)))
}

fn prepared(text: &mut String, runs: &[Run]) {
    text.push_str("### Preparation: sealing\n\n");
    text.push_str("| N | seconds | records/s | bytes a record | CPU s | peak MiB |\n|---|---|---|---|---|---|\n");
    for n in numbers(runs) {
        for run in those(runs, Task::Seal, n) {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                grouped(n as f64),
                seconds(run.wall_s),
                grouped(rate(run)),
                grouped(run.bytes_sealed as f64 / (n.max(1)) as f64),
                seconds(run.node.cpu_s),
                mebibytes(run.node.peak_kib as f64),
            );
        }
    }
}

fn moved(text: &mut String, runs: &[Run]) {
    text.push_str(
        "\n### Push, bootstrap (T1), 100 changes (T2), nothing changed (T3)\n\n\
         | task | N | seconds: median (least to most) | records/s | of the limit | by CPU | sent | received | round trips | \
         node CPU s | node peak MiB | hub CPU s | hub peak MiB | limit, rows/s |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for task in [Task::Push, Task::T1, Task::T2, Task::T3] {
        for n in numbers(runs) {
            let runs = those(runs, task, n);
            if runs.is_empty() {
                continue;
            }
            let wall = spread(&runs, |run| run.wall_s);
            let records = spread(&runs, rate).median;
            let share = spread(&runs, |run| 100.0 * rate(run) / run.limit_rows_s).median;
            let by_cpu = spread(&runs, |run| {
                100.0 * run.records as f64 / run.node.cpu_s / run.limit_rows_cpu_s
            })
            .median;
            let is_bulk = matches!(task, Task::Push | Task::T1);
            let percent = |share: f64| {
                if is_bulk {
                    format!("{share:.1} %")
                } else {
                    String::new()
                }
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} ({} to {}) | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                name(task),
                grouped(n as f64),
                seconds(wall.median),
                seconds(wall.min),
                seconds(wall.max),
                if task == Task::T3 {
                    String::new()
                } else {
                    grouped(records)
                },
                percent(share),
                percent(by_cpu),
                grouped(spread(&runs, |run| run.bytes_sent as f64).median),
                grouped(spread(&runs, |run| run.bytes_received as f64).median),
                grouped(spread(&runs, |run| run.round_trips as f64).median),
                seconds(spread(&runs, |run| run.node.cpu_s).median),
                mebibytes(spread(&runs, |run| run.node.peak_kib as f64).median),
                seconds(spread(&runs, |run| hub(run, |hub| hub.cpu_s)).median),
                mebibytes(spread(&runs, |run| hub(run, |hub| hub.peak_kib as f64)).median),
                grouped(spread(&runs, |run| run.limit_rows_s).median),
            );
        }
    }
}

fn incremental(text: &mut String, runs: &[Run]) {
    text.push_str(
        "\n### Bytes of an incremental pull (T2): 100 records, whatever N\n\n\
         | N | sent | received | round trips |\n|---|---|---|---|\n",
    );
    for n in numbers(runs) {
        let runs = those(runs, Task::T2, n);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            grouped(n as f64),
            grouped(spread(&runs, |run| run.bytes_sent as f64).median),
            grouped(spread(&runs, |run| run.bytes_received as f64).median),
            grouped(spread(&runs, |run| run.round_trips as f64).median),
        );
    }
}

fn memory(text: &mut String, runs: &[Run]) {
    text.push_str(
        "\n### Peak memory, and what it grows by\n\n\
         | task | N | node peak MiB | bytes a further record | hub peak MiB | bytes a further record |\n\
         |---|---|---|---|---|---|\n",
    );
    for task in [Task::Push, Task::T1] {
        let mut before: Option<(u64, f64, f64)> = None;
        for n in numbers(runs).into_iter().filter(|n| *n >= GROWS_FROM) {
            let runs = those(runs, task, n);
            let node = spread(&runs, |run| run.node.peak_kib as f64).median;
            let hub = spread(&runs, |run| hub(run, |hub| hub.peak_kib as f64)).median;
            let grows = |now: f64, was: f64, from: u64| {
                grouped((now - was) * 1_024.0 / (n - from).max(1) as f64)
            };
            let (by_node, by_hub) = before.map_or_else(Default::default, |(from, was, hub_was)| {
                (grows(node, was, from), grows(hub, hub_was, from))
            });
            let _ = writeln!(
                text,
                "| {} | {} | {} | {by_node} | {} | {by_hub} |",
                name(task),
                grouped(n as f64),
                mebibytes(node),
                mebibytes(hub),
            );
            before = Some((n, node, hub));
        }
    }
}

fn name(task: Task) -> &'static str {
    match task {
        Task::Seal => "seal",
        Task::Push => "push",
        Task::T1 => "T1",
        Task::T2 => "T2",
        Task::T3 => "T3",
    }
}

fn rate(run: &Run) -> f64 {
    run.records as f64 / run.wall_s
}

fn hub(run: &Run, value: impl Fn(&crate::usage::Usage) -> f64) -> f64 {
    run.hub.as_ref().map_or(0.0, value)
}

fn seconds(value: f64) -> String {
    format!("{value:.3}")
}

fn mebibytes(kib: f64) -> String {
    format!("{:.1}", kib / 1_024.0)
}
