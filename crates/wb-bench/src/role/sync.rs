//! One push, or one pull.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;
use wb_node::command::sync::{SyncInput, Synced, sync};
use wb_node::{Actor, Node};
use wb_store::{Home, Peer};

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

/// One sync with the only hub that is known.
pub struct Syncing {
    actor: Actor,
    hub: Peer,
    input: SyncInput,
}

impl Syncing {
    /// Prepares a push, or a pull.
    pub fn of(node: &Node, push: bool) -> Result<Self> {
        let hub = node.store().peers()?.pop();
        let hub = hub.ok_or_else(|| BenchError::Wrong("no hub is known".to_owned()))?;
        Ok(Self {
            actor: node.actor(None)?,
            hub,
            input: SyncInput {
                pull: !push,
                push,
                dry_run: false,
                wait: Duration::ZERO,
            },
        })
    }

    /// Does it. One that ended early is no measurement.
    pub fn run(self, node: &mut Node, runtime: &Runtime) -> Result<Synced> {
        let Self { actor, hub, input } = self;
        let mut progress = |_, _| {};
        let synced = runtime.block_on(sync(node, &actor, hub, input, &mut progress))?;
        if let Some((cause, detail)) = &synced.end {
            return Err(BenchError::Wrong(format!(
                "the sync ended early: {}: {detail}",
                cause.as_str()
            )));
        }
        Ok(synced)
    }
}

fn run(home: &Path, push: bool) -> Result<(Synced, Report)> {
    let mut node = Node::open(&Home::new(home))?;
    let syncing = Syncing::of(&node, push)?;
    let runtime = runtime()?;
    let (synced, took) = timed(|| syncing.run(&mut node, &runtime));
    let synced = synced?;
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
