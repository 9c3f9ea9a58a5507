//! Deltas for a reader that wants some kinds only: the lines of other kinds go as their entries (spec:
//! sync, a subset of kinds).
//!
//! What is signed is not touched: a header commits to entries, and an entry says the same with its line
//! and without. So whoever reads the answer proves as much as with all lines.

use std::collections::BTreeSet;

use wb_core::entry::Entry;
use wb_core::line::Line;
use wb_core::ndjson::{lines, put_line};
use wb_core::scope::Kind;

/// How a record line begins. It is a shortcut past headers and sections, and no proof.
const LINE_START: &[u8] = b"{\"origin\":";

/// The lines of an answer, with the records of other kinds as their entries.
pub(crate) fn only(body: &[u8], kinds: &BTreeSet<Kind>) -> Vec<u8> {
    let mut only = Vec::with_capacity(body.len());
    for item in lines(body) {
        match unwanted(item, kinds) {
            Some(entry) => put_line(&mut only, &entry.to_bytes()),
            None => put_line(&mut only, item),
        }
    }
    only
}

fn unwanted(item: &[u8], kinds: &BTreeSet<Kind>) -> Option<Entry> {
    if !item.starts_with(LINE_START) {
        return None;
    }
    let line = Line::read(item).ok()?;
    (!kinds.contains(&line.kind)).then(|| Entry::of_line(&line))
}
