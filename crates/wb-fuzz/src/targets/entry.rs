//! Entries: what is taken is the one canonical form, and no longer than the limit says.

use wb_core::entry::Entry;
use wb_core::limits::ENTRY_BYTES_MAX;

use crate::vectors::{cases, file};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "entry",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let Ok(entry) = Entry::read(input) else {
        return;
    };
    assert_eq!(entry.to_bytes(), input, "an entry has one form");
    assert!(
        Entry::starts(input),
        "a stream knows an entry by its first bytes"
    );
    assert!(
        input.len() <= ENTRY_BYTES_MAX,
        "no canonical entry is longer"
    );
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("entries.json");
    let entries = cases(&vectors)
        .iter()
        .filter_map(|case| case["entry"].as_str());
    entries.map(|entry| entry.as_bytes().to_vec()).collect()
}
