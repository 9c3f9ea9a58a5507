//! What stands in a thread in the place of somebody's words after their account was erased.

use wb_core::id::RecordRef;
use wb_core::leave::Stays;
use wb_core::scope::By;
use wb_core::show::Cause;
use wb_store::{Filter, NO_WORDS, RecordRow, Standing};

use crate::error::Result;
use crate::node::Node;

/// Stands where a request was.
pub(crate) const TITLE: &str = "A request that was erased";

/// Whether a row is what is left of a record whose author's account was erased.
pub(crate) fn is_tombstone(row: &RecordRow) -> bool {
    row.standing == Standing::Own
        && row.hidden.as_deref() == Some(Stays::Deleted.as_str())
        && row.by == Some(By::Instance)
        && row.body.as_deref() == Some(NO_WORDS)
}

/// The comments of a request, as its thread shows them: where the request or one of them was erased, the others
/// stay readable, with a tombstone in the gap.
///
/// # Errors
/// What the store reports.
pub(crate) fn thread(node: &Node, request: &RecordRef) -> Result<Vec<RecordRow>> {
    let filter = Filter {
        kind: Some("comment".parse().expect("a kind")),
        parent: Some(*request),
        hidden_too: true,
        ..Filter::default()
    };
    let is_erased = erased_request(node, request)?.is_some();
    let hidden_with_it = Cause::ParentNotShown.as_str();
    let mut rows = node.store.records(&filter)?;
    rows.retain(|row| match row.hidden.as_deref() {
        None => true,
        Some(cause) => is_tombstone(row) || (is_erased && cause == hidden_with_it),
    });
    for row in &mut rows {
        if row.hidden.as_deref() == Some(hidden_with_it) {
            row.hidden = None;
        }
    }
    Ok(rows)
}

/// What is left of an own request, where it was erased.
///
/// # Errors
/// What the store reports.
pub(crate) fn erased_request(node: &Node, request: &RecordRef) -> Result<Option<RecordRow>> {
    let filter = Filter {
        origin: Some(request.origin),
        id: Some(request.id),
        kind: Some("request".parse().expect("a kind")),
        hidden_too: true,
        ..Filter::default()
    };
    let mut rows = node.store.records(&filter)?;
    rows.retain(is_tombstone);
    Ok(rows.pop())
}
