//! `entries.json`: canonical entries, of lines and standing alone.

use wb_core::entry::Entry;
use wb_core::line::Line;
use wb_core::rule::Rule;

use crate::vectors::{cases, file, report};

#[test]
fn wb_core_agrees_with_the_vectors_of_entries() {
    let vectors = file("entries.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let entry = case["entry"].as_str().expect("an entry");
        if let Some(line) = case["line"].as_str() {
            let line = Line::read(line.as_bytes()).expect("a good line");
            let computed = Entry::of_line(&line).to_bytes();
            if computed != entry.as_bytes() {
                findings.push(format!("{name}: another entry is computed from the line"));
            }
            continue;
        }
        assert!(
            Entry::starts(entry.as_bytes()),
            "{name} is an entry by its first bytes"
        );
        let read = Entry::read(entry.as_bytes());
        if let Ok(read) = &read {
            assert_eq!(
                read.to_bytes(),
                entry.as_bytes(),
                "{name} is written as it was read"
            );
        }
        let (rule, expected) = (read.err().map(Rule::as_str), case["rule"].as_str());
        if rule != expected {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}
