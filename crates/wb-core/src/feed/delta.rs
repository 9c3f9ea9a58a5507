//! A delta as its bytes say: steps 1 and 2 of accepting.

use super::accept::Refusal;
use super::header::Header;
use crate::entry::{Entry, Op};
use crate::hash;
use crate::id::Hash;
use crate::line::Line;
use crate::rule::Rule;
use crate::signed::Unverified;

/// One item of a delta or snapshot: an entry, with its line where the line is there.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// The entry, computed from the line or standing alone.
    pub entry: Entry,
    /// The record line.
    pub line: Option<Line<'a>>,
}

impl<'a> Item<'a> {
    /// Reads one item of a feed.
    ///
    /// # Errors
    /// A strict JSON rule, `line_malformed`, `line_origin`, `line_scope` or `entry_malformed`.
    pub fn read(bytes: &'a [u8], header: &Header) -> Result<Self, Rule> {
        if Entry::starts(bytes) {
            return Ok(Self {
                entry: Entry::read(bytes)?,
                line: None,
            });
        }
        let line = Line::read(bytes)?;
        if line.origin != header.origin {
            return Err(Rule::LineOrigin);
        }
        if line.scope != header.scope {
            return Err(Rule::LineScope);
        }
        Ok(Self {
            entry: Entry::of_line(&line),
            line: Some(line),
        })
    }

    /// The same item, with bytes of its own.
    #[must_use]
    pub fn to_owned_item(&self) -> Item<'static> {
        Item {
            entry: self.entry.clone(),
            line: self.line.as_ref().map(Line::to_owned_line),
        }
    }

    /// The bytes that stand for this item in a stream.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.line
            .as_ref()
            .map_or_else(|| self.entry.to_bytes(), |line| line.bytes.to_vec())
    }

    /// Whether a put came without its line.
    #[must_use]
    pub fn is_stub(&self) -> bool {
        self.line.is_none() && matches!(self.entry.op, Op::Put { .. })
    }
}

/// A delta whose every line is well formed; nothing is verified yet.
#[derive(Debug)]
pub struct Delta<'a> {
    /// What the header says.
    pub header: Header,
    /// The signed header line.
    pub header_line: &'a [u8],
    /// Hash of the header.
    pub hash: Hash,
    /// Hash of the header's bytes, of which snapshots list the chain.
    pub body_hash: Hash,
    /// The items in order.
    pub items: Vec<Item<'a>>,
    pub(super) unverified: Unverified<'a>,
}

impl<'a> Delta<'a> {
    /// Reads a header line and its items (all without LF).
    ///
    /// # Errors
    /// The first rule broken in steps 1 and 2, and the item (from 0) that breaks it.
    pub fn read<L: AsRef<[u8]>>(header_line: &'a [u8], items: &'a [L]) -> Result<Self, Refusal> {
        let (header, unverified) = Header::read(header_line).map_err(Refusal::of_header)?;
        let mut read = Vec::with_capacity(items.len());
        let mut bytes = 0;
        for (index, item) in items.iter().enumerate() {
            let item = Item::read(item.as_ref(), &header).map_err(|rule| Refusal {
                rule,
                item: Some(index),
            })?;
            bytes += item
                .line
                .as_ref()
                .map_or(0, |line| line.bytes.len() as u64 + 1);
            read.push(item);
        }
        if read.len() as u64 != header.entries {
            return Err(Refusal::of_header(Rule::WrongEntries));
        }
        if bytes > header.bytes {
            return Err(Refusal::of_header(Rule::WrongBytes));
        }
        let body_hash = Header::body_hash(unverified.payload());
        let hash = hash::header(header.prev.as_ref(), &body_hash);
        Ok(Self {
            header,
            header_line,
            hash,
            body_hash,
            items: read,
            unverified,
        })
    }

    /// Number of entries of a header, to know how many items follow it in a stream.
    ///
    /// # Errors
    /// As [`Delta::read`] for the header alone.
    pub fn count_items(header_line: &[u8]) -> Result<usize, Refusal> {
        let (header, _) = Header::read(header_line).map_err(Refusal::of_header)?;
        Ok(usize::try_from(header.entries).expect("the limit on entries fits"))
    }
}
