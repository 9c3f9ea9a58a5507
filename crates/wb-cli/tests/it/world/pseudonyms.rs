//! Two pseudonyms of one person have nothing in common but what that person wrote twice.
//!
//! Every value of every line of a member in one feed is held against those in the other. What a line of somebody else
//! has as well (a kind, a version, a day's status) joins nobody; whatever is left would. No member of a line is left out,
//! times included: they are those of two acts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::canaries::word;
use super::cast::World;
use crate::support::database;

impl World {
    #[track_caller]
    pub fn pseudonyms_have_nothing_in_common(&self) {
        let lines = self.own_lines();
        let of = |words: &str| -> BTreeSet<String> {
            let line = lines.iter().find(|line| line.contains(words));
            let line = line.unwrap_or_else(|| panic!("no line holds {words}"));
            let mut values = BTreeSet::new();
            collect(
                &serde_json::from_str(line).expect("a line is JSON"),
                &mut values,
            );
            values
        };
        let public = of(&word("public title"));
        let again = of(&word("narrowed title"));
        let trusted = of(&word("trusted title"));
        let others: BTreeSet<String> = of("A saw").union(&of("A rake")).cloned().collect();
        let joined = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
            one.intersection(other)
                .filter(|value| !others.contains(*value))
                .cloned()
                .collect()
        };
        // In one feed a pseudonym is the same, so a value that two lines share is noticed.
        assert_eq!(joined(&public, &again).len(), 1, "the pseudonym");
        assert_eq!(
            joined(&public, &trusted),
            Vec::<String>::new(),
            "what joins two pseudonyms"
        );
        assert_eq!(
            joined(&again, &trusted),
            Vec::<String>::new(),
            "what joins two pseudonyms"
        );
    }

    /// Every line that North has in a feed of its own.
    fn own_lines(&self) -> Vec<String> {
        database::texts(
            &self.north.file("wb.db"),
            "SELECT CAST(line AS TEXT) FROM feed_lines JOIN feeds USING (feed_no) JOIN instances USING (instance_no)
             WHERE instances.standing = 'self' AND feed_lines.live = 1 AND line IS NOT NULL",
        )
    }
}

/// Every value in a line, at whatever depth.
fn collect(value: &Value, values: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|value| collect(value, values)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, values)),
        other => {
            values.insert(other.to_string());
        }
    }
}
