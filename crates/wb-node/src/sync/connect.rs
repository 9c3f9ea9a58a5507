//! Connecting to a hub: its address within limits, its identity as known, our key.

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::sync::signature::KeyId;
use wb_core::sync::{PeerCause, RecoveryAnswer, RecoveryAsk};
use wb_net::address::Scheme;
use wb_net::network::Network;
use wb_net::signed::{Caller, Identified, ask_recovery, who_is_this};
use wb_net::{Base, Connection, HubClient, Reach};
use wb_store::Peer;

use super::SyncEnd;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::service::clock;

/// A hub that is connected.
pub type Connected = HubClient;

/// The newest key of an identity log.
#[must_use]
pub fn key_of(identity: &IdentityLog) -> KeyId {
    KeyId {
        instance: identity.id(),
        entry: identity.newest().hash,
    }
}

fn base(address: &str) -> Result<Base> {
    Base::parse(address).map_err(|error| NodeError::Address {
        address: address.to_owned(),
        what: error.to_string(),
    })
}

/// A connection to an address. One inside the own network has to be meant: written as such, or with
/// the switch that says so.
fn connection(network: Arc<dyn Network>, address: &str, lan: bool) -> Result<(Connection, bool)> {
    let base = base(address)?;
    let lan = lan || base.is_literal_local();
    if base.scheme() == Scheme::Http && !lan {
        return Err(NodeError::Address {
            address: address.to_owned(),
            what:
                "outside the own network only https is used; a hub inside it is allowed with --lan"
                    .to_owned(),
        });
    }
    let reach = if lan { Reach::Lan } else { Reach::Global };
    Ok((Connection::new(base, reach).with_network(network), lan))
}

fn caller(node: &Node, connection: Connection, identity: IdentityLog) -> Result<HubClient> {
    let key = key_of(node.identity());
    let signer = Arc::new(node.signer()?);
    let caller = Caller::new(connection, key, signer, identity, clock());
    Ok(HubClient::new(caller))
}

/// Connects to a hub that is known.
///
/// # Errors
/// What is missing here.
pub fn connect(node: &Node, peer: &Peer) -> Result<HubClient> {
    let (connection, _) = connection(node.network(), &peer.address, peer.lan)?;
    let identity = node.store.identity_log(&peer.id)?.ok_or_else(|| {
        NodeError::Store(wb_store::StoreError::Damaged(format!(
            "the identity log of {} is missing",
            peer.name
        )))
    })?;
    caller(node, connection, identity)
}

/// Asks a hub for what it holds of an instance whose recovery key is named.
///
/// # Errors
/// Why there is no answer.
pub async fn ask_recovery_at(
    network: Arc<dyn Network>,
    address: &str,
    lan: bool,
    ask: &RecoveryAsk,
) -> std::result::Result<RecoveryAnswer, SyncEnd> {
    let (mut connection, _) = connection(network, address, lan)?;
    Ok(ask_recovery(&mut connection, ask).await?)
}

/// Asks who answers under an address. Returns also the address as it is kept, and whether it is inside
/// the own network.
///
/// # Errors
/// Why nobody answers, or another instance than expected.
pub async fn connect_new(
    network: Arc<dyn Network>,
    address: &str,
    lan: bool,
    expected: Option<InstanceId>,
) -> std::result::Result<(Identified, String, bool), SyncEnd> {
    let (mut connection, lan) = connection(network, address, lan)?;
    let kept = connection.base().to_string();
    let found = who_is_this(&mut connection).await?;
    if let Some(expected) = expected.filter(|expected| *expected != found.says.id) {
        return Err(SyncEnd::Peer(
            PeerCause::WrongIdentity,
            format!("expected {expected}, and {} answers", found.says.id),
        ));
    }
    Ok((found, kept, lan))
}
