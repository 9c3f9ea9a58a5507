//! `wb comment list`.

use wb_core::id::RecordRef;
use wb_core::kinds::Body;
use wb_store::Filter;

use super::authors::Authors;
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
        let body = row.body.as_deref().unwrap_or_default();
        let Ok(Body::Comment(comment)) = Body::read(&row.kind, 1, row.key.origin, body) else {
            return None;
        };
        Some(CommentView {
            base: authors.base(row),
            request: comment.request,
            body: comment.body,
        })
    });
    Ok(views.collect())
}
