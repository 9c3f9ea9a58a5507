//! Users become accounts with a profile, contacts and private attributes.
//!
//! The Python program shared names and nothing else of a profile, so only the handle is shared here;
//! bio, picture, inviter and attributes wait until their owner shares them.

use std::collections::BTreeMap;

use wb_core::id::RecordId;
use wb_core::kinds::{Body, User, check_address};
use wb_core::leave::ProfileShares;
use wb_store::legacy::LegacyUser;
use wb_store::{Account, AccountState, Role};

use super::handles::{Choice, choose};
use super::ids::Known;
use super::problem::{Done, Found};
use super::report::Outcome;
use super::run::{Import, Moved};
use crate::error::Result;

const TABLE: &str = "users";

/// Brings all users; ids first, because a member may have been invited by a later one.
pub(super) fn bring(import: &mut Import<'_>, users: &[LegacyUser]) -> Result<()> {
    let mut known = Vec::with_capacity(users.len());
    for user in users {
        let row = import
            .ids
            .of(TABLE, &user.id.to_string(), user.created_at)?;
        if let Some(id) = row.id() {
            import.users.insert(user.id, id);
        }
        known.push((user, row));
    }
    let new: Vec<&LegacyUser> = known
        .iter()
        .filter_map(|(user, row)| matches!(row, Known::New(_)).then_some(*user))
        .collect();
    let taken = import.accounts.values();
    let taken = taken.map(|account| account.handle.to_lowercase()).collect();
    let mut choices = choose(&new, taken).into_iter();
    for (user, row) in known {
        import.step();
        let attributes = attribute_rows(user);
        let (id, outcome) = match row {
            Known::New(id) => {
                let choice = choices.next().expect("every new user has a choice");
                open_account(import, user, id, &choice)?;
                (id, Outcome::New)
            }
            Known::Here(id) => (id, Outcome::Here),
            Known::Another => {
                import.leave_another(TABLE, user.id.to_string(), user.scope);
                import
                    .report
                    .count("user_attributes", Outcome::Left, attributes);
                continue;
            }
        };
        import.report.count("user_attributes", outcome, attributes);
        put_profile(import, user, id, row)?;
    }
    Ok(())
}

/// Rows of `user_attributes` that the reader gave a place in the user.
fn attribute_rows(user: &LegacyUser) -> u64 {
    let placed = [
        user.invited_by.is_some(),
        user.invite_token.is_some(),
        user.photo.is_some(),
    ];
    let placed = placed.into_iter().filter(|is_there| *is_there).count();
    (user.attributes.len() + placed) as u64
}

/// Everything of a user that stays in the private file.
fn open_account(
    import: &mut Import<'_>,
    user: &LegacyUser,
    id: RecordId,
    choice: &Choice,
) -> Result<()> {
    let account = Account {
        user: id,
        handle: choice.handle.clone(),
        state: AccountState::Approved,
        role: if user.is_admin {
            Role::Admin
        } else {
            Role::Member
        },
        created_at: user.created_at,
    };
    import.private.put_account(&account)?;
    import.accounts.insert(id, account);
    if let Some(email) = filled(user.contact_email.as_ref()) {
        import.private.put_contact(&id, "email", email)?;
    }
    for (key, value) in attributes(user, &choice.handle) {
        import.private.put_attribute(&id, &key, &value)?;
    }
    tell(import, user, choice);
    Ok(())
}

fn tell(import: &mut Import<'_>, user: &LegacyUser, choice: &Choice) {
    let handle = choice.handle.clone();
    let is_renamed = user.username.as_deref().map(str::to_lowercase) != Some(handle.to_lowercase());
    if let Some(why) = choice.why.clone() {
        let renamed = Done::Renamed {
            handle: handle.clone(),
        };
        import.trouble(TABLE, user.id.to_string(), why, renamed);
    }
    if user.is_admin {
        if is_renamed {
            let kept = Done::KeptAdmin {
                handle: handle.clone(),
            };
            import.trouble(TABLE, user.id.to_string(), Found::AdminRenamed, kept);
        }
        import.report.admins.push(handle);
    }
}

/// Private attributes: the user's own, and what has no other place. A key that the file has twice
/// gets a number, so that no value is lost.
fn attributes(user: &LegacyUser, handle: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut add = |key: &str, value: &str| {
        let mut name = key.to_owned();
        let mut number = 1;
        while attributes.contains_key(&name) {
            number += 1;
            name = format!("{key}-{number}");
        }
        attributes.insert(name, value.to_owned());
    };
    for attribute in &user.attributes {
        add(
            &attribute.key,
            attribute.value.as_deref().unwrap_or_default(),
        );
    }
    if let Some(token) = &user.invite_token {
        add("invite_token_used", token);
    }
    if let Some(photo) = user.photo.as_ref().filter(|_| avatar(user).is_none()) {
        add("profile_photo_path", photo);
    }
    if let Some(name) = user.username.as_ref().filter(|name| *name != handle) {
        add("legacy_username", name);
    }
    attributes
}

/// The picture, where it has an address that others could open too.
fn avatar(user: &LegacyUser) -> Option<&String> {
    user.photo
        .as_ref()
        .filter(|photo| check_address(photo).is_ok())
}

fn put_profile(
    import: &mut Import<'_>,
    user: &LegacyUser,
    id: RecordId,
    known: Known,
) -> Result<()> {
    // The name is the account's: an earlier import may have written the account only.
    let handle = import
        .accounts
        .get(&id)
        .map(|account| account.handle.clone());
    let body = Body::User(User {
        handle,
        avatar: avatar(user).cloned(),
        home: Some(import.own),
        inviter: import.user(user.invited_by).map(|id| import.reference(id)),
        ..User::default()
    });
    let scope = (user.scope, user.too_long);
    let times = (user.created_at, user.created_at);
    let (mut record, kept) = import.record(id, &body, Some(id), scope, times);
    record.shares = Some(ProfileShares {
        handle: true,
        ..ProfileShares::default()
    });
    import.settle(Moved {
        table: TABLE,
        row: user.id.to_string(),
        known,
        record,
        scope: user.scope,
        kept,
        updated_at: None,
    })?;
    Ok(())
}

/// A text with something in it.
pub(super) fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str)
        .filter(|text| !text.trim().is_empty())
}
