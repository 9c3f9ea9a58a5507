//! Looking for words in files, as they are in the bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;

/// Files that were looked into, kept open.
///
/// When a process closes a file, every lock it holds on that file goes, those of SQLite as well. Another
/// process would then take a database in use here for one that nobody uses, and remove its log file.
#[derive(Debug, Default)]
pub struct LookedInto {
    open: Vec<File>,
}

impl LookedInto {
    /// Counts the files of a folder that hold some words.
    pub fn files_with(&mut self, dir: &Path, words: &str) -> Result<usize> {
        let mut found = 0;
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_file() {
                let mut file = File::open(&path)?;
                let mut bytes = Vec::new();
                let read = file.read_to_end(&mut bytes);
                self.open.push(file);
                read?;
                let mut windows = bytes.windows(words.len());
                found += usize::from(windows.any(|window| window == words.as_bytes()));
            }
        }
        Ok(found)
    }
}
