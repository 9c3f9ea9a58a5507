//! `wb sync log`: exchanges that moved something or failed, and what came by each.

use std::collections::BTreeMap;

use wb_core::entry::{Entry, Op};
use wb_core::id::{InstanceId, RecordRef};
use wb_core::line::Line;
use wb_core::rule::Rule;
use wb_core::sync::PeerCause;
use wb_store::{Peer, Road, Run, RunRecord, StoreError};

use super::peers::label;
use crate::command::sync;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::plan::headline;
use crate::view::{
    AlsoView, PulledView, PushedView, RoadView, RunRecordView, RunView, SCHEMA_VERSION,
};

/// Records of one run that are listed; a first pull brings more than anybody reads.
pub const RUN_RECORDS_MAX: u64 = 10_000;

/// What a line does to its record.
const PUT: &str = "put";
const TAKE_BACK: &str = "take back";

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

/// The newest runs, or those before one, with one peer only when it is given: runs that start meanwhile move nothing to another page.
///
/// # Errors
/// What the store reports.
pub fn runs_page(
    node: &Node,
    before: Option<i64>,
    rows_max: usize,
    peer: Option<&InstanceId>,
) -> Result<RunsPage> {
    let before = before.unwrap_or(i64::MAX);
    let mut runs = node.store.runs_before(before, rows_max as u64 + 1, peer)?;
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

/// One run, with what came by it, and then what went.
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
    let came = records
        .into_iter()
        .map(|record| record_view(run_no, record, &homes));
    let mut records: Vec<RunRecordView> = came.collect();
    records.extend(went(node, run_no)?);
    Ok((view(&run, &names, syncing), records))
}

/// What went out by a run, delta by delta: what a delta put or took back stays in it, also when it was
/// replaced or taken back since.
fn went(node: &Node, run_no: i64) -> Result<Vec<RunRecordView>> {
    let damaged = |rule: Rule| StoreError::Damaged(format!("a line of an own feed breaks {rule}"));
    let mut went = Vec::new();
    for sent in node.store.run_sent(run_no)? {
        for header in node.store.sent_headers(&sent)? {
            for item in node.store.served().items(&header)? {
                if went.len() as u64 == RUN_RECORDS_MAX {
                    return Ok(went);
                }
                let (entry, body) = if Entry::starts(&item) {
                    (Entry::read(&item).map_err(damaged)?, None)
                } else {
                    let line = Line::read(&item).map_err(damaged)?;
                    (Entry::of_line(&line), Some(line.body().to_owned()))
                };
                went.push(RunRecordView {
                    schema_version: SCHEMA_VERSION,
                    run: run_no,
                    id: entry.id,
                    origin: node.own_id(),
                    home: node.name().to_owned(),
                    way: "went",
                    headline: headline(entry.kind.as_str(), body.as_deref().unwrap_or_default()),
                    kind: entry.kind,
                    scope: sent.scope.as_str(),
                    rev: entry.rev,
                    action: match entry.op {
                        Op::Put { .. } => PUT,
                        Op::Retract { .. } => TAKE_BACK,
                    },
                    live: body.is_some(),
                });
            }
        }
    }
    Ok(went)
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

/// Who else was seen to have a record: the roads beside the one by which it came first.
///
/// # Errors
/// What the store reports.
pub fn also(node: &Node, key: &RecordRef) -> Result<Vec<AlsoView>> {
    let first = node.store.road_of(key)?;
    let names = names(node)?;
    let seen = node.store.roads_of(key)?.into_iter();
    let others = seen.filter(|seen| {
        first.as_ref().is_none_or(|first| {
            (first.peer, first.road.as_str()) != (seen.peer, seen.road.as_str())
        })
    });
    let others = others.map(|seen| AlsoView {
        name: match seen.peer {
            Some(peer) => names.get(&peer).cloned().unwrap_or_else(|| peer.short()),
            None => seen.detail,
        },
        road: seen.road,
        at: seen.at,
    });
    Ok(others.collect())
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
        way: "came",
        action: if record.is_put { PUT } else { TAKE_BACK },
        live: record.live,
    }
}
