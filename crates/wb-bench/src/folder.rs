//! Folders of instances: copies, and paths as arguments.

use std::path::Path;

use crate::error::{BenchError, Result};

/// Copies the files of a folder; an instance has no folders in its own.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to).map_err(BenchError::file(to))?;
    for entry in std::fs::read_dir(from).map_err(BenchError::file(from))? {
        let entry = entry.map_err(BenchError::file(from))?;
        let target = to.join(entry.file_name());
        std::fs::copy(entry.path(), &target).map_err(BenchError::file(&target))?;
    }
    Ok(())
}

/// Makes a folder.
pub fn make(dir: &Path) -> Result<()> {
    std::fs::create_dir(dir).map_err(BenchError::file(dir))
}

/// Removes a folder with what is in it.
pub fn remove(dir: &Path) -> Result<()> {
    std::fs::remove_dir_all(dir).map_err(BenchError::file(dir))
}

/// A path as an argument.
pub fn text(path: &Path) -> Result<&str> {
    let text = path.to_str();
    text.ok_or_else(|| BenchError::Wrong(format!("{} is no text", path.display())))
}
