//! What whoever a notice is about replies to it, signed, and where it stands with a hub about that (spec: notices, one
//! reply).
//!
//! It is no record: who is suspended cannot push. It counts under the newest key known of whoever it is of.

use serde::{Deserialize, Serialize};

use crate::id::{Hash, InstanceId, RecordId};
use crate::identity::{IdentityLog, Position};
use crate::json::object_only;
use crate::kinds::{Notice, check_lines};
use crate::limits::NOTICE_REPLY_CHARS_MAX;
use crate::rule::Rule;
use crate::signed::{self, Signer, Unverified};
use crate::time::Timestamp;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Reply {
    #[serde(rename = "type")]
    tag: String,
    schema_version: u32,
    /// Who replies.
    pub origin: InstanceId,
    /// Recoveries up to the entry that signs.
    pub era: u64,
    /// Number of the entry that signs.
    pub key: u64,
    /// Hash of the entry that signs.
    pub identity: Hash,
    /// The hub whose notice it is.
    pub hub: InstanceId,
    /// The record of the notice.
    pub notice: RecordId,
    /// The line of that record which it answers.
    pub line: Hash,
    /// What it says.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

object_only!(Reply);

/// Which notice is replied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct To {
    /// The hub.
    pub hub: InstanceId,
    /// The record of its notice.
    pub notice: RecordId,
    /// The line of that record.
    pub line: Hash,
}

impl Reply {
    /// What the owner of an identity log replies.
    #[must_use]
    pub fn new(identity: &IdentityLog, to: &To, text: &str, at: Timestamp) -> Self {
        let newest = identity.newest();
        Self {
            tag: signed::REPLY.0.to_owned(),
            schema_version: 1,
            origin: identity.id(),
            era: newest.position.era,
            key: newest.position.n,
            identity: newest.hash,
            hub: to.hub,
            notice: to.notice,
            line: to.line,
            text: text.to_owned(),
            at,
        }
    }

    /// The signed line.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> Vec<u8> {
        signer.sign(signed::REPLY, &signed::payload(self))
    }

    /// Reads a reply and verifies it under the newest entry of its origin's log.
    ///
    /// # Errors
    /// The rule it breaks: one of strict JSON or signed lines, `reply_malformed`, `wrong_id` for another origin than
    /// the log's, `wrong_key`, `bad_signature`.
    pub fn verify(line: &[u8], identity: &IdentityLog) -> Result<Self, Rule> {
        let unverified = Unverified::read(line, signed::REPLY)?;
        let reply: Self =
            serde_json::from_slice(unverified.payload()).map_err(|_| Rule::ReplyMalformed)?;
        if !reply.is_well_formed() {
            return Err(Rule::ReplyMalformed);
        }
        if reply.origin != identity.id() {
            return Err(Rule::WrongId);
        }
        let newest = identity.newest();
        let position = Position {
            era: reply.era,
            n: reply.key,
        };
        if (reply.identity, position) != (newest.hash, newest.position) {
            return Err(Rule::WrongKey);
        }
        unverified.verify(&newest.signing_key)?;
        Ok(reply)
    }

    /// Reads a reply that was verified before it was kept, without verifying it again.
    ///
    /// # Errors
    /// `reply_malformed`: it is not what was kept.
    pub fn kept(line: &[u8]) -> Result<Self, Rule> {
        let unverified = Unverified::read(line, signed::REPLY)?;
        serde_json::from_slice(unverified.payload()).map_err(|_| Rule::ReplyMalformed)
    }

    /// Whether its text may be said.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let is_said = !self.text.trim().is_empty();
        self.hub != self.origin
            && is_said
            && check_lines(&self.text, NOTICE_REPLY_CHARS_MAX).is_ok()
    }
}

/// A notice about whoever asked for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NoticeAbout {
    /// Its record.
    pub id: RecordId,
    /// The line of that record.
    pub line: Hash,
    /// What it says.
    pub notice: Notice,
    /// Whether it stands and is in force.
    pub in_force: bool,
    /// The reply that is kept: the signed line.
    pub reply: Option<String>,
}

/// The notices about whoever asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NoticesAbout {
    /// Version of this form.
    pub schema_version: u32,
    /// The newest first.
    pub notices: Vec<NoticeAbout>,
}

/// A reply that is given to a hub.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplyGiven {
    /// Version of this form.
    pub schema_version: u32,
    /// The signed line.
    pub reply: String,
}
