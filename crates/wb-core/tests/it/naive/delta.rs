//! Headers, entries and items: a delta taken apart, steps 1 and 2 of accepting.

use std::rc::Rc;

use super::bytes::{header_hash, hex, line_hash, sha256};
use super::forms::{is_hex, is_kind, is_scope, is_time, is_uuid7};
use super::json::{self, Value};
use super::memo;
use super::records::{self, REV_MAX, Record};
use super::signed::{self, Signed};

pub const ENTRIES_MAX: usize = 1024;
pub const BYTES_MAX: u64 = 33_554_432;

/// What the first header of a log says it follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Follows {
    pub log: String,
    pub generation: u64,
    pub seq: u64,
    pub hash: String,
}

#[derive(Debug)]
pub struct Header {
    pub origin: String,
    pub scope: String,
    pub log: String,
    pub generation: u64,
    pub seq: u64,
    pub prev: Option<String>,
    pub follows: Option<Follows>,
    /// `(era, key)` as the header claims; that of the entry after step 5.
    pub position: (u64, u64),
    pub identity: String,
    pub entries: u64,
    pub bytes: u64,
    pub root: String,
    pub live_n: u64,
    pub live: String,
    pub hash: String,
    pub body_hash: String,
    pub signed: Signed,
}

/// Reads a header line; rules of step 1.
pub fn read_header(line: &str) -> Result<Header, &'static str> {
    let signed = signed::read(line, "wb.header.v1")?;
    let header = header_members(signed).ok_or("header_malformed")?;
    if header.entries > 1024 {
        return Err("too_many_entries");
    }
    if header.bytes > BYTES_MAX {
        return Err("delta_too_large");
    }
    Ok(header)
}

fn header_members(signed: Signed) -> Option<Header> {
    let body = &signed.body;
    let hexed = |v: &Value, name: &str, digits: usize| {
        v.text(name)
            .filter(|t| is_hex(t, digits))
            .map(str::to_owned)
    };
    body.count("schema_version")
        .filter(|n| (1..=2_147_483_647).contains(n))?;
    body.text("at").filter(|t| is_time(t))?;
    if *body.get("valid_until")? != Value::Null {
        body.text("valid_until").filter(|t| is_time(t))?;
    }
    let prev = match body.get("prev")? {
        Value::Null => None,
        _ => Some(hexed(body, "prev", 64)?),
    };
    let follows = match body.get("follows")? {
        Value::Null => None,
        head => Some(Follows {
            log: hexed(head, "log", 32)?,
            generation: head.count("generation")?,
            seq: head.count("seq")?,
            hash: hexed(head, "hash", 64)?,
        }),
    };
    let (generation, seq) = (body.count("generation")?, body.count("seq")?);
    let first_is_first = if seq == 0 {
        prev.is_none() && follows.as_ref().is_none_or(|f| generation > f.generation)
    } else {
        prev.is_some() && follows.is_none()
    };
    if !first_is_first {
        return None;
    }
    let body_hash = hex(&sha256(&[signed.payload.as_bytes()]));
    Some(Header {
        origin: hexed(body, "origin", 64)?,
        scope: body.text("scope").filter(|t| is_scope(t))?.to_owned(),
        log: hexed(body, "log", 32)?,
        generation,
        seq,
        hash: header_hash(prev.as_deref(), &body_hash),
        prev,
        follows,
        position: (body.count("era")?, body.count("key")?),
        identity: hexed(body, "identity", 64)?,
        entries: body.count("entries")?,
        bytes: body.count("bytes")?,
        root: hexed(body, "root", 64)?,
        live_n: body.count("live_n")?,
        live: hexed(body, "live", 64)?,
        body_hash,
        signed,
    })
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub put: bool,
    pub id: String,
    pub rev: u64,
    pub kind: String,
    /// Empty for a retract.
    pub line_hash: String,
    pub drops: Option<String>,
    pub bytes: String,
}

/// One item of a delta: an entry standing alone, or a line with the entry computed from it.
#[derive(Debug)]
pub struct Item {
    pub entry: Entry,
    pub record: Option<Record>,
    pub text: String,
}

