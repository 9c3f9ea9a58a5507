//! `wb peer list` and `wb peer show`: where it stands with each hub and peer, in words that say what to do.
//!
//! What a peer holds of this instance is what it confirmed, never what was sent.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::entry::{Entry, Op};
use wb_core::id::{InstanceId, RecordId};
use wb_core::line::Line;
use wb_core::scope::FeedScope;
use wb_core::sync::{FollowList, PeerCause, Phase, Role};
use wb_core::want::Held;
use wb_store::{PairState, Peer, StoreError, StoredHeader};

use super::auto::auto_view;
use super::doubts::doubts_of;
use crate::command::hub_register::state_of;
use crate::command::peer_block::is_blocked;
use crate::command::sync;
use crate::error::Result;
use crate::node::Node;
use crate::view::{
    ConfirmedView, DoubtView, FollowsView, NamedView, PairInfo, PeerState, PeerView,
    RegistrationView, SCHEMA_VERSION, TakenView,
};

/// What is said of a sync that was cut off: its process ended before it did.
const CUT_OFF: &str = "the last sync with {} was cut off";
/// What is to be done then.
const CUT_OFF_ACTION: &str = "run `wb sync`; it goes on from there";

/// Every peer, the first known first.
///
/// # Errors
/// What the store reports.
pub fn peers(node: &Node) -> Result<Vec<PeerView>> {
    let peers = node.store.peers()?.into_iter();
    peers.map(|peer| peer_view(node, &peer)).collect()
}

/// Whether a peer is synced with without being named: it is neither paused nor refused, and there is something
/// to call: a hub, or a node that was agreed to here and has an address.
///
/// # Errors
/// What the store reports.
pub fn goes_by_itself(node: &Node, peer: &Peer) -> Result<bool> {
    if peer.role == Role::Node {
        let pair = node.store.pair(&peer.id)?;
        let is_agreed = pair.is_some_and(|pair| pair.state != PairState::Asked);
        if !is_agreed || peer.address.is_empty() {
            return Ok(false);
        }
    }
    Ok(!peer.paused && !is_blocked(node, &peer.id)?)
}

/// Where it stands with a peer, in short. What was decided here comes before how the last sync ended.
///
/// # Errors
/// What the store reports.
pub fn peer_state(node: &Node, peer: &Peer) -> Result<PeerState> {
    let mut state = state_of(peer, node.now());
    if is_blocked(node, &peer.id)? {
        state.cause = PeerCause::Refused;
    } else if peer.paused && state.phase() != Phase::Syncing {
        state.cause = PeerCause::Paused;
    }
    let name = label(&peer.name, &peer.id);
    let (sentence, action) = if is_cut_off(node, state.phase())? {
        (CUT_OFF.replacen("{}", &name, 1), CUT_OFF_ACTION)
    } else {
        (state.sentence(&name), state.cause.action())
    };
    Ok(PeerState {
        id: peer.id,
        name,
        phase: state.phase().as_str(),
        cause: state.cause.as_str(),
        sentence,
        action,
        by_itself: auto_view(node, peer)?.sentence,
    })
}

/// Whether a peer is `syncing` though nobody syncs. The lock is looked at only where a sync seems to
/// run, so that looking hinders none that starts.
fn is_cut_off(node: &Node, phase: Phase) -> Result<bool> {
    Ok(phase == Phase::Syncing && !sync::runs(node)?)
}

/// One peer.
///
/// # Errors
/// What the store reports.
pub fn peer_view(node: &Node, peer: &Peer) -> Result<PeerView> {
    let state = state_of(peer, node.now());
    let PeerState {
        name,
        phase,
        cause,
        sentence,
        action,
        ..
    } = peer_state(node, peer)?;
    Ok(PeerView {
        schema_version: SCHEMA_VERSION,
        id: peer.id,
        name,
        role: peer.role,
        pair: node.store.pair(&peer.id)?.map(|pair| PairInfo {
            state: pair.state.as_str(),
            words: pair.words,
            since: pair.since,
        }),
        address: peer.address.clone(),
        lan: peer.lan,
        paused: peer.paused,
        blocked: is_blocked(node, &peer.id)?,
        auto: auto_view(node, peer)?,
        phase,
        cause,
        cut_off: is_cut_off(node, state.phase())?,
        sentence,
        action,
        detail: state.detail.filter(|detail| !detail.is_empty()),
        since: state.since,
        last_synced: peer.last_ok,
        failures: state.failures,
        next_try: state.next_try,
        registration: registration(node, peer)?,
        follows: follows(node, &peer.follows)?,
        cursor: peer.cursor.map(|cursor| cursor.to_string()),
        confirmed: confirmed(node, peer)?,
        taken: taken(node, peer)?,
        doubts: told_doubts(node, peer)?,
    })
}

/// How it stands at a hub.
fn registration(node: &Node, peer: &Peer) -> Result<Option<RegistrationView>> {
    let Some(told) = &peer.registered else {
        return Ok(None);
    };
    Ok(Some(RegistrationView {
        standing: told.standing.as_str(),
        reason: told.reason.clone(),
        until: told.until,
        asked: node.store.asked_visibility(&peer.id)?,
        shown: node.store.shown_visibility(&peer.id)?,
    }))
}

