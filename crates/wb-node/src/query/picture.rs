//! The picture of a profile: the address that it names, and what was fetched from there.

use wb_core::id::RecordRef;
use wb_store::KeptPicture;

use super::users::user;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// What the log of what was done calls a profile: an own one by its id alone, as everything else does that was done
/// about a member, so that it goes with them.
pub(crate) fn picture_target(node: &Node, key: &RecordRef) -> String {
    if key.origin == node.own_id() {
        return key.id.to_string();
    }
    format!("{}/{}", key.origin, key.id)
}

/// The address of a picture that a shown profile names.
///
/// # Errors
/// That there is no such profile, or that it is not shown.
pub fn named(node: &Node, actor: &Actor, key: &RecordRef) -> Result<Option<String>> {
    let name = format!("{}/{}", key.origin, key.id);
    let profile = user(node, actor, &name)?;
    if profile.base.hidden.is_some() {
        return Err(NodeError::unknown("user", name));
    }
    Ok(profile.avatar)
}

/// The picture that is kept of a shown profile; none where nobody asked to see it.
///
/// # Errors
/// That there is no such profile, or that it is not shown.
pub fn picture(node: &Node, actor: &Actor, key: &RecordRef) -> Result<Option<KeptPicture>> {
    let address = named(node, actor, key)?;
    let kept = node.store.picture(key)?;
    Ok(kept.filter(|kept| Some(&kept.address) == address.as_ref()))
}
