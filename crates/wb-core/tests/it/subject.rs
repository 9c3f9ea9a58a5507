//! `wb_core` as a [`Subject`]: its rules over plain maps in memory, as the simplest host would keep
//! them. Nothing here decides; what is kept is what the pages say a reader keeps.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use wb_core::feed::{
    Delta, Early, FeedState, FeedView, Header, Item, Live, Opening, Outcome as Answer, Progress,
    SnapshotOutcome, SnapshotReader, accept, check_fill, order,
};
use wb_core::id::{Hash, InstanceId, LogId, RecordId, RecordRef};
use wb_core::identity::{IdentityError, IdentityLog, Placed};
use wb_core::kinds::{Body, BodyError};
use wb_core::line::Line;
use wb_core::scope::FeedScope;
use wb_core::show::{Candidate, Cause, Marks, choose};

use crate::histories::Subject;
use crate::naive::{FeedView as Seen, HiddenView, Outcome, ShownView};

/// Verified logs remembered by a thread; those of a history or two.
const LOGS_MAX: usize = 64;

/// The header behind an entry, a mark or a log: enough to see whether a recovery made it void.
#[derive(Debug, Clone)]
struct Source {
    identity: Hash,
    placed: Placed,
}

impl Source {
    fn of(header: &Header, hash: Hash) -> Self {
        Self {
            identity: header.identity,
            placed: header.placed(hash),
        }
    }

    fn is_void(&self, identity: Option<&IdentityLog>) -> bool {
        identity.is_some_and(|log| log.is_void(&self.identity, &self.placed))
    }

    fn counts(&self, identity: Option<&IdentityLog>) -> bool {
        identity.is_none_or(|log| log.counts(&self.identity, &self.placed))
    }
}

/// A live record of a feed.
#[derive(Debug, Clone)]
struct Record {
    live: Live,
    line: Option<Vec<u8>>,
    by: Source,
}

/// A put or retract that was seen.
#[derive(Debug)]
struct Mark {
    id: RecordId,
    put: bool,
    rev: u64,
    by: Source,
}

#[derive(Debug, Default)]
struct Feed {
    state: Option<FeedState>,
    head: Option<Source>,
    records: BTreeMap<RecordId, Record>,
    headers: BTreeMap<u64, Hash>,
    firsts: BTreeMap<LogId, (Opening, Source)>,
    marks: Vec<Mark>,
}

/// A feed with the identity log that judges it.
struct View<'a> {
    feed: &'a Feed,
    identity: Option<&'a IdentityLog>,
}

impl FeedView for View<'_> {
    type Error = Infallible;

    fn live(&self, id: &RecordId) -> Result<Option<Live>, Infallible> {
        Ok(self.feed.records.get(id).map(|record| record.live.clone()))
    }

    fn header_hash(&self, seq: u64) -> Result<Option<Hash>, Infallible> {
        Ok(self.feed.headers.get(&seq).copied())
    }

    fn opening(&self, log: &LogId) -> Result<Option<Opening>, Infallible> {
        let first = self.feed.firsts.get(log);
        let first = first.filter(|(_, by)| !by.is_void(self.identity));
        Ok(first.map(|(opening, _)| *opening))
    }

    fn has_rival(&self, log: &LogId, opening: &Opening) -> Result<bool, Infallible> {
        let others = self.feed.firsts.iter().filter(|(other, _)| *other != log);
        Ok(others
            .filter(|(_, (other, _))| order(other) == order(opening))
            .any(|(_, (_, by))| by.counts(self.identity)))
    }
}

impl Feed {
    fn is_forked(&self, identity: Option<&IdentityLog>) -> bool {
        let void = self
            .head
            .as_ref()
            .is_some_and(|head| head.is_void(identity));
        void || self.state.as_ref().is_some_and(|state| state.forked)
    }

    fn state_now(&self, identity: Option<&IdentityLog>) -> Option<FeedState> {
        let mut state = self.state.clone()?;
        state.forked = self.is_forked(identity);
        Some(state)
    }

