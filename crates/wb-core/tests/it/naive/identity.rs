//! Identity logs: the rules of one log, and what becomes of two logs of one id.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Outcome;
use super::bytes::{hex, recovery_commitment, sha256, unhex};
use super::forms::{is_hex, is_time};
use super::json::Value;
use super::memo;
use super::signed::{self, Signed};

const ENTRIES_MAX: usize = 1024;
const ENTRY_BYTES_MAX: usize = 4096;

/// `(era, n)`, compared in this order.
pub type Position = (u64, u64);

/// A head listed by a `rotate` or `recover` for the public feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub log: String,
    pub generation: u64,
    pub seq: u64,
    pub hash: String,
}

/// What an entry lists for one scope.
#[derive(Clone, Debug, PartialEq)]
pub enum Cut {
    /// The outgoing key signed nothing there.
    Nothing,
    At(Head),
    /// Known by a commitment only: nothing can be told to be above it.
    Blinded,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub hash: String,
    pub op: String,
    pub position: Position,
    pub prev: Option<String>,
    pub signing_key: String,
    pub recovery: String,
    pub recovery_key: Option<String>,
    /// Scope → head; empty for `found`.
    pub cuts: BTreeMap<String, Cut>,
    pub line: String,
}

/// Reads an offered log from its first entry on. `id` is the instance expected, where there is one.
pub fn read_log(lines: &[String], id: Option<&str>) -> Result<Vec<Rc<Entry>>, &'static str> {
    let mut log: Vec<Rc<Entry>> = Vec::new();
    for line in lines {
        if line.len() > ENTRY_BYTES_MAX {
            return Err("line_too_long");
        }
        let signed = signed::read(line, "wb.identity.v1")?;
        let entry = read_entry(&signed, line).ok_or("identity_malformed")?;
        check(&log, &entry, &signed, id)?;
        log.push(Rc::new(entry));
    }
    if log.is_empty() {
        Err("not_found_first")
    } else {
        Ok(log)
    }
}

fn check(
    log: &[Rc<Entry>],
    entry: &Entry,
    signed: &Signed,
    id: Option<&str>,
) -> Result<(), &'static str> {
    let before = log.last();
    if log.len() >= ENTRIES_MAX {
        return Err("identity_too_long");
    }
    if before.is_none() && id.is_some_and(|id| id != entry.hash) {
        return Err("wrong_id");
    }
    if before.is_none() != (entry.op == "found") {
        return Err("not_found_first");
    }
    if entry.position.1 != u64::try_from(log.len()).expect("at most 1,024") {
        return Err("wrong_n");
    }
    if entry.prev != before.map(|b| b.hash.clone()) {
        return Err("wrong_prev");
    }
    let era = before.map_or(0, |b| b.position.0) + u64::from(entry.op == "recover");
    if entry.position.0 != era {
        return Err("wrong_era");
    }
    let mut keys = vec![&entry.signing_key];
    keys.extend(entry.recovery_key.as_ref());
    if keys.iter().any(|key| signed::public_key(key).is_none()) {
        return Err("weak_key");
    }
    let signer = match (before, &entry.recovery_key) {
        (None, _) => entry.signing_key.clone(),
        (Some(b), None) => {
            if b.recovery != entry.recovery {
                return Err("recovery_changed");
            }
            b.signing_key.clone()
        }
        (Some(b), Some(key)) => {
            if recovery_commitment(&unhex(key)) != b.recovery {
                return Err("recovery_not_committed");
            }
            if b.recovery == entry.recovery {
                return Err("recovery_reused");
            }
            key.clone()
        }
    };
    if memo::verifies(signed, &signer) {
        Ok(())
    } else {
        Err("bad_signature")
    }
}

