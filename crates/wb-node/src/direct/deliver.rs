//! Taking a delivery: a bundle of the sender's own feed, in one transaction.

use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sync::{Pushed, PushedFeed};
use wb_store::{Difference, Road, RunCounts, RunEnd, RunStart, StoreError};

use super::exchange::{check_peer, contacted};
use super::quota::Quota;
use super::refusal::{self, Refusal};
use super::take::{Taker, Taking, Took};
use crate::command::sync::erase_kept;
use crate::levels;
use crate::node::Node;
use crate::sealed::keys::note_keys;

/// How much a delivery came as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Came {
    /// Bytes as they travelled.
    pub bytes: u64,
}

/// Takes a delivery.
///
/// # Errors
/// The refusal; nothing of it counts then.
pub(crate) fn take<'l>(
    node: &mut Node,
    from: InstanceId,
    lines: impl Iterator<Item = &'l [u8]>,
    came: Came,
) -> std::result::Result<Pushed, Refusal> {
    let local = |error: StoreError| refusal::of_node(&error.into());
    let now = node.now();
    let own = node.own_id();
    let write = node.store.write_in_sight().map_err(local)?;
    // Looked up where nobody else writes: it may have been blocked or forgotten since its request was checked.
    check_peer(node, from)?;
    let peer = node.store.peer(&from).map_err(local)?;
    let quota = Quota::begin(&write, from).map_err(local)?;
    write.remember_shown().map_err(local)?;
    let run_no = write
        .start_run(&RunStart {
            peer: Some(from),
            road: Road::Direct,
            detail: peer.as_ref().map_or("", |peer| peer.address.as_str()),
            at: now,
        })
        .map_err(local)?;
    let mut taker = Taker::new(
        &write,
        Taking {
            own,
            from,
            may_be_own: false,
            takes_own: false,
            run_no: Some(run_no),
            now,
        },
    );
    for line in lines {
        taker.push(line).map_err(local)?;
    }
    let took = taker.finish().map_err(|why| refusal::of_delivery(&why))?;
    if let Some(over) = quota.check(&write).map_err(local)? {
        return Err(refusal::over_quota(over.counted, over.limit, over.used));
    }
    let changed = write.changed_since().map_err(local)?;
    let (mut counts, mut erases, mut takes_back) = (RunCounts::default(), false, false);
    for change in &changed {
        match change.difference {
            Difference::New => counts.pulled_new += 1,
            Difference::Changed => counts.pulled_changed += 1,
            Difference::Gone => counts.pulled_gone += 1,
        }
        erases |= change.difference != Difference::New;
        takes_back |= change.difference == Difference::Gone;
    }
    counts.deltas_in = took.deltas;
    counts.bytes_received = came.bytes;
    if changed.is_empty() && took.is_known() {
        write.drop_run(run_no).map_err(local)?;
    } else {
        let end = RunEnd {
            at: now,
            outcome: "done",
            cause: None,
            counts,
        };
        write.end_run(run_no, &end).map_err(local)?;
    }
    if let Some(mut peer) = peer {
        contacted(&mut peer, now);
        write.put_peer(&peer).map_err(local)?;
    }
    write.commit().map_err(local)?;
    // Lines that were taken back must not stay behind in the log file.
    if takes_back {
        node.store.forget_erased().map_err(local)?;
    } else if erases {
        node.store.checkpoint().map_err(local)?;
    }
    erase_kept(node).map_err(|error| refusal::of_node(&error))?;
    note_keys(node).map_err(|error| refusal::of_node(&error))?;
    levels::settle(node).map_err(|error| refusal::of_node(&error))?;
    let own_heads = node.store.served().head(&from, FeedScope::Public);
    Ok(Pushed {
        schema_version: 1,
        feeds: outcomes(&took),
        own: own_heads.map_err(local)?.into_iter().collect(),
    })
}

fn outcomes(took: &Took) -> Vec<PushedFeed> {
    let feeds = took.feeds.iter();
    feeds
        .map(|feed| PushedFeed {
            scope: feed.scope,
            outcome: feed.outcome.to_owned(),
            rule: feed.rule.map(|rule| rule.as_str().to_owned()),
        })
        .collect()
}
