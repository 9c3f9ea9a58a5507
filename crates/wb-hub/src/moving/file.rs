//! A hub's file as one that is moved from, and one that is moved into.

use std::path::{Path, PathBuf};

use wb_store::StoreError;
use wb_store::relay::contents::{ContentsOfFile, FileFromContents};

use super::{Batches, Filling, Giving, Row, Rows, Table};

/// A hub's file that is read.
#[derive(Debug, Clone)]
pub struct FileRows {
    path: PathBuf,
}

impl FileRows {
    /// The file at a path. Nobody may write to it while it is read.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }
}

impl Rows for FileRows {
    fn read(&self, table: Table) -> Batches {
        let (mut giving, batches) = Giving::begin(table);
        let path = self.path.clone();
        std::thread::spawn(move || {
            let read = ContentsOfFile::open(&path)
                .and_then(|contents| contents.read(table, &mut |row| giving.give(row)));
            giving.end(read.map_err(|error| error.to_string()));
        });
        batches
    }
}

/// A hub's file that is made.
#[derive(Debug)]
pub struct FileFilling {
    path: PathBuf,
    file: FileFromContents,
}

impl FileFilling {
    /// Begins a file where there is none.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.to_owned(),
            file: FileFromContents::begin(path)?,
        })
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// What the database or the operating system reports.
    pub fn finish(self) -> Result<FileRows, StoreError> {
        self.file.finish()?;
        Ok(FileRows { path: self.path })
    }
}

impl Rows for FileFilling {
    fn read(&self, table: Table) -> Batches {
        FileRows::new(&self.path).read(table)
    }
}

impl Filling for FileFilling {
    fn write(&mut self, table: Table, rows: Vec<Row>) -> Result<(), String> {
        let written = self.file.write(table, &rows);
        written.map_err(|error| error.to_string())
    }
}
