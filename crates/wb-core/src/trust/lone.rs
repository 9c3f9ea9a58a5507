//! A vouch carried out of its feed: its line, with the header and the path that sign it (spec: trust, a vouch alone).
//!
//! Whoever has it needs nothing else to know who signed it. That it was not taken back since it does not say, so alone
//! it counts for nothing.

use serde::{Deserialize, Serialize};

use crate::entry::Entry;
use crate::feed::Header;
use crate::hash;
use crate::id::{Hash, InstanceId, RecordId};
use crate::identity::{IdentityError, IdentityLog};
use crate::json::{check_document, object_only};
use crate::kinds::{Body, Level, Vouch};
use crate::limits::{LONE_VOUCH_BYTES_MAX, PATH_HASHES_MAX};
use crate::line::Line;
use crate::merkle;
use crate::rule::Rule;
use crate::scope::FeedScope;
use crate::time::Timestamp;

/// What signs a lone vouch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct LoneSignature {
    /// The issuer's identity log: signed lines.
    pub identity: Vec<String>,
    /// The signed header of the delta that put the record.
    pub header: String,
    /// Place of its entry in that delta, from 0.
    pub index: u64,
    /// Audit path of the entry, the nearest sibling first.
    pub path: Vec<Hash>,
}

/// A vouch alone, as it stands in a file or an answer. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct LoneVouch {
    /// 1.
    pub schema_version: u32,
    /// Who vouches.
    pub issuer: InstanceId,
    /// For whom.
    pub subject: InstanceId,
    /// How far.
    pub level: Level,
    /// Until when.
    pub expires_at: Timestamp,
    /// The exact record line.
    pub line: String,
    /// What signs it.
    pub signature: LoneSignature,
}

object_only!(LoneSignature, LoneVouch);

/// A lone vouch that its issuer signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedVouch {
    /// The record.
    pub id: RecordId,
    /// Its revision.
    pub rev: u64,
    /// What it says.
    pub vouch: Vouch,
    /// When the delta that put it was sealed, by the issuer's clock.
    pub sealed_at: Timestamp,
    /// Until when the issuer promised a newer header.
    pub valid_until: Option<Timestamp>,
}

/// The rule that a lone vouch breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this vouch breaks {}", .0.as_str())]
pub struct LoneError(pub Rule);

impl From<Rule> for LoneError {
    fn from(rule: Rule) -> Self {
        Self(rule)
    }
}

impl From<IdentityError> for LoneError {
    fn from(error: IdentityError) -> Self {
        Self(error.rule)
    }
}

impl LoneVouch {
    /// Makes one of a line and the delta that put it: its header, and all of its entries. None where the line is no
    /// vouch, or none of that delta.
    #[must_use]
    pub fn new(
        identity: &IdentityLog,
        header: &[u8],
        entries: &[Vec<u8>],
        line: &[u8],
    ) -> Option<Self> {
        let read = Line::read(line).ok()?;
        let Ok(Body::Vouch(vouch)) = Body::of_line(&read) else {
            return None;
        };
        let entry = Entry::of_line(&read).to_bytes();
        let index = entries.iter().position(|known| *known == entry)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let lines = identity.entries().iter().map(|entry| text(&entry.line));
        Some(Self {
            schema_version: 1,
            issuer: vouch.issuer,
            subject: vouch.subject,
            level: vouch.level,
            expires_at: vouch.expires_at,
            line: text(line)?,
            signature: LoneSignature {
                identity: lines.collect::<Option<_>>()?,
                header: text(header)?,
                index: index as u64,
                path: merkle::path(entries, index),
            },
        })
    }

    /// Its text, without an LF.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a vouch is JSON")
    }

    /// Reads one.
    ///
    /// # Errors
    /// A strict JSON rule, or `lone_vouch_malformed`.
    pub fn read(text: &[u8]) -> Result<Self, Rule> {
        let text = check_document(text, LONE_VOUCH_BYTES_MAX)?;
        let vouch: Self = serde_json::from_str(text).map_err(|_| Rule::LoneVouchMalformed)?;
        if vouch.signature.path.len() > PATH_HASHES_MAX {
            return Err(Rule::LoneVouchMalformed);
        }
        Ok(vouch)
    }

    /// Verifies that its issuer signed it.
    ///
    /// # Errors
    /// The first rule it breaks, in the order of the spec.
    pub fn verify(&self) -> Result<VerifiedVouch, LoneError> {
        let log = IdentityLog::verify(Some(self.issuer), &self.signature.identity)?;
        let header = self.signed_header(&log)?;
        let line = Line::read(self.line.as_bytes())?;
        let vouch = self.says(&line)?;
        let leaf = Entry::of_line(&line).to_bytes();
        let (index, entries) = (self.signature.index, header.entries);
        let root = merkle::root_by_path(&leaf, index, entries, &self.signature.path);
        if root != Some(header.root) {
            return Err(LoneError(Rule::WrongRoot));
        }
        Ok(VerifiedVouch {
            id: line.id,
            rev: line.rev,
            vouch,
            sealed_at: header.at,
            valid_until: header.valid_until,
        })
    }

    fn signed_header(&self, log: &IdentityLog) -> Result<Header, Rule> {
        let (header, unverified) = Header::read(self.signature.header.as_bytes())?;
        if header.origin != self.issuer || header.scope != FeedScope::Public {
            return Err(Rule::LoneVouchDiffers);
        }
        let entry = log.entry(&header.identity).ok_or(Rule::WrongKey)?;
        if entry.position != header.position() {
            return Err(Rule::WrongKey);
        }
        unverified.verify(&entry.signing_key)?;
        let body = Header::body_hash(unverified.payload());
        let placed = header.placed(hash::header(header.prev.as_ref(), &body));
        if log.above_last_head(&placed).is_some() {
            return Err(Rule::AboveLastHead);
        }
        Ok(header)
    }

    /// What the line says, where that is what stands beside it.
    fn says(&self, line: &Line<'_>) -> Result<Vouch, Rule> {
        let Ok(Body::Vouch(vouch)) = Body::of_line(line) else {
            return Err(Rule::LoneVouchDiffers);
        };
        let is_same = line.origin == self.issuer
            && line.scope == FeedScope::Public
            && vouch.issuer == self.issuer
            && vouch.subject == self.subject
            && vouch.level == self.level
            && vouch.expires_at == self.expires_at;
        if is_same {
            Ok(vouch)
        } else {
            Err(Rule::LoneVouchDiffers)
        }
    }
}
