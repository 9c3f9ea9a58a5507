//! A wish to be paired, from outside: who may ask, what a link admits, and where it stands then.

use wb_core::id::{Hash, InstanceId, Token};
use wb_core::identity::IdentityLog;
use wb_core::kinds::check_name;
use wb_core::limits::{ADDRESS_CHARS_MAX, PAIRS_ASKED_MAX};
use wb_core::pairing::{NO_TOKEN, safety_words};
use wb_core::sync::{
    FollowList, PairStanding, PairStandings, Pairing, PeerCause, PeerEvent, PeerState, Role,
};
use wb_core::time::Timestamp;
use wb_net::Base;
use wb_store::{AuditRow, Pair, PairLinkRow, PairState, Peer, Standing};

use super::refusal::{self, Refusal};
use crate::card;
use crate::command::hub_register::state_text;
use crate::error::Result;
use crate::node::Node;
use crate::secret;

/// What names the token of a link here.
pub(crate) fn link_name(token: &Token) -> Hash {
    secret::name(&token.to_string())
}

/// The state of a peer that waits for a person.
pub(crate) fn waiting(cause: PeerCause, now: Timestamp) -> String {
    let mut state = PeerState::new(now);
    state.on(now, PeerEvent::Ended(cause, String::new()), 0);
    (state.detail, state.next_try, state.failures) = (None, None, 0);
    state_text(&state)
}

/// What is thought of an instance that is new here: shown at once where somebody follows it by name, else held
/// until somebody looked at it.
pub(crate) fn standing_if_new(node: &Node, id: &InstanceId) -> Result<Standing> {
    let mut peers = node.store.peers()?.into_iter();
    let is_followed = peers.any(|peer| peer.follows.follow.contains(id));
    Ok(if is_followed {
        Standing::Approved
    } else {
        Standing::Waiting
    })
}

/// A node that was never synced with.
pub(crate) fn new_peer(
    id: InstanceId,
    name: &str,
    address: &str,
    lan: bool,
    now: Timestamp,
) -> Peer {
    Peer {
        id,
        role: Role::Node,
        address: address.to_owned(),
        lan,
        name: name.to_owned(),
        follows: FollowList::default(),
        cursor: None,
        heads_at: None,
        acked: Vec::new(),
        paused: false,
        registered: None,
        counter: 0,
        state: state_text(&PeerState::new(now)),
        first_seen: now,
        last_ok: None,
    }
}

/// What is said to be paired, as the card and the link have it.
pub(crate) fn own_pairing(node: &Node, token: Option<Token>) -> Result<Pairing> {
    let mut addresses = card::kept(node)?.into_iter();
    let entries = node.identity().entries().iter();
    Ok(Pairing {
        schema_version: 1,
        identity: entries
            .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
            .collect(),
        name: node.name().to_owned(),
        address: addresses.find_map(|(_, card)| card.addresses.into_iter().next()),
        token,
    })
}

/// An address as it is kept, where it is one.
fn read_address(pairing: &Pairing) -> std::result::Result<String, Refusal> {
    let Some(address) = &pairing.address else {
        return Ok(String::new());
    };
    if address.len() > ADDRESS_CHARS_MAX {
        return Err(refusal::bad_request("the address is too long"));
    }
    let base = Base::parse(address).map_err(|error| refusal::bad_request(error.to_string()))?;
    Ok(base.to_string())
}

/// Puts back how a peer and its pair were before something that failed.
pub(crate) fn put_back(
    node: &mut Node,
    id: InstanceId,
    peer: Option<&Peer>,
    pair: Option<&Pair>,
) -> Result<()> {
    let write = node.store.write()?;
    match (peer, pair) {
        (None, _) => drop(write.remove_peer(&id)?),
        (Some(peer), Some(pair)) => {
            write.put_peer(peer)?;
            write.put_pair(pair)?;
        }
        (Some(peer), None) => {
            write.put_peer(peer)?;
            write.remove_pair(&id)?;
        }
    }
    Ok(write.commit()?)
}

/// What the pair of a sender stands at before it asks, and how its link is.
struct Before {
    peer: Option<Peer>,
    pair: Option<Pair>,
    link: Option<PairLinkRow>,
}

/// Takes a wish to be paired, whose request was verified under the log.
///
/// # Errors
/// The refusal, with nothing changed.
pub(crate) fn asked(
    node: &mut Node,
    pairing: &Pairing,
    log: &IdentityLog,
) -> std::result::Result<PairStandings, Refusal> {
    let standing = ask(node, pairing, log)?;
    Ok(PairStandings {
        schema_version: 1,
        standing,
        name: node.name().to_owned(),
    })
}

