//! `wb peer block`: a lasting refusal.
//!
//! Decided here and by hand, it beats everything anybody else says: hub lists, `HUB/*`, vouches,
//! suggestions. Nothing of the instance is shown, nothing is asked of it, its calls are refused. It stays
//! until it is lifted by name (`wb peer forget --refusal`).

use wb_core::id::InstanceId;
use wb_store::{Peer, Standing};

use super::follow::{Target, find_peer, read_target, unfollow};
use super::peer_pause::must_be_admin;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::peers::label;

/// Finds whom to refuse: a peer, an instance known here, or any id.
///
/// # Errors
/// That nothing of that name is known, or more than one.
pub fn find_instance(node: &Node, text: &str) -> Result<InstanceId> {
    match find_peer(node, text) {
        Ok(peer) => Ok(peer.id),
        Err(error @ NodeError::Ambiguous { .. }) => Err(error),
        Err(_) => match read_target(node, text)? {
            (_, Target::Instance(id)) => Ok(id),
            (_, Target::All) => Err(NodeError::unknown("instance", text)),
        },
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
    let write = node.store.write()?;
    write.block(&id, now)?;
    write.commit()?;
    let follows = node.store.peers()?.into_iter();
    let is_followed = follows
        .filter(|peer| peer.follows.follows(&id, true))
        .count()
        > 0;
    let emptied = if is_followed {
        unfollow(node, actor, None, &Target::Instance(id))?.emptied
    } else {
        0
    };
    node.audit(now, actor, "peer block", &id, "")?;
    Ok(emptied)
}
