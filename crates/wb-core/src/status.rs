//! What a request is, from what its home and its helpers say (design: status and conflicts).
//!
//! No clock and no arrival order decides: only counters that each writer keeps for itself, and which
//! words of the others it had heard.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{Hash, InstanceId};
use crate::kinds::{Body, To};

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
}

/// Merges the words of home and of the named helpers. Events of anyone else are claims and are not
/// looked at. Without any event of home the request is open.
#[must_use]
pub fn merge(
    home: &[HomeEvent],
    others: &BTreeMap<InstanceId, Vec<HelperEvent>>,
    named: &BTreeSet<InstanceId>,
) -> Shown {
    let standing = home.iter().max_by_key(|event| (event.n, event.line_hash));
    let (value, seen) =
        standing.map_or((To::Open, None), |event| (event.to, Some(event.line_hash)));
    let heard = |helper: &InstanceId| {
        standing
            .and_then(|e| e.heard.get(helper))
            .copied()
            .unwrap_or(0)
    };
    let pending: Vec<&HelperEvent> = named
        .iter()
        .filter_map(|helper| {
            let latest = others
                .get(helper)?
                .iter()
                .max_by_key(|event| (event.n, event.line_hash))?;
            (latest.n > heard(helper)).then_some(latest)
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