    /// A feed that holds nothing has no head to mark.
    fn note_fork(&mut self) {
        if let Some(state) = &mut self.state {
            state.forked = true;
        }
    }

    fn put(&mut self, item: &Item<'_>, by: &Source) {
        let entry = &item.entry;
        let Some(line_hash) = entry.line_hash() else {
            self.records.remove(&entry.id);
            return;
        };
        let live = Live {
            rev: entry.rev,
            kind: entry.kind.clone(),
            line_hash,
        };
        let line = item.line.as_ref().map(|line| line.bytes.to_vec());
        let by = by.clone();
        self.records.insert(entry.id, Record { live, line, by });
    }

    fn mark(&mut self, id: RecordId, put: bool, rev: u64, by: &Source) {
        let by = by.clone();
        self.marks.push(Mark { id, put, rev, by });
    }

    fn mark_retracts(&mut self, delta: &Delta<'_>, by: &Source) {
        for entry in delta.items.iter().map(|item| &item.entry) {
            if entry.line_hash().is_none() {
                self.mark(entry.id, false, entry.rev, by);
            }
        }
    }

    /// Lines that came again fill the stubs of what is live.
    fn fill_from(&mut self, items: &[Item<'_>]) {
        for item in items {
            let Some(record) = self.records.get_mut(&item.entry.id) else {
                continue;
            };
            let entry = &item.entry;
            let fits = record.live.rev == entry.rev
                && record.live.kind == entry.kind
                && Some(record.live.line_hash) == entry.line_hash();
            if let (true, None, Some(line)) = (fits, &record.line, &item.line) {
                record.line = Some(line.bytes.to_vec());
            }
        }
    }
}

/// A reader that keeps everything in memory.
#[derive(Debug)]
pub struct InMemory {
    scopes: Vec<FeedScope>,
    identities: BTreeMap<InstanceId, IdentityLog>,
    feeds: BTreeMap<(InstanceId, FeedScope), Feed>,
    /// In the order they came.
    early: Vec<(String, Vec<String>)>,
    /// What is shown and hidden, until something changes.
    showing: RefCell<Option<Showing>>,
}

type Showing = (Vec<ShownView>, Vec<HiddenView>);

impl InMemory {
    pub fn new(scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|scope| scope.parse().expect("a scope"));
        Self {
            scopes: scopes.collect(),
            identities: BTreeMap::new(),
            feeds: BTreeMap::new(),
            early: Vec::new(),
            showing: RefCell::default(),
        }
    }

    /// Offers an identity log to a reader that expects an instance.
    pub fn identity_of(
        &mut self,
        lines: &[String],
        id: Option<&str>,
    ) -> Result<Outcome, IdentityError> {
        self.showing.take();
        let id = id.map(|id| id.parse().expect("an instance id"));
        let log = verify(lines, id)?;
        let id = log.id();
        let (name, log) = match self.identities.get(&id) {
            None => ("extend", log),
            Some(held) => {
                let (merge, log) = held.offer(&log);
                (merge.as_str(), log)
            }
        };
        self.identities.insert(id, log);
        if matches!(name, "extend" | "replace") {
            self.retry_early();
        }
        Ok(Outcome::plain(name))
    }

