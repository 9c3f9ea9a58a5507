//! Making the lines of a bundle that are not records, and counting what was written.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::id::{Hash, InstanceId};
use crate::scope::FeedScope;
use crate::signed::payload;

#[derive(Serialize)]
struct IdentityLine {
    section: &'static str,
    schema_version: u32,
    origin: InstanceId,
    entries: u64,
}

#[derive(Serialize)]
struct DeltasLine {
    section: &'static str,
    schema_version: u32,
    origin: InstanceId,
    scope: FeedScope,
    deltas: u64,
    items: u64,
}

#[derive(Serialize)]
struct EndLine {
    section: &'static str,
    schema_version: u32,
    lines: u64,
    sha256: Hash,
}

/// Counts and hashes the lines of a bundle while they are written.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    lines: u64,
    sha: Sha256,
}

impl Writer {
    /// Takes note of a line (without LF) that is being written.
    pub fn note(&mut self, line: &[u8]) {
        self.lines += 1;
        self.sha.update(line);
        self.sha.update(b"\n");
    }

    /// The line before an identity log.
    #[must_use]
    pub fn identity(origin: InstanceId, entries: u64) -> Vec<u8> {
        payload(&IdentityLine {
            section: "identity",
            schema_version: 1,
            origin,
            entries,
        })
    }

    /// The line before deltas.
    #[must_use]
    pub fn deltas(origin: InstanceId, scope: FeedScope, deltas: u64, items: u64) -> Vec<u8> {
        payload(&DeltasLine {
            section: "deltas",
            schema_version: 1,
            origin,
            scope,
            deltas,
            items,
        })
    }

    /// The last line.
    #[must_use]
    pub fn end(self) -> Vec<u8> {
        let sha256 = Hash(self.sha.finalize().into());
        payload(&EndLine {
            section: "end",
            schema_version: 1,
            lines: self.lines,
            sha256,
        })
    }
}
