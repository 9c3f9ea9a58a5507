//! The answering side: a request as it came, and answers signed for it.

use std::fmt;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    HeaderValue, IF_NONE_MATCH, RETRY_AFTER, TRANSFER_ENCODING, VARY,
};
use http::request::Parts;
use http::{HeaderName, Response, StatusCode};
use wb_core::id::InstanceId;
use wb_core::protocol::CALLS;
use wb_core::signed::Signer;
use wb_core::sync::signature::{
    KeyId, ReceivedRequest, RequestHead, UnverifiedRequest, content_digest, read_head,
    read_request, sign_answer,
};
use wb_core::sync::{Cause, Problem};

use super::{
    COMPRESS_BYTES_MIN, CONTENT_DIGEST, Clock, PROBLEM, SIGNATURE, SIGNATURE_INPUT, WB_TO,
    ZSTD_LEVEL, text,
};
use crate::body::{BodyError, BodyLimit, ZSTD, decode, encode_for_readers, encoding};
use crate::proxies::Client;

/// Where the paths of the protocol begin; what a proxy puts before them is not looked at.
const ROOTS: [&str; 2] = [CALLS, "/.well-known/wb/"];

/// The path below the base, whatever the base is.
#[must_use]
pub fn below_base(path: &str) -> &str {
    let start = ROOTS.iter().filter_map(|root| path.find(root)).min();
    start.map_or(path, |start| &path[start..])
}

/// A request as it came, with its body as it travelled.
#[derive(Debug, Clone)]
pub struct Request {
    parts: Parts,
    body: Vec<u8>,
}

impl Request {
    /// Puts head and body together.
    #[must_use]
    pub fn new(parts: Parts, body: Vec<u8>) -> Self {
        Self { parts, body }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.parts.method.as_str()
    }

    /// The path below the base.
    #[must_use]
    pub fn path(&self) -> &str {
        below_base(self.parts.uri.path())
    }

    /// The query without its `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.parts.uri.query()
    }

    /// The text of its signature, to which the answer is bound.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        text(&self.parts.headers, SIGNATURE)
    }

    /// Who a request says it is of, with nothing checked: to look up what is known of it.
    #[must_use]
    pub fn claimed_sender(&self) -> Option<InstanceId> {
        let input = text(&self.parts.headers, SIGNATURE_INPUT)?;
        let (_, key) = input.split_once("keyid=\"")?;
        let (key, _) = key.split_once('"')?;
        let key: KeyId = key.parse().ok()?;
        Some(key.instance)
    }

    /// Checks form, recipient and digest.
    ///
    /// # Errors
    /// The first cause that applies.
    pub fn read(&self, own: InstanceId) -> Result<UnverifiedRequest, Cause> {
        let headers = &self.parts.headers;
        let request = ReceivedRequest {
            method: self.method(),
            path: self.path(),
            query: self.query(),
            to: text(headers, WB_TO),
            content_digest: text(headers, CONTENT_DIGEST),
            signature_input: text(headers, SIGNATURE_INPUT),
            signature: self.signature(),
            body: &self.body,
        };
        read_request(&request, own)
    }

    /// Checks form and recipient by the head alone; its body may be on its way still.
    ///
    /// # Errors
    /// The first cause that applies.
    pub fn read_head(&self, own: InstanceId) -> Result<UnverifiedRequest, Cause> {
        let headers = &self.parts.headers;
        let head = RequestHead {
            method: self.method(),
            path: self.path(),
            query: self.query(),
            to: text(headers, WB_TO),
            content_digest: text(headers, CONTENT_DIGEST),
            signature_input: text(headers, SIGNATURE_INPUT),
            signature: self.signature(),
            has_body: self.announces_above(0),
        };
        read_head(&head, own)
    }

    /// Whether the head announces a body of more than so many bytes, or one of a length it does not say.
    #[must_use]
    pub fn announces_above(&self, bytes: u64) -> bool {
        let headers = &self.parts.headers;
        let length = text(headers, CONTENT_LENGTH.as_str()).map(str::parse);
        match length {
            _ if headers.contains_key(TRANSFER_ENCODING) => true,
            None => headers.contains_key(CONTENT_LENGTH),
            Some(length) => length.map_or(true, |length: u64| length > bytes),
        }
    }

    /// Who asks, when a server of this crate took it.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        self.parts.extensions.get().copied()
    }

    /// Adds the body, once it was read.
    pub fn put_body(&mut self, body: Vec<u8>) {
        self.body = body;
    }

    /// The body as it travelled.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.body
    }

    /// Takes the body out and decodes it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take_body(&mut self, limit: BodyLimit) -> Result<Vec<u8>, BodyError> {
        let encoded = std::mem::take(&mut self.body);
        decode(encoding(&self.parts.headers)?, encoded, limit)
    }

    /// Whether a cache on the way holds the body of this tag.
    #[must_use]
    pub fn holds(&self, tag: &str) -> bool {
        let held = text(&self.parts.headers, IF_NONE_MATCH.as_str());
        held.is_some_and(|held| held.split(',').any(|held| held.trim() == tag))
    }

    /// Whether whoever asks can unpack a body.
    #[must_use]
    pub fn accepts_zstd(&self) -> bool {
        text(&self.parts.headers, ACCEPT_ENCODING.as_str())
            .is_some_and(|codings| codings.split(',').any(|coding| coding.trim() == ZSTD))
    }
}

