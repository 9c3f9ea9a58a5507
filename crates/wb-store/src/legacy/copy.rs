//! A private copy of the database, so that the folder of the source is never written to.
//!
//! Even a reader of SQLite writes: in WAL mode it makes `-shm` and `-wal`, and after a crash it rolls
//! back. So the database is copied with what stands beside it, and all of that happens to the copy.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{FILE_BYTES_MAX, LegacyError};
use crate::scratch::{Purpose, Scratch};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Ends a journal that names a super-journal, a file elsewhere that SQLite would delete.
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// What SQLite may need beside the database; `-shm` it makes anew.
const BESIDE: [&str; 2] = ["-wal", "-journal"];
/// How often a file that changes is copied again.
const ATTEMPTS_MAX: usize = 3;

/// Size and time of a file, if it is there.
type FileState = Option<(u64, Option<SystemTime>)>;

/// A copy that is removed when it is dropped.
pub(super) struct Copy {
    dir: Scratch,
}

impl Copy {
    /// The database in the copy.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.file("app.db")
    }
}

/// Copies the database and what stands beside it.
pub(super) fn take(path: &Path, scratch: &Path) -> Result<Copy, LegacyError> {
    // Links are followed first: SQLite keeps its other files beside the real one.
    let path = path
        .canonicalize()
        .map_err(|source| cannot_read(path, source))?;
    let found = fs::metadata(&path).map_err(|source| cannot_read(&path, source))?;
    if !found.is_file() {
        return Err(LegacyError::NotAFile(path));
    }
    check_head(&path)?;
    let failed = |source| LegacyError::Scratch {
        path: scratch.to_owned(),
        source,
    };
    let dir = Scratch::new(scratch, Purpose::Legacy).map_err(failed)?;
    let copy = Copy { dir };
    for _ in 0..ATTEMPTS_MAX {
        let before = state(&path)?;
        copy_file(&path, &copy.path())?;
        for suffix in BESIDE {
            copy_beside(
                &with_suffix(&path, suffix),
                &with_suffix(&copy.path(), suffix),
            )?;
        }
        if state(&path)? == before {
            check_journal(&with_suffix(&copy.path(), "-journal"), &path)?;
            return Ok(copy);
        }
    }
    Err(LegacyError::Changing(path))
}

fn cannot_read(path: &Path, source: io::Error) -> LegacyError {
    LegacyError::Read {
        path: path.to_owned(),
        source,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn check_head(path: &Path) -> Result<(), LegacyError> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head))
        .map_err(|source| cannot_read(path, source))?;
    match head.as_slice() {
        [] => Err(LegacyError::Empty(path.to_owned())),
        head if head == MAGIC => Ok(()),
        _ => Err(LegacyError::NotSqlite(path.to_owned())),
    }
}

/// Sizes and times of the database and what stands beside it.
fn state(path: &Path) -> Result<Vec<FileState>, LegacyError> {
    let files = [path.to_owned()]
        .into_iter()
        .chain(BESIDE.map(|suffix| with_suffix(path, suffix)));
    files
        .map(|file| match fs::metadata(&file) {
            Ok(found) => Ok(Some((found.len(), found.modified().ok()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(cannot_read(&file, error)),
        })
        .collect()
}

fn copy_beside(from: &Path, to: &Path) -> Result<(), LegacyError> {
    match fs::metadata(from) {
        Ok(found) if found.is_file() => match copy_file(from, to) {
            // A journal may go at any time; whether that matters is seen in the state.
            Err(LegacyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                remove(to)
            }
            other => other,
        },
        Ok(_) => Err(LegacyError::NotAFile(from.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => remove(to),
        Err(error) => Err(cannot_read(from, error)),
    }
}

fn remove(copy: &Path) -> Result<(), LegacyError> {
    match fs::remove_file(copy) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(LegacyError::Scratch {
            path: copy.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Copies bytes but not permissions: a read-only source must give a copy that can be rolled back.
fn copy_file(from: &Path, to: &Path) -> Result<(), LegacyError> {
    let mut source = File::open(from).map_err(|source| cannot_read(from, source))?;
    let bytes = source
        .metadata()
        .map_err(|source| cannot_read(from, source))?
        .len();
    if bytes > FILE_BYTES_MAX {
        let path = from.to_owned();
        return Err(LegacyError::TooLarge {
            path,
            bytes,
            max: FILE_BYTES_MAX,
        });
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(to)
        .and_then(|mut copy| io::copy(&mut (&mut source).take(FILE_BYTES_MAX), &mut copy))
        .map(|_| ())
        .map_err(|source| LegacyError::Scratch {
            path: to.to_owned(),
            source,
        })
}

/// A journal may name another file, which SQLite deletes after rolling back: a crafted one could name
/// any file, so no such journal is played.
fn check_journal(journal: &Path, path: &Path) -> Result<(), LegacyError> {
    let scratch = |source| LegacyError::Scratch {
        path: journal.to_owned(),
        source,
    };
    let mut file = match File::open(journal) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(scratch(error)),
    };
    let mut end = [0; JOURNAL_MAGIC.len()];
    if file.metadata().map_err(scratch)?.len() < end.len() as u64 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-8))
        .and_then(|_| file.read_exact(&mut end))
        .map_err(scratch)?;
    if end == JOURNAL_MAGIC {
        return Err(LegacyError::LinkedJournal(with_suffix(path, "-journal")));
    }
    Ok(())
}
