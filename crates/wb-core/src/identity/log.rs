//! A verified identity log, and what it says of a header's key.

use super::entry::{Entry, Op, Position};
use crate::hash;
use crate::id::{Hash, InstanceId, LogId};
use crate::limits::IDENTITY_ENTRIES_MAX;
use crate::rule::Rule;
use crate::scope::FeedScope;
use crate::signed;

/// Why a log was refused: the entry (from 0) and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("identity log: entry {entry} breaks `{rule}`")]
pub struct IdentityError {
    /// Index of the entry, from 0.
    pub entry: usize,
    /// The rule broken.
    pub rule: Rule,
}

/// A log whose every entry was verified, with what is known of branches that left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityLog {
    id: InstanceId,
    pub(super) entries: Vec<Entry>,
    /// Hashes of entries that recoveries made void.
    pub(super) void: Vec<Hash>,
    /// Entries of other branches; while there is one, two `rotate`s contradict each other.
    pub(super) beside: Vec<Entry>,
}

/// Where a header stands to the last head of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Above {
    /// Above the last head that a `rotate` lists: not accepted any more.
    Rotate,
    /// Above the last head that a `recover` lists: void, also when it was applied.
    Recover,
}

/// The place of a header, for [`IdentityLog::above_last_head`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Position of the entry whose key signed it.
    pub position: Position,
    /// Its feed's scope.
    pub scope: FeedScope,
    /// Its log.
    pub log: LogId,
    /// The log's generation.
    pub generation: u64,
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl IdentityLog {
    /// Verifies lines from the first entry on.
    ///
    /// # Errors
    /// The first entry that breaks a rule, and the rule.
    pub fn verify<L: AsRef<[u8]>>(
        expected: Option<InstanceId>,
        lines: &[L],
    ) -> Result<Self, IdentityError> {
        let mut reader = LogReader::new(expected);
        for line in lines {
            reader.push(line.as_ref())?;
        }
        reader.finish()
    }

    /// Restores what [`IdentityLog::void`] and [`IdentityLog::beside`] said of a stored log; the
    /// entries beside it, in any order, are verified again.
    ///
    /// # Errors
    /// The entry beside the log that leads to none of it, or breaks a rule.
    pub fn with_history<L: AsRef<[u8]>>(
        mut self,
        void: Vec<Hash>,
        beside: &[L],
    ) -> Result<Self, IdentityError> {
        self.void = void;
        let mut waiting: Vec<(usize, &[u8])> =
            beside.iter().map(AsRef::as_ref).enumerate().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut last_error = None;
            let mut left = Vec::new();
            for (index, line) in waiting {
                match self.read_beside(line) {
                    Ok(entry) => self.beside.push(entry),
                    Err(rule) => {
                        last_error = Some(IdentityError { entry: index, rule });
                        left.push((index, line));
                    }
                }
            }
            if let (Some(error), true) = (last_error, left.len() == before) {
                return Err(error);
            }
            waiting = left;
        }
        Ok(self)
    }

    /// Verifies an entry that follows one of the log or of a branch already read.
    fn read_beside(&self, line: &[u8]) -> Result<Entry, Rule> {
        let (entry, _) = Entry::read(line)?;
        let mut before = Vec::new();
        let mut prev = entry.prev;
        while let Some(hash) = prev {
            let entry = self.entry(&hash).ok_or(Rule::WrongPrev)?;
            before.push(entry.clone());
            prev = entry.prev;
        }
        before.reverse();
        read_next(&before, Some(self.id), line)
    }

    /// The instance.
    #[must_use]
    pub fn id(&self) -> InstanceId {
        self.id
    }

    /// The entries, first to last.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The newest entry: its key is the only one that speaks now.
    ///
    /// # Panics
    /// Never: a verified log has a first entry.
    #[must_use]
    pub fn newest(&self) -> &Entry {
        self.entries
            .last()
            .expect("a verified log has a first entry")
    }

    /// Hashes of entries on branches that a `recover` made void.
    #[must_use]
    pub fn void(&self) -> &[Hash] {
        &self.void
    }

    /// Entries of branches that contradict the log, kept as evidence until a `recover`.
    #[must_use]
    pub fn beside(&self) -> &[Entry] {
        &self.beside
    }

    /// Whether two `rotate`s of one number are known; ended only by a `recover`.
    #[must_use]
    pub fn is_forked(&self) -> bool {
        !self.beside.is_empty()
    }

    /// The entry of a hash, in the log or on a branch beside it.
    #[must_use]
    pub fn entry(&self, hash: &Hash) -> Option<&Entry> {
        let mut known = self.entries.iter().chain(&self.beside);
        known.find(|entry| entry.hash == *hash)
    }

    /// Whether a header is void: signed on a branch that a recovery left, or above the head that a
    /// recovery lists. `identity` is the entry the header names.
    #[must_use]
    pub fn is_void(&self, identity: &Hash, header: &Placed) -> bool {
        let on_void_branch = self.void.contains(identity) && self.entry(identity).is_none();
        on_void_branch || self.above_last_head(header) == Some(Above::Recover)
    }

    /// Whether a header counts as evidence: it is not void, and its key had not stopped before it.
    #[must_use]
    pub fn counts(&self, identity: &Hash, header: &Placed) -> bool {
        !self.is_void(identity, header) && self.above_last_head(header).is_none()
    }

    /// Whether a header stands above the last head that a later entry lists for its key.
    ///
    /// The trusted feed's heads are commitments; one that cannot be opened puts nothing above it, and
    /// null says that the key signed nothing there.
    #[must_use]
    pub fn above_last_head(&self, header: &Placed) -> Option<Above> {
        let later = self
            .entries
            .iter()
            .filter(|entry| entry.position > header.position);
        let mut above = None;
        for entry in later {
            let Some(heads) = entry.heads() else { continue };
            let is_above = match header.scope {
                FeedScope::TrustedPeers => heads.trusted_peers.is_none(),
                FeedScope::Public => heads.public.is_none_or(|last| {
                    if last.log == header.log {
                        header.seq > last.seq
                            || (header.seq == last.seq && header.hash != last.hash)
                    } else {
                        header.generation >= last.generation
                    }
                }),
            };
            if is_above && entry.is_recover() {
                return Some(Above::Recover);
            }
            if is_above {
                above = Some(Above::Rotate);
            }
        }
        above
    }
}

