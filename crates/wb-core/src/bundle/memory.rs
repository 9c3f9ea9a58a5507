//! Feeds kept in memory: a bundle is verified without instance, network or disk.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::sink::Sink;
use crate::feed::{
    Delta, FeedState, FeedView, Item, Live, Opening, Outcome, Refusal, SnapshotOutcome,
    SnapshotReader, accept, order,
};
use crate::id::{Hash, InstanceId, LogId, RecordId};
use crate::identity::{IdentityLog, Merge};
use crate::scope::{FeedScope, Kind};

/// A record of a snapshot: of many there are few kinds, so each is kept once.
#[derive(Debug)]
struct Brought {
    id: RecordId,
    rev: u64,
    kind_no: u32,
    line_hash: Hash,
}

/// One feed in memory. Holds hashes of records, not their lines.
#[derive(Debug, Default)]
struct Feed {
    state: Option<FeedState>,
    /// What a snapshot brought, in its order, which is that of ids.
    brought: Vec<Brought>,
    kinds: Kinds,
    /// What deltas said since; none where a record is gone.
    since: BTreeMap<RecordId, Option<Live>>,
    headers: BTreeMap<u64, Hash>,
    openings: BTreeMap<LogId, Opening>,
}

impl FeedView for Feed {
    type Error = Infallible;

    fn live(&self, id: &RecordId) -> Result<Option<Live>, Infallible> {
        if let Some(since) = self.since.get(id) {
            return Ok(since.clone());
        }
        let found = self.brought.binary_search_by_key(id, |brought| brought.id);
        Ok(found.ok().map(|place| {
            let brought = &self.brought[place];
            Live {
                rev: brought.rev,
                kind: self.kinds.name(brought.kind_no),
                line_hash: brought.line_hash,
            }
        }))
    }

    fn header_hash(&self, seq: u64) -> Result<Option<Hash>, Infallible> {
        Ok(self.headers.get(&seq).copied())
    }

    fn opening(&self, log: &LogId) -> Result<Option<Opening>, Infallible> {
        Ok(self.openings.get(log).copied())
    }

    /// Nothing here is void or by a key that had stopped: such a feed was refused, and is not asked for
    /// again.
    fn has_rival(&self, log: &LogId, opening: &Opening) -> Result<bool, Infallible> {
        let mut others = self.openings.iter().filter(|(other, _)| *other != log);
        Ok(others.any(|(_, other)| order(other) == order(opening)))
    }
}

/// Kinds, each with a number.
#[derive(Debug, Default)]
struct Kinds {
    names: Vec<Kind>,
    /// How many records there were of each.
    counts: Vec<u64>,
    nos: BTreeMap<Kind, u32>,
}

impl Kinds {
    /// Counts a record of a kind, and gives the kind's number.
    fn count(&mut self, kind: &Kind) -> u32 {
        let no = match self.nos.get(kind) {
            Some(no) => *no,
            None => self.add(kind),
        };
        self.counts[no as usize] += 1;
        no
    }

    fn add(&mut self, kind: &Kind) -> u32 {
        let no = u32::try_from(self.names.len()).expect("a bundle has fewer lines");
        self.names.push(kind.clone());
        self.counts.push(0);
        self.nos.insert(kind.clone(), no);
        no
    }

    fn name(&self, no: u32) -> Kind {
        self.names[no as usize].clone()
    }
}

/// A [`Sink`] in memory. It undoes nothing: a feed that was refused is not to be asked of it again.
#[derive(Debug, Default)]
pub struct Memory {
    identities: BTreeMap<InstanceId, IdentityLog>,
    feeds: BTreeMap<(InstanceId, FeedScope), Feed>,
    taking: Option<(InstanceId, FeedScope)>,
}

impl Memory {
    /// Records seen, by kind.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for kinds in self.feeds.values().map(|feed| &feed.kinds) {
            for (kind, count) in kinds.names.iter().zip(&kinds.counts) {
                *counts.entry(kind.to_string()).or_default() += count;
            }
        }
        counts
    }

    fn taking(&mut self) -> &mut Feed {
        let key = self.taking.expect("a snapshot was placed");
        self.feeds.entry(key).or_default()
    }
}

impl Sink for Memory {
    type Error = Infallible;

    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, Infallible> {
        Ok(self.identities.get(id).cloned())
    }

    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), Infallible> {
        let id = log.id();
        let (outcome, log) = match self.identities.get(&id) {
            None => (Merge::Extend, log),
            Some(held) => held.offer(&log),
        };
        self.identities.insert(id, log.clone());
        Ok((outcome, log))
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, Infallible> {
        let key = (snapshot.totals().origin, snapshot.totals().scope);
        let feed = self.feeds.entry(key).or_default();
        let placed = snapshot.place(identity, feed.state.as_ref(), feed)?;
        if placed == Ok(SnapshotOutcome::Take) {
            feed.brought.clear();
            feed.since.clear();
            self.taking = Some(key);
        }
        Ok(placed)
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), Infallible> {
        let line_hash = item.entry.line_hash().expect("snapshots hold puts only");
        let feed = self.taking();
        let brought = Brought {
            id: item.entry.id,
            rev: item.entry.rev,
            kind_no: feed.kinds.count(&item.entry.kind),
            line_hash,
        };
        feed.brought.push(brought);
        Ok(())
    }

    fn retracted(&mut self, _pairs: &[(RecordId, u64)]) -> Result<(), Infallible> {
        Ok(())
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, Infallible> {
        let feed = self.taking();
        if let Err(refusal) = snapshot.finish() {
            return Ok(Err(refusal));
        }
        let state = snapshot.state();
        feed.headers = (0..)
            .zip(snapshot.chain())
            .map(|(seq, (_, hash))| (seq, hash))
            .collect();
        feed.openings.insert(state.log, state.opening);
        feed.state = Some(state);
        Ok(Ok(()))
    }

    /// Deltas that go on from what only the receiver holds are verified as far as their bytes say;
    /// from the first on they lead from one to the next.
    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, Infallible> {
        let key = (delta.header.origin, delta.header.scope);
        let identity = self.identities.get(&delta.header.origin);
        let feed = self.feeds.entry(key).or_default();
        for item in &delta.items {
            feed.kinds.count(&item.entry.kind);
        }
        let outcome = accept(delta, identity, feed.state.as_ref(), feed)?;
        if delta.header.seq == 0 && outcome.is_proved() {
            let opening = Opening::of(&delta.header);
            feed.openings.entry(delta.header.log).or_insert(opening);
        }
        if let Outcome::Append(applied) = &outcome {
            for item in &delta.items {
                feed.since.insert(item.entry.id, Live::of(&item.entry));
            }
            if applied.opens_log {
                feed.headers.clear();
                feed.openings
                    .insert(applied.state.log, applied.state.opening);
            }
            feed.headers.insert(applied.state.seq, applied.state.hash);
            feed.state = Some(applied.state.clone());
        }
        Ok(outcome)
    }
}
