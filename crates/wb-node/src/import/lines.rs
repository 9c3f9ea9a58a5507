//! Reading the lines of a bundle, plain or compressed, within limits.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use wb_core::limits::{
    BUNDLE_BYTES_MAX, BUNDLE_RATIO_FREE_BYTES, BUNDLE_RATIO_MAX, LINE_BYTES_MAX,
};

use super::ahead::Ahead;
use crate::error::{NodeError, Result};

/// The first bytes of a zstd stream.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Memory that a compressed file may ask for, as a power of two; what zstd itself needs at level 19.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Lines of a bundle, one at a time.
pub struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// Bytes of the reader's buffer that the last line was lent from.
    lent: usize,
    /// The last line, where it did not lie in the buffer whole.
    line: Vec<u8>,
    plain_bytes: u64,
    file_bytes: u64,
}

/// What reading a line came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A line, without its LF.
    Line(&'a [u8]),
    /// The file ended after the last LF.
    End,
    /// The file ended within a line, or cannot be unpacked any further.
    Cut,
}

impl Lines {
    /// Opens a file; tells by its first bytes whether it is compressed.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(NodeError::file(path))?;
        let file_bytes = file.metadata().map_err(NodeError::file(path))?.len();
        let mut magic = Vec::new();
        (&mut file)
            .take(ZSTD_MAGIC.len() as u64)
            .read_to_end(&mut magic)
            .map_err(NodeError::file(path))?;
        let is_zstd = magic == ZSTD_MAGIC;
        let whole = std::io::Cursor::new(magic).chain(file);
        let reader: Box<dyn BufRead + Send> = if is_zstd {
            let mut decoder =
                zstd::stream::read::Decoder::new(whole).map_err(NodeError::file(path))?;
            decoder
                .window_log_max(ZSTD_WINDOW_LOG_MAX)
                .map_err(NodeError::file(path))?;
            Box::new(Ahead::new(decoder).map_err(NodeError::file(path))?)
        } else {
            Box::new(BufReader::new(whole))
        };
        Ok(Self {
            reader,
            lent: 0,
            line: Vec::new(),
            plain_bytes: 0,
            file_bytes,
        })
    }

    /// Bytes read so far, before compression.
    #[must_use]
    pub fn plain_bytes(&self) -> u64 {
        self.plain_bytes
    }

    /// Reads the next line. A line longer than the limit comes cut one byte above it, so that the
    /// rules refuse it and memory stays bounded.
    ///
    /// # Errors
    /// What the operating system reports, or that a limit is exceeded.
    pub fn next(&mut self, path: &Path) -> Result<Next<'_>> {
        self.reader.consume(std::mem::take(&mut self.lent));
        let whole = match self.whole_line() {
            Ok(whole) => whole,
            Err(error) => return failed(error, path),
        };
        if let Some(length) = whole {
            self.lent = length + 1;
            self.plain_bytes += self.lent as u64;
            self.check_size(path)?;
            // It is in the buffer: nothing is read for it.
            let buffer = self.reader.fill_buf().map_err(NodeError::file(path))?;
            return Ok(Next::Line(&buffer[..length]));
        }
        self.line.clear();
        let limit = LINE_BYTES_MAX as u64 + 2;
        let read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut self.line);
        let read = match read {
            Ok(read) => read,
            Err(error) => return failed(error, path),
        };
        self.plain_bytes += read as u64;
        self.check_size(path)?;
        if read == 0 {
            return Ok(Next::End);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Ok(Next::Line(&self.line));
        }
        if self.line.len() > LINE_BYTES_MAX {
            self.line.truncate(LINE_BYTES_MAX + 1);
            return Ok(Next::Line(&self.line));
        }
        Ok(Next::Cut)
    }

    /// The length of the next line, where the reader's buffer has all of it.
    fn whole_line(&mut self) -> std::io::Result<Option<usize>> {
        let buffer = self.reader.fill_buf()?;
        let buffer = &buffer[..buffer.len().min(LINE_BYTES_MAX + 1)];
        Ok(memchr::memchr(b'\n', buffer))
    }

    fn check_size(&self, path: &Path) -> Result<()> {
        let too_large = |what| {
            Err(NodeError::TooLarge {
                path: path.to_owned(),
                what,
            })
        };
        if self.plain_bytes > BUNDLE_BYTES_MAX {
            return too_large("a bundle has at most 64 GiB before compression");
        }
        let allowed = self
            .file_bytes
            .saturating_mul(BUNDLE_RATIO_MAX)
            .max(BUNDLE_RATIO_FREE_BYTES);
        if self.plain_bytes > allowed.max(self.file_bytes) {
            return too_large("it unpacks to more than 200 times its size; no honest bundle does");
        }
        Ok(())
    }
}

/// What zstd finds wrong has no number of the operating system: the file is damaged here.
fn failed<'a>(error: std::io::Error, path: &Path) -> Result<Next<'a>> {
    if error.raw_os_error().is_none() {
        return Ok(Next::Cut);
    }
    Err(NodeError::file(path)(error))
}
