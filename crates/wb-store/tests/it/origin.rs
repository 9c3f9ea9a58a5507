//! An instance that seals deltas in memory, for tests that need feeds of others.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::value::RawValue;
use wb_core::entry::{Entry, Op, Reason};
use wb_core::feed::{
    Delta, FeedState, FeedView, Live, OpenLog, Opening, Outcome, Seal, accept, seal,
};
use wb_core::id::{Hash, InstanceId, LogId, RecordId, Salt};
use wb_core::identity::{IdentityLog, found};
use wb_core::line::{Compose, Line};
use wb_core::scope::{By, FeedScope, Kind};
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use zeroize::Zeroizing;

/// When everything in these tests happens.
pub fn now() -> Timestamp {
    "2026-11-22T10:23:59.123Z".parse().expect("a time")
}

/// What a delta does to a record, which is named by a number.
#[derive(Debug, Clone, Copy)]
pub enum Do {
    /// A request, new or revised.
    Put(u64),
    /// A comment, new or revised.
    Comment(u64),
    /// A word about the own request of the second number: that help was given, or that it is open; the
    /// third counts them.
    Said(u64, u64, u64),
    /// A record of a kind of its own.
    Invented(u64),
    /// Takes it back.
    Retract(u64),
}

/// A delta on the wire.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub header: Vec<u8>,
    pub items: Vec<Vec<u8>>,
}

impl Sealed {
    pub fn read(&self) -> Delta<'_> {
        Delta::read(&self.header, &self.items).expect("a good delta")
    }

    /// Its lines, as they stand in a `deltas` section.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let header = std::iter::once(self.header.clone());
        header.chain(self.items.iter().cloned()).collect()
    }
}

/// The key of the recovery words.
fn words(seed: u8) -> Signer {
    Signer::from_seed(&Zeroizing::new([!seed; 32]))
}

fn commitment(words: &Signer) -> Hash {
    wb_core::hash::recovery_commitment(&words.public_key())
}

/// One instance with its public feed.
pub struct Origin {
    /// Seed of its first key.
    seed: u8,
    signer: Signer,
    pub identity: IdentityLog,
    state: Option<FeedState>,
    live: BTreeMap<RecordId, Live>,
    revs: BTreeMap<RecordId, u64>,
    open: Option<OpenLog>,
    sealed: u64,
}

impl Origin {
    pub fn new(seed: u8) -> Self {
        let signer = Signer::from_seed(&Zeroizing::new([seed; 32]));
        let line = found(&signer, commitment(&words(seed)), now());
        let identity = IdentityLog::verify(None, &[line]).expect("a good founding");
        Self {
            seed,
            signer,
            identity,
            state: None,
            live: BTreeMap::new(),
            revs: BTreeMap::new(),
            open: Some(OpenLog {
                log: LogId([seed; 16]),
                generation: 0,
            }),
            sealed: 0,
        }
    }

    /// Whoever stole its first key and what it holds: both seal from here on.
    pub fn thief(&self) -> Self {
        Self {
            seed: self.seed,
            signer: Signer::from_seed(&Zeroizing::new([self.seed; 32])),
            identity: self.identity.clone(),
            state: self.state.clone(),
            live: self.live.clone(),
            revs: self.revs.clone(),
            open: None,
            sealed: self.sealed + 100,
        }
    }

