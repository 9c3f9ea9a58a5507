//! The digest over the lines of a bundle.

use std::fmt::Debug;

use sha2::{Digest, Sha256};

/// SHA-256 of lines, each with its LF, wherever it is computed: it needs nothing but the bytes, so that whoever has a second
/// core can compute it there.
pub trait LinesDigest: Debug + Send {
    /// Takes the next line, without its LF.
    fn add(&mut self, line: &[u8]);

    /// The digest of those taken so far.
    fn so_far(&mut self) -> [u8; 32];
}

/// Computed where lines are read.
#[derive(Debug, Default)]
pub(super) struct Here(Sha256);

impl LinesDigest for Here {
    fn add(&mut self, line: &[u8]) {
        self.0.update(line);
        self.0.update(b"\n");
    }

    fn so_far(&mut self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}
