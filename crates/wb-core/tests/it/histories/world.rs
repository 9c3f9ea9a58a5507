//! One random history: an origin, a hub, four followers, and everything that befalls them.
//!
//! The acts are those of the executable model (`model/feeds.py`): publishing with crashes between
//! the feeds, moves between scopes, restores from an old copy, a second running copy, a thief, keys
//! that change, old bundles, trimmed logs, newcomers. Whatever reaches a follower is a [`Step`]; a
//! [`Subject`] given beside the naive follower gets the same step and must answer the same.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::agree::Subject;
use super::rng::Rng;
use super::seal::{Change, Counter, Owner, Rec, Sealed, flip_digit};
use crate::naive::{Follower, Outcome};

const SCOPES: [&str; 2] = ["public", "trusted_peers"];

/// What reaches one follower.
#[derive(Clone, Debug)]
pub enum Step {
    /// The follower forgets everything.
    Newcomer {
        to: usize,
    },
    Identity {
        to: usize,
        lines: Vec<String>,
    },
    Delta {
        to: usize,
        header: String,
        items: Vec<String>,
    },
    Snapshot {
        to: usize,
        lines: Vec<String>,
        /// It was broken on its way, maybe in several places at once.
        broken: bool,
    },
    Fill {
        to: usize,
        line: String,
    },
}

/// A mark the test's own ledger knows of.
#[derive(Clone)]
struct Seen {
    put: bool,
    id: String,
    rev: u64,
    /// Hash of the header that made it.
    by: String,
    /// From a retracted list: its feed.
    listed: Option<&'static str>,
}

/// A follower with what the world knows of it.
#[derive(Clone)]
pub struct Peer {
    pub name: &'static str,
    pub scopes: Vec<&'static str>,
    kinds: Vec<&'static str>,
    pub reader: Follower,
    /// Deltas below this `seq` were trimmed, by log.
    floor: BTreeMap<String, u64>,
    /// Headers whose bytes it was sent.
    sent: BTreeSet<String>,
    ledger: Vec<Seen>,
    /// Something reached it since the last check.
    touched: bool,
}

pub type Maker = fn(&[&str]) -> Box<dyn Subject>;

pub struct World {
    rng: Rng,
    counter: Counter,
    origin: Owner,
    copy: Option<Owner>,
    thief: Option<Owner>,
    theft: bool,
    backup: Option<Owner>,
    /// The hub is peer 0.
    peers: Vec<Peer>,
    bundles: Vec<Peer>,
    sealed: BTreeMap<String, Rc<Sealed>>,
    /// Hashes of lines whose body is invalid.
    invalid: BTreeSet<String>,
    /// (position, public head) of each recover.
    recovers: Vec<((u64, u64), Rc<Sealed>)>,
    /// Entries only the thief wrote.
    void_entries: BTreeSet<String>,
    make: Option<Maker>,
    subjects: Vec<Box<dyn Subject>>,
    records_max: usize,
    mode: usize,
    may_fork: bool,
    may_steal: bool,
    pub log: Vec<String>,
    pub steps: usize,
    pub outcomes: BTreeMap<String, u64>,
    /// The first thing that went wrong.
    pub wrong: Option<String>,
}

impl World {
    pub fn new(seed: u64, make: Option<Maker>) -> Self {
        let mut rng = Rng::new(seed);
        let mut counter = Counter::default();
        let mut origin = Owner::found(&mut counter);
        let mut sealed = BTreeMap::new();
        for scope in SCOPES {
            let first = origin.open(&mut counter, scope, 0);
            sealed.insert(first.hash.clone(), first);
        }
        let all = vec!["request", "comment", "gizmo"];
        let peer = |name, scopes: &[&'static str], kinds: &[&'static str]| Peer {
            name,
            scopes: scopes.to_vec(),
            kinds: kinds.to_vec(),
            reader: Follower::new(scopes),
            floor: BTreeMap::new(),
            sent: BTreeSet::new(),
            ledger: Vec::new(),
            touched: false,
        };
        let some = if rng.chance(50) { "request" } else { "comment" };
        let peers = vec![
            peer("hub", &SCOPES, &all),
            peer("alice", &SCOPES, &all),
            peer("bob", &SCOPES[..1], &all),
            peer("eve", &SCOPES, &[some]),
        ];
        let subjects = make
            .map(|make| peers.iter().map(|p| make(&p.scopes)).collect())
            .unwrap_or_default();
        Self {
            records_max: 1 + rng.below(4),
            mode: rng.below(5),
            may_fork: rng.chance(50),
            may_steal: rng.chance(50),
            rng,
            counter,
            origin,
            copy: None,
            thief: None,
            theft: false,
            backup: None,
            peers,
            bundles: Vec::new(),
            sealed,
            invalid: BTreeSet::new(),
            recovers: Vec::new(),
            void_entries: BTreeSet::new(),
            make,
            subjects,
            log: Vec::new(),
            steps: 0,
            outcomes: BTreeMap::new(),
            wrong: None,
        }
    }

    /// Runs the whole history.
    pub fn run(&mut self) {
        let acts = 8 + self.rng.below(32);
        for _ in 0..acts {
            self.act();
            if self.wrong.is_some() {
                return;
            }
        }
        self.finish();
    }

    fn note(&mut self, text: String) {
        self.log.push(text);
    }

