//! One push, or one pull.

use std::path::Path;
use std::time::Duration;

use wb_node::Node;
use wb_node::command::sync::{SyncInput, Synced, sync};
use wb_store::Home;

use super::{Report, runtime};
use crate::clock::timed;
use crate::error::{BenchError, Result};

/// Seals what is marked, and pushes what the hub lacks.
pub fn push(home: &Path) -> Result<Report> {
    let (synced, report) = run(home, true)?;
    Ok(Report {
        records: synced.pushed.records,
        deltas: synced.pushed.deltas,
        ..report
    })
}

/// Pulls what is new.
pub fn pull(home: &Path) -> Result<Report> {
    let (synced, report) = run(home, false)?;
    Ok(Report {
        records: synced.tally.new + synced.tally.changed,
        deltas: synced.tally.deltas,
        ..report
    })
}

fn run(home: &Path, push: bool) -> Result<(Synced, Report)> {
    let mut node = Node::open(&Home::new(home))?;
    let actor = node.actor(None)?;
    let hub = node.store().peers()?.pop();
    let hub = hub.ok_or_else(|| BenchError::Wrong("no hub is known".to_owned()))?;
    let input = SyncInput {
        pull: !push,
        push,
        dry_run: false,
        wait: Duration::ZERO,
    };
    let runtime = runtime()?;
    let (synced, took) = timed(|| {
        let mut progress = |_, _| {};
        runtime.block_on(sync(&mut node, &actor, hub, input, &mut progress))
    });
    let synced = synced?;
    if let Some((cause, detail)) = &synced.end {
        return Err(BenchError::Wrong(format!(
            "the sync ended early: {}: {detail}",
            cause.as_str()
        )));
    }
    let report = Report {
        id: node.own_id().to_string(),
        wall_s: took.as_secs_f64(),
        bytes_sent: synced.traffic.sent,
        bytes_received: synced.traffic.received,
        round_trips: synced.round_trips,
        ..Report::default()
    };
    Ok((synced, report))
}
