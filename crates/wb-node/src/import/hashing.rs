//! The digest over the lines of a bundle, computed on a thread of its own: reading them strictly takes as long.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sha2::{Digest as _, Sha256};
use wb_core::bundle::LinesDigest;

use super::beside::Beside;

/// Bytes that cross at once.
const BLOCK_BYTES: usize = 262_144;
/// Blocks that wait to be hashed: a megabyte.
const BLOCKS_WAITING: usize = 4;

/// Something to do there.
#[derive(Debug)]
enum ToDo {
    /// These bytes come next.
    Add(Vec<u8>),
    /// The digest of what came so far is wanted.
    Tell(SyncSender<[u8; 32]>),
}

/// Computes the digest on another thread.
#[derive(Debug)]
pub struct Hashing {
    thread: Beside<ToDo>,
    block: Vec<u8>,
}

impl Hashing {
    /// Begins with no line.
    #[must_use]
    pub fn start() -> Self {
        Self {
            thread: Beside::start(BLOCKS_WAITING, hash_all),
            block: Vec::with_capacity(BLOCK_BYTES),
        }
    }

    fn hand_over(&mut self) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_BYTES));
        self.thread.give(ToDo::Add(block));
    }
}

fn hash_all(to_do: Receiver<ToDo>) {
    let mut sha = Sha256::new();
    for next in to_do {
        match next {
            ToDo::Add(bytes) => sha.update(bytes),
            // Who asked waits for it.
            ToDo::Tell(answer) => drop(answer.send(sha.clone().finalize().into())),
        }
    }
}

impl LinesDigest for Hashing {
    fn add(&mut self, line: &[u8]) {
        if self.block.len() + line.len() >= BLOCK_BYTES {
            self.hand_over();
        }
        self.block.extend_from_slice(line);
        self.block.push(b'\n');
    }

    fn so_far(&mut self) -> [u8; 32] {
        self.hand_over();
        let (answer, answered) = sync_channel(1);
        self.thread.give(ToDo::Tell(answer));
        answered.recv().expect("it answers everything")
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
