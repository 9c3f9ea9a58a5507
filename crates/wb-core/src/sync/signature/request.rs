//! Signing a request, and checking one in the order of the spec.

use super::digest::{content_digest, names};
use super::message::{Component, KeyId, Read, Unreadable, base, list, sign};
use crate::id::InstanceId;
use crate::identity::{Entry, IdentityLog};
use crate::limits::{CLOCK_AHEAD_SECONDS_MAX, REQUEST_SECONDS_MAX};
use crate::signed::Signer;
use crate::sync::Cause;

/// What the signature is for.
const TAG: &str = "wb-sync-v1";

/// A request that will be sent.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRequest<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path below the base.
    pub path: &'a str,
    /// The query without its `?`.
    pub query: Option<&'a str>,
    /// The recipient.
    pub to: InstanceId,
    /// The body as it is sent; none when there is none.
    pub body: Option<&'a [u8]>,
    /// Now, in seconds since 1970, by the recipient's clock as far as it is known.
    pub now: u64,
}

/// Values of the fields that sign a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFields {
    /// `wb-to`.
    pub to: String,
    /// `content-digest`.
    pub content_digest: Option<String>,
    /// `signature-input`.
    pub signature_input: String,
    /// `signature`; the answer is bound to this text.
    pub signature: String,
}

/// Signs a request.
#[must_use]
pub fn sign_request(request: &OutgoingRequest<'_>, key: KeyId, signer: &Signer) -> RequestFields {
    let to = request.to.to_string();
    let digest = request.body.map(content_digest);
    let query = query_component(request.query);
    let components = components(request.method, request.path, &query, &to, digest.as_deref());
    let params = format!(
        "{};created={};expires={};keyid=\"{key}\";alg=\"ed25519\";tag=\"{TAG}\"",
        list(&components),
        request.now,
        request.now + REQUEST_SECONDS_MAX / 2,
    );
    let fields = sign(&components, &params, signer);
    RequestFields {
        to,
        content_digest: digest,
        signature_input: fields.signature_input,
        signature: fields.signature,
    }
}

fn query_component(query: Option<&str>) -> String {
    format!("?{}", query.unwrap_or_default())
}

fn components<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    to: &'a str,
    digest: Option<&'a str>,
) -> Vec<Component<'a>> {
    let mut components = vec![
        ("\"@method\"", method),
        ("\"@path\"", path),
        ("\"@query\"", query),
        ("\"wb-to\"", to),
    ];
    components.extend(digest.map(|digest| ("\"content-digest\"", digest)));
    components
}

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// The path below the base.
    pub path: &'a str,
    /// The query without its `?`.
    pub query: Option<&'a str>,
    /// `wb-to`.
    pub to: Option<&'a str>,
    /// `content-digest`.
    pub content_digest: Option<&'a str>,
    /// `signature-input`.
    pub signature_input: Option<&'a str>,
    /// `signature`.
    pub signature: Option<&'a str>,
    /// The body, empty when there is none.
    pub body: &'a [u8],
}

/// A request as far as it came: everything but its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a str,
    /// The path below the base.
    pub path: &'a str,
    /// The query without its `?`.
    pub query: Option<&'a str>,
    /// `wb-to`.
    pub to: Option<&'a str>,
    /// `content-digest`.
    pub content_digest: Option<&'a str>,
    /// `signature-input`.
    pub signature_input: Option<&'a str>,
    /// `signature`.
    pub signature: Option<&'a str>,
    /// Whether a body follows.
    pub has_body: bool,
}

/// A request whose form and recipient are right, and whose signature was not looked at. Read with its
/// body, its digest is right as well.
#[derive(Debug)]
pub struct UnverifiedRequest {
    key: KeyId,
    read: Read,
    base: Vec<u8>,
    digest: Option<String>,
    created: u64,
    expires: u64,
}

impl std::fmt::Debug for Read {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.params)
    }
}

/// A request whose sender is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedRequest {
    /// Who sent it.
    pub sender: InstanceId,
}

/// Checks form, recipient and digest.
///
/// # Errors
/// The first cause that applies.
pub fn read_request(
    request: &ReceivedRequest<'_>,
    own: InstanceId,
) -> Result<UnverifiedRequest, Cause> {
    let head = RequestHead {
        method: request.method,
        path: request.path,
        query: request.query,
        to: request.to,
        content_digest: request.content_digest,
        signature_input: request.signature_input,
        signature: request.signature,
        has_body: !request.body.is_empty(),
    };
    let unverified = read_head(&head, own)?;
    unverified.check_body(request.body)?;
    Ok(unverified)
}

