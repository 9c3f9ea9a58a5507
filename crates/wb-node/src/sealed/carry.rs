//! Envelopes for a file that somebody carries: to each named peer all that it lacks, whatever waits for it elsewhere.
//!
//! A stick may be lost, so nothing is taken as given because it lies on one: what its reader says by a want counts, and
//! what goes by other roads goes all the same.

use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sealed::Purpose;
use wb_core::sync::{EnvelopeBody, WaitingEnvelope};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{AudienceRow, Belongs};

use super::content::{Given, lacking, snapshot};
use super::keys::{Reachable, follow_card};
use super::part;
use super::prepare::{PART, Recipients, prepare, seal};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// Refuses a peer for whom nothing could be carried: it is not in the audience, or cannot be sealed to, and nothing else
/// waits for it.
///
/// # Errors
/// Why, and what comes first.
pub(crate) fn check(node: &Node, peer: InstanceId) -> Result<()> {
    let row = node.store.in_audience(&peer)?;
    let is_owed = node.store.wants_owed()?.contains(&peer)
        || !node.store.envelopes_waiting(Some(&peer))?.is_empty();
    match row {
        Some(row) if row.belongs == Belongs::In => {
            let (reachable, _) = follow_card(node, &mut row.clone(), node.now())?;
            match reachable {
                Reachable::Yes => Ok(()),
                Reachable::NotAccepted => Err(refused(peer, "it is not accepted here any more")),
                Reachable::NoCard => Err(refused(
                    peer,
                    "its card with a sealing key is not shown here; take a bundle of it first",
                )),
                Reachable::KeyFromBeforeRecovery => Err(refused(
                    peer,
                    "it recovered its key, and its card names no other sealing key yet",
                )),
            }
        }
        // What takes everything back, or says what is held here.
        _ if is_owed => Ok(()),
        Some(row) if row.belongs == Belongs::Leaving || row.parting.is_some() => Ok(()),
        _ => Err(refused(
            peer,
            "it is not in the trusted audience; `wb peer trust` adds it",
        )),
    }
}

fn refused(peer: InstanceId, why: &str) -> NodeError {
    NodeError::Refused(format!(
        "nothing is sealed for {}: {why}; nothing was written",
        peer.short()
    ))
}

/// What is carried to one peer, after everything that is marked was published.
///
/// # Errors
/// As [`check`]; that all of the trusted feed is more than an envelope holds, or that the own feed is forked.
pub(crate) fn carry(node: &Node, peer: InstanceId, now: Timestamp) -> Result<Vec<WaitingEnvelope>> {
    check(node, peer)?;
    prepare(node, now)?;
    let mut carried = Vec::new();
    let mut parts = false;
    // What says what is held here, and what takes everything back from who was removed.
    for n in node.store.envelopes_waiting(Some(&peer))? {
        let found = node.store.envelope_waiting(n)?;
        if let Some(found) = found.filter(|found| found.purpose != Purpose::Feed.as_str()) {
            parts |= found.purpose == PART;
            carried.push(line(&found.line, found.body));
        }
    }
    let write = node.store.write_in_sight()?;
    // Read inside: whoever was removed while this waited is given nothing.
    let audience = node.store.audience()?;
    let row = audience.iter().find(|row| row.member == peer);
    if let Some(row) = row.filter(|row| row.belongs == Belongs::Parted && !parts) {
        // Somebody has that already, and it did not say that it does.
        if let Some(sealed) = part::carried(node, &node.signer()?, row, now)? {
            carried.push(line(&sealed.line, sealed.body));
        }
    }
    let Some(row) = row.filter(|row| row.belongs == Belongs::In).cloned() else {
        return Ok(carried);
    };
    let members: Vec<InstanceId> = audience
        .iter()
        .filter(|row| row.belongs == Belongs::In)
        .map(|row| row.member)
        .collect();
    let mut pieces = Vec::new();
    if let Some(head) = own_head(node)? {
        pieces = lacked(node, &head, &row)?;
    }
    let signer = node.signer()?;
    let since = row.since.max(row.rekeyed_at);
    let to = Recipients {
        audience: &members,
        ids: vec![peer],
        keys: vec![row.sealing_key.clone()],
        waits_as: Purpose::Feed.as_str(),
    };
    for piece in &pieces {
        let what = (Purpose::Feed, since, piece.as_slice());
        let sealed = seal(node, &signer, &to, what, now)?;
        carried.push(line(&sealed.line, sealed.body));
    }
    if !pieces.is_empty() {
        // Whoever is removed later has to be asked to erase it.
        write.put_audience(&AudienceRow { had: true, ..row })?;
        write.commit()?;
    }
    Ok(carried)
}

/// The head of the own trusted feed; none where nothing was sealed for anybody.
fn own_head(node: &Node) -> Result<Option<Held>> {
    let own = node.own_id();
    let is_forked = node
        .store
        .forked_feeds()?
        .iter()
        .any(|feed| (feed.origin, feed.scope) == (own, FeedScope::TrustedPeers));
    if is_forked {
        return Err(NodeError::Refused(
            "the own trusted feed is forked; nothing was sealed. `wb restore` settles that"
                .to_owned(),
        ));
    }
    Ok(node.store.served().head(&own, FeedScope::TrustedPeers)?)
}

/// All of the trusted feed, because nobody knows which earlier file its reader had; where that is more than an envelope
/// holds, what follows on the head that it confirmed.
fn lacked(node: &Node, head: &Held, row: &AudienceRow) -> Result<Vec<Vec<u8>>> {
    if row.held.as_ref() == Some(head) && !row.whole {
        return Ok(Vec::new());
    }
    let served = node.store.served();
    let since = row.since.max(row.rekeyed_at);
    let mut given = snapshot(served, head, since)?;
    if matches!(given, Given::TooLarge) && row.held.is_some() {
        given = lacking(served, head, row.held.as_ref(), since)?;
    }
    match given {
        Given::Nothing => Ok(Vec::new()),
        Given::Pieces(pieces) => Ok(pieces.into_iter().map(|piece| piece.content).collect()),
        Given::TooLarge => Err(refused(
            row.member,
            "all of the trusted feed is more than one envelope holds; sync with it once",
        )),
    }
}

/// An envelope as an object of a file.
fn line(envelope: &[u8], body: Vec<u8>) -> WaitingEnvelope {
    WaitingEnvelope {
        n: 0,
        envelope: String::from_utf8_lossy(envelope).into_owned(),
        body: EnvelopeBody(body),
    }
}
