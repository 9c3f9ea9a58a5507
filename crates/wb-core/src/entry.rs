//! What happened to one record, in canonical bytes (spec: feeds, entry).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::id::{Hash, RecordId};
use crate::json::{self, present};
use crate::limits::NUMBER_MAX;
use crate::line::Line;
use crate::rule::Rule;
use crate::scope::Kind;

/// The first bytes of an entry, which no record line has.
const START: &[u8] = b"{\"op\":";

/// Why a record was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its scope was narrowed: it goes on elsewhere, or at home.
    Scope,
    /// It is erased.
    Erase,
    /// It should never have been shared.
    Mistake,
}

impl Reason {
    /// The word in entries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Erase => "erase",
            Self::Mistake => "mistake",
        }
    }
}

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A revision becomes live.
    Put {
        /// Hash of its line.
        line_hash: Hash,
    },
    /// Every revision up to this one ends.
    Retract {
        /// Why.
        reason: Reason,
    },
}

/// One entry of a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it does.
    pub op: Op,
    /// The record.
    pub id: RecordId,
    /// The revision put, or the highest one ended.
    pub rev: u64,
    /// The record's kind.
    pub kind: Kind,
    /// Hash of the line that was live before.
    pub drops: Option<Hash>,
}

#[derive(Deserialize)]
struct Fields {
    op: String,
    id: RecordId,
    rev: u64,
    kind: Kind,
    #[serde(default)]
    line_hash: Option<Hash>,
    #[serde(deserialize_with = "present")]
    drops: Option<Hash>,
    #[serde(default)]
    reason: Option<Reason>,
}

impl Entry {
    /// Whether an item of a stream is an entry rather than a record line.
    #[must_use]
    pub fn starts(item: &[u8]) -> bool {
        item.starts_with(START)
    }

    /// Reads an entry that stands alone: a stub or a retract.
    ///
    /// # Errors
    /// A strict JSON rule, or `entry_malformed` when the bytes are not the canonical ones.
    pub fn read(bytes: &[u8]) -> Result<Self, Rule> {
        let text = json::check(bytes)?;
        let fields: Fields = serde_json::from_str(text).map_err(|_| Rule::EntryMalformed)?;
        let op = match (fields.op.as_str(), fields.line_hash, fields.reason) {
            ("put", Some(line_hash), None) => Op::Put { line_hash },
            ("retract", None, Some(reason)) => Op::Retract { reason },
            _ => return Err(Rule::EntryMalformed),
        };
        let entry = Self {
            op,
            id: fields.id,
            rev: fields.rev,
            kind: fields.kind,
            drops: fields.drops,
        };
        let canonical = (1..=NUMBER_MAX).contains(&entry.rev) && entry.to_bytes() == bytes;
        if canonical {
            Ok(entry)
        } else {
            Err(Rule::EntryMalformed)
        }
    }

    /// The entry of a put, from its line.
    #[must_use]
    pub fn of_line(line: &Line<'_>) -> Self {
        Self {
            op: Op::Put {
                line_hash: line.hash,
            },
            id: line.id,
            rev: line.rev,
            kind: line.kind.clone(),
            drops: line.drops,
        }
    }

    /// The canonical bytes.
    ///
    /// # Panics
    /// Never: writing to a string cannot fail.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(320);
        let op = match self.op {
            Op::Put { .. } => "put",
            Op::Retract { .. } => "retract",
        };
        let Self { id, rev, kind, .. } = self;
        write!(
            text,
            r#"{{"op":"{op}","id":"{id}","rev":{rev},"kind":"{kind}""#
        )
        .expect("a string takes all");
        if let Op::Put { line_hash } = self.op {
            write!(text, r#","line_hash":"{line_hash}""#).expect("a string takes all");
        }
        match self.drops {
            Some(drops) => write!(text, r#","drops":"{drops}""#).expect("a string takes all"),
            None => text.push_str(r#","drops":null"#),
        }
        if let Op::Retract { reason } = self.op {
            write!(text, r#","reason":"{}""#, reason.as_str()).expect("a string takes all");
        }
        text.push('}');
        text.into_bytes()
    }

    /// The line hash of a put.
    #[must_use]
    pub fn line_hash(&self) -> Option<Hash> {
        match self.op {
            Op::Put { line_hash } => Some(line_hash),
            Op::Retract { .. } => None,
        }
    }

    /// The element a put adds to the live set.
    #[must_use]
    pub fn live_element(&self) -> Option<Hash> {
        self.line_hash()
            .map(|hash| hash::live_element(&self.id, self.rev, self.kind.as_str(), &hash))
    }
}
