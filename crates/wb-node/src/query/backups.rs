//! Backups that were made, and how old the last good one is.

use wb_core::time::Timestamp;
use wb_store::BackupRow;

use crate::error::Result;
use crate::node::Node;
use crate::view::{BackupRowView, BackupState, SCHEMA_VERSION};

/// Days without a good backup after which it is said that there should be one.
pub const LATE_DAYS: i64 = 7;
const HOUR_MS: i64 = 3_600_000;

/// How it stands with backups.
///
/// # Errors
/// What the store reports.
pub fn backup_state(node: &Node) -> Result<BackupState> {
    let private = node.store.private();
    let last_good = private.last_good_backup()?;
    let newest = private.backups(1)?.into_iter().next();
    let failed = newest.filter(|row| row.problem.is_some());
    let since = last_good.as_ref().map(|row| row.at);
    let age_hours = since.map(|at| age_hours(at, node.now()));
    let founded = node.identity().entries().first().map(|entry| entry.at);
    let waiting = since.or(founded).map(|at| age_hours_of(at, node.now()));
    Ok(BackupState {
        last_good: last_good.map(view),
        failed: failed.map(view),
        age_hours,
        is_late: waiting.is_some_and(|hours| hours >= LATE_DAYS * 24),
    })
}

/// The newest backups first.
///
/// # Errors
/// What the store reports.
pub fn backups(node: &Node, limit: usize) -> Result<Vec<BackupRowView>> {
    let rows = node.store.private().backups(limit)?;
    Ok(rows.into_iter().map(view).collect())
}

fn age_hours(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(age_hours_of(at, now)).unwrap_or(0)
}

fn age_hours_of(at: Timestamp, now: Timestamp) -> i64 {
    now.unix_ms().saturating_sub(at.unix_ms()) / HOUR_MS
}

fn view(row: BackupRow) -> BackupRowView {
    BackupRowView {
        schema_version: SCHEMA_VERSION,
        at: row.at,
        path: row.path,
        scheduled: row.scheduled,
        bytes: row.bytes,
        sha256: row.sha256,
        problem: row.problem,
    }
}

impl BackupState {
    /// How old the last good one is, in words that name no file: whoever asks whether the node is well may
    /// read them.
    #[must_use]
    pub fn age(&self) -> String {
        match self.age_hours {
            None => "no backup was made yet".to_owned(),
            Some(0) => "the last good backup is of this hour".to_owned(),
            Some(hours @ 1..48) => format!("the last good backup is {hours} h old"),
            Some(hours) => format!("the last good backup is {} days old", hours / 24),
        }
    }

    /// The same, and what stood in the way of the last try.
    #[must_use]
    pub fn sentence(&self) -> String {
        match &self.failed {
            Some(failed) => {
                let problem = failed.problem.as_deref().unwrap_or_default();
                format!("{}; the last try failed: {problem}", self.age())
            }
            None => self.age(),
        }
    }

    /// Whether somebody should do something.
    #[must_use]
    pub fn needs_somebody(&self) -> bool {
        self.is_late || self.failed.is_some()
    }
}
