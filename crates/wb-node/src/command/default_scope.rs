//! How far what a member writes goes unless they say otherwise. It changes nothing that is written already.

use wb_core::scope::Scope;

use crate::error::Result;
use crate::node::{Actor, Node};

/// Keeps the actor's choice.
///
/// # Errors
/// What the store reports.
pub fn default_scope_set(node: &Node, actor: &Actor, scope: Scope) -> Result<()> {
    node.store.private().put_default_scope(&actor.user, scope)?;
    let detail = format!("scope {scope}");
    node.audit(node.now(), actor, "default share", &actor.user, detail)
}
