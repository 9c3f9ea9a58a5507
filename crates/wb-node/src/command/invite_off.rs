//! `wb invite off`: an invite admits nobody any more, neither here nor elsewhere.

use wb_core::id::RecordRef;
use wb_store::InviteRow;

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Switches an invite off for good. True where it was on. Where it was shared, the next publish takes it back, and its
/// code is worth nothing from now on.
///
/// # Errors
/// That there is no such invite here, or that the actor may not.
pub fn invite_off(node: &Node, actor: &Actor, invite: &RecordRef) -> Result<bool> {
    let unknown = || NodeError::unknown("invite of this community", invite.id.to_string());
    if invite.origin != node.own_id() {
        return Err(unknown());
    }
    let now = node.now();
    let was_on = node.store.private().together(|private| {
        let row = private.invite(&invite.id)?.ok_or_else(unknown)?;
        if row.created_by != Some(actor.user) && !actor.is_steward() {
            return Err(NodeError::Forbidden {
                actor: actor.handle.clone(),
                act: "switch this invite off",
                why: "only who made it does, or a steward",
            });
        }
        if row.disabled {
            return Ok(false);
        }
        private.put_invite(&InviteRow {
            disabled: true,
            ..row
        })?;
        Ok(true)
    })?;
    if was_on {
        node.audit(now, actor, "invite off", &invite.id, "")?;
    }
    Ok(was_on)
}
