//! The outside of a letter: an envelope with one recipient, and a type of its own, so that whoever carries both
//! tells them apart.

use crate::id::InstanceId;
use crate::identity::IdentityLog;
use crate::limits::LETTER_BYTES_MAX;
use crate::rule::Rule;
use crate::sealed::Envelope;
use crate::signed::{self, Signer, Unverified};
use crate::time::Timestamp;

/// What the line of mail says. Its bytes are signed, so it is never written again from this form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail(Envelope);

impl Mail {
    /// Describes a letter that was sealed.
    #[must_use]
    pub fn new(
        identity: &IdentityLog,
        recipient: InstanceId,
        expires: Timestamp,
        body: &[u8],
    ) -> Self {
        let recipients = vec![recipient];
        Self(Envelope::of_type(
            signed::MAIL,
            identity,
            recipients,
            expires,
            body,
        ))
    }

    /// The signed line.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> Vec<u8> {
        signer.sign(signed::MAIL, &signed::payload(&self.0))
    }

    /// Reads a line without looking at the signature: who could verify it is named in it.
    ///
    /// # Errors
    /// A strict JSON rule, `not_signed_line`, `wrong_type`, `envelope_malformed`.
    pub fn read(line: &[u8]) -> Result<(Self, Unverified<'_>), Rule> {
        let (envelope, unverified) = Envelope::read_type(line, signed::MAIL)?;
        let is_good = envelope.recipients.len() == 1 && envelope.size <= LETTER_BYTES_MAX as u64;
        if is_good {
            Ok((Self(envelope), unverified))
        } else {
            Err(Rule::EnvelopeMalformed)
        }
    }

    /// Reads and verifies mail with its body, by the newest identity log known of its origin.
    ///
    /// # Errors
    /// The first rule broken, in the order of the spec.
    pub fn verify(
        line: &[u8],
        body: &[u8],
        identity: &IdentityLog,
        now: Timestamp,
    ) -> Result<Self, Rule> {
        let (mail, unverified) = Self::read(line)?;
        mail.0.check(&unverified, body, identity, now)?;
        Ok(mail)
    }

    /// For whom it is.
    #[must_use]
    pub fn recipient(&self) -> InstanceId {
        self.0.recipients[0]
    }

    /// What it says: who signed it, until when it lasts, and which bytes.
    #[must_use]
    pub fn outside(&self) -> &Envelope {
        &self.0
    }
}
