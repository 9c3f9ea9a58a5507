//! The line of a record: its envelope, read strictly or written fresh (spec: records).
//!
//! Nothing that is decided here looks into the body, so that every version decides alike about bytes it may not
//! understand.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::hash;
use crate::id::{Hash, InstanceId, RecordId, Salt, Token};
use crate::json;
use crate::kinds::{Body, BodyError};
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
    /// Where the body stands in the bytes.
    body: Range<usize>,
    /// What the body says, once somebody asked.
    said: OnceLock<Result<Body, BodyError>>,
}

/// What an envelope may hold.
const MEMBERS: [&str; 14] = [
    "origin",
    "kind",
    "schema_version",
    "id",
    "rev",
    "drops",
    "by",
    "session",
    "at",
    "scope",
    "salt",
    "body",
    "op",
    "section",
];

/// The members of an envelope as they stand in a line. One pass checks the line and finds them: lines are what an
/// initial load reads most of.
struct Envelope<'a> {
    text: &'a str,
    members: [Option<Range<usize>>; MEMBERS.len()],
}

impl<'a> Envelope<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Rule> {
        let mut members = [const { None }; MEMBERS.len()];
        // Lines are written in this order: the next member is nearly always the one after the last.
        let mut next = 0;
        let text = json::members(bytes, |key, value| {
            let is_it = |place: &usize| MEMBERS[*place].as_bytes() == key;
            let place = (next..MEMBERS.len()).find(is_it);
            if let Some(place) = place.or_else(|| (0..next).find(is_it)) {
                members[place] = Some(value);
                next = place + 1;
            }
        })?;
        Ok(Self { text, members })
    }

    fn range(&self, name: &str) -> Option<Range<usize>> {
        let place = MEMBERS.iter().position(|known| *known == name);
        self.members[place.expect("a member of the list")].clone()
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        self.range(name).map(|range| &self.text[range])
    }

    /// A member that is a text.
    fn text<T: FromStr>(&self, name: &str) -> Result<T, Rule> {
        let raw = self.raw(name).ok_or(Rule::LineMalformed)?;
        let text = unquote(raw).ok_or(Rule::LineMalformed)?;
        text.parse().map_err(|_| Rule::LineMalformed)
    }

    /// A member that is a text or null.
    fn text_or_null<T: FromStr>(&self, name: &str) -> Result<Option<T>, Rule> {
        if self.raw(name) == Some("null") {
            return Ok(None);
        }
        self.text(name).map(Some)
    }

    /// A member that is a whole number. In JSON neither a sign nor a zero can stand before its digits.
    fn number<T: FromStr>(&self, name: &str) -> Result<T, Rule> {
        let raw = self.raw(name).ok_or(Rule::LineMalformed)?;
        raw.parse().map_err(|_| Rule::LineMalformed)
    }
}

/// The value of a text, where it is one.
fn unquote(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

impl<'a> Line<'a> {
    /// Reads a line (without LF).
    ///
    /// # Errors
    /// A strict JSON rule or `line_malformed`.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Rule> {
        let envelope = Envelope::read(bytes)?;
        let rev: u64 = envelope.number("rev")?;
        let schema_version: u32 = envelope.number("schema_version")?;
        let body = envelope.range("body").ok_or(Rule::LineMalformed)?;
        let well_formed = envelope.raw("op").is_none()
            && envelope.raw("section").is_none()
            && (1..=NUMBER_MAX).contains(&rev)
            && SCHEMA_VERSIONS.contains(&schema_version)
            && envelope.text[body.clone()].starts_with('{');
        if !well_formed {
            return Err(Rule::LineMalformed);
        }
        let _: Salt = envelope.text("salt")?;
        let session = match envelope.raw("session") {
            None => None,
            Some(_) => envelope.text_or_null("session")?,
        };
        Ok(Self {
            bytes: Cow::Borrowed(bytes),
            hash: hash::line(bytes),
            origin: envelope.text("origin")?,
            kind: envelope.text("kind")?,
            schema_version,
            id: envelope.text("id")?,
            rev,
            drops: envelope.text_or_null("drops")?,
            by: envelope.text("by")?,
            session,
            at: envelope.text("at")?,
            scope: envelope.text("scope")?,
            body,
            said: OnceLock::new(),
        })
    }

    /// The same line, with bytes of its own.
    #[must_use]
    pub fn to_owned_line(&self) -> Line<'static> {
        Line {
            bytes: Cow::Owned(self.bytes.to_vec()),
            hash: self.hash,
            origin: self.origin,
            kind: self.kind.clone(),
            schema_version: self.schema_version,
            id: self.id,
            rev: self.rev,
            drops: self.drops,
            by: self.by,
            session: self.session,
            at: self.at,
            scope: self.scope,
            body: self.body.clone(),
            said: self.said.clone(),
        }
    }

    /// What the body says, as far as this version knows its kind. It is read once, whoever asks first; who reads lines
    /// on one thread and uses them on another has it read there.
    ///
    /// # Errors
    /// Why it cannot be shown.
    pub fn said(&self) -> Result<&Body, BodyError> {
        let said = self.said.get_or_init(|| Body::of_line(self));
        said.as_ref().map_err(|why| *why)
    }

    /// The body's text.
    ///
    /// # Panics
    /// Never: the line was read before.
    #[must_use]
    pub fn body(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.body.clone()]).expect("the line was read before")
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
