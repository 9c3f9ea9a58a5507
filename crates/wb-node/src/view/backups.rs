//! The form of answers about backups and upgrades.

use serde::Serialize;
use wb_core::id::{Hash, InstanceId};
use wb_core::time::Timestamp;

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupView {
    /// Version of this form.
    pub schema_version: u32,
    /// The file.
    pub path: String,
    /// When.
    pub made_at: Timestamp,
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Hash,
    /// What opens it: `recovery_words` or `passphrase`.
    pub opened_by: &'static str,
    /// What is in it.
    pub holds: Vec<BackupPart>,
}

/// One part of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupPart {
    /// Its name.
    pub name: &'static str,
    /// Its size, unpacked.
    pub bytes: u64,
}

/// A backup as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupRowView {
    /// Version of this form.
    pub schema_version: u32,
    /// When.
    pub at: Timestamp,
    /// The file.
    pub path: String,
    /// Whether the node made it by itself.
    pub scheduled: bool,
    /// Its size.
    pub bytes: u64,
    /// Its hash; none for one that failed.
    pub sha256: Option<Hash>,
    /// What stood in the way; none for a good one.
    pub problem: Option<String>,
}

/// How it stands with backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupState {
    /// The newest good one.
    pub last_good: Option<BackupRowView>,
    /// The newest of all, where it failed.
    pub failed: Option<BackupRowView>,
    /// Hours since the newest good one.
    pub age_hours: Option<u64>,
    /// Whether there should be a newer one.
    pub is_late: bool,
}

/// A backup that was read, and where what is in it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoredView {
    /// Version of this form.
    pub schema_version: u32,
    /// The instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// When the backup was made.
    pub made_at: Timestamp,
    /// The program that made it.
    pub software: String,
    /// What is in it.
    pub holds: Vec<BackupPart>,
    /// The folder it was restored to; none when it was only checked.
    pub home_dir: Option<String>,
    /// The folder to which what was there was moved; none when nothing was there.
    pub replaced: Option<String>,
    /// Accounts in it that were erased in this folder since, and are erased again.
    pub erased_again: u64,
}

/// An upgrade that was done, or tried on copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpgradeView {
    /// Version of this form.
    pub schema_version: u32,
    /// Whether it was only tried.
    pub tried: bool,
    /// Each database.
    pub files: Vec<FileUpgradeView>,
    /// What is wrong with the result.
    pub problems: Vec<String>,
    /// Room that it needs for its time.
    pub needed_bytes: u64,
    /// Room on the disk; none where the system does not say.
    pub free_bytes: Option<u64>,
    /// Whether it went through, or would.
    pub good: bool,
}

/// One database of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileUpgradeView {
    /// Its name.
    pub file: &'static str,
    /// The format it had.
    pub found: i64,
    /// The newest format known here.
    pub known: i64,
    /// Its size.
    pub bytes: u64,
    /// The name of the copy that is kept of what it was, where something is done.
    pub kept: String,
    /// Why it cannot be brought there.
    pub problem: Option<String>,
}
