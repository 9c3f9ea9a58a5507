//! `wb user erase`: an account goes, and with it everything it wrote and everything kept about it.
//!
//! What was shared is taken back, to be erased everywhere, with the next publish or sync. Threads stay: a tombstone
//! stands where words and name were.

use std::path::PathBuf;

use wb_core::id::RecordId;
use wb_store::{AccountState, BACKUPS_MAX, Role};

use crate::erasing::{erase, heir};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Records erased here.
    pub records: u64,
    /// Of those, how many the next publish takes back.
    pub shared: u64,
    /// Older copies on this computer that are known and still hold it: backups, and what a restore moved aside.
    pub copies: Vec<PathBuf>,
}

/// Erases an account: one's own, or as an admin anybody's.
///
/// # Errors
/// That the actor may not, that there is no such account, or that nobody would be left to look after the instance.
pub fn user_erase(node: &Node, actor: &Actor, handle: &str) -> Result<Erased> {
    let account = node.store.private().account(handle)?;
    let account = account
        .filter(|account| account.state != AccountState::Gone)
        .filter(|account| account.user == actor.user || actor.role == Role::Admin);
    let Some(account) = account else {
        return Err(if actor.role == Role::Admin {
            NodeError::unknown("user", handle)
        } else {
            // Whether somebody has this handle is not told.
            NodeError::Forbidden {
                actor: actor.handle.clone(),
                act: "erase this account",
                why: "members erase their own, and only an admin somebody else's",
            }
        });
    };
    let heir = remaining(node, &account.user)?;
    let erased = erase(node, &account, &heir, Some(&actor.user))?;
    // The way back to a program before the last upgrade holds it, too.
    let mut copies = node.store.home().drop_snapshots();
    copies.extend(older_copies(node)?);
    Ok(Erased {
        records: erased.records,
        shared: erased.shared,
        copies,
    })
}

/// Who looks after the instance once an account is gone.
///
/// # Errors
/// That nobody would.
fn remaining(node: &Node, user: &RecordId) -> Result<RecordId> {
    heir(node, user)?.ok_or_else(|| {
        NodeError::Refused(
            "this is the last admin: nobody could look after this instance; nothing was erased. Make another admin \
             first with `wb user add HANDLE --role admin`, or close the whole instance with `wb retire`"
                .to_owned(),
        )
    })
}

/// Files known here that were made before, and are still there.
fn older_copies(node: &Node) -> Result<Vec<PathBuf>> {
    let backups = node.store.private().backups(BACKUPS_MAX)?.into_iter();
    let mut copies: Vec<PathBuf> = backups
        .filter(|backup| backup.problem.is_none())
        .map(|backup| PathBuf::from(backup.path))
        .filter(|path| path.exists())
        .collect();
    let entries = std::fs::read_dir(node.store.home().dir());
    let aside = entries.into_iter().flatten().flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("before-restore-")
    });
    copies.extend(aside.map(|entry| entry.path()));
    copies.sort();
    copies.dedup();
    Ok(copies)
}
