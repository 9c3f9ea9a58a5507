//! `wb request list` and `show`.

use std::collections::BTreeMap;

use wb_core::hash;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::kinds::{Body, To};
use wb_core::scope::Scope;
use wb_core::status::Said;
use wb_store::{Filter, RecordRow, StatusRow};

use super::authors::Authors;
use super::tombstones::{TITLE, erased_request, is_tombstone, thread};
use super::words::words_of;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::view::{Base, RequestView};

/// What a request is, and what its home would say next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStatus {
    /// What it is shown as.
    pub value: To,
    /// Whether home and helpers disagree.
    pub contested: bool,
    /// Events its home has counted.
    pub home_n: u64,
    /// The latest event of each named helper that is known here.
    pub heard: BTreeMap<InstanceId, u64>,
}

/// Merges everything said about the state of a request.
///
/// # Errors
/// What the store reports.
pub fn request_status(node: &Node, request: &RecordRef) -> Result<RequestStatus> {
    Ok(fold(request, &node.store.status_rows(Some(request))?))
}

/// Merges what the rows of one request say.
fn fold(request: &RecordRef, rows: &[StatusRow]) -> RequestStatus {
    let mut said = Said::default();
    for row in rows {
        // An event that was not sealed yet has no line to hash; its body stands in, so that it counts
        // here and nobody else can answer it.
        let line_hash = row
            .line_hash
            .unwrap_or_else(|| hash::sha256(row.body.as_bytes()));
        if let Ok(body) = Body::read(&row.kind, 1, row.origin, &row.body) {
            said.add(request.origin, row.origin, body, line_hash);
        }
    }
    let shown = said.shown();
    let heard = said.named.iter().filter_map(|helper| {
        let latest = said.others.get(helper)?.iter().map(|event| event.n).max()?;
        Some((*helper, latest))
    });
    RequestStatus {
        value: shown.value,
        contested: shown.contested,
        home_n: said.home.iter().map(|event| event.n).max().unwrap_or(0),
        heard: heard.collect(),
    }
}

/// Requests shown here, oldest first.
///
/// # Errors
/// What the store reports.
pub fn requests(node: &Node) -> Result<Vec<RequestView>> {
    let authors = Authors::load(node)?;
    let filter = Filter {
        kind: Some("request".parse().expect("a kind")),
        hidden_too: true,
        ..Filter::default()
    };
    let mut said: BTreeMap<RecordRef, Vec<StatusRow>> = BTreeMap::new();
    for row in node.store.status_rows(None)? {
        said.entry(row.request).or_default().push(row);
    }
    let comments = node.store.comment_counts()?;
    let views = node.store.records(&filter)?.into_iter().filter_map(|row| {
        let said = said.get(&row.key).map_or(&[][..], Vec::as_slice);
        let comments = comments.get(&row.key).copied().unwrap_or(0);
        if is_tombstone(&row) {
            // Without an answer nothing is left to read.
            return (comments > 0).then(|| erased(&authors, &row, comments));
        }
        if row.hidden.is_some() {
            return None;
        }
        view(&authors, &row, &fold(&row.key, said), comments)
    });
    Ok(views.collect())
}

/// One request.
///
/// # Errors
/// That it is not a request or not shown.
pub fn request(node: &Node, key: &RecordRef) -> Result<RequestView> {
    let authors = Authors::load(node)?;
    let filter = Filter {
        origin: Some(key.origin),
        id: Some(key.id),
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    let comments = thread(node, key)?.len() as u64;
    if rows.is_empty()
        && let Some(row) = erased_request(node, key)?
    {
        return Ok(erased(&authors, &row, comments));
    }
    let status = request_status(node, key)?;
    let row = rows.first().filter(|row| row.kind.as_str() == "request");
    let found = row.and_then(|row| view(&authors, row, &status, comments));
    found.ok_or_else(|| NodeError::unknown("request", key.id.to_string()))
}

fn view(
    authors: &Authors,
    row: &RecordRow,
    status: &RequestStatus,
    comments: u64,
) -> Option<RequestView> {
    let request = words_of(row, |body| match body {
        Body::Request(request) => Some(request),
        _ => None,
    })?;
    Some(RequestView {
        base: authors.base(row),
        title: request.title,
        description: request.description,
        status: status.value,
        contested: status.contested,
        comments,
        erased: false,
    })
}

/// What is left of a request whose author's account was erased: nobody needs anything there.
fn erased(authors: &Authors, row: &RecordRow, comments: u64) -> RequestView {
    RequestView {
        base: Base {
            hidden: None,
            scope: Scope::Private,
            ..authors.base(row)
        },
        title: TITLE.to_owned(),
        description: String::new(),
        status: To::Cancelled,
        contested: false,
        comments,
        erased: true,
    }
}
