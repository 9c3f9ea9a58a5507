//! `wb peer pause` and `wb peer resume`: whether a peer is synced with without being named, and how often
//! by itself.
//!
//! Nothing is lost by a pause: what is published meanwhile waits, and a sync that names the peer goes.

use wb_core::sync::EVERY_MINUTES_MAX;
use wb_store::{Peer, Role};

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// How often a peer is synced with by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// As the node was started (`wb up --sync-every`, or the setting).
    AsStarted,
    /// By hand only.
    ByHand,
    /// Every so many minutes.
    Minutes(u64),
}

impl Every {
    fn minutes(self) -> Option<u64> {
        match self {
            Self::AsStarted => None,
            Self::ByHand => Some(0),
            Self::Minutes(minutes) => Some(minutes),
        }
    }
}

/// Refuses whoever is no admin.
pub(crate) fn must_be_admin(actor: &Actor, act: &'static str) -> Result<()> {
    if actor.role == Role::Admin {
        return Ok(());
    }
    Err(NodeError::Forbidden {
        actor: actor.handle.clone(),
        act,
        why: "that needs an admin",
    })
}

/// Syncs with a peer no more unless it is named.
///
/// # Errors
/// That the actor may not; what the store reports.
pub fn peer_pause(node: &mut Node, actor: &Actor, peer: &Peer) -> Result<()> {
    must_be_admin(actor, "pause syncing")?;
    set_paused(node, peer, true, None)?;
    node.audit(node.now(), actor, "peer pause", &peer.id, peer.name.clone())
}

/// Goes on syncing with a peer, also by itself, and chooses how often where that is given.
///
/// # Errors
/// An interval out of bounds, that the actor may not, that the peer is refused; what the store reports.
pub fn peer_resume(
    node: &mut Node,
    actor: &Actor,
    peer: &Peer,
    every: Option<Every>,
) -> Result<()> {
    must_be_admin(actor, "resume syncing")?;
    super::peer_block::check_not_blocked(node, peer)?;
    if let Some(Every::Minutes(minutes)) = every
        && !(1..=EVERY_MINUTES_MAX).contains(&minutes)
    {
        return Err(NodeError::Refused(format!(
            "{minutes} minutes are not between 1 and {EVERY_MINUTES_MAX}; nothing was changed"
        )));
    }
    set_paused(node, peer, false, every)?;
    let how = match every {
        None => String::new(),
        Some(Every::AsStarted) => "as the node was started".to_owned(),
        Some(Every::ByHand) => "by hand".to_owned(),
        Some(Every::Minutes(minutes)) => format!("every {minutes} minutes"),
    };
    node.audit(node.now(), actor, "peer resume", &peer.id, how)
}

fn set_paused(node: &mut Node, peer: &Peer, paused: bool, every: Option<Every>) -> Result<()> {
    let write = node.store.write()?;
    if write.peer(&peer.id)?.is_none() {
        return Err(NodeError::unknown("hub or peer", peer.id.short()));
    }
    write.set_paused(&peer.id, paused)?;
    if let Some(every) = every {
        write.set_interval(&peer.id, every.minutes())?;
    }
    Ok(write.commit()?)
}
