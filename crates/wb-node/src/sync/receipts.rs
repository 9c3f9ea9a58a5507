//! Receipts through a hub: giving those of the feeds that came by it, and taking those of the own feeds (spec:
//! receipts).
//!
//! A hub is believed nothing here: each receipt is verified under the newest key known of its follower, and the
//! identity logs that come along count only where they go on from what is known.

use wb_core::hash;
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::{IdentityLog, Merge};
use wb_core::limits::NUMBER_MAX;
use wb_core::receipt::{RECEIPT_EVERY_MS, RECEIPTS_PAGE_MAX, Receipt, Stand};
use wb_core::sync::{Cause, ReceiptRow, Receipts};
use wb_core::time::Timestamp;
use wb_net::HubClient;
use wb_store::{GuardStanding, ReceiptGiven, ReceiptHeld, ReceiptsRead, Write};

use super::{SyncEnd, bad_answer};
use crate::error::Result;
use crate::node::Node;

/// Characters kept of the name that a hub gives a follower; protects whoever shows it.
const NAME_CHARS_MAX: usize = 80;
/// How far above the own count a hub may say that it is; so that no hub uses the numbers up, which would end what is said
/// at every other one.
const STALE_JUMP_MAX: u64 = 1 << 32;
/// Pages read in one sync; ends what a hub would go on with for ever.
const PAGES_MAX: usize = 100;

/// Gives and takes receipts at a hub; `newest` is the number of the newest that it holds for us, as it said. A hub
/// that said none takes none either.
///
/// # Errors
/// Why there is no answer, and what is wrong here.
pub async fn exchange_receipts(
    node: &Node,
    hub: &mut HubClient,
    peer: InstanceId,
    newest: Option<u64>,
) -> std::result::Result<(), SyncEnd> {
    let Some(newest) = newest else {
        return Ok(());
    };
    if give(node, hub, peer).await? {
        take(node, hub, peer, newest).await?;
    }
    Ok(())
}

/// What is to be said of a feed.
struct Due {
    stand: Stand,
    n: u64,
    said: Hash,
}