/// A body as it travels, made once for everybody who asks the same.
#[derive(Debug, Clone)]
pub struct Packed {
    bytes: Bytes,
    digest: String,
}

impl Packed {
    /// Packs a body; none where it would not be sent packed.
    #[must_use]
    pub fn of(body: &[u8]) -> Option<Self> {
        let bytes = Bytes::from(packed(body)?);
        Some(Self {
            digest: content_digest(&bytes),
            bytes,
        })
    }

    /// Bytes it has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

fn packed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < COMPRESS_BYTES_MIN {
        return None;
    }
    encode_for_readers(ZSTD_LEVEL, body)
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body, before it is compressed.
    pub body: Vec<u8>,
    /// The same body packed, where somebody who can unpack it asked and it is at hand: then the other is not looked at.
    pub packed: Option<Packed>,
    /// Whether it is bytes that prove themselves, and is not signed.
    pub proves_itself: bool,
    /// Seconds after which to ask again, for programs that do not read the body.
    pub retry_after: Option<u64>,
    /// Names the body to caches on the way, which may keep it as long as they ask each time whether it is still that.
    pub tag: Option<String>,
}

impl Reply {
    /// A signed answer.
    #[must_use]
    pub fn ok(content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            content_type,
            body,
            packed: None,
            proves_itself: false,
            retry_after: None,
            tag: None,
        }
    }

    /// Bytes that prove themselves, packed.
    #[must_use]
    pub fn packed(content_type: &'static str, packed: Packed) -> Self {
        Self {
            packed: Some(packed),
            proves_itself: true,
            ..Self::ok(content_type, Vec::new())
        }
    }

    /// That what a cache on the way holds is still it.
    #[must_use]
    pub fn unchanged(content_type: &'static str, tag: String) -> Self {
        Self {
            status: StatusCode::NOT_MODIFIED.as_u16(),
            proves_itself: true,
            tag: Some(tag),
            ..Self::ok(content_type, Vec::new())
        }
    }

    /// A refusal.
    #[must_use]
    pub fn refusal(problem: &Problem) -> Self {
        Self {
            status: problem.status,
            content_type: PROBLEM,
            body: wb_core::signed::payload(problem),
            packed: None,
            proves_itself: false,
            retry_after: problem.retry_after,
            tag: None,
        }
    }
}

/// Signs answers as one instance.
#[derive(Clone)]
pub struct Responder {
    key: KeyId,
    signer: Arc<Signer>,
    clock: Clock,
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Responder({})", self.key)
    }
}

impl Responder {
    /// Answers as the holder of a key.
    #[must_use]
    pub fn new(key: KeyId, signer: Arc<Signer>, clock: Clock) -> Self {
        Self { key, signer, clock }
    }

    /// The instance that answers.
    #[must_use]
    pub fn own(&self) -> InstanceId {
        self.key.instance
    }

    /// Now, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Makes the answer to a request.
    ///
    /// # Panics
    /// Never: every field written here is plain ASCII.
    #[must_use]
    pub fn answer(&self, request: &Request, reply: Reply) -> Response<Body> {
        let (body, digest, compress) = match reply.packed {
            Some(Packed { bytes, digest }) => (bytes, Some(digest), true),
            None => {
                let encoded = request.accepts_zstd().then(|| packed(&reply.body));
                let encoded = encoded.flatten();
                let compress = encoded.is_some();
                (Bytes::from(encoded.unwrap_or(reply.body)), None, compress)
            }
        };
        let mut fields: Vec<(&'static str, String)> = Vec::new();
        let is_unchanged = reply.status == StatusCode::NOT_MODIFIED.as_u16();
        if is_unchanged {
            // The fields of the body are those that the cache holds.
        } else if reply.proves_itself {
            let digest = digest.unwrap_or_else(|| content_digest(&body));
            fields.push((CONTENT_DIGEST, digest));
        } else {
            let bound = request.signature();
            let signed = sign_answer(
                reply.status,
                &body,
                bound,
                self.key,
                &self.signer,
                self.now(),
            );
            fields.push((CONTENT_DIGEST, signed.content_digest));
            fields.push((SIGNATURE_INPUT, signed.signature_input));
            fields.push((SIGNATURE, signed.signature));
        }
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        // What is said to one member must not reach another from somebody's cache.
        let caches = match reply.tag {
            None => "no-store",
            Some(_) => "public, no-cache",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caches));
        if let Some(tag) = &reply.tag {
            headers.insert(ETAG, HeaderValue::from_str(tag).expect("a tag is ASCII"));
            // Whoever cannot unpack it is given another body.
            headers.insert(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
        }
        if let Some(seconds) = reply.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if compress {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(ZSTD));
        }
        for (name, value) in fields {
            let value = HeaderValue::from_str(&value).expect("base64 and parameters are ASCII");
            headers.insert(HeaderName::from_static(name), value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::below_base;

    #[test]
    fn what_a_proxy_puts_before_the_path_is_left_out() {
        assert_eq!(below_base("/sync/v1/heads"), "/sync/v1/heads");
        assert_eq!(below_base("/wb/sync/v1/heads"), "/sync/v1/heads");
        assert_eq!(below_base("/wb/sync/v2/heads"), "/sync/v2/heads");
        assert_eq!(below_base("/a/.well-known/wb/node"), "/.well-known/wb/node");
        assert_eq!(below_base("/livez"), "/livez");
        assert_eq!(below_base("/sync/v1/x/sync/v1/y"), "/sync/v1/x/sync/v1/y");
    }
}
