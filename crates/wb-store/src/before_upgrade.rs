//! What is kept of a database before it is brought to a newer format, and the way back to it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::copies::{copy_database, open, version};
use crate::error::{Result, StoreError};
use crate::home::Home;
use crate::open::{Database, MAIN, PRIVATE, RELAY};

/// Days after which such a copy is removed: what was erased since is still in it.
pub const SNAPSHOT_DAYS: u64 = 30;
const DAY: Duration = Duration::from_secs(86_400);
const ENDING: &str = ".bak";

/// `wb.db.v2.bak`
fn snapshot_path(path: &Path, format: i64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".v{format}{ENDING}"));
    PathBuf::from(name)
}

/// Copies a database beside itself: whole or not at all, and on the disk when this returns. Call it while
/// the file is locked.
pub(crate) fn keep(path: &Path, format: i64) -> Result<PathBuf> {
    let kept = snapshot_path(path, format);
    let mut new = kept.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let reader = open(path)?;
    // What an earlier try left behind would be copied into.
    remove(&new)?;
    let copied = copy_database(&reader, &new, &mut |_| ControlFlow::Continue(()));
    let placed = copied.and_then(|()| {
        let sync = |path: &Path| fs::File::open(path)?.sync_all();
        let placed = sync(&new).and_then(|()| fs::rename(&new, &kept));
        let placed = placed.and_then(|()| sync(kept.parent().unwrap_or(Path::new("."))));
        placed.map_err(StoreError::io(&kept))
    });
    if placed.is_err() {
        let _ = fs::remove_file(&new);
    }
    placed.map(|()| kept)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io(path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes the copies of a database but the latest.
pub(crate) fn keep_only(path: &Path, latest: &Path) {
    for (old, _) in snapshots(path) {
        if old != latest {
            // Tried again with the next upgrade, or when it is old.
            let _ = fs::remove_file(old);
        }
    }
}

/// The copies of a database, with their formats.
fn snapshots(path: &Path) -> Vec<(PathBuf, i64)> {
    let (Some(dir), Some(name)) = (
        path.parent(),
        path.file_name().and_then(|name| name.to_str()),
    ) else {
        return Vec::new();
    };
    let prefix = format!("{name}.v");
    let format_of = |file: &str| -> Option<i64> {
        file.strip_prefix(&prefix)?
            .strip_suffix(ENDING)?
            .parse()
            .ok()
    };
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let format = format_of(entry.file_name().to_str()?)?;
            Some((entry.path(), format))
        })
        .collect()
}

impl Home {
    /// Removes all copies from before an upgrade, and gives those that cannot be removed.
    #[must_use]
    pub fn drop_snapshots(&self) -> Vec<PathBuf> {
        let databases = [self.main(), self.private(), self.hub()];
        let snapshots = databases.iter().flat_map(|path| snapshots(path));
        snapshots
            .map(|(path, _)| path)
            .filter(|path| fs::remove_file(path).is_err())
            .collect()
    }

    /// Removes copies from before an upgrade that are older than [`SNAPSHOT_DAYS`]; gives those that went.
    /// What cannot be removed is tried again another time.
    #[must_use]
    pub fn drop_old_snapshots(&self, now: SystemTime) -> Vec<PathBuf> {
        let databases = [self.main(), self.private(), self.hub()];
        let snapshots = databases.iter().flat_map(|path| snapshots(path));
        let is_old = |path: &PathBuf| {
            let made = fs::metadata(path).and_then(|found| found.modified());
            let age = made.ok().and_then(|made| now.duration_since(made).ok());
            age.is_some_and(|age| age.as_secs() / DAY.as_secs() >= SNAPSHOT_DAYS)
        };
        snapshots
            .map(|(path, _)| path)
            .filter(|path| is_old(path) && fs::remove_file(path).is_ok())
            .collect()
    }
}

/// The command that brings the databases of a folder back to what they were before a newer program
/// changed them, where the copies for that are there.
pub(crate) fn way_back(path: &Path) -> Option<String> {
    let dir = path.parent()?;
    let is_newer = |database: &Database| {
        let path = dir.join(database.name);
        let found = open(&path).and_then(|file| version(&file));
        path.exists()
            && found.is_ok_and(|found| i64::try_from(found).unwrap_or(i64::MAX) > database.newest())
    };
    let newer: Vec<Database> = [MAIN, PRIVATE, RELAY]
        .into_iter()
        .filter(is_newer)
        .collect();
    let mut command = format!("cd {} && mkdir newer", quoted(dir));
    for database in &newer {
        let name = database.name;
        let snapshot = snapshot_path(Path::new(name), database.newest());
        if !dir.join(&snapshot).exists() {
            return None;
        }
        let snapshot = snapshot.display();
        command.push_str(&format!(
            " && mv {name}* newer/ && mv newer/{snapshot} {name}"
        ));
    }
    (!newer.is_empty()).then_some(command)
}

/// A path as it stands in a command of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
