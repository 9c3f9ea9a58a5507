//! The table `request_comments`.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wb_core::limits::TEXT_CHARS_MAX;

use super::cells::Shape;
use super::known::Known;
use super::report::Report;
use super::tables::{Expected, Tables};
use super::{LegacyComment, LegacyError, LegacyRequest};

const COMMENTS: Expected = Expected {
    name: "request_comments",
    core: false,
    keys: &["id", "help_request_id"],
    label: &["id"],
    secret: false,
    others: &["user_id", "body", "created_at", "deleted_at", "sync_scope"],
};

/// Reads the comments, by id. One on a request that is not there has no place to go.
pub(super) fn read(
    db: &Connection,
    tables: &Tables,
    users: &Known,
    requests: &[LegacyRequest],
    report: &mut Report,
) -> Result<Vec<LegacyComment>, LegacyError> {
    let requests = Known::requests(requests);
    let mut comments = BTreeMap::new();
    tables.read(db, &COMMENTS, report, |cells| {
        let Some(id) = cells.id(&comments) else {
            return;
        };
        let request = match requests.find(cells, "help_request_id") {
            Ok(request) => request,
            Err(what) => return cells.leave(what, "their request is not in the file"),
        };
        let author = users.author(cells, "user_id");
        let body = cells
            .text("body", Shape::Lines(TEXT_CHARS_MAX))
            .unwrap_or_default();
        let created_at = cells.time("created_at", requests.time(Some(request)));
        let deleted_at = cells.maybe_time("deleted_at", created_at);
        let scope = cells.scope();
        let too_long = cells.too_long();
        comments.insert(
            id,
            LegacyComment {
                id,
                request,
                author,
                body,
                created_at,
                deleted_at,
                scope,
                too_long,
            },
        );
    })?;
    Ok(comments.into_values().collect())
}
