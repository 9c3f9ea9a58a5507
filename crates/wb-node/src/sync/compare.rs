//! Comparing what a hub says of a feed with what its origin signed and came by another road.
//!
//! Nothing of it decides what is taken: the longest chain counts, whoever carried it. It says who is
//! behind, with the two signatures that prove it, so that a person can ask.

use std::collections::BTreeMap;

use wb_core::entry::Entry;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::line::Line;
use wb_core::ndjson;
use wb_core::scope::FeedScope;
use wb_core::sync::{PageSection, Proof, PutProof, SignedExchange, is_behind};
use wb_core::want::Held;
use wb_net::HubClient;
use wb_net::signed::CallError;
use wb_store::{Doubt, DoubtKind, Peer, Road, Seen, Standing};

use super::SyncEnd;
use crate::heeding::Heeding;
use crate::node::Node;

/// Questions in one sync; protects a hub from one for each of thousands of feeds.
const QUESTIONS_MAX: usize = 8;
/// Bytes of an answer that is kept as a proof; protects the disk together with the number of doubts kept.
const PROOF_BYTES_MAX: usize = 262_144;
/// What is in doubt is looked at again no sooner than so many milliseconds later.
const LOOK_AGAIN_MS: i64 = 600_000;

type Feed = (InstanceId, FeedScope);

/// Looks for feeds of which more is held here than a hub was seen to have, and asks it for their heads.
///
/// # Errors
/// Why it has no answer.
pub(super) async fn compare(node: &Node, hub: &mut HubClient, peer: &Peer) -> Result<(), SyncEnd> {
    let now = node.now();
    let doubts = node.store.doubts()?.into_iter();
    let doubts: BTreeMap<Feed, Doubt> = doubts
        .filter(|doubt| doubt.peer == peer.id && doubt.kind == DoubtKind::Stale)
        .map(|doubt| ((doubt.origin, doubt.scope), doubt))
        .collect();
    let mut behind = behind(node, peer)?;
    // What is over without a question: this hub was seen to have it.
    for (feed, doubt) in &doubts {
        if !behind.contains_key(feed) {
            settle(node, doubt)?;
        }
    }
    behind.retain(|feed, _| {
        let looked = doubts.get(feed).map(|doubt| doubt.at.unix_ms());
        looked.is_none_or(|at| now.unix_ms().saturating_sub(at).abs() >= LOOK_AGAIN_MS)
    });
    lines(node, hub, peer).await?;
    for _ in 0..QUESTIONS_MAX {
        let Some((first, _)) = behind.first_key_value() else {
            return Ok(());
        };
        let (heads, kept) = hub.heads_kept(before(first.0)).await?;
        let last = heads.next;
        let named: BTreeMap<Feed, Held> = heads
            .feeds
            .into_iter()
            .map(|feed| ((feed.head.origin, feed.head.scope), feed.head))
            .collect();
        let asked: Vec<Feed> = behind
            .keys()
            .copied()
            .filter(|(origin, _)| last.is_none_or(|last| *origin <= last))
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
        for feed in asked {
            let Some(ours) = behind.remove(&feed) else {
                continue;
            };
            let known = doubts.get(&feed);
            note(node, peer, &ours, named.get(&feed), known, kept.as_deref())?;
        }
    }
    Ok(())
}

