//! The table `users`. Handles are settled in `handles`, attributes in `attributes`.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wb_core::limits::NAME_CHARS_MAX;

use super::cells::Shape;
use super::report::Report;
use super::tables::{Expected, Tables};
use super::{LegacyError, LegacyUser, times};

const USERS: Expected = Expected {
    name: "users",
    core: true,
    keys: &["id", "username"],
    label: &["id"],
    secret: false,
    others: &["is_admin", "contact_email", "created_at", "sync_scope"],
};

/// Reads the users, by id.
pub(super) fn read(
    db: &Connection,
    tables: &Tables,
    report: &mut Report,
) -> Result<Vec<LegacyUser>, LegacyError> {
    let mut users = BTreeMap::new();
    tables.read(db, &USERS, report, |cells| {
        let Some(id) = cells.id(&users) else { return };
        let username = cells.text("username", Shape::Line(NAME_CHARS_MAX));
        let user = LegacyUser {
            id,
            handle: String::new(),
            username,
            is_admin: cells.boolean("is_admin", false),
            contact_email: cells.text("contact_email", Shape::PrivateLine),
            created_at: cells.time("created_at", times::fallback()),
            scope: cells.scope(),
            invited_by: None,
            invite_token: None,
            photo: None,
            attributes: Vec::new(),
            too_long: cells.too_long(),
        };
        users.insert(id, user);
    })?;
    Ok(users.into_values().collect())
}
