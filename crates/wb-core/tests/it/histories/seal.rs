//! An origin's own side, written naively: keys, identity entries, record lines, sealed deltas and
//! the lines of a snapshot. Shares no code with `wb_core`.

use std::collections::BTreeMap;
use std::rc::Rc;

use ed25519_dalek::{Signer, SigningKey};

use crate::naive::{header_hash, hex, line_hash, live_digest, recovery_commitment, root, sha256};

pub const AT: &str = "2026-11-22T10:23:59.123Z";

/// What a live record is known by: rev, kind, line hash.
pub type LiveEntry = (u64, String, String);

/// One entry of a sealed delta.
#[derive(Clone, Debug)]
pub struct Change {
    pub put: bool,
    pub id: String,
    pub rev: u64,
    pub kind: String,
    pub line_hash: String,
    /// The entry's own bytes, and those of the record line for a put.
    pub entry: String,
    pub line: String,
}

/// A sealed delta and what is live after it.
#[derive(Debug)]
pub struct Sealed {
    pub by: String,
    pub scope: &'static str,
    pub log: String,
    pub generation: u64,
    pub seq: u64,
    pub hash: String,
    pub body_hash: String,
    pub line: String,
    /// Position of the signing entry.
    pub position: (u64, u64),
    pub identity: String,
    /// Position of the log's first header.
    pub opened: (u64, u64),
    pub changes: Vec<Change>,
    pub prev: Option<Rc<Sealed>>,
    pub follows: Option<Rc<Sealed>>,
    pub live: BTreeMap<String, LiveEntry>,
    /// Retracted in this feed: id → rev.
    pub dead: BTreeMap<String, u64>,
}

/// What an owner wants of one record.
#[derive(Clone, Debug)]
pub struct Rec {
    pub rev: u64,
    /// `None` is private.
    pub scope: Option<&'static str>,
    pub erased: bool,
    pub kind: String,
    pub parent: Option<String>,
    pub dirty: bool,
}

/// Someone who seals as the origin: itself, a second running copy, or a thief.
#[derive(Clone)]
pub struct Owner {
    pub name: &'static str,
    pub origin: String,
    pub key: SigningKey,
    pub recovery: SigningKey,
    pub identity: Vec<String>,
    pub position: (u64, u64),
    pub entry: String,
    pub heads: BTreeMap<&'static str, Rc<Sealed>>,
    pub recs: BTreeMap<String, Rec>,
    /// Line hash → line, of the lines it still holds.
    pub lines: BTreeMap<String, String>,
    pub suspect: bool,
}

/// Numbers everything that must be fresh.
#[derive(Default)]
pub struct Counter(u64);

impl Counter {
    pub fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    pub fn bytes(&mut self) -> Vec<u8> {
        let n = self.next();
        sha256(&[b"fresh", &n.to_be_bytes()])
    }

    pub fn hex(&mut self, digits: usize) -> String {
        hex(&self.bytes())[..digits].to_owned()
    }

    pub fn key(&mut self) -> SigningKey {
        SigningKey::from_bytes(&self.bytes().try_into().expect("32 bytes"))
    }

    pub fn uuid(&mut self) -> String {
        let n = self.next();
        format!("0193{n:04x}-0000-7000-8000-{n:012x}")
    }
}

fn signed_line(kind: &str, payload: &str, key: &SigningKey) -> String {
    let signature = key.sign(format!("{kind}\n{payload}").as_bytes());
    format!(
        "{{\"signature\":\"{}\",\"signed\":{payload}}}",
        hex(&signature.to_bytes())
    )
}

fn public(key: &SigningKey) -> String {
    hex(key.verifying_key().as_bytes())
}

fn commitment(key: &SigningKey) -> String {
    recovery_commitment(key.verifying_key().as_bytes())
}

fn entry_hash(payload: &str) -> String {
    hex(&sha256(&[&[3], payload.as_bytes()]))
}

fn quoted_or_null(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), |t| format!("\"{t}\""))
}

