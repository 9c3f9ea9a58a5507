//! Ending a session that was not used for some hours, where so little is granted.

use wb_core::id::Hash;

use crate::error::Result;
use crate::node::Node;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Ends a session that was last used so many hours ago, or more; returns whether it was. Use is noted once
/// an hour, so that up to an hour less may be granted.
///
/// # Errors
/// What the store reports.
pub fn session_end_idle(node: &Node, session: &Hash, hours: i64) -> Result<bool> {
    let (now, private) = (node.now(), node.store.private());
    let Some(row) = private.session(session, now)? else {
        return Ok(false);
    };
    let is_idle = now.unix_ms() - row.seen_at.unix_ms() >= hours * HOUR_MS;
    Ok(is_idle && private.end_session(session)?)
}
