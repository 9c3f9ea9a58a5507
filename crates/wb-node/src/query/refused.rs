//! Whom this instance refuses, peers and others.

use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;
use wb_store::Standing;

use super::peers::label;
use crate::error::Result;
use crate::node::Node;
use crate::view::SCHEMA_VERSION;

/// An instance that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedView {
    /// Version of this form.
    pub schema_version: u32,
    /// Its id.
    pub id: InstanceId,
    /// Its name, or the first digits of its id.
    pub name: String,
    /// Whether it is a hub or peer of this node as well.
    pub is_peer: bool,
    /// Since when; null where that was not noted.
    pub since: Option<Timestamp>,
}

/// Whom this instance refuses, by name.
///
/// # Errors
/// What the store reports.
pub fn refused(node: &Node) -> Result<Vec<RefusedView>> {
    let (peers, noted) = (node.store.peers()?, node.store.refusals()?);
    let known = node.store.instances()?.into_iter();
    let refused = known.filter(|instance| instance.standing == Standing::Blocked);
    let refused = refused.map(|instance| {
        let peer = peers.iter().find(|peer| peer.id == instance.id);
        let noted = noted.iter().find(|refusal| refusal.id == instance.id);
        let name = noted.filter(|refusal| !refusal.name.is_empty());
        let name = name.map_or_else(|| instance.label(), |refusal| refusal.name.clone());
        RefusedView {
            schema_version: SCHEMA_VERSION,
            id: instance.id,
            name: peer.map_or(name, |peer| label(&peer.name, &peer.id)),
            is_peer: peer.is_some(),
            since: noted.map(|refusal| refusal.at),
        }
    });
    Ok(refused.collect())
}