/// Checks form and recipient of a request whose body was not read yet. What the signature covers is all
/// in the head, so key, signature and times can be verified before a byte of the body is taken;
/// [`UnverifiedRequest::check_body`] is what remains.
///
/// # Errors
/// The first cause that applies.
pub fn read_head(head: &RequestHead<'_>, own: InstanceId) -> Result<UnverifiedRequest, Cause> {
    let read = Read::new(head.signature_input, head.signature).map_err(|error| match error {
        Unreadable::Missing => Cause::SignatureMissing,
        Unreadable::Malformed => Cause::SignatureMalformed,
    })?;
    let to = head.to.unwrap_or_default();
    let query = query_component(head.query);
    let digest = head.content_digest.filter(|_| head.has_body);
    let covered = components(head.method, head.path, &query, to, digest);
    let times = (read.seconds("created"), read.seconds("expires"));
    let key = read.text("keyid").and_then(|text| text.parse().ok());
    let identifiers = covered.iter().map(|(identifier, _)| *identifier);
    // Without its digest a body is not covered; that has a cause of its own below.
    let with_digest = (head.has_body && digest.is_none()).then_some("\"content-digest\"");
    let is_ours = read.covered.iter().eq(identifiers.chain(with_digest))
        && read.text("tag") == Some(TAG)
        && read.is_ed25519();
    let (true, Some(key), (Some(created), Some(expires))) = (is_ours, key, times) else {
        return Err(Cause::SignatureMalformed);
    };
    if to.parse() != Ok(own) {
        return Err(Cause::WrongRecipient);
    }
    if head.has_body && digest.is_none() {
        return Err(Cause::DigestMismatch);
    }
    let base = base(&covered, &read.params);
    Ok(UnverifiedRequest {
        key,
        read,
        base,
        digest: digest.map(str::to_owned),
        created,
        expires,
    })
}

impl UnverifiedRequest {
    /// Which key it claims to be signed with.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// When it says that it was signed, in seconds since 1970.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.created
    }

    /// Checks that a body is the one signed.
    ///
    /// # Errors
    /// `digest_mismatch`.
    pub fn check_body(&self, body: &[u8]) -> Result<(), Cause> {
        let is_signed = match &self.digest {
            Some(digest) => names(digest, body),
            None => body.is_empty(),
        };
        if is_signed {
            Ok(())
        } else {
            Err(Cause::DigestMismatch)
        }
    }

    /// Checks key, signature and times. `identity` is the sender's log as held here.
    ///
    /// # Errors
    /// The first cause that applies.
    pub fn verify(
        &self,
        identity: Option<&IdentityLog>,
        now: u64,
    ) -> Result<VerifiedRequest, Cause> {
        let identity = identity
            .filter(|log| log.id() == self.key.instance)
            .ok_or(Cause::KeyUnknown)?;
        let Some(entry) = identity.entry(&self.key.entry) else {
            // Of a branch that a recovery made void only the hashes are held.
            let is_void = identity.void().contains(&self.key.entry);
            return Err(if is_void {
                Cause::KeyRetired
            } else {
                Cause::KeyUnknown
            });
        };
        if entry.hash != identity.newest().hash {
            return Err(Cause::KeyRetired);
        }
        self.verify_under(entry, now)
    }

    /// As [`UnverifiedRequest::verify`], also under a key that was followed by another: for a question whose
    /// answer everybody may have, asked by whoever has to find out that there is a newer key.
    ///
    /// # Errors
    /// As [`UnverifiedRequest::verify`], but `key_retired`.
    pub fn verify_under_any_key(
        &self,
        identity: Option<&IdentityLog>,
        now: u64,
    ) -> Result<VerifiedRequest, Cause> {
        let identity = identity
            .filter(|log| log.id() == self.key.instance)
            .ok_or(Cause::KeyUnknown)?;
        let entry = identity.entry(&self.key.entry).ok_or(Cause::KeyUnknown)?;
        self.verify_under(entry, now)
    }

    fn verify_under(&self, entry: &Entry, now: u64) -> Result<VerifiedRequest, Cause> {
        if !entry
            .signing_key
            .verifies_message(&self.base, &self.read.signature)
        {
            return Err(Cause::SignatureInvalid);
        }
        let lasts = self.expires.checked_sub(self.created);
        let is_in_time = self.created <= now.saturating_add(CLOCK_AHEAD_SECONDS_MAX)
            && now <= self.expires
            && lasts.is_some_and(|seconds| seconds <= REQUEST_SECONDS_MAX);
        if !is_in_time {
            return Err(Cause::Clock);
        }
        Ok(VerifiedRequest {
            sender: self.key.instance,
        })
    }
}