/// What is in doubt for long enough, without the bytes that prove it.
fn told_doubts(node: &Node, peer: &Peer) -> Result<Vec<DoubtView>> {
    let mut doubts = doubts_of(node, &peer.id)?;
    doubts.retain(|doubt| doubt.told);
    for doubt in &mut doubts {
        doubt.proof = None;
    }
    Ok(doubts)
}

/// The name of a peer; the start of its id where it told none.
pub(crate) fn label(name: &str, id: &InstanceId) -> String {
    if name.trim().is_empty() {
        id.short()
    } else {
        name.to_owned()
    }
}

fn follows(node: &Node, list: &FollowList) -> Result<FollowsView> {
    // A hub has its name from itself; whoever has a card here, from that.
    let hubs = node.store.peers()?.into_iter();
    let mut names: BTreeMap<InstanceId, String> = hubs
        .filter(|hub| !hub.name.is_empty())
        .map(|hub| (hub.id, hub.name))
        .collect();
    let known = node.store.instances()?.into_iter();
    names.extend(known.filter_map(|instance| Some((instance.id, instance.name?))));
    let named = |ids: &[InstanceId]| {
        let named = ids.iter().map(|id| NamedView {
            id: *id,
            name: names.get(id).cloned(),
        });
        named.collect()
    };
    Ok(FollowsView {
        all: list.all,
        follow: named(&list.follow),
        except: named(&list.except),
    })
}

/// What a peer confirmed to hold of the own public feed, and what it lacks of it.
fn confirmed(node: &Node, peer: &Peer) -> Result<ConfirmedView> {
    let mut view = ConfirmedView::default();
    let Some(lacking) = lacking(node, peer)? else {
        view.other_history = true;
        return Ok(view);
    };
    let feeds = node.store.served().feeds()?;
    let feed = feeds.iter().find(|feed| is_own_public(node, &feed.held));
    let moved = moved(node, &lacking)?;
    let live = moved.live.len() as u64;
    view.deltas = acked(node, peer).map_or(0, |held| held.seq + 1);
    view.records = feed.map_or(0, |feed| feed.live_n.saturating_sub(live));
    view.lacks_deltas = lacking.len() as u64;
    view.lacks_records = moved.puts.len() as u64;
    view.lacks_retracts = moved.retracts.len() as u64;
    Ok(view)
}

fn is_own_public(node: &Node, held: &Held) -> bool {
    held.origin == node.own_id() && held.scope == FeedScope::Public
}

/// Up to where a peer confirmed to hold the own public feed.
fn acked<'p>(node: &Node, peer: &'p Peer) -> Option<&'p Held> {
    peer.acked.iter().find(|held| is_own_public(node, held))
}

/// The deltas of the own public feed that a peer did not confirm; none where it confirmed something that this
/// database does not hold, so that the two cannot be compared.
pub(super) fn lacking(node: &Node, peer: &Peer) -> Result<Option<Vec<StoredHeader>>> {
    match acked(node, peer) {
        Some(acked) => Ok(node.store.served().headers_after(acked)?),
        None => own_deltas(node).map(Some),
    }
}

/// All deltas of the own public feed.
pub(super) fn own_deltas(node: &Node) -> Result<Vec<StoredHeader>> {
    let served = node.store.served();
    let headers = served.all_headers(&node.own_id(), FeedScope::Public)?;
    Ok(headers.unwrap_or_default())
}

/// What some deltas move.
#[derive(Default)]
pub(crate) struct Moved {
    /// Records put, each once.
    pub puts: BTreeSet<RecordId>,
    /// Those of them whose line is still live.
    pub live: BTreeSet<RecordId>,
    /// Records taken back.
    pub retracts: BTreeSet<RecordId>,
}

pub(crate) fn moved(node: &Node, headers: &[StoredHeader]) -> Result<Moved> {
    let damaged = |rule: wb_core::rule::Rule| {
        StoreError::Damaged(format!("a line of an own feed breaks {rule}"))
    };
    let mut moved = Moved::default();
    for header in headers {
        for item in node.store.served().items(header)? {
            if !Entry::starts(&item) {
                let id = Line::read(&item).map_err(damaged)?.id;
                moved.live.insert(id);
                moved.puts.insert(id);
                continue;
            }
            let entry = Entry::read(&item).map_err(damaged)?;
            match entry.op {
                Op::Put { .. } => moved.puts.insert(entry.id),
                Op::Retract { .. } => moved.retracts.insert(entry.id),
            };
        }
    }
    Ok(moved)
}

/// What the last sync that went well brought. One that moves nothing leaves no run.
fn taken(node: &Node, peer: &Peer) -> Result<Option<TakenView>> {
    let Some(last_ok) = peer.last_ok else {
        return Ok(None);
    };
    let runs = node.store.runs(1, Some(&peer.id))?;
    let run = runs.first().filter(|run| run.ended_at == Some(last_ok));
    let counts = run.map(|run| run.counts).unwrap_or_default();
    Ok(Some(TakenView {
        run: run.map(|run| run.run_no),
        new: counts.pulled_new,
        changed: counts.pulled_changed,
        gone: counts.pulled_gone,
        deltas: counts.deltas_in,
    }))
}
