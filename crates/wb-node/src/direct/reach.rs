//! Where a peer is called: under the address that a person gave, or that its own signed card names.
//!
//! A card is a suggestion. That of somebody else is never read here; its own is tried within what is allowed
//! for that peer, and counts once an answer under it was signed by that instance.

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::kinds::Body;
use wb_core::sync::PeerCause;
use wb_net::address::Scheme;
use wb_net::signed::{CallError, Caller, who_is_this};
use wb_net::{Base, Connection, PeerClient, Reach};
use wb_store::{Filter, Pair, Peer};

use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::service::clock;
use crate::sync::{SyncEnd, key_of};

/// How the address of a peer begins that is a folder.
pub(crate) const FOLDER: &str = "folder:";

/// A peer that answered.
pub(crate) struct Reached<T> {
    /// The connection to it.
    pub client: PeerClient,
    /// The address under which it answered.
    pub address: String,
    /// What it answered to the first call.
    pub answer: T,
}

/// Whether an address may be called for a peer, and the connection that keeps to it.
fn connection(node: &Node, address: &str, lan: bool) -> std::result::Result<Connection, SyncEnd> {
    let refused = |what: String| {
        SyncEnd::Peer(
            PeerCause::Unreachable,
            format!("{address} is not called: {what}"),
        )
    };
    let base = Base::parse(address).map_err(|error| refused(error.to_string()))?;
    if !lan && (base.is_literal_local() || base.scheme() == Scheme::Http) {
        return Err(refused(
            "it is in the own network or not over TLS, and that was not allowed for this peer (--lan)"
                .to_owned(),
        ));
    }
    let reach = if lan { Reach::Lan } else { Reach::Global };
    Ok(Connection::new(base, reach).with_network(node.network()))
}

fn client(node: &Node, connection: Connection, identity: IdentityLog) -> Result<PeerClient> {
    let key = key_of(node.identity());
    let signer = Arc::new(node.signer()?);
    let caller = Caller::new(connection, key, signer, identity, clock());
    Ok(PeerClient::new(caller))
}

/// Asks who answers under an address, and takes only the one expected.
pub(crate) async fn find(
    node: &Node,
    address: &str,
    lan: bool,
    expected: InstanceId,
) -> std::result::Result<wb_net::signed::Identified, SyncEnd> {
    let mut connection = connection(node, address, lan)?;
    let found = who_is_this(&mut connection).await?;
    if found.says.id == expected {
        return Ok(found);
    }
    Err(SyncEnd::Peer(
        PeerCause::WrongIdentity,
        format!("expected {expected}, and {} answers", found.says.id),
    ))
}

/// Addresses on a peer's own card, as its own feed brought it.
pub(crate) fn on_card(node: &Node, id: InstanceId) -> Result<Vec<String>> {
    let filter = Filter {
        kind: Some("card".parse().expect("a kind")),
        origin: Some(id),
        // Also of one whose records are not shown: it is the peer's word about itself.
        hidden_too: true,
        ..Filter::default()
    };
    let mut newest = None;
    for row in node.store.records(&filter)? {
        let Some(body) = &row.body else { continue };
        if let Ok(Body::Card(card)) = Body::read(&row.kind, 1, id, body) {
            // Of several the one written last, as its name is.
            if newest.as_ref().is_none_or(|(at, _)| *at <= row.at) {
                newest = Some((row.at, card.addresses));
            }
        }
    }
    let addresses = newest.map(|(_, addresses)| addresses).unwrap_or_default();
    let addresses = addresses.iter().filter_map(|text| Base::parse(text).ok());
    Ok(addresses.map(|base| base.to_string()).collect())
}

