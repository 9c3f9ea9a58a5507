//! The form of answers about the own keys.

use serde::Serialize;
use wb_core::id::{Hash, InstanceId};
use wb_core::time::Timestamp;

/// The keys of this instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Version of this form.
    pub schema_version: u32,
    /// The instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Recoveries so far.
    pub era: u64,
    /// Number of the newest entry, from 0.
    pub n: u64,
    /// Hash of the newest entry.
    pub entry: Hash,
    /// The key that speaks now.
    pub key: String,
    /// Its first digits in groups, to compare.
    pub fingerprint: String,
    /// Where it lies.
    pub file: String,
    /// `plain`, or `passphrase`.
    pub form: &'static str,
    /// Commitment of the recovery words.
    pub recovery: Hash,
    /// Why the next publish opens a new log; null when none is due.
    pub new_log_due: Option<String>,
    /// Publications that a recovery made void and nobody decided about.
    pub void_waiting: u64,
    /// Records that were taken back by publications that are void, and stay so here until somebody shares them.
    pub void_taken_back: u64,
    /// Records that were taken back by publications that are void, and not here: they come back.
    pub void_returned: u64,
    /// The entries, first to last.
    pub history: Vec<KeyEntryView>,
}

/// One entry of the own identity log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyEntryView {
    /// Its number.
    pub n: u64,
    /// Recoveries up to it.
    pub era: u64,
    /// `found`, `rotate` or `recover`.
    pub op: &'static str,
    /// When it was written, as it says.
    pub at: Timestamp,
    /// Its hash.
    pub hash: Hash,
    /// The key it names.
    pub fingerprint: String,
    /// What it did, in words.
    pub did: String,
}