impl Owner {
    /// Founds an instance and seals the first, empty delta of both feeds.
    pub fn found(counter: &mut Counter) -> Self {
        let (key, recovery) = (counter.key(), counter.key());
        let payload = format!(
            "{{\"type\":\"wb.identity.v1\",\"schema_version\":1,\"op\":\"found\",\"n\":0,\"era\":0,\
             \"prev\":null,\"signing_key\":\"{}\",\"recovery\":\"{}\",\"at\":\"{AT}\"}}",
            public(&key),
            commitment(&recovery)
        );
        let origin = entry_hash(&payload);
        Self {
            name: "O",
            origin: origin.clone(),
            identity: vec![signed_line("wb.identity.v1", &payload, &key)],
            key,
            recovery,
            position: (0, 0),
            entry: origin,
            heads: BTreeMap::new(),
            recs: BTreeMap::new(),
            lines: BTreeMap::new(),
            suspect: false,
        }
    }

    /// `{"log",…}` of the public head.
    fn head_listed(&self) -> String {
        let head = &self.heads["public"];
        format!(
            "{{\"log\":\"{}\",\"generation\":{},\"seq\":{},\"hash\":\"{}\"}}",
            head.log, head.generation, head.seq, head.hash
        )
    }

    /// Appends a `rotate` to the identity log.
    pub fn rotate(&mut self, counter: &mut Counter) {
        let next = counter.key();
        let (era, n) = (self.position.0, self.position.1 + 1);
        let payload = format!(
            "{{\"type\":\"wb.identity.v1\",\"schema_version\":1,\"op\":\"rotate\",\"n\":{n},\
             \"era\":{era},\"prev\":\"{}\",\"signing_key\":\"{}\",\"recovery\":\"{}\",\
             \"heads\":{{\"public\":{},\"trusted_peers\":\"{}\"}},\"at\":\"{AT}\"}}",
            self.entry,
            public(&next),
            commitment(&self.recovery),
            self.head_listed(),
            counter.hex(64)
        );
        self.identity
            .push(signed_line("wb.identity.v1", &payload, &self.key));
        self.key = next;
        self.position = (era, n);
        self.entry = entry_hash(&payload);
    }

    /// Appends a `recover`, with new words.
    pub fn recover(&mut self, counter: &mut Counter) {
        let (next, words) = (counter.key(), counter.key());
        let (era, n) = (self.position.0 + 1, self.position.1 + 1);
        let payload = format!(
            "{{\"type\":\"wb.identity.v1\",\"schema_version\":1,\"op\":\"recover\",\"n\":{n},\
             \"era\":{era},\"prev\":\"{}\",\"recovery_key\":\"{}\",\"signing_key\":\"{}\",\
             \"recovery\":\"{}\",\"heads\":{{\"public\":{},\"trusted_peers\":\"{}\"}},\
             \"at\":\"{AT}\"}}",
            self.entry,
            public(&self.recovery),
            public(&next),
            commitment(&words),
            self.head_listed(),
            counter.hex(64)
        );
        self.identity
            .push(signed_line("wb.identity.v1", &payload, &self.recovery));
        self.key = next;
        self.recovery = words;
        self.position = (era, n);
        self.entry = entry_hash(&payload);
    }

    /// A put of the record as it is wanted now, as revision `rev`.
    pub fn put(
        &self,
        counter: &mut Counter,
        scope: &'static str,
        id: &str,
        rev: u64,
        valid: bool,
    ) -> Change {
        let rec = &self.recs[id];
        let origin = &self.origin;
        let drops = self
            .heads
            .get(scope)
            .and_then(|head| head.live.get(id))
            .map(|l| l.2.clone());
        let title = counter.next();
        let body = match (&rec.parent, valid) {
            (_, false) => "{\"title\":7}".to_owned(),
            (Some(parent), _) => format!(
                "{{\"request\":{{\"origin\":\"{origin}\",\"id\":\"{parent}\"}},\
                 \"body\":\"b{title}\",\"created_at\":\"{AT}\"}}"
            ),
            (None, _) => {
                format!("{{\"title\":\"t{title}\",\"description\":\"d\",\"created_at\":\"{AT}\"}}")
            }
        };
        let drops = quoted_or_null(drops.as_deref());
        let line = format!(
            "{{\"origin\":\"{origin}\",\"kind\":\"{kind}\",\"schema_version\":1,\"id\":\"{id}\",\
             \"rev\":{rev},\"drops\":{drops},\"by\":\"pseudonym:{by}\",\"session\":null,\
             \"at\":\"{AT}\",\"scope\":\"{scope}\",\"salt\":\"{salt}\",\"body\":{body}}}",
            kind = rec.kind,
            by = &origin[..32],
            salt = counter.hex(32)
        );
        let hash = line_hash(&line);
        let entry = format!(
            "{{\"op\":\"put\",\"id\":\"{id}\",\"rev\":{rev},\"kind\":\"{}\",\
             \"line_hash\":\"{hash}\",\"drops\":{drops}}}",
            rec.kind
        );
        Change {
            put: true,
            id: id.to_owned(),
            rev,
            kind: rec.kind.clone(),
            line_hash: hash,
            entry,
            line,
        }
    }

