//! The line of a record: its envelope, read strictly or written fresh (spec: records).
//!
//! Nothing here looks into the body, so that every version decides alike about bytes it may not
//! understand.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::hash;
use crate::id::{Hash, InstanceId, RecordId, Salt, Token};
use crate::json::{self, present};
use crate::limits::NUMBER_MAX;
use crate::rule::Rule;
use crate::scope::{By, FeedScope, Kind};
use crate::time::Timestamp;

/// What a `schema_version` can be, wherever it stands.
pub(crate) const SCHEMA_VERSIONS: RangeInclusive<u32> = 1..=i32::MAX as u32;

/// A record line whose envelope is well formed. The bytes are those that came.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// The exact bytes, without LF.
    pub bytes: Cow<'a, [u8]>,
    /// Hash of the bytes.
    pub hash: Hash,
    /// The one writer.
    pub origin: InstanceId,
    /// Kind of record.
    pub kind: Kind,
    /// Version of the body.
    pub schema_version: u32,
    /// The record's id at its origin.
    pub id: RecordId,
    /// Revision, counted by the origin.
    pub rev: u64,
    /// Hash of the line that was live for this id in this feed.
    pub drops: Option<Hash>,
    /// Who wrote it.
    pub by: By,
    /// Minimal session attribution.
    pub session: Option<Token>,
    /// When this revision was written.
    pub at: Timestamp,
    /// Scope of the feed it is in.
    pub scope: FeedScope,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    origin: Cow<'a, str>,
    kind: Kind,
    schema_version: u32,
    id: RecordId,
    rev: u64,
    #[serde(deserialize_with = "present")]
    drops: Option<Hash>,
    by: By,
    #[serde(default)]
    session: Option<Token>,
    at: Timestamp,
    scope: FeedScope,
    #[serde(rename = "salt")]
    _salt: Salt,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(default, deserialize_with = "any")]
    op: bool,
    #[serde(default, deserialize_with = "any")]
    section: bool,
}

fn any<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'a> Line<'a> {
    /// Reads a line (without LF).
    ///
    /// # Errors
    /// A strict JSON rule or `line_malformed`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Rule> {
        let text = json::check(bytes)?;
        let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| Rule::LineMalformed)?;
        let well_formed = !envelope.op
            && !envelope.section
            && (1..=NUMBER_MAX).contains(&envelope.rev)
            && SCHEMA_VERSIONS.contains(&envelope.schema_version)
            && envelope.body.get().starts_with('{');
        let origin = envelope.origin.parse().map_err(|_| Rule::LineMalformed)?;
        if !well_formed {
            return Err(Rule::LineMalformed);
        }
        Ok(Self {
            bytes: Cow::Borrowed(bytes),
            hash: hash::line(bytes),
            origin,
            kind: envelope.kind,
            schema_version: envelope.schema_version,
            id: envelope.id,
            rev: envelope.rev,
            drops: envelope.drops,
            by: envelope.by,
            session: envelope.session,
            at: envelope.at,
            scope: envelope.scope,
        })
    }

    /// The body's text.
    ///
    /// # Panics
    /// Never: the line was read before.
    #[must_use]
    pub fn body(&self) -> &str {
        #[derive(Deserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            body: &'a RawValue,
        }
        let body: Body<'_> = serde_json::from_slice(&self.bytes).expect("the line was read before");
        body.body.get()
    }
}

/// What a new line is composed from, in the order its members are written.
#[derive(Debug, Serialize)]
pub struct Compose<'a> {
    /// The one writer.
    pub origin: InstanceId,
    /// Kind of record.
    pub kind: &'a Kind,
    /// Version of the body.
    pub schema_version: u32,
    /// The record's id.
    pub id: RecordId,
    /// Revision.
    pub rev: u64,
    /// Hash of the line live for this id in this feed.
    pub drops: Option<Hash>,
    /// Who wrote it.
    pub by: By,
    /// Minimal session attribution.
    pub session: Option<Token>,
    /// When this revision was written.
    pub at: Timestamp,
    /// Scope of the feed.
    pub scope: FeedScope,
    /// Fresh random bytes.
    pub salt: Salt,
    /// The kind's fields, an object.
    pub body: &'a RawValue,
}

impl Compose<'_> {
    /// The bytes of the line, without LF.
    ///
    /// # Panics
    /// Never: every member serialises.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope has string keys and cannot fail to serialise")
    }
}
