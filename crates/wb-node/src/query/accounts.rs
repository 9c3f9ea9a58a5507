//! Accounts with their browsers, for who looks after them.

use wb_core::id::RecordId;
use wb_core::time::Timestamp;
use wb_store::{AccountState, Role, SessionRow};

use crate::error::Result;
use crate::node::{Actor, Node};

/// An account.
#[derive(Debug, Clone)]
pub struct AccountView {
    /// Its user record.
    pub user: RecordId,
    /// Its handle.
    pub handle: String,
    /// What it may do.
    pub role: Role,
    /// Where it stands.
    pub state: AccountState,
    /// Since when.
    pub since: Timestamp,
    /// Its browsers that are in.
    pub sessions: Vec<SessionRow>,
    /// Browsers that wait under its handle.
    pub waiting: Vec<SessionRow>,
    /// Whether the actor may let in and end its browsers.
    pub is_in_care: bool,
}

/// All accounts, those first for which a browser waits.
///
/// # Errors
/// What the store reports.
pub fn accounts(node: &Node, actor: &Actor) -> Result<Vec<AccountView>> {
    let (now, private) = (node.now(), node.store.private());
    let waiting = private.sessions_waiting(None, now)?;
    let mut views = Vec::new();
    for account in private.accounts()? {
        if account.state == AccountState::Gone {
            continue;
        }
        let waits = waiting
            .iter()
            .filter(|row| row.handle.eq_ignore_ascii_case(&account.handle));
        views.push(AccountView {
            user: account.user,
            waiting: waits.cloned().collect(),
            sessions: private.sessions_of(&account.user, now)?,
            since: account.created_at,
            state: account.state,
            role: account.role,
            is_in_care: account.role != Role::Admin || actor.role == Role::Admin,
            handle: account.handle,
        });
    }
    views.sort_by_key(|view| (view.waiting.is_empty(), view.handle.to_lowercase()));
    Ok(views)
}
