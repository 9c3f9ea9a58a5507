//! Taking back the own history: from a hub, or from a stream of sections that a direct peer or a bundle brings.
//!
//! The own feed is verified by the same rules as any other. The longest valid chain wins; of a branch that
//! contradicts it the records are kept, so that they can be published again.

use std::collections::BTreeSet;

use wb_core::entry::Entry;
use wb_core::line::Line;
use wb_core::ndjson::lines;
use wb_core::scope::FeedScope;
use wb_core::sync::Cause;
use wb_core::want::Held;
use wb_net::HubClient;

use super::apply::{Applied, Applier, Taking, Tally};
use super::fetch::{Fetch, fetch};
use super::source::Source;
use super::{SyncEnd, bad_answer};
use crate::node::Node;

/// What came back of the own feed from one place.
#[derive(Debug, Clone, Default)]
pub struct OwnBack {
    /// Whether anything came that was not here.
    pub came: bool,
    /// Lines live on a branch that contradicts what is held: another copy published them.
    pub branch: Vec<Vec<u8>>,
}

/// Takes sections of the own feed, as they come from a direct peer or anywhere else. Those of other instances
/// may be among them and are taken as always.
///
/// # Errors
/// What is wrong with the bytes or with the store; nothing of them counts then.
pub fn take_own_back<'l>(
    node: &Node,
    sections: impl Iterator<Item = &'l [u8]>,
    run_no: Option<i64>,
) -> Result<OwnBack, SyncEnd> {
    let approved = BTreeSet::new();
    let write = node.store.write_in_sight()?;
    let taking = Taking {
        own: node.own_id(),
        now: node.now(),
        run_no,
        takes_own: true,
        approved: &approved,
    };
    let mut applier = Applier::new(&write, &taking);
    let mut records = Vec::new();
    for line in sections {
        applier.push(line)?;
        if is_record(line, node) {
            records.push(line.to_vec());
        }
    }
    let applied = applier.finish(&mut Tally::default())?;
    let back = back(node, &applied, records);
    write.commit()?;
    Ok(back)
}

fn is_record(line: &[u8], node: &Node) -> bool {
    let may_be = !Entry::starts(line) && !line.starts_with(b"{\"section\":");
    may_be && Line::read(line).is_ok_and(|line| line.origin == node.own_id())
}

fn back(node: &Node, applied: &Applied, records: Vec<Vec<u8>>) -> OwnBack {
    let is_beside = applied.is_beside((node.own_id(), FeedScope::Public));
    OwnBack {
        came: applied.own_came_back || is_beside,
        branch: if is_beside { records } else { Vec::new() },
    }
}

/// Takes back what a hub holds of the own public feed, where it holds what is not here. Returns also that head.
///
/// # Errors
/// Why it ended early; what was taken until then counts.
pub async fn take_back(
    node: &Node,
    hub: &mut HubClient,
) -> Result<(OwnBack, Option<Held>), SyncEnd> {
    let (own, scope) = (node.own_id(), FeedScope::Public);
    let mut back = OwnBack::default();
    let heads = hub.heads(None).await?.own;
    let theirs = heads
        .into_iter()
        .find(|head| (head.origin, head.scope) == (own, scope));
    let Some(theirs) = theirs else {
        return Ok((back, None));
    };
    while !node.store.served().has_passed(&theirs)? {
        let held = node.store.served().head(&own, scope)?;
        let body = match hub.own(scope, held.as_ref()).await {
            Ok(body) => body,
            Err(error) => match error.refusal() {
                // Nothing leads from here to there but all of it; or a program before this call.
                Some(Cause::HeadGone | Cause::NotFound) => {
                    take_whole(node, hub, &mut back).await?;
                    break;
                }
                _ => return Err(error.into()),
            },
        };
        let taken = take_own_back(node, lines(&body), None)?;
        back.came |= taken.came;
        back.branch.extend(taken.branch);
        if node.store.served().head(&own, scope)? == held {
            // What came did not lead on.
            take_whole(node, hub, &mut back).await?;
            break;
        }
    }
    Ok((back, Some(theirs)))
}

/// Takes the own feed as a snapshot.
async fn take_whole(node: &Node, hub: &mut HubClient, back: &mut OwnBack) -> Result<(), SyncEnd> {
    let feed = (node.own_id(), FeedScope::Public);
    let fetched = fetch(&mut Source::Hub(hub), node, feed, None, |_| {}).await;
    let spool = match fetched {
        Ok(spool) => spool,
        Err(Fetch::NotFound) => return Ok(()),
        Err(Fetch::Gone) => return Err(bad_answer("the own feed moved while it was read")),
        Err(Fetch::End(end)) => return Err(end),
    };
    let mut gathered: Vec<Vec<u8>> = Vec::new();
    spool.each(|line| -> Result<(), SyncEnd> {
        gathered.push(line.to_vec());
        Ok(())
    })?;
    let taken = take_own_back(node, gathered.iter().map(Vec::as_slice), None)?;
    back.came |= taken.came;
    back.branch.extend(taken.branch);
    Ok(())
}
