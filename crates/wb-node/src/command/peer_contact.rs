//! A peer came to us, or something of it came by another road: it is there, so no wait binds any more.

use wb_core::id::InstanceId;
use wb_core::sync::PeerEvent;

use super::hub_register::{state_of, state_text};
use crate::error::Result;
use crate::node::Node;

/// Ends the wait after failures of whoever was heard of. Writes only where there is one; of whoever is no
/// peer nothing is noted.
///
/// # Errors
/// What the store reports.
pub fn contacted(node: &mut Node, id: &InstanceId) -> Result<()> {
    let now = node.now();
    let waits = |node: &Node| -> Result<_> {
        let peer = node.store.peer(id)?;
        Ok(peer.filter(|peer| {
            let state = state_of(peer, now);
            state.next_try.is_some() || state.failures > 0
        }))
    };
    if waits(node)?.is_none() {
        return Ok(());
    }
    let write = node.store.write()?;
    if let Some(mut peer) = write.peer(id)? {
        let mut state = state_of(&peer, now);
        state.on(now, PeerEvent::Contacted, 0);
        peer.state = state_text(&state);
        write.put_peer(&peer)?;
    }
    Ok(write.commit()?)
}
