//! `wb comment add`: answers a request, here or of another instance.

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{BadText, Body, Comment, check_text};
use wb_core::scope::Scope;
use wb_store::Filter;

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Adds a comment to a request that is shown here.
///
/// # Errors
/// What is wrong with the text, or that the request is not shown.
pub fn comment_add(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    text: &str,
    scope: Scope,
) -> Result<RecordId> {
    check(node, request, text)?;
    let id = entropy::record_id(node.now());
    write_comment(node, actor, id, request, text, scope)?;
    Ok(id)
}

/// Whether a request can be answered with a text.
pub(super) fn check(node: &Node, request: &RecordRef, text: &str) -> Result<()> {
    check_text(text).map_err(NodeError::text("body"))?;
    if text.trim().is_empty() {
        return Err(NodeError::Text {
            field: "body",
            source: BadText::Empty,
        });
    }
    let filter = Filter {
        origin: Some(request.origin),
        id: Some(request.id),
        ..Filter::default()
    };
    let shown = node.store.records(&filter)?;
    if !shown.iter().any(|row| row.kind.as_str() == "request") {
        return Err(NodeError::unknown("request", request.id.to_string()));
    }
    Ok(())
}

/// Writes a comment that was checked.
pub(super) fn write_comment(
    node: &mut Node,
    actor: &Actor,
    id: RecordId,
    request: &RecordRef,
    text: &str,
    scope: Scope,
) -> Result<()> {
    let now = node.now();
    let body = Body::Comment(Comment {
        request: *request,
        body: text.to_owned(),
        created_at: now,
    });
    let write = node.store.write()?;
    write.put_local(&local(id, &body, Some(actor.user), scope, node.own, now))?;
    write.commit()?;
    node.audit(
        now,
        actor,
        "comment add",
        &id,
        format!("on {}, scope {scope}", request.id),
    )
}
