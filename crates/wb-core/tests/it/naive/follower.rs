//! The follower: accepting deltas, snapshots, identity logs and filling lines.

mod accept;
mod fold;
mod logs;
mod snapshots;

use std::collections::BTreeMap;
use std::rc::Rc;

use self::fold::digest;
use super::bytes::line_hash;
use super::delta::{self, Delta, Header};
use super::identity::{self, Cut, Known, Position};
use super::records::Record;
use super::snapshot::Snapshot;
use super::{FeedView, HiddenView, Outcome, ShownView, memo, showing};

/// A live record of one feed.
#[derive(Clone, Debug)]
pub struct Live {
    pub rev: u64,
    pub kind: String,
    pub line_hash: String,
    /// The header that put it, or of the snapshot it came with.
    pub by: Rc<Header>,
}

/// What brought a feed from one state to the next.
#[derive(Clone, Debug)]
pub enum Taken {
    Delta(Rc<Delta>),
    Snapshot(Rc<Snapshot>),
}

impl Taken {
    pub fn header(&self) -> &Rc<Header> {
        match self {
            Taken::Delta(delta) => &delta.header,
            Taken::Snapshot(snapshot) => &snapshot.head,
        }
    }
}

/// The state of a feed: everything taken, folded from the first.
#[derive(Clone, Debug)]
pub struct State {
    pub first: Rc<Header>,
    pub head: Rc<Header>,
    /// Header hash by `seq` of this log.
    pub chain: Vec<String>,
    pub live: BTreeMap<String, Live>,
}

/// Everything kept of one feed.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    pub taken: Vec<Taken>,
    /// Deltas of closed logs and forked branches, and those held: their retracts count as marks.
    pub tails: Vec<Rc<Delta>>,
    /// Set by evidence, ended by a log that goes on or a snapshot.
    forked: bool,
    /// First headers by log, of every log of which one was verified.
    firsts: BTreeMap<String, Rc<Header>>,
    /// The fold of `taken`; folded again after every change.
    pub state: Option<State>,
}

/// A reader of feeds.
#[derive(Clone, Debug)]
pub struct Follower {
    scopes: Vec<String>,
    pub(super) known: BTreeMap<String, Known>,
    /// (origin, scope) → feed.
    pub(super) feeds: BTreeMap<(String, String), Feed>,
    /// Early deltas in the order they came.
    early: Vec<(String, Vec<String>)>,
    /// Lines of live entries, by hash.
    pub(super) lines: BTreeMap<String, String>,
}

/// What step 9 says.
enum Place {
    Answer(Outcome),
    Fork,
    Closed,
    Held,
    GoOn,
}

impl Place {
    fn is_duplicate(&self) -> bool {
        matches!(self, Self::Answer(outcome) if outcome.is("duplicate"))
    }
}

impl Follower {
    /// A reader that knows nothing and follows these scopes of every origin.
    pub fn new(scopes: &[&str]) -> Self {
        Self {
            scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
            known: BTreeMap::new(),
            feeds: BTreeMap::new(),
            early: Vec::new(),
            lines: BTreeMap::new(),
        }
    }

    /// Offers an identity log, from its first entry on.
    pub fn identity(&mut self, lines: &[String]) -> Outcome {
        self.identity_of(lines, None)
    }

    /// Offers an identity log for the instance expected.
    pub fn identity_of(&mut self, lines: &[String], id: Option<&str>) -> Outcome {
        let log = match identity::read_log(lines, id) {
            Ok(log) => log,
            Err(rule) => return Outcome::refused(rule),
        };
        let origin = log[0].hash.clone();
        let outcome = self.known.entry(origin.clone()).or_default().offer(log);
        if outcome.is("extend") || outcome.is("replace") {
            self.try_early_again();
        }
        outcome
    }

