//! Where the pages of a snapshot wait until all have come: a file without a name in the home folder.
//!
//! Nothing is written to the database while the network is waited for, so that members can go on
//! writing; and a connection that breaks leaves nothing behind.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use wb_core::limits::BUNDLE_BYTES_MAX;

use crate::error::{NodeError, Result};

/// Lines that wait.
pub(crate) struct Spool {
    file: BufWriter<File>,
    dir: PathBuf,
    bytes: u64,
}

impl Spool {
    /// Makes an empty one.
    pub fn new(dir: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(dir).map_err(NodeError::file(dir))?;
        Ok(Self {
            file: BufWriter::new(file),
            dir: dir.to_owned(),
            bytes: 0,
        })
    }

    /// Bytes that were put.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Puts lines at the end, each with its LF.
    ///
    /// # Errors
    /// What the disk reports, or that it is more than any feed needs.
    pub fn put(&mut self, lines: &[u8]) -> Result<()> {
        self.bytes += lines.len() as u64;
        if self.bytes > BUNDLE_BYTES_MAX {
            return Err(NodeError::TooLarge {
                path: self.dir.clone(),
                what: "the snapshot goes on beyond 64 GiB; nothing of it was taken",
            });
        }
        self.file
            .write_all(lines)
            .map_err(NodeError::file(&self.dir))
    }

    /// Gives each line, without its LF, in order.
    pub fn each<E: From<NodeError>>(
        self,
        mut receive: impl FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let fail = NodeError::file(&self.dir);
        let open = || -> std::io::Result<BufReader<File>> {
            let mut file = self
                .file
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            Ok(BufReader::new(file))
        };
        let mut reader = open().map_err(fail)?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line);
            if read.map_err(NodeError::file(&self.dir))? == 0 {
                return Ok(());
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            receive(&line)?;
        }
    }
}
