//! The inside of an envelope: a signed statement of who may read what, the content, and zero bytes.
//!
//! The statement is signed inside the seal and names the audience and the hash of the content. So nobody who may
//! open an envelope can hand its content to somebody else in the name of its origin.

use serde::{Deserialize, Serialize};

use super::{Envelope, is_list_of_others, is_newest, padded};
use crate::hash;
use crate::id::{Hash, InstanceId};
use crate::identity::IdentityLog;
use crate::json::present;
use crate::ndjson;
use crate::rule::Rule;
use crate::signed::{self, Signer, Unverified};
use crate::time::Timestamp;

/// What the content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// A section of the origin's trusted feed.
    Feed,
    /// What the origin holds of the recipient's trusted feed.
    Want,
}

impl Purpose {
    /// The word in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Want => "want",
        }
    }

    fn of(word: &str) -> Option<Self> {
        match word {
            "feed" => Some(Self::Feed),
            "want" => Some(Self::Want),
            _ => None,
        }
    }
}

/// The statement inside the seal. Its bytes are signed, so it is never written again from this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
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
    /// What the content is; a word of a later version is none that can be taken here.
    pub purpose: String,
    /// Everybody who may read it, strictly rising.
    pub audience: Vec<InstanceId>,
    /// Of records before it these recipients get no lines.
    #[serde(deserialize_with = "present")]
    pub since: Option<Timestamp>,
    /// As on the envelope.
    pub expires: Timestamp,
    /// Bytes of the content.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: Hash,
}

/// What is sealed, before it is.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// What it is.
    pub purpose: Purpose,
    /// Everybody who may read it, strictly rising.
    pub audience: &'a [InstanceId],
    /// The from-date of its recipients.
    pub since: Option<Timestamp>,
    /// As on the envelope.
    pub expires: Timestamp,
    /// Lines, each with its LF.
    pub content: &'a [u8],
}

impl Contents<'_> {
    /// The plaintext: the signed statement, the content, and zero bytes up to a length that tells little.
    #[must_use]
    pub fn plaintext(&self, identity: &IdentityLog, signer: &Signer) -> Vec<u8> {
        let newest = identity.newest();
        let sealed = Sealed {
            kind: signed::SEALED.0.to_owned(),
            schema_version: 1,
            origin: identity.id(),
            era: newest.position.era,
            key: newest.position.n,
            identity: newest.hash,
            purpose: self.purpose.as_str().to_owned(),
            audience: self.audience.to_vec(),
            since: self.since,
            expires: self.expires,
            bytes: self.content.len() as u64,
            sha256: hash::sha256(self.content),
        };
        let mut plain = Vec::new();
        ndjson::put_line(
            &mut plain,
            &signer.sign(signed::SEALED, &signed::payload(&sealed)),
        );
        plain.extend_from_slice(self.content);
        plain.resize(padded(plain.len()), 0);
        plain
    }
}

impl Sealed {
    /// Reads what came out of an envelope that was verified, as `reader`. Gives the statement, what the content is,
    /// and the content.
    ///
    /// # Errors
    /// The first rule broken, in the order of the spec.
    pub fn open<'p>(
        plain: &'p [u8],
        envelope: &Envelope,
        identity: &IdentityLog,
        reader: &InstanceId,
    ) -> Result<(Self, Purpose, &'p [u8]), Rule> {
        let (line, rest) = ndjson::split_first(plain);
        let unverified =
            Unverified::read(line, signed::SEALED).map_err(|_| Rule::SealedMalformed)?;
        let sealed: Self =
            serde_json::from_slice(unverified.payload()).map_err(|_| Rule::SealedMalformed)?;
        let bytes = usize::try_from(sealed.bytes).unwrap_or(usize::MAX);
        let content = rest.get(..bytes).ok_or(Rule::SealedMalformed)?;
        let is_good = is_list_of_others(&sealed.audience, &sealed.origin)
            && rest[bytes..].iter().all(|byte| *byte == 0)
            && plain.len() == padded(line.len() + 1 + bytes);
        if !is_good {
            return Err(Rule::SealedMalformed);
        }
        if !is_newest(identity, sealed.era, sealed.key, &sealed.identity) {
            return Err(Rule::WrongKey);
        }
        unverified.verify(&identity.newest().signing_key)?;
        let is_said_alike = (sealed.origin, sealed.identity, sealed.expires)
            == (envelope.origin, envelope.identity, envelope.expires);
        let mut recipients = envelope.recipients.iter();
        let is_for_them = recipients.all(|id| sealed.audience.binary_search(id).is_ok());
        if !is_said_alike || !is_for_them || sealed.sha256 != hash::sha256(content) {
            return Err(Rule::SealedMismatch);
        }
        if sealed.audience.binary_search(reader).is_err() {
            return Err(Rule::NotInAudience);
        }
        let purpose = Purpose::of(&sealed.purpose).ok_or(Rule::UnknownPurpose)?;
        Ok((sealed, purpose, content))
    }
}
