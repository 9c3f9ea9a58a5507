//! `wb follow` and `wb unfollow`: whom this instance follows, at which hub.
//!
//! The list is kept here and sent with the next sync, which compares its hash with the hub's.

use std::collections::BTreeSet;

use wb_core::id::InstanceId;
use wb_core::sync::Role;
use wb_store::{Peer, Standing};

use super::peer_block::is_blocked;
use crate::error::{NodeError, Result};
use crate::levels;
use crate::node::{Actor, Node};

/// What is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One instance.
    Instance(InstanceId),
    /// Everybody a hub lists.
    All,
}

/// Reads `INSTANCE` or `HUB/*`: which hub is meant where one is named, and what is followed.
///
/// # Errors
/// That nothing of that name is known.
pub fn read_target(node: &Node, text: &str) -> Result<(Option<Peer>, Target)> {
    if let Some(hub) = text.strip_suffix("/*") {
        return Ok((Some(find_peer(node, hub)?), Target::All));
    }
    if let Ok(id) = text.parse() {
        return Ok((None, Target::Instance(id)));
    }
    let known = node.store.instances()?.into_iter();
    let fits: Vec<_> = known
        .filter(|instance| instance.standing != Standing::Own)
        .filter(|instance| {
            instance.name.as_deref() == Some(text) || instance.id.to_string().starts_with(text)
        })
        .collect();
    match fits.as_slice() {
        [one] => Ok((None, Target::Instance(one.id))),
        [] => Err(NodeError::unknown("instance", text)),
        more => Err(NodeError::Ambiguous {
            what: "instances",
            name: text.to_owned(),
            count: more.len(),
        }),
    }
}

/// Finds a hub or peer by its name, its address, or the start of its id.
///
/// # Errors
/// That nothing fits, or more than one.
pub fn find_peer(node: &Node, text: &str) -> Result<Peer> {
    let peers = node.store.peers()?.into_iter();
    let mut fits: Vec<Peer> = peers
        .filter(|peer| {
            peer.name == text
                || peer.address.trim_end_matches('/') == text.trim_end_matches('/')
                || (text.len() >= 4 && peer.id.to_string().starts_with(text))
        })
        .collect();
    match fits.len() {
        1 => Ok(fits.remove(0)),
        0 => Err(NodeError::unknown("hub or peer", text)),
        count => Err(NodeError::Ambiguous {
            what: "hubs and peers",
            name: text.to_owned(),
            count,
        }),
    }
}

/// The hubs that a change of the list concerns: the one named, else all.
fn hubs(node: &Node, named: Option<Peer>) -> Result<Vec<Peer>> {
    if let Some(peer) = named {
        return Ok(vec![peer]);
    }
    // A node gives its own feed and no other: it is accepted, not followed.
    let mut peers = node.store.peers()?;
    peers.retain(|peer| peer.role == Role::Hub);
    if peers.is_empty() {
        return Err(NodeError::Refused(
            "this instance is registered at no hub; `wb join HUB` does that".to_owned(),
        ));
    }
    Ok(peers)
}

/// Follows from now on. An instance that is named is thereby approved by hand; whoever comes under `*`
/// is held until somebody follows it by name.
///
/// # Errors
/// What the store reports, or that there is no hub.
pub fn follow(
    node: &mut Node,
    actor: &Actor,
    hub: Option<Peer>,
    target: &Target,
) -> Result<Vec<Peer>> {
    if let Target::Instance(id) = target
        && is_blocked(node, id)?
    {
        return Err(NodeError::Refused(format!(
            "{} is refused here, and that beats following it; `wb peer forget --refusal {}` lifts it",
            id.short(),
            id.short()
        )));
    }
    change(node, actor, hub, "follow", target, |peer| match target {
        Target::All => {
            peer.follows.all = true;
        }
        Target::Instance(id) => peer.follows.add(*id),
    })
}

/// What unfollowing did.
#[derive(Debug)]
pub struct Unfollowed {
    /// The hubs whose list changed.
    pub hubs: Vec<Peer>,
    /// Records whose words were removed here, because nobody would tell any more when they are taken back.
    pub emptied: u64,
}

/// Follows no longer. The records of an instance that is followed nowhere any more are emptied: whoever
/// follows it again, or imports a bundle, has them again.
///
/// # Errors
/// As [`follow`].
pub fn unfollow(
    node: &mut Node,
    actor: &Actor,
    hub: Option<Peer>,
    target: &Target,
) -> Result<Unfollowed> {
    let hubs = change(node, actor, hub, "unfollow", target, |peer| match target {
        Target::All => {
            peer.follows.all = false;
            peer.follows.except.clear();
        }
        Target::Instance(id) => peer.follows.remove(*id),
    })?;
    let mut emptied = 0;
    if let Target::Instance(id) = target {
        let peers = node.store.peers()?;
        // Who is a peer tells itself what it takes back.
        let tells = |peer: &Peer| peer.follows.follows(id, true) || peer.id == *id;
        if !peers.iter().any(tells) {
            let write = node.store.write()?;
            emptied = write.empty_feeds(id)?;
            write.commit()?;
            node.store.forget_erased()?;
        }
    }
    Ok(Unfollowed { hubs, emptied })
}

/// Follows everybody a hub lists, those accepted by name.
///
/// # Errors
/// As [`follow`].
pub fn accept_all(
    node: &mut Node,
    actor: &Actor,
    hub: Peer,
    accepted: &BTreeSet<InstanceId>,
) -> Result<Vec<Peer>> {
    change(node, actor, Some(hub), "follow", &Target::All, |peer| {
        peer.follows.all = true;
        for id in accepted {
            peer.follows.add(*id);
        }
    })
}

fn change(
    node: &mut Node,
    actor: &Actor,
    hub: Option<Peer>,
    act: &'static str,
    target: &Target,
    edit: impl Fn(&mut Peer),
) -> Result<Vec<Peer>> {
    let now = node.now();
    let own = node.own_id();
    if *target == Target::Instance(own) {
        return Err(NodeError::Refused(
            "this instance need not follow itself".to_owned(),
        ));
    }
    let named = match hub {
        // As it is now: it may have changed since it was looked up.
        Some(peer) => Some(node.store.peer(&peer.id)?.unwrap_or(peer)),
        None => None,
    };
    let mut changed = hubs(node, named)?;
    let write = node.store.write()?;
    for peer in &mut changed {
        let before = peer.follows.clone();
        edit(peer);
        peer.follows
            .check()
            .map_err(|error| NodeError::Refused(error.to_string()))?;
        if peer.follows != before {
            peer.follows.counter += 1;
            // A feed newly followed starts by snapshot: heads are compared with the next sync.
            peer.cursor = None;
            write.put_peer(peer)?;
        }
        if act == "follow" {
            for id in &peer.follows.follow {
                write.approve(id)?;
            }
        }
    }
    write.commit()?;
    // Who is accepted now vouches for others.
    levels::settle(node)?;
    let what = match target {
        Target::All => "*".to_owned(),
        Target::Instance(id) => id.to_string(),
    };
    for peer in &changed {
        node.audit(now, actor, act, &peer.id, what.clone())?;
    }
    Ok(changed)
}
