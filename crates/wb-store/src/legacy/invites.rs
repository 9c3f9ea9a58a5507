//! The tables `invite_tokens` and `invite_personalizations`.
//!
//! An invite is a key to the door: what is unreadable about it closes it.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wb_core::limits::{ADDRESS_CHARS_MAX, LIST_ITEMS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX};

use super::cells::{Cells, Shape, UNNAMED};
use super::known::Known;
use super::problem::{Consequence, What};
use super::report::Report;
use super::tables::{Expected, Tables};
use super::{LegacyError, LegacyInvite, LegacyPersonalisation};

const INVITES: Expected = Expected {
    name: "invite_tokens",
    core: false,
    keys: &["token"],
    label: &["token"],
    secret: true,
    others: &[
        "created_by_user_id",
        "created_at",
        "expires_at",
        "max_uses",
        "use_count",
        "disabled",
        "auto_approve",
        "suggested_username",
        "suggested_bio",
        "sync_scope",
    ],
};

const PERSONAL: Expected = Expected {
    name: "invite_personalizations",
    core: false,
    keys: &["token"],
    label: &["token"],
    secret: true,
    others: &[
        "photo_url",
        "gratitude_note",
        "support_message",
        "help_examples",
        "fun_details",
        "created_at",
    ],
};

type Invites = BTreeMap<String, LegacyInvite>;

/// Reads the invites, by token.
pub(super) fn read(
    db: &Connection,
    tables: &Tables,
    users: &Known,
    report: &mut Report,
) -> Result<Vec<LegacyInvite>, LegacyError> {
    let mut invites = Invites::new();
    tables.read(db, &INVITES, report, |cells| {
        let token = cells.text("token", Shape::PrivateLine).unwrap_or_default();
        let column = "token";
        if token.trim().is_empty() {
            cells.leave(
                What::BadId {
                    column,
                    found: String::new(),
                },
                UNNAMED,
            );
        } else if invites.contains_key(&token) {
            cells.leave(What::DuplicateId { column }, UNNAMED);
        } else {
            invites.insert(token.clone(), read_one(cells, token, users));
        }
    })?;
    tables.read(db, &PERSONAL, report, |cells| {
        read_personal(cells, &mut invites);
    })?;
    Ok(invites.into_values().collect())
}

fn read_one(cells: &mut Cells<'_>, token: String, users: &Known) -> LegacyInvite {
    // Invites made on the command line have no creator, so that alone is nothing odd.
    let creator = match users.find(cells, "created_by_user_id") {
        Ok(id) => Some(id),
        Err(what) => {
            if !cells.is_null("created_by_user_id") {
                cells.problem(what, Consequence::KeptWithoutAuthor);
            }
            None
        }
    };
    let created_at = cells.time("created_at", users.time(creator));
    let max_uses = cells.count("max_uses", 1, 1, 0);
    LegacyInvite {
        token,
        creator,
        created_at,
        expires_at: cells.maybe_time("expires_at", created_at),
        max_uses,
        use_count: cells.count("use_count", 0, 0, max_uses),
        disabled: cells.boolean("disabled", true),
        auto_approve: cells.boolean("auto_approve", false),
        suggested_username: cells.text("suggested_username", Shape::Line(NAME_CHARS_MAX)),
        suggested_bio: cells.text("suggested_bio", Shape::PrivateLines),
        scope: cells.scope(),
        personalisation: None,
        too_long: cells.too_long(),
    }
}

fn read_personal(cells: &mut Cells<'_>, invites: &mut Invites) {
    let token = cells.peek_text("token");
    let Some(invite) = invites.get_mut(&token) else {
        let (column, to_table) = ("token", "invite_tokens");
        let what = What::Dangling {
            column,
            to_table,
            to: cells.masked("token"),
        };
        return cells.leave(what, "their invite is not in the file");
    };
    if invite.personalisation.is_some() {
        return cells.leave(What::DuplicateId { column: "token" }, UNNAMED);
    }
    let text = Shape::Lines(TEXT_CHARS_MAX);
    invite.personalisation = Some(LegacyPersonalisation {
        photo: cells.text("photo_url", Shape::Line(ADDRESS_CHARS_MAX)),
        gratitude: cells.text("gratitude_note", text),
        support: cells.text("support_message", text),
        examples: examples(cells),
        fun: cells.text("fun_details", text),
        created_at: cells.time("created_at", invite.created_at),
    });
    invite.too_long |= cells.too_long();
}

fn examples(cells: &mut Cells<'_>) -> Vec<String> {
    let column = "help_examples";
    let text = cells.text(column, Shape::PrivateLines).unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let examples: Vec<String> = lines.map(str::to_owned).collect();
    if examples.len() > LIST_ITEMS_MAX {
        let (items, max) = (examples.len(), LIST_ITEMS_MAX);
        cells.unshareable(What::TooManyItems { column, items, max });
    }
    let longest = examples
        .iter()
        .map(|example| example.chars().count())
        .max()
        .unwrap_or(0);
    if longest > TEXT_CHARS_MAX {
        cells.unshareable(What::TooLong {
            column,
            chars: longest,
            max: TEXT_CHARS_MAX,
        });
    }
    examples
}
