//! `wb bundle want`: says what is held here, signed, so that the next bundle brings only the rest.

use std::path::Path;

use wb_core::bundle::Speaks;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::want::{Held, Want};

use crate::error::{NodeError, Result};
use crate::node::Node;

/// Writes a want file; returns how many feeds it lists.
///
/// # Errors
/// What the store or the disk reports.
pub fn bundle_want(node: &Node, file: &Path) -> Result<usize> {
    let feeds = node
        .store
        .served()
        .feeds()?
        .into_iter()
        .filter(|feed| feed.held.scope == FeedScope::Public);
    let feeds: Vec<Held> = feeds.map(|feed| feed.held).collect();
    let count = feeds.len();
    let want = Want::new(node.identity(), Speaks::this(), feeds);
    let mut bytes = Vec::new();
    put_line(&mut bytes, &want.sign(&node.signer()?));
    for entry in node.identity().entries() {
        put_line(&mut bytes, &entry.line);
    }
    std::fs::write(file, bytes).map_err(NodeError::file(file))?;
    Ok(count)
}
