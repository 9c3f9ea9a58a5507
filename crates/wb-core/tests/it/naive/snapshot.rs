//! Snapshots taken apart, section by section: totals, headers, chain, items, retracted list.

use std::rc::Rc;

use super::bytes::{header_hash, live_digest};
use super::delta::{Header, Item, line_rules};
use super::forms::{is_hex, is_scope, is_uuid7};
use super::json::{self, Value};
use super::memo;
use super::records::REV_MAX;

/// A snapshot, as far as its sections were read.
#[derive(Debug)]
pub struct Snapshot {
    pub head: Rc<Header>,
    pub first: Rc<Header>,
    /// Body hashes of seq 0 to the head.
    pub bodies: Vec<String>,
    pub items: Vec<Rc<Item>>,
    pub retracted: Vec<(String, u64)>,
}

/// What the first line announces.
#[derive(Debug)]
pub struct Totals {
    origin: String,
    scope: String,
    headers: u64,
    live: u64,
    retracted: u64,
}

const BAD: &str = "wrong_count";
const CHAIN: &str = "{\"chain\":";
const RETRACTED: &str = "{\"retracted\":";
const CHUNK_MAX: usize = 1000;

/// The section line.
pub fn totals(line: &str) -> Result<Totals, &'static str> {
    let said = json::read(line.as_bytes())?;
    let count = |name: &str| said.count(name).ok_or(BAD);
    let text = |name: &str| said.text(name).map(str::to_owned).ok_or(BAD);
    let totals = Totals {
        origin: text("origin")?,
        scope: text("scope")?,
        headers: count("headers")?,
        live: count("live")?,
        retracted: count("retracted")?,
    };
    let well_formed = said.text("section") == Some("snapshot")
        && said
            .count("schema_version")
            .is_some_and(|n| (1..=2_147_483_647).contains(&n))
        && is_hex(&totals.origin, 64)
        && is_scope(&totals.scope)
        && totals.headers > 0;
    if well_formed { Ok(totals) } else { Err(BAD) }
}

/// The head, and what it says of the chain.
pub fn head(totals: &Totals, line: &str) -> Result<Rc<Header>, &'static str> {
    let head = memo::header(line)?;
    if totals.origin != head.origin {
        return Err("line_origin");
    }
    if totals.scope != head.scope {
        return Err("line_scope");
    }
    Ok(head)
}

/// Whether the number of headers announced is that of the head.
pub fn head_count(totals: &Totals, head: &Header) -> Result<(), &'static str> {
    if totals.headers == head.seq + 1 {
        Ok(())
    } else {
        Err("wrong_chain")
    }
}

/// The first header of the log, before it is asked who signed it.
pub fn first(head: &Header, line: &str) -> Result<Rc<Header>, &'static str> {
    let first = memo::header(line)?;
    if (&first.origin, &first.scope) == (&head.origin, &head.scope) {
        Ok(first)
    } else {
        Err("wrong_chain")
    }
}

/// Whether the first header opens the log of the head.
pub fn opens(first: &Header, head: &Header) -> Result<(), &'static str> {
    let of_the_log = (first.seq, &first.log, first.generation) == (0, &head.log, head.generation);
    if of_the_log {
        Ok(())
    } else {
        Err("wrong_chain")
    }
}

impl Snapshot {
    pub fn new(head: Rc<Header>, first: Rc<Header>) -> Self {
        Self {
            head,
            first,
            bodies: Vec::new(),
            items: Vec::new(),
            retracted: Vec::new(),
        }
    }

