//! `wb comment list`.

use wb_core::id::RecordRef;
use wb_core::kinds::Body;
use wb_store::Filter;

use super::authors::Authors;
use super::words::words_of;
use crate::error::Result;
use crate::node::Node;
use crate::view::CommentView;

/// Comments shown here, oldest first; of one request when it is named.
///
/// # Errors
/// What the store reports.
pub fn comments(node: &Node, request: Option<RecordRef>) -> Result<Vec<CommentView>> {
    let authors = Authors::load(node)?;
    let filter = Filter {
        kind: Some("comment".parse().expect("a kind")),
        parent: request,
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    let views = rows.iter().filter_map(|row| {
        let comment = words_of(row, |body| match body {
            Body::Comment(comment) => Some(comment),
            _ => None,
        })?;
        Some(CommentView {
            base: authors.base(row),
            request: comment.request,
            body: comment.body,
        })
    });
    Ok(views.collect())
}
