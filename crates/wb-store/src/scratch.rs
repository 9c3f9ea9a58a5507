//! A private folder for the time of one act. It goes with the value that holds it; what a killed process
//! leaves behind is swept by the next that opens the same home.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Locked in the folder while it is in use.
const IN_USE: &str = "in-use";

/// How the folders of an act begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A copy of the database of another program.
    Legacy,
    /// Copies that go into a backup, or that an upgrade is tried on.
    Copy,
    /// What a backup is unpacked into.
    Restore,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Legacy, Self::Copy, Self::Restore];

    fn prefix(self) -> &'static str {
        match self {
            Self::Legacy => "wb-legacy-",
            Self::Copy => "wb-copy-",
            Self::Restore => "wb-restore-",
        }
    }
}

/// A folder that only its owner can read.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: TempDir,
    _in_use: File,
}

impl Scratch {
    /// Makes one below `parent`.
    pub fn new(parent: &Path, purpose: Purpose) -> io::Result<Self> {
        let dir = private_dir(parent, purpose)?;
        let in_use = File::create_new(dir.path().join(IN_USE))?;
        in_use.lock()?;
        Ok(Self {
            dir,
            _in_use: in_use,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn private_dir(parent: &Path, purpose: Purpose) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(purpose.prefix());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(parent)
}

/// Removes folders below `parent` that nobody uses: they hold what is private. What cannot be removed now
/// is tried again another time.
pub(crate) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries
        .flatten()
        .filter(|entry| is_ours(&entry.file_name()))
    {
        let dir = entry.path();
        match File::open(dir.join(IN_USE)) {
            Ok(file) if file.try_lock().is_ok() => drop(fs::remove_dir_all(&dir)),
            Ok(_) => {}
            // Nothing was put into it yet: an empty folder goes, and any other stays.
            Err(_) => drop(fs::remove_dir(&dir)),
        }
    }
}

fn is_ours(name: &OsStr) -> bool {
    let starts = |purpose: &Purpose| {
        name.as_encoded_bytes()
            .starts_with(purpose.prefix().as_bytes())
    };
    Purpose::ALL.iter().any(starts)
}