    /// The chain lines; the lines after them are left.
    pub fn take_chain(
        &mut self,
        totals: &Totals,
        mut lines: &[String],
    ) -> Result<usize, &'static str> {
        let mut taken = 0;
        while (self.bodies.len() as u64) < totals.headers {
            let (line, rest) = lines.split_first().ok_or(BAD)?;
            lines = rest;
            taken += 1;
            // A line of another form says that the chain ended; one of this form is malformed.
            let malformed = if line.starts_with(CHAIN) {
                BAD
            } else {
                "wrong_chain"
            };
            let said = json::read(line.as_bytes())?;
            let Some(Value::List(values)) = said.get("chain") else {
                return Err(malformed);
            };
            let hashes: Option<Vec<String>> = values
                .iter()
                .map(|value| value.as_text().filter(|t| is_hex(t, 64)).map(str::to_owned))
                .collect();
            let hashes = hashes.ok_or(malformed)?;
            if hashes.is_empty() || hashes.len() > CHUNK_MAX {
                return Err(BAD);
            }
            self.bodies.extend(hashes);
        }
        if self.bodies.len() as u64 > totals.headers {
            return Err(BAD);
        }
        let leads = self.chain().last() == Some(&self.head.hash);
        if leads && self.bodies[0] == self.first.body_hash {
            Ok(taken)
        } else {
            Err("wrong_chain")
        }
    }

    /// The items and the retracted list, and whether they are what the head says.
    pub fn take_records(&mut self, totals: &Totals, lines: &[String]) -> Result<(), &'static str> {
        for line in lines {
            if (self.items.len() as u64) < totals.live {
                if line.starts_with(RETRACTED) {
                    return Err(BAD);
                }
                self.take_item(line)?;
            } else {
                self.take_retracted(line)?;
                if self.retracted.len() as u64 > totals.retracted {
                    return Err(BAD);
                }
            }
        }
        let came = (self.items.len() as u64, self.retracted.len() as u64);
        if came != (totals.live, totals.retracted) {
            return Err(BAD);
        }
        self.is_live()
    }

    fn take_item(&mut self, line: &str) -> Result<(), &'static str> {
        let item = memo::item(line)?;
        if let Some(record) = &item.record {
            line_rules(record, &self.head)?;
        } else if !item.entry.put || item.entry.drops.is_some() {
            return Err("entry_malformed");
        }
        if self
            .items
            .last()
            .is_some_and(|last| last.entry.id >= item.entry.id)
        {
            return Err("wrong_order");
        }
        self.items.push(item);
        Ok(())
    }

    fn take_retracted(&mut self, line: &str) -> Result<(), &'static str> {
        let said = json::read(line.as_bytes())?;
        let Some(Value::List(values)) = said.get("retracted") else {
            return Err(BAD);
        };
        let pairs: Option<Vec<(&str, u64)>> = values.iter().map(pair).collect();
        let pairs = pairs.ok_or(BAD)?;
        if pairs.is_empty() || pairs.len() > CHUNK_MAX {
            return Err(BAD);
        }
        for (id, rev) in pairs {
            if self
                .retracted
                .last()
                .is_some_and(|last| last.0.as_str() >= id)
            {
                return Err("wrong_order");
            }
            if !(1..=REV_MAX).contains(&rev) {
                return Err(BAD);
            }
            self.retracted.push((id.to_owned(), rev));
        }
        Ok(())
    }

    /// The header hashes of seq 0 to the head.
    pub fn chain(&self) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        for body in &self.bodies {
            chain.push(header_hash(chain.last().map(String::as_str), body));
        }
        chain
    }

    fn is_live(&self) -> Result<(), &'static str> {
        let live: Vec<_> = self
            .items
            .iter()
            .map(|item| {
                let e = &item.entry;
                (e.id.clone(), e.rev, e.kind.clone(), e.line_hash.clone())
            })
            .collect();
        if live.len() as u64 != self.head.live_n || live_digest(&live) != self.head.live {
            return Err("wrong_live");
        }
        let is_live = |id: &String| live.iter().any(|l| l.0 == *id);
        if self.retracted.iter().any(|(id, _)| is_live(id)) {
            return Err("retracted_live");
        }
        Ok(())
    }
}

fn pair(value: &Value) -> Option<(&str, u64)> {
    let Value::List(pair) = value else {
        return None;
    };
    let [Value::Text(id), rev] = pair.as_slice() else {
        return None;
    };
    is_uuid7(id).then_some((id.as_str(), rev.as_count()?))
}
