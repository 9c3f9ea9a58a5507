//! `wb request list` and `show`.

use std::collections::BTreeMap;

use wb_core::id::{InstanceId, RecordRef};
use wb_core::kinds::{Body, To};
use wb_core::scope::{FeedScope, Scope};
use wb_core::time::Timestamp;
use wb_store::{Filter, ListPlace, Newest, RecordRow, Standing, StatusRow};

use super::authors::Authors;
use super::standing::{RequestStatus, contest, fold, request_status, said};
use super::tombstones::{TITLE, erased_request, is_tombstone, thread};
use super::words::words_of;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::view::{Base, RequestView};

/// For how long a request is listed by default whose home does not confirm it any more.
pub const UNCONFIRMED_DAYS_LISTED: i64 = 30;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Until when the newest header of each feed is valid.
type Validity = BTreeMap<(InstanceId, FeedScope), Option<Timestamp>>;

/// Requests shown here, oldest first.
///
/// # Errors
/// What the store reports.
pub fn requests(node: &Node) -> Result<Vec<RequestView>> {
    requests_at(node, node.now())
}

/// The same at a given time.
///
/// # Errors
/// As [`requests`].
pub fn requests_at(node: &Node, now: Timestamp) -> Result<Vec<RequestView>> {
    let validity = node.store.served().validity()?;
    let authors = Authors::load(node)?;
    let filter = Filter {
        kind: Some("request".parse().expect("a kind")),
        hidden_too: true,
        ..Filter::default()
    };
    let mut rows: BTreeMap<RecordRef, Vec<StatusRow>> = BTreeMap::new();
    for row in node.store.status_rows(None)? {
        rows.entry(row.request).or_default().push(row);
    }
    let comments = node.store.comment_counts()?;
    let views = node.store.records(&filter)?.into_iter().filter_map(|row| {
        let rows = rows.get(&row.key).map_or(&[][..], Vec::as_slice);
        let comments = comments.get(&row.key).copied().unwrap_or(0);
        let unconfirmed = unconfirmed(&validity, &row, now);
        listed(&authors, &row, rows, comments, unconfirmed)
    });
    Ok(views.collect())
}

/// A row as a list shows it, with what is said of it; none where it does not.
fn listed(
    authors: &Authors<'_>,
    row: &RecordRow,
    said: &[StatusRow],
    comments: u64,
    unconfirmed: Option<Unconfirmed>,
) -> Option<RequestView> {
    if is_tombstone(row) {
        // Without an answer nothing is left to read.
        return (comments > 0).then(|| erased(authors, row, comments));
    }
    if row.hidden.is_some() {
        return None;
    }
    view(authors, row, &fold(&row.key, said), comments, unconfirmed)
}

/// A part of the list of requests, the newest first.
#[derive(Debug, Default)]
pub struct RequestsPart {
    /// The requests.
    pub rows: Vec<RequestView>,
    /// Where the list goes on; none at its end. There may be fewer rows than were asked for, where many were looked at
    /// that were not wanted.
    pub next: Option<ListPlace>,
}

/// Rows that are looked at for one part of a list; bounds what a page costs where hardly any is wanted.
pub const LOOKED_AT_MAX: u64 = 2_000;
/// Rows that are read at one time for it.
const ROWS_READ: u64 = 100;

/// Requests that are wanted, of one instance or of all, the newest first, from a place on. Costs what it looks at, however
/// many there are.
///
/// # Errors
/// What the store reports.
pub fn requests_part(
    node: &Node,
    origin: Option<InstanceId>,
    after: Option<ListPlace>,
    rows: usize,
    wanted: &dyn Fn(&RequestView) -> bool,
) -> Result<RequestsPart> {
    let (validity, now) = (node.store.served().validity()?, node.now());
    let authors = Authors::of_page(node)?;
    let (mut part, mut after, mut looked_at) = (RequestsPart::default(), after, 0);
    loop {
        let filter = Filter {
            kind: Some("request".parse().expect("a kind")),
            origin,
            newest: Some(Newest {
                after,
                rows: ROWS_READ,
            }),
            hidden_too: true,
            ..Filter::default()
        };
        let read = node.store.records(&filter)?;
        let is_end = (read.len() as u64) < ROWS_READ;
        for row in read {
            let said = node.store.status_rows(Some(&row.key))?;
            let comments = node.store.comment_count(&row.key)?;
            let unconfirmed = unconfirmed(&validity, &row, now);
            let seen = listed(&authors, &row, &said, comments, unconfirmed);
            if let Some(seen) = seen.filter(|seen| wanted(seen)) {
                if part.rows.len() == rows {
                    part.next = after;
                    return Ok(part);
                }
                part.rows.push(seen);
            }
            looked_at += 1;
            after = Some(ListPlace {
                created_at: row.created_at,
                id: row.key.id,
                origin: row.key.origin,
            });
        }
        if is_end {
            return Ok(part);
        }
        if looked_at >= LOOKED_AT_MAX {
            part.next = after;
            return Ok(part);
        }
    }
}

/// One request.
///
/// # Errors
/// That it is not a request or not shown.
pub fn request(node: &Node, key: &RecordRef) -> Result<RequestView> {
    let authors = Authors::of_page(node)?;
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
    let validity = node.store.served().validity()?;
    let found = row.and_then(|row| {
        let unconfirmed = unconfirmed(&validity, row, node.now());
        view(&authors, row, &status, comments, unconfirmed)
    });
    found.ok_or_else(|| NodeError::unknown("request", key.id.to_string()))
}

fn view(
    authors: &Authors<'_>,
    row: &RecordRow,
    status: &RequestStatus,
    comments: u64,
    unconfirmed: Option<Unconfirmed>,
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
        contest: status.contested.then(|| contest(authors, &row.key, status)),
        said: said(authors, &row.key, status),
        unconfirmed_since: unconfirmed.map(|unconfirmed| unconfirmed.since),
        unlisted: unconfirmed.is_some_and(|unconfirmed| unconfirmed.is_old),
        comments,
        erased: false,
    })
}

/// That a request's home does not confirm it any more.
#[derive(Clone, Copy)]
struct Unconfirmed {
    since: Timestamp,
    is_old: bool,
}

/// Whether the newest header of the feed that a request of another instance is in has expired; that of its public feed
/// speaks for one that says nothing about it.
fn unconfirmed(validity: &Validity, row: &RecordRow, now: Timestamp) -> Option<Unconfirmed> {
    if row.standing == Standing::Own {
        return None;
    }
    let feed = FeedScope::ALL
        .into_iter()
        .find(|feed| Scope::from(*feed) == row.scope)?;
    let until = |feed| validity.get(&(row.key.origin, feed)).copied().flatten();
    let since = until(feed).or_else(|| until(FeedScope::Public))?;
    let over_ms = now.unix_ms().saturating_sub(since.unix_ms());
    (over_ms > 0).then_some(Unconfirmed {
        since,
        is_old: over_ms > UNCONFIRMED_DAYS_LISTED * DAY_MS,
    })
}

/// What is left of a request whose author's account was erased: nobody needs anything there.
fn erased(authors: &Authors<'_>, row: &RecordRow, comments: u64) -> RequestView {
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
        contest: None,
        said: Vec::new(),
        unconfirmed_since: None,
        unlisted: false,
        comments,
        erased: true,
    }
}
