//! The folder of one node: where its files are, and that nobody else can read them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Result, StoreError};
use crate::unlock::{AskPassphrase, Unlock};

/// Paths inside the home folder.
#[derive(Debug, Clone)]
pub struct Home {
    dir: PathBuf,
    unlock: Unlock,
}

impl Home {
    /// Names a folder; it need not exist yet.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            unlock: Unlock::default(),
        }
    }

    /// The same folder, with somebody who can be asked for the passphrase of its key.
    #[must_use]
    pub fn asking(self, ask: AskPassphrase) -> Self {
        Self {
            unlock: Unlock::asking(ask),
            ..self
        }
    }

    /// What opens its signing key where that is behind a passphrase.
    #[must_use]
    pub fn unlock(&self) -> &Unlock {
        &self.unlock
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The main file.
    #[must_use]
    pub fn main(&self) -> PathBuf {
        self.dir.join("wb.db")
    }

    /// The private file.
    #[must_use]
    pub fn private(&self) -> PathBuf {
        self.dir.join("private.db")
    }

    /// The file of the hub that this instance is, where it is one.
    #[must_use]
    pub fn hub(&self) -> PathBuf {
        self.dir.join("hub.db")
    }

    /// The signing key: 64 hex digits, readable by its owner only.
    #[must_use]
    pub fn signing_key(&self) -> PathBuf {
        self.dir.join("signing.key")
    }

    /// The signing key that comes next, while the identity entry that names it is being written.
    #[must_use]
    pub fn next_signing_key(&self) -> PathBuf {
        self.dir.join("signing.key.next")
    }

    /// Held while the signing key is changed: nobody else finishes or drops what is half done.
    #[must_use]
    pub fn key_lock(&self) -> PathBuf {
        self.dir.join("key.lock")
    }

    /// The guard against restored copies; never part of a backup.
    #[must_use]
    pub fn guard(&self) -> PathBuf {
        self.dir.join("guard.json")
    }

    /// Turns at peers, which tell two running copies apart; never part of a backup.
    #[must_use]
    pub fn turn(&self) -> PathBuf {
        self.dir.join("turn.json")
    }

    /// Salted hashes of accounts that were erased; never part of a backup.
    #[must_use]
    pub fn erased(&self) -> PathBuf {
        self.dir.join("erased.json")
    }

    /// The settings file; optional.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// Whether an instance lives here: its identity is what counts, so the key file.
    #[must_use]
    pub fn is_founded(&self) -> bool {
        self.signing_key().exists()
    }

    /// Makes the folder, readable by its owner only, and waits until its name is on the disk: what is
    /// written into it later would be lost with it.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn create(&self) -> Result<()> {
        let above = self.dir.ancestors();
        let missing: Vec<&Path> = above.take_while(|dir| !is_there(dir)).collect();
        fs::create_dir_all(&self.dir).map_err(StoreError::io(&self.dir))?;
        restrict(&self.dir, 0o700)?;
        for dir in missing {
            sync_names(folder_of(dir)).map_err(StoreError::io(dir))?;
        }
        Ok(())
    }
}

/// The folder a name stands in. The parent of a bare name is empty and means the current folder, which is
/// always there.
fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().unwrap_or(path);
    if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    }
}

fn is_there(dir: &Path) -> bool {
    dir.as_os_str().is_empty() || dir.exists()
}

/// Waits until the names in a folder are on the disk: a name is safe once its folder was synced.
pub(crate) fn sync_names(dir: &Path) -> std::io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(StoreError::io(path))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> Result<()> {
    Ok(())
}

/// Makes an existing file readable by its owner only.
pub(crate) fn restrict_file(path: &Path) -> Result<()> {
    restrict(path, 0o600)
}

/// Puts a file in the place of another, and waits until that is on the disk.
///
/// # Errors
/// What the operating system reports.
pub fn replace_file(new: &Path, old: &Path) -> Result<()> {
    fs::rename(new, old)
        .and_then(|()| sync_names(folder_of(old)))
        .map_err(StoreError::io(old))
}

/// Removes a file, and waits until its name is gone from the disk. One that is not there is no error.
///
/// # Errors
/// What the operating system reports.
pub fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io(path)(error))
        }
        _ => sync_names(folder_of(path)).map_err(StoreError::io(path)),
    }
}

/// How many private files this process began to write.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Writes a file that only its owner can read: whole or not at all, and on the disk when this
/// returns.
///
/// # Errors
/// What the operating system reports; the old file stays then.
pub fn write_private_file(path: &Path, bytes: &[u8]) -> Result<()> {
    exchange_private_file(path, bytes)?;
    // The rename itself must survive a power cut.
    sync_names(folder_of(path)).map_err(StoreError::io(path))
}

/// The same, without waiting until its name is on the disk: after a power cut the file is this one or the one before, whole
/// either way.
///
/// # Errors
/// What the operating system reports; the old file stays then.
pub fn exchange_private_file(path: &Path, bytes: &[u8]) -> Result<()> {
    // One name a writing, so that no two write into each other's: neither processes, nor two threads that open the same
    // folder after a crash and bring its guard up to date.
    let nth = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("new-{}-{nth}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error| {
        // As well as it goes: a file of half a guard helps nobody.
        let _ = fs::remove_file(&temporary);
        StoreError::io(path)(error)
    })
}

/// The process that the ending of an unfinished file names; before there was a number of the writing, nothing else.
fn process_of_unfinished(ending: &str) -> Option<u32> {
    let name = ending.strip_prefix("new-")?;
    let (process, _) = name.split_once('-').unwrap_or((name, ""));
    process.parse().ok()
}

/// Removes what a process left that ended while it wrote a private file.
pub(crate) fn sweep_unfinished(dir: &Path) {
    let Ok(files) = fs::read_dir(dir) else { return };
    for path in files.filter_map(|file| Some(file.ok()?.path())) {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let process = ending.and_then(process_of_unfinished);
        // Whoever runs may be writing. Where nobody can tell, nothing is removed.
        let is_over = process.is_some_and(|process| {
            process != std::process::id()
                && Path::new("/proc/self").exists()
                && !Path::new("/proc").join(process.to_string()).exists()
        });
        if is_over {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node that was killed is asked by a peer while it starts: both that open it write its guard, and one of them
    /// found that its file was gone.
    #[test]
    fn two_threads_that_write_one_file_both_write_it_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("guard.json");
        let texts = [b"a".repeat(4_000), b"b".repeat(3_000)];
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| {
                    for _ in 0..200 {
                        write_private_file(&path, text).unwrap();
                    }
                });
            }
        });
        assert!(texts.contains(&fs::read(&path).unwrap()));
        let left = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, 1, "something unfinished is left");
    }

    #[test]
    fn what_a_process_left_that_is_gone_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["a.new-999999999-3", "a.new-999999999", "a.new-x"];
        for name in names {
            fs::write(dir.path().join(name), "half").unwrap();
        }
        let own = format!("a.new-{}-7", std::process::id());
        fs::write(dir.path().join(&own), "half").unwrap();
        sweep_unfinished(dir.path());
        let left = fs::read_dir(dir.path()).unwrap();
        let mut left: Vec<String> = left
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut kept = vec![own, "a.new-x".to_owned()];
        kept.sort();
        assert_eq!(left, kept);
    }
}
