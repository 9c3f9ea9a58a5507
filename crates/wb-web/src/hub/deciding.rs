//! A decision of a moderator, from the words to what members are given: the same for pages and commands.
//!
//! The rules are elsewhere: whether it may be decided is the hub's (`wb-hub`), how it is said is its own instance's
//! (`wb-node`), and neither knows the other. The order is: looked at, sealed by the instance, carried into what the hub
//! relays and heeded there. Whoever is interrupted between leaves a notice that is sealed and not heeded yet; the next
//! decision, and every round of a hub that runs, carries it.

use wb_core::notice::Deciding;
use wb_core::sync::Visibility;
use wb_core::time::Timestamp;
use wb_hub::{
    CarryRefused, HubNotices, HubStore, ModerateError, Registering, StoreProblem, would_decide,
};
use wb_node::command::notice_say::{card_body, has_notices, notice_say};
use wb_node::sync::{SyncEnd, to_carry};
use wb_node::{Actor, Node, NodeError};

/// Why nothing was decided, or why what was sealed is not heeded yet.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// It may not be decided.
    #[error(transparent)]
    Moderate(#[from] ModerateError),
    /// The hub's own instance could not say it.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The hub's file reports something.
    #[error(transparent)]
    Store(#[from] StoreProblem),
    /// The hub's file does not take what its own instance sealed.
    #[error(transparent)]
    Carry(#[from] CarryRefused),
}

/// Decides something: it is sealed, and holds when this returns.
///
/// # Errors
/// Why nothing was decided; after `Carry` or `Store` it is sealed, and heeded with the next round.
pub async fn decide<S: HubStore + HubNotices>(
    store: &S,
    node: &mut Node,
    actor: &Actor,
    deciding: &Deciding,
    now: Timestamp,
) -> Result<(), DecideError> {
    would_decide(store, actor.role, deciding, now).await?;
    let notices = store.notices(now).await?;
    let highest = notices.first().map_or(0, |row| row.said.notice.n);
    notice_say(node, actor, deciding, highest)?;
    carry(store, node, now).await?;
    Ok(())
}

/// Carries what the hub's own instance sealed into what the hub relays, where it ever said anything as a hub. Returns
/// whether there was something to carry.
///
/// # Errors
/// What stands in the way.
pub async fn carry<S: HubNotices>(
    store: &S,
    node: &Node,
    now: Timestamp,
) -> Result<bool, DecideError> {
    if !has_notices(node)? {
        return Ok(false);
    }
    let held = store.own_heads(node.own_id()).await?;
    let pages = to_carry(node, &held).map_err(|end| match end {
        SyncEnd::Local(error) => DecideError::Node(error),
        SyncEnd::Peer(_, detail) => CarryRefused(detail).into(),
        SyncEnd::NotFetched => unreachable!("nothing is rehearsed here"),
    })?;
    if pages.is_empty() {
        return Ok(false);
    }
    let hub = Registering {
        identity: node.identity().clone(),
        name: node.name().to_owned(),
        card: card_body(node)?,
        visibility: Visibility::Unlisted,
        code: None,
        counter: 0,
    };
    store.carry(hub, pages, now).await??;
    Ok(true)
}
