//! `wb comment list`.

use wb_core::id::RecordRef;
use wb_core::kinds::Body;
use wb_store::Filter;

use super::authors::Authors;
use super::letters;
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
    let (authors, rows) = match request {
        Some(request) => (Authors::of_page(node)?, thread(node, &request)?),
        None => {
            let filter = Filter {
                kind: Some("comment".parse().expect("a kind")),
                ..Filter::default()
            };
            (Authors::load(node)?, node.store.records(&filter)?)
        }
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
                letter: None,
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
            letter: None,
        })
    });
    let mut views: Vec<CommentView> = views.collect();
    letters::on_sent(node, &mut views)?;
    // What came by letter and was not published is shown here alone.
    views.extend(letters::replies(node, request.as_ref())?);
    Ok(views)
}
