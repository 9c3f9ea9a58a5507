//! `wb user login-link`: a link that lets a member in once, for whoever has no browser left that is in.

use wb_core::id::Hash;
use wb_core::time::Timestamp;
use wb_store::{AccountState, Role};
use zeroize::Zeroizing;

use super::session::session_of;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Minutes that a link works.
pub const LINK_MINUTES: i64 = 30;

/// Makes a link's secret for a member. Only its hash is kept here.
///
/// # Errors
/// That the actor is no admin, or that there is no such member.
pub fn login_link(node: &Node, actor: &Actor, handle: &str) -> Result<Zeroizing<String>> {
    if actor.role != Role::Admin {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "make links that let somebody in",
            why: "that needs an admin",
        });
    }
    let private = node.store.private();
    let account = private.account(handle)?;
    let account = account
        .filter(|account| account.state == AccountState::Approved)
        .ok_or_else(|| NodeError::unknown("user", handle))?;
    let secret = Zeroizing::new(Hash(*entropy::bytes()).to_string());
    let now = node.now();
    let ends = now.unix_ms().saturating_add(LINK_MINUTES * 60 * 1_000);
    let ends = Timestamp::from_unix_ms(ends).unwrap_or(now);
    private.put_login_link(&session_of(&secret), &account.user, now, ends)?;
    node.audit(now, actor, "user login-link", &account.user, handle)?;
    Ok(secret)
}