    fn fail(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    // Steps.

    fn step(&mut self, step: &Step) -> Outcome {
        self.steps += 1;
        let to = match step {
            Step::Newcomer { to }
            | Step::Identity { to, .. }
            | Step::Delta { to, .. }
            | Step::Snapshot { to, .. }
            | Step::Fill { to, .. } => *to,
        };
        let peer = &mut self.peers[to];
        peer.touched = true;
        let outcome = match step {
            Step::Newcomer { .. } => {
                peer.reader = Follower::new(&peer.scopes);
                peer.floor.clear();
                peer.sent.clear();
                peer.ledger.clear();
                Outcome::plain("newcomer")
            }
            Step::Identity { lines, .. } => peer.reader.identity(lines),
            Step::Delta { header, items, .. } => peer.reader.delta(header, items),
            Step::Snapshot { lines, .. } => peer.reader.snapshot(lines),
            Step::Fill { line, .. } => peer.reader.fill(line),
        };
        let rule = outcome.rule.as_deref().unwrap_or("");
        *self
            .outcomes
            .entry(format!("{} {rule}", outcome.name))
            .or_default() += 1;
        if let Some(make) = self.make {
            if let Step::Newcomer { .. } = step {
                self.subjects[to] = make(&self.peers[to].scopes);
            } else {
                self.compare(to, step, &outcome);
            }
        }
        outcome
    }

    fn compare(&mut self, to: usize, step: &Step, outcome: &Outcome) {
        let subject = &mut self.subjects[to];
        let answer = match step {
            Step::Newcomer { .. } => return,
            Step::Identity { lines, .. } => subject.identity(lines),
            Step::Delta { header, items, .. } => subject.delta(header, items),
            Step::Snapshot { lines, .. } => subject.snapshot(lines),
            Step::Fill { line, .. } => subject.fill(line),
        };
        let reader = &self.peers[to].reader;
        // A snapshot that breaks several rules is not taken, whichever of them is met first: one
        // reader takes it line by line, the other as a whole.
        let not_taken =
            |outcome: &Outcome| ["refused", "void", "early"].contains(&outcome.name.as_str());
        let both_refuse = matches!(step, Step::Snapshot { broken: true, .. })
            && not_taken(&answer)
            && not_taken(outcome);
        let differs = if answer == *outcome || both_refuse {
            let feeds = (reader.feeds(), subject.feeds());
            let shown = (reader.shown(), subject.shown());
            let hidden = (reader.hidden(), subject.hidden());
            if feeds.0 != feeds.1 {
                Some(format!(
                    "feeds\n  naive   {:?}\n  subject {:?}",
                    feeds.0, feeds.1
                ))
            } else if shown.0 != shown.1 {
                Some(format!(
                    "shown\n  naive   {:?}\n  subject {:?}",
                    shown.0, shown.1
                ))
            } else if hidden.0 != hidden.1 {
                Some(format!(
                    "hidden\n  naive   {:?}\n  subject {:?}",
                    hidden.0, hidden.1
                ))
            } else {
                None
            }
        } else {
            Some(format!(
                "outcome\n  naive   {outcome:?}\n  subject {answer:?}"
            ))
        };
        if let Some(differs) = differs {
            let name = self.peers[to].name;
            self.fail(format!(
                "{name} after {outcome:?}: {differs}\n  step {step:?}"
            ));
        }
    }

    // Sending.

    fn send_identity(&mut self, lines: &[String], to: usize) {
        if self.peers[to].reader.identity_log(&self.origin.origin) != lines {
            let step = Step::Identity {
                to,
                lines: lines.to_vec(),
            };
            let outcome = self.step(&step);
            self.note(format!(
                "  identity of {} to {}: {}",
                lines.len(),
                self.peers[to].name,
                outcome.name
            ));
        }
    }

    fn send_delta(
        &mut self,
        delta: &Rc<Sealed>,
        to: usize,
        line: &dyn Fn(&str) -> Option<String>,
    ) -> Outcome {
        let mut items = Vec::new();
        for change in &delta.changes {
            // Some lines are left out for no reason and filled in later.
            let wanted =
                self.peers[to].kinds.contains(&change.kind.as_str()) && !self.rng.chance(10);
            let text = if change.put && wanted {
                line(&change.line_hash)
            } else {
                None
            };
            items.push(text.unwrap_or_else(|| change.entry.clone()));
        }
        let mut header = delta.line.clone();
        let broken = self.rng.chance(2);
        if broken {
            self.corrupt(&mut header, &mut items);
        }
        let outcome = self.step(&Step::Delta { to, header, items });
        self.note(format!(
            "  {} {}… {} of {} to {}: {} {}",
            delta.scope,
            &delta.log[..4],
            delta.seq,
            delta.by,
            self.peers[to].name,
            outcome.name,
            outcome.rule.as_deref().unwrap_or("")
        ));
        if broken {
            return outcome;
        }
        let peer = &mut self.peers[to];
        peer.sent.insert(delta.hash.clone());
        let marks = match outcome.name.as_str() {
            "append" => Some(true),
            "fork" | "held" | "closed" => Some(false),
            _ => None,
        };
        for change in &delta.changes {
            if marks.is_some_and(|puts| puts || !change.put) {
                peer.ledger.push(Seen {
                    put: change.put,
                    id: change.id.clone(),
                    rev: change.rev,
                    by: delta.hash.clone(),
                    listed: None,
                });
            }
        }
        let on_thiefs_log = peer.reader.holds_instance(&self.origin.origin)
            || peer
                .reader
                .identity_log(&self.origin.origin)
                .iter()
                .any(|line| !self.origin.identity.contains(line));
        let refused = outcome.is("refused") || outcome.is("void");
        if refused && !on_thiefs_log && self.origin.heads[delta.scope].has_before(&delta.hash) {
            self.fail(format!("an honest delta was answered {outcome:?}"));
        }
        outcome
    }

    /// Breaks the bytes of a delta on its way.
    fn corrupt(&mut self, header: &mut String, items: &mut Vec<String>) {
        match self.rng.below(6) {
            0 => *header = flip_digit(header, 14 + self.rng.below(128)),
            1 => *header = header.replace("\"seq\":", "\"seq\": "),
            2 => items.push("{\"op\":\"put\"}".to_owned()),
            3 if items.len() > 1 => items.swap(0, 1),
            4 if !items.is_empty() => {
                items.pop();
            }
            _ => {
                if let Some(item) = items.first_mut() {
                    *item = item.replacen("\"rev\":", "\"rev\":1", 1);
                }
            }
        }
    }

    fn send_snapshot(
        &mut self,
        head: &Rc<Sealed>,
        to: usize,
        line: &dyn Fn(&str) -> Option<String>,
    ) -> Outcome {
        let kinds = self.peers[to].kinds.clone();
        let mut lines = head.snapshot(&self.origin.origin, |kind, hash| {
            if kinds.contains(&kind) {
                line(hash)
            } else {
                None
            }
        });
        let broken = self.rng.chance(4);
        if broken {
            let at = self.rng.below(lines.len());
            match self.rng.below(3) {
                0 => {
                    lines.remove(at);
                }
                1 => lines[at] = lines[at].replacen("\"rev\":", "\"rev\":1", 1),
                _ => {
                    let other = self.rng.below(lines.len());
                    lines.swap(at, other);
                }
            }
        }
        let outcome = self.step(&Step::Snapshot { to, lines, broken });
        self.note(format!(
            "  snapshot {} {}… {} of {} to {}: {} {}",
            head.scope,
            &head.log[..4],
            head.seq,
            head.by,
            self.peers[to].name,
            outcome.name,
            outcome.rule.as_deref().unwrap_or("")
        ));
        if outcome.is("take") && !broken {
            let by = &head.hash;
            let seen = |put, id: &String, rev: u64| Seen {
                put,
                id: id.clone(),
                rev,
                by: by.clone(),
                listed: (!put).then_some(head.scope),
            };
            let ledger = &mut self.peers[to].ledger;
            ledger.extend(head.live.iter().map(|(id, l)| seen(true, id, l.0)));
            let gone = head
                .dead
                .iter()
                .filter(|(id, _)| !head.live.contains_key(*id));
            ledger.extend(gone.map(|(id, rev)| seen(false, id, *rev)));
        }
        outcome
    }

    /// Sends what `to` lacks of one feed: the deltas held, else a snapshot, then missing lines.
    fn send_feed(
        &mut self,
        identity: &[String],
        head: &Rc<Sealed>,
        floor: u64,
        line: &dyn Fn(&str) -> Option<String>,
        to: usize,
        shuffled: bool,
    ) {
        let scope = head.scope;
        if !self.peers[to].scopes.contains(&scope) {
            return;
        }
        self.send_identity(identity, to);
        let mut deltas = head.log_so_far();
        deltas.retain(|d| d.seq >= floor);
        if shuffled {
            self.rng.shuffle(&mut deltas);
        }
        let last = deltas.last().map(|d| d.hash.clone());
        let mut stuck = deltas.is_empty();
        for delta in deltas {
            let known = self.peers[to].sent.contains(&delta.hash);
            let again = Some(&delta.hash) == last.as_ref() || self.rng.chance(15);
            if known && !again {
                continue;
            }
            let outcome = self.send_delta(&delta, to, line);
            stuck = outcome.is("need_snapshot") || outcome.is("early");
        }
        let origin = self.origin.origin.clone();
        let behind = |peer: &Peer| {
            peer.reader
                .state(&origin, scope)
                .is_none_or(|s| s.head.log != head.log || s.head.seq < head.seq)
        };
        if stuck || behind(&self.peers[to]) {
            self.send_snapshot(head, to, line);
        }
        if self.rng.chance(80) {
            self.fill_missing(scope, line, to);
        }
    }

    /// Offers a line that may have been dropped long ago.
    fn send_old_line(&mut self) {
        let to = self.any_follower();
        let all: Vec<&Change> = self.sealed.values().flat_map(|d| &d.changes).collect();
        let kinds = &self.peers[to].kinds;
        let wanted = |c: &&&Change| c.put && kinds.contains(&c.kind.as_str());
        let lines: Vec<String> = all.iter().filter(wanted).map(|c| c.line.clone()).collect();
        if !lines.is_empty() {
            let line = self.rng.pick(&lines).clone();
            self.step(&Step::Fill { to, line });
        }
    }

    fn fill_missing(&mut self, scope: &str, line: &dyn Fn(&str) -> Option<String>, to: usize) {
        let mut missing = Vec::new();
        if let Some(state) = self.peers[to].reader.state(&self.origin.origin, scope) {
            for live in state.live.values() {
                let wanted = self.peers[to].kinds.contains(&live.kind.as_str())
                    && self.peers[to].reader.line(&live.line_hash).is_none();
                missing.extend(wanted.then(|| line(&live.line_hash)).flatten());
            }
        }
        for line in missing {
            let outcome = self.step(&Step::Fill { to, line });
            if !outcome.is("filled") {
                self.fail(format!("an honest line was answered {outcome:?}"));
            }
        }
    }

    /// An owner sends its feeds.
    fn push(&mut self, owner: &Owner, to: usize, scopes: &[&'static str]) {
        let name = self.peers[to].name;
        self.note(format!("{} sends {scopes:?} to {name}", owner.name));
        for scope in scopes {
            let line = |hash: &str| owner.lines.get(hash).cloned();
            self.send_feed(&owner.identity, &owner.heads[scope], 0, &line, to, false);
        }
    }

    /// A follower relays its feeds.
    fn relay(&mut self, from: &Peer, to: usize, scopes: &[&'static str], shuffled: bool) {
        let name = self.peers[to].name;
        self.note(format!("{} relays {scopes:?} to {name}", from.name));
        for scope in scopes {
            let origin = &self.origin.origin;
            let Some(state) = from.reader.state(origin, scope) else {
                continue;
            };
            let identity = from.reader.identity_log(origin);
            let held = from.reader.deltas_held(origin, scope);
            let lowest = held
                .iter()
                .filter_map(|h| self.sealed.get(h))
                .map(|d| d.seq)
                .min();
            let floor = from.floor.get(&state.head.log).copied().unwrap_or(0);
            let floor = lowest.unwrap_or(state.head.seq + 1).max(floor);
            let Some(head) = self.sealed.get(&state.head.hash).cloned() else {
                continue;
            };
            let line = |hash: &str| from.reader.line(hash).cloned();
            self.send_feed(&identity, &head, floor, &line, to, shuffled);
        }
    }

    // Acts.

    fn act(&mut self) {
        let mut a = self.rng.below(1000);
        if self.rng.chance(30) {
            let usual: &[usize] = match self.mode {
                1 => &[780, 780, 380, 550, 300, 100],
                2 => &[830, 860, 460, 380, 300, 810],
                3 => &[680, 720, 900, 720, 300, 100],
                0 => &[910, 910, 940, 975, 380, 460, 560, 630, 300, 100],
                _ => &[a],
            };
            a = *self.rng.pick(usual);
        }
        let mut origin = self.origin.clone();
        match a {
            0..220 => self.edit(&mut origin),
            220..340 => {
                let crash = self.rng.chance(15);
                self.publish(&mut origin, &SCOPES, crash);
            }
            340..440 if !origin.suspect => {
                let scopes = self.some_scopes();
                self.push(&origin, 0, &scopes);
            }
            440..500 if !origin.suspect => {
                let (to, scopes) = (self.any_follower(), self.some_scopes());
                self.push(&origin, to, &scopes);
            }
            500..600 => {
                let (from, to) = (self.peers[0].clone(), self.any_follower());
                self.relay(&from, to, &SCOPES, false);
            }
            600..660 => {
                let from = self.rng.below(self.peers.len());
                let to = self.any_follower();
                if from != to {
                    let scopes = [*self.rng.pick(&SCOPES)];
                    let from = self.peers[from].clone();
                    self.relay(&from, to, &scopes, false);
                }
            }
            660..700 => {
                let from = self.rng.below(self.peers.len());
                self.note(format!(
                    "bundle {} from {}",
                    self.bundles.len(),
                    self.peers[from].name
                ));
                let mut bundle = self.peers[from].clone();
                bundle.name = "bundle";
                self.bundles.push(bundle);
            }
            700..750 if !self.bundles.is_empty() => {
                let bundle = self.rng.below(self.bundles.len());
                let from = self.bundles[bundle].clone();
                let (to, shuffled) = (self.any_follower(), self.rng.chance(50));
                self.relay(&from, to, &SCOPES, shuffled);
            }
            750..770 => {
                let to = self.any_follower();
                self.note(format!("{} forgets everything", self.peers[to].name));
                self.step(&Step::Newcomer { to });
            }
            770..800 => self.trim(),
            800..850 => self.backup_or_restore(&mut origin),
            850..900 if origin.suspect => {
                let mut sources: Vec<usize> = Vec::new();
                for k in 0..self.peers.len() {
                    if self.rng.chance(60) {
                        sources.push(k);
                    }
                }
                if !sources.is_empty() {
                    self.pull_history(&mut origin, &sources);
                    self.new_logs(&mut origin);
                }
            }
            900..930 if self.may_fork && !origin.suspect && self.copy.is_none() && !self.theft => {
                let mut copy = origin.clone();
                copy.name = "C";
                self.copy = Some(copy);
                self.note("a second copy C starts".to_owned());
            }
            925..950 if self.may_steal && !origin.suspect && self.copy.is_none() && !self.theft => {
                let mut thief = origin.clone();
                thief.name = "X";
                self.thief = Some(thief);
                self.theft = true;
                self.note("X steals the key".to_owned());
            }
            950..970 if !origin.suspect => {
                self.note("O rotates".to_owned());
                origin.rotate(&mut self.counter);
                if self.rng.chance(50) {
                    self.new_logs(&mut origin);
                }
            }
            970..985 if !origin.suspect && self.theft && self.recovers.is_empty() => {
                self.recover(&mut origin);
            }
            985..1000 if !origin.suspect => self.send_flawed(&origin),
            _ => self.send_old_line(),
        }
        self.origin = origin;
        self.others();
        self.check();
    }

    fn any_follower(&mut self) -> usize {
        self.rng.below(self.peers.len())
    }

    fn some_scopes(&mut self) -> Vec<&'static str> {
        match self.rng.below(4) {
            0 => vec![SCOPES[0]],
            1 => vec![SCOPES[1]],
            2 => vec![SCOPES[1], SCOPES[0]],
            _ => SCOPES.to_vec(),
        }
    }

    /// The second copy and the thief act too.
    fn others(&mut self) {
        if let Some(mut copy) = self.copy.take() {
            if self.rng.chance(50) {
                match self.rng.below(10) {
                    0..4 => self.edit(&mut copy),
                    4..7 => self.publish(&mut copy, &SCOPES, false),
                    _ => {
                        let to = self.rng.below(self.peers.len());
                        self.push(&copy, to, &SCOPES);
                    }
                }
            }
            self.copy = Some(copy);
        }
        if let Some(mut thief) = self.thief.take() {
            if self.rng.chance(50) {
                match self.rng.below(20) {
                    0..7 => self.edit(&mut thief),
                    7..12 => self.publish(&mut thief, &SCOPES[..1], false),
                    12..14 => {
                        self.note("X opens a new log".to_owned());
                        let generation = thief.heads["public"].generation + 1;
                        let first = thief.open(&mut self.counter, "public", generation);
                        self.sealed.insert(first.hash.clone(), first);
                    }
                    14 => {
                        self.note("X rotates".to_owned());
                        thief.rotate(&mut self.counter);
                        self.void_entries.insert(thief.entry.clone());
                    }
                    _ => {
                        let to = self.rng.below(self.peers.len());
                        self.push(&thief, to, &SCOPES[..1]);
                    }
                }
            }
            self.thief = Some(thief);
        }
    }

    fn edit(&mut self, owner: &mut Owner) {
        let a = self.rng.below(100);
        if owner.recs.is_empty() || (a < 35 && owner.recs.len() < self.records_max) {
            let requests: Vec<String> = owner
                .recs
                .iter()
                .filter(|(_, rec)| rec.kind == "request")
                .map(|(id, _)| id.clone())
                .collect();
            let (kind, parent) = if self.rng.chance(5) {
                ("gizmo", None)
            } else if requests.is_empty() || self.rng.chance(50) {
                ("request", None)
            } else {
                ("comment", Some(self.rng.pick(&requests).clone()))
            };
            let id = self.counter.uuid();
            let scope =
                *self
                    .rng
                    .pick(&[Some("public"), Some("public"), Some("trusted_peers"), None]);
            self.note(format!("{} writes {kind} {id} {scope:?}", owner.name));
            let rec = Rec {
                rev: 0,
                scope,
                erased: false,
                kind: kind.to_owned(),
                parent,
                dirty: true,
            };
            owner.recs.insert(id, rec);
            return;
        }
        let ids: Vec<String> = owner.recs.keys().cloned().collect();
        let id = self.rng.pick(&ids).clone();
        let scope = *self
            .rng
            .pick(&[Some("public"), Some("trusted_peers"), None]);
        let rec = owner.recs.get_mut(&id).expect("an id just listed");
        if rec.erased {
            return;
        }
        let what = if a < 50 {
            rec.dirty = true;
            "edits".to_owned()
        } else if a < 90 {
            rec.scope = scope;
            rec.dirty = true;
            format!("moves to {scope:?}")
        } else {
            rec.scope = None;
            rec.erased = true;
            "erases".to_owned()
        };
        self.note(format!("{} {what} {id}", owner.name));
    }

    fn publish(&mut self, owner: &mut Owner, scopes: &[&'static str], crash: bool) {
        if owner.suspect {
            return;
        }
        let mut order = scopes.to_vec();
        self.rng.shuffle(&mut order);
        for (n, scope) in order.into_iter().enumerate() {
            let changes = self.changes(owner, scope);
            if !changes.is_empty() {
                let what: Vec<_> = changes
                    .iter()
                    .map(|c| (c.put, &c.id[32..], c.rev))
                    .collect();
                let head = &owner.heads[scope];
                let text = format!(
                    "{} seals {scope} {}… {} {what:?}",
                    owner.name,
                    &head.log[..4],
                    head.seq + 1
                );
                self.note(text);
                let sealed = owner.seal(scope, changes);
                self.sealed.insert(sealed.hash.clone(), sealed);
            }
            if crash && n == 0 {
                self.note("crash between the feeds".to_owned());
                return;
            }
        }
    }

    /// What differs between the records wanted and one feed.
    fn changes(&mut self, owner: &mut Owner, scope: &'static str) -> Vec<Change> {
        let mut changes = Vec::new();
        for id in owner.recs.keys().cloned().collect::<Vec<_>>() {
            let live = owner.heads[scope].live.contains_key(&id);
            let rec = owner.recs.get_mut(&id).expect("an id just listed");
            if rec.scope == Some(scope) && (rec.dirty || !live) {
                rec.rev += 1;
                rec.dirty = false;
                let rev = rec.rev;
                let valid = self.rng.below(100) >= 5;
                let put = owner.put(&mut self.counter, scope, &id, rev, valid);
                if !valid {
                    self.invalid.insert(put.line_hash.clone());
                }
                changes.push(put);
            } else if rec.scope != Some(scope) && live {
                let reason = if rec.erased { "erase" } else { "scope" };
                changes.push(owner.retract(scope, &id, reason));
            }
        }
        changes
    }

    fn new_logs(&mut self, owner: &mut Owner) {
        for scope in SCOPES {
            let generation = owner.heads[scope].generation + 1;
            let first = owner.open(&mut self.counter, scope, generation);
            self.note(format!(
                "{} opens {scope} {}… generation {generation}",
                owner.name,
                &first.log[..4]
            ));
            self.sealed.insert(first.hash.clone(), first);
        }
    }

    fn recover(&mut self, owner: &mut Owner) {
        let cut = Rc::clone(&owner.heads["public"]);
        owner.recover(&mut self.counter);
        self.recovers.push((owner.position, cut));
        self.note("O recovers".to_owned());
        self.new_logs(owner);
    }

    fn trim(&mut self) {
        let keep = self.rng.below(4) as u64;
        for who in [0, self.rng.below(self.peers.len())] {
            let peer = &mut self.peers[who];
            for scope in SCOPES {
                if let Some(state) = peer.reader.state(&self.origin.origin, scope) {
                    let floor = state.head.seq.saturating_sub(keep);
                    peer.floor.insert(state.head.log.clone(), floor);
                }
            }
        }
    }

    fn backup_or_restore(&mut self, origin: &mut Owner) {
        match self.backup.take() {
            Some(mut backup) if self.rng.chance(60) => {
                if self.copy.is_none() && self.thief.is_none() {
                    self.note("O is restored from its backup".to_owned());
                    // Identity and keys are kept beside the database.
                    let mut restored = backup.clone();
                    restored.identity.clone_from(&origin.identity);
                    restored.key = origin.key.clone();
                    restored.recovery = origin.recovery.clone();
                    restored.position = origin.position;
                    restored.entry.clone_from(&origin.entry);
                    restored.suspect = true;
                    *origin = restored;
                }
                backup.suspect = false;
                self.backup = Some(backup);
            }
            _ => {
                self.note("O makes a backup".to_owned());
                self.backup = Some(origin.clone());
            }
        }
    }

    /// A suspect origin takes its own signed history back.
    fn pull_history(&mut self, o: &mut Owner, sources: &[usize]) {
        self.note(format!("O pulls its history from {sources:?}"));
        for k in sources {
            for scope in SCOPES {
                let peer = &self.peers[*k];
                let Some(state) = peer.reader.state(&o.origin, scope) else {
                    continue;
                };
                if peer.reader.forked(&o.origin, scope) {
                    continue;
                }
                let Some(g) = self.sealed.get(&state.head.hash).cloned() else {
                    continue;
                };
                let own = Rc::clone(&o.heads[scope]);
                if (g.opened, g.generation, g.seq) <= (own.opened, own.generation, own.seq) {
                    continue;
                }
                o.heads.insert(scope, Rc::clone(&g));
                for (id, (rev, kind, hash)) in &g.live {
                    if let Some(line) = peer.reader.line(hash) {
                        o.lines.insert(hash.clone(), line.clone());
                    }
                    if o.recs.get(id).is_none_or(|rec| rec.rev < *rev) {
                        let parent = parent_of(&self.sealed, id);
                        let rec = Rec {
                            rev: *rev,
                            scope: Some(scope),
                            erased: false,
                            kind: kind.clone(),
                            parent,
                            dirty: false,
                        };
                        o.recs.insert(id.clone(), rec);
                    }
                }
                for id in own.live.keys().filter(|id| !g.live.contains_key(*id)) {
                    if let Some(rec) = o.recs.get_mut(id).filter(|r| r.scope == Some(scope)) {
                        rec.scope = None;
                    }
                }
                let mut seen: Vec<_> = peer
                    .sent
                    .iter()
                    .filter_map(|h| self.sealed.get(h))
                    .collect();
                seen.retain(|d| d.scope == scope);
                seen.sort_by_key(|d| (d.opened, d.generation, d.seq));
                for change in seen.iter().flat_map(|d| &d.changes) {
                    let Some(rec) = o.recs.get_mut(&change.id) else {
                        continue;
                    };
                    if !change.put && rec.scope == Some(scope) && rec.rev <= change.rev {
                        rec.scope = None;
                    }
                    rec.rev = rec.rev.max(change.rev);
                }
            }
        }
        // What one own feed retracts is taken back from the others too.
        for head in o.heads.values().cloned().collect::<Vec<_>>() {
            for (id, rev) in &head.dead {
                let alive = o
                    .heads
                    .values()
                    .any(|g| g.live.get(id).is_some_and(|live| live.0 > *rev));
                if let Some(rec) = o.recs.get_mut(id).filter(|rec| rec.rev <= *rev && !alive) {
                    rec.scope = None;
                    rec.rev = *rev;
                }
            }
        }
        self.collect_lines(o);
        o.suspect = false;
    }

    fn collect_lines(&mut self, o: &mut Owner) {
        for head in o.heads.values().cloned().collect::<Vec<_>>() {
            for (_, _, hash) in head.live.values() {
                for peer in &self.peers {
                    if let Some(line) = peer.reader.line(hash) {
                        o.lines.insert(hash.clone(), line.clone());
                    }
                }
            }
        }
    }

    /// A delta the origin itself signs, that breaks one rule.
    fn send_flawed(&mut self, origin: &Owner) {
        let scope = *self.rng.pick(&SCOPES);
        let to = self.rng.below(self.peers.len());
        if !self.peers[to].scopes.contains(&scope) {
            return;
        }
        let head = Rc::clone(&origin.heads[scope]);
        let mut changes = Vec::new();
        let mut entry_flaw = false;
        let id = head
            .live
            .keys()
            .next()
            .or(origin.recs.keys().next())
            .cloned();
        if let Some(id) = id.filter(|id| origin.recs.contains_key(id)) {
            let live = head.live.get(&id).map(|live| live.0);
            let next = live.unwrap_or(0) + 1;
            changes.push(origin.put(&mut self.counter, scope, &id, next, true));
            entry_flaw = self.rng.chance(60);
            match (live, self.rng.below(6)) {
                _ if !entry_flaw => {}
                (Some(live), 0) => {
                    changes[0] = origin.put(&mut self.counter, scope, &id, live, true);
                }
                (Some(live), 1) if live > 1 => {
                    let mut out = origin.retract(scope, &id, "mistake");
                    let revs = (format!("\"rev\":{live},"), format!("\"rev\":{},", live - 1));
                    out.entry = out.entry.replace(&revs.0, &revs.1);
                    changes = vec![out];
                }
                (Some(_), 2) => {
                    let mut other = origin.clone();
                    other.recs.get_mut(&id).expect("a record just found").kind =
                        "widget".to_owned();
                    changes[0] = other.put(&mut self.counter, scope, &id, next, true);
                }
                (_, 3) => {
                    // The line drops something else than what is live.
                    let mut other = origin.clone();
                    let mut heads = other.heads.clone();
                    heads.retain(|other, _| *other != scope);
                    other.heads = heads;
                    changes[0] = other.put(&mut self.counter, scope, &id, next, true);
                    entry_flaw = live.is_some();
                }
                _ => changes.push(changes[0].clone()),
            }
        }
        let puts = changes.iter().any(|c| c.put);
        let sealed = origin.delta(scope, changes, Some(Rc::clone(&head)), None, None);
        let payload = sealed.payload();
        let payload = match self.rng.below(8) {
            _ if entry_flaw => payload.to_owned(),
            1 => payload.replacen("\"key\":", "\"key\":1", 1),
            2 => payload.replacen("\"root\":\"", "\"root\":\"0", 1),
            3 => payload.replacen("\"prev\":", "\"prev\":null,\"was\":", 1),
            4 => payload.replacen("\"entries\":", "\"entries\":1", 1),
            5 if puts => payload.replacen("\"bytes\":", "\"bytes\":0,\"was\":", 1),
            6 => payload.replacen("wb.header.v1", "wb.header.v0", 1),
            7 => flip_digit(payload, payload.find("\"live\":\"").unwrap_or(0) + 9),
            _ => payload.replacen("\"live_n\":", "\"live_n\":1", 1),
        };
        let header = origin.sign_header(&payload);
        let items = sealed
            .changes
            .iter()
            .map(|c| {
                if c.put {
                    c.line.clone()
                } else {
                    c.entry.clone()
                }
            })
            .collect();
        // Whoever appended this would be forked against the origin for ever after, so it is only
        // sent where the feed stands at the head and every flaw is refused.
        let at_head = self.peers[to]
            .reader
            .state(&origin.origin, scope)
            .is_some_and(|state| state.head.hash == head.hash);
        if at_head {
            let outcome = self.step(&Step::Delta { to, header, items });
            self.note(format!(
                "  flawed {scope} to {}: {outcome:?}",
                self.peers[to].name
            ));
            if outcome.is("append") {
                self.fail("a flawed delta was appended".to_owned());
            }
        }
    }

    // Checks.

    /// Whether a header is void by the recovers of the origin.
    fn is_void(&self, sealed: &Sealed) -> bool {
        self.recovers.iter().any(|(position, c)| {
            sealed.scope == "public"
                && sealed.position < *position
                && if sealed.log == c.log {
                    sealed.seq > c.seq || (sealed.seq == c.seq && sealed.hash != c.hash)
                } else {
                    sealed.generation >= c.generation
                }
        }) || (!self.recovers.is_empty() && self.void_entries.contains(&sealed.identity))
    }

    fn check(&mut self) {
        let mut wrong = None;
        for peer in self.peers.iter().filter(|peer| peer.touched) {
            for scope in SCOPES {
                let Some(state) = peer.reader.state(&self.origin.origin, scope) else {
                    continue;
                };
                let Some(truth) = self.sealed.get(&state.head.hash) else {
                    wrong = Some(format!("{} took a head nobody sealed", peer.name));
                    continue;
                };
                let same = truth.live.len() == state.live.len()
                    && truth.live.iter().all(|(id, l)| {
                        state.live.get(id).is_some_and(|live| {
                            (live.rev, &live.kind, &live.line_hash) == (l.0, &l.1, &l.2)
                        })
                    });
                if !same {
                    wrong = Some(format!("{}: live sets differ at equal heads", peer.name));
                }
            }
            let shown = peer.reader.shown();
            for seen in &peer.ledger {
                let void = self.sealed.get(&seen.by).is_some_and(|d| self.is_void(d));
                let again = shown.iter().any(|line| {
                    line.id == seen.id
                        && if seen.put {
                            line.rev < seen.rev
                        } else {
                            line.rev <= seen.rev
                        }
                });
                if again && !void {
                    wrong = Some(format!(
                        "{} shows {} again, seen put {} rev {} listed {:?}",
                        peer.name, seen.id, seen.put, seen.rev, seen.listed
                    ));
                }
            }
        }
        for peer in &mut self.peers {
            peer.touched = false;
        }
        if let Some(wrong) = wrong {
            self.fail(wrong);
        }
    }

    /// Everything comes to an end: recover, settle the tails, publish, and all must agree.
    fn finish(&mut self) {
        self.note("-- finish".to_owned());
        let mut o = self.origin.clone();
        if o.suspect {
            let all: Vec<usize> = (0..self.peers.len()).collect();
            self.pull_history(&mut o, &all);
            self.new_logs(&mut o);
        }
        if self.theft && self.recovers.is_empty() {
            self.recover(&mut o);
        }
        if let Some(thief) = self.thief.take() {
            // What the thief still sends finds readers who know better, and some who do not.
            for to in 0..self.peers.len() {
                if self.rng.chance(40) {
                    self.send_identity(&o.identity, to);
                }
                if self.rng.chance(40) {
                    self.push(&thief, to, &SCOPES[..1]);
                }
            }
        }
        let mut tails: Vec<Rc<Sealed>> = self
            .sealed
            .values()
            .filter(|d| !o.heads[d.scope].has_before(&d.hash) && !self.is_void(d))
            .cloned()
            .collect();
        tails.sort_by_key(|d| (d.opened, d.generation, d.seq, d.hash.clone()));
        if !tails.is_empty() || self.copy.is_some() {
            self.settle(&mut o, &tails);
            let generation = tails.iter().map(|d| d.generation).max().unwrap_or(0);
            o.rotate(&mut self.counter);
            for scope in SCOPES {
                let generation = generation.max(o.heads[scope].generation) + 1;
                let first = o.open(&mut self.counter, scope, generation);
                self.sealed.insert(first.hash.clone(), first);
            }
            self.note("O rotates and opens new logs".to_owned());
        }
        self.copy = None;
        self.publish(&mut o, &SCOPES, false);
        self.collect_lines(&mut o);
        self.origin = o.clone();
        for to in 0..self.peers.len() {
            // Once for what is sent, once more for what a broken delivery kept away.
            for _ in 0..3 {
                if !self.stands_at(&o, to) {
                    self.push(&o, to, &SCOPES);
                }
            }
            for scope in self.peers[to].scopes.clone() {
                let line = |hash: &str| o.lines.get(hash).cloned();
                self.fill_missing(scope, &line, to);
            }
        }
        self.check();
        for peer in &self.peers {
            let expected = self.expected(&o, peer);
            let shown: BTreeSet<_> = peer
                .reader
                .shown()
                .into_iter()
                .map(|s| (s.id, s.rev, s.scope))
                .collect();
            if shown != expected && self.wrong.is_none() {
                self.wrong = Some(format!(
                    "{} did not converge:\n  shows    {shown:?}\n  expected {expected:?}",
                    peer.name
                ));
            }
        }
    }

    fn stands_at(&self, o: &Owner, to: usize) -> bool {
        let peer = &self.peers[to];
        peer.reader.identity_log(&o.origin) == o.identity
            && peer.scopes.iter().all(|scope| {
                peer.reader
                    .state(&o.origin, scope)
                    .is_some_and(|state| state.head.hash == o.heads[scope].hash)
            })
    }

    /// Records touched on branches the origin does not continue get a revision above the tail's.
    fn settle(&mut self, o: &mut Owner, tails: &[Rc<Sealed>]) {
        for tail in tails {
            for change in &tail.changes {
                let parent = parent_of(&self.sealed, &change.id);
                let rec = o.recs.entry(change.id.clone()).or_insert_with(|| Rec {
                    rev: 0,
                    scope: None,
                    erased: false,
                    kind: change.kind.clone(),
                    parent,
                    dirty: true,
                });
                if change.put {
                    if rec.scope == Some("public") && tail.scope == "trusted_peers" {
                        rec.scope = Some("trusted_peers");
                    }
                } else if change.rev >= rec.rev {
                    rec.scope = None;
                }
                rec.rev = rec.rev.max(change.rev);
                rec.dirty = true;
            }
        }
    }

    /// What a follower must show in the end: (id, rev, scope).
    fn expected(&self, o: &Owner, peer: &Peer) -> BTreeSet<(String, u64, String)> {
        let mut lines = BTreeMap::new();
        for scope in &peer.scopes {
            for (id, (rev, kind, hash)) in &o.heads[scope].live {
                let readable = peer.kinds.contains(&kind.as_str())
                    && o.lines.contains_key(hash)
                    && !self.invalid.contains(hash);
                if readable {
                    lines.insert(id.clone(), (*rev, *scope, kind.as_str()));
                }
            }
        }
        let mut expected = BTreeSet::new();
        for (id, (rev, scope, kind)) in &lines {
            let mut at = *scope;
            match *kind {
                "request" => {}
                "comment" => {
                    let parent = o.recs[id]
                        .parent
                        .as_ref()
                        .and_then(|parent| lines.get(parent));
                    let Some((_, parent_scope, _)) = parent else {
                        continue;
                    };
                    if *parent_scope == "trusted_peers" {
                        at = "trusted_peers";
                    }
                }
                _ => continue,
            }
            expected.insert((id.clone(), *rev, at.to_owned()));
        }
        expected
    }
}

/// The parent a comment names in any of its lines.
fn parent_of(sealed: &BTreeMap<String, Rc<Sealed>>, id: &str) -> Option<String> {
    let puts = sealed.values().flat_map(|d| &d.changes);
    puts.filter(|c| c.id == id && c.kind == "comment" && c.put)
        .find_map(|c| {
            let at = c.line.find("\"request\":{\"origin\":\"")?;
            let from = at + "\"request\":{\"origin\":\"".len() + 64 + "\",\"id\":\"".len();
            Some(c.line[from..from + 36].to_owned())
        })
}
