//! One entry of an identity log, as its bytes say.

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::id::{Hash, LogId, PublicKey};
use crate::json::{object_only, present};
use crate::limits::IDENTITY_ENTRY_BYTES_MAX;
use crate::line::SCHEMA_VERSIONS;
use crate::rule::Rule;
use crate::signed::{self, Unverified};
use crate::time::Timestamp;

/// Where an entry stands: recoveries first, then number, so a recovery beats what a thief rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Recoveries up to and including this entry.
    pub era: u64,
    /// Entries before this one.
    pub n: u64,
}

/// The last head of an outgoing key in the public feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct LastHead {
    /// The log.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// The head's number.
    pub seq: u64,
    /// The head's hash.
    pub hash: Hash,
}

/// The last heads of an outgoing key, per feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Heads {
    /// In the public feed; none when it signed nothing there.
    #[serde(deserialize_with = "present")]
    pub public: Option<LastHead>,
    /// In the trusted feed, as a salted commitment.
    #[serde(deserialize_with = "present")]
    pub trusted_peers: Option<Hash>,
}

object_only!(LastHead, Heads);

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// The instance begins.
    Found,
    /// A new signing key, by the old one.
    Rotate(Heads),
    /// A new signing key, by the recovery words.
    Recover {
        /// The key the words stand for, shown for the first and last time.
        recovery_key: PublicKey,
        /// Where the outgoing key stops.
        heads: Heads,
    },
}

/// An entry read from its line. Its line's signature is looked at by [`super::IdentityLog::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it does.
    pub op: Op,
    /// Where it stands.
    pub position: Position,
    /// Hash of the entry before.
    pub prev: Option<Hash>,
    /// The key that signs from here on.
    pub signing_key: PublicKey,
    /// Commitment of the recovery key.
    pub recovery: Hash,
    /// When it was written, for people.
    pub at: Timestamp,
    /// Hash of this entry.
    pub hash: Hash,
    /// The signed line, without LF.
    pub line: Vec<u8>,
}

/// The members that every `op` has.
#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    #[serde(rename = "type")]
    pub kind: String,
    pub schema_version: u32,
    pub op: String,
    pub n: u64,
    pub era: u64,
    #[serde(deserialize_with = "present")]
    pub prev: Option<Hash>,
    pub signing_key: PublicKey,
    pub recovery: Hash,
    pub at: Timestamp,
}

/// What a `rotate` says beyond that.
#[derive(Deserialize)]
struct RotateMembers {
    heads: Heads,
}

/// What a `recover` says beyond that.
#[derive(Deserialize)]
struct RecoverMembers {
    recovery_key: PublicKey,
    heads: Heads,
}

impl Entry {
    /// Reads a line; says nothing of its place in a log.
    pub(super) fn read(line: &[u8]) -> Result<(Self, Unverified<'_>), Rule> {
        // Before anything is parsed: this is asked of strangers.
        if line.len() > IDENTITY_ENTRY_BYTES_MAX {
            return Err(Rule::LineTooLong);
        }
        let unverified = Unverified::read(line, signed::IDENTITY)?;
        let payload: Payload = members(&unverified)?;
        if !SCHEMA_VERSIONS.contains(&payload.schema_version) {
            return Err(Rule::IdentityMalformed);
        }
        let op = match payload.op.as_str() {
            "found" => Op::Found,
            "rotate" => {
                let RotateMembers { heads } = members(&unverified)?;
                Op::Rotate(heads)
            }
            "recover" => {
                let RecoverMembers {
                    recovery_key,
                    heads,
                } = members(&unverified)?;
                Op::Recover {
                    recovery_key,
                    heads,
                }
            }
            _ => return Err(Rule::IdentityMalformed),
        };
        let entry = Self {
            op,
            position: Position {
                era: payload.era,
                n: payload.n,
            },
            prev: payload.prev,
            signing_key: payload.signing_key,
            recovery: payload.recovery,
            at: payload.at,
            hash: hash::identity_entry(unverified.payload()),
            line: line.to_vec(),
        };
        Ok((entry, unverified))
    }

    /// The heads an entry lists for the key before it.
    #[must_use]
    pub fn heads(&self) -> Option<&Heads> {
        match &self.op {
            Op::Found => None,
            Op::Rotate(heads) | Op::Recover { heads, .. } => Some(heads),
        }
    }

    /// Whether the recovery words signed this entry.
    #[must_use]
    pub fn is_recover(&self) -> bool {
        matches!(self.op, Op::Recover { .. })
    }
}

/// Reads some members of a payload; those that belong to another `op` are unknown ones and ignored.
fn members<'a, T: Deserialize<'a>>(unverified: &Unverified<'a>) -> Result<T, Rule> {
    serde_json::from_slice(unverified.payload()).map_err(|_| Rule::IdentityMalformed)
}
