//! Signed calls over a connection, and signed answers of a server (spec: requests).
//!
//! The rules are in `wb-core`; here they meet header fields and bodies. Who may do what, and what an
//! answer means, is decided by the callers.

mod caller;
mod responder;

pub use caller::{Answer, Call, CallError, Caller, Identified, ask_recovery, who_is_this};
pub use responder::{Packed, Reply, Request, Responder, below_base};

use std::sync::Arc;

/// Gives the time in seconds since 1970. The clock is read by whoever made it, never here.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Type of a JSON answer.
pub const JSON: &str = "application/json";
/// Type of feed sections.
pub const NDJSON: &str = "application/x-ndjson";
/// Type of a refusal (RFC 9457).
pub const PROBLEM: &str = "application/problem+json";

/// Bodies below this many bytes travel as they are: compressing them gains less than its header.
const COMPRESS_BYTES_MIN: usize = 512;
/// Level of zstd on the way: most of the gain for little of the work.
const ZSTD_LEVEL: i32 = 3;

const WB_TO: &str = "wb-to";
const CONTENT_DIGEST: &str = "content-digest";
const SIGNATURE_INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";

/// A field as text; one that comes twice or is no text counts as none.
fn text<'h>(headers: &'h http::HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
