//! How far what a member writes goes unless they say otherwise.

use wb_core::scope::Scope;

use crate::error::Result;
use crate::node::{Actor, Node};

/// What the actor chose; none where they never did. Nobody else's choice stands in: only an author widens.
///
/// # Errors
/// What the store reports.
pub fn default_scope(node: &Node, actor: &Actor) -> Result<Option<Scope>> {
    Ok(node.store.private().default_scope(&actor.user)?)
}
