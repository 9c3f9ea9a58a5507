//! `wb restore FILE`: puts an instance from a backup into a folder.
//!
//! What comes of it is an older copy of itself: it has no guard, and publishes nothing before that is settled.

use std::ops::ControlFlow;
use std::path::Path;
use std::str::FromStr as _;

use wb_core::backup::{Manifest, PartName};
use wb_core::id::{InstanceId, PublicKey};
use wb_core::identity::IdentityLog;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_store::{Home, Placing, Store, free_bytes};
use zeroize::Zeroizing;

use super::backup::{Progress, Step};
use super::sync::lock_home;
use crate::backup::{BackupError, Secret, open, stamp};
use crate::entropy;
use crate::erasing;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::view::{BackupPart, RestoredView, SCHEMA_VERSION};

/// Reads a backup to its end and changes nothing.
///
/// # Errors
/// Why it cannot be read.
pub fn check_file(file: &Path, secret: &Secret, progress: Progress<'_>) -> Result<RestoredView> {
    let opened = open(file, secret)?;
    let (manifest, all) = (opened.manifest.clone(), opened.manifest.bytes());
    opened.unpack(None, &mut |done| progress(Step::Reading, done, all))?;
    Ok(view(&manifest, None, None))
}

/// Puts what a backup holds into a folder. With `replace` what is there is moved aside.
///
/// # Errors
/// Why the backup cannot be read, or what stands in the way; then what was there is there.
pub fn restore_file(
    home: &Home,
    file: &Path,
    secret: &Secret,
    replace: bool,
    progress: Progress<'_>,
) -> Result<RestoredView> {
    let opened = open(file, secret)?;
    let manifest = opened.manifest.clone();
    let placing = Placing::begin(home, replace)?;
    // A sync that runs holds the files that are moved aside, and would go on with them.
    let _lock = match placing.replaces() {
        Some(_) => Some(lock_home(home)?),
        None => None,
    };
    let wrong = |error| NodeError::backup(file)(error);
    check_place(&placing, &manifest).map_err(wrong)?;
    let all = manifest.bytes();
    let place = |name| placing.path(name);
    opened.unpack(Some(&place), &mut |done| progress(Step::Writing, done, all))?;
    check_identity(&placing, &manifest).map_err(|what| wrong(BackupError::NotOneInstance(what)))?;
    if progress(Step::Reading, 0, all) == ControlFlow::Break(()) {
        return Err(wb_store::StoreError::Stopped.into());
    }
    let (id, findings) = placing.check()?;
    if id != manifest.instance {
        let what = format!("wb.db is of {id}");
        return Err(wrong(BackupError::NotOneInstance(what)));
    }
    let problem = findings.into_iter().find_map(|finding| {
        let problem = finding.problems.into_iter().next()?;
        Some(format!("{}: {problem}", finding.check))
    });
    if let Some(problem) = problem {
        return Err(wrong(BackupError::Damaged(problem)));
    }
    let now = entropy::now();
    let names: Vec<PartName> = manifest.parts.iter().map(|part| part.name).collect();
    let replaced = placing.finish(&names, &stamp(now))?;
    // Whoever was erased since is erased again when the folder is opened.
    let due = erasing::due(&Store::open(home)?)?.len() as u64;
    note(home, &manifest, now)?;
    Ok(RestoredView {
        erased_again: due,
        ..view(&manifest, Some(home.dir()), replaced.dir.as_deref())
    })
}

/// Room, and whose files are there.
fn check_place(placing: &Placing, manifest: &Manifest) -> std::result::Result<(), BackupError> {
    if let Some(there) = placing.replaces()
        && there != manifest.instance
    {
        return Err(BackupError::OtherInstance {
            backup: format!("{} ({})", manifest.name, short(&manifest.instance)),
            there: short(&there),
        });
    }
    let needed = manifest.bytes();
    match free_bytes(placing.home().dir()) {
        Some(free) if free < needed => Err(BackupError::NoRoom { needed, free }),
        _ => Ok(()),
    }
}

fn short(id: &InstanceId) -> String {
    id.to_string().chars().take(8).collect()
}

/// The log is of this instance, and the key is the one it names last.
fn check_identity(placing: &Placing, manifest: &Manifest) -> std::result::Result<(), String> {
    let read = |name| std::fs::read(placing.path(name)).map_err(|error| format!("{name}: {error}"));
    let bytes = read(PartName::Identity)?;
    let lines: Vec<&[u8]> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    let log = IdentityLog::verify(Some(manifest.instance), &lines)
        .map_err(|error| format!("identity.jsonl: {error}"))?;
    let mut keys = vec![PartName::Key];
    keys.extend(manifest.part(PartName::NextKey).map(|part| part.name));
    for name in keys {
        let Some(key) = public_key(&Zeroizing::new(read(name)?)) else {
            // It is behind a passphrase, and is looked at when it is used.
            return Ok(());
        };
        if key == log.newest().signing_key {
            return Ok(());
        }
    }
    Err("the signing key is not that of the identity log".to_owned())
}

fn public_key(text: &[u8]) -> Option<PublicKey> {
    let seed = PublicKey::from_str(std::str::from_utf8(text).ok()?.trim()).ok()?;
    Some(Signer::from_seed(&Zeroizing::new(seed.0)).public_key())
}

fn note(home: &Home, manifest: &Manifest, now: Timestamp) -> Result<()> {
    let node = Node::open(home)?;
    let actor = node.actor(None)?;
    let detail = format!("from a backup of {}", manifest.made_at);
    node.audit(now, &actor, "restore", &node.own_id(), detail)
}

fn view(manifest: &Manifest, home: Option<&Path>, replaced: Option<&Path>) -> RestoredView {
    let text = |path: &Path| path.display().to_string();
    RestoredView {
        schema_version: SCHEMA_VERSION,
        id: manifest.instance,
        name: manifest.name.clone(),
        made_at: manifest.made_at,
        software: manifest.software.clone(),
        holds: manifest
            .parts
            .iter()
            .map(|part| BackupPart {
                name: part.name.as_str(),
                bytes: part.bytes,
            })
            .collect(),
        home_dir: home.map(text),
        replaced: replaced.map(text),
        erased_again: 0,
    }
}
