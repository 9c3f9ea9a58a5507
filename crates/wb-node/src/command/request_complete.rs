//! `wb request complete` and `reopen`: says at home where a request stands.

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{Body, Status, To, check_text};
use wb_core::scope::Scope;

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::{own_record, request_status};

/// Completes an own request; its author or a steward can. Returns the id of the status event.
///
/// # Errors
/// That it is another instance's, that it is completed already, or that the actor may not.
pub fn request_complete(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    note: Option<&str>,
) -> Result<RecordId> {
    put(node, actor, request, To::Completed, note)
}

/// Opens an own request again; its author or a steward can. Returns the id of the status event.
///
/// # Errors
/// That it is another instance's, that it is open, or that the actor may not.
pub fn request_reopen(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    note: Option<&str>,
) -> Result<RecordId> {
    put(node, actor, request, To::Open, note)
}

fn put(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    to: To,
    note: Option<&str>,
) -> Result<RecordId> {
    let (act, is_already) = match to {
        To::Open => ("reopen", "the request is open already"),
        _ => ("complete", "the request is completed already"),
    };
    let record = own_record(node, request, "request")?;
    if record.author != Some(actor.user) && !actor.is_steward() {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: match to {
                To::Open => "reopen this request",
                _ => "complete this request",
            },
            why: "its author or a steward does that",
        });
    }
    if let Some(note) = note {
        check_text(note).map_err(NodeError::text("note"))?;
    }
    let status = request_status(node, request)?;
    if status.value == to && !status.contested {
        return Err(NodeError::Refused(is_already.to_owned()));
    }
    let now = node.now();
    let id = entropy::record_id(now);
    let event = Status {
        request: *request,
        to,
        n: status.home_n + 1,
        note: note.map(str::to_owned),
        heard: (!status.heard.is_empty()).then_some(status.heard),
        after: None,
    };
    put_status(node, actor, id, event, now)?;
    node.audit(now, actor, &format!("request {act}"), &request.id, "")?;
    Ok(id)
}

/// Writes a status event. It goes as far as its request does, so its own scope is the widest.
fn put_status(
    node: &mut Node,
    actor: &Actor,
    id: RecordId,
    event: Status,
    now: wb_core::time::Timestamp,
) -> Result<()> {
    let body = Body::Status(event);
    let write = node.store.write()?;
    write.put_local(&local(
        id,
        &body,
        Some(actor.user),
        Scope::Public,
        node.own,
        now,
    ))?;
    Ok(write.commit()?)
}
