//! Making entries of one's own log.

use super::entry::Payload;
use crate::id::Hash;
use crate::signed::{self, Signer};
use crate::time::Timestamp;

/// Makes the first line of a new instance's log.
#[must_use]
pub fn found(signer: &Signer, recovery: Hash, now: Timestamp) -> Vec<u8> {
    let payload = Payload {
        kind: signed::IDENTITY.0.to_owned(),
        schema_version: 1,
        op: "found".to_owned(),
        n: 0,
        era: 0,
        prev: None,
        signing_key: signer.public_key(),
        recovery,
        at: now,
    };
    signer.sign(signed::IDENTITY, &signed::payload(&payload))
}
