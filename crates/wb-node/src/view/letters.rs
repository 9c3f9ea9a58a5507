//! Letters, as they are told to people and programs.

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::time::Timestamp;

/// Letters in one sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LettersView {
    /// Given to the peer, or kept there for others.
    pub given: u64,
    /// Taken from there.
    pub taken: u64,
    /// Left there, because who wrote them is not accepted here.
    pub left: u64,
    /// Refused, by the rule that each breaks.
    pub refused: Vec<&'static str>,
}

/// Where a letter stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterState {
    /// Sent: `waiting`, `at_hub`, `arrived`, `published`, `erased` or `lost`. Received: `arrived`, `published`,
    /// `erased`, `unknown` or `not_accepted`.
    pub state: &'static str,
    /// The same in words.
    pub sentence: String,
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterView {
    /// Version of this form.
    pub schema_version: u32,
    /// `sent` or `received`.
    pub way: &'static str,
    /// What it belongs to; for a reply that was sent, the id of the comment here.
    pub thread: RecordId,
    /// Its number in the thread.
    pub n: u64,
    /// The other instance.
    pub with: InstanceId,
    /// Its name, or the first digits of its id.
    pub name: String,
    /// `reply`, `contact`, `erase`, or a word of a later version.
    pub kind: String,
    /// The request it is about.
    pub request: Option<RecordRef>,
    /// Who wrote it, where that is said.
    pub author: Option<String>,
    /// What it says, where that may be shown to whoever asks.
    pub text: Option<String>,
    /// When it was sent, or came.
    pub at: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub state: LetterState,
}
