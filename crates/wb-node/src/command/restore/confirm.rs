//! Asking a hub or a direct peer whether this is the newest copy, before something is sealed without a sync.

use std::time::Duration;

use wb_core::sync::{PeerCause, Role};
use wb_core::want::Held;
use wb_net::{HubClient, PeerClient};
use wb_store::Peer;

use crate::command::hub_register::{may_lack_key, tell_key};
use crate::command::peer_block::is_blocked;
use crate::command::sync::to_watch;
use crate::direct::want::own_want;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::query::peers::label;
use crate::sync::{SyncEnd, check_own, check_turn, connect, take_turn};

/// Who confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// There is nobody to ask.
    Nobody,
    /// A hub or a peer holds nothing of this instance that is not here.
    By(String),
}

/// Asks one hub after the other, and then one direct peer after the other, until one confirms the head of the own feed and that no other copy runs.
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
    for peer in node.store.peers()? {
        let Some(client) = caller_of(node, &peer)? else {
            continue;
        };
        asked = true;
        let name = label(&peer.name, &peer.id);
        match turn_at_peer(node, client, &peer).await {
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

/// The way to a direct peer that may be asked over the network: nothing for any other.
pub(crate) fn caller_of(node: &Node, peer: &Peer) -> Result<Option<PeerClient>> {
    if peer.role != Role::Node || peer.paused || is_blocked(node, &peer.id)? {
        return Ok(None);
    }
    Ok(to_watch(node, peer)?.map(|(client, _)| client))
}

/// Asks a direct peer whether this is the newest copy, and the only one.
pub(crate) async fn turn_at_peer(
    node: &Node,
    mut client: PeerClient,
    peer: &Peer,
) -> std::result::Result<(), SyncEnd> {
    let mut taken = take_turn(node, client.as_hub(), peer.id).await;
    if matches!(taken, Err(SyncEnd::Peer(PeerCause::NotRegistered, _))) {
        // A key that was rotated since: the want brings it.
        let want = own_want(node, &[node.own_id(), peer.id])?.with_identity(node);
        client.exchange(want, None, Duration::ZERO).await?;
        taken = take_turn(node, client.as_hub(), peer.id).await;
    }
    match taken? {
        Some(answer) => {
            check_turn(&answer)?;
            check_own(node, &answer.own)
        }
        // A program before turns says what it holds with the next sync.
        None => Err(SyncEnd::Peer(PeerCause::VersionSkew, String::new())),
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
    use wb_core::sync::Phase;
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
