//! `wb status`: what is here, what left, what would leave, and what of others is held.

use std::collections::BTreeMap;

use wb_core::scope::Kind;
use wb_core::show::Cause;
use wb_store::{GuardStanding, Standing};

use super::conflicts::conflicts;
use super::inbox::inbox_count;
use super::peers::{label, peer_state};
use crate::command::retire::{Retirement, retirement};
use crate::error::Result;
use crate::node::Node;
use crate::plan::plan;
use crate::view::{FeedView, HeldView, InstanceView, SCHEMA_VERSION, StatusView};

/// The state of this node.
///
/// # Errors
/// What the store reports.
pub fn status(node: &Node) -> Result<StatusView> {
    let plan = plan(node, node.now())?;
    let counts = node.store.record_counts()?;
    let feeds = node.store.served().feeds()?;
    let (mut records, mut instances) = (BTreeMap::new(), Vec::new());
    let peers = node.store.peers()?;
    for instance in node.store.instances()? {
        // A hub that publishes nothing is no community that waits for a decision.
        let is_peer = peers.iter().any(|peer| peer.id == instance.id);
        if is_peer && !feeds.iter().any(|feed| feed.held.origin == instance.id) {
            continue;
        }
        let mine = counts.iter().filter(|count| count.origin == instance.id);
        if instance.standing == Standing::Own {
            records = mine
                .map(|count| (count.kind.to_string(), count.records))
                .collect();
            continue;
        }
        let seen_through = peers
            .iter()
            .filter(|peer| {
                let is_itself = peer.id == instance.id;
                is_itself || peer.cursor.is_some() && peer.follows.follows(&instance.id, true)
            })
            .map(|peer| label(&peer.name, &peer.id));
        let seen_through = seen_through.collect();
        let (mut shown, mut hidden) = (BTreeMap::new(), BTreeMap::new());
        for count in mine {
            match &count.cause {
                None => *shown.entry(count.kind.to_string()).or_default() += count.records,
                Some(cause) => *hidden.entry(cause.clone()).or_default() += count.records,
            }
        }
        let feeds = feeds
            .iter()
            .filter(|feed| feed.held.origin == instance.id)
            .map(|feed| FeedView {
                scope: feed.held.scope.as_str(),
                seq: feed.held.seq,
                head: feed.held.hash.to_string(),
                live: feed.live_n,
                stubs: feed.stubs,
                forked: feed.forked,
            });
        instances.push(InstanceView {
            id: instance.id,
            name: instance.name,
            standing: instance.standing.as_str(),
            shown,
            hidden,
            feeds: feeds.collect(),
            seen_through,
        });
    }
    let newer = Some(Cause::NeedsNewerVersion.as_str());
    let newer = counts
        .iter()
        .filter(|count| count.cause.as_deref() == newer);
    let held = node.store.held_counts()?.into_iter().map(|held| HeldView {
        origin: held.origin,
        scope: held.scope,
        outcome: held.outcome,
        rule: held.rule,
        count: held.deltas,
    });
    let missing = node.store.served().missing_counts()?;
    let is_asked = |kind: &Kind| node.kinds().is_none_or(|kinds| kinds.contains(kind));
    let lines = |asked: bool| {
        let counts = missing.iter().filter(|(kind, _)| is_asked(kind) == asked);
        counts.map(|(_, records)| records).sum::<u64>()
    };
    let (closes_at, closed_at) = match retirement(node)? {
        Retirement::Open => (None, None),
        Retirement::Announced(at) => (Some(at), None),
        Retirement::Retired(at) => (None, Some(at)),
    };
    Ok(StatusView {
        closes_at,
        closed_at,
        schema_version: SCHEMA_VERSION,
        id: node.own_id(),
        name: node.name().to_owned(),
        home_dir: node.store.home().dir().display().to_string(),
        suspect: node.store.guard() == GuardStanding::Suspect,
        records,
        drafts: node.store.private().drafts()?.len() as u64,
        published: plan.tally.unchanged,
        to_publish: plan.puts.len() as u64,
        to_retract: plan.retracts.len() as u64,
        stays: plan
            .tally
            .stays
            .into_iter()
            .map(|(cause, count)| (cause.as_str(), count))
            .collect(),
        peers: peers
            .iter()
            .map(|peer| peer_state(node, peer))
            .collect::<Result<_>>()?,
        instances,
        needs_newer_version: newer.map(|count| count.records).sum(),
        not_asked_for: lines(false),
        lines_missing: lines(true),
        held: held.collect(),
        inbox: inbox_count(node)?,
        contested: conflicts(node)?.len() as u64,
    })
}
