//! Putting away a picture that was fetched: the profile shows a link again.

use wb_core::id::RecordRef;

use crate::error::Result;
use crate::node::{Actor, Node};
use crate::query::picture::picture_target;

/// Drops the picture that is kept of a profile, for everybody here. Where there is none nothing happens.
///
/// # Errors
/// What the store reports.
pub fn picture_away(node: &mut Node, actor: &Actor, key: &RecordRef) -> Result<()> {
    let now = node.now();
    let write = node.store.write()?;
    let was_there = write.drop_picture(key)?;
    write.commit()?;
    if !was_there {
        return Ok(());
    }
    // Its bytes must not stay behind in the log file.
    node.store.forget_erased()?;
    node.audit(now, actor, "picture away", &picture_target(node, key), "")
}
