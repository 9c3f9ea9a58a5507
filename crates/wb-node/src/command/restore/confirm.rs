//! Asking a hub whether this is the newest copy, before something is sealed without a sync.

use wb_core::sync::Role;
use wb_core::want::Held;
use wb_net::HubClient;
use wb_store::Peer;

use crate::command::hub_register::{may_lack_key, tell_key};
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::query::peers::label;
use crate::sync::{SyncEnd, check_own, check_turn, connect, take_turn};

/// Who confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// There is nobody to ask.
    Nobody,
    /// A hub holds nothing of this instance that is not here.
    By(String),
}

/// Asks one hub after the other, until one confirms the head of the own feed and that no other copy runs.
///
/// # Errors
/// `Unconfirmed` when none answers; `TwoCopies` or `Suspect` when one knows better.
pub async fn confirm(node: &Node) -> Result<Confirmed> {
    let (mut asked, mut silent) = (false, Vec::new());
    for peer in node.store.peers()? {
        let is_member = peer
            .registered
            .as_ref()
            .is_some_and(|held| held.standing == wb_core::sync::Standing::Member);
        if peer.role != Role::Hub || peer.paused || !is_member {
            continue;
        }
        asked = true;
        let name = label(&peer.name, &peer.id);
        let mut hub = connect(node, &peer)?;
        let mut own = own_at(node, &mut hub, &peer).await;
        // A hub that was not told of a newer key yet is told, and nobody has to do anything.
        if may_lack_key(node, own.as_ref().err()) && tell_key(node, &mut hub, &peer).await.is_ok() {
            own = own_at(node, &mut hub, &peer).await;
        }
        match own.and_then(|own| check_own(node, &own)) {
            Ok(()) => return Ok(Confirmed::By(name)),
            Err(end) => known_better(&name, end, &mut silent)?,
        }
    }
    if asked {
        Err(NodeError::Unconfirmed(format!(
            "nobody confirmed that this is the newest copy: {} cannot be asked",
            silent.join(", ")
        )))
    } else {
        Ok(Confirmed::Nobody)
    }
}

/// The heads that a hub holds of the own feeds, where it knows of no other copy.
async fn own_at(
    node: &Node,
    hub: &mut HubClient,
    peer: &Peer,
) -> std::result::Result<Vec<Held>, SyncEnd> {
    match take_turn(node, hub, peer.id).await? {
        Some(answer) => check_turn(&answer).map(|()| answer.own),
        // A program before turns: its heads say as much as it can.
        None => Ok(hub.heads(None).await?.own),
    }
}

/// What a hub said that keeps this copy from sealing is an error; what keeps it from answering is noted.
fn known_better(name: &str, end: SyncEnd, silent: &mut Vec<String>) -> Result<()> {
    use wb_core::sync::{PeerCause, Phase};
    match end {
        SyncEnd::Local(error) => Err(error),
        SyncEnd::Peer(PeerCause::TwoCopies, words) => Err(NodeError::TwoCopies(words)),
        SyncEnd::Peer(cause, detail) if cause.phase() == Phase::Held => Err(NodeError::Peer {
            name: name.to_owned(),
            cause,
            detail,
        }),
        _ => {
            silent.push(name.to_owned());
            Ok(())
        }
    }
}