    /// A retract of what is live in the feed.
    pub fn retract(&self, scope: &str, id: &str, reason: &str) -> Change {
        let (rev, kind, hash) = self.heads[scope].live[id].clone();
        let entry = format!(
            "{{\"op\":\"retract\",\"id\":\"{id}\",\"rev\":{rev},\"kind\":\"{kind}\",\
             \"drops\":\"{hash}\",\"reason\":\"{reason}\"}}"
        );
        Change {
            put: false,
            id: id.to_owned(),
            rev,
            kind,
            line_hash: String::new(),
            entry,
            line: String::new(),
        }
    }

    /// Seals changes in the current log of the feed.
    pub fn seal(&mut self, scope: &'static str, changes: Vec<Change>) -> Rc<Sealed> {
        let head = Rc::clone(&self.heads[scope]);
        let sealed = self.delta(scope, changes, Some(head), None, None);
        self.adopt(&sealed);
        sealed
    }

    /// Seals the first, empty delta of a new log that follows the head held.
    pub fn open(
        &mut self,
        counter: &mut Counter,
        scope: &'static str,
        generation: u64,
    ) -> Rc<Sealed> {
        let follows = self.heads.get(scope).map(Rc::clone);
        let log = (counter.hex(32), generation);
        let sealed = self.delta(scope, Vec::new(), None, follows, Some(log));
        self.adopt(&sealed);
        sealed
    }

    fn adopt(&mut self, sealed: &Rc<Sealed>) {
        for change in &sealed.changes {
            if change.put {
                self.lines
                    .insert(change.line_hash.clone(), change.line.clone());
            }
        }
        self.heads.insert(sealed.scope, Rc::clone(sealed));
        let heads = &self.heads;
        self.lines.retain(|hash, _| {
            heads
                .values()
                .any(|h| h.live.values().any(|l| l.2 == *hash))
        });
    }

    /// Builds a delta without adopting it.
    pub fn delta(
        &self,
        scope: &'static str,
        changes: Vec<Change>,
        prev: Option<Rc<Sealed>>,
        follows: Option<Rc<Sealed>>,
        new_log: Option<(String, u64)>,
    ) -> Rc<Sealed> {
        let base = prev.as_ref().or(follows.as_ref());
        let mut live = base.map(|b| b.live.clone()).unwrap_or_default();
        let mut dead = base.map(|b| b.dead.clone()).unwrap_or_default();
        for change in &changes {
            if change.put {
                live.insert(
                    change.id.clone(),
                    (change.rev, change.kind.clone(), change.line_hash.clone()),
                );
            } else {
                live.remove(&change.id);
                dead.insert(change.id.clone(), change.rev);
            }
        }
        let (log, generation) = new_log.unwrap_or_else(|| {
            let prev = prev.as_ref().expect("a delta in a log has one before");
            (prev.log.clone(), prev.generation)
        });
        let seq = prev.as_ref().map_or(0, |p| p.seq + 1);
        let prev_hash = prev.as_ref().map(|p| p.hash.as_str());
        let followed = follows.as_ref().map_or("null".to_owned(), |f| {
            format!(
                "{{\"log\":\"{}\",\"generation\":{},\"seq\":{},\"hash\":\"{}\"}}",
                f.log, f.generation, f.seq, f.hash
            )
        });
        let entries: Vec<String> = changes.iter().map(|c| c.entry.clone()).collect();
        let bytes: usize = changes
            .iter()
            .filter(|c| c.put)
            .map(|c| c.line.len() + 1)
            .sum();
        let records: Vec<_> = live
            .iter()
            .map(|(id, l)| (id.clone(), l.0, l.1.clone(), l.2.clone()))
            .collect();
        let payload = format!(
            "{{\"type\":\"wb.header.v1\",\"schema_version\":1,\"origin\":\"{origin}\",\
             \"scope\":\"{scope}\",\"log\":\"{log}\",\"generation\":{generation},\"seq\":{seq},\
             \"prev\":{prev},\"follows\":{followed},\"era\":{era},\"key\":{key},\
             \"identity\":\"{identity}\",\"at\":\"{AT}\",\"entries\":{n},\"bytes\":{bytes},\
             \"root\":\"{root}\",\"live_n\":{live_n},\"live\":\"{digest}\",\"valid_until\":null}}",
            origin = self.origin,
            prev = quoted_or_null(prev_hash),
            era = self.position.0,
            key = self.position.1,
            identity = self.entry,
            n = changes.len(),
            root = hex(&root(&entries)),
            live_n = live.len(),
            digest = live_digest(&records),
        );
        let body_hash = hex(&sha256(&[payload.as_bytes()]));
        Rc::new(Sealed {
            by: self.name.to_owned(),
            scope,
            log,
            generation,
            seq,
            hash: header_hash(prev_hash, &body_hash),
            body_hash,
            line: signed_line("wb.header.v1", &payload, &self.key),
            position: self.position,
            identity: self.entry.clone(),
            opened: prev.as_ref().map_or(self.position, |p| p.opened),
            changes,
            prev,
            follows,
            live,
            dead,
        })
    }