    fn retry_early(&mut self) {
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

    fn offer(&mut self, header: &str, items: &[String]) -> Outcome {
        let delta = match Delta::read(header.as_bytes(), items) {
            Ok(delta) => delta,
            Err(refusal) => return Outcome::refused(refusal.rule.as_str()),
        };
        let header = &delta.header;
        if !self.scopes.contains(&header.scope) {
            return Outcome::plain("not_followed");
        }
        let identity = self.identities.get(&header.origin);
        let feed = self.feeds.entry((header.origin, header.scope)).or_default();
        let state = feed.state_now(identity);
        let Ok(answer) = accept(&delta, identity, state.as_ref(), &View { feed, identity });
        let by = Source::of(header, delta.hash);
        if header.seq == 0 && answer.is_proved() {
            let first = (Opening::of(header), by.clone());
            if matches!(answer, Answer::Append(_)) {
                feed.firsts.insert(header.log, first);
            } else {
                feed.firsts.entry(header.log).or_insert(first);
            }
        }
        match &answer {
            Answer::Append(applied) => {
                for item in &delta.items {
                    feed.put(item, &by);
                    let put = item.entry.line_hash().is_some();
                    feed.mark(item.entry.id, put, item.entry.rev, &by);
                }
                if applied.opens_log {
                    feed.headers.clear();
                }
                feed.headers.insert(header.seq, delta.hash);
                feed.state = Some(applied.state.clone());
                feed.head = Some(by);
            }
            Answer::Duplicate => feed.fill_from(&delta.items),
            Answer::Fork => {
                feed.mark_retracts(&delta, &by);
                feed.note_fork();
            }
            Answer::Closed | Answer::Held => feed.mark_retracts(&delta, &by),
            Answer::Early(Early::Gap) => return Outcome::early("gap"),
            Answer::Early(Early::Identity) => return Outcome::early("identity"),
            Answer::Refused(refusal) => return Outcome::refused(refusal.rule.as_str()),
            Answer::Void | Answer::NeedSnapshot => {}
        }
        Outcome::plain(answer.as_str())
    }

    fn offer_snapshot(&mut self, lines: &[String]) -> Outcome {
        match self.read_snapshot(lines) {
            Ok(outcome) => outcome,
            Err(refusal) => Outcome::refused(refusal.rule.as_str()),
        }
    }

    fn read_snapshot(&mut self, lines: &[String]) -> Result<Outcome, wb_core::feed::Refusal> {
        let first_line = lines.first().map_or("", String::as_str);
        let mut reader = SnapshotReader::start(first_line.as_bytes())?;
        let key = (reader.totals().origin, reader.totals().scope);
        let identity = self.identities.get(&key.0);
        let (mut items, mut retracted) = (Vec::new(), Vec::new());
        let mut placed = None;
        let feed = self.feeds.entry(key).or_default();
        let state = feed.state_now(identity);
        for line in lines.iter().skip(1) {
            match reader.push(line.as_bytes(), identity)? {
                Progress::Header | Progress::Chain => {}
                Progress::Item(item) => items.push(*item),
                Progress::Retracted(pairs) => retracted.extend(pairs),
            }
            if placed.is_none() && reader.is_placed() {
                let view = View { feed, identity };
                let Ok(answer) = reader.place(identity, state.as_ref(), &view);
                placed = Some(answer?);
            }
        }
        reader.finish()?;
        let placed = placed.expect("a finished snapshot was placed");
        let is_early = matches!(placed, SnapshotOutcome::Early | SnapshotOutcome::Void);
        if !is_early {
            let (header, _) = Header::read(reader.first().expect("read above")).expect("verified");
            let first = (
                Opening::of(&header),
                Source::of(&header, reader.chain().next().expect("read above").1),
            );
            if placed == SnapshotOutcome::Take {
                feed.firsts.insert(header.log, first);
            } else {
                feed.firsts.entry(header.log).or_insert(first);
            }
        }
        match placed {
            SnapshotOutcome::Take => {
                let (head, _, hash) = reader.head().expect("read above");
                let by = Source::of(head, hash);
                let before = std::mem::take(&mut feed.records);
                for item in &items {
                    feed.put(item, &by);
                    feed.mark(item.entry.id, true, item.entry.rev, &by);
                }
                for (id, record) in &mut feed.records {
                    let kept = before.get(id).filter(|b| b.live == record.live);
                    let kept = kept.and_then(|before| before.line.clone());
                    record.line = record.line.take().or(kept);
                }
                for (id, rev) in retracted {
                    feed.mark(id, false, rev, &by);
                }
                feed.headers = (0..).zip(reader.chain().map(|(_, hash)| hash)).collect();
                feed.state = Some(reader.state());
                feed.head = Some(by);
            }
            SnapshotOutcome::Duplicate => feed.fill_from(&items),
            SnapshotOutcome::Fork => {
                feed.note_fork();
            }
            SnapshotOutcome::Early => return Ok(Outcome::early("identity")),
            SnapshotOutcome::Closed | SnapshotOutcome::Void | SnapshotOutcome::Held => {}
        }
        Ok(Outcome::plain(placed.as_str()))
    }

    fn marks(&self) -> BTreeMap<RecordRef, Marks> {
        let mut all: BTreeMap<RecordRef, Marks> = BTreeMap::new();
        for ((origin, _), feed) in &self.feeds {
            let identity = self.identities.get(origin);
            for mark in feed.marks.iter().filter(|mark| !mark.by.is_void(identity)) {
                let key = RecordRef {
                    origin: *origin,
                    id: mark.id,
                };
                let marks = all.entry(key).or_default();
                let highest = if mark.put {
                    &mut marks.put
                } else {
                    &mut marks.retract
                };
                *highest = mark.rev.max(*highest);
            }
        }
        all
    }

    fn showing(&self) -> Showing {
        let mut kept = self.showing.borrow_mut();
        kept.get_or_insert_with(|| self.decide_showing()).clone()
    }

    fn decide_showing(&self) -> Showing {
        let marks = self.marks();
        let mut requests: BTreeMap<RecordRef, FeedScope> = BTreeMap::new();
        let (mut shown, mut hidden, mut children) = (Vec::new(), Vec::new(), Vec::new());
        for ((origin, scope), feed) in &self.feeds {
            for (id, record) in &feed.records {
                let key = RecordRef {
                    origin: *origin,
                    id: *id,
                };
                match self.own_cause(key, *scope, record, &marks) {
                    Err(cause) => hidden.push(hide(key, *scope, record, cause)),
                    Ok(body) => match body.parent(*origin) {
                        Some(parent) => children.push((key, *scope, record, parent)),
                        None => {
                            if matches!(body, Body::Request(_)) {
                                requests.insert(key, *scope);
                            }
                            shown.push(show(key, *scope, record));
                        }
                    },
                }
            }
        }
        for (key, scope, record, parent) in children {
            match requests.get(&parent) {
                Some(narrower) => shown.push(show(key, scope.max(*narrower), record)),
                None if marks.contains_key(&parent) => {
                    hidden.push(hide(key, scope, record, Cause::ParentNotShown));
                }
                None => hidden.push(hide(key, scope, record, Cause::ParentUnknown)),
            }
        }
        shown.sort();
        hidden.sort();
        (shown, hidden)
    }

    /// Rules 0 to 6.
    fn own_cause(
        &self,
        key: RecordRef,
        scope: FeedScope,
        record: &Record,
        marks: &BTreeMap<RecordRef, Marks>,
    ) -> Result<Body, Cause> {
        let identity = self.identities.get(&key.origin);
        let candidate = |scope: FeedScope, record: &Record| Candidate {
            scope,
            rev: record.live.rev,
            has_line: record.line.is_some(),
            is_void: record.by.is_void(identity),
        };
        let all: Vec<Candidate> = FeedScope::ALL
            .into_iter()
            .filter_map(|scope| {
                let feed = self.feeds.get(&(key.origin, scope))?;
                Some(candidate(scope, feed.records.get(&key.id)?))
            })
            .collect();
        let marks = marks.get(&key).copied().unwrap_or_default();
        choose(&candidate(scope, record), &all, marks)?;
        let bytes = record
            .line
            .as_deref()
            .expect("a line that is chosen is there");
        let line = Line::read(bytes).expect("it was read before");
        let body = Body::of_line(&line);
        body.map_err(|error| match error {
            BodyError::NeedsNewerVersion => Cause::NeedsNewerVersion,
            BodyError::Invalid => Cause::BodyInvalid,
        })
    }
}

thread_local! {
    static LOGS: RefCell<BTreeMap<Vec<String>, IdentityLog>> = RefCell::default();
}

/// Verifies a log. Four peers get the same logs again and again, so good ones are remembered, as far
/// as their bytes alone decide.
fn verify(lines: &[String], id: Option<InstanceId>) -> Result<IdentityLog, IdentityError> {
    let known = LOGS.with_borrow(|logs| logs.get(lines).cloned());
    if let Some(known) = known.filter(|log| id.is_none_or(|id| id == log.id())) {
        return Ok(known);
    }
    let log = IdentityLog::verify(id, lines)?;
    LOGS.with_borrow_mut(|logs| {
        if logs.len() >= LOGS_MAX {
            logs.clear();
        }
        logs.insert(lines.to_vec(), log.clone());
    });
    Ok(log)
}

fn show(key: RecordRef, scope: FeedScope, record: &Record) -> ShownView {
    ShownView {
        origin: key.origin.to_string(),
        id: key.id.to_string(),
        rev: record.live.rev,
        scope: scope.as_str().to_owned(),
        line_hash: record.live.line_hash.to_string(),
    }
}

fn hide(key: RecordRef, scope: FeedScope, record: &Record, cause: Cause) -> HiddenView {
    HiddenView {
        origin: key.origin.to_string(),
        id: key.id.to_string(),
        rev: record.live.rev,
        scope: scope.as_str().to_owned(),
        cause: cause.as_str().to_owned(),
    }
}

impl Subject for InMemory {
    fn identity(&mut self, lines: &[String]) -> Outcome {
        self.identity_of(lines, None)
            .unwrap_or_else(|error| Outcome::refused(error.rule.as_str()))
    }

