//! `wb peer block`: a lasting refusal.
//!
//! Decided here and by hand, it beats everything anybody else says: hub lists, `HUB/*`, vouches,
//! suggestions. Nothing of the instance is shown, nothing is asked of it, its calls are refused. It stays
//! until it is lifted by name (`wb peer forget --refusal`).

use wb_core::id::InstanceId;
use wb_store::{Belongs, Peer, Standing};

use super::follow::{Target, find_peer, read_target, unfollow};
use super::peer_pause::must_be_admin;
use super::peer_trust::peer_untrust;
use super::sync::lock;
use super::vouch::take_back_refused;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::offers::forget_refused;
use crate::query::peers::label;

/// Finds whom to refuse: a peer, an instance known here, or any id.
///
/// # Errors
/// That nothing of that name is known, or more than one.
pub fn find_instance(node: &Node, text: &str) -> Result<InstanceId> {
    match find_peer(node, text) {
        Ok(peer) => return Ok(peer.id),
        Err(error @ NodeError::Ambiguous { .. }) => return Err(error),
        Err(_) => {}
    }
    // One that is refused may be known by nothing but the name it had.
    let refusals = node.store.refusals()?.into_iter();
    let mut named = refusals.filter(|refusal| refusal.name == text);
    if let (Some(one), None) = (named.next(), named.next()) {
        return Ok(one.id);
    }
    match read_target(node, text)? {
        (_, Target::Instance(id)) => Ok(id),
        (_, Target::All) => Err(NodeError::unknown("instance", text)),
    }
}

/// Whether an instance is refused here: nothing it says or asks counts.
///
/// # Errors
/// What the store reports.
pub fn is_blocked(node: &Node, id: &InstanceId) -> Result<bool> {
    Ok(node.store.standing(id)? == Some(Standing::Blocked))
}

/// Refuses to go on with a peer that is refused.
pub(crate) fn check_not_blocked(node: &Node, peer: &Peer) -> Result<()> {
    if !is_blocked(node, &peer.id)? {
        return Ok(());
    }
    let name = label(&peer.name, &peer.id);
    Err(NodeError::Refused(format!(
        "{name} is refused here; nothing was asked of it. `wb peer forget --refusal {}` lifts that",
        peer.id.short()
    )))
}

/// Refuses an instance from now on. It is followed nowhere any more, and of what it shared the words are
/// removed here, because nobody would tell when they are taken back. Returns how many records that were.
///
/// # Errors
/// That it is this instance, or that the actor may not; what the store reports.
pub fn peer_block(node: &mut Node, actor: &Actor, id: InstanceId) -> Result<u64> {
    must_be_admin(actor, "refuse an instance")?;
    if id == node.own_id() {
        return Err(NodeError::Refused(
            "this instance cannot refuse itself; nothing was changed".to_owned(),
        ));
    }
    let now = node.now();
    let name = name_of(node, &id)?;
    // Whoever is refused reads nothing that is for trusted peers only; nothing is sealed to it from here on either.
    if node
        .store
        .in_audience(&id)?
        .is_some_and(|row| matches!(row.belongs, Belongs::In | Belongs::Unsure))
    {
        peer_untrust(node, actor, id)?;
    }
    let write = node.store.write()?;
    write.block(&id, &name, now)?;
    write.commit()?;
    node.audit(now, actor, "peer block", &id, name)?;
    // Whoever refuses an instance does not vouch for it to others.
    take_back_refused(node, actor, id)?;
    // It counts by now. A sync that runs would write the list it began with again.
    let _lock = lock(node)?;
    let peers = node.store.peers()?;
    let mut emptied = 0;
    if peers.iter().any(|peer| peer.follows.follows(&id, true)) {
        emptied += unfollow(node, actor, None, &Target::Instance(id))?.emptied;
    }
    // A peer that was followed nowhere, or known from a bundle: its words are here all the same.
    let write = node.store.write()?;
    emptied += write.empty_feeds(&id)?;
    write.commit()?;
    forget_letters(node, &id)?;
    Ok(emptied)
}

/// Forgets what an instance that is refused told by letter, ends the offers of help between it and members here, and
/// empties the files of everything that went with it.
pub(super) fn forget_letters(node: &Node, id: &InstanceId) -> Result<()> {
    node.store.note_erasing()?;
    let now = node.now();
    node.store.private().together(|private| {
        private.drop_letters_of(id)?;
        forget_refused(node, private, id, now)
    })?;
    node.store.empty_logs()?;
    Ok(())
}

/// The name of an instance or peer; empty where none is known.
fn name_of(node: &Node, id: &InstanceId) -> Result<String> {
    if let Some(peer) = node.store.peer(id)?
        && !peer.name.trim().is_empty()
    {
        return Ok(peer.name);
    }
    let known = node.store.instances()?;
    let named = known.into_iter().find(|instance| instance.id == *id);
    Ok(named.and_then(|instance| instance.name).unwrap_or_default())
}
