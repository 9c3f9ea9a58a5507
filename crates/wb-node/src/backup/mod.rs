//! The backup file: age around zstd around a manifest and its parts (spec: backups).
//!
//! Here are bytes; what goes into a backup and what becomes of one that is restored is of the commands.

mod error;
mod names;
mod read;
mod secret;
mod write;

pub use error::BackupError;
pub use names::{name_of, ours, rotate, stamp};
pub use read::{Opened, needs_passphrase, open};
pub use secret::{Lock, PASSPHRASE_CHARS_MIN, Secret, recipient_of, words_in};
pub use write::{Checked, Unchecked, parts, write};

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use wb_core::id::Hash;

use crate::error::{NodeError, Result};

/// Bytes that are moved at once.
const CHUNK_BYTES: usize = 128 * 1_024;

/// The size and hash of a file.
fn hash_file(path: &Path) -> Result<(u64, Hash)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut file = File::open(path).map_err(NodeError::file(path))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk).map_err(NodeError::file(path))?;
        if read == 0 {
            return Ok((bytes, finish(hash)));
        }
        hash.update(&chunk[..read]);
        bytes += read as u64;
    }
}

fn finish(hash: Sha256) -> Hash {
    Hash(hash.finalize().into())
}
