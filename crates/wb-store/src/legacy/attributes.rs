//! The table `user_attributes`: three keys have a place in [`LegacyUser`], the others stay attributes.
//!
//! What cannot be given its meaning stays an attribute too, so that nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use wb_core::limits::ADDRESS_CHARS_MAX;

use super::cells::{Cells, Shape, UNNAMED};
use super::problem::{Consequence, What};
use super::report::Report;
use super::tables::{Expected, Tables};
use super::{LegacyAttribute, LegacyError, LegacyInvite, LegacyUser};

const ATTRIBUTES: Expected = Expected {
    name: "user_attributes",
    core: false,
    keys: &["user_id", "key"],
    label: &["user_id", "key"],
    secret: false,
    others: &["value"],
};

/// Reads the attributes into the users, who are in order of id.
pub(super) fn read(
    db: &Connection,
    tables: &Tables,
    users: &mut [LegacyUser],
    invites: &[LegacyInvite],
    report: &mut Report,
) -> Result<(), LegacyError> {
    let places: BTreeMap<i64, usize> = users
        .iter()
        .enumerate()
        .map(|(place, user)| (user.id, place))
        .collect();
    let tokens: BTreeSet<&str> = invites.iter().map(|invite| invite.token.as_str()).collect();
    tables.read(db, &ATTRIBUTES, report, |cells| {
        let place = cells.number("user_id").and_then(|id| places.get(&id));
        let Some(user) = place.map(|place| &mut users[*place]) else {
            let to = cells.shown("user_id");
            let what = What::Dangling {
                column: "user_id",
                to_table: "users",
                to,
            };
            return cells.leave(what, "their user is not in the file");
        };
        let Some(key) = cells.text("key", Shape::PrivateLine) else {
            return cells.leave(
                What::BadId {
                    column: "key",
                    found: String::new(),
                },
                UNNAMED,
            );
        };
        if !place_known(cells, user, &key, &places, &tokens) {
            let value = cells.text("value", Shape::PrivateLines);
            user.attributes.push(LegacyAttribute { key, value });
        }
    })?;
    for user in users {
        user.attributes.sort();
    }
    Ok(())
}

/// Whether the attribute found its place in the user.
fn place_known(
    cells: &mut Cells<'_>,
    user: &mut LegacyUser,
    key: &str,
    places: &BTreeMap<i64, usize>,
    tokens: &BTreeSet<&str>,
) -> bool {
    if cells.is_null("value") {
        return false;
    }
    let what = match key {
        "invited_by_user_id" if user.invited_by.is_none() => {
            let column = "invited_by_user_id";
            match cells.number("value") {
                Some(id) if id == user.id => What::SelfReference { column },
                Some(id) if places.contains_key(&id) => {
                    user.invited_by = Some(id);
                    return true;
                }
                _ => What::Dangling {
                    column,
                    to_table: "users",
                    to: cells.shown("value"),
                },
            }
        }
        "invite_token_used" if user.invite_token.is_none() => {
            let token = cells.peek_text("value");
            if tokens.contains(token.as_str()) {
                user.invite_token = Some(token);
                return true;
            }
            // A token may be good elsewhere, so little of it is shown.
            let (column, to_table) = ("invite_token_used", "invite_tokens");
            What::Dangling {
                column,
                to_table,
                to: cells.masked("value"),
            }
        }
        "profile_photo_url" if user.photo.is_none() => {
            user.photo = cells.text("value", Shape::Line(ADDRESS_CHARS_MAX));
            user.too_long |= cells.too_long();
            return true;
        }
        _ => return false,
    };
    cells.problem(what, Consequence::KeptAsAttribute);
    false
}
