//! `wb user export`: everything held about a member, given out; that it was is noted, and shows in the member's log.

use crate::error::Result;
use crate::node::{Actor, Node};
use crate::query::member_data::{MemberData, member_data};

/// Everything about one account: one's own, or as an admin anybody's.
///
/// # Errors
/// That the actor may not, or that there is no such account.
pub fn user_export(node: &Node, actor: &Actor, handle: &str) -> Result<MemberData> {
    let data = member_data(node, actor, handle)?;
    // Before it is given: nobody gets it unseen.
    node.audit_before(node.now(), actor, "user export", &data.account.id, "")?;
    Ok(data)
}