    /// Takes another key by its words, and says which head was the last of the old one.
    pub fn recover(&mut self) {
        let (words, next) = (words(self.seed), self.seed.wrapping_add(50));
        self.signer = Signer::from_seed(&Zeroizing::new([next; 32]));
        let (before, last) = (self.identity.newest(), self.held());
        let payload = format!(
            r#"{{"type":"wb.identity.v1","schema_version":1,"op":"recover","n":{},"era":{},"prev":"{}","recovery_key":"{}","signing_key":"{}","recovery":"{}","heads":{{"public":{{"log":"{}","generation":{},"seq":{},"hash":"{}"}},"trusted_peers":null}},"at":"{}"}}"#,
            before.position.n + 1,
            before.position.era + 1,
            before.hash,
            words.public_key(),
            self.signer.public_key(),
            commitment(&self::words(next)),
            last.log,
            last.generation,
            last.seq,
            last.hash,
            now(),
        );
        let entries = self.identity.entries().iter();
        let mut lines: Vec<Vec<u8>> = entries.map(|entry| entry.line.clone()).collect();
        lines.push(words.sign(wb_core::signed::IDENTITY, payload.as_bytes()));
        self.identity = IdentityLog::verify(None, &lines).expect("a good recovery");
        self.seed = next;
    }

    pub fn id(&self) -> InstanceId {
        self.identity.id()
    }