    /// Offers one delta.
    pub fn delta(&mut self, header: &str, items: &[String]) -> Outcome {
        let outcome = self.offer(header, items);
        if outcome.is("early") {
            let kept = (header.to_owned(), items.to_vec());
            if !self.early.contains(&kept) {
                self.early.push(kept);
            }
        } else if outcome.is("append") {
            self.try_early_again();
        }
        outcome
    }

    /// Offers a snapshot; `take` is the name of the outcome when it is taken.
    pub fn snapshot(&mut self, lines: &[String]) -> Outcome {
        let outcome = self.offer_snapshot(lines).unwrap_or_else(Outcome::refused);
        if outcome.is("take") {
            self.try_early_again();
        }
        outcome
    }

    /// Offers a line for an entry now live: `filled`, `not_wanted` or refused as `fill_mismatch`.
    pub fn fill(&mut self, line: &str) -> Outcome {
        let hash = line_hash(line);
        let mut wanted = false;
        let mut fits = false;
        for ((origin, scope), feed) in &self.feeds {
            for (id, live) in feed.state.iter().flat_map(|state| &state.live) {
                if live.line_hash != hash || self.record(origin, scope, id, live).is_some() {
                    continue;
                }
                wanted = true;
                let record = memo::item(line).ok().and_then(|item| item.record.clone());
                fits |= record.is_some_and(|record| is_of(&record, origin, scope, id, live));
            }
        }
        if fits {
            self.lines.insert(hash, line.to_owned());
            return Outcome::plain("filled");
        }
        if wanted {
            Outcome::refused("fill_mismatch")
        } else {
            Outcome::plain("not_wanted")
        }
    }

    /// Every feed that is not empty.
    pub fn feeds(&self) -> Vec<FeedView> {
        let mut views = Vec::new();
        for ((origin, scope), feed) in &self.feeds {
            let Some(state) = &feed.state else { continue };
            views.push(FeedView {
                origin: origin.clone(),
                scope: scope.clone(),
                log: state.head.log.clone(),
                generation: state.first.generation,
                seq: state.head.seq,
                head: state.head.hash.clone(),
                live: digest(&state.live),
                live_n: state.live.len() as u64,
                forked: self.is_forked(feed),
            });
        }
        views
    }

    /// The lines that are shown.
    pub fn shown(&self) -> Vec<ShownView> {
        showing::showing(self).0
    }

    /// The live entries that are not shown, each with its cause.
    pub fn hidden(&self) -> Vec<HiddenView> {
        showing::showing(self).1
    }

    /// The state of one feed, for those who relay it.
    pub fn state(&self, origin: &str, scope: &str) -> Option<&State> {
        self.feeds
            .get(&(origin.to_owned(), scope.to_owned()))?
            .state
            .as_ref()
    }

    /// Header hashes of the deltas of the current log held since the last snapshot.
    pub fn deltas_held(&self, origin: &str, scope: &str) -> Vec<String> {
        let Some(feed) = self.feeds.get(&(origin.to_owned(), scope.to_owned())) else {
            return Vec::new();
        };
        let mut held = Vec::new();
        for taken in &feed.taken {
            match taken {
                Taken::Snapshot(_) => held.clear(),
                Taken::Delta(delta) => {
                    if delta.header.seq == 0 {
                        held.clear();
                    }
                    held.push(delta.header.hash.clone());
                }
            }
        }
        held
    }

    /// Whether a feed is forked.
    pub fn forked(&self, origin: &str, scope: &str) -> bool {
        self.feeds
            .get(&(origin.to_owned(), scope.to_owned()))
            .is_some_and(|feed| self.is_forked(feed))
    }

    /// The record of a live entry, where its line is held and says what the entry says.
    pub(super) fn record(
        &self,
        origin: &str,
        scope: &str,
        id: &str,
        live: &Live,
    ) -> Option<Record> {
        let item = memo::item(self.lines.get(&live.line_hash)?).ok()?;
        let record = item.record.clone()?;
        is_of(&record, origin, scope, id, live).then_some(record)
    }