fn read_entry(signed: &Signed, line: &str) -> Option<Entry> {
    let body = &signed.body;
    let key = |name: &str| body.text(name).filter(|t| is_hex(t, 64)).map(str::to_owned);
    if !(1..=2_147_483_647).contains(&body.count("schema_version")?) || !is_time(body.text("at")?) {
        return None;
    }
    let op = body.text("op")?.to_owned();
    let prev = match body.get("prev")? {
        Value::Null => None,
        _ => Some(key("prev")?),
    };
    let mut recovery_key = None;
    let mut cuts = BTreeMap::new();
    match op.as_str() {
        "found" => {}
        "rotate" | "recover" => {
            if op == "recover" {
                recovery_key = Some(key("recovery_key")?);
            }
            let heads = body.get("heads")?;
            cuts.insert("public".to_owned(), read_head(heads.get("public")?)?);
            let blinded = match heads.get("trusted_peers")? {
                Value::Null => Cut::Nothing,
                Value::Text(t) if is_hex(t, 64) => Cut::Blinded,
                _ => return None,
            };
            cuts.insert("trusted_peers".to_owned(), blinded);
        }
        _ => return None,
    }
    Some(Entry {
        hash: hex(&sha256(&[&[3], signed.payload.as_bytes()])),
        position: (body.count("era")?, body.count("n")?),
        op,
        prev,
        signing_key: key("signing_key")?,
        recovery: key("recovery")?,
        recovery_key,
        cuts,
        line: line.to_owned(),
    })
}

fn read_head(value: &Value) -> Option<Cut> {
    if *value == Value::Null {
        return Some(Cut::Nothing);
    }
    Some(Cut::At(Head {
        log: value.text("log").filter(|t| is_hex(t, 32))?.to_owned(),
        generation: value.count("generation")?,
        seq: value.count("seq")?,
        hash: value.text("hash").filter(|t| is_hex(t, 64))?.to_owned(),
    }))
}

/// All a reader knows of one instance's identity.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The log held.
    pub log: Vec<Rc<Entry>>,
    /// Branches kept as evidence of two rotates; while there is one, every feed is held.
    pub branches: Vec<Vec<Rc<Entry>>>,
    /// Entries a `recover` voided.
    pub void: BTreeMap<String, Rc<Entry>>,
}

impl Known {
    /// An entry of the log held or of a branch kept beside it.
    pub fn entry(&self, hash: &str) -> Option<&Rc<Entry>> {
        self.log
            .iter()
            .chain(self.branches.iter().flatten())
            .find(|entry| entry.hash == hash)
    }

    /// Offers another log of the same instance.
    pub fn offer(&mut self, offered: Vec<Rc<Entry>>) -> Outcome {
        let same = |a: &[Rc<Entry>], b: &[Rc<Entry>]| {
            a.iter()
                .zip(b)
                .take_while(|(x, y)| x.hash == y.hash)
                .count()
        };
        let recovers = |log: &[Rc<Entry>]| log.iter().any(|entry| entry.op == "recover");
        let k = same(&self.log, &offered);
        if k == offered.len() {
            return Outcome::plain("known");
        }
        let extends = k == self.log.len();
        let outcome = match (extends, recovers(&self.log[k..]), recovers(&offered[k..])) {
            (true, _, _) => "extend",
            (_, false, true) => "replace",
            (_, true, false) => "stale",
            (_, true, true) => "two_recovers",
            (_, false, false) => "two_rotates",
        };
        match outcome {
            "extend" | "replace" => {
                for entry in &self.log[k..] {
                    self.void.insert(entry.hash.clone(), Rc::clone(entry));
                }
                self.log = offered;
                // A branch kept beside the log ends with the first `recover` after it left the log.
                for branch in std::mem::take(&mut self.branches) {
                    let k = same(&self.log, &branch);
                    if recovers(&self.log[k..]) {
                        for entry in &branch[k..] {
                            self.void.insert(entry.hash.clone(), Rc::clone(entry));
                        }
                    } else {
                        self.branches.push(branch);
                    }
                }
            }
            "two_rotates" => self.branches.push(offered),
            _ => {}
        }
        Outcome::plain(outcome)
    }
}
