//! Taking an invite: an account for whoever holds its link.
//!
//! The use is counted in the same transaction that makes the account, so that an invite for one never
//! admits two.

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{Body, User};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState, AuditRow, InviteRow, Role};

use super::user_add::{check_handle, profile_record};
use crate::entropy;
use crate::erasing::is_reserved;
use crate::error::{NodeError, Result};
use crate::node::Node;

/// What a newcomer says.
#[derive(Debug, Clone)]
pub struct InviteTake<'a> {
    /// The secret of the link.
    pub token: &'a str,
    /// The handle wanted.
    pub handle: &'a str,
    /// The name shown.
    pub display_name: Option<&'a str>,
    /// About the newcomer.
    pub bio: Option<&'a str>,
    /// A contact that stays private.
    pub email: Option<&'a str>,
    /// How far what the newcomer writes goes unless they say otherwise.
    pub default_scope: Scope,
}

/// The invite of a link, where it still admits anyone.
///
/// # Errors
/// What the store reports.
pub fn open_invite(node: &Node, token: &str) -> Result<Option<InviteRow>> {
    let found = node.store.private().invite_by_token(token)?;
    Ok(found.filter(|invite| invite.is_open(node.now())))
}

/// Makes the account of a newcomer: approved at once where the invite says so, else waiting for a
/// steward.
///
/// # Errors
/// That the invite is over, the handle taken, or what is wrong with the texts. Nothing was used up then.
pub fn invite_take(node: &mut Node, input: &InviteTake<'_>) -> Result<Account> {
    check_handle(input.handle)?;
    let now = node.now();
    let invite = open_invite(node, input.token)?.ok_or_else(over)?;
    if node.store.private().account(input.handle)?.is_some() || is_reserved(node, input.handle)? {
        return Err(NodeError::HandleTaken(input.handle.to_owned()));
    }
    let user = entropy::record_id(now);
    let own = node.own_id();
    let newcomer = Newcomer {
        handle: input.handle,
        display_name: input.display_name,
        bio: input.bio,
        inviter: invite.created_by.map(|id| RecordRef { origin: own, id }),
    };
    put_profile(node, user, &newcomer, now)?;
    let state = if admits_at_once(node, &invite.record)? {
        AccountState::Approved
    } else {
        AccountState::Pending
    };
    let account = Account {
        user,
        handle: input.handle.to_owned(),
        state,
        role: Role::Member,
        created_at: now,
    };
    let audit = AuditRow {
        at: now,
        actor: Some(user),
        act: "invite take".to_owned(),
        target: invite.record.to_string(),
        detail: input.handle.to_owned(),
    };
    node.store.private().together(|private| {
        // Looked at again: another browser may have come first.
        let invite = private.invite(&invite.record)?;
        let mut invite = invite
            .filter(|invite| invite.is_open(now))
            .ok_or_else(over)?;
        invite.uses += 1;
        private.put_invite(&invite)?;
        private.put_account(&account)?;
        if let Some(email) = input.email {
            private.put_contact(&user, "email", email)?;
        }
        private.put_default_scope(&user, input.default_scope)?;
        private.audit(&audit)?;
        Ok::<_, NodeError>(())
    })?;
    Ok(account)
}

/// What the profile of a newcomer says.
pub(super) struct Newcomer<'a> {
    /// The handle.
    pub handle: &'a str,
    /// The name shown.
    pub display_name: Option<&'a str>,
    /// About the newcomer.
    pub bio: Option<&'a str>,
    /// The profile of who invited; it leaves only where its owner shares that field.
    pub inviter: Option<RecordRef>,
}

/// The record first, and private: without an account nobody sees it.
pub(super) fn put_profile(
    node: &mut Node,
    user: RecordId,
    input: &Newcomer<'_>,
    now: Timestamp,
) -> Result<()> {
    let own = node.own_id();
    let body = Body::User(User {
        handle: Some(input.handle.to_owned()),
        display_name: input.display_name.map(str::to_owned),
        bio: input.bio.map(str::to_owned),
        home: Some(own),
        inviter: input.inviter,
        ..User::default()
    });
    body.check(own).map_err(NodeError::text("profile"))?;
    let mut record = profile_record(user, input.handle, own, now);
    record.scope = Scope::Private;
    record.body = serde_json::to_string(&body).expect("a body has string keys and serialises");
    let write = node.store.write()?;
    write.put_local(&record)?;
    Ok(write.commit()?)
}

fn admits_at_once(node: &Node, record: &RecordId) -> Result<bool> {
    let Some(record) = node.store.local(record)? else {
        return Ok(false);
    };
    let body = Body::read(&record.kind, 1, node.own_id(), &record.body);
    Ok(matches!(body, Ok(Body::Invite(invite)) if invite.auto_approve))
}

fn over() -> NodeError {
    NodeError::Refused(
        "this invitation is over: it was used, has ended or was switched off; ask who gave it to you for another"
            .to_owned(),
    )
}
