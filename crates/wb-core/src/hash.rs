//! The hashes of the formats, kept apart by their first byte (spec: conventions, hashes).

use sha2::{Digest, Sha256};

use crate::id::{Hash, InstanceId, LogId, PublicKey, RecordId, Salt, Token};

const LINE: u8 = 0x00;
const LIVE_ELEMENT: u8 = 0x01;
const HEADER: u8 = 0x02;
const IDENTITY_ENTRY: u8 = 0x03;
const RECOVERY: u8 = 0x04;
const TRUSTED_HEAD: u8 = 0x05;
const LIVE_DIGEST: u8 = 0x06;
const FOLLOWS: u8 = 0x07;
const ARRIVAL: u8 = 0x08;
const SAFETY_WORDS: u8 = 0x09;

fn tagged(tag: u8, parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new();
    sha.update([tag]);
    for part in parts {
        sha.update(part);
    }
    Hash(sha.finalize().into())
}

/// Plain SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Hash of a record line as it was sent.
#[must_use]
pub fn line(line: &[u8]) -> Hash {
    tagged(LINE, &[line])
}

/// The element that a live record adds to its feed's LtHash.
#[must_use]
pub fn live_element(id: &RecordId, rev: u64, kind: &str, line_hash: &Hash) -> Hash {
    let kind_len = u8::try_from(kind.len()).expect("a kind has at most 32 bytes");
    tagged(
        LIVE_ELEMENT,
        &[
            id.as_bytes(),
            &rev.to_be_bytes(),
            &[kind_len],
            kind.as_bytes(),
            &line_hash.0,
        ],
    )
}

/// Hash of a header, from the one before and the hash of its own bytes.
///
/// Taken this way, a list of body hashes is proved by the `prev` of one signed head.
#[must_use]
pub fn header(prev: Option<&Hash>, body_hash: &Hash) -> Hash {
    tagged(
        HEADER,
        &[prev.map_or(&[0; 32][..], |hash| &hash.0), &body_hash.0],
    )
}

/// Hash of an identity entry; that of the first is the instance id.
#[must_use]
pub fn identity_entry(entry: &[u8]) -> Hash {
    tagged(IDENTITY_ENTRY, &[entry])
}

/// What an identity log says of the recovery key until it is used.
#[must_use]
pub fn recovery_commitment(key: &PublicKey) -> Hash {
    tagged(RECOVERY, &[&key.0])
}

/// What an identity log says of the last head in the trusted feed.
#[must_use]
pub fn trusted_head(salt: &Salt, log: &LogId, generation: u64, seq: u64, header: &Hash) -> Hash {
    tagged(
        TRUSTED_HEAD,
        &[
            &salt.0,
            &log.0,
            &generation.to_be_bytes(),
            &seq.to_be_bytes(),
            &header.0,
        ],
    )
}

/// Digest of the lanes of an LtHash.
#[must_use]
pub fn live_digest(lanes: &[u8]) -> Hash {
    tagged(LIVE_DIGEST, &[lanes])
}

/// Hash of a follow list (spec: sync).
#[must_use]
pub fn follows(counter: u64, all: bool, follow: &[InstanceId], except: &[InstanceId]) -> Hash {
    let count = u32::try_from(follow.len()).expect("a follow list is within its limit");
    let ids = |ids: &[InstanceId]| -> Vec<u8> { ids.iter().flat_map(|id| id.0).collect() };
    tagged(
        FOLLOWS,
        &[
            &counter.to_be_bytes(),
            &[u8::from(all)],
            &count.to_be_bytes(),
            &ids(follow),
            &ids(except),
        ],
    )
}

/// What safety words are made of, before it is hashed again and again (spec: peers).
#[must_use]
pub fn safety_words(lower: &InstanceId, higher: &InstanceId, token: &Token) -> Hash {
    tagged(SAFETY_WORDS, &[&lower.0, &higher.0, &token.0])
}

/// The same, once more.
#[must_use]
pub fn safety_words_again(before: &Hash) -> Hash {
    tagged(SAFETY_WORDS, &[&before.0])
}

/// Running hash of arrivals at a hub, after one more (spec: sync).
#[must_use]
pub fn arrival(before: &Hash, kind: u8, origin: &InstanceId, hash: &Hash) -> Hash {
    tagged(ARRIVAL, &[&before.0, &[kind], &origin.0, &hash.0])
}

/// SHA-256 of something that comes in parts.
#[derive(Debug, Clone, Default)]
pub struct Streaming(Sha256);

impl Streaming {
    /// Takes the next part.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all parts.
    #[must_use]
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}