fn ask(
    node: &mut Node,
    pairing: &Pairing,
    log: &IdentityLog,
) -> std::result::Result<PairStanding, Refusal> {
    let (sender, now) = (log.id(), node.now());
    let local = |error: wb_store::StoreError| refusal::of_node(&error.into());
    if sender == node.own_id() {
        return Err(refusal::bad_request("an instance is no peer of itself"));
    }
    check_name(&pairing.name).map_err(|error| refusal::bad_request(error.to_string()))?;
    let address = read_address(pairing)?;
    let fresh_words = safety_words(node.own_id(), sender, &pairing.token.unwrap_or(NO_TOKEN));
    // Looked up and written where nobody else writes, so that a link admits one of two that come at once.
    let write = node.store.write_in_sight().map_err(local)?;
    let known = node.store.standing(&sender).map_err(local)?;
    if known == Some(Standing::Blocked) {
        return Err(refusal::not_paired(node.name()));
    }
    let link = match &pairing.token {
        Some(token) => node.store.pair_link(&link_name(token)).map_err(local)?,
        None => None,
    };
    let before = Before {
        peer: node.store.peer(&sender).map_err(local)?,
        pair: node.store.pair(&sender).map_err(local)?,
        link,
    };
    if before
        .peer
        .as_ref()
        .is_some_and(|peer| peer.role == Role::Hub)
    {
        return Err(refusal::bad_request("this instance is known here as a hub"));
    }
    let state = decide(node, pairing, &before, known.is_some(), now)?;
    let token = pairing.token;
    let kept = before.pair.filter(|pair| pair.state == state);
    let words = match (&kept, token) {
        // It asks again where it stands.
        (Some(pair), token) if token.is_none() || pair.state == PairState::Paired => {
            pair.words.clone()
        }
        _ => fresh_words,
    };
    let mut peer = before
        .peer
        .unwrap_or_else(|| new_peer(sender, &pairing.name, &address, false, now));
    // Nothing that a person decided is changed by who asks.
    if state == PairState::Asked {
        peer.name.clone_from(&pairing.name);
        peer.address = address;
        peer.state = waiting(PeerCause::PairAsked, now);
    } else if kept.is_none() {
        peer.name.clone_from(&pairing.name);
        peer.state = state_text(&PeerState::new(now));
    }
    let is_news = kept.is_none();
    let pair = Pair {
        id: sender,
        state,
        words,
        token: None,
        since: kept.as_ref().map_or(now, |pair| pair.since),
        tried: kept.and_then(|pair| pair.tried),
    };
    let new = standing_if_new(node, &sender).map_err(|error| refusal::of_node(&error))?;
    write.put_identity(log, new, now).map_err(local)?;
    write.put_peer(&peer).map_err(local)?;
    write.put_pair(&pair).map_err(local)?;
    if let Some(link) = before.link {
        write
            .put_pair_link(&PairLinkRow {
                used_by: Some(sender),
                ..link
            })
            .map_err(local)?;
    }
    write.commit().map_err(local)?;
    if is_news {
        let row = AuditRow {
            at: now,
            actor: None,
            act: format!("peer {}", state.as_str()),
            target: sender.to_string(),
            detail: pairing.name.clone(),
        };
        node.store.private().audit(&row).map_err(local)?;
    }
    Ok(match state {
        PairState::Paired => PairStanding::Paired,
        PairState::Asked | PairState::Offered => PairStanding::Waiting,
    })
}

/// What becomes of the pair.
fn decide(
    node: &Node,
    pairing: &Pairing,
    before: &Before,
    is_known: bool,
    now: Timestamp,
) -> std::result::Result<PairState, Refusal> {
    let state = before.pair.as_ref().map(|pair| pair.state);
    // Both agreed long ago: whoever lost the answer asks again.
    if state == Some(PairState::Paired) {
        return Ok(PairState::Paired);
    }
    let offered = before
        .pair
        .as_ref()
        .filter(|pair| pair.state == PairState::Offered);
    match &pairing.token {
        // The way back: agreed to here under the same token.
        Some(token) if offered.is_some_and(|pair| pair.token == Some(*token)) => {
            Ok(PairState::Paired)
        }
        Some(_) => {
            check_link(node, pairing, before, now)?;
            // A person here agreed to be paired with it already, by another way.
            Ok(match offered {
                Some(_) => PairState::Paired,
                None => PairState::Asked,
            })
        }
        // Each asked the other, without a link: both agreed.
        None if offered.is_some_and(|pair| pair.token.is_none()) => Ok(PairState::Paired),
        None if state == Some(PairState::Asked) => Ok(PairState::Asked),
        None if !is_known || offered.is_some() => Err(refusal::not_paired(node.name())),
        None => {
            let pairs = node.store.pairs();
            let pairs = pairs.map_err(|error| refusal::of_node(&error.into()))?;
            let asked = pairs.iter().filter(|pair| pair.state == PairState::Asked);
            if asked.count() >= PAIRS_ASKED_MAX {
                return Err(refusal::queue_full(node.name()));
            }
            Ok(PairState::Asked)
        }
    }
}

/// Whether a link admits who asks.
fn check_link(
    node: &Node,
    pairing: &Pairing,
    before: &Before,
    now: Timestamp,
) -> std::result::Result<(), Refusal> {
    let name = node.name();
    let Some(link) = &before.link else {
        return Err(refusal::link_over(name, "was not made here"));
    };
    let sender = pairing.identity().map(|log| log.id()).ok();
    match link.used_by {
        // The same once more: its answer was lost.
        Some(by) if Some(by) == sender => Ok(()),
        Some(_) => Err(refusal::link_over(name, "was used by another instance")),
        None if now >= link.ends_at => Err(refusal::link_over(name, "is over")),
        None => Ok(()),
    }
}
