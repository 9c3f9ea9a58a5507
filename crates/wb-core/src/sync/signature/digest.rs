//! The digest of a body (RFC 9530).

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// The value of `content-digest` for a body as it is sent.
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(body)))
}

/// Whether a value of `content-digest` names the body. Digests of other names may stand beside ours.
pub(super) fn names(value: &str, body: &[u8]) -> bool {
    let Ok(digests) = sfv::Parser::new(value).parse::<sfv::Dictionary>() else {
        return false;
    };
    let Some(sfv::ListEntry::Item(item)) = digests.get("sha-256") else {
        return false;
    };
    item.bare_item.as_byte_sequence() == Some(Sha256::digest(body).as_slice())
}
