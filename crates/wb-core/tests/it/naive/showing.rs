//! What is shown: marks over all feeds of an origin, and the rules in their order.

use std::collections::BTreeMap;

use super::follower::{Follower, Taken};
use super::{HiddenView, ShownView};

/// Highest put and highest retract mark of one record.
#[derive(Clone, Copy, Default)]
struct Marks {
    put: u64,
    retract: u64,
}

type RecordKey = (String, String);

/// Everything live, decided: what is shown, what is hidden and why.
pub fn showing(follower: &Follower) -> (Vec<ShownView>, Vec<HiddenView>) {
    let marks = marks(follower);
    // Parents first: a request has no parent, so two passes are enough.
    let mut requests: BTreeMap<RecordKey, String> = BTreeMap::new();
    let (mut shown, mut hidden) = (Vec::new(), Vec::new());
    for children in [false, true] {
        for ((origin, scope), feed) in &follower.feeds {
            for (id, live) in feed.state.iter().flat_map(|state| &state.live) {
                let key = (origin.clone(), id.clone());
                let record = follower.record(origin, scope, id, live);
                let parent = record.as_ref().and_then(super::records::Record::parent);
                let is_child = ["comment", "status", "helper"].contains(&live.kind.as_str());
                if is_child != children {
                    continue;
                }
                let mark = marks.get(&key).copied().unwrap_or_default();
                let narrower = |other: &str| {
                    follower
                        .feeds
                        .get(&(origin.clone(), other.to_owned()))
                        .is_some_and(|feed| {
                            feed.state
                                .as_ref()
                                .and_then(|state| state.live.get(id))
                                .is_some_and(|twin| {
                                    twin.rev == live.rev && !follower.is_void(&twin.by)
                                })
                        })
                };
                let mut shows_at = scope.clone();
                let cause = if follower.is_void(&live.by) {
                    Some("void")
                } else if live.rev < mark.put {
                    Some("superseded")
                } else if live.rev <= mark.retract {
                    Some("retracted")
                } else if record.is_none() {
                    Some("line_missing")
                } else if scope == "public" && narrower("trusted_peers") {
                    Some("narrower_elsewhere")
                } else if !record
                    .as_ref()
                    .is_some_and(super::records::Record::is_known)
                {
                    Some("needs_newer_version")
                } else if !record
                    .as_ref()
                    .is_some_and(super::records::Record::body_is_valid)
                {
                    Some("body_invalid")
                } else if let Some(parent) = parent.filter(|_| is_child) {
                    match requests.get(&parent) {
                        Some(scope) => {
                            if scope == "trusted_peers" {
                                shows_at.clone_from(scope);
                            }
                            None
                        }
                        None if marks.contains_key(&parent) => Some("parent_not_shown"),
                        None => Some("parent_unknown"),
                    }
                } else {
                    None
                };
                match cause {
                    None => {
                        if live.kind == "request" {
                            requests.insert(key, scope.clone());
                        }
                        shown.push(ShownView {
                            origin: origin.clone(),
                            id: id.clone(),
                            rev: live.rev,
                            scope: shows_at,
                            line_hash: live.line_hash.clone(),
                        });
                    }
                    Some(cause) => hidden.push(HiddenView {
                        origin: origin.clone(),
                        id: id.clone(),
                        rev: live.rev,
                        scope: scope.clone(),
                        cause: cause.to_owned(),
                    }),
                }
            }
        }
    }
    shown.sort();
    hidden.sort();
    (shown, hidden)
}

/// Every put and retract ever applied, and every retract of closed logs and forked branches.
fn marks(follower: &Follower) -> BTreeMap<RecordKey, Marks> {
    let mut all: BTreeMap<RecordKey, Marks> = BTreeMap::new();
    for ((origin, _), feed) in &follower.feeds {
        let mut mark = |put: bool, id: &str, rev: u64| {
            let marks = all.entry((origin.clone(), id.to_owned())).or_default();
            let highest = if put {
                &mut marks.put
            } else {
                &mut marks.retract
            };
            *highest = rev.max(*highest);
        };
        for taken in feed
            .taken
            .iter()
            .filter(|taken| !follower.is_void(taken.header()))
        {
            match taken {
                Taken::Delta(delta) => {
                    for item in &delta.items {
                        mark(item.entry.put, &item.entry.id, item.entry.rev);
                    }
                }
                Taken::Snapshot(snapshot) => {
                    for item in &snapshot.items {
                        mark(true, &item.entry.id, item.entry.rev);
                    }
                    for (id, rev) in &snapshot.retracted {
                        mark(false, id, *rev);
                    }
                }
            }
        }
        for tail in feed
            .tails
            .iter()
            .filter(|tail| !follower.is_void(&tail.header))
        {
            for item in tail.items.iter().filter(|item| !item.entry.put) {
                mark(false, &item.entry.id, item.entry.rev);
            }
        }
    }
    all
}
