//! Two logs of one id: which one is followed, and what is evidence (spec: identity, two logs).

use super::entry::Entry;
use super::log::IdentityLog;

/// What a second log of the same id means to who holds the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Nothing new.
    Known,
    /// The same log, longer: taken.
    Extend,
    /// A recovery continues from an earlier entry: taken, what followed that entry is void.
    Replace,
    /// An older branch that a recovery made void: kept out.
    Stale,
    /// Two recoveries by one set of words: evidence, and the first one known stays.
    TwoRecovers,
    /// Two rotations of one number: evidence, and everything of the instance is held.
    TwoRotates,
}

impl Merge {
    /// The name in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Extend => "extend",
            Self::Replace => "replace",
            Self::Stale => "stale",
            Self::TwoRecovers => "two_recovers",
            Self::TwoRotates => "two_rotates",
        }
    }
}

/// Compares a log held with one offered; both are verified and of one id.
///
/// `rotate` copies the commitment, so the first `recover` after the point where two logs part is, on
/// both sides, by the same words.
#[must_use]
pub fn merge(held: &IdentityLog, offered: &IdentityLog) -> Merge {
    let (a, b) = (held.entries(), offered.entries());
    let common = a
        .iter()
        .zip(b)
        .take_while(|(a, b)| a.hash == b.hash)
        .count();
    let (a, b) = (&a[common..], &b[common..]);
    if b.is_empty() {
        return Merge::Known;
    }
    if b.iter().any(|entry| held.void().contains(&entry.hash)) {
        return Merge::Stale;
    }
    if a.is_empty() {
        return Merge::Extend;
    }
    match (
        a.iter().any(Entry::is_recover),
        b.iter().any(Entry::is_recover),
    ) {
        (false, true) => Merge::Replace,
        (true, false) => Merge::Stale,
        (true, true) => Merge::TwoRecovers,
        (false, false) => Merge::TwoRotates,
    }
}