/// The addresses to try: that of a card which is new first, else the one that served until now.
fn candidates(node: &Node, peer: &Peer, pair: &mut Pair) -> Result<Vec<String>> {
    let mut list = on_card(node, peer.id)?;
    list.retain(|address| *address != peer.address);
    let newest = list.first().cloned();
    if newest.is_some() && newest != pair.tried {
        pair.tried = newest;
        list.push(peer.address.clone());
    } else {
        list.insert(0, peer.address.clone());
    }
    list.retain(|address| !address.is_empty());
    Ok(list)
}

/// Makes the first call to a peer, wherever it answers. `pair.tried` is what was tried by that.
///
/// # Errors
/// Why the address that served until now does not serve any more, where no other does either.
pub(crate) async fn first_call<T>(
    node: &Node,
    peer: &Peer,
    pair: &mut Pair,
    call: impl AsyncFn(&mut PeerClient) -> std::result::Result<T, CallError>,
) -> std::result::Result<Reached<T>, SyncEnd> {
    let mut why = None;
    let candidates = candidates(node, peer, pair)?;
    for address in &candidates {
        let is_served = *address == peer.address;
        match try_one(node, peer, address, &call).await {
            Ok((client, answer)) => {
                return Ok(Reached {
                    client,
                    address: address.clone(),
                    answer,
                });
            }
            Err(end) if leads_elsewhere(&end) => {
                if is_served || why.is_none() {
                    why = Some(end);
                }
            }
            Err(end) => return Err(end),
        }
    }
    Err(why.unwrap_or_else(|| {
        SyncEnd::Peer(PeerCause::CallsHere, "no address of it is known".to_owned())
    }))
}

async fn try_one<T>(
    node: &Node,
    peer: &Peer,
    address: &str,
    call: &impl AsyncFn(&mut PeerClient) -> std::result::Result<T, CallError>,
) -> std::result::Result<(PeerClient, T), SyncEnd> {
    let known = node.store.identity_log(&peer.id)?;
    // Nothing is said to an address that is new before it showed who it is.
    let identity = match known.filter(|_| address == peer.address) {
        Some(identity) => identity,
        None => {
            let found = find(node, address, peer.lan, peer.id).await?;
            let held = node.store.identity_log(&peer.id)?;
            held.map_or(found.identity.clone(), |held| held.offer(&found.identity).1)
        }
    };
    let connection = connection(node, address, peer.lan)?;
    let mut client = client(node, connection, identity)?;
    let answer = call(&mut client).await?;
    Ok((client, answer))
}

/// A peer as it is known, without a call; none where it was never heard of, or may not be called there.
pub(crate) fn known(node: &Node, peer: &Peer) -> Result<Option<PeerClient>> {
    let Some(identity) = node.store.identity_log(&peer.id)? else {
        return Ok(None);
    };
    match connection(node, &peer.address, peer.lan) {
        Ok(connection) => client(node, connection, identity).map(Some),
        Err(_) => Ok(None),
    }
}

/// Whether an end says something of an address, and another may be better.
fn leads_elsewhere(end: &SyncEnd) -> bool {
    let SyncEnd::Peer(cause, _) = end else {
        return false;
    };
    matches!(
        cause,
        PeerCause::Unreachable
            | PeerCause::TimedOut
            | PeerCause::Tls
            | PeerCause::WrongIdentity
            | PeerCause::BadAnswer
            | PeerCause::NotProved
            | PeerCause::PeerFailed
    )
}

/// Whether an address is of the network.
pub(crate) fn is_folder(address: &str) -> bool {
    address.starts_with(FOLDER)
}

/// What a person has to change before an address can be called, in words.
pub(crate) fn check_allowed(address: &str, lan: bool) -> Result<String> {
    let base = Base::parse(address).map_err(|error| {
        NodeError::Refused(format!("`{address}` is no address of a node: {error}"))
    })?;
    if !lan && (base.is_literal_local() || base.scheme() == Scheme::Http) {
        return Err(NodeError::Refused(format!(
            "{base} is in an own network or not over TLS; if that is meant, say it with --lan. Nothing was sent"
        )));
    }
    Ok(base.to_string())
}
