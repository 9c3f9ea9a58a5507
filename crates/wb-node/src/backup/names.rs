//! Names of backups in a folder, so that only those of this instance are ever removed.

use std::fs;
use std::path::{Path, PathBuf};

use wb_core::backup::{Keep, outlived};
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;

use crate::error::{NodeError, Result};

const ENDING: &str = ".wbk";
/// How the name of a backup ends while it is written.
pub(super) const PARTIAL: &str = ".partial";
/// Digits of the id in a name: two instances may keep backups in one folder.
const ID_DIGITS: usize = 16;

/// A moment as it stands in names of files: `20261129T113000123Z`.
#[must_use]
pub fn stamp(at: Timestamp) -> String {
    let text = at.to_string();
    text.chars()
        .filter(|c| !matches!(c, '-' | ':' | '.'))
        .collect()
}

fn prefix(instance: &InstanceId) -> String {
    let id = instance.to_string();
    format!("wb-{}-", id.get(..ID_DIGITS).unwrap_or_default())
}

/// The name of a backup of this instance.
#[must_use]
pub fn name_of(instance: &InstanceId, at: Timestamp) -> String {
    format!("{}{}{ENDING}", prefix(instance), stamp(at))
}

/// Whether a file is named as a backup of this instance, and of when it is then.
#[must_use]
pub fn ours(instance: &InstanceId, name: &str) -> Option<Timestamp> {
    let digits = name.strip_prefix(&prefix(instance))?.strip_suffix(ENDING)?;
    let part = |range: std::ops::Range<usize>| digits.get(range);
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(9..11)?,
        part(11..13)?,
        part(13..15)?,
        part(15..18)?
    );
    let at: Timestamp = text.parse().ok()?;
    // Another form of the same moment is not a name that is made here.
    (name_of(instance, at) == name).then_some(at)
}

/// Removes backups of this instance that have outlived their time, and what killed processes left behind.
/// Gives the files that were removed.
///
/// # Errors
/// That the folder cannot be read, or a file not be removed.
pub fn rotate(dir: &Path, instance: &InstanceId, keep: Keep) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(NodeError::file(dir))? {
        let name = entry.map_err(NodeError::file(dir))?.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(partial) = name.strip_suffix(PARTIAL) {
            if ours(instance, partial).is_some() {
                remove_left_behind(&dir.join(name));
            }
        } else if let Some(at) = ours(instance, name) {
            found.push((at, dir.join(name)));
        }
    }
    let times: Vec<Timestamp> = found.iter().map(|(at, _)| *at).collect();
    let gone = outlived(&times, keep);
    let mut removed = Vec::new();
    for (at, path) in found {
        if gone.contains(&at) {
            fs::remove_file(&path).map_err(NodeError::file(&path))?;
            removed.push(path);
        }
    }
    Ok(removed)
}

/// What is being written is locked by who writes it.
fn remove_left_behind(path: &Path) {
    let is_free = fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    if is_free {
        // It is tried again with the next backup.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_and_of_when_and_other_names_are_nobodys() {
        let (north, south) = (InstanceId([1; 32]), InstanceId([2; 32]));
        let at: Timestamp = "2026-11-29T11:30:07.040Z".parse().unwrap();
        let name = name_of(&north, at);
        assert_eq!(name, "wb-0101010101010101-20261129T113007040Z.wbk");
        assert_eq!(ours(&north, &name), Some(at));
        assert_eq!(ours(&south, &name), None);
        for other in [
            "wb-0101010101010101-20261129-113007040Z.wbk",
            "wb-0101010101010101-20261329T113007040Z.wbk",
            "a.wbk",
            "wb-0101010101010101-20261129T113007040Z.wbk.partial",
        ] {
            assert_eq!(ours(&north, other), None, "{other}");
        }
    }

    #[test]
    fn only_own_backups_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (north, south) = (InstanceId([1; 32]), InstanceId([2; 32]));
        let at = |day: i64| Timestamp::from_unix_ms(day * 86_400_000).unwrap();
        let mut names = vec!["holiday.wbk".to_owned(), name_of(&south, at(1))];
        names.extend((1..=3).map(|day| name_of(&north, at(day))));
        let partial = format!("{}{PARTIAL}", name_of(&north, at(4)));
        names.push(partial.clone());
        for name in &names {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let removed = rotate(dir.path(), &north, "2 daily".parse().unwrap()).unwrap();
        assert_eq!(removed, [dir.path().join(name_of(&north, at(1)))]);
        let left = |name: &String| dir.path().join(name).exists();
        let expected = names
            .iter()
            .filter(|name| **name != partial && **name != names[2]);
        assert!(expected.clone().all(left) && expected.count() == 4);
        assert!(!left(&partial) && !left(&names[2]));
    }
}
