//! One random history: an origin, a hub, four followers, and everything that befalls them.
//!
//! The acts are those of the executable model (`model/feeds.py`): publishing with crashes between
//! the feeds, moves between scopes, restores from an old copy, a second running copy, a thief, keys
//! that change, old bundles, trimmed logs, newcomers. Whatever reaches a follower is a [`Step`]; a
//! [`Subject`] given beside the naive follower gets the same step and must answer the same.

mod acts;
mod checks;
mod flaws;
mod forks;
mod history;
mod sending;
mod steps;

pub use forks::NEITHER_HELD;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::agree::Subject;
use super::rng::Rng;
use super::seal::{Counter, Owner, Sealed};
use crate::naive::Follower;

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
    /// What it verified, whatever came of it: no fork among these may stay unnoticed.
    evidence: Vec<Rc<Sealed>>,
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
    /// Connections end early.
    is_lossy: bool,
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
            evidence: Vec::new(),
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
            is_lossy: true,
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
}
