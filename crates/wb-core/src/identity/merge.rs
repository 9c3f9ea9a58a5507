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

impl IdentityLog {
    /// Offers a second log of this id: what it means, and the log that holds from now on, which
    /// remembers what became void and what contradicts it.
    #[must_use]
    pub fn offer(&self, offered: &Self) -> (Merge, Self) {
        let merge = merge(self, offered);
        let log = match merge {
            Merge::Known | Merge::Stale | Merge::TwoRecovers => self.clone(),
            Merge::TwoRotates => {
                let mut log = self.clone();
                let unknown = |entry: &&Entry| self.entry(&entry.hash).is_none();
                log.beside
                    .extend(offered.entries.iter().filter(unknown).cloned());
                log
            }
            Merge::Extend | Merge::Replace => self.replaced_by(offered),
        };
        (merge, log)
    }

    /// What is not part of the longer log is void; a branch beside it ends with a recovery only.
    fn replaced_by(&self, offered: &Self) -> Self {
        let recovered = offered.newest().position.era > self.newest().position.era;
        let mut log = offered.clone();
        let left = |entry: &&Entry| offered.entry(&entry.hash).is_none();
        let beside: Vec<Entry> = self.beside.iter().filter(left).cloned().collect();
        log.void.clone_from(&self.void);
        log.void
            .extend(self.entries.iter().filter(left).map(|entry| entry.hash));
        if recovered {
            log.void.extend(beside.iter().map(|entry| entry.hash));
        } else {
            log.beside = beside;
        }
        log
    }
}
