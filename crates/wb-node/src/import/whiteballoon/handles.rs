//! A handle for every new member: its own if it is free and can be typed, else one like it.
//!
//! A member is never merged with an account that has the name, and gains none of its rights.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::limits::NAME_CHARS_MAX;
use wb_store::legacy::LegacyUser;

use super::problem::Found;
use crate::command::user_add::check_handle;

/// The handle of a member, and why it is not the one in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub handle: String,
    pub why: Option<Found>,
}

/// Chooses for each user, in order. `taken` are handles of this instance, in lower case.
///
/// Names that can stay are settled first, so that no replacement takes one away.
pub(super) fn choose(users: &[&LegacyUser], mut taken: BTreeSet<String>) -> Vec<Choice> {
    let reasons: Vec<Option<Found>> = users
        .iter()
        .map(|user| {
            let handle = user.handle.clone();
            if check_handle(&handle).is_err() {
                Some(Found::HandleRefused { handle })
            } else if taken.insert(handle.to_lowercase()) {
                None
            } else {
                Some(Found::HandleTaken { handle })
            }
        })
        .collect();
    let mut numbers = BTreeMap::new();
    let choices = users.iter().zip(reasons).map(|(user, why)| {
        let handle = match &why {
            None => user.handle.clone(),
            Some(Found::HandleRefused { .. }) => {
                let typed = typed(user);
                if taken.contains(&typed.to_lowercase()) {
                    numbered(&typed, &taken, &mut numbers)
                } else {
                    typed
                }
            }
            Some(_) => numbered(&user.handle, &taken, &mut numbers),
        };
        taken.insert(handle.to_lowercase());
        Choice { handle, why }
    });
    choices.collect()
}

/// The name in a form that can be typed.
fn typed(user: &LegacyUser) -> String {
    let words: Vec<&str> = user.handle.split_whitespace().collect();
    let joined = words.join("-");
    let typed = joined.trim_matches('-').to_owned();
    if check_handle(&typed).is_ok() {
        typed
    } else {
        format!("user-{}", user.id)
    }
}

/// The first of `name-2`, `name-3`, … that is free. `numbers` remembers where to go on.
fn numbered(name: &str, taken: &BTreeSet<String>, numbers: &mut BTreeMap<String, u64>) -> String {
    let number = numbers.entry(name.to_lowercase()).or_insert(1);
    loop {
        *number += 1;
        let suffix = format!("-{number}");
        let kept: String = name.chars().take(NAME_CHARS_MAX - suffix.len()).collect();
        let handle = kept + &suffix;
        if !taken.contains(&handle.to_lowercase()) {
            return handle;
        }
    }
}

#[cfg(test)]
mod tests {
    use wb_core::scope::Scope;
    use wb_store::legacy::fallback;

    use super::*;

    fn user(id: i64, handle: &str) -> LegacyUser {
        LegacyUser {
            id,
            username: Some(handle.to_owned()),
            handle: handle.to_owned(),
            is_admin: false,
            contact_email: None,
            created_at: fallback(),
            scope: Scope::Public,
            invited_by: None,
            invite_token: None,
            photo: None,
            attributes: Vec::new(),
            too_long: false,
        }
    }

    fn handles(names: &[&str], taken: &[&str]) -> Vec<String> {
        let users: Vec<LegacyUser> = (1..).zip(names).map(|(id, name)| user(id, name)).collect();
        let users: Vec<&LegacyUser> = users.iter().collect();
        let taken = taken.iter().map(|name| (*name).to_owned()).collect();
        let choices = choose(&users, taken).into_iter();
        choices.map(|choice| choice.handle).collect()
    }

    #[test]
    fn a_taken_name_gets_a_number_and_takes_none_away() {
        assert_eq!(
            handles(&["ash", "ash-2", "birch"], &["ash"]),
            ["ash-3", "ash-2", "birch"]
        );
        assert_eq!(handles(&["éva"], &["éva"]), ["éva-2"]);
    }

    #[test]
    fn a_name_that_cannot_be_typed_is_made_so() {
        assert_eq!(
            handles(&["-rf", "anna  maria", "- -", "anna-maria"], &[]),
            ["rf", "anna-maria-2", "user-3", "anna-maria"]
        );
    }

    #[test]
    fn a_long_name_stays_within_the_limit() {
        let long = "x".repeat(NAME_CHARS_MAX);
        let [handle] = &handles(&[&long], &[&long])[..] else {
            panic!("one handle")
        };
        assert_eq!(handle.chars().count(), NAME_CHARS_MAX);
    }
}
