//! The private address of a member's feed reader, as its owner sees it.

use wb_core::id::RecordId;
use wb_core::time::Timestamp;
use zeroize::Zeroizing;

use crate::command::feed_link::secret_of;
use crate::error::Result;
use crate::node::Node;

/// An address.
#[derive(Debug, Clone)]
pub struct FeedLinkView {
    /// Its secret.
    pub secret: Zeroizing<String>,
    /// Since when.
    pub made_at: Timestamp,
    /// When a reader asked last.
    pub used_at: Option<Timestamp>,
}

/// The address of a member; none where none was made.
///
/// # Errors
/// What the store reports.
pub fn feed_link(node: &Node, user: &RecordId) -> Result<Option<FeedLinkView>> {
    let Some(row) = node.store.private().feed_link_of(user)? else {
        return Ok(None);
    };
    Ok(Some(FeedLinkView {
        secret: secret_of(node, user, row.made_at)?,
        made_at: row.made_at,
        used_at: row.used_at,
    }))
}
