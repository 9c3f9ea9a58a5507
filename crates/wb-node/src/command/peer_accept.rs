//! `wb peer accept`: agrees to a link, or confirms whoever used one of ours.

use wb_core::id::InstanceId;
use wb_core::kinds::check_name;
use wb_core::pairing::{PairLink, safety_words};
use wb_core::sync::{PairStanding, PeerCause, PeerState, Role};
use wb_store::{Pair, PairLinkRow, PairState, Peer, Standing};

use super::hub_register::{ended, state_text};
use super::peer_pause::must_be_admin;
use super::sync::lock;
use crate::direct::pairing::{
    link_name, new_peer, own_pairing, put_back, standing_if_new, waiting,
};
use crate::direct::reach::{self, check_allowed};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::address::address;
use crate::sync::SyncEnd;

/// Who is behind a link, before anything is agreed to.
#[derive(Debug, Clone)]
pub struct Inviter {
    /// Its id, as the link has it.
    pub id: InstanceId,
    /// Its name, where it answered or is known.
    pub name: Option<String>,
    /// The address under which it answered.
    pub address: Option<String>,
    /// Why it was not reached.
    pub trouble: Option<String>,
    /// The eight words to compare.
    pub words: String,
    lan: bool,
    link: PairLink,
}

/// What came of agreeing.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The peer as it is known now.
    pub peer: Peer,
    /// Where the pair stands.
    pub pair: Pair,
    /// For an inviter that was not reached: the link for the way back.
    pub way_back: Option<PairLink>,
}

/// Looks who is behind a link: asks at its addresses, and sends nothing but that.
///
/// # Errors
/// That it is an own link, of somebody blocked here, or leads into an own network without that being meant.
pub async fn look(node: &Node, actor: &Actor, link: &PairLink, lan: bool) -> Result<Inviter> {
    must_be_admin(actor, "decide about peers")?;
    let own = node.own_id();
    if link.id == own {
        return Err(NodeError::Refused(
            "this link was made here; give it to the other side".to_owned(),
        ));
    }
    if node.store.standing(&link.id)? == Some(Standing::Blocked) {
        return Err(NodeError::Refused(format!(
            "{} is blocked here; nothing was sent",
            link.id
        )));
    }
    let mut inviter = Inviter {
        id: link.id,
        name: None,
        address: None,
        trouble: None,
        words: safety_words(own, link.id, &link.token),
        lan,
        link: link.clone(),
    };
    let mut refused = None;
    for given in &link.addresses {
        let allowed = match check_allowed(given, lan) {
            Ok(allowed) => allowed,
            Err(error) => {
                refused.get_or_insert(error);
                continue;
            }
        };
        match reach::find(node, &allowed, lan, link.id).await {
            Ok(found) => {
                if found.says.role != Role::Node || check_name(&found.says.name).is_err() {
                    return Err(NodeError::Refused(format!(
                        "what answers at {allowed} is no community's node; nothing was changed"
                    )));
                }
                inviter.name = Some(found.says.name.clone());
                inviter.address = Some(allowed);
                return Ok(inviter);
            }
            Err(SyncEnd::Peer(cause, detail)) => {
                let about = cause.about(&allowed);
                inviter.trouble.get_or_insert(format!("{about} ({detail})"));
            }
            Err(end) => return Err(ended(&allowed)(end)),
        }
    }
    // A link whose addresses may not be called is no link without an address: a person decides.
    match refused {
        Some(error) if inviter.trouble.is_none() => Err(error),
        _ => Ok(inviter),
    }
}

/// Agrees to be paired with who is behind a link.
///
/// # Errors
/// That the link admits nobody any more; then nothing is left of it here.
pub async fn peer_accept(
    node: &mut Node,
    actor: &Actor,
    inviter: &Inviter,
    own_addresses: &[String],
) -> Result<Accepted> {
    must_be_admin(actor, "decide about peers")?;
    // A sync that runs would write the row that it began with again.
    let _lock = lock(node)?;
    let now = node.now();
    let before = node.store.peer(&inviter.id)?;
    let held = node.store.pair(&inviter.id)?;
    if let (Some(peer), Some(pair)) = (&before, &held)
        && pair.state == PairState::Paired
        && inviter.address.is_none()
    {
        return Ok(Accepted {
            peer: peer.clone(),
            pair: pair.clone(),
            way_back: None,
        });
    }
    // What a link names is kept only where it may be called: whoever wrote it is not who types it.
    let given = match &inviter.address {
        Some(answered) => answered.clone(),
        None => callable(inviter).unwrap_or_default(),
    };
    let mut peer = before
        .clone()
        .unwrap_or_else(|| new_peer(inviter.id, "", &given, inviter.lan, now));
    if peer.role == Role::Hub {
        return Err(NodeError::Refused(
            "this instance is known here as a hub".to_owned(),
        ));
    }
    if let Some(name) = &inviter.name {
        peer.name.clone_from(name);
    }
    peer.address = given;
    peer.lan = inviter.lan;
    peer.state = waiting(PeerCause::WayBack, now);
    let mut pair = Pair {
        id: inviter.id,
        state: PairState::Offered,
        words: inviter.words.clone(),
        token: Some(inviter.link.token),
        since: now,
        tried: None,
    };
    // One of our own links that came back by the other side: nobody else may use it from here.
    let own_link = node.store.pair_link(&link_name(&inviter.link.token))?;
    let write = node.store.write()?;
    write.put_peer(&peer)?;
    write.put_pair(&pair)?;
    if let Some(link) = own_link {
        write.put_pair_link(&PairLinkRow {
            used_by: Some(inviter.id),
            ..link
        })?;
    }
    write.commit()?;
    node.audit(now, actor, "peer accept", &peer.id, peer.address.clone())?;
    match offer(node, &mut peer, &mut pair).await {
        Ok(()) => {}
        // Nobody answers: the link for the way back says the same in the other direction.
        Err(SyncEnd::Peer(cause, _)) if is_away(cause) => {
            return Ok(Accepted {
                way_back: way_back(node, &inviter.link, own_addresses)?,
                peer,
                pair,
            });
        }
        Err(end) => {
            put_back(node, inviter.id, before.as_ref(), held.as_ref())?;
            let name = inviter.name.clone().unwrap_or_else(|| inviter.id.short());
            return Err(ended(&name)(end));
        }
    }
    Ok(Accepted {
        peer,
        pair,
        way_back: None,
    })
}

