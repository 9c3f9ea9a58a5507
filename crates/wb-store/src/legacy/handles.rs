//! A unique handle for every user: the name in lower case, or an offer where that will not do.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::limits::NAME_CHARS_MAX;

use super::LegacyUser;
use super::problem::{Consequence, Problem, What};
use super::report::Report;

/// Sets the handle of each user.
///
/// A name belongs to the lowest id that has it. Offers come last, so that none takes a name away.
pub(super) fn offer(users: &mut [LegacyUser], report: &mut Report) {
    let mut holders: BTreeMap<String, i64> = BTreeMap::new();
    let mut without = Vec::new();
    for (place, user) in users.iter_mut().enumerate() {
        let name = user
            .username
            .as_deref()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        let what = if name.is_empty() {
            What::NoHandle
        } else if name.chars().count() > NAME_CHARS_MAX {
            What::LongHandle
        } else if let Some(holder) = holders.get(&name) {
            What::DuplicateHandle {
                name: name.clone(),
                holder: *holder,
            }
        } else {
            holders.insert(name.clone(), user.id);
            user.handle = name;
            continue;
        };
        without.push((place, name, what));
    }
    let mut taken: BTreeSet<String> = holders.into_keys().collect();
    let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
    for (place, name, what) in without {
        let user = &mut users[place];
        let handle = match what {
            What::DuplicateHandle { .. } => numbered(&name, &taken, &mut numbers),
            _ => {
                let plain = format!("user-{}", user.id);
                let is_free = !taken.contains(&plain);
                if is_free {
                    plain
                } else {
                    numbered(&plain, &taken, &mut numbers)
                }
            }
        };
        taken.insert(handle.clone());
        user.handle.clone_from(&handle);
        report.add(Problem {
            table: "users",
            row: Some(user.id.to_string()),
            what,
            consequence: Consequence::Offered { handle },
        });
    }
}

/// The first of `name-2`, `name-3`, … that is free. `numbers` remembers where to go on, so that many
/// users of one name do not cost the square of their number.
fn numbered(name: &str, taken: &BTreeSet<String>, numbers: &mut BTreeMap<String, u64>) -> String {
    let number = numbers.entry(name.to_owned()).or_insert(1);
    loop {
        *number += 1;
        let suffix = format!("-{number}");
        let kept: String = name.chars().take(NAME_CHARS_MAX - suffix.len()).collect();
        let handle = kept + &suffix;
        if !taken.contains(&handle) {
            return handle;
        }
    }
}
