//! `wb sync log`: exchanges that moved something or failed, and what came by each.

use std::collections::BTreeMap;

use wb_core::id::{InstanceId, RecordRef};
use wb_core::sync::PeerCause;
use wb_store::{Peer, Road, Run, RunRecord};

use super::peers::label;
use crate::command::sync;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::plan::headline;
use crate::view::{PulledView, PushedView, RoadView, RunRecordView, RunView, SCHEMA_VERSION};

/// Records of one run that are listed; a first pull brings more than anybody reads.
pub const RUN_RECORDS_MAX: u64 = 10_000;

/// The newest runs first; with one peer only, when it is given.
///
/// # Errors
/// What the store reports.
pub fn runs(node: &Node, limit: u64, peer: Option<&InstanceId>) -> Result<Vec<RunView>> {
    views(node, &node.store.runs(limit, peer)?)
}

/// Some runs, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsPage {
    /// The runs.
    pub rows: Vec<RunView>,
    /// The run before which older ones go on; none where there are none.
    pub older: Option<i64>,
}

/// The newest runs, or those before one: runs that start meanwhile move nothing to another page.
///
/// # Errors
/// What the store reports.
pub fn runs_page(node: &Node, before: Option<i64>, rows_max: usize) -> Result<RunsPage> {
    let before = before.unwrap_or(i64::MAX);
    let mut runs = node.store.runs_before(before, rows_max as u64 + 1, None)?;
    let is_cut = runs.len() > rows_max;
    runs.truncate(rows_max);
    Ok(RunsPage {
        older: runs.last().filter(|_| is_cut).map(|run| run.run_no),
        rows: views(node, &runs)?,
    })
}

fn views(node: &Node, runs: &[Run]) -> Result<Vec<RunView>> {
    let names = names(node)?;
    // Looked at only where it matters, as with the state of a peer.
    let open = runs.iter().any(|run| run.ended_at.is_none());
    let syncing = open && sync::runs(node)?;
    Ok(runs.iter().map(|run| view(run, &names, syncing)).collect())
}

/// One run, with what came by it.
///
/// # Errors
/// That there is no such run; what the store reports.
pub fn run(node: &Node, run_no: i64) -> Result<(RunView, Vec<RunRecordView>)> {
    let names = names(node)?;
    let run = node
        .store
        .run(run_no)?
        .ok_or_else(|| NodeError::unknown("run", run_no.to_string()))?;
    let syncing = run.ended_at.is_none() && sync::runs(node)?;
    let homes = node.store.instances()?.into_iter();
    let homes: BTreeMap<InstanceId, String> = homes
        .map(|instance| (instance.id, instance.label()))
        .collect();
    let records = node.store.run_records(run_no, RUN_RECORDS_MAX)?;
    let records = records
        .into_iter()
        .map(|record| record_view(run_no, record, &homes));
    Ok((view(&run, &names, syncing), records.collect()))
}

/// By which road a record came, as far as that is kept.
///
/// # Errors
/// What the store reports.
pub fn road(node: &Node, key: &RecordRef) -> Result<Option<RoadView>> {
    let Some(run) = node.store.road_of(key)? else {
        return Ok(None);
    };
    Ok(Some(RoadView {
        road: run.road.as_str(),
        name: name(&run, &names(node)?),
        at: run.started_at,
        run: run.run_no,
    }))
}

fn names(node: &Node) -> Result<BTreeMap<InstanceId, String>> {
    let named = |peer: Peer| (peer.id, label(&peer.name, &peer.id));
    Ok(node.store.peers()?.into_iter().map(named).collect())
}

/// With whom: the peer's name, or that of the file.
fn name(run: &Run, names: &BTreeMap<InstanceId, String>) -> String {
    match (run.road, run.peer) {
        (Road::Hub | Road::Direct | Road::Folder, Some(peer)) => {
            names.get(&peer).cloned().unwrap_or_else(|| peer.short())
        }
        (_, None) | (Road::Bundle, _) => run.detail.clone(),
    }
}

fn view(run: &Run, names: &BTreeMap<InstanceId, String>, syncing: bool) -> RunView {
    let counts = run.counts;
    let name = name(run, names);
    let cause = PeerCause::ALL
        .iter()
        .find(|cause| run.cause.as_deref() == Some(cause.as_str()));
    let outcome = match &run.outcome {
        Some(outcome) => outcome.clone(),
        None if syncing => "runs".to_owned(),
        None => "cut off".to_owned(),
    };
    RunView {
        schema_version: SCHEMA_VERSION,
        run: run.run_no,
        road: run.road.as_str(),
        peer: run.peer,
        detail: run.detail.clone(),
        at: run.started_at,
        ended_at: run.ended_at,
        outcome,
        cause: run.cause.clone(),
        sentence: cause.map(|cause| cause.about(&name)),
        name,
        pulled: PulledView {
            new: counts.pulled_new,
            changed: counts.pulled_changed,
            gone: counts.pulled_gone,
            deltas: counts.deltas_in,
        },
        pushed: PushedView {
            records: counts.pushed_records,
            retracts: counts.pushed_retracts,
            deltas: counts.deltas_out,
        },
        bytes_sent: counts.bytes_sent,
        bytes_received: counts.bytes_received,
        round_trips: counts.round_trips,
    }
}

fn record_view(run: i64, record: RunRecord, homes: &BTreeMap<InstanceId, String>) -> RunRecordView {
    let origin = record.key.origin;
    let body = record.body.unwrap_or_default();
    RunRecordView {
        schema_version: SCHEMA_VERSION,
        run,
        id: record.key.id,
        origin,
        home: homes
            .get(&origin)
            .cloned()
            .unwrap_or_else(|| origin.short()),
        headline: headline(record.kind.as_str(), &body),
        kind: record.kind,
        scope: record.scope.as_str(),
        rev: record.rev,
        action: if record.is_put { "put" } else { "take back" },
        live: record.live,
    }
}
