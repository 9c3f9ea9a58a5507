//! The naive follower: the pages of `docs/spec` written a second time, for reading and not for speed.
//!
//! It shares nothing with `wb_core`: not a type, not a hash, not a parser. Where the two disagree on
//! a history, one of them has misread the specification. It keeps every header and item it accepted
//! and folds them again from the first one whenever something changes; only pure functions of bytes
//! (parsing, signatures, digests) are remembered, see [`memo`].

mod bytes;
mod delta;
mod follower;
mod forms;
mod identity;
mod json;
mod memo;
mod records;
mod showing;
mod signed;
mod snapshot;

pub use bytes::{
    header_hash, hex, line_hash, live_digest, recovery_commitment, root, sha256, unhex,
};
pub use follower::Follower;
pub use forms::is_time;
pub use json::read as read_json;
pub use memo::forget;
pub use records::read as read_record;

/// What a reader answered: the outcome's name of the specification, and the rule or cause with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `append`, `duplicate`, `refused`, …
    pub name: String,
    /// The rule of a `refused`, the cause of an `early`.
    pub rule: Option<String>,
}

impl Outcome {
    /// An outcome without a rule.
    pub fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rule: None,
        }
    }

    /// A refusal by the rule named.
    pub fn refused(rule: &str) -> Self {
        Self {
            name: "refused".to_owned(),
            rule: Some(rule.to_owned()),
        }
    }

    /// Kept until what it waits for arrives.
    pub fn early(cause: &str) -> Self {
        Self {
            name: "early".to_owned(),
            rule: Some(cause.to_owned()),
        }
    }

    /// Whether this is the outcome named.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

/// One feed as a reader holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedView {
    pub origin: String,
    pub scope: String,
    pub log: String,
    pub generation: u64,
    pub seq: u64,
    /// Header hash of the head.
    pub head: String,
    /// Live digest after the head.
    pub live: String,
    pub live_n: u64,
    pub forked: bool,
}

/// One line that is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShownView {
    pub origin: String,
    pub id: String,
    pub rev: u64,
    /// Where it shows: the narrower of its own scope and its parent's.
    pub scope: String,
    pub line_hash: String,
}

/// One live entry that is not shown, with the first rule of `05-showing.md` that it fails.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HiddenView {
    pub origin: String,
    pub id: String,
    pub rev: u64,
    /// The feed it is live in.
    pub scope: String,
    pub cause: String,
}
