//! `wb user login-link`: a link that lets a member in once, for whoever has no browser left that is in.

use wb_core::id::Hash;
use wb_store::{Account, AccountState, Role};
use zeroize::Zeroizing;

use super::session::{begin, tell_let_in};
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

/// Whom a link would let in. Looking uses nothing up.
///
/// # Errors
/// That it lets nobody in (any more).
pub fn login_link_owner(node: &Node, link: &Hash) -> Result<Account> {
    let private = node.store.private();
    let account = match private.login_link(link, node.now())? {
        Some(user) => private.account_of(&user)?,
        None => None,
    };
    account
        .filter(|account| account.state == AccountState::Approved)
        .ok_or_else(|| NodeError::unknown("link", "to log in"))
}

/// Uses a link up: this browser is in, and the member's other browsers are told.
///
/// # Errors
/// That it lets nobody in (any more).
pub fn login_link_use(node: &Node, link: &Hash, label: &str) -> Result<Zeroizing<String>> {
    let (account, now) = (login_link_owner(node, link)?, node.now());
    node.store.private().together(|private| {
        if !private.use_login_link(link, now)? {
            return Err(NodeError::unknown("link", "to log in"));
        }
        let secret = begin(private, &account, label, now)?;
        let session = secret::name(&secret);
        tell_let_in(
            private,
            &account,
            &session,
            label,
            "by a link to log in",
            now,
        )?;
        Ok(secret)
    })
}
