//! The follower: accepting deltas, snapshots, identity logs and filling lines.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::bytes::{line_hash, live_digest};
use super::delta::{self, Delta, Header};
use super::identity::{self, Cut, Known, Position};
use super::records::Record;
use super::snapshot::{self, Snapshot};
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

    // Accepting a delta: steps 1 to 13.

    fn offer(&mut self, header: &str, items: &[String]) -> Outcome {
        self.offer_steps(header, items)
            .unwrap_or_else(Outcome::refused)
    }

    fn offer_steps(&mut self, header: &str, items: &[String]) -> Result<Outcome, &'static str> {
        let delta = Rc::new(delta::read(header, items)?); // 1, 2
        let h = Rc::clone(&delta.header);
        if !self.scopes.contains(&h.scope) {
            return Ok(Outcome::plain("not_followed"));
        }
        if let Some(outcome) = self.who(&h)? {
            return Ok(outcome); // 3, 4, 5
        }
        let entries: Vec<String> = delta.items.iter().map(|i| i.entry.bytes.clone()).collect();
        if memo::root(entries) != h.root {
            return Err("wrong_root"); // 6
        }
        for (i, item) in delta.items.iter().enumerate() {
            if delta.items[..i]
                .iter()
                .any(|other| other.entry.id == item.entry.id)
            {
                return Err("two_entries_of_one_id"); // 7
            }
        }
        let key = (h.origin.clone(), h.scope.clone());
        let feed = self.feeds.entry(key.clone()).or_default();
        if h.seq == 0 {
            feed.firsts
                .entry(h.log.clone())
                .or_insert_with(|| Rc::clone(&h));
        }
        let place = self.place(&key, &h);
        if self.is_above(&h, "rotate") && !place.is_duplicate() {
            return Err("above_last_head"); // 8
        }
        match place {
            Place::Answer(outcome) => {
                if outcome.is("duplicate") {
                    self.fill_from(&key, &delta.items);
                }
                return Ok(outcome); // 9
            }
            Place::Fork => {
                self.feeds.entry(key.clone()).or_default().forked = true;
                self.note_tail(&key, delta);
                return Ok(Outcome::plain("fork"));
            }
            Place::Closed => {
                self.note_tail(&key, delta);
                return Ok(Outcome::plain("closed"));
            }
            Place::Held => {
                self.note_tail(&key, delta);
                return Ok(Outcome::plain("held"));
            }
            Place::GoOn => {}
        }
        let state = self.feeds[&key].state.as_ref();
        if state.is_some_and(|state| h.position < state.head.position) {
            return Err("identity_decreases"); // 10
        }
        let mut live = state.map(|state| state.live.clone()).unwrap_or_default();
        for item in &delta.items {
            entry_rules(&mut live, &item.entry, &h)?; // 11
        }
        if live.len() as u64 != h.live_n || digest(&live) != h.live {
            return Err("wrong_live"); // 12
        }
        let feed = self.feeds.entry(key.clone()).or_default();
        feed.forked &= h.seq > 0;
        if h.seq == 0 {
            feed.firsts.insert(h.log.clone(), Rc::clone(&h));
        }
        feed.taken.push(Taken::Delta(Rc::clone(&delta)));
        feed.fold();
        self.fill_from(&key, &delta.items);
        self.forget_lines();
        Ok(Outcome::plain("append")) // 13
    }

    /// Steps 3 to 5 for one header.
    fn who(&self, h: &Header) -> Result<Option<Outcome>, &'static str> {
        let Some(known) = self.known.get(&h.origin) else {
            return Ok(Some(Outcome::early("identity")));
        };
        if known.entry(&h.identity).is_none() && !known.void.contains_key(&h.identity) {
            return Ok(Some(Outcome::early("identity")));
        }
        if self.is_void(h) {
            return Ok(Some(Outcome::plain("void")));
        }
        let entry = known.entry(&h.identity).expect("neither unknown nor void");
        if entry.position != h.position {
            return Err("wrong_key");
        }
        if !memo::verifies(&h.signed, &entry.signing_key) {
            return Err("bad_signature");
        }
        Ok(None)
    }

    fn place(&self, key: &(String, String), h: &Rc<Header>) -> Place {
        let feed = &self.feeds[key];
        let go_on = || {
            if self.holds_instance(&key.0) {
                Place::Held
            } else {
                Place::GoOn
            }
        };
        let Some(f) = &feed.state else {
            if h.seq == 0 && h.follows.is_none() {
                return go_on();
            }
            return Place::Answer(Outcome::plain("need_snapshot"));
        };
        if h.log == f.head.log {
            if h.generation != f.first.generation {
                return Place::Answer(Outcome::refused("wrong_generation"));
            }
            return match h.seq.cmp(&(f.head.seq + 1)) {
                std::cmp::Ordering::Less => {
                    if f.chain[usize::try_from(h.seq).expect("a short log")] == h.hash {
                        Place::Answer(Outcome::plain("duplicate"))
                    } else {
                        Place::Fork
                    }
                }
                std::cmp::Ordering::Equal => {
                    if h.prev.as_ref() != Some(&f.head.hash) {
                        Place::Fork
                    } else if self.is_forked(feed) {
                        Place::Held
                    } else {
                        go_on()
                    }
                }
                std::cmp::Ordering::Greater => Place::Answer(Outcome::early("gap")),
            };
        }
        let first = if h.seq == 0 {
            Some(h)
        } else {
            feed.firsts.get(&h.log)
        };
        let Some(first) = first.filter(|first| !self.is_void(first)) else {
            return Place::Answer(Outcome::plain("need_snapshot"));
        };
        match order(first).cmp(&order(&f.first)) {
            std::cmp::Ordering::Less => Place::Closed,
            std::cmp::Ordering::Equal => Place::Fork,
            std::cmp::Ordering::Greater => {
                if leaves_beside(first, &f.first) {
                    return Place::Fork;
                }
                let follows_head = h.follows.as_ref().is_some_and(|follows| {
                    (&follows.log, follows.seq, &follows.hash)
                        == (&f.head.log, f.head.seq, &f.head.hash)
                });
                if h.seq == 0 && follows_head {
                    return go_on();
                }
                Place::Answer(Outcome::plain("need_snapshot"))
            }
        }
    }

    // Snapshots.

    fn offer_snapshot(&mut self, lines: &[String]) -> Result<Outcome, &'static str> {
        let snapshot = Rc::new(snapshot::read(lines)?);
        let (head, first) = (Rc::clone(&snapshot.head), Rc::clone(&snapshot.first));
        if !self.scopes.contains(&head.scope) {
            return Ok(Outcome::plain("not_followed"));
        }
        for h in [&head, &first] {
            if let Some(outcome) = self.who(h)? {
                return Ok(outcome);
            }
        }
        snapshot.prove()?;
        let key = (head.origin.clone(), head.scope.clone());
        self.feeds.entry(key.clone()).or_default();
        let place = self.place_snapshot(&key, &snapshot);
        if self.is_above(&head, "rotate") && !place.is_duplicate() {
            return Err("above_last_head");
        }
        if matches!(place, Place::GoOn) {
            let held = self.feeds[&key].state.as_ref().map(|f| &f.head);
            let before = held.filter(|held| held.log == head.log);
            let earlier = [Some(&first), before].into_iter().flatten();
            if earlier.max_by_key(|h| h.position).expect("first").position > head.position {
                return Err("identity_decreases");
            }
        }
        let feed = self.feeds.entry(key.clone()).or_default();
        feed.firsts
            .entry(first.log.clone())
            .or_insert_with(|| Rc::clone(&first));
        match place {
            Place::Answer(outcome) => {
                if outcome.is("duplicate") {
                    self.fill_from(&key, &snapshot.items);
                }
                return Ok(outcome);
            }
            Place::Fork => {
                self.feeds.entry(key.clone()).or_default().forked = true;
                return Ok(Outcome::plain("fork"));
            }
            Place::Closed => return Ok(Outcome::plain("closed")),
            Place::Held => return Ok(Outcome::plain("held")),
            Place::GoOn => {}
        }
        let feed = self.feeds.entry(key.clone()).or_default();
        feed.forked = false;
        feed.firsts.insert(first.log.clone(), Rc::clone(&first));
        feed.taken.push(Taken::Snapshot(Rc::clone(&snapshot)));
        feed.fold();
        self.fill_from(&key, &snapshot.items);
        self.forget_lines();
        Ok(Outcome::plain("take"))
    }

    fn place_snapshot(&self, key: &(String, String), snapshot: &Snapshot) -> Place {
        let feed = &self.feeds[key];
        let (h, first) = (&snapshot.head, &snapshot.first);
        let go_on = || {
            if self.holds_instance(&key.0) {
                Place::Held
            } else {
                Place::GoOn
            }
        };
        let Some(f) = &feed.state else { return go_on() };
        if h.log == f.head.log {
            if h.generation != f.first.generation {
                return Place::Answer(Outcome::refused("wrong_generation"));
            }
            let (theirs, ours) = (snapshot.chain(), &f.chain);
            let common = theirs.len().min(ours.len()) - 1;
            if theirs[common] != ours[common] {
                return Place::Fork;
            }
            if h.seq <= f.head.seq {
                return Place::Answer(Outcome::plain("duplicate"));
            }
            if self.is_forked(feed) {
                return Place::Held;
            }
            return go_on();
        }
        match order(first).cmp(&order(&f.first)) {
            std::cmp::Ordering::Less => Place::Closed,
            std::cmp::Ordering::Equal => Place::Fork,
            std::cmp::Ordering::Greater if leaves_beside(first, &f.first) => Place::Fork,
            std::cmp::Ordering::Greater => go_on(),
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

impl Feed {
    /// Folds everything taken from the first on.
    fn fold(&mut self) {
        let mut state: Option<State> = None;
        for taken in &self.taken {
            match taken {
                Taken::Snapshot(s) => {
                    let mut live = BTreeMap::new();
                    for item in &s.items {
                        put(&mut live, &item.entry, &s.head);
                    }
                    state = Some(State {
                        first: Rc::clone(&s.first),
                        head: Rc::clone(&s.head),
                        chain: s.chain(),
                        live,
                    });
                }
                Taken::Delta(d) => {
                    let h = &d.header;
                    let mut next = state.take().unwrap_or_else(|| State {
                        first: Rc::clone(h),
                        head: Rc::clone(h),
                        chain: Vec::new(),
                        live: BTreeMap::new(),
                    });
                    if h.seq == 0 {
                        next.first = Rc::clone(h);
                        next.chain.clear();
                    }
                    next.head = Rc::clone(h);
                    next.chain.push(h.hash.clone());
                    for item in &d.items {
                        if item.entry.put {
                            put(&mut next.live, &item.entry, h);
                        } else {
                            next.live.remove(&item.entry.id);
                        }
                    }
                    state = Some(next);
                }
            }
        }
        self.state = state;
    }
}

fn put(live: &mut BTreeMap<String, Live>, e: &delta::Entry, by: &Rc<Header>) {
    let record = Live {
        rev: e.rev,
        kind: e.kind.clone(),
        line_hash: e.line_hash.clone(),
        by: Rc::clone(by),
    };
    live.insert(e.id.clone(), record);
}

fn digest(live: &BTreeMap<String, Live>) -> String {
    let all: Vec<_> = live
        .iter()
        .map(|(id, l)| (id.clone(), l.rev, l.kind.clone(), l.line_hash.clone()))
        .collect();
    live_digest(&all)
}

/// Step 11 for one entry.
fn entry_rules(
    live: &mut BTreeMap<String, Live>,
    e: &delta::Entry,
    by: &Rc<Header>,
) -> Result<(), &'static str> {
    let before = live.get(&e.id);
    if e.put && before.is_some_and(|live| e.rev <= live.rev) {
        return Err("rev_not_above");
    }
    if !e.put && before.is_some_and(|live| e.rev < live.rev) {
        return Err("retract_below_live");
    }
    if before.map(|live| &live.line_hash) != e.drops.as_ref() {
        return Err("wrong_drops");
    }
    if before.is_some_and(|live| live.kind != e.kind) {
        return Err("kind_changed");
    }
    if e.put {
        put(live, e, by);
    } else {
        live.remove(&e.id);
    }
    Ok(())
}

fn is_of(record: &Record, origin: &str, scope: &str, id: &str, live: &Live) -> bool {
    (
        record.origin.as_str(),
        record.scope.as_str(),
        record.id.as_str(),
    ) == (origin, scope, id)
        && (record.rev, &record.kind) == (live.rev, &live.kind)
}

/// The order of logs, by their first headers.
fn order(first: &Header) -> (u64, u64, u64) {
    (first.position.0, first.position.1, first.generation)
}

/// A log that follows another log of our log's generation, opened in our log's era and key.
fn leaves_beside(first: &Header, ours: &Header) -> bool {
    first.position == ours.position
        && first
            .follows
            .as_ref()
            .is_some_and(|f| f.generation == ours.generation && f.log != ours.log)
}
