//! What a request is, from what its home and its helpers say (design: status and conflicts).
//!
//! No clock and no arrival order decides: only counters that each writer keeps for itself, and which
//! words of the others it had heard.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{Hash, InstanceId};
use crate::kinds::{Body, To};
use crate::limits::HEARD_MAX;

/// An event of the request's home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeEvent {
    /// Counted by home for this request.
    pub n: u64,
    /// What it says.
    pub to: To,
    /// The last event heard of each helper.
    pub heard: BTreeMap<InstanceId, u64>,
    /// Hash of its line.
    pub line_hash: Hash,
}

/// An event of another instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperEvent {
    /// Counted by the helper for this request.
    pub n: u64,
    /// What it says.
    pub to: To,
    /// The home event it had seen.
    pub after: Option<Hash>,
    /// Hash of its line.
    pub line_hash: Hash,
}

/// What a request is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The value.
    pub value: To,
    /// Whether home and helpers disagree, so that somebody should settle it.
    pub contested: bool,
}

/// What the records about one request say of where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The events of its home.
    pub home: Vec<HomeEvent>,
    /// The events of every other instance.
    pub others: BTreeMap<InstanceId, Vec<HelperEvent>>,
    /// The helpers that home names.
    pub named: BTreeSet<InstanceId>,
}

impl Said {
    /// Takes what a record of `origin` says about a request of `home`. One that says nothing of where a
    /// request stands changes nothing.
    pub fn add(&mut self, home: InstanceId, origin: InstanceId, body: Body, line_hash: Hash) {
        match body {
            Body::Helper(helper) if origin == home => {
                self.named.insert(helper.instance);
            }
            Body::Status(event) if origin == home => self.home.push(HomeEvent {
                n: event.n,
                to: event.to,
                heard: event.heard.unwrap_or_default(),
                line_hash,
            }),
            Body::Status(event) => self.others.entry(origin).or_default().push(HelperEvent {
                n: event.n,
                to: event.to,
                after: event.after,
                line_hash,
            }),
            _ => {}
        }
    }

    /// What the request is shown as.
    #[must_use]
    pub fn shown(&self) -> Shown {
        merge(&self.home, &self.others, &self.named)
    }

    /// Home's latest event.
    #[must_use]
    pub fn standing(&self) -> Option<&HomeEvent> {
        standing(&self.home)
    }

    /// The helpers whose word counts.
    pub fn helpers(&self) -> impl Iterator<Item = InstanceId> {
        counted(&self.named).copied()
    }

    /// What home's next event says that it heard: the latest event of each helper, and what it said before, because
    /// what was heard once stays heard, also where its line is not here any more.
    #[must_use]
    pub fn heard(&self) -> BTreeMap<InstanceId, u64> {
        let before = self.standing().map(|event| &event.heard);
        let before = |instance: &InstanceId| before.and_then(|heard| heard.get(instance)).copied();
        let counted = counted(&self.named).filter_map(|helper| {
            let latest = self.others.get(helper).and_then(|said| latest(said));
            let latest = latest.map(|event| event.n).max(before(helper))?;
            Some((*helper, latest))
        });
        let mut heard: BTreeMap<InstanceId, u64> = counted.collect();
        for (instance, n) in self.standing().iter().flat_map(|event| &event.heard) {
            if heard.len() < HEARD_MAX {
                heard.entry(*instance).or_insert(*n);
            }
        }
        heard
    }

    /// Who says what: home's latest event, then the latest of each other instance.
    #[must_use]
    pub fn words(&self, home: InstanceId) -> Vec<Word> {
        let stands = self.standing();
        let of_home = stands.map(|event| Word {
            instance: home,
            voice: Voice::Home,
            to: event.to,
            line_hash: event.line_hash,
            is_pending: false,
            answers: true,
        });
        let counted: BTreeSet<&InstanceId> = counted(&self.named).collect();
        let others = self.others.iter().filter_map(|(instance, said)| {
            let event = latest(said)?;
            let is_helper = counted.contains(instance);
            Some(Word {
                instance: *instance,
                voice: if is_helper {
                    Voice::Helper
                } else {
                    Voice::Claim
                },
                to: event.to,
                line_hash: event.line_hash,
                is_pending: is_helper && event.n > heard(stands, instance),
                answers: event.after == stands.map(|event| event.line_hash),
            })
        });
        of_home.into_iter().chain(others).collect()
    }
}

/// As whom somebody speaks of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Its home.
    Home,
    /// An instance that home names as a helper: its word counts.
    Helper,
    /// Anybody else: stored and shown, and nothing follows from it.
    Claim,
}

/// The latest that one instance says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Who says it.
    pub instance: InstanceId,
    /// As whom.
    pub voice: Voice,
    /// What it says.
    pub to: To,
    /// Hash of its line.
    pub line_hash: Hash,
    /// Whether it is a helper's and home has not heard it.
    pub is_pending: bool,
    /// Whether it was said after home's latest event had been seen.
    pub answers: bool,
}

/// The helpers whose word counts: the first [`HEARD_MAX`] by id. One event of home can hear no more than that, and
/// one event has to be able to end every contest.
fn counted(named: &BTreeSet<InstanceId>) -> impl Iterator<Item = &InstanceId> {
    named.iter().take(HEARD_MAX)
}

fn standing(home: &[HomeEvent]) -> Option<&HomeEvent> {
    home.iter().max_by_key(|event| (event.n, event.line_hash))
}

fn latest(said: &[HelperEvent]) -> Option<&HelperEvent> {
    said.iter().max_by_key(|event| (event.n, event.line_hash))
}

fn heard(standing: Option<&HomeEvent>, helper: &InstanceId) -> u64 {
    let heard = standing.and_then(|event| event.heard.get(helper));
    heard.copied().unwrap_or(0)
}

/// Merges the words of home and of the named helpers. Events of anyone else are claims and are not
/// looked at. Without any event of home the request is open.
#[must_use]
pub fn merge(
    home: &[HomeEvent],
    others: &BTreeMap<InstanceId, Vec<HelperEvent>>,
    named: &BTreeSet<InstanceId>,
) -> Shown {
    let standing = standing(home);
    let (value, seen) =
        standing.map_or((To::Open, None), |event| (event.to, Some(event.line_hash)));
    let pending: Vec<&HelperEvent> = counted(named)
        .filter_map(|helper| {
            let latest = latest(others.get(helper)?)?;
            (latest.n > heard(standing, helper)).then_some(latest)
        })
        .collect();
    let Some(first) = pending.first() else {
        return Shown {
            value,
            contested: false,
        };
    };
    let all_answer_home = pending.iter().all(|event| event.after == seen);
    let agree = pending.iter().all(|event| event.to == first.to);
    match (agree, all_answer_home) {
        (true, true) => Shown {
            value: first.to,
            contested: false,
        },
        (true, false) => Shown {
            value,
            contested: first.to != value,
        },
        // A need wrongly shown as open costs a phone call, one wrongly closed costs a person.
        (false, true) => Shown {
            value: To::Open,
            contested: true,
        },
        (false, false) => Shown {
            value,
            contested: true,
        },
    }
}
