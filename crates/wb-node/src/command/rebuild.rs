//! `wb rebuild`: makes everything that is shown again from what is stored.

use crate::error::Result;
use crate::levels;
use crate::node::Node;

/// Rebuilds; returns how many records are shown or hidden with a cause.
///
/// # Errors
/// What the store reports; then nothing was changed.
pub fn rebuild(node: &mut Node) -> Result<u64> {
    let write = node.store.write()?;
    let count = wb_store::rebuild(&write)?;
    write.forget_plan()?;
    write.commit()?;
    levels::settle(node)?;
    Ok(count)
}
