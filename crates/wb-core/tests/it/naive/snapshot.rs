//! Snapshots taken apart: sections, chain, items, retracted list.

use std::rc::Rc;

use super::bytes::{header_hash, live_digest};
use super::delta::{Header, Item, line_rules};
use super::forms::{is_hex, is_scope, is_uuid7};
use super::json::{self, Value};
use super::memo;
use super::records::REV_MAX;

/// A snapshot whose lines are well formed; nothing is proved yet.
#[derive(Debug)]
pub struct Snapshot {
    pub head: Rc<Header>,
    pub first: Rc<Header>,
    /// Body hashes of seq 0 to the head.
    pub bodies: Vec<String>,
    pub items: Vec<Rc<Item>>,
    pub retracted: Vec<(String, u64)>,
    announced: [u64; 3],
}

/// Reads the lines of a snapshot; the rules of single lines only.
pub fn read(lines: &[String]) -> Result<Snapshot, &'static str> {
    const BAD: &str = "wrong_count";
    let totals = json::read(lines.first().ok_or(BAD)?.as_bytes())?;
    let count = |name: &str| totals.count(name).ok_or(BAD);
    let announced = [count("headers")?, count("live")?, count("retracted")?];
    let well_formed = totals.text("section") == Some("snapshot")
        && totals
            .count("schema_version")
            .is_some_and(|n| (1..=2_147_483_647).contains(&n))
        && totals.text("origin").is_some_and(|t| is_hex(t, 64))
        && totals.text("scope").is_some_and(is_scope)
        && announced[0] > 0;
    if !well_formed {
        return Err(BAD);
    }
    let head = memo::header(lines.get(1).ok_or(BAD)?)?;
    if totals.text("origin") != Some(&head.origin) {
        return Err("line_origin");
    }
    if totals.text("scope") != Some(&head.scope) {
        return Err("line_scope");
    }
    let (first, mut at) = if head.seq == 0 {
        (Rc::clone(&head), 2)
    } else {
        (memo::header(lines.get(2).ok_or(BAD)?)?, 3)
    };
    let mut snapshot = Snapshot {
        head,
        first,
        bodies: Vec::new(),
        items: Vec::new(),
        retracted: Vec::new(),
        announced,
    };
    while let Some(line) = lines.get(at).filter(|line| line.starts_with("{\"chain\":")) {
        for value in list(line, "chain")? {
            let hash = value.as_text().filter(|t| is_hex(t, 64)).ok_or(BAD)?;
            snapshot.bodies.push(hash.to_owned());
        }
        at += 1;
    }
    while let Some(line) = lines
        .get(at)
        .filter(|line| !line.starts_with("{\"retracted\":"))
    {
        let item = memo::item(line)?;
        if !item.entry.put {
            return Err("entry_malformed");
        }
        if let Some(record) = &item.record {
            line_rules(record, &snapshot.head)?;
        } else if item.entry.drops.is_some() {
            return Err("entry_malformed");
        }
        snapshot.items.push(item);
        at += 1;
    }
    while let Some(line) = lines.get(at) {
        for value in list(line, "retracted")? {
            let Value::List(pair) = value else {
                return Err(BAD);
            };
            let [Value::Text(id), rev] = pair.as_slice() else {
                return Err(BAD);
            };
            let rev = rev
                .as_count()
                .filter(|n| (1..=REV_MAX).contains(n))
                .ok_or(BAD)?;
            if !is_uuid7(id) {
                return Err(BAD);
            }
            snapshot.retracted.push((id.clone(), rev));
        }
        at += 1;
    }
    Ok(snapshot)
}

fn list(line: &str, name: &str) -> Result<Vec<Value>, &'static str> {
    match json::read(line.as_bytes())?.get(name) {
        Some(Value::List(items)) if (1..=1000).contains(&items.len()) => Ok(items.clone()),
        _ => Err("wrong_count"),
    }
}

impl Snapshot {
    /// The header hashes of seq 0 to the head.
    pub fn chain(&self) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        for body in &self.bodies {
            chain.push(header_hash(chain.last().map(String::as_str), body));
        }
        chain
    }

    /// The rules that tie the sections to the head, in the order of the page.
    pub fn prove(&self) -> Result<(), &'static str> {
        let (head, first) = (&self.head, &self.first);
        let of_the_log = first.seq == 0
            && (&first.origin, &first.scope) == (&head.origin, &head.scope)
            && (&first.log, first.generation) == (&head.log, head.generation);
        let chained = of_the_log
            && self.chain().last() == Some(&head.hash)
            && self.bodies.len() as u64 == head.seq + 1
            && self.announced[0] == head.seq + 1
            && self.bodies[0] == first.body_hash;
        if !chained {
            return Err("wrong_chain");
        }
        let rising = self
            .items
            .windows(2)
            .all(|pair| pair[0].entry.id < pair[1].entry.id)
            && self.retracted.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if !rising {
            return Err("wrong_order");
        }
        let counts = [
            self.bodies.len() as u64,
            self.items.len() as u64,
            self.retracted.len() as u64,
        ];
        if counts != self.announced {
            return Err("wrong_count");
        }
        let live: Vec<_> = self
            .items
            .iter()
            .map(|item| {
                let e = &item.entry;
                (e.id.clone(), e.rev, e.kind.clone(), e.line_hash.clone())
            })
            .collect();
        if live.len() as u64 != head.live_n || live_digest(&live) != head.live {
            return Err("wrong_live");
        }
        if self
            .retracted
            .iter()
            .any(|(id, _)| live.iter().any(|l| l.0 == *id))
        {
            return Err("retracted_live");
        }
        Ok(())
    }
}
