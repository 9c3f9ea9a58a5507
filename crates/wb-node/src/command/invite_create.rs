//! `wb invite create`: makes an invite.

use wb_core::id::RecordId;
use wb_core::kinds::{Body, Invite, Personalisation};
use wb_core::limits::BODY_BYTES_MAX;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::InviteRow;

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// What the invite is like.
#[derive(Debug, Clone, Default)]
pub struct InviteCreate {
    /// How many people it admits; none for no limit.
    pub max_uses: Option<u64>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether who uses it is a member at once.
    pub auto_approve: bool,
    /// A name offered to the newcomer.
    pub suggested_handle: Option<String>,
    /// A text offered for the newcomer's profile; it stays home.
    pub suggested_bio: Option<String>,
    /// What makes it personal.
    pub personalisation: Option<Personalisation>,
}

/// Makes an invite. Its token is the secret of its link at home and never leaves.
///
/// # Errors
/// What is wrong with its texts.
pub fn invite_create(
    node: &mut Node,
    actor: &Actor,
    input: &InviteCreate,
) -> Result<(RecordId, String)> {
    let now = node.now();
    let id = entropy::record_id(now);
    let body = Body::Invite(Invite {
        share_code: entropy::token(),
        max_uses: input.max_uses,
        expires_at: input.expires_at,
        auto_approve: input.auto_approve,
        suggested_handle: input.suggested_handle.clone(),
        personalisation: input.personalisation.clone(),
    });
    body.check(node.own_id())
        .map_err(NodeError::text("invite"))?;
    if serde_json::to_string(&body).map_or(0, |text| text.len()) > BODY_BYTES_MAX {
        return Err(NodeError::Refused(
            "the texts of the invite are too long together; shorten the examples".to_owned(),
        ));
    }
    if let Some(bio) = &input.suggested_bio {
        wb_core::kinds::check_text(bio).map_err(NodeError::text("suggested bio"))?;
    }
    let token = entropy::token().to_string();
    let write = node.store.write()?;
    write.put_local(&local(
        id,
        &body,
        Some(actor.user),
        Scope::Private,
        node.own,
        now,
    ))?;
    write.commit()?;
    node.store.private().put_invite(&InviteRow {
        record: id,
        token: token.clone(),
        created_by: Some(actor.user),
        created_at: now,
        expires_at: input.expires_at,
        max_uses: input.max_uses,
        uses: 0,
        disabled: false,
        suggested_bio: input.suggested_bio.clone(),
        photo_path: None,
    })?;
    node.audit(now, actor, "invite create", &id, "")?;
    Ok((id, token))
}
