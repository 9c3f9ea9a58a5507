//! Bringing all databases of a folder to the newest format, and trying that on copies first.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::copies::{copy_database, open as open_as_it_is, version};
use crate::doctor::{Findings, check_sqlite};
use crate::error::{Result, StoreError};
use crate::home::{Home, write_private_file};
use crate::open::{self, Database, MAIN, Opening, PRIVATE, RELAY};
use crate::place::free_bytes;
use crate::relay::Relay;
use crate::scratch::{Purpose, Scratch};
use crate::store::Store;

/// How many times the size of a file an upgrade needs: the copy that is kept, and the log of the change.
const ROOM_PER_FILE: u64 = 3;
/// A check that says of every copy without its guard that it is a copy.
const GUARD_CHECK: &str = "guard against restored copies";

/// One database, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUpgrade {
    /// Its name.
    pub file: &'static str,
    /// The format it has.
    pub found: i64,
    /// The newest format known here.
    pub known: i64,
    /// Its size.
    pub bytes: u64,
    /// Why it cannot be brought there; none when it can, or need not.
    pub problem: Option<String>,
}

impl FileUpgrade {
    /// Whether there is something to do.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.found < self.known
    }
}

/// What trying an upgrade on copies came to.
#[derive(Debug)]
pub struct Rehearsal {
    /// Each database.
    pub files: Vec<FileUpgrade>,
    /// Everything `wb doctor` looks at, on the copies; empty where one could not be upgraded.
    pub findings: Findings,
    /// Room that the upgrade needs for its time.
    pub needed_bytes: u64,
    /// Room on the disk; none where the system does not say.
    pub free_bytes: Option<u64>,
}

impl Rehearsal {
    /// Whether the upgrade would go through.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let has_room = self.free_bytes.is_none_or(|free| free >= self.needed_bytes);
        let files = self.files.iter().all(|file| file.problem.is_none());
        let sound = self
            .findings
            .iter()
            .all(|finding| finding.problems.is_empty());
        has_room && files && sound
    }
}

fn databases(home: &Home) -> Vec<(Database, PathBuf)> {
    let all = [
        (MAIN, home.main()),
        (PRIVATE, home.private()),
        (RELAY, home.hub()),
    ];
    all.into_iter().filter(|(_, path)| path.exists()).collect()
}

fn look(database: Database, path: &Path) -> Result<FileUpgrade> {
    let found = i64::try_from(version(&open_as_it_is(path)?)?).unwrap_or(i64::MAX);
    let bytes = std::fs::metadata(path).map_err(StoreError::io(path))?.len();
    Ok(FileUpgrade {
        file: database.name,
        found,
        known: database.newest(),
        bytes,
        problem: None,
    })
}

/// Brings every database of a folder to the newest format. Gives what they were.
///
/// # Errors
/// `NoInstance`, `Newer`, `Upgrade`, or what stands in the way; a file that failed is as it was.
pub fn upgrade(home: &Home) -> Result<Vec<FileUpgrade>> {
    if !home.is_founded() {
        return Err(StoreError::NoInstance(home.dir().to_owned()));
    }
    let mut files = Vec::new();
    for (database, path) in databases(home) {
        files.push(look(database, &path)?);
        open::open(&path, database, Opening::Upgrade)?;
    }
    Ok(files)
}

/// Tries the upgrade of a folder on copies in it, and checks them as `wb doctor` does. Nothing of the
/// instance is changed.
///
/// # Errors
/// `NoInstance`, `Newer`, or what stands in the way of copying.
pub fn rehearse_upgrade(home: &Home) -> Result<Rehearsal> {
    if !home.is_founded() {
        return Err(StoreError::NoInstance(home.dir().to_owned()));
    }
    let scratch = Scratch::new(home.dir(), Purpose::Copy).map_err(StoreError::io(home.dir()))?;
    let copy = Home::new(scratch.path());
    let (mut files, mut needed_bytes) = (Vec::new(), 0);
    for (database, path) in databases(home) {
        let mut file = look(database, &path)?;
        if file.found > file.known {
            return Err(open::newer(&path, database, file.found));
        }
        let to = scratch.file(database.name);
        let reader = open_as_it_is(&path)?;
        reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
        copy_database(&reader, &to, &mut |_| ControlFlow::Continue(()))?;
        if file.is_due() {
            needed_bytes += file.bytes * ROOM_PER_FILE;
        }
        file.problem = open::open(&to, database, Opening::Upgrade)
            .and_then(|upgraded| check_sqlite(&upgraded))
            .map_or_else(
                |error| Some(error.to_string()),
                |looked| looked.problems.into_iter().next(),
            );
        files.push(file);
    }
    let mut findings = Findings::new();
    if files.iter().all(|file| file.problem.is_none()) {
        // Opening asks whether there is a key, and reads none.
        write_private_file(&copy.signing_key(), b"")?;
        findings = Store::open(&copy)?.check()?;
        findings.retain(|finding| finding.check != GUARD_CHECK);
        if copy.hub().exists() {
            findings.extend(Relay::existing(&copy.hub())?.check()?);
        }
    }
    Ok(Rehearsal {
        files,
        findings,
        needed_bytes,
        free_bytes: free_bytes(home.dir()),
    })
}
