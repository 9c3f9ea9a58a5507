//! The lines that begin a section, as their bytes say; those of snapshots are [`crate::feed::Totals`].

use serde::Deserialize;

use crate::id::{Hash, InstanceId};
use crate::scope::FeedScope;

/// How every section line begins, and no other line.
pub(super) const SECTION_START: &[u8] = b"{\"section\":";

/// What a `deltas` section announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct DeltasTotals {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// Deltas that follow.
    pub deltas: u64,
    /// Items in them.
    pub items: u64,
}

#[derive(Deserialize)]
pub(super) struct SectionName {
    pub(super) section: String,
    pub(super) schema_version: u32,
}

/// The version of section lines that this program reads; another is a section of the future.
pub(super) const SECTION_VERSION: u32 = 1;

#[derive(Deserialize)]
pub(super) struct IdentityTotals {
    pub(super) origin: InstanceId,
    pub(super) entries: u64,
}

#[derive(Deserialize)]
pub(super) struct EndTotals {
    pub(super) lines: u64,
    pub(super) sha256: Hash,
}
