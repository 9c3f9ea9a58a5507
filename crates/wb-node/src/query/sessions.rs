//! `wb session list`: browsers that are in, and those that wait.

use serde::Serialize;
use wb_core::time::Timestamp;
use wb_store::SessionRow;

use crate::error::Result;
use crate::node::{Actor, Node};
use crate::view::SCHEMA_VERSION;

/// A browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Version of this form.
    pub schema_version: u32,
    /// Whose it is, or under which handle it waits.
    pub handle: String,
    /// `in` or `waits`.
    pub state: &'static str,
    /// The browser in words, as it describes itself.
    pub browser: String,
    /// Since when.
    pub since: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// Until when, if it is not used.
    pub ends_at: Timestamp,
}

/// The own browsers, and for stewards all that wait.
///
/// # Errors
/// What the store reports.
pub fn sessions(node: &Node, actor: &Actor) -> Result<Vec<SessionView>> {
    let (now, private) = (node.now(), node.store.private());
    let of = (!actor.is_steward()).then_some(actor.handle.as_str());
    let waiting = private.sessions_waiting(of, now)?;
    let own = private.sessions_of(&actor.user, now)?;
    let rows = waiting.into_iter().chain(own);
    Ok(rows.map(SessionView::of).collect())
}

impl SessionView {
    pub(crate) fn of(row: SessionRow) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            state: if row.user.is_some() { "in" } else { "waits" },
            handle: row.handle,
            browser: row.label,
            since: row.created_at,
            seen_at: row.seen_at,
            ends_at: row.ends_at,
        }
    }
}