    /// Signs a header payload again after it was changed; for deltas that break one rule.
    pub fn sign_header(&self, payload: &str) -> String {
        signed_line("wb.header.v1", payload, &self.key)
    }
}

impl Sealed {
    pub fn payload(&self) -> &str {
        &self.line[153..self.line.len() - 1]
    }

    /// The deltas of this log from the first to this one.
    pub fn log_so_far(self: &Rc<Self>) -> Vec<Rc<Sealed>> {
        let mut all = vec![Rc::clone(self)];
        while let Some(prev) = &all[all.len() - 1].prev {
            let prev = Rc::clone(prev);
            all.push(prev);
        }
        all.reverse();
        all
    }

    /// Whether `other` is this delta or one that led to it, over logs.
    pub fn has_before(self: &Rc<Self>, hash: &str) -> bool {
        let mut at = Some(self);
        while let Some(sealed) = at {
            if sealed.hash == hash {
                return true;
            }
            at = sealed.prev.as_ref().or(sealed.follows.as_ref());
        }
        false
    }

    /// The lines of a snapshot at this head; `line` gives the record lines that are sent.
    pub fn snapshot(
        self: &Rc<Self>,
        origin: &str,
        line: impl Fn(&str, &str) -> Option<String>,
    ) -> Vec<String> {
        let log = self.log_so_far();
        let gone: Vec<_> = self
            .dead
            .iter()
            .filter(|(id, _)| !self.live.contains_key(*id))
            .collect();
        let mut lines = vec![
            format!(
                "{{\"section\":\"snapshot\",\"schema_version\":1,\"origin\":\"{origin}\",\
                 \"scope\":\"{}\",\"headers\":{},\"live\":{},\"retracted\":{}}}",
                self.scope,
                log.len(),
                self.live.len(),
                gone.len()
            ),
            self.line.clone(),
        ];
        if self.seq > 0 {
            lines.push(log[0].line.clone());
        }
        let bodies: Vec<_> = log.iter().map(|d| format!("\"{}\"", d.body_hash)).collect();
        lines.push(format!("{{\"chain\":[{}]}}", bodies.join(",")));
        for (id, (rev, kind, hash)) in &self.live {
            lines.push(line(kind, hash).unwrap_or_else(|| {
                format!(
                    "{{\"op\":\"put\",\"id\":\"{id}\",\"rev\":{rev},\"kind\":\"{kind}\",\
                     \"line_hash\":\"{hash}\",\"drops\":null}}"
                )
            }));
        }
        if !gone.is_empty() {
            let pairs: Vec<_> = gone
                .iter()
                .map(|(id, rev)| format!("[\"{id}\",{rev}]"))
                .collect();
            lines.push(format!("{{\"retracted\":[{}]}}", pairs.join(",")));
        }
        lines
    }
}

/// Changes one digit.
pub fn flip_digit(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    String::from_utf8(bytes).expect("digits are ASCII")
}
