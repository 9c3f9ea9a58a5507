//! `wb user add`: makes an account and its profile.

use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::{Body, User, check_name};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState, LocalRecord, Role};

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Who is added.
#[derive(Debug, Clone)]
pub struct UserAdd<'a> {
    /// The handle, unique whatever the case of its letters.
    pub handle: &'a str,
    /// The name shown.
    pub display_name: Option<&'a str>,
    /// About the member.
    pub bio: Option<&'a str>,
    /// What the account may do.
    pub role: Role,
    /// A contact that stays private.
    pub email: Option<&'a str>,
}

/// Adds a member; only an admin can.
///
/// # Errors
/// What is wrong with the names, that the handle is taken, or that the actor may not.
pub fn user_add(node: &mut Node, actor: &Actor, input: &UserAdd<'_>) -> Result<RecordId> {
    if actor.role != Role::Admin {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "add members",
            why: "only an admin adds members without an invite",
        });
    }
    check_handle(input.handle)?;
    if node.store.private().account(input.handle)?.is_some() {
        return Err(NodeError::HandleTaken(input.handle.to_owned()));
    }
    let now = node.now();
    let user = entropy::record_id(now);
    let mut record = profile_record(user, input.handle, node.own_id(), now);
    let profile = User {
        handle: Some(input.handle.to_owned()),
        display_name: input.display_name.map(str::to_owned),
        bio: input.bio.map(str::to_owned),
        home: Some(node.own_id()),
        ..User::default()
    };
    let body = Body::User(profile);
    body.check(node.own_id())
        .map_err(NodeError::text("profile"))?;
    record.body = serde_json::to_string(&body).expect("a body has string keys and serialises");
    // The record first: an account without one could not be shown, a record without one is harmless.
    let write = node.store.write()?;
    write.put_local(&record)?;
    write.commit()?;
    let private = node.store.private();
    private.put_account(&Account {
        user,
        handle: input.handle.to_owned(),
        state: AccountState::Approved,
        role: input.role,
        created_at: now,
    })?;
    if let Some(email) = input.email {
        private.put_contact(&user, "email", email)?;
    }
    node.audit(
        now,
        actor,
        "user add",
        &user,
        format!("added {}", input.handle),
    )?;
    Ok(user)
}

/// A handle: a name without white space that does not start with a dash, so that it can be typed.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_handle(handle: &str) -> Result<()> {
    check_name(handle).map_err(NodeError::text("handle"))?;
    if handle.chars().any(char::is_whitespace) || handle.starts_with('-') {
        return Err(NodeError::Refused(format!(
            "`{handle}` cannot be a handle: it has white space in it or starts with a dash"
        )));
    }
    Ok(())
}

pub(crate) fn profile_record(
    user: RecordId,
    handle: &str,
    home: InstanceId,
    now: Timestamp,
) -> LocalRecord {
    let profile = User {
        handle: Some(handle.to_owned()),
        home: Some(home),
        ..User::default()
    };
    local(
        user,
        &Body::User(profile),
        Some(user),
        Scope::Private,
        home,
        now,
    )
}
