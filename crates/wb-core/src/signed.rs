//! Signed lines: a signature in front of the exact bytes it covers (spec: conventions, signed lines).

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::id::{PublicKey, Signature};
use crate::json;
use crate::rule::Rule;

const BEFORE_SIGNATURE: &[u8] = b"{\"signature\":\"";
const BEFORE_PAYLOAD: &[u8] = b"\",\"signed\":";
const PAYLOAD_START: usize = BEFORE_SIGNATURE.len() + 2 * Signature::LEN + BEFORE_PAYLOAD.len();

/// What a signed line says it is; it is part of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Type(pub &'static str);

/// An entry of an identity log.
pub const IDENTITY: Type = Type("wb.identity.v1");
/// The header of a delta.
pub const HEADER: Type = Type("wb.header.v1");
/// The head of a bundle.
pub const BUNDLE: Type = Type("wb.bundle.v1");
/// What a reader holds and wants.
pub const WANT: Type = Type("wb.want.v1");
/// What a follower says of a feed.
pub const RECEIPT: Type = Type("wb.receipt.v1");
/// What whoever a notice is about replies.
pub const REPLY: Type = Type("wb.reply.v1");
/// The outside of an envelope.
pub const ENVELOPE: Type = Type("wb.envelope.v1");
/// The statement inside an envelope.
pub const SEALED: Type = Type("wb.sealed.v1");
/// The outside of a letter.
pub const MAIL: Type = Type("wb.mail.v1");
/// A letter.
pub const LETTER: Type = Type("wb.letter.v1");

/// A line that has the layout and the type, and whose signature has not been looked at.
#[derive(Debug, Clone, Copy)]
pub struct Unverified<'a> {
    kind: Type,
    signature: Signature,
    payload: &'a [u8],
}

impl<'a> Unverified<'a> {
    /// Reads a line strictly and checks layout and type.
    ///
    /// # Errors
    /// A strict JSON rule, `not_signed_line` or `wrong_type`.
    pub fn read(line: &'a [u8], expected: Type) -> Result<Self, Rule> {
        json::check(line)?;
        let layout = line.starts_with(BEFORE_SIGNATURE)
            && line.get(PAYLOAD_START - BEFORE_PAYLOAD.len()..PAYLOAD_START)
                == Some(BEFORE_PAYLOAD);
        let payload = line.get(PAYLOAD_START..line.len() - 1).filter(|_| layout);
        let payload = payload.filter(|p| p.first() == Some(&b'{') && p.last() == Some(&b'}'));
        let digits = line.get(BEFORE_SIGNATURE.len()..BEFORE_SIGNATURE.len() + 2 * Signature::LEN);
        let signature = digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| d.parse().ok());
        let (Some(payload), Some(signature)) = (payload, signature) else {
            return Err(Rule::NotSignedLine);
        };
        // A payload that is one object by itself: `{…},"x":{…}` would pass the line's own reading.
        json::check(payload).map_err(|_| Rule::NotSignedLine)?;
        let tag: Tag<'_> = serde_json::from_slice(payload).map_err(|_| Rule::WrongType)?;
        if tag.kind != expected.0 {
            return Err(Rule::WrongType);
        }
        Ok(Self {
            kind: expected,
            signature,
            payload,
        })
    }

    /// The exact bytes signed.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Verifies strictly under a key.
    ///
    /// # Errors
    /// `bad_signature`, also for a key of small order.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Rule> {
        let key = VerifyingKey::from_bytes(&key.0).map_err(|_| Rule::BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        key.verify_strict(&message(self.kind, self.payload), &signature)
            .map_err(|_| Rule::BadSignature)
    }
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

fn message(kind: Type, payload: &[u8]) -> Vec<u8> {
    [kind.0.as_bytes(), b"\n", payload].concat()
}

/// Whether a key can be introduced: a valid point, encoded canonically, not of small order.
///
/// # Errors
/// `weak_key`.
pub fn check_key(key: &PublicKey) -> Result<(), Rule> {
    match VerifyingKey::from_bytes(&key.0) {
        Ok(point) if !point.is_weak() && point.to_edwards().compress().as_bytes() == &key.0 => {
            Ok(())
        }
        _ => Err(Rule::WeakKey),
    }
}

impl PublicKey {
    /// Whether a signature over a message verifies strictly under this key.
    pub(crate) fn verifies_message(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

/// A private key that can sign lines. Its seed is wiped when dropped.
pub struct Signer {
    key: SigningKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.public_key())
    }
}

impl Signer {
    /// Makes the key that a seed of 32 bytes stands for.
    #[must_use]
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self {
            key: SigningKey::from_bytes(seed),
        }
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// Signs a message that carries what it is by itself (the base of an HTTP signature).
    pub(crate) fn sign_message(&self, message: &[u8]) -> Signature {
        Signature(self.key.sign(message).to_bytes())
    }

    /// Makes the signed line (without LF) of a payload that carries `kind` as its `type`.
    #[must_use]
    pub fn sign(&self, kind: Type, payload: &[u8]) -> Vec<u8> {
        let signature = Signature(self.key.sign(&message(kind, payload)).to_bytes());
        [
            BEFORE_SIGNATURE,
            signature.to_string().as_bytes(),
            BEFORE_PAYLOAD,
            payload,
            b"}",
        ]
        .concat()
    }
}

/// Serialises a payload to the bytes that get signed.
///
/// # Panics
/// Never for the payload types of this crate, which have only strings for keys.
#[must_use]
pub fn payload<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("a payload has string keys and cannot fail to serialise")
}