    fn delta(&mut self, header: &str, items: &[String]) -> Outcome {
        self.showing.take();
        let outcome = self.offer(header, items);
        if outcome.is("early") {
            let kept = (header.to_owned(), items.to_vec());
            if !self.early.contains(&kept) {
                self.early.push(kept);
            }
        } else if outcome.is("append") {
            self.retry_early();
        }
        outcome
    }

    fn snapshot(&mut self, lines: &[String]) -> Outcome {
        self.showing.take();
        let outcome = self.offer_snapshot(lines);
        if outcome.is("take") {
            self.retry_early();
        }
        outcome
    }

    fn fill(&mut self, line: &str) -> Outcome {
        self.showing.take();
        let hash = wb_core::hash::line(line.as_bytes());
        let mut answer = Outcome::plain("not_wanted");
        for ((origin, scope), feed) in &mut self.feeds {
            let stubs = feed.records.iter_mut();
            for (id, record) in stubs.filter(|(_, r)| r.line.is_none() && r.live.line_hash == hash)
            {
                match check_fill(line.as_bytes(), id, &record.live, *origin, *scope) {
                    Ok(_) => {
                        record.line = Some(line.as_bytes().to_vec());
                        answer = Outcome::plain("filled");
                    }
                    Err(rule) if answer.is("not_wanted") => {
                        answer = Outcome::refused(rule.as_str());
                    }
                    Err(_) => {}
                }
            }
        }
        answer
    }

    fn feeds(&self) -> Vec<Seen> {
        let seen = |((origin, scope), feed): (&(InstanceId, FeedScope), &Feed)| {
            let state = feed.state.as_ref()?;
            Some(Seen {
                origin: origin.to_string(),
                scope: scope.as_str().to_owned(),
                log: state.log.to_string(),
                generation: state.opening.generation,
                seq: state.seq,
                head: state.hash.to_string(),
                live: state.live.digest().to_string(),
                live_n: state.live_n,
                forked: feed.is_forked(self.identities.get(origin)),
            })
        };
        self.feeds.iter().filter_map(seen).collect()
    }

    fn shown(&self) -> Vec<ShownView> {
        self.showing().0
    }

    fn hidden(&self) -> Vec<HiddenView> {
        self.showing().1
    }
}
