//! What each member wrote, shared and took back, and what was sealed: a plain list beside the programs,
//! which shares no code with them.
//!
//! Every text carries a mark that stands nowhere else, so that wherever it turns up it says which
//! revision of which record of whom it is.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::scope::Scope;

use crate::look::Mark;

/// How every mark begins: with characters that neither hex nor base64 has, so that no hash or signature
/// looks like one.
pub const MARK_START: &str = "z.q.";
/// Characters of a mark.
pub const MARK_LEN: usize = 21;

/// The mark of a text: who wrote it, and a number.
pub fn mark(member: usize, number: u64) -> String {
    format!("{MARK_START}{member:03x}{number:014x}")
}

/// Who wrote the text of a mark.
pub fn member_of(mark: &str) -> Option<usize> {
    usize::from_str_radix(mark.get(4..7)?, 16).ok()
}

/// What kind of thing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A request.
    Request,
    /// A comment on a request.
    Comment(RecordRef),
    /// The word that a request of the same member is completed.
    Status(RecordId),
}

/// Something a member wrote.
#[derive(Debug, Clone)]
pub struct Written {
    pub what: What,
    /// How far its author lets it go.
    pub scope: Scope,
    /// The mark of its text as it is now.
    pub mark: String,
}

/// Whether something has to be in the public feed with the next publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    Yes,
    No,
    /// That hangs on whether a record of somebody else is shown at that moment.
    IfParentShows,
}

/// What one member wrote, as it should stand in its own files.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    pub written: BTreeMap<RecordId, Written>,
    /// Whom it follows by name at each hub, and whom not although it follows all.
    pub follows: BTreeMap<InstanceId, Follows>,
}

/// Whom a member follows at one hub.
#[derive(Debug, Clone, Default)]
pub struct Follows {
    pub all: bool,
    pub named: BTreeSet<InstanceId>,
    pub except: BTreeSet<InstanceId>,
}

impl Follows {
    pub fn has(&self, id: &InstanceId) -> bool {
        self.named.contains(id) || (self.all && !self.except.contains(id))
    }
}

impl Ledger {
    /// Whether a record has to leave with the next publish.
    pub fn leaves(&self, id: &RecordId, own: InstanceId) -> Leaves {
        let Some(written) = self.written.get(id) else {
            return Leaves::No;
        };
        if written.scope != Scope::Public {
            return Leaves::No;
        }
        match written.what {
            What::Request => Leaves::Yes,
            What::Status(request) => self.leaves(&request, own),
            What::Comment(parent) if parent.origin == own => self.leaves(&parent.id, own),
            What::Comment(_) => Leaves::IfParentShows,
        }
    }

    /// Whether it is followed at any of some hubs.
    pub fn follows(&self, id: &InstanceId, hubs: &[InstanceId]) -> bool {
        let mut lists = hubs.iter().filter_map(|hub| self.follows.get(hub));
        lists.any(|list| list.has(id))
    }
}

/// A line as it is live in a feed: its revision, its hash, and its bytes where they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveLine {
    pub rev: i64,
    pub line_hash: Vec<u8>,
    pub line: Option<Vec<u8>>,
}

/// What is live in a feed, by the bytes of the id.
pub type Live = BTreeMap<Vec<u8>, LiveLine>;

/// A head that a member sealed, and what is live at it.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The number of the member.
    pub by: usize,
    pub seq: i64,
    pub live: Live,
}

/// Every head that was sealed, by its hash.
#[derive(Debug, Default)]
pub struct Seals {
    by_hash: BTreeMap<Vec<u8>, Sealed>,
    /// What its origin made of each record, by the number of the member and the bytes of the id.
    past: BTreeMap<(usize, Vec<u8>), Mark>,
    /// Marks of every text that was sealed.
    left: BTreeSet<String>,
}

impl Seals {
    /// Notes a head. Returns whether it is new.
    pub fn note(&mut self, hash: Vec<u8>, sealed: Sealed) -> bool {
        if self.by_hash.contains_key(&hash) {
            return false;
        }
        for line in sealed.live.values() {
            for mark in line.line.iter().flat_map(|line| marks_in(line)) {
                self.left.insert(mark);
            }
        }
        for (id, line) in &sealed.live {
            let past = self.past.entry((sealed.by, id.clone())).or_default();
            past.put = past.put.max(Some(line.rev));
        }
        let of = |by: usize| (by, Vec::new())..(by + 1, Vec::new());
        for ((_, id), past) in self.past.range_mut(of(sealed.by)) {
            if !sealed.live.contains_key(id) {
                past.taken_back = past.put;
            }
        }
        self.by_hash.insert(hash, sealed);
        true
    }

    /// What a member made of a record: the highest revision that was live, and the highest before it was not any more.
    pub fn past(&self, by: usize, id: &[u8]) -> Mark {
        let past = self.past.get(&(by, id.to_vec()));
        past.copied().unwrap_or_default()
    }

    pub fn get(&self, hash: &[u8]) -> Option<&Sealed> {
        self.by_hash.get(hash)
    }

    /// Whether a text was sealed, so that it may be anywhere.
    pub fn left(&self, mark: &str) -> bool {
        self.left.contains(mark)
    }
}

/// The marks in some bytes.
pub fn marks_in(bytes: &[u8]) -> Vec<String> {
    let start = MARK_START.as_bytes();
    let mut marks = Vec::new();
    let mut from = 0;
    while let Some(found) = find(&bytes[from..], start) {
        let at = from + found;
        if let Some(mark) = bytes.get(at..at + MARK_LEN)
            && let Ok(mark) = std::str::from_utf8(mark)
            && member_of(mark).is_some()
        {
            marks.push(mark.to_owned());
        }
        from = at + start.len();
    }
    marks
}

/// Where some bytes first stand in others.
fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(found) = bytes[from..].iter().position(|byte| *byte == first) {
        let at = from + found;
        if bytes[at..].starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_record_is_known_of_its_own_origin_alone() {
        let mut seals = Seals::default();
        let live = |revs: &[(u8, i64)]| -> Live {
            let lines = revs.iter().map(|(id, rev)| {
                let (rev, line_hash, line) = (*rev, vec![*id], None);
                let line = LiveLine {
                    rev,
                    line_hash,
                    line,
                };
                (vec![*id], line)
            });
            lines.collect()
        };
        let mut seal = |hash: u8, by: usize, revs: &[(u8, i64)]| {
            let live = live(revs);
            seals.note(vec![hash], Sealed { by, seq: 0, live });
        };
        seal(1, 0, &[(7, 1), (8, 1)]);
        seal(2, 0, &[(7, 3)]);
        seal(3, 1, &[(9, 1)]);
        let past = |by, id| {
            let Mark { put, taken_back } = seals.past(by, &[id]);
            (put, taken_back)
        };
        assert_eq!(past(0, 7), (Some(3), None));
        assert_eq!(past(0, 8), (Some(1), Some(1)));
        assert_eq!(past(1, 7), (None, None));
        assert_eq!(past(1, 9), (Some(1), None));
    }

    #[test]
    fn a_mark_is_found_wherever_it_stands() {
        let text = format!("zz {} z {}", mark(1, 7), mark(2, 8));
        assert_eq!(marks_in(text.as_bytes()), [mark(1, 7), mark(2, 8)]);
        assert_eq!(mark(1, 7).len(), MARK_LEN);
        assert_eq!(member_of(&mark(17, 7)), Some(17));
        assert_eq!(marks_in(&text.as_bytes()[..10]), Vec::<String>::new());
    }
}