/// Asks for one of the lines that are missing of each feed of which a hub has the same head, and had no lines
/// when it was asked for them: its answer then is signed.
async fn lines(node: &Node, hub: &mut HubClient, peer: &Peer) -> Result<(), SyncEnd> {
    let doubts = node.store.doubts()?.into_iter();
    let known: BTreeMap<Feed, Doubt> = doubts
        .filter(|doubt| doubt.peer == peer.id && doubt.kind == DoubtKind::Withheld)
        .map(|doubt| ((doubt.origin, doubt.scope), doubt))
        .collect();
    let withheld = withheld(node, peer)?;
    for (feed, doubt) in &known {
        if !withheld.contains_key(feed) {
            settle(node, doubt)?;
        }
    }
    let heeding = Heeding::of(node)?;
    for (feed, head) in withheld.into_iter().take(QUESTIONS_MAX) {
        let noted = known.get(&feed);
        // It is said of this head already; the feed has to move first.
        if noted.is_some_and(|doubt| (doubt.log, doubt.seq) == (head.log, head.seq)) {
            continue;
        }
        let missing = node.store.missing_records(&feed.0, feed.1)?.into_iter();
        let mut missing = missing.filter(|(kind, id, line)| {
            let key = RecordRef {
                origin: feed.0,
                id: *id,
            };
            node.asks_for(kind) && !heeding.leaves_out(&peer.id, &key, line)
        });
        let Some((_, id, _)) = missing.next() else {
            continue;
        };
        let kept = match hub.line_kept(feed.0, feed.1, id).await {
            Ok((body, kept)) => match what_came(node, &body, &head)? {
                Came::Nothing => kept,
                Came::TheLine | Came::AnotherHead => continue,
            },
            Err(CallError::Net(error)) => return Err(CallError::Net(error).into()),
            // Refused, or a hub of an earlier version, which signs no such answer: then there is nothing to show.
            Err(_) => None,
        };
        let now = node.now();
        let put = put_proof(node, &head, &id)?;
        let doubt = Doubt {
            peer: peer.id,
            origin: head.origin,
            scope: head.scope,
            kind: DoubtKind::Withheld,
            log: head.log,
            seq: head.seq,
            since: noted.map_or(now, |doubt| doubt.since),
            at: now,
            proof: proof(node, peer, &head, kept.as_deref(), put)?,
        };
        let write = node.store.write_in_sight()?;
        write.put_doubt(&doubt)?;
        write.commit()?;
    }
    Ok(())
}

/// What came of asking for one line.
enum Came {
    /// The line, which is taken.
    TheLine,
    /// A page of the same head without it.
    Nothing,
    /// The feed moved meanwhile, or the answer is of no such form.
    AnotherHead,
}

fn what_came(node: &Node, body: &[u8], head: &Held) -> Result<Came, SyncEnd> {
    let mut lines = ndjson::lines(body);
    let first = lines.next().unwrap_or_default();
    if let Ok(page) = PageSection::read(first) {
        let is_same = page.head == head.hash && lines.next().is_none();
        return Ok(if is_same {
            Came::Nothing
        } else {
            Came::AnotherHead
        });
    }
    let write = node.store.write_in_sight()?;
    let filled = write.ingest(node.now()).fill(first)?;
    write.commit()?;
    Ok(match filled {
        Ok(true) => Came::TheLine,
        _ => Came::AnotherHead,
    })
}

/// Feeds with missing lines that a hub was asked for at the head it has in common with this node.
fn withheld(node: &Node, peer: &Peer) -> Result<BTreeMap<Feed, Held>, SyncEnd> {
    let mut withheld = BTreeMap::new();
    let missing = node.store.served().missing_lines()?;
    if missing.is_empty() {
        return Ok(withheld);
    }
    let heeding = Heeding::of(node)?;
    for (origin, scope, mut kinds) in missing {
        kinds.retain(|kind| node.asks_for(kind));
        // What a hub says that it leaves out is no doubt.
        heeding.asked_for(node, &peer.id, (origin, scope), &mut kinds)?;
        let is_followed = peer.follows.follows(&origin, true) && !kinds.is_empty();
        let head = node.store.served().head(&origin, scope)?;
        let Some(head) = head.filter(|_| is_followed) else {
            continue;
        };
        let asked = (peer.id, origin, scope);
        if node.store.was_unfilled(&asked, &head.hash, &kinds)? {
            withheld.insert((origin, scope), head);
        }
    }
    Ok(withheld)
}

/// The delta that put a line, where it came as a delta.
fn put_proof(node: &Node, head: &Held, id: &RecordId) -> Result<Option<PutProof>, SyncEnd> {
    let Some(header) = node.store.header_of_live(head, id)? else {
        return Ok(None);
    };
    let mut entries = Vec::new();
    for item in node.store.served().items(&header)? {
        let entry = if Entry::starts(&item) {
            item
        } else {
            let Ok(line) = Line::read(&item) else {
                return Ok(None);
            };
            Entry::of_line(&line).to_bytes()
        };
        entries.push(String::from_utf8_lossy(&entry).into_owned());
    }
    let is_whole = entries.len() as u64 == header.entries;
    let small: usize = entries.iter().map(String::len).sum();
    Ok((is_whole && small <= PROOF_BYTES_MAX).then(|| PutProof {
        header: String::from_utf8_lossy(&header.line).into_owned(),
        entries,
    }))
}

/// The id just below another: what is asked for after it begins with that one.
fn before(id: InstanceId) -> Option<InstanceId> {
    let mut bytes = id.0;
    for byte in bytes.iter_mut().rev() {
        let (less, borrows) = byte.overflowing_sub(1);
        *byte = less;
        if !borrows {
            return Some(InstanceId(bytes));
        }
    }
    None
}