    pub fn card(&self) -> String {
        format!(r#"{{"name":"{}"}}"#, self.id().short())
    }

    /// The next delta opens this log.
    pub fn open(&mut self, log: u8, generation: u64) {
        self.open = Some(OpenLog {
            log: LogId([log; 16]),
            generation,
        });
    }

    pub fn record(&self, number: u64) -> RecordId {
        let mut entropy = [0; 10];
        entropy[2..].copy_from_slice(&number.to_be_bytes());
        RecordId::new(now(), entropy)
    }

    pub fn is_live(&self, number: u64) -> bool {
        self.live.contains_key(&self.record(number))
    }

    pub fn live_n(&self) -> usize {
        self.live.len()
    }

    pub fn held(&self) -> Held {
        let state = self.state.as_ref().expect("something was sealed");
        Held {
            origin: self.id(),
            scope: FeedScope::Public,
            log: state.log,
            generation: state.opening.generation,
            seq: state.seq,
            hash: state.hash,
        }
    }

    fn said(&mut self, number: u64, request: u64, n: u64) -> Vec<u8> {
        let to = if n.is_multiple_of(2) {
            "open"
        } else {
            "completed"
        };
        let (origin, request) = (self.id(), self.record(request));
        let body = format!(
            r#"{{"request":{{"origin":"{origin}","id":"{request}"}},"to":"{to}","n":{n}}}"#
        );
        self.put_body(number, "status", body)
    }

    fn put(&mut self, number: u64, kind: &str) -> Vec<u8> {
        let id = self.record(number);
        let rev = self.revs.get(&id).map_or(1, |rev| rev + 1);
        let title = format!("record {number} of {}, revision {rev}", self.id().short());
        let body = format!(
            r#"{{"title":"{title}","description":"","created_at":"{}"}}"#,
            now()
        );
        self.put_body(number, kind, body)
    }

    fn put_body(&mut self, number: u64, kind: &str, body: String) -> Vec<u8> {
        let id = self.record(number);
        let rev = self.revs.get(&id).map_or(1, |rev| rev + 1);
        let body: Box<RawValue> = RawValue::from_string(body).expect("an object");
        let kind: Kind = kind.parse().expect("a kind");
        Compose {
            origin: self.id(),
            kind: &kind,
            schema_version: 1,
            id,
            rev,
            drops: self.live.get(&id).map(|live| live.line_hash),
            by: By::Instance,
            session: None,
            at: now(),
            scope: FeedScope::Public,
            salt: Salt([7; 16]),
            body: &body,
        }
        .to_bytes()
    }

    fn retract(&self, number: u64) -> Vec<u8> {
        let id = self.record(number);
        let live = self.live.get(&id).expect("what is taken back is live");
        let entry = Entry {
            op: Op::Retract {
                reason: Reason::Scope,
            },
            id,
            rev: live.rev,
            kind: live.kind.clone(),
            drops: Some(live.line_hash),
        };
        entry.to_bytes()
    }

    /// Seals a delta, and goes on from it.
    pub fn seal(&mut self, what: &[Do]) -> Sealed {
        let items: Vec<Vec<u8>> = what
            .iter()
            .map(|what| match *what {
                Do::Put(number) => self.put(number, "request"),
                Do::Comment(number) => self.put(number, "comment"),
                Do::Said(number, request, n) => self.said(number, request, n),
                Do::Invented(number) => self.put(number, &format!("invented_{number:03}")),
                Do::Retract(number) => self.retract(number),
            })
            .collect();
        let sealed = self.sealed_over(items);
        self.follow(&sealed);
        sealed
    }

    /// Seals a delta of records with bodies of the caller's, and goes on from it.
    pub fn seal_bodies(&mut self, bodies: &[(u64, &str, String)]) -> Sealed {
        let items = bodies
            .iter()
            .map(|(number, kind, body)| self.put_body(*number, kind, body.clone()))
            .collect();
        let sealed = self.sealed_over(items);
        self.follow(&sealed);
        sealed
    }

    /// Seals a delta that this instance does not go on from: a fork, when both get around.
    pub fn seal_aside(&mut self, what: &[Do]) -> Sealed {
        let items = what.iter().map(|what| match *what {
            Do::Put(number) => self.put(number, "request"),
            Do::Comment(number) => self.put(number, "comment"),
            Do::Said(number, request, n) => self.said(number, request, n),
            Do::Invented(number) => self.put(number, &format!("invented_{number:03}")),
            Do::Retract(number) => self.retract(number),
        });
        let items = items.collect::<Vec<_>>();
        self.sealed_over(items)
    }

    fn sealed_over(&mut self, items: Vec<Vec<u8>>) -> Sealed {
        let entries: Vec<Entry> = items
            .iter()
            .map(|item| {
                if Entry::starts(item) {
                    Entry::read(item).expect("an entry")
                } else {
                    Entry::of_line(&Line::read(item).expect("a line"))
                }
            })
            .collect();
        let lines = items.iter().filter(|item| !Entry::starts(item));
        let newest = self.identity.newest();
        self.sealed += 1;
        let request = Seal {
            signer: &self.signer,
            origin: self.id(),
            scope: FeedScope::Public,
            identity: (newest.position, newest.hash),
            state: self.state.as_ref(),
            open: self.open.take(),
            entries: &entries,
            bytes: lines.map(|line| line.len() as u64 + 1).sum(),
            at: Timestamp::from_unix_ms(now().unix_ms() + i64::try_from(self.sealed).expect("few"))
                .expect("a time"),
            valid_until: None,
        };
        let header = match seal(&request, self) {
            Ok(Ok(header)) => header,
            Ok(Err(refusal)) => panic!("it {refusal}"),
        };
        Sealed { header, items }
    }

    fn follow(&mut self, sealed: &Sealed) {
        let delta = sealed.read();
        let outcome = accept(&delta, Some(&self.identity), self.state.as_ref(), self);
        let Ok(Outcome::Append(applied)) = outcome else {
            panic!("its own delta is not appended");
        };
        for item in &delta.items {
            match item.entry.line_hash() {
                None => drop(self.live.remove(&item.entry.id)),
                Some(line_hash) => {
                    self.revs.insert(item.entry.id, item.entry.rev);
                    let live = Live {
                        rev: item.entry.rev,
                        kind: item.entry.kind.clone(),
                        line_hash,
                    };
                    self.live.insert(item.entry.id, live);
                }
            }
        }
        self.state = Some(applied.state);
    }
}

impl FeedView for Origin {
    type Error = Infallible;

    fn live(&self, id: &RecordId) -> Result<Option<Live>, Infallible> {
        Ok(self.live.get(id).cloned())
    }

    fn header_hash(&self, _seq: u64) -> Result<Option<Hash>, Infallible> {
        Ok(None)
    }

    fn opening(&self, _log: &LogId) -> Result<Option<Opening>, Infallible> {
        Ok(None)
    }

    fn has_rival(&self, _log: &LogId, _opening: &Opening) -> Result<bool, Infallible> {
        Ok(false)
    }
}
