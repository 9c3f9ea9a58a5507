//! `wb peer retry`: the wait after failures is over, because a person says so.

use wb_core::sync::PeerEvent;
use wb_store::Peer;

use super::hub_register::{state_of, state_text};
use super::peer_block::check_not_blocked;
use super::peer_pause::must_be_admin;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Ends the wait; what syncs by itself tries at its next look, and the caller may try at once.
///
/// # Errors
/// That the actor may not, that the peer is refused; what the store reports.
pub fn peer_retry(node: &mut Node, actor: &Actor, peer: &Peer) -> Result<Peer> {
    must_be_admin(actor, "try a peer again")?;
    check_not_blocked(node, peer)?;
    let now = node.now();
    let write = node.store.write()?;
    let Some(mut peer) = write.peer(&peer.id)? else {
        return Err(NodeError::unknown("hub or peer", peer.id.short()));
    };
    let mut state = state_of(&peer, now);
    state.on(now, PeerEvent::Contacted, 0);
    peer.state = state_text(&state);
    write.put_peer(&peer)?;
    write.commit()?;
    node.audit(now, actor, "peer retry", &peer.id, peer.name.clone())?;
    Ok(peer)
}
