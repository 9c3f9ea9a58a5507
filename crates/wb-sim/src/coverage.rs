//! How often each fault was tried, and how often it took effect.

use std::collections::BTreeMap;

/// Faults, and happenings that only a fault leads to, each by its name.
pub const FAULTS: &[&str] = &[
    "connection refused",
    "connection lost going out",
    "connection lost coming in",
    "answer lost after it took effect",
    "answers late",
    "request sent twice, old after new",
    "syncs at the same time",
    "sync with a peer",
    "sync with a peer cut off",
    "peer gives back what a node lost",
    "partition",
    "node crash",
    "hub crash",
    "hub restored from an older copy",
    "node restored from an older copy",
    "node crash and restored",
    "older copy settled",
    "clock of a node wrong",
    "clock of a hub wrong",
    "hub forgets",
    "bundle by stick",
    "unfollow",
    "cloned node (fork)",
    "key rotated",
    "stolen key taken back",
    "fork told to an operator",
    "hub withholds a delta",
    "hub withholds a page",
    "hub winds the cursor on",
    "hub gives an old answer",
    "hub leaves a line out",
    "hub swaps lines",
    "hub repeats a line",
    "hub gives a stub without cause",
    "hub swaps the words of records",
    "hub grafts another feed",
    "hub flips a byte",
    "hub drops the last page",
    "hub announces a false head",
    "hub announces an old head",
    "lie noticed in the same sync",
    "origin signs a wrong seq",
    "origin signs a wrong prev",
    "origin signs a wrong root",
    "origin signs a wrong live",
    "origin signs wrong drops",
    "wrong delta refused",
];

/// How often a fault was tried, and how often it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Times it was tried.
    pub tried: u64,
    /// Times it took effect.
    pub took: u64,
    /// Seeds in which it took effect.
    pub seeds: u64,
}

/// What was tried in one seed, or in many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    counts: BTreeMap<&'static str, Count>,
}

impl Coverage {
    /// Counts a try.
    pub fn tried(&mut self, fault: &'static str) {
        debug_assert!(FAULTS.contains(&fault), "{fault} is not in the list");
        self.counts.entry(fault).or_default().tried += 1;
    }

    /// Counts that it took effect.
    pub fn took(&mut self, fault: &'static str) {
        debug_assert!(FAULTS.contains(&fault), "{fault} is not in the list");
        let count = self.counts.entry(fault).or_default();
        count.took += 1;
        count.seeds = 1;
    }

    /// Adds what another seed tried.
    pub fn add(&mut self, other: &Self) {
        for (fault, count) in &other.counts {
            let sum = self.counts.entry(fault).or_default();
            sum.tried += count.tried;
            sum.took += count.took;
            sum.seeds += count.seeds;
        }
    }

    /// Each fault with its count, in the order of the list.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, Count)> {
        FAULTS.iter().map(|fault| {
            let count = self.counts.get(fault).copied().unwrap_or_default();
            (*fault, count)
        })
    }
}
