//! Sealing: the origin makes a delta, with the same fold that its followers run.

use super::accept::{Refusal, fold};
use super::header::{Follows, Header, SCHEMA_VERSION};
use super::state::{FeedState, FeedView};
use crate::entry::Entry;
use crate::id::{Hash, InstanceId, LogId};
use crate::identity::Position;
use crate::merkle;
use crate::scope::FeedScope;
use crate::signed::{self, Signer};
use crate::time::Timestamp;

/// A new log to open with this delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenLog {
    /// 16 fresh random bytes.
    pub log: LogId,
    /// Above every generation this feed had; 0 for the first log of all.
    pub generation: u64,
}

/// What a delta is sealed from.
#[derive(Debug)]
pub struct Seal<'a> {
    /// The key of the newest identity entry.
    pub signer: &'a Signer,
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// Position and hash of the newest identity entry.
    pub identity: (Position, Hash),
    /// The feed so far; `None` when this is its first delta.
    pub state: Option<&'a FeedState>,
    /// Opens a log; needed when `state` is `None`.
    pub open: Option<OpenLog>,
    /// The entries, with distinct ids.
    pub entries: &'a [Entry],
    /// Bytes of all record lines, each with its LF.
    pub bytes: u64,
    /// Now.
    pub at: Timestamp,
    /// Until when a newer header is promised.
    pub valid_until: Option<Timestamp>,
}

/// Makes the signed header line (without LF).
///
/// # Errors
/// What the view reports; inside, the entry rule that an entry breaks.
///
/// # Panics
/// When neither a state nor a log to open is given: a feed without a log cannot be sealed.
pub fn seal<V: FeedView>(seal: &Seal<'_>, view: &V) -> Result<Result<Vec<u8>, Refusal>, V::Error> {
    let folded = match fold(seal.state, seal.entries.iter(), view)? {
        Ok(folded) => folded,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let leaves: Vec<Vec<u8>> = seal.entries.iter().map(Entry::to_bytes).collect();
    let (log, generation, seq, prev, follows) = match (seal.open, seal.state) {
        (Some(open), state) => {
            let follows = state.map(|state| Follows {
                log: state.log,
                generation: state.opening.generation,
                seq: state.seq,
                hash: state.hash,
            });
            (open.log, open.generation, 0, None, follows)
        }
        (None, Some(state)) => (
            state.log,
            state.opening.generation,
            state.seq + 1,
            Some(state.hash),
            None,
        ),
        (None, None) => panic!("a feed's first delta opens a log"),
    };
    let (position, identity) = seal.identity;
    let header = Header {
        kind: signed::HEADER.0.to_owned(),
        schema_version: SCHEMA_VERSION,
        origin: seal.origin,
        scope: seal.scope,
        log,
        generation,
        seq,
        prev,
        follows,
        era: position.era,
        key: position.n,
        identity,
        at: seal.at,
        entries: seal.entries.len() as u64,
        bytes: seal.bytes,
        root: merkle::root(&leaves),
        live_n: folded.live_n,
        live: folded.live.digest(),
        valid_until: seal.valid_until,
    };
    Ok(Ok(seal
        .signer
        .sign(signed::HEADER, &signed::payload(&header))))
}
