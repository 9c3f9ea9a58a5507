//! Secrets that somebody else holds: a browser, or whoever was given a link. Here only their name is kept.

use wb_core::hash;
use wb_core::id::Hash;
use zeroize::Zeroizing;

use crate::entropy;

/// A fresh secret, in hex.
#[must_use]
pub fn fresh() -> Zeroizing<String> {
    Zeroizing::new(Hash(*entropy::bytes()).to_string())
}

/// What names a secret here: its hash. It cannot be gone back from.
#[must_use]
pub fn name(secret: &str) -> Hash {
    hash::sha256(secret.as_bytes())
}