/// Feeds followed at a hub of which it was seen to have less than is held here.
fn behind(node: &Node, peer: &Peer) -> Result<BTreeMap<Feed, Held>, SyncEnd> {
    let seen = node.store.seen_with(&peer.id)?.into_iter();
    let seen: BTreeMap<Feed, Held> = seen
        .filter(|seen| seen.road == Road::Hub.as_str())
        .map(|seen| ((seen.held.origin, seen.held.scope), seen.held))
        .collect();
    let mut behind = BTreeMap::new();
    for feed in node.store.served().feeds()? {
        let key = (feed.held.origin, feed.held.scope);
        let standing = node.store.standing(&key.0)?;
        let is_followed = peer.follows.follows(&key.0, true)
            && !matches!(standing, None | Some(Standing::Own | Standing::Blocked));
        let theirs = seen.get(&key).filter(|_| is_followed && !feed.forked);
        if theirs.is_some_and(|theirs| is_behind(theirs, &feed.held)) {
            behind.insert(key, feed.held);
        }
    }
    Ok(behind)
}

fn settle(node: &Node, doubt: &Doubt) -> Result<(), SyncEnd> {
    let write = node.store.write_in_sight()?;
    write.drop_doubt(&doubt.peer, &doubt.origin, doubt.scope, doubt.kind)?;
    Ok(write.commit()?)
}

/// Notes what a hub named as the head of a feed, and whether that leaves it in doubt.
fn note(
    node: &Node,
    peer: &Peer,
    ours: &Held,
    named: Option<&Held>,
    known: Option<&Doubt>,
    kept: Option<&SignedExchange>,
) -> Result<(), SyncEnd> {
    let now = node.now();
    let is_named = named.is_some();
    let named = named.filter(|named| is_behind(named, ours));
    let Some(named) = named else {
        // It has it by now, or it does not hand that feed on any more, which it may.
        let write = node.store.write_in_sight()?;
        let seen = Seen {
            peer: Some(peer.id),
            road: Road::Hub.as_str(),
            detail: &peer.address,
            at: now,
        };
        // Only what a hub names it has.
        if is_named {
            write.note_head(&seen, ours)?;
        }
        write.drop_doubt(&peer.id, &ours.origin, ours.scope, DoubtKind::Stale)?;
        return Ok(write.commit()?);
    };
    // What was missing when it was first noticed may have come, and something newer be missing now.
    let still = known.filter(|doubt| {
        let noticed = Held {
            log: doubt.log,
            seq: doubt.seq,
            ..named.clone()
        };
        named.log != doubt.log || is_behind(named, &noticed)
    });
    let doubt = Doubt {
        peer: peer.id,
        origin: ours.origin,
        scope: ours.scope,
        kind: DoubtKind::Stale,
        log: still.map_or(ours.log, |doubt| doubt.log),
        seq: still.map_or(ours.seq, |doubt| doubt.seq),
        since: still.map_or(now, |doubt| doubt.since),
        at: now,
        proof: proof(node, peer, ours, kept, None)?,
    };
    let write = node.store.write_in_sight()?;
    write.put_doubt(&doubt)?;
    Ok(write.commit()?)
}

/// What proves it, as JSON; none where the answer was too large to keep.
fn proof(
    node: &Node,
    peer: &Peer,
    ours: &Held,
    kept: Option<&SignedExchange>,
    put: Option<PutProof>,
) -> Result<Option<String>, SyncEnd> {
    let kept = kept.filter(|kept| kept.answered.body.len() <= PROOF_BYTES_MAX);
    let header = node.store.served().signed_head(ours)?;
    let log = |id: &InstanceId| -> Result<Option<Vec<String>>, SyncEnd> {
        let log = node.store.identity_log(id)?;
        Ok(log.map(|log| {
            let lines = log.entries().iter();
            lines
                .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
                .collect()
        }))
    };
    let parts = (
        kept,
        header,
        log(&node.own_id())?,
        log(&peer.id)?,
        log(&ours.origin)?,
    );
    let (Some(exchange), Some(header), Some(asker), Some(answerer), Some(origin)) = parts else {
        return Ok(None);
    };
    let proof = Proof {
        schema_version: 1,
        exchange: exchange.clone(),
        asker,
        answerer,
        origin,
        header: String::from_utf8_lossy(&header).into_owned(),
        put,
    };
    Ok(serde_json::to_string(&proof).ok())
}
