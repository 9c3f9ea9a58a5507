//! The signed header of a delta.

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::id::{Hash, InstanceId, LogId};
use crate::identity::{Placed, Position};
use crate::json::{object_only, present};
use crate::limits::{DELTA_BYTES_MAX, DELTA_ENTRIES_MAX, NUMBER_MAX};
use crate::line::SCHEMA_VERSIONS;
use crate::rule::Rule;
use crate::scope::FeedScope;
use crate::signed::{self, Unverified};
use crate::time::Timestamp;

/// The head that a new log continues from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Follows {
    /// The log continued.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// The head's number.
    pub seq: u64,
    /// The head's hash.
    pub hash: Hash,
}

object_only!(Follows);

/// What a header says. Its bytes are signed, so it is never written again from this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always the type tag of headers.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Version of the header's own members.
    pub(super) schema_version: u32,
    /// The instance whose feed this is.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// The log this delta is in.
    pub log: LogId,
    /// The log's generation.
    pub generation: u64,
    /// Number in the log, from 0.
    pub seq: u64,
    /// Hash of the header before.
    #[serde(deserialize_with = "present")]
    pub prev: Option<Hash>,
    /// For the first of a log: the head it continues.
    #[serde(deserialize_with = "present")]
    pub follows: Option<Follows>,
    /// Recoveries up to the entry that signs.
    pub era: u64,
    /// Number of the entry that signs.
    pub key: u64,
    /// Hash of the entry that signs.
    pub identity: Hash,
    /// When it was sealed, for people.
    pub at: Timestamp,
    /// Number of entries.
    pub entries: u64,
    /// Bytes of all record lines, each with its LF.
    pub bytes: u64,
    /// Root over the entries.
    pub root: Hash,
    /// Records live after this delta.
    pub live_n: u64,
    /// Digest of what is live after this delta.
    pub live: Hash,
    /// Until when the origin promises a newer header.
    #[serde(deserialize_with = "present")]
    pub valid_until: Option<Timestamp>,
}

/// Version of the header's own members.
pub(super) const SCHEMA_VERSION: u32 = 1;

impl Header {
    /// Reads a signed line without looking at the signature.
    ///
    /// # Errors
    /// A strict JSON rule, `not_signed_line`, `wrong_type`, `header_malformed`, `too_many_entries`,
    /// `delta_too_large`.
    pub fn read(line: &[u8]) -> Result<(Self, Unverified<'_>), Rule> {
        let unverified = Unverified::read(line, signed::HEADER)?;
        let header: Self =
            serde_json::from_slice(unverified.payload()).map_err(|_| Rule::HeaderMalformed)?;
        let numbers = [
            header.generation,
            header.seq,
            header.era,
            header.key,
            header.live_n,
        ];
        let well_formed = SCHEMA_VERSIONS.contains(&header.schema_version)
            && numbers.iter().all(|n| *n <= NUMBER_MAX)
            && (header.seq == 0) == header.prev.is_none()
            && header
                .follows
                .is_none_or(|f| header.seq == 0 && header.generation > f.generation);
        if !well_formed {
            return Err(Rule::HeaderMalformed);
        }
        if header.entries > DELTA_ENTRIES_MAX as u64 {
            return Err(Rule::TooManyEntries);
        }
        if header.bytes > DELTA_BYTES_MAX {
            return Err(Rule::DeltaTooLarge);
        }
        Ok((header, unverified))
    }

    /// Hash of the payload bytes.
    #[must_use]
    pub fn body_hash(payload: &[u8]) -> Hash {
        hash::sha256(payload)
    }

    /// Position of the identity entry that signs.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            era: self.era,
            n: self.key,
        }
    }

    /// Where this header stands, for [`crate::identity::IdentityLog::above_last_head`].
    #[must_use]
    pub fn placed(&self, hash: Hash) -> Placed {
        Placed {
            position: self.position(),
            scope: self.scope,
            log: self.log,
            generation: self.generation,
            seq: self.seq,
            hash,
        }
    }
}
