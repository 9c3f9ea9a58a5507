//! `wb request complete`, `reopen` and `cancel`: says where a request stands.

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::To;

use super::status_say::say;
use crate::error::Result;
use crate::node::{Actor, Node};

/// Says that help was given. Returns the id of the status event.
///
/// # Errors
/// That it is completed already, or that the actor may not say it.
pub fn request_complete(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    note: Option<&str>,
) -> Result<RecordId> {
    say(node, actor, request, To::Completed, note)
}

/// Says that help is needed after all. Returns the id of the status event.
///
/// # Errors
/// That it is open, or that the actor may not say it.
pub fn request_reopen(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    note: Option<&str>,
) -> Result<RecordId> {
    say(node, actor, request, To::Open, note)
}

/// Says that help is not needed any more, although none was given; only of an own request. Returns the id of the status
/// event.
///
/// # Errors
/// That it is cancelled already, that it is another instance's, or that the actor may not say it.
pub fn request_cancel(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    note: Option<&str>,
) -> Result<RecordId> {
    say(node, actor, request, To::Cancelled, note)
}
