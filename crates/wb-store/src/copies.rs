//! Copies of everything an instance is, as of one moment, while others go on writing.
//!
//! Readers are opened on the databases while writing of the main file is locked, and the lock is given up
//! before anything is copied: what those readers see does not change any more. An act that writes to both
//! files can be cut in two by that moment as by a crash, and repeats safely (decision 0009).

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use wb_core::backup::PartName;

use crate::doctor::check_sqlite;
use crate::error::{Result, StoreError};
use crate::home::{Home, write_private_file};
use crate::instances::identity_log;
use crate::open::BUSY_TIMEOUT;
use crate::scratch::{Purpose, Scratch};
use crate::store::Store;
use crate::unwritable::Unwritable;

/// Pages that are copied between two looks at whether to go on.
const PAGES_PER_STEP: i32 = 512;

/// Called with what was done and how much there is; `Break` stops.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64) -> ControlFlow<()>;

/// The copies; they go with this value.
#[derive(Debug)]
pub struct Copies {
    scratch: Scratch,
    /// What was copied, in the order in which it stands in a backup.
    pub names: Vec<PartName>,
    /// The format of each database.
    pub formats: BTreeMap<String, u64>,
}

impl Copies {
    /// The copy of a part.
    #[must_use]
    pub fn path(&self, name: PartName) -> PathBuf {
        self.scratch.file(name.as_str())
    }
}

impl Home {
    /// Where a part of a backup has its place.
    #[must_use]
    pub fn part(&self, name: PartName) -> PathBuf {
        self.dir().join(name.as_str())
    }
}

impl Store {
    /// Copies everything into a private folder of this home. Without `hub` what a hub relays is left out.
    ///
    /// # Errors
    /// `Damaged` when SQLite finds a copy unsound, `Stopped`, or what stands in the way.
    pub fn copy_all(&self, hub: bool, progress: Progress<'_>) -> Result<Copies> {
        // SQLite calls a log whose index finds no room a failure of the disk.
        let without_room =
            |error: &StoreError| matches!(error, StoreError::Sqlite(_)) && error.is_full();
        self.copy_parts(hub, progress).map_err(|error| {
            if without_room(&error) {
                StoreError::Unwritable(self.home().dir().to_owned(), Unwritable::Full)
            } else {
                error
            }
        })
    }

    fn copy_parts(&self, hub: bool, progress: Progress<'_>) -> Result<Copies> {
        let home = self.home();
        let scratch =
            Scratch::new(home.dir(), Purpose::Copy).map_err(StoreError::io(home.dir()))?;
        let locked = open(&home.main())?;
        locked.execute_batch("BEGIN IMMEDIATE")?;
        let mut databases = vec![PartName::Main, PartName::Private];
        databases.extend((hub && home.hub().exists()).then_some(PartName::Hub));
        let readers = databases.iter().map(|name| {
            let reader = open(&home.part(*name))?;
            // The first look decides what it sees from then on.
            reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
            Ok((*name, reader))
        });
        let readers: Vec<(PartName, Connection)> = readers.collect::<Result<_>>()?;
        // The next key before the key: one that takes its place in between is then in the copy twice, and
        // not at all the other way round.
        let mut names = vec![PartName::Identity];
        for name in [PartName::NextKey, PartName::Key, PartName::Config] {
            if copy_file(&home.part(name), &scratch.file(name.as_str()))? {
                names.push(name);
            }
        }
        locked.execute_batch("ROLLBACK")?;
        drop(locked);
        let mut formats = BTreeMap::new();
        let total = sizes(&readers)?;
        let mut done = 0;
        for (name, reader) in &readers {
            let to = scratch.file(name.as_str());
            copy_database(reader, &to, &mut |pages| progress(done + pages, total))?;
            done += sizes(std::slice::from_ref(&(*name, reader)))?;
            formats.insert(name.to_string(), version(reader)?);
            names.push(*name);
        }
        let (_, main) = readers.first().expect("the main file is the first");
        let own = self.own_id()?;
        let log = identity_log(main, &own)?
            .ok_or_else(|| StoreError::damaged("the own identity log is missing"))?;
        let mut lines = Vec::new();
        for entry in log.entries() {
            lines.extend_from_slice(&entry.line);
            lines.push(b'\n');
        }
        write_private_file(&scratch.file(PartName::Identity.as_str()), &lines)?;
        names.sort_unstable();
        Ok(Copies {
            scratch,
            names,
            formats,
        })
    }
}

/// Opens a file without changing its format.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Copies what a connection sees into a new file, and looks whether the copy is sound.
pub(crate) fn copy_database(
    from: &Connection,
    to: &Path,
    going: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<()> {
    make_private(to)?;
    let mut copy = Connection::open(to)?;
    {
        let backup = Backup::new(from, &mut copy)?;
        loop {
            let step = backup.step(PAGES_PER_STEP)?;
            let progress = backup.progress();
            let pages = u64::try_from(progress.pagecount - progress.remaining).unwrap_or(0);
            if going(pages).is_break() {
                return Err(StoreError::Stopped);
            }
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                // The reader has its moment already, so nobody keeps it from reading for long.
                _ => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        }
    }
    let looked = check_sqlite(&copy)?;
    if let Some(problem) = looked.problems.first() {
        let name = to.file_name().unwrap_or_default().display();
        return Err(StoreError::damaged(format!("{name}: {problem}")));
    }
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn sizes(readers: &[(PartName, impl std::borrow::Borrow<Connection>)]) -> Result<u64> {
    let mut pages = 0;
    for (_, reader) in readers {
        let count: i64 = reader
            .borrow()
            .query_row("PRAGMA page_count", [], |row| row.get(0))?;
        pages += u64::try_from(count).unwrap_or(0);
    }
    Ok(pages)
}

/// The format of a file that is open.
pub(crate) fn version(connection: &Connection) -> Result<u64> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(u64::try_from(version).unwrap_or(0))
}

/// Copies a small file, where there is one.
fn copy_file(from: &Path, to: &Path) -> Result<bool> {
    match std::fs::read(from) {
        Ok(bytes) => write_private_file(to, &bytes).map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io(from)(error)),
    }
}

/// Makes an empty file that only its owner can read.
fn make_private(path: &Path) -> Result<()> {
    write_private_file(path, &[])
}
