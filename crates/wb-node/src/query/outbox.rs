//! What waits for a peer, record by record: sealed here, and not confirmed by it.
//!
//! It is worked out from the own feed and from what the peer confirmed, so it cannot be lost by a restart
//! or a crash, and cannot differ from what the next sync gives.

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_store::Peer;

use super::peer_holds::{Of, peer_holds};
use crate::error::Result;
use crate::node::Node;
use crate::view::SCHEMA_VERSION;

/// Records listed; a first sync gives more than anybody reads.
pub const OUTBOX_ROWS_MAX: usize = 10_000;

/// A record that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxView {
    /// Version of this form.
    pub schema_version: u32,
    /// The peer that it waits for.
    pub peer: InstanceId,
    /// The record.
    pub id: RecordId,
    /// Its kind; empty where nothing is known of it here any more.
    pub kind: String,
    /// `put` or `take back`.
    pub action: &'static str,
    /// Its title, or the start of its text.
    pub headline: String,
}

/// What waits for a peer.
///
/// # Errors
/// What the store reports.
pub fn outbox(node: &Node, peer: &Peer) -> Result<Vec<OutboxView>> {
    let mut rows = Vec::new();
    for (of, action) in [(Of::Lacks, "put"), (Of::LacksRetracts, "take back")] {
        let page = peer_holds(node, &peer.id, of, None, OUTBOX_ROWS_MAX)?;
        rows.extend(page.rows.into_iter().map(|row| OutboxView {
            schema_version: SCHEMA_VERSION,
            peer: peer.id,
            id: row.id,
            kind: row.kind,
            action,
            headline: row.headline,
        }));
    }
    Ok(rows)
}
