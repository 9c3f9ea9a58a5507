//! Who is accepted here: whose invites let newcomers in, and whose redemptions are counted.

use wb_core::id::InstanceId;
use wb_store::Standing;

use crate::error::Result;
use crate::node::Node;

/// Whether an instance is accepted here, which is level 2 or more (spec: trust, levels).
///
/// # Errors
/// What the store reports.
pub(crate) fn is_accepted(node: &Node, id: &InstanceId) -> Result<bool> {
    Ok(node.store.standing(id)? == Some(Standing::Approved))
}
