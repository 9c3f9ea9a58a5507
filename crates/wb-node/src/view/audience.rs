//! The trusted audience, and sealed envelopes that went and came.

use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;

/// A member of the trusted audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AudienceView {
    /// Version of this form.
    pub schema_version: u32,
    /// The instance.
    pub id: InstanceId,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Of records before it this member gets no lines; null: of all.
    pub since: Option<Timestamp>,
    /// When it was added.
    pub added_at: Timestamp,
    /// Where it stands: `waits`, `given`, `has_all`, `nothing_yet`, `new_key`, `key_in_doubt`, `no_key`, `not_accepted`,
    /// `leaving`, `parted` or `unsure`.
    pub state: &'static str,
    /// The same in words.
    pub sentence: &'static str,
    /// When it last said what it has.
    pub confirmed_at: Option<Timestamp>,
}

/// Sealed envelopes in one sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EnvelopesView {
    /// Given to the peer, or kept there for others.
    pub given: u64,
    /// Taken from there.
    pub taken: u64,
    /// Left there, because their origin is not accepted here.
    pub left: u64,
    /// Refused, by the rule that each breaks.
    pub refused: Vec<&'static str>,
    /// Members of the audience to whom nothing is sealed for now.
    pub blocked: u64,
    /// Members for whom all of the trusted feed is more than an envelope holds.
    pub too_large: u64,
}

impl EnvelopesView {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
