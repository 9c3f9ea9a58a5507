//! Waiting at a peer for something new.

use std::time::Duration;

use wb_core::ndjson::{lines, split_first};
use wb_net::PeerClient;
use wb_net::signed::CallError;
use wb_store::PairState;

use crate::direct::reach::{self, is_folder};
use crate::direct::want::own_want;
use crate::error::Result;
use crate::node::Node;

/// Waits at a peer until something new is there, or until the time is over; takes nothing.
///
/// # Errors
/// Why it ended early.
pub(crate) async fn watch(
    mut client: PeerClient,
    want: Vec<u8>,
    wait: Duration,
) -> std::result::Result<bool, CallError> {
    let body = client.exchange(want, None, wait).await?;
    let (_, rest) = split_first(&body);
    // A bundle of nothing is its head, the identity section with its log, and its end.
    let sections = lines(rest).filter(|line| line.starts_with(b"{\"section\":\""));
    let feeds = sections.filter(|line| {
        line.starts_with(b"{\"section\":\"deltas\"")
            || line.starts_with(b"{\"section\":\"snapshot\"")
    });
    Ok(feeds.count() > 0)
}

/// What is needed to wait at a peer: nothing where it is in a folder or has no address.
///
/// # Errors
/// What is missing here.
pub(crate) fn to_watch(
    node: &Node,
    peer: &wb_store::Peer,
) -> Result<Option<(PeerClient, Vec<u8>)>> {
    if peer.address.is_empty() || is_folder(&peer.address) {
        return Ok(None);
    }
    // What contradicts itself here is not taken, so it would be news for ever.
    let forked = node.store.forked_feeds()?;
    if forked.iter().any(|feed| feed.origin == peer.id) {
        return Ok(None);
    }
    let pair = node.store.pair(&peer.id)?;
    if pair.is_none_or(|pair| pair.state != PairState::Paired) {
        return Ok(None);
    }
    let Some(client) = reach::known(node, peer)? else {
        return Ok(None);
    };
    let want = own_want(node, &[node.own_id(), peer.id])?;
    Ok(Some((client, want.with_identity(node))))
}
