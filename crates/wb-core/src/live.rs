//! The digest of what is live in a feed: an LtHash over SHA-256 elements (spec: feeds, header).
//!
//! Adding and removing commute, so a digest is kept up to date record by record, and two parties with
//! the same digest hold the same set. 1,024 lanes of 16 bits give the homomorphic hash its security.

use std::fmt;

use crate::hash;
use crate::id::Hash;

const LANES: usize = 1_024;
/// Bytes of all lanes, as they are stored.
pub const LANE_BYTES: usize = 2 * LANES;

/// The lanes. Starts empty; [`LiveHash::digest`] is what headers commit to.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveHash {
    lanes: Box<[u16; LANES]>,
}

impl Default for LiveHash {
    fn default() -> Self {
        Self {
            lanes: Box::new([0; LANES]),
        }
    }
}

impl fmt::Debug for LiveHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveHash({})", self.digest())
    }
}

impl LiveHash {
    /// Reads lanes as [`LiveHash::to_bytes`] wrote them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != LANE_BYTES {
            return None;
        }
        let mut hash = Self::default();
        for (lane, pair) in hash.lanes.iter_mut().zip(bytes.chunks_exact(2)) {
            *lane = u16::from_le_bytes([pair[0], pair[1]]);
        }
        Some(hash)
    }

    /// The lanes, little endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.lanes
            .iter()
            .flat_map(|lane| lane.to_le_bytes())
            .collect()
    }

    /// Adds an element ([`hash::live_element`]).
    pub fn add(&mut self, element: &Hash) {
        self.each_lane(element, u16::wrapping_add);
    }

    /// Removes an element that was added.
    pub fn remove(&mut self, element: &Hash) {
        self.each_lane(element, u16::wrapping_sub);
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> Hash {
        hash::live_digest(&self.to_bytes())
    }

    fn each_lane(&mut self, element: &Hash, combine: impl Fn(u16, u16) -> u16) {
        let mut bytes = [0; LANE_BYTES];
        blake3::Hasher::new()
            .update(&element.0)
            .finalize_xof()
            .fill(&mut bytes);
        for (lane, pair) in self.lanes.iter_mut().zip(bytes.chunks_exact(2)) {
            *lane = combine(*lane, u16::from_le_bytes([pair[0], pair[1]]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_removing_undoes() {
        let (a, b) = (hash::sha256(b"a"), hash::sha256(b"b"));
        let mut ab = LiveHash::default();
        ab.add(&a);
        ab.add(&b);
        let mut ba = LiveHash::default();
        ba.add(&b);
        ba.add(&a);
        assert_eq!(ab.digest(), ba.digest());
        ab.remove(&b);
        ab.remove(&a);
        assert_eq!(ab, LiveHash::default());
        assert_eq!(LiveHash::from_bytes(&ba.to_bytes()), Some(ba));
    }
}
