//! `wb peer add`: pairs with an instance that is known already, at the address of its own card, or through a
//! folder.

use std::path::Path;

use wb_core::id::InstanceId;
use wb_core::pairing::{NO_TOKEN, safety_words};
use wb_core::sync::{PeerCause, PeerState, Role};
use wb_store::{Pair, PairState, Peer, Standing};

use super::hub_register::{ended, state_text};
use super::peer_accept::offer;
use super::peer_pause::must_be_admin;
use super::sync::lock;
use crate::direct::folder;
pub use crate::direct::folder::InFolder;
use crate::direct::pairing::{new_peer, put_back, standing_if_new, waiting};
use crate::direct::reach::{FOLDER, check_allowed, on_card};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::sync::SyncEnd;

/// Whom to pair with, and how it is reached.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The instance.
    pub id: InstanceId,
    /// Its name, where it is known.
    pub name: String,
    /// Where it is reached.
    pub address: String,
    /// Whether that may be in the own network.
    pub lan: bool,
    /// The eight words to compare.
    pub words: String,
}

/// Finds an instance by its name, the start of its id, or `ADDRESS#ID`, and where its own card says it is.
///
/// # Errors
/// That it is not known, has no address, or one that was not allowed.
pub fn find(node: &Node, text: &str, lan: bool) -> Result<Wanted> {
    let (address, id, name) = match text.split_once('#') {
        Some((address, id)) => {
            let id: InstanceId = id.parse().map_err(|_| {
                NodeError::Refused("what follows `#` is not an instance id".to_owned())
            })?;
            (Some(address.to_owned()), id, String::new())
        }
        None => {
            let (id, name) = known(node, text)?;
            (on_card(node, id)?.into_iter().next(), id, name)
        }
    };
    check_wanted(node, id)?;
    let address = address.ok_or_else(|| {
        NodeError::Refused(format!(
            "the card of {name} names no address, so it cannot be called. Ask its operator for a link (`wb peer invite`)"
        ))
    })?;
    Ok(Wanted {
        id,
        address: check_allowed(&address, lan)?,
        name,
        lan,
        words: safety_words(node.own_id(), id, &NO_TOKEN),
    })
}

fn known(node: &Node, text: &str) -> Result<(InstanceId, String)> {
    let instances = node.store.instances()?.into_iter();
    let fits: Vec<_> = instances
        .filter(|it| it.standing != Standing::Own)
        .filter(|it| {
            it.name.as_deref() == Some(text)
                || (text.len() >= 4 && it.id.to_string().starts_with(text))
        })
        .collect();
    match fits.as_slice() {
        [one] => Ok((one.id, one.label())),
        [] => Err(NodeError::unknown("instance", text)),
        more => Err(NodeError::Ambiguous {
            what: "instances",
            name: text.to_owned(),
            count: more.len(),
        }),
    }
}

fn check_wanted(node: &Node, id: InstanceId) -> Result<()> {
    if id == node.own_id() {
        return Err(NodeError::Refused(
            "an instance is no peer of itself".to_owned(),
        ));
    }
    if node.store.standing(&id)? == Some(Standing::Blocked) {
        return Err(NodeError::Refused(
            "it is blocked here; nothing was changed".to_owned(),
        ));
    }
    let is_hub = node.store.peer(&id)?.map(|peer| peer.role) == Some(Role::Hub);
    if is_hub {
        return Err(NodeError::Refused(
            "this instance is known here as a hub".to_owned(),
        ));
    }
    Ok(())
}

