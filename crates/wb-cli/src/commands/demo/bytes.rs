//! Looking for words in files, as they are in the bytes.

use std::path::Path;

use anyhow::Result;

/// Counts the files of a folder that hold some words.
pub fn files_with(dir: &Path, words: &str) -> Result<usize> {
    let mut found = 0;
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path)?;
            let mut windows = bytes.windows(words.len());
            found += usize::from(windows.any(|window| window == words.as_bytes()));
        }
    }
    Ok(found)
}