    /// The line held for a hash.
    pub fn line(&self, hash: &str) -> Option<&String> {
        self.lines.get(hash)
    }

    /// The identity log held of an instance.
    pub fn identity_log(&self, origin: &str) -> Vec<String> {
        self.known
            .get(origin)
            .map(|known| known.log.iter().map(|entry| entry.line.clone()).collect())
            .unwrap_or_default()
    }

    /// Whether two branches of an identity log hold every feed of the instance.
    pub fn holds_instance(&self, origin: &str) -> bool {
        self.known
            .get(origin)
            .is_some_and(|known| !known.branches.is_empty())
    }

    fn try_early_again(&mut self) {
        loop {
            let mut changed = false;
            for (header, items) in std::mem::take(&mut self.early) {
                let outcome = self.offer(&header, &items);
                if outcome.is("early") {
                    self.early.push((header, items));
                }
                changed |= outcome.is("append");
            }
            if !changed {
                return;
            }
        }
    }

    // Forks.

    fn note_tail(&mut self, key: &(String, String), delta: Rc<Delta>) {
        let feed = self.feeds.entry(key.clone()).or_default();
        if feed
            .tails
            .iter()
            .all(|tail| tail.header.hash != delta.header.hash)
        {
            feed.tails.push(delta);
        }
    }

    /// Forked by evidence, or because its head is void.
    fn is_forked(&self, feed: &Feed) -> bool {
        feed.forked
            || feed
                .state
                .as_ref()
                .is_some_and(|state| self.is_void(&state.head))
    }

    // Keys that stopped.

    /// Above the head of a `recover`, or naming an entry of a void branch.
    pub(super) fn is_void(&self, h: &Header) -> bool {
        let on_void_branch = self.known.get(&h.origin).is_some_and(|known| {
            known.void.contains_key(&h.identity) && known.entry(&h.identity).is_none()
        });
        on_void_branch || self.is_above(h, "recover")
    }

    fn is_above(&self, h: &Header, op: &str) -> bool {
        let Some(known) = self.known.get(&h.origin) else {
            return false;
        };
        let Some(signer) = known.entry(&h.identity) else {
            return false;
        };
        let later = |position: Position| position > signer.position;
        known.log.iter().any(|r| {
            r.op == op
                && later(r.position)
                && match &r.cuts[&h.scope] {
                    Cut::Blinded => false,
                    Cut::Nothing => true,
                    Cut::At(c) if c.log == h.log => {
                        h.seq > c.seq || (h.seq == c.seq && h.hash != c.hash)
                    }
                    Cut::At(c) => h.generation >= c.generation,
                }
        })
    }

    // Lines.

    fn fill_from(&mut self, key: &(String, String), items: &[Rc<delta::Item>]) {
        let Some(state) = &self.feeds[key].state else {
            return;
        };
        for item in items.iter().filter(|item| item.record.is_some()) {
            let e = &item.entry;
            let fits = state.live.get(&e.id).is_some_and(|live| {
                (live.rev, &live.kind, &live.line_hash) == (e.rev, &e.kind, &e.line_hash)
            });
            if fits {
                self.lines.insert(e.line_hash.clone(), item.text.clone());
            }
        }
    }

    /// A line is kept as long as an entry with its hash is live in some feed.
    fn forget_lines(&mut self) {
        let mut live = Vec::new();
        for feed in self.feeds.values() {
            for record in feed.state.iter().flat_map(|state| state.live.values()) {
                live.push(record.line_hash.clone());
            }
        }
        self.lines.retain(|hash, _| live.contains(hash));
    }
}

fn is_of(record: &Record, origin: &str, scope: &str, id: &str, live: &Live) -> bool {
    (
        record.origin.as_str(),
        record.scope.as_str(),
        record.id.as_str(),
    ) == (origin, scope, id)
        && (record.rev, &record.kind) == (live.rev, &live.kind)
}
