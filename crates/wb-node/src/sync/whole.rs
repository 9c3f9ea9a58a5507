//! A feed of this node as a snapshot in memory, for whoever no delta leads on (spec: sync, push).

use wb_core::feed::SnapshotWriter;
use wb_core::id::RecordId;
use wb_core::limits::{CHUNK_ITEMS_MAX, SYNC_BODY_BYTES_MAX};
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::sync::PeerCause;
use wb_store::StoreError;

use super::SyncEnd;
use crate::node::Node;

/// The lines of a snapshot of an own feed and how many records are live in it; `None` when nothing was sealed.
///
/// # Errors
/// What the store reports, and a feed that does not fit into one body.
pub(super) fn own_snapshot(
    node: &Node,
    scope: FeedScope,
) -> Result<Option<(Vec<u8>, u64)>, SyncEnd> {
    let served = node.store.served();
    let Some(rows) = served.snapshot(&node.own_id(), scope)? else {
        return Ok(None);
    };
    let mut body = Vec::new();
    put_line(&mut body, &SnapshotWriter::totals(&rows.totals));
    put_line(&mut body, &rows.head);
    if let Some(first) = &rows.first {
        put_line(&mut body, first);
    }
    for chunk in rows.chain.chunks(CHUNK_ITEMS_MAX) {
        put_line(&mut body, &SnapshotWriter::chain(chunk));
    }
    served.each_live(&rows, |item| -> Result<(), StoreError> {
        // What is too long is not gathered: it is refused below.
        if body.len() <= SYNC_BODY_BYTES_MAX {
            put_line(&mut body, item);
        }
        Ok(())
    })?;
    let mut pairs: Vec<(RecordId, u64)> = Vec::new();
    served.each_retracted(&rows, |id, rev| -> Result<(), StoreError> {
        pairs.push((id, rev));
        Ok(())
    })?;
    for chunk in pairs.chunks(CHUNK_ITEMS_MAX) {
        put_line(&mut body, &SnapshotWriter::retracted(chunk));
    }
    if body.len() > SYNC_BODY_BYTES_MAX {
        return Err(SyncEnd::Peer(
            PeerCause::TooLarge,
            "it needs the whole feed anew, and that is more than one request may hold; ask its operator to import a bundle"
                .to_owned(),
        ));
    }
    Ok(Some((body, rows.totals.live)))
}