/// The first address of a link that may be called.
fn callable(inviter: &Inviter) -> Option<String> {
    let mut addresses = inviter.link.addresses.iter();
    addresses.find_map(|address| check_allowed(address, inviter.lan).ok())
}

fn is_away(cause: PeerCause) -> bool {
    matches!(
        cause,
        PeerCause::Unreachable | PeerCause::TimedOut | PeerCause::Tls | PeerCause::CallsHere
    )
}

/// The same pair, to be agreed to from the other side.
fn way_back(node: &Node, link: &PairLink, given: &[String]) -> Result<Option<PairLink>> {
    let addresses = if given.is_empty() {
        address(node)?.into_iter().collect()
    } else {
        given.to_vec()
    };
    if addresses.is_empty() {
        return Ok(None);
    }
    Ok(Some(PairLink {
        addresses,
        id: node.own_id(),
        token: link.token,
    }))
}

/// Tells the other side that this one wants the pair, and notes where it stands then.
pub(crate) async fn offer(
    node: &mut Node,
    peer: &mut Peer,
    pair: &mut Pair,
) -> std::result::Result<(), SyncEnd> {
    let pairing = own_pairing(node, pair.token)?;
    let reached =
        reach::first_call(node, peer, pair, async |client| client.pair(&pairing).await).await?;
    let now = node.now();
    peer.address = reached.address;
    if check_name(&reached.answer.name).is_ok() {
        peer.name.clone_from(&reached.answer.name);
    }
    match reached.answer.standing {
        PairStanding::Paired => {
            pair.state = PairState::Paired;
            pair.token = None;
            pair.since = now;
            peer.state = state_text(&PeerState::new(now));
        }
        PairStanding::Waiting => peer.state = waiting(PeerCause::PairWaits, now),
    }
    let identity = reached.client.caller().identity().clone();
    let new = standing_if_new(node, &peer.id)?;
    let write = node.store.write()?;
    write.put_identity(&identity, new, now)?;
    write.put_peer(peer)?;
    write.put_pair(pair)?;
    write.commit()?;
    Ok(())
}

/// Confirms whoever asked to be paired.
///
/// # Errors
/// That it did not ask, or that the actor may not.
pub fn peer_confirm(
    node: &mut Node,
    actor: &Actor,
    id: InstanceId,
    lan: bool,
) -> Result<(Peer, Pair)> {
    must_be_admin(actor, "decide about peers")?;
    let _lock = lock(node)?;
    let now = node.now();
    let peer = node.store.peer(&id)?;
    let (Some(mut peer), Some(mut pair)) = (peer, node.store.pair(&id)?) else {
        return Err(NodeError::unknown("peer that asks", id.to_string()));
    };
    if pair.state == PairState::Paired {
        return Ok((peer, pair));
    }
    if pair.state == PairState::Offered {
        return Err(NodeError::Refused(format!(
            "this side agreed already, and waits for {}",
            peer.name
        )));
    }
    if node.store.standing(&id)? == Some(Standing::Blocked) {
        return Err(NodeError::Refused(
            "it is blocked here; nothing was changed".to_owned(),
        ));
    }
    pair.state = PairState::Paired;
    pair.since = now;
    peer.lan |= lan;
    peer.state = state_text(&PeerState::new(now));
    let write = node.store.write()?;
    write.put_peer(&peer)?;
    write.put_pair(&pair)?;
    write.commit()?;
    node.audit(now, actor, "peer confirm", &id, pair.words.clone())?;
    Ok((peer, pair))
}

/// Turns down whoever asked to be paired; its link is over. It may ask again with another.
///
/// # Errors
/// That it did not ask, or that the actor may not.
pub fn peer_turn_down(node: &mut Node, actor: &Actor, id: InstanceId) -> Result<()> {
    must_be_admin(actor, "decide about peers")?;
    let pair = node.store.pair(&id)?;
    if pair.is_none_or(|pair| pair.state != PairState::Asked) {
        return Err(NodeError::unknown("peer that asks", id.to_string()));
    }
    let now = node.now();
    let own = node.own_id();
    let write = node.store.write()?;
    write.remove_peer(&id)?;
    write.end_pair_links(&id, &own)?;
    write.commit()?;
    node.audit(now, actor, "peer turn down", &id, "")
}