/// Asks an instance to be a peer. Its operator confirms.
///
/// # Errors
/// Why it was not asked. What was agreed to here stays when nobody answers: the next sync asks again.
pub async fn peer_add(node: &mut Node, actor: &Actor, wanted: &Wanted) -> Result<(Peer, Pair)> {
    must_be_admin(actor, "add a peer")?;
    // A sync that runs would write the row that it began with again.
    let _lock = lock(node)?;
    let now = node.now();
    let before = node.store.peer(&wanted.id)?;
    let held = node.store.pair(&wanted.id)?;
    let mut peer = before
        .clone()
        .unwrap_or_else(|| new_peer(wanted.id, &wanted.name, "", wanted.lan, now));
    peer.address.clone_from(&wanted.address);
    peer.lan = wanted.lan;
    let is_paired = held
        .as_ref()
        .is_some_and(|pair| pair.state == PairState::Paired);
    if !is_paired {
        peer.state = waiting(PeerCause::WayBack, now);
    }
    let fresh = Pair {
        id: wanted.id,
        state: PairState::Offered,
        words: wanted.words.clone(),
        token: None,
        since: now,
        tried: None,
    };
    let mut pair = held.clone().filter(|_| is_paired).unwrap_or(fresh);
    let write = node.store.write()?;
    write.put_peer(&peer)?;
    write.put_pair(&pair)?;
    write.commit()?;
    node.audit(now, actor, "peer add", &peer.id, peer.address.clone())?;
    if is_paired {
        return Ok((peer, pair));
    }
    match offer(node, &mut peer, &mut pair).await {
        Ok(()) => Ok((peer, pair)),
        Err(SyncEnd::Peer(PeerCause::Unreachable | PeerCause::TimedOut | PeerCause::Tls, _)) => {
            Ok((peer, pair))
        }
        Err(end) => {
            put_back(node, wanted.id, before.as_ref(), held.as_ref())?;
            Err(ended(&wanted.name)(end))
        }
    }
}

/// Looks who else is in a folder, and leaves there what the other side needs to find this one.
///
/// # Errors
/// What is wrong with the folder, or that several are there and none was named.
pub fn look_into(
    node: &Node,
    actor: &Actor,
    folder: &Path,
    named: Option<&str>,
) -> Result<Option<InFolder>> {
    must_be_admin(actor, "add a peer")?;
    let found = folder::look(node, folder)?;
    folder::leave_want(node, folder, None)?;
    let mut fits: Vec<InFolder> = found
        .into_iter()
        .filter(|one| {
            named.is_none_or(|text| {
                one.id.to_string().starts_with(text) || one.name.as_deref() == Some(text)
            })
        })
        .collect();
    let one = match fits.len() {
        0 => None,
        1 => Some(fits.remove(0)),
        count => {
            return Err(NodeError::Ambiguous {
                what: "instances",
                name: folder.display().to_string(),
                count,
            });
        }
    };
    if let Some(one) = &one {
        check_wanted(node, one.id)?;
    }
    Ok(one)
}

/// Pairs with who is in a folder. The other side does the same.
///
/// # Errors
/// What is wrong here or in the folder.
pub fn peer_add_folder(
    node: &mut Node,
    actor: &Actor,
    folder: &Path,
    one: &InFolder,
) -> Result<(Peer, Pair)> {
    must_be_admin(actor, "add a peer")?;
    check_wanted(node, one.id)?;
    let _lock = lock(node)?;
    let now = node.now();
    let held = node.store.peer(&one.id)?;
    let name = one.name.clone().unwrap_or_default();
    let mut peer = held.unwrap_or_else(|| new_peer(one.id, &name, "", false, now));
    peer.address = format!("{FOLDER}{}", folder::absolute(folder)?.display());
    peer.state = state_text(&PeerState::new(now));
    let pair = Pair {
        id: one.id,
        state: PairState::Paired,
        words: one.words.clone(),
        token: None,
        since: now,
        tried: None,
    };
    let new = standing_if_new(node, &one.id)?;
    let write = node.store.write()?;
    write.put_identity(&one.log, new, now)?;
    write.put_peer(&peer)?;
    write.put_pair(&pair)?;
    write.commit()?;
    node.audit(now, actor, "peer add", &peer.id, peer.address.clone())?;
    folder::leave_want(node, folder, Some(one.id))?;
    Ok((peer, pair))
}
