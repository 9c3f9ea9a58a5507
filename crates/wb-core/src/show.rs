//! Which stored line a reader is shown, and why another is not (spec: showing).

use crate::scope::FeedScope;

/// Why a stored line is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A recovery made the delta void that put it.
    Void,
    /// A later revision was seen in another feed.
    Superseded,
    /// A retraction of this revision was seen.
    Retracted,
    /// Its line has not come.
    LineMissing,
    /// The same revision is in a narrower feed.
    NarrowerElsewhere,
    /// Its kind or schema version is of a later version.
    NeedsNewerVersion,
    /// Its body is not what its kind allows.
    BodyInvalid,
    /// Its origin has not been approved here.
    OriginWaiting,
    /// Its origin is blocked here.
    OriginBlocked,
    /// A notice of a hub hides it, and that hub alone brought it.
    WithheldByHub,
    /// The request it belongs to is not shown.
    ParentNotShown,
    /// The request it belongs to is not known here.
    ParentUnknown,
}

impl Cause {
    /// The name in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Superseded => "superseded",
            Self::Retracted => "retracted",
            Self::LineMissing => "line_missing",
            Self::NarrowerElsewhere => "narrower_elsewhere",
            Self::NeedsNewerVersion => "needs_newer_version",
            Self::BodyInvalid => "body_invalid",
            Self::OriginWaiting => "origin_waiting",
            Self::OriginBlocked => "origin_blocked",
            Self::WithheldByHub => "withheld_by_hub",
            Self::ParentNotShown => "parent_not_shown",
            Self::ParentUnknown => "parent_unknown",
        }
    }
}

/// The highest revisions ever seen of one record, over all feeds of its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Highest revision put.
    pub put: u64,
    /// Highest revision retracted; 0 for none.
    pub retract: u64,
}

/// A line live in one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Scope of the feed.
    pub scope: FeedScope,
    /// Its revision.
    pub rev: u64,
    /// Whether its bytes are here.
    pub has_line: bool,
    /// Whether the delta that put it is void.
    pub is_void: bool,
}

/// Applies rules 0 to 4 to one candidate among those of its record.
///
/// # Errors
/// The first cause that keeps it from being shown.
pub fn choose(candidate: &Candidate, all: &[Candidate], marks: Marks) -> Result<(), Cause> {
    if candidate.is_void {
        return Err(Cause::Void);
    }
    if candidate.rev < marks.put {
        return Err(Cause::Superseded);
    }
    if candidate.rev <= marks.retract {
        return Err(Cause::Retracted);
    }
    if !candidate.has_line {
        return Err(Cause::LineMissing);
    }
    // The narrower of two equal ones wins also when its line is missing: widening by omission would
    // otherwise be in a relay's hands.
    let narrower = all.iter().any(|other| {
        other.rev == candidate.rev
            && !other.is_void
            && candidate.scope == FeedScope::Public
            && other.scope == FeedScope::TrustedPeers
    });
    if narrower {
        Err(Cause::NarrowerElsewhere)
    } else {
        Ok(())
    }
}
