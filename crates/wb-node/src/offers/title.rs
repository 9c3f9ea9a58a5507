//! What an offer is about, in words, and who asked.

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::Body;
use wb_core::leave::Life;
use wb_store::{Filter, LocalRecord};

use crate::error::Result;
use crate::node::Node;
use crate::query::words_of;

/// The title of a request that is shown here.
pub(crate) fn title(node: &Node, request: &RecordRef) -> Result<Option<String>> {
    let filter = Filter {
        origin: Some(request.origin),
        id: Some(request.id),
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    let row = rows.first().filter(|row| row.kind.as_str() == "request");
    let words = row.and_then(|row| {
        words_of(row, |body| match body {
            Body::Request(request) => Some(request),
            _ => None,
        })
    });
    Ok(words.map(|words| words.title))
}

/// A request as a part of a sentence.
pub(crate) fn named(node: &Node, request: &RecordRef) -> Result<String> {
    Ok(match title(node, request)? {
        Some(title) => format!("\u{201c}{title}\u{201d}"),
        None => "a request that is not shown here any more".to_owned(),
    })
}

/// An own request that is there, with its author; none where nobody can answer for it.
pub(crate) fn author_of(
    node: &Node,
    request: &RecordRef,
) -> Result<Option<(RecordId, LocalRecord)>> {
    if request.origin != node.own_id() {
        return Ok(None);
    }
    let record = node.store.local(&request.id)?;
    let record =
        record.filter(|record| record.kind.as_str() == "request" && record.life == Life::Active);
    Ok(record.and_then(|record| Some((record.author?, record))))
}
