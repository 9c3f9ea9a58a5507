//! The lines of a page while it is made, and where the next one goes on (spec: sync).

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::id::RecordId;
use crate::ndjson::put_line;

/// Adds a section line.
pub fn put_section<T: Serialize>(body: &mut Vec<u8>, section: &T) {
    put_line(body, &crate::signed::payload(section));
}

/// A place in a snapshot: the last thing that a page held. The order is that of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SnapshotPlace {
    /// The header of this number.
    Chain(u64),
    /// The line, or entry, of a live record.
    Live(RecordId),
    /// A record that was taken back.
    Gone(RecordId),
}

/// The text that should name a place in a snapshot does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a snapshot")]
pub struct BadSnapshotPlace;

impl fmt::Display for SnapshotPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(seq) => write!(f, "chain:{seq}"),
            Self::Live(id) => write!(f, "live:{id}"),
            Self::Gone(id) => write!(f, "gone:{id}"),
        }
    }
}

impl FromStr for SnapshotPlace {
    type Err = BadSnapshotPlace;

    fn from_str(text: &str) -> Result<Self, BadSnapshotPlace> {
        let (what, place) = text.split_once(':').ok_or(BadSnapshotPlace)?;
        let id = || place.parse().map_err(|_| BadSnapshotPlace);
        match what {
            "chain" => place.parse().map(Self::Chain).map_err(|_| BadSnapshotPlace),
            "live" => id().map(Self::Live),
            "gone" => id().map(Self::Gone),
            _ => Err(BadSnapshotPlace),
        }
    }
}

/// A page that ends once it has the bytes wanted, and says where to go on.
#[derive(Debug)]
pub struct Page<T> {
    /// Its lines so far.
    pub body: Vec<u8>,
    bytes: usize,
    last: Option<T>,
    next: Option<T>,
}

impl<T: Clone> Page<T> {
    /// An empty page of about so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            body: Vec::new(),
            bytes,
            last: None,
            next: None,
        }
    }

    /// Whether nothing more has room; asked before each line, so that what is said to come next is
    /// really there. A page has one line at least.
    pub fn is_full(&mut self) -> bool {
        if self.body.len() >= self.bytes && self.last.is_some() {
            self.next.clone_from(&self.last);
        }
        self.next.is_some()
    }

    /// Adds a line, after which the page could end at `place`.
    pub fn put(&mut self, line: &[u8], place: T) {
        put_line(&mut self.body, line);
        self.last = Some(place);
    }

    /// Where the next page goes on; none when this was all.
    #[must_use]
    pub fn next(&self) -> Option<&T> {
        self.next.as_ref()
    }
}