/// Verifies a log entry by entry as its lines come: nothing is kept that was not verified.
#[derive(Debug)]
pub struct LogReader {
    expected: Option<InstanceId>,
    entries: Vec<Entry>,
}

impl LogReader {
    /// Starts before the first entry; `expected` is the instance it has to be of.
    #[must_use]
    pub fn new(expected: Option<InstanceId>) -> Self {
        Self {
            expected,
            entries: Vec::new(),
        }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn push(&mut self, line: &[u8]) -> Result<(), IdentityError> {
        let entry = self.entries.len();
        let next = read_next(&self.entries, self.expected, line);
        self.entries
            .push(next.map_err(|rule| IdentityError { entry, rule })?);
        Ok(())
    }

    /// The log, when every line has come.
    ///
    /// # Errors
    /// That there was none.
    pub fn finish(self) -> Result<IdentityLog, IdentityError> {
        let Some(first) = self.entries.first() else {
            return Err(IdentityError {
                entry: 0,
                rule: Rule::NotFoundFirst,
            });
        };
        Ok(IdentityLog {
            id: InstanceId(first.hash.0),
            entries: self.entries,
            void: Vec::new(),
            beside: Vec::new(),
        })
    }
}

fn read_next(before: &[Entry], expected: Option<InstanceId>, line: &[u8]) -> Result<Entry, Rule> {
    let (entry, unverified) = Entry::read(line)?;
    if before.len() >= IDENTITY_ENTRIES_MAX {
        return Err(Rule::IdentityTooLong);
    }
    let last = before.last();
    if last.is_none() && expected.is_some_and(|id| id.0 != entry.hash.0) {
        return Err(Rule::WrongId);
    }
    if (entry.op == Op::Found) != last.is_none() {
        return Err(Rule::NotFoundFirst);
    }
    if entry.position.n != before.len() as u64 {
        return Err(Rule::WrongN);
    }
    if entry.prev != last.map(|last| last.hash) {
        return Err(Rule::WrongPrev);
    }
    if entry.position.era
        != last.map_or(0, |last| last.position.era) + u64::from(entry.is_recover())
    {
        return Err(Rule::WrongEra);
    }
    signed::check_key(&entry.signing_key)?;
    match (&entry.op, last) {
        (Op::Rotate(_), Some(last)) => {
            if entry.recovery != last.recovery {
                return Err(Rule::RecoveryChanged);
            }
            unverified.verify(&last.signing_key)?;
        }
        (Op::Recover { recovery_key, .. }, Some(last)) => {
            signed::check_key(recovery_key)?;
            if hash::recovery_commitment(recovery_key) != last.recovery {
                return Err(Rule::RecoveryNotCommitted);
            }
            if entry.recovery == last.recovery {
                return Err(Rule::RecoveryReused);
            }
            unverified.verify(recovery_key)?;
        }
        _ => unverified.verify(&entry.signing_key)?,
    }
    Ok(entry)
}