/// Reads one item; rules of strict JSON, of lines and of entries, without those that need a header.
pub fn read_item(text: &str) -> Result<Item, &'static str> {
    let value = json::read(text.as_bytes())?;
    if text.starts_with("{\"op\":") {
        let entry = read_entry(&value, text).ok_or("entry_malformed")?;
        return Ok(Item {
            entry,
            record: None,
            text: text.to_owned(),
        });
    }
    let record = records::read(&value).ok_or("line_malformed")?;
    let mut entry = Entry {
        put: true,
        id: record.id.clone(),
        rev: record.rev,
        kind: record.kind.clone(),
        line_hash: line_hash(text),
        drops: record.drops.clone(),
        bytes: String::new(),
    };
    entry.bytes = entry.canonical("");
    Ok(Item {
        entry,
        record: Some(record),
        text: text.to_owned(),
    })
}

fn read_entry(value: &Value, text: &str) -> Option<Entry> {
    let put = match value.text("op")? {
        "put" => true,
        "retract" => false,
        _ => return None,
    };
    let drops = match value.get("drops")? {
        Value::Null => None,
        _ => Some(value.text("drops").filter(|t| is_hex(t, 64))?.to_owned()),
    };
    let mut reason = "";
    let mut line_hash = String::new();
    if put {
        value
            .text("line_hash")
            .filter(|t| is_hex(t, 64))?
            .clone_into(&mut line_hash);
    } else {
        reason = value
            .text("reason")
            .filter(|r| ["scope", "erase", "mistake"].contains(r))?;
    }
    let entry = Entry {
        put,
        id: value.text("id").filter(|t| is_uuid7(t))?.to_owned(),
        rev: value.count("rev").filter(|n| (1..=REV_MAX).contains(n))?,
        kind: value.text("kind").filter(|t| is_kind(t))?.to_owned(),
        line_hash,
        drops,
        bytes: text.to_owned(),
    };
    (entry.canonical(reason) == text).then_some(entry)
}

impl Entry {
    fn canonical(&self, reason: &str) -> String {
        let Self {
            id,
            rev,
            kind,
            line_hash,
            ..
        } = self;
        let drops = self
            .drops
            .as_ref()
            .map_or("null".to_owned(), |d| format!("\"{d}\""));
        if self.put {
            format!(
                "{{\"op\":\"put\",\"id\":\"{id}\",\"rev\":{rev},\"kind\":\"{kind}\",\
                 \"line_hash\":\"{line_hash}\",\"drops\":{drops}}}"
            )
        } else {
            format!(
                "{{\"op\":\"retract\",\"id\":\"{id}\",\"rev\":{rev},\"kind\":\"{kind}\",\
                 \"drops\":{drops},\"reason\":\"{reason}\"}}"
            )
        }
    }
}

/// A delta whose bytes are well formed.
#[derive(Debug)]
pub struct Delta {
    pub header: Rc<Header>,
    pub items: Vec<Rc<Item>>,
}

/// Steps 1 and 2.
pub fn read(header: &str, items: &[String]) -> Result<Delta, &'static str> {
    let header = memo::header(header)?;
    if items.len() > ENTRIES_MAX {
        return Err("too_many_entries");
    }
    let mut read = Vec::new();
    let mut bytes = 0;
    for text in items {
        let item = memo::item(text)?;
        if let Some(record) = &item.record {
            line_rules(record, &header)?;
            bytes += u64::try_from(text.len()).expect("a line fits") + 1;
        }
        read.push(item);
    }
    if bytes > BYTES_MAX {
        return Err("delta_too_large");
    }
    if u64::try_from(read.len()) != Ok(header.entries) {
        return Err("wrong_entries");
    }
    if bytes > header.bytes {
        return Err("wrong_bytes");
    }
    Ok(Delta {
        header,
        items: read,
    })
}

/// The rules that hold a line against its header.
pub fn line_rules(record: &Record, header: &Header) -> Result<(), &'static str> {
    if record.origin != header.origin {
        return Err("line_origin");
    }
    if record.scope != header.scope {
        return Err("line_scope");
    }
    Ok(())
}
