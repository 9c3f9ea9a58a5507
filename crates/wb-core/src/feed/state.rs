//! What a reader holds of a feed.

use std::fmt::Debug;

use super::header::{Follows, Header};
use crate::entry::Entry;
use crate::hash;
use crate::id::{Hash, LogId, RecordId};
use crate::identity::Position;
use crate::live::LiveHash;
use crate::scope::Kind;

/// A record live in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Its revision.
    pub rev: u64,
    /// Its kind.
    pub kind: Kind,
    /// Hash of its line.
    pub line_hash: Hash,
}

impl Live {
    /// What an entry makes live; nothing for one that takes back.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        entry.line_hash().map(|line_hash| Self {
            rev: entry.rev,
            kind: entry.kind.clone(),
            line_hash,
        })
    }

    /// The element it adds to the live set.
    #[must_use]
    pub fn element(&self, id: &RecordId) -> Hash {
        hash::live_element(id, self.rev, self.kind.as_str(), &self.line_hash)
    }
}

/// Adds up what is live in a snapshot that is read, wherever that is done: nothing waits for the sum before its last item, so
/// that whoever has a second core can have it added up there.
pub trait LiveSum: Debug + Send {
    /// Takes the next record.
    fn add(&mut self, id: RecordId, live: Live);

    /// The sum of those taken.
    fn sum(&mut self) -> LiveHash;
}

/// How a log was opened: what its first header says of the order of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Position of the key that signed the first header.
    pub position: Position,
    /// The log's generation.
    pub generation: u64,
    /// The head it continues.
    pub follows: Option<Follows>,
}

impl Opening {
    /// Reads it off the first header of a log.
    #[must_use]
    pub fn of(first: &Header) -> Self {
        Self {
            position: first.position(),
            generation: first.generation,
            follows: first.follows,
        }
    }
}

/// A feed's head and what leads to it; the live records and old header hashes are behind [`FeedView`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedState {
    /// The log.
    pub log: LogId,
    /// How the log was opened.
    pub opening: Opening,
    /// Number of the head.
    pub seq: u64,
    /// Hash of the head.
    pub hash: Hash,
    /// Position of the key that signed the head.
    pub position: Position,
    /// Lanes of the live set.
    pub live: LiveHash,
    /// Records live.
    pub live_n: u64,
    /// Whether evidence of a fork is held: puts wait until a new log ends it.
    pub forked: bool,
}

/// What the rules ask of the place where a feed is kept.
pub trait FeedView {
    /// Why the place could not answer.
    type Error;

    /// The record live for an id in this feed.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn live(&self, id: &RecordId) -> Result<Option<Live>, Self::Error>;

    /// The hash of a header of the current log; `None` where it is not kept any more.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn header_hash(&self, seq: u64) -> Result<Option<Hash>, Self::Error>;

    /// How another log of this feed was opened, where its first header is held and not void.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn opening(&self, log: &LogId) -> Result<Option<Opening>, Self::Error>;

    /// Whether the first header of a log other than `log` is held that is of the order of `opening` and
    /// [counts](crate::identity::IdentityLog::counts), whether that log was ever taken or not.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn has_rival(&self, log: &LogId, opening: &Opening) -> Result<bool, Self::Error>;
}
