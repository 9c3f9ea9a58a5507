//! `wb backup`: everything this instance is, in one encrypted file that was read back.

use std::ops::ControlFlow;
use std::path::Path;

use wb_core::backup::Manifest;
use wb_core::bundle::Speaks;
use wb_core::hash;
use wb_core::words::RecoveryWords;
use wb_store::{AuditRow, BackupRow, Role, Store, StoreError};

use crate::backup::{self, Lock, name_of, parts, recipient_of};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::view::{BackupPart, BackupView, SCHEMA_VERSION};

/// Where in the making of a backup something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Databases are copied as of one moment.
    Copying,
    /// The file is written.
    Writing,
    /// The file is read back.
    Reading,
}

/// Called with the step, what was done of it and how much there is; `Break` stops.
pub type Progress<'p> = &'p mut dyn FnMut(Step, u64, u64) -> ControlFlow<()>;

/// What is backed up, and where to.
#[derive(Debug)]
pub struct BackupInput<'a> {
    /// A file that does not exist, or a folder in which one is made.
    pub to: &'a Path,
    /// What it is locked with.
    pub lock: Lock,
    /// Whether what a hub relays goes with it.
    pub hub: bool,
    /// Whether the node does it by itself.
    pub scheduled: bool,
}

/// Makes a backup. Others go on reading and writing meanwhile.
///
/// # Errors
/// `Forbidden`, or what stands in the way; then there is no file of that name, and older ones are as they were.
pub fn backup(
    node: &Node,
    actor: &Actor,
    input: &BackupInput<'_>,
    progress: Progress<'_>,
) -> Result<BackupView> {
    check_admin(actor)?;
    let at = node.now();
    let path = if input.to.is_dir() {
        input.to.join(name_of(&node.own_id(), at))
    } else {
        input.to.to_owned()
    };
    let path = std::path::absolute(&path).map_err(NodeError::file(&path))?;
    let made = make(node, input, &path, at, progress);
    let mut row = BackupRow {
        at,
        path: path.display().to_string(),
        scheduled: input.scheduled,
        bytes: 0,
        sha256: None,
        problem: None,
    };
    let view = match made {
        Ok(view) => {
            row.bytes = view.bytes;
            row.sha256 = Some(view.sha256);
            view
        }
        Err(error) => {
            row.problem = Some(error.to_string());
            // Where the disk is full this cannot be noted either, and the error is what counts.
            let _ = node.store.private().put_backup(&row);
            return Err(error);
        }
    };
    let noted = node.store.private().put_backup(&row);
    noted.map_err(|source| NodeError::Unnoted {
        act: "backup".to_owned(),
        source,
    })?;
    let mut detail = format!("{} bytes to {}", view.bytes, view.path);
    if input.scheduled {
        detail.push_str(", by itself");
    }
    node.audit(at, actor, "backup", &node.own_id(), detail)?;
    Ok(view)
}

fn make(
    node: &Node,
    input: &BackupInput<'_>,
    path: &Path,
    at: wb_core::time::Timestamp,
    progress: Progress<'_>,
) -> Result<BackupView> {
    let copies = node.store.copy_all(input.hub, &mut |done, all| {
        progress(Step::Copying, done, all)
    })?;
    let place = |name| copies.path(name);
    let manifest = Manifest {
        instance: node.own_id(),
        name: node.name().to_owned(),
        made_at: at,
        software: Speaks::this().software,
        formats: copies.formats.clone(),
        parts: parts(&copies.names, &place)?,
    };
    let all = manifest.bytes();
    let holds = manifest.parts.iter().map(|part| BackupPart {
        name: part.name.as_str(),
        bytes: part.bytes,
    });
    let holds = holds.collect();
    let written = backup::write(path, manifest, &place, &input.lock, &mut |done| {
        progress(Step::Writing, done, all)
    })?;
    let checked = written.read_back(&mut |done| progress(Step::Reading, done, all))?;
    let (bytes, sha256) = (checked.bytes, checked.sha256);
    checked.place()?;
    Ok(BackupView {
        schema_version: SCHEMA_VERSION,
        path: path.display().to_string(),
        made_at: at,
        bytes,
        sha256,
        opened_by: match input.lock {
            Lock::Key(_) => "recovery_words",
            Lock::Passphrase(_) => "passphrase",
        },
        holds,
    })
}

/// What backups are locked with when nothing else is said: the public half of the key of the words.
///
/// # Errors
/// `NeedsApproval` where it is not known yet, or is of words that count no more; `keep_recipient` makes it known.
pub fn usual_lock(store: &Store) -> Result<Lock> {
    let Some(kept) = store.private().backup_recipient()? else {
        return Err(NodeError::NeedsApproval(
            "this instance was founded before there were backups, and does not know their key yet; \
             `wb backup FILE --words-file SHEET` tells it once"
                .to_owned(),
        ));
    };
    let missing = || StoreError::Damaged("the own identity log is missing".to_owned());
    let log = store.identity_log(&store.own_id()?)?.ok_or_else(missing)?;
    if kept.of == log.newest().recovery {
        return Lock::key(&kept.key);
    }
    Err(NodeError::NeedsApproval(
        "the recovery words are new, and this folder knows the key of backups of the words before only: who had those \
         could open a backup, and the new words could not"
            .to_owned(),
    ))
}

/// Learns the key of backups from the words. Call it again when there are new words.
///
/// # Errors
/// `Refused` when they are not the words of this instance.
pub fn keep_recipient(node: &Node, actor: &Actor, words: &RecoveryWords) -> Result<Lock> {
    check_admin(actor)?;
    let commitment = hash::recovery_commitment(&words.recovery_signer().public_key());
    if commitment != node.identity().newest().recovery {
        return Err(NodeError::Refused(
            "these are not the recovery words of this instance, or no longer".to_owned(),
        ));
    }
    let key = recipient_of(words);
    node.store
        .private()
        .put_backup_recipient(&key, &commitment)?;
    node.store.private().audit(&AuditRow {
        at: node.now(),
        actor: Some(actor.user),
        act: "backup key".to_owned(),
        target: node.own_id().to_string(),
        detail: "learned from the recovery words".to_owned(),
    })?;
    Lock::key(&key)
}

fn check_admin(actor: &Actor) -> Result<()> {
    if actor.role == Role::Admin {
        return Ok(());
    }
    Err(NodeError::Forbidden {
        actor: actor.handle.clone(),
        act: "make a backup",
        why: "it holds what every member keeps private, so that admins decide",
    })
}
