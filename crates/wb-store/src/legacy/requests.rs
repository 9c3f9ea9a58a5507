//! The table `help_requests`.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wb_core::limits::{TEXT_CHARS_MAX, TITLE_CHARS_MAX};

use super::cells::{Cells, Shape};
use super::known::Known;
use super::report::Report;
use super::tables::{Expected, Tables};
use super::{LegacyError, LegacyRequest, LegacyStatus};

const REQUESTS: Expected = Expected {
    name: "help_requests",
    core: true,
    keys: &["id"],
    label: &["id"],
    secret: false,
    others: &[
        "title",
        "description",
        "status",
        "contact_email",
        "created_by_user_id",
        "created_at",
        "updated_at",
        "completed_at",
        "sync_scope",
    ],
};

const STATUSES: [(&str, LegacyStatus); 4] = [
    ("draft", LegacyStatus::Draft),
    ("pending", LegacyStatus::Pending),
    ("open", LegacyStatus::Open),
    ("completed", LegacyStatus::Completed),
];

/// Reads the requests, by id.
pub(super) fn read(
    db: &Connection,
    tables: &Tables,
    users: &Known,
    report: &mut Report,
) -> Result<Vec<LegacyRequest>, LegacyError> {
    let mut requests = BTreeMap::new();
    tables.read(db, &REQUESTS, report, |cells| {
        let Some(id) = cells.id(&requests) else {
            return;
        };
        requests.insert(id, read_one(cells, id, users));
    })?;
    Ok(requests.into_values().collect())
}

fn read_one(cells: &mut Cells<'_>, id: i64, users: &Known) -> LegacyRequest {
    let title = cells.text("title", Shape::Line(TITLE_CHARS_MAX));
    let description = cells.text("description", Shape::Lines(TEXT_CHARS_MAX));
    let status = cells.word("status", &STATUSES).unwrap_or_else(|| {
        cells.unknown_status();
        LegacyStatus::Pending
    });
    let contact_email = cells.text("contact_email", Shape::PrivateLine);
    let creator = users.author(cells, "created_by_user_id");
    // What a row says elsewhere is nearer to the truth than when its author joined.
    let other = cells
        .peek_time("updated_at")
        .or_else(|| cells.peek_time("completed_at"));
    let created_at = cells.time("created_at", other.unwrap_or_else(|| users.time(creator)));
    let updated_at = cells.time("updated_at", created_at);
    LegacyRequest {
        id,
        title: title.filter(|title| !title.trim().is_empty()),
        description: description.unwrap_or_default(),
        status,
        contact_email,
        creator,
        created_at,
        updated_at,
        completed_at: cells.maybe_time("completed_at", updated_at),
        scope: cells.scope(),
        too_long: cells.too_long(),
    }
}
