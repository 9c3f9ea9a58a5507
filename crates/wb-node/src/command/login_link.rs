//! `wb user login-link`: a link that lets a member in once, for whoever has no browser left that is in.

use wb_store::{AccountState, Role};
use zeroize::Zeroizing;

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::secret;

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
    let (secret, now) = (secret::fresh(), node.now());
    let ends = now.plus_ms(LINK_MINUTES * 60 * 1_000);
    private.put_login_link(&secret::name(&secret), &account.user, now, ends)?;
    node.audit(now, actor, "user login-link", &account.user, handle)?;
    Ok(secret)
}
