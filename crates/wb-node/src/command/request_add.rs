//! `wb request add`: asks for help.

use wb_core::id::RecordId;
use wb_core::kinds::{Body, Request, check_text, check_title};
use wb_core::scope::Scope;

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// What is asked.
#[derive(Debug, Clone)]
pub struct RequestAdd<'a> {
    /// In a few words.
    pub title: &'a str,
    /// In full.
    pub description: &'a str,
    /// How far it may go.
    pub scope: Scope,
}

/// Adds a request. Nothing leaves before something is published.
///
/// # Errors
/// What is wrong with the texts.
pub fn request_add(node: &mut Node, actor: &Actor, input: &RequestAdd<'_>) -> Result<RecordId> {
    check_title(input.title).map_err(NodeError::text("title"))?;
    check_text(input.description).map_err(NodeError::text("description"))?;
    let now = node.now();
    let id = entropy::record_id(now);
    let body = Body::Request(Request {
        title: input.title.to_owned(),
        description: input.description.to_owned(),
        created_at: now,
        #[cfg(feature = "next-schema")]
        urgency: None,
    });
    let write = node.store.write()?;
    write.put_local(&local(
        id,
        &body,
        Some(actor.user),
        input.scope,
        node.own,
        now,
    ))?;
    write.commit()?;
    node.audit(
        now,
        actor,
        "request add",
        &id,
        format!("scope {}", input.scope),
    )?;
    Ok(id)
}
