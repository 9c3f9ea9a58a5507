//! Record by record, what a hub or peer holds of this instance, as it confirmed, and what it lacks: the same that
//! is counted where it stands with each.

use std::collections::BTreeSet;

use wb_core::id::{InstanceId, RecordId};
use wb_core::leave::Life;

use super::peers::{label, lacking, moved, own_deltas};
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::plan::headline;

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Records it holds as they are now.
    Has,
    /// Records put since it confirmed last.
    Lacks,
    /// Records taken back since then.
    LacksRetracts,
}

/// Some records, in the order in which they were first written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldsPage {
    /// The name of the peer.
    pub name: String,
    /// How many there are in all.
    pub total: usize,
    /// The records.
    pub rows: Vec<HeldRow>,
    /// The record after which more follow; none where there are none.
    pub more: Option<RecordId>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// Its id.
    pub id: RecordId,
    /// Its kind; empty where nothing is known of it here any more.
    pub kind: String,
    /// Its title, or the start of its text.
    pub headline: String,
    /// Whether it has a page here.
    pub is_request: bool,
}

/// The first of them, or those after one: what is added meanwhile moves nothing to another page.
///
/// # Errors
/// That there is no such peer; what the store reports.
pub fn peer_holds(
    node: &Node,
    peer: &InstanceId,
    of: Of,
    after: Option<RecordId>,
    rows_max: usize,
) -> Result<HoldsPage> {
    let peer = node
        .store
        .peer(peer)?
        .ok_or_else(|| NodeError::unknown("hub or peer", peer.short()))?;
    let ids = match lacking(node, &peer)? {
        // What it confirmed cannot be compared with what is here.
        None => BTreeSet::new(),
        Some(lacking) => match of {
            Of::Has => {
                let mut deltas = own_deltas(node)?;
                // What is lacking is the end of them. A delta sealed since then is at the end, too.
                if let Some(first) = lacking.first() {
                    deltas.retain(|delta| delta.seq < first.seq);
                }
                moved(node, &deltas)?.live
            }
            Of::Lacks => moved(node, &lacking)?.puts,
            Of::LacksRetracts => moved(node, &lacking)?.retracts,
        },
    };
    let total = ids.len();
    let mut rest = ids
        .into_iter()
        .filter(|id| after.is_none_or(|after| *id > after));
    let shown: Vec<RecordId> = rest.by_ref().take(rows_max).collect();
    let more = shown.last().copied().filter(|_| rest.next().is_some());
    let rows = shown.into_iter().map(|id| row(node, id));
    Ok(HoldsPage {
        name: label(&peer.name, &peer.id),
        total,
        rows: rows.collect::<Result<_>>()?,
        more,
    })
}

fn row(node: &Node, id: RecordId) -> Result<HeldRow> {
    let Some(record) = node.store.local(&id)? else {
        return Ok(HeldRow {
            id,
            kind: String::new(),
            headline: String::new(),
            is_request: false,
        });
    };
    let kind = record.kind.as_str();
    Ok(HeldRow {
        id,
        headline: headline(kind, &record.body),
        is_request: kind == "request" && record.life != Life::Deleted,
        kind: kind.to_owned(),
    })
}
