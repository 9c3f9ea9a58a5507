//! Signing an answer so that it is bound to its request, and checking one.

use super::digest::{content_digest, names};
use super::message::{Component, KeyId, Read, base, list, sign};
use crate::identity::IdentityLog;
use crate::signed::Signer;

/// What the signature is for.
const TAG: &str = "wb-answer-v1";

/// How the signature of the request is named among the components.
const REQUEST_SIGNATURE: &str = "\"signature\";key=\"wb\";req";

/// Values of the fields that sign an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFields {
    /// `content-digest`.
    pub content_digest: String,
    /// `signature-input`.
    pub signature_input: String,
    /// `signature`.
    pub signature: String,
}

/// Signs an answer. `request` is the value of the request's `signature` field, where it had a
/// readable one.
#[must_use]
pub fn sign_answer(
    status: u16,
    body: &[u8],
    request: Option<&str>,
    key: KeyId,
    signer: &Signer,
    now: u64,
) -> AnswerFields {
    let (status, digest) = (status.to_string(), content_digest(body));
    let bound = request.and_then(bound_value);
    let components = components(&status, &digest, bound.as_deref());
    let params = format!(
        "{};created={now};keyid=\"{key}\";alg=\"ed25519\";tag=\"{TAG}\"",
        list(&components)
    );
    let fields = sign(&components, &params, signer);
    AnswerFields {
        content_digest: digest,
        signature_input: fields.signature_input,
        signature: fields.signature,
    }
}

/// The request's own signature without its name, as RFC 9421 takes one member of a dictionary.
fn bound_value(signature: &str) -> Option<String> {
    let members: sfv::Dictionary = sfv::Parser::new(signature).parse().ok()?;
    let member = members.get(super::NAME)?;
    let mut list = sfv::ListSerializer::new();
    list.members([member]);
    list.finish()
}

fn components<'a>(
    status: &'a str,
    digest: &'a str,
    request: Option<&'a str>,
) -> Vec<Component<'a>> {
    let mut components = vec![("\"@status\"", status), ("\"content-digest\"", digest)];
    components.extend(request.map(|signature| (REQUEST_SIGNATURE, signature)));
    components
}

/// An answer as it came.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedAnswer<'a> {
    /// The status.
    pub status: u16,
    /// The body as it came, before it is decoded.
    pub body: &'a [u8],
    /// `content-digest`.
    pub content_digest: Option<&'a str>,
    /// `signature-input`.
    pub signature_input: Option<&'a str>,
    /// `signature`.
    pub signature: Option<&'a str>,
}

/// Why an answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It carries no signature of the form it should have.
    #[error("the answer is not signed")]
    NotSigned,
    /// It is signed under an entry of the right instance that is not known here; a longer log may
    /// hold it.
    #[error("the answer is signed with a key that is not known here")]
    KeyUnknown,
    /// It names another instance as its signer. That is nobody's word yet: who answers says it.
    #[error("the answer is signed by another instance")]
    OtherInstance,
    /// Its body is not the one signed, it answers another request, or the signature is wrong.
    #[error("the answer's signature does not fit it")]
    Invalid,
}

/// When an answer was signed, in seconds since 1970, as its `signature-input` says.
#[must_use]
pub fn answer_created(signature_input: &str) -> Option<u64> {
    super::message::created(signature_input)
}

/// Whether an answer names as its key one that another has followed since: a process that was not told yet, or a thief.
/// It does not count either way.
#[must_use]
pub fn is_under_older_key(answer: &ReceivedAnswer<'_>, identity: &IdentityLog) -> bool {
    let Ok(read) = Read::new(answer.signature_input, answer.signature) else {
        return false;
    };
    let key: Option<KeyId> = read.text("keyid").and_then(|text| text.parse().ok());
    let entry = key.filter(|key| key.instance == identity.id());
    let entry = entry.and_then(|key| identity.entry(&key.entry));
    entry.is_some_and(|entry| entry.hash != identity.newest().hash)
}

/// Checks an answer to the request whose `signature` field was `request`.
///
/// # Errors
/// Why it does not count.
pub fn verify_answer(
    answer: &ReceivedAnswer<'_>,
    request: Option<&str>,
    identity: &IdentityLog,
) -> Result<(), AnswerError> {
    let read =
        Read::new(answer.signature_input, answer.signature).map_err(|_| AnswerError::NotSigned)?;
    let key: Option<KeyId> = read.text("keyid").and_then(|text| text.parse().ok());
    let (Some(key), Some(digest)) = (key, answer.content_digest) else {
        return Err(AnswerError::NotSigned);
    };
    if read.text("tag") != Some(TAG) || !read.is_ed25519() || read.seconds("created").is_none() {
        return Err(AnswerError::NotSigned);
    }
    if key.instance != identity.id() {
        return Err(AnswerError::OtherInstance);
    }
    let entry = identity.entry(&key.entry).ok_or(AnswerError::KeyUnknown)?;
    let status = answer.status.to_string();
    let bound = request.and_then(bound_value);
    let components = components(&status, digest, bound.as_deref());
    let is_covered = read
        .covered
        .iter()
        .eq(components.iter().map(|(identifier, _)| *identifier));
    let fits = is_covered
        && entry.hash == identity.newest().hash
        && names(digest, answer.body)
        && entry
            .signing_key
            .verifies_message(&base(&components, &read.params), &read.signature);
    if fits {
        Ok(())
    } else {
        Err(AnswerError::Invalid)
    }
}