/// Gives what is not said there yet; false where the hub does not know of receipts.
async fn give(
    node: &Node,
    hub: &mut HubClient,
    peer: InstanceId,
) -> std::result::Result<bool, SyncEnd> {
    // An older copy holds what was erased since, and must not say what the newest does. A key that waits for its
    // passphrase signs nothing.
    if node.store.guard() == GuardStanding::Suspect || node.store.hides_others()? {
        return Ok(true);
    }
    let now = node.now();
    let mut due = due(node, peer, now)?;
    if due.is_empty() {
        return Ok(true);
    }
    // What was dropped has to be gone before that is said. Where somebody reads meanwhile it is said with the next sync.
    if !node.store.checkpoint()? {
        return Ok(true);
    }
    let signer = node.signer()?;
    // The second round is for what a restored copy counted too low.
    for _ in 0..2 {
        let mut again = Vec::new();
        for chunk in due.chunks(RECEIPTS_PAGE_MAX) {
            let lines = chunk.iter().map(|due| {
                let line = Receipt::new(node.identity(), &due.stand, due.n, now).sign(&signer);
                String::from_utf8(line).expect("a signed line is JSON")
            });
            let taken = match hub.give_receipts(lines.collect()).await {
                Ok(taken) => taken,
                Err(error) if error.refusal() == Some(Cause::NotFound) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let write = node.store.write_in_sight()?;
            for due in chunk {
                let head = &due.stand.head;
                let stale = taken.stale.iter();
                let stale = stale
                    .filter(|stale| (stale.origin, stale.scope) == (head.origin, head.scope))
                    .map(|stale| stale.n)
                    .find(|n| (due.n..due.n.saturating_add(STALE_JUMP_MAX)).contains(n));
                match stale {
                    Some(held) => again.push(Due {
                        stand: due.stand.clone(),
                        n: held + 1,
                        said: due.said,
                    }),
                    None => note_given(&write, &peer, due, now)?,
                }
            }
            write.commit()?;
        }
        if again.is_empty() {
            break;
        }
        due = again;
    }
    Ok(true)
}

fn note_given(write: &Write<'_>, peer: &InstanceId, due: &Due, now: Timestamp) -> Result<()> {
    let given = ReceiptGiven {
        said: due.said,
        at: now,
    };
    Ok(write.note_receipt_given(peer, &due.stand.head, due.n, &given)?)
}

/// Feeds of which this peer was told something else, or nothing for a day.
fn due(node: &Node, peer: InstanceId, now: Timestamp) -> Result<Vec<Due>> {
    let mut due = Vec::new();
    for stand in node.store.stands(&peer)? {
        let head = &stand.head;
        let said = said(node.identity(), &stand);
        let given = node.store.receipt_given(&peer, head)?;
        let is_fresh = |at: Timestamp| {
            let age = now.unix_ms() - at.unix_ms();
            (0..RECEIPT_EVERY_MS).contains(&age)
        };
        if given.is_some_and(|given| given.said == said && is_fresh(given.at)) {
            continue;
        }
        // One count for all hubs: an origin compares what came by each of them.
        let n = node.store.receipts_counted(&head.origin, head.scope)? + 1;
        if n > NUMBER_MAX - STALE_JUMP_MAX {
            // Where the numbers are used up nothing is said of this feed, so that the rest of the body is read.
            continue;
        }
        due.push(Due { n, said, stand });
    }
    Ok(due)
}

/// Names what is said, under which key.
fn said(identity: &IdentityLog, stand: &Stand) -> Hash {
    let (head, key) = (stand.head.to_query(), identity.newest().hash);
    let stubs: Vec<&str> = stand
        .stubs
        .iter()
        .map(wb_core::scope::Kind::as_str)
        .collect();
    let text = format!("{head} {:?} {} {key}", stand.erased_to, stubs.join(","));
    hash::sha256(text.as_bytes())
}

/// Takes what followers said of the own feeds since it was asked last, once a day from the beginning.
async fn take(
    node: &Node,
    hub: &mut HubClient,
    peer: InstanceId,
    newest: u64,
) -> std::result::Result<(), SyncEnd> {
    let now = node.now();
    let read = node.store.receipts_read(&peer)?;
    let is_fresh = read.is_some_and(|read| {
        let age = now.unix_ms() - read.whole_at.unix_ms();
        // A hub that is an older copy numbers anew.
        (0..RECEIPT_EVERY_MS).contains(&age) && read.after <= newest
    });
    let (mut after, whole_at) = match read.filter(|_| is_fresh) {
        Some(read) if read.after == newest => return Ok(()),
        Some(read) => (read.after, read.whole_at),
        None => (0, now),
    };
    for _ in 0..PAGES_MAX {
        let page = match hub.receipts(after).await {
            Ok(page) => page,
            Err(error) if error.refusal() == Some(Cause::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if page.next < after {
            return Err(bad_answer("a page of receipts that goes back"));
        }
        keep(node, peer, &page, whole_at, now)?;
        if page.next == after || page.next >= page.last {
            break;
        }
        after = page.next;
    }
    Ok(())
}

fn keep(
    node: &Node,
    hub: InstanceId,
    page: &Receipts,
    whole_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let mut verified = Vec::new();
    for row in &page.receipts {
        // One that is no good costs itself.
        verified.extend(verify(node, hub, row, now)?);
    }
    let write = node.store.write_in_sight()?;
    for receipt in &verified {
        write.put_receipt(receipt)?;
    }
    write.note_receipts_read(
        &hub,
        &ReceiptsRead {
            after: page.next,
            followers: page.followers,
            whole_at,
        },
    )?;
    Ok(write.commit()?)
}

fn verify(
    node: &Node,
    hub: InstanceId,
    row: &ReceiptRow,
    now: Timestamp,
) -> Result<Option<ReceiptHeld>> {
    let Ok(offered) = IdentityLog::verify(None, &row.identity) else {
        return Ok(None);
    };
    let Some(newest) = newest_log(node, offered)? else {
        return Ok(None);
    };
    let Ok(receipt) = Receipt::verify(row.receipt.as_bytes(), &newest) else {
        return Ok(None);
    };
    if receipt.origin != node.own_id() {
        return Ok(None);
    }
    let lines: Vec<&[u8]> = newest
        .entries()
        .iter()
        .map(|entry| &entry.line[..])
        .collect();
    Ok(Some(ReceiptHeld {
        scope: receipt.scope,
        follower: receipt.follower,
        position: receipt.position(),
        n: receipt.n,
        line: row.receipt.clone().into_bytes(),
        identity: lines.join(&b'\n'),
        name: row.name.chars().take(NAME_CHARS_MAX).collect(),
        hub,
        at: now,
    }))
}

/// The longer of a log that came and the one known of that instance; nothing where they contradict.
pub(crate) fn newest_log(node: &Node, offered: IdentityLog) -> Result<Option<IdentityLog>> {
    let Some(known) = node.store.identity_log(&offered.id())? else {
        return Ok(Some(offered));
    };
    let (merge, log) = known.offer(&offered);
    Ok(match merge {
        Merge::Known | Merge::Extend | Merge::Replace | Merge::Stale => Some(log),
        Merge::TwoRotates | Merge::TwoRecovers => None,
    })
}
