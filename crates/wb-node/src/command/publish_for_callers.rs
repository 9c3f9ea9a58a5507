//! Sealing for nodes that call this one: nobody is called for them, so nothing else would seal what they come for.

use std::time::Duration;

use wb_core::id::InstanceId;
use wb_core::sync::Role;
use wb_store::PairState;

use super::peer_block::is_blocked;
use super::publish::{Published, publish};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::peers::label;
use crate::sync::{SyncEnd, check_own};

/// Seals what is marked, where somebody calls this node for it. What comes of it goes with their next call.
///
/// Each said with its last call what it holds of this instance; where one holds more than is here, nothing is sealed.
///
/// # Errors
/// As [`publish`]; `Peer` where one of them holds more.
pub fn publish_for_callers(
    node: &mut Node,
    actor: &Actor,
    callers: &[InstanceId],
) -> Result<Published> {
    for id in callers {
        let Some(peer) = node.store.peer(id)? else {
            continue;
        };
        match check_own(node, &peer.acked) {
            Ok(()) | Err(SyncEnd::NotFetched) => {}
            Err(SyncEnd::Local(error)) => return Err(error),
            Err(SyncEnd::Peer(cause, detail)) => {
                let name = label(&peer.name, &peer.id);
                return Err(NodeError::Peer {
                    name,
                    cause,
                    detail,
                });
            }
        }
    }
    Ok(publish(node, actor)?.1)
}

/// Nodes that call this one and are not called: both sides agreed, no address is known, and it is neither paused nor
/// refused. With `every`, those alone that are synced with by themselves; it is what holds where nothing was chosen.
///
/// # Errors
/// What the store reports.
pub fn callers(node: &Node, every: Option<Duration>) -> Result<Vec<InstanceId>> {
    let chosen = node.store.intervals()?;
    let mut callers = Vec::new();
    for peer in node.store.peers()? {
        if peer.role != Role::Node || !peer.address.is_empty() || peer.paused {
            continue;
        }
        let pair = node.store.pair(&peer.id)?;
        let is_paired = pair.is_some_and(|pair| pair.state == PairState::Paired);
        let is_due = every.is_none_or(|every| match chosen.get(&peer.id) {
            Some(minutes) => *minutes > 0,
            None => !every.is_zero(),
        });
        if is_paired && is_due && !is_blocked(node, &peer.id)? {
            callers.push(peer.id);
        }
    }
    Ok(callers)
}
