//! A letter: one signed line that says to whom it is, and zero bytes behind it.
//!
//! `to` is signed inside the seal. So nobody who opens a letter can hand it to somebody else in the name of its
//! author.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{LetterBody, Mail};
use crate::id::{Hash, InstanceId, RecordId};
use crate::identity::IdentityLog;
use crate::limits::NUMBER_MAX;
use crate::ndjson;
use crate::rule::Rule;
use crate::scope::Kind;
use crate::sealed::{is_newest, padded};
use crate::signed::{self, Signer, Unverified};
use crate::time::Timestamp;

/// What a letter says. Its bytes are signed, so it is never written again from this form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    #[serde(rename = "type")]
    tag: String,
    /// Of the body; a higher one than is known is kept unread.
    pub schema_version: u32,
    /// Who writes.
    pub origin: InstanceId,
    /// Recoveries up to the entry that signs.
    pub era: u64,
    /// Number of the entry that signs.
    pub key: u64,
    /// Hash of the entry that signs.
    pub identity: Hash,
    /// For whom.
    pub to: InstanceId,
    /// What it belongs to.
    pub thread: RecordId,
    /// Counts what its origin told its recipient in this thread.
    pub n: u64,
    /// What it is.
    pub kind: Kind,
    /// When it was written, for people.
    pub at: Timestamp,
    /// As on the mail.
    pub expires: Timestamp,
    /// What it says, as its exact bytes.
    pub body: Box<RawValue>,
}

/// What a letter is made of; only `may_tell` puts one together.
pub(crate) struct Composing<'a> {
    pub to: InstanceId,
    pub thread: RecordId,
    pub n: u64,
    pub kind: &'a Kind,
    pub at: Timestamp,
    pub expires: Timestamp,
    pub body: &'a RawValue,
}

/// The plaintext of a letter: its signed line, and zero bytes up to a length that tells little.
pub(crate) fn compose(of: &Composing<'_>, identity: &IdentityLog, signer: &Signer) -> Vec<u8> {
    let newest = identity.newest();
    let letter = Letter {
        tag: signed::LETTER.0.to_owned(),
        schema_version: 1,
        origin: identity.id(),
        era: newest.position.era,
        key: newest.position.n,
        identity: newest.hash,
        to: of.to,
        thread: of.thread,
        n: of.n,
        kind: of.kind.clone(),
        at: of.at,
        expires: of.expires,
        body: of.body.to_owned(),
    };
    let mut plain = Vec::new();
    ndjson::put_line(
        &mut plain,
        &signer.sign(signed::LETTER, &signed::payload(&letter)),
    );
    plain.resize(padded(plain.len()), 0);
    plain
}

impl Letter {
    /// Reads what came out of mail that was verified, as `reader`.
    ///
    /// # Errors
    /// The first rule broken, in the order of the spec.
    pub fn open(
        plain: &[u8],
        mail: &Mail,
        identity: &IdentityLog,
        reader: &InstanceId,
    ) -> Result<Self, Rule> {
        let (line, rest) = ndjson::split_first(plain);
        let is_whole = plain.len() == padded(line.len() + 1) && rest.iter().all(|byte| *byte == 0);
        let unverified = Unverified::read(line, signed::LETTER);
        let unverified = unverified.map_err(|_| Rule::LetterMalformed)?;
        let letter = Self::of(unverified.payload())?;
        if !is_whole {
            return Err(Rule::LetterMalformed);
        }
        if !is_newest(identity, letter.era, letter.key, &letter.identity) {
            return Err(Rule::WrongKey);
        }
        unverified.verify(&identity.newest().signing_key)?;
        let outside = mail.outside();
        let is_said_alike = (letter.origin, letter.identity, letter.expires)
            == (outside.origin, outside.identity, outside.expires);
        if !is_said_alike || letter.to != mail.recipient() {
            return Err(Rule::LetterMismatch);
        }
        if letter.to != *reader {
            return Err(Rule::NotInAudience);
        }
        Ok(letter)
    }

    /// Reads a line that was verified when it came.
    ///
    /// # Errors
    /// `letter_malformed`.
    pub fn kept(line: &[u8]) -> Result<Self, Rule> {
        let unverified = Unverified::read(line, signed::LETTER);
        Self::of(unverified.map_err(|_| Rule::LetterMalformed)?.payload())
    }

    fn of(payload: &[u8]) -> Result<Self, Rule> {
        let letter: Self = serde_json::from_slice(payload).map_err(|_| Rule::LetterMalformed)?;
        let is_good = letter.schema_version >= 1
            && (1..=NUMBER_MAX).contains(&letter.n)
            && [letter.era, letter.key].iter().all(|n| *n <= NUMBER_MAX)
            && letter.to != letter.origin
            && letter.body.get().starts_with('{');
        if is_good {
            Ok(letter)
        } else {
            Err(Rule::LetterMalformed)
        }
    }

    /// What it says; none of a kind or version that is not known here.
    ///
    /// # Errors
    /// `letter_body`.
    pub fn read_body(&self) -> Result<Option<LetterBody>, Rule> {
        LetterBody::read(&self.kind, self.schema_version, self.body.get())
    }
}
