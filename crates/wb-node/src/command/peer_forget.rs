//! `wb peer forget`: a peer is one no longer, or a refusal is lifted.
//!
//! Two acts with one verb, and never both at once: whoever forgets a peer that is refused keeps refusing
//! it, so that it does not come back through somebody else.

use wb_core::id::InstanceId;
use wb_core::sync::Role;
use wb_store::{Peer, Standing};

use super::peer_pause::must_be_admin;
use super::sync::lock;
use crate::error::{NodeError, Result};
use crate::levels;
use crate::node::{Actor, Node};

/// What stays when a peer is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The peer, as it was.
    pub peer: Peer,
    /// Records of others that are held here whichever way they came.
    pub records: u64,
    /// Communities that were followed at this peer alone: nobody tells any more what they take back.
    pub unheard: Vec<(InstanceId, String)>,
    /// Whether a registration there stays as it is.
    pub registered: bool,
    /// Whether it is refused, and stays so.
    pub blocked: bool,
}

/// What would stay if a peer was forgotten.
///
/// # Errors
/// What the store reports.
pub fn what_stays(node: &Node, peer: &Peer) -> Result<Forgotten> {
    let others = node.store.peers()?;
    let feeds = node.store.served().feeds()?;
    let (mut unheard, mut records) = (Vec::new(), 0);
    for instance in node.store.instances()? {
        if instance.standing == Standing::Own {
            continue;
        }
        let own = feeds.iter().filter(|feed| feed.held.origin == instance.id);
        let live: u64 = own.map(|feed| feed.live_n).sum();
        records += live;
        let tells =
            |other: &&Peer| other.id == instance.id || other.follows.follows(&instance.id, true);
        let mut heard = others.iter().filter(|other| other.id != peer.id);
        if live > 0 && tells(&peer) && !heard.any(|other| tells(&other)) {
            unheard.push((instance.id, instance.label()));
        }
    }
    Ok(Forgotten {
        records,
        unheard,
        registered: peer.role == Role::Hub && peer.registered.is_some(),
        blocked: super::peer_block::is_blocked(node, &peer.id)?,
        peer: peer.clone(),
    })
}

/// Forgets a peer: its address, and everything kept about syncing with it. Records stay.
///
/// # Errors
/// That it is not there, or that the actor may not; what the store reports.
pub fn peer_forget(node: &mut Node, actor: &Actor, peer: &Peer) -> Result<Forgotten> {
    must_be_admin(actor, "forget a peer")?;
    let stays = what_stays(node, peer)?;
    // A sync that runs would write the peer again.
    let _lock = lock(node)?;
    let write = node.store.write()?;
    if !write.remove_peer(&peer.id)? {
        return Err(NodeError::unknown("hub or peer", peer.id.short()));
    }
    write.forget_syncing(&peer.id)?;
    write.commit()?;
    node.audit(
        node.now(),
        actor,
        "peer forget",
        &peer.id,
        peer.name.clone(),
    )?;
    Ok(stays)
}

/// Lifts a refusal: the instance waits for a decision like any that is new.
///
/// # Errors
/// That it is not refused, or that the actor may not; what the store reports.
pub fn refusal_forget(node: &mut Node, actor: &Actor, id: &InstanceId) -> Result<()> {
    must_be_admin(actor, "lift a refusal")?;
    if !super::peer_block::is_blocked(node, id)? {
        return Err(NodeError::Refused(format!(
            "{} is not refused here; nothing was changed",
            id.short()
        )));
    }
    let write = node.store.write()?;
    write.unblock(id)?;
    write.commit()?;
    // What others vouch for it counts again.
    levels::settle(node)?;
    node.audit(node.now(), actor, "peer forget", id, "refusal")
}
