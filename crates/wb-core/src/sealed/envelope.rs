//! The outside of an envelope: who sealed it, for whom, until when, and which bytes.
//!
//! That of a letter says the same of one recipient, as a type of its own ([`Mail`](crate::letter::Mail)).

use serde::{Deserialize, Serialize};

use super::{is_list_of_others, is_newest};
use crate::hash;
use crate::id::{Hash, InstanceId};
use crate::identity::IdentityLog;
use crate::limits::{ENVELOPE_BYTES_MAX, ENVELOPE_DAYS, NUMBER_MAX};
use crate::rule::Rule;
use crate::signed::{self, Signer, Type, Unverified};
use crate::time::Timestamp;

/// A day more than an envelope may last: clocks differ.
const LASTS_MS_MAX: i64 = (ENVELOPE_DAYS + 1) * 24 * 60 * 60 * 1_000;

/// What the line of an envelope says. Its bytes are signed, so it is never written again from this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    schema_version: u32,
    /// Who sealed it.
    pub origin: InstanceId,
    /// Recoveries up to the entry that signs.
    pub era: u64,
    /// Number of the entry that signs.
    pub key: u64,
    /// Hash of the entry that signs.
    pub identity: Hash,
    /// For whom, strictly rising.
    pub recipients: Vec<InstanceId>,
    /// After which nobody keeps or takes it.
    pub expires: Timestamp,
    /// Bytes of the body.
    pub size: u64,
    /// SHA-256 of the body.
    pub hash: Hash,
}

impl Envelope {
    /// Describes a body that was sealed.
    #[must_use]
    pub fn new(
        identity: &IdentityLog,
        recipients: Vec<InstanceId>,
        expires: Timestamp,
        body: &[u8],
    ) -> Self {
        Self::of_type(signed::ENVELOPE, identity, recipients, expires, body)
    }

    pub(crate) fn of_type(
        kind: Type,
        identity: &IdentityLog,
        recipients: Vec<InstanceId>,
        expires: Timestamp,
        body: &[u8],
    ) -> Self {
        let newest = identity.newest();
        Self {
            kind: kind.0.to_owned(),
            schema_version: 1,
            origin: identity.id(),
            era: newest.position.era,
            key: newest.position.n,
            identity: newest.hash,
            recipients,
            expires,
            size: body.len() as u64,
            hash: hash::sha256(body),
        }
    }

    /// The signed line.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> Vec<u8> {
        signer.sign(signed::ENVELOPE, &signed::payload(self))
    }

    /// Reads a line without looking at the signature: who could verify it is named in it.
    ///
    /// # Errors
    /// A strict JSON rule, `not_signed_line`, `wrong_type`, `envelope_malformed`.
    pub fn read(line: &[u8]) -> Result<(Self, Unverified<'_>), Rule> {
        Self::read_type(line, signed::ENVELOPE)
    }

    pub(crate) fn read_type(line: &[u8], kind: Type) -> Result<(Self, Unverified<'_>), Rule> {
        let unverified = Unverified::read(line, kind)?;
        let envelope: Self =
            serde_json::from_slice(unverified.payload()).map_err(|_| Rule::EnvelopeMalformed)?;
        let is_good = envelope.schema_version >= 1
            && [envelope.era, envelope.key]
                .iter()
                .all(|n| *n <= NUMBER_MAX)
            && is_list_of_others(&envelope.recipients, &envelope.origin)
            && (1..=ENVELOPE_BYTES_MAX as u64).contains(&envelope.size);
        if is_good {
            Ok((envelope, unverified))
        } else {
            Err(Rule::EnvelopeMalformed)
        }
    }

    /// Reads and verifies an envelope with its body, by the newest identity log known of its origin.
    ///
    /// # Errors
    /// The first rule broken, in the order of the spec; `wrong_key` also where the log is of somebody else.
    pub fn verify(
        line: &[u8],
        body: &[u8],
        identity: &IdentityLog,
        now: Timestamp,
    ) -> Result<Self, Rule> {
        let (envelope, unverified) = Self::read(line)?;
        envelope.check(&unverified, body, identity, now)?;
        Ok(envelope)
    }

    /// Checks what was read against the newest identity log known of its origin, its body, and the time.
    pub(crate) fn check(
        &self,
        unverified: &Unverified<'_>,
        body: &[u8],
        identity: &IdentityLog,
        now: Timestamp,
    ) -> Result<(), Rule> {
        let envelope = self;
        let is_theirs = identity.id() == envelope.origin;
        if !is_theirs || !is_newest(identity, envelope.era, envelope.key, &envelope.identity) {
            return Err(Rule::WrongKey);
        }
        unverified.verify(&identity.newest().signing_key)?;
        if envelope.size != body.len() as u64 || envelope.hash != hash::sha256(body) {
            return Err(Rule::EnvelopeMismatch);
        }
        let lasts = envelope.expires.unix_ms().saturating_sub(now.unix_ms());
        if !(1..=LASTS_MS_MAX).contains(&lasts) {
            return Err(Rule::EnvelopeExpired);
        }
        Ok(())
    }
}
