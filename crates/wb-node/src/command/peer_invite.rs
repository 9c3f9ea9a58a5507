//! `wb peer invite`: makes a link that pairs one other node with this one.

use wb_core::id::InstanceId;
use wb_core::limits::LINK_ADDRESSES_MAX;
use wb_core::pairing::PairLink;
use wb_core::time::Timestamp;
use wb_net::Base;
use wb_net::address::Scheme;
use wb_store::{Pair, PairLinkRow, PairState};

use super::address::{address_set, read_address};
use super::peer_pause::must_be_admin;
use crate::direct::pairing::link_name;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::address::address;

/// Minutes a link lasts, unless told otherwise: a day.
pub const INVITE_MINUTES: u64 = 24 * 60;

/// A link that was made. Its secret is shown once and kept nowhere here.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The link.
    pub link: PairLink,
    /// Until when it admits somebody.
    pub ends_at: Timestamp,
    /// Whether an address in it was put on the card as well.
    pub is_on_card: bool,
}

/// The addresses of a link: those given, else the one on the card. A public one that is given goes on the card
/// as well, because peers follow that when it changes; one of an own network is in the link only.
fn addresses(node: &Node, actor: &Actor, given: &[String]) -> Result<(Vec<String>, bool)> {
    if given.is_empty() {
        return Ok((address(node)?.into_iter().collect(), false));
    }
    if given.len() > LINK_ADDRESSES_MAX {
        return Err(NodeError::Refused(format!(
            "a link has at most {LINK_ADDRESSES_MAX} addresses"
        )));
    }
    let (mut list, mut is_on_card) = (Vec::new(), false);
    for text in given {
        let base = Base::parse(text.trim()).map_err(|error| {
            NodeError::Refused(format!("`{text}` is no address of a node: {error}"))
        })?;
        let is_public = base.scheme() == Scheme::Https && !base.is_literal_local();
        if is_public && !is_on_card && base.path().is_empty() {
            let public = read_address(text)?;
            if address(node)?.as_ref() != Some(&public) {
                address_set(node, actor, Some(&public))?;
            }
            is_on_card = true;
        }
        list.push(base.to_string());
    }
    Ok((list, is_on_card))
}

/// Makes a link.
///
/// # Errors
/// What is wrong with an address, or that the actor may not.
pub fn peer_invite(
    node: &mut Node,
    actor: &Actor,
    minutes: u64,
    given: &[String],
) -> Result<Invited> {
    must_be_admin(actor, "invite a peer")?;
    let (addresses, is_on_card) = addresses(node, actor, given)?;
    let (token, now) = (entropy::token(), node.now());
    let minutes = minutes.clamp(1, INVITE_MINUTES);
    let ends_at = now.plus_ms(i64::try_from(minutes * 60 * 1_000).unwrap_or(i64::MAX));
    let link = PairLink {
        addresses,
        id: node.own_id(),
        token,
    };
    let write = node.store.write()?;
    write.put_pair_link(&PairLinkRow {
        link: link_name(&token),
        made_at: now,
        ends_at,
        used_by: None,
    })?;
    write.commit()?;
    node.audit(
        now,
        actor,
        "peer invite",
        &node.own_id(),
        format!("until {ends_at}"),
    )?;
    Ok(Invited {
        link,
        ends_at,
        is_on_card,
    })
}

/// Who used a link, as soon as somebody did.
///
/// # Errors
/// What the store reports.
pub fn used_by(node: &Node, link: &PairLink) -> Result<Option<(InstanceId, Pair)>> {
    let row = node.store.pair_link(&link_name(&link.token))?;
    let Some(id) = row.and_then(|row| row.used_by) else {
        return Ok(None);
    };
    let pair = node.store.pair(&id)?;
    Ok(pair.map(|pair| (id, pair)))
}

/// Pairs that a person here has to decide about.
///
/// # Errors
/// What the store reports.
pub fn asking(node: &Node) -> Result<Vec<Pair>> {
    let mut pairs = node.store.pairs()?;
    pairs.retain(|pair| pair.state == PairState::Asked);
    Ok(pairs)
}
