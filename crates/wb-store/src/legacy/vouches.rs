//! The table `vouches`.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::cells::Shape;
use super::known::Known;
use super::problem::What;
use super::report::Report;
use super::tables::{Expected, Tables};
use super::{LegacyError, LegacyVouch};

const VOUCHES: Expected = Expected {
    name: "vouches",
    core: false,
    keys: &["id", "voucher_user_id", "subject_user_id"],
    label: &["id"],
    secret: false,
    others: &["signature", "created_at"],
};

/// Why a vouch between people who are not there does not move.
const NOBODY: &str = "one of their two users is not in the file";
/// Why a vouch for oneself does not move.
const ONESELF: &str = "nobody can vouch for themselves";

/// Reads the vouches, by id. One that lacks either side says nothing.
pub(super) fn read(
    db: &Connection,
    tables: &Tables,
    users: &Known,
    report: &mut Report,
) -> Result<Vec<LegacyVouch>, LegacyError> {
    let mut vouches = BTreeMap::new();
    tables.read(db, &VOUCHES, report, |cells| {
        let Some(id) = cells.id(&vouches) else { return };
        let voucher = match users.find(cells, "voucher_user_id") {
            Ok(voucher) => voucher,
            Err(what) => return cells.leave(what, NOBODY),
        };
        let subject = match users.find(cells, "subject_user_id") {
            Ok(subject) => subject,
            Err(what) => return cells.leave(what, NOBODY),
        };
        if voucher == subject {
            return cells.leave(
                What::SelfReference {
                    column: "subject_user_id",
                },
                ONESELF,
            );
        }
        let signature = cells.text("signature", Shape::PrivateLines);
        let later = users.time(Some(voucher)).max(users.time(Some(subject)));
        let created_at = cells.time("created_at", later);
        vouches.insert(
            id,
            LegacyVouch {
                id,
                voucher,
                subject,
                signature,
                created_at,
            },
        );
    })?;
    Ok(vouches.into_values().collect())
}
