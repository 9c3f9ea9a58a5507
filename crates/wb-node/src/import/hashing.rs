//! The digest over the lines of a bundle, computed on a thread of its own: reading them strictly takes as long.

use sha2::{Digest as _, Sha256};
use wb_core::bundle::LinesDigest;

use super::beside::Beside;

/// Bytes that cross at once.
const BLOCK_BYTES: usize = 262_144;

/// Computes the digest on another thread.
#[derive(Debug)]
pub struct Hashing(Beside<u8, Sha256>);

impl Hashing {
    /// Begins with no line.
    #[must_use]
    pub fn start() -> Self {
        Self(Beside::start(BLOCK_BYTES, Sha256::update))
    }
}

impl LinesDigest for Hashing {
    fn add(&mut self, line: &[u8]) {
        let block = self.0.room_for(line.len() + 1);
        block.extend_from_slice(line);
        block.push(b'\n');
    }

    fn so_far(&mut self) -> [u8; 32] {
        self.0.so_far().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_digest_of_all_lines_so_far_whatever_their_length() {
        let mut hashing = Hashing::start();
        let mut all = Vec::new();
        for length in [0, 1, 700, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES, 5] {
            let line: Vec<u8> = (0..=250).cycle().take(length).collect();
            hashing.add(&line);
            all.extend(line);
            all.push(b'\n');
            let expected: [u8; 32] = Sha256::digest(&all).into();
            assert_eq!(hashing.so_far(), expected, "up to {length} bytes");
        }
    }

    #[test]
    fn nobody_has_to_ask() {
        let mut hashing = Hashing::start();
        hashing.add(b"a line");
        drop(hashing);
    }
}
