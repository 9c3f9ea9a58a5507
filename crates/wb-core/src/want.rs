//! What a reader already holds, signed, so that a bundle brings only the rest (spec: bundles, want).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Hash, InstanceId, LogId};
use crate::identity::{IdentityLog, Position};
use crate::json::object_only;
use crate::kinds::ProtocolRange;
use crate::protocol::PROTOCOL;
use crate::rule::Rule;
use crate::scope::{FeedScope, Kind};
use crate::signed::{self, Signer, Unverified};

/// The head a reader holds of one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Held {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// The log.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// Number of the head.
    pub seq: u64,
    /// Hash of the head.
    pub hash: Hash,
}

object_only!(Held);

impl Held {
    /// The head as it stands in a query: `LOG.GENERATION.SEQ.HASH`.
    #[must_use]
    pub fn to_query(&self) -> String {
        format!(
            "{}.{}.{}.{}",
            self.log, self.generation, self.seq, self.hash
        )
    }

    /// Reads a head of a feed from a query.
    #[must_use]
    pub fn of_query(origin: InstanceId, scope: FeedScope, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let held = Self {
            origin,
            scope,
            log: parts.next()?.parse().ok()?,
            generation: parts.next()?.parse().ok()?,
            seq: parts.next()?.parse().ok()?,
            hash: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(held)
    }
}

/// What a want file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    #[serde(rename = "type")]
    kind: String,
    schema_version: u32,
    /// Whose it is.
    pub instance: InstanceId,
    /// Recoveries up to the entry that signs.
    pub era: u64,
    /// Number of the entry that signs.
    pub key: u64,
    /// Hash of the entry that signs.
    pub identity: Hash,
    /// Protocol versions its author speaks.
    pub protocol: ProtocolRange,
    /// Kinds its author knows.
    pub kinds: BTreeMap<Kind, u32>,
    /// The program.
    pub software: String,
    /// What its author holds.
    pub feeds: Vec<Held>,
}

impl Want {
    /// Describes what an instance holds.
    #[must_use]
    pub fn new(identity: &IdentityLog, speaks: super::bundle::Speaks, feeds: Vec<Held>) -> Self {
        let newest = identity.newest();
        Self {
            kind: signed::WANT.0.to_owned(),
            schema_version: 1,
            instance: identity.id(),
            era: newest.position.era,
            key: newest.position.n,
            identity: newest.hash,
            protocol: speaks.protocol,
            kinds: speaks.kinds,
            software: speaks.software,
            feeds,
        }
    }

    /// The signed line.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> Vec<u8> {
        signer.sign(signed::WANT, &signed::payload(self))
    }

    /// What the author of a want file speaks, by its first line alone: to tell who has to be upgraded.
    #[must_use]
    pub fn speaks(line: &[u8]) -> Option<(ProtocolRange, String)> {
        let unverified = Unverified::read(line, signed::WANT).ok()?;
        let want: Self = serde_json::from_slice(unverified.payload()).ok()?;
        Some((want.protocol, want.software))
    }

    /// Reads a want file: its signed line and its author's identity log.
    ///
    /// # Errors
    /// The line (from 1) and the rule it breaks.
    pub fn read<L: AsRef<[u8]>>(lines: &[L]) -> Result<(Self, IdentityLog), (usize, Rule)> {
        let (first, log) = lines.split_first().ok_or((1, Rule::WantMalformed))?;
        let unverified =
            Unverified::read(first.as_ref(), signed::WANT).map_err(|rule| (1, rule))?;
        let want: Self =
            serde_json::from_slice(unverified.payload()).map_err(|_| (1, Rule::WantMalformed))?;
        if want.protocol.newest_common(PROTOCOL).is_none() {
            return Err((1, Rule::VersionSkew));
        }
        let identity = IdentityLog::verify(Some(want.instance), log)
            .map_err(|error| (error.entry + 2, error.rule))?;
        let entry = identity.entry(&want.identity).ok_or((1, Rule::WrongKey))?;
        if entry.position
            != (Position {
                era: want.era,
                n: want.key,
            })
        {
            return Err((1, Rule::WrongKey));
        }
        unverified
            .verify(&entry.signing_key)
            .map_err(|rule| (1, rule))?;
        Ok((want, identity))
    }
}
