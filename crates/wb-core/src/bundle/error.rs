//! Where and why reading failed.

use std::fmt;

use crate::feed::Refusal;
use crate::rule::Rule;

/// The stage of reading at which a bundle failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The file itself.
    Format,
    /// The versions of exporter and reader.
    Versions,
    /// An identity log.
    Identity,
    /// The head's signature and list of contents.
    Head,
    /// A feed.
    Feed,
}

impl Stage {
    /// The name in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Versions => "versions",
            Self::Identity => "identity",
            Self::Head => "head",
            Self::Feed => "feed",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where and why a bundle failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bundle: line {line}, stage {stage}: {rule}")]
pub struct BundleError {
    /// The stage.
    pub stage: Stage,
    /// The line, counted from 1.
    pub line: u64,
    /// The rule broken.
    pub rule: Rule,
}

/// The error of a feed, at a line: what a single line or a count breaks is a fault of the file.
pub(super) fn in_feed(line: u64, refusal: &Refusal) -> BundleError {
    let is_format = refusal.rule == Rule::WrongCount || refusal.rule.is_strict_json();
    let stage = if is_format {
        Stage::Format
    } else {
        Stage::Feed
    };
    BundleError {
        stage,
        line,
        rule: refusal.rule,
    }
}
