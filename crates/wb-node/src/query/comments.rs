//! `wb comment list`.

use wb_core::id::RecordRef;
use wb_core::kinds::Body;
use wb_store::Filter;

use super::authors::Authors;
use super::tombstones::{is_tombstone, thread};
use super::words::words_of;
use crate::error::Result;
use crate::node::Node;
use crate::view::{Base, CommentView};

/// Comments shown here, oldest first; of one request when it is named, with a tombstone where one was erased.
///
/// # Errors
/// What the store reports.
pub fn comments(node: &Node, request: Option<RecordRef>) -> Result<Vec<CommentView>> {
    let authors = Authors::load(node)?;
    let rows = match request {
        Some(request) => thread(node, &request)?,
        None => node.store.records(&Filter {
            kind: Some("comment".parse().expect("a kind")),
            ..Filter::default()
        })?,
    };
    let views = rows.iter().filter_map(|row| {
        if is_tombstone(row) {
            return Some(CommentView {
                base: Base {
                    hidden: None,
                    ..authors.base(row)
                },
                request: row.parent?,
                body: String::new(),
                erased: true,
            });
        }
        let comment = words_of(row, |body| match body {
            Body::Comment(comment) => Some(comment),
            _ => None,
        })?;
        Some(CommentView {
            base: authors.base(row),
            request: comment.request,
            body: comment.body,
            erased: false,
        })
    });
    Ok(views.collect())
}
