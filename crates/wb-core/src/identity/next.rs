//! Making the next entry of one's own log: another signing key, by the one before or by the words.
//!
//! The entry is verified as every reader of it will, so what does not hold here is never signed away.

use serde::Serialize;

use super::entry::{Entry, Heads};
use super::log::{IdentityError, IdentityLog, LogReader};
use crate::id::{Hash, PublicKey};
use crate::signed::{self, Signer};
use crate::time::Timestamp;

/// The members of a `rotate` or a `recover`, in the order of the page.
#[derive(Serialize)]
struct Members {
    #[serde(rename = "type")]
    kind: &'static str,
    schema_version: u32,
    op: &'static str,
    n: u64,
    era: u64,
    prev: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_key: Option<PublicKey>,
    signing_key: PublicKey,
    recovery: Hash,
    heads: Heads,
    at: Timestamp,
}

/// What a recovery puts in the place of what it voids.
#[derive(Debug, Clone, Copy)]
pub struct Recovery<'a> {
    /// The key that the words on the sheet stand for.
    pub words: &'a Signer,
    /// The key that signs from here on.
    pub signing_key: PublicKey,
    /// Commitment of the new words.
    pub recovery: Hash,
    /// Where the keys before stop: the last good head of each feed.
    pub heads: Heads,
    /// Now.
    pub at: Timestamp,
}

/// The log with a `rotate` behind its newest entry: `signing_key` signs from here on, and `signer`, the
/// key of the newest entry, nothing above `heads`.
///
/// # Errors
/// That the log is full, or `signer` is not the key of its newest entry.
pub fn rotate(
    log: &IdentityLog,
    signer: &Signer,
    signing_key: PublicKey,
    heads: Heads,
    at: Timestamp,
) -> Result<IdentityLog, IdentityError> {
    let newest = log.newest();
    let members = Members {
        kind: signed::IDENTITY.0,
        schema_version: 1,
        op: "rotate",
        n: newest.position.n + 1,
        era: newest.position.era,
        prev: newest.hash,
        recovery_key: None,
        signing_key,
        recovery: newest.recovery,
        heads,
        at,
    };
    extended(log.entries(), log, &members, signer)
}

/// The log up to the entry `from` with a `recover` behind it, which voids every entry that followed.
/// `None` when `from` is not an entry of the log.
///
/// # Errors
/// `recovery_not_committed` when the words are not those of `from`, `recovery_reused` when the new ones are.
pub fn recover(
    log: &IdentityLog,
    from: &Hash,
    recovery: &Recovery<'_>,
) -> Option<Result<IdentityLog, IdentityError>> {
    let entries = log.entries();
    let at = entries.iter().position(|entry| entry.hash == *from)?;
    let before = &entries[at];
    let members = Members {
        kind: signed::IDENTITY.0,
        schema_version: 1,
        op: "recover",
        n: before.position.n + 1,
        era: before.position.era + 1,
        prev: before.hash,
        recovery_key: Some(recovery.words.public_key()),
        signing_key: recovery.signing_key,
        recovery: recovery.recovery,
        heads: recovery.heads,
        at: recovery.at,
    };
    Some(extended(&entries[..=at], log, &members, recovery.words))
}

fn extended(
    before: &[Entry],
    log: &IdentityLog,
    members: &Members,
    signer: &Signer,
) -> Result<IdentityLog, IdentityError> {
    let mut reader = LogReader::new(Some(log.id()));
    for entry in before {
        reader.push(&entry.line)?;
    }
    reader.push(&signer.sign(signed::IDENTITY, &signed::payload(members)))?;
    reader.finish()
}
