//! Accepting a delta: one screen of rules, the same for every follower and for the origin.

use std::collections::BTreeSet;

use super::delta::Delta;
use super::header::Header;
use super::place::{self, Placement};
use super::state::{FeedState, FeedView, Live, Opening};
use crate::entry::{Entry, Op};
use crate::id::{Hash, RecordId};
use crate::identity::{Above, IdentityLog, Placed};
use crate::line::Line;
use crate::live::LiveHash;
use crate::merkle;
use crate::rule::Rule;
use crate::signed::Unverified;

/// A rule broken by a delta or snapshot, and the item (from 0) that breaks it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("breaks `{rule}`{}", .item.map(|i| format!(" at item {}", i + 1)).unwrap_or_default())]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The item, from 0; none when the header or the whole is at fault.
    pub item: Option<usize>,
}

impl Refusal {
    pub(crate) fn of_header(rule: Rule) -> Self {
        Self { rule, item: None }
    }
}

/// What a delta waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// An identity entry that is not known here.
    Identity,
    /// The deltas before it.
    Gap,
}

/// What came of a delta.
#[derive(Debug)]
pub enum Outcome {
    /// It is applied; the caller stores it.
    Append(Box<Applied>),
    /// It was applied before; missing lines may be filled from it.
    Duplicate,
    /// It waits.
    Early(Early),
    /// It contradicts what is held: both are kept as evidence; its retracts count as marks.
    Fork,
    /// Its log is closed: it goes to the inbox; its retracts count as marks.
    Closed,
    /// A recovery made it void.
    Void,
    /// Only a snapshot leads to its log.
    NeedSnapshot,
    /// It would be next, but the feed is forked; its retracts count as marks.
    Held,
    /// It breaks a rule: the feed stops here.
    Refused(Refusal),
}

impl Outcome {
    /// The name in the spec.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Append(_) => "append",
            Self::Duplicate => "duplicate",
            Self::Early(_) => "early",
            Self::Fork => "fork",
            Self::Closed => "closed",
            Self::Void => "void",
            Self::NeedSnapshot => "need_snapshot",
            Self::Held => "held",
            Self::Refused(_) => "refused",
        }
    }

    /// Whether the delta passed steps 1 to 7: its origin sealed it, and its entries are those that
    /// were sealed. The first header of a log is kept from any such delta.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        match self {
            Self::Early(Early::Identity) | Self::Void => false,
            Self::Refused(refusal) => matches!(
                refusal.rule,
                Rule::AboveLastHead
                    | Rule::WrongGeneration
                    | Rule::IdentityDecreases
                    | Rule::RevNotAbove
                    | Rule::RetractBelowLive
                    | Rule::WrongDrops
                    | Rule::KindChanged
                    | Rule::WrongLive
            ),
            Self::Append(_)
            | Self::Duplicate
            | Self::Early(Early::Gap)
            | Self::Fork
            | Self::Closed
            | Self::NeedSnapshot
            | Self::Held => true,
        }
    }
}

/// A delta that passed every rule, and the state it leads to.
#[derive(Debug)]
pub struct Applied {
    /// The feed after it.
    pub state: FeedState,
    /// One change per item, in order.
    pub changes: Vec<Change>,
    /// Whether it opens a new log.
    pub opens_log: bool,
}

/// What one entry changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What was live before.
    pub dropped: Option<Live>,
}

/// Decides about a delta for a feed: steps 3 to 13. `state` is `None` for a feed not held yet.
///
/// # Errors
/// Only what the view reports.
pub fn accept<V: FeedView>(
    delta: &Delta<'_>,
    identity: Option<&IdentityLog>,
    state: Option<&FeedState>,
    view: &V,
) -> Result<Outcome, V::Error> {
    let header = &delta.header;
    let above = match check_key(header, &delta.hash, &delta.unverified, identity) {
        Ok(above) => above,
        Err(outcome) => return Ok(outcome),
    };
    let entries: Vec<Vec<u8>> = delta
        .items
        .iter()
        .map(|item| item.entry.to_bytes())
        .collect();
    if merkle::root(&entries) != header.root {
        return Ok(refused(Rule::WrongRoot, None));
    }
    let mut ids = BTreeSet::new();
    if let Some(index) = delta
        .items
        .iter()
        .position(|item| !ids.insert(item.entry.id))
    {
        return Ok(refused(Rule::TwoEntriesOfOneId, Some(index)));
    }
    let placement = place_delta(header, &delta.hash, state, view)?;
    if above && placement != Ok(Placement::Duplicate) {
        return Ok(refused(Rule::AboveLastHead, None));
    }
    match placement {
        Ok(Placement::Next) if identity.is_some_and(IdentityLog::is_forked) => {
            return Ok(Outcome::Held);
        }
        Ok(Placement::Next) => {}
        Ok(Placement::Duplicate) => return Ok(Outcome::Duplicate),
        Ok(Placement::Fork) => return Ok(Outcome::Fork),
        Ok(Placement::Closed) => return Ok(Outcome::Closed),
        Ok(Placement::Gap) => return Ok(Outcome::Early(Early::Gap)),
        Ok(Placement::NeedSnapshot) => return Ok(Outcome::NeedSnapshot),
        Ok(Placement::Held) => return Ok(Outcome::Held),
        Err(rule) => return Ok(refused(rule, None)),
    }
    if state.is_some_and(|state| header.position() < state.position) {
        return Ok(refused(Rule::IdentityDecreases, None));
    }
    let folded = match fold(state, delta.items.iter().map(|item| &item.entry), view)? {
        Ok(folded) => folded,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    if folded.live_n != header.live_n || folded.live.digest() != header.live {
        return Ok(refused(Rule::WrongLive, None));
    }
    let opens_log = header.seq == 0;
    let opening = match state {
        Some(state) if !opens_log => state.opening,
        _ => Opening::of(header),
    };
    let state = FeedState {
        log: header.log,
        opening,
        seq: header.seq,
        hash: delta.hash,
        position: header.position(),
        live: folded.live,
        live_n: folded.live_n,
        forked: false,
    };
    Ok(Outcome::Append(Box::new(Applied {
        state,
        changes: folded.changes,
        opens_log,
    })))
}

fn refused(rule: Rule, item: Option<usize>) -> Outcome {
    Outcome::Refused(Refusal { rule, item })
}

/// Steps 3 to 5, for deltas and snapshots: is the key known, not void, and did it sign? Returns
/// whether the header stands above the last head of a `rotate`.
pub(super) fn check_key(
    header: &Header,
    hash: &Hash,
    unverified: &Unverified<'_>,
    identity: Option<&IdentityLog>,
) -> Result<bool, Outcome> {
    let Some(identity) = identity else {
        return Err(Outcome::Early(Early::Identity));
    };
    let Some(entry) = identity.entry(&header.identity) else {
        return Err(if identity.void().contains(&header.identity) {
            Outcome::Void
        } else {
            Outcome::Early(Early::Identity)
        });
    };
    let above = identity.above_last_head(&Placed {
        position: entry.position,
        ..header.placed(*hash)
    });
    if above == Some(Above::Recover) {
        return Err(Outcome::Void);
    }
    if entry.position != header.position() {
        return Err(refused(Rule::WrongKey, None));
    }
    if let Err(rule) = unverified.verify(&entry.signing_key) {
        return Err(refused(rule, None));
    }
    Ok(above.is_some())
}

fn place_delta<V: FeedView>(
    header: &Header,
    hash: &Hash,
    state: Option<&FeedState>,
    view: &V,
) -> Result<Result<Placement, Rule>, V::Error> {
    if let Some(state) = state.filter(|state| state.log == header.log) {
        if header.generation != state.opening.generation {
            return Ok(Err(Rule::WrongGeneration));
        }
        let known = if header.seq <= state.seq {
            view.header_hash(header.seq)?
        } else {
            None
        };
        return Ok(Ok(place::same_log(header, hash, state, known)));
    }
    let opening = if header.seq == 0 {
        Some(Opening::of(header))
    } else {
        view.opening(&header.log)?
    };
    let Some(opening) = opening else {
        return Ok(Ok(Placement::NeedSnapshot));
    };
    let has_rival = view.has_rival(&header.log, &opening)?;
    Ok(Ok(place::other_log_delta(
        header, &opening, has_rival, state,
    )))
}

/// The live set after some entries.
pub(super) struct Folded {
    pub live: LiveHash,
    pub live_n: u64,
    pub changes: Vec<Change>,
}

/// Applies entries with distinct ids to the live set, by the entry rules (step 11).
pub(super) fn fold<'e, V: FeedView>(
    state: Option<&FeedState>,
    entries: impl Iterator<Item = &'e Entry>,
    view: &V,
) -> Result<Result<Folded, Refusal>, V::Error> {
    let mut live = state.map(|state| state.live.clone()).unwrap_or_default();
    let mut live_n = state.map_or(0, |state| state.live_n);
    let mut changes = Vec::new();
    for (index, entry) in entries.enumerate() {
        let dropped = match state {
            Some(_) => view.live(&entry.id)?,
            None => None,
        };
        if let Err(rule) = entry_rules(entry, dropped.as_ref()) {
            return Ok(Err(Refusal {
                rule,
                item: Some(index),
            }));
        }
        if let Some(dropped) = &dropped {
            live.remove(&dropped.element(&entry.id));
            live_n -= 1;
        }
        if let Some(element) = entry.live_element() {
            live.add(&element);
            live_n += 1;
        }
        changes.push(Change { dropped });
    }
    Ok(Ok(Folded {
        live,
        live_n,
        changes,
    }))
}

fn entry_rules(entry: &Entry, live: Option<&Live>) -> Result<(), Rule> {
    if let Some(live) = live {
        match entry.op {
            Op::Put { .. } if entry.rev <= live.rev => return Err(Rule::RevNotAbove),
            Op::Retract { .. } if entry.rev < live.rev => return Err(Rule::RetractBelowLive),
            _ => {}
        }
    }
    if entry.drops != live.map(|live| live.line_hash) {
        return Err(Rule::WrongDrops);
    }
    if live.is_some_and(|live| live.kind != entry.kind) {
        return Err(Rule::KindChanged);
    }
    Ok(())
}

/// Checks a line that fills in a stub: `id` is live with hash `wanted` in the feed of `header`'s
/// origin and scope.
///
/// # Errors
/// `fill_mismatch`, also when the line breaks a rule of lines: it is refused alone either way.
pub fn check_fill<'a>(
    bytes: &'a [u8],
    id: &RecordId,
    wanted: &Live,
    origin: crate::id::InstanceId,
    scope: crate::scope::FeedScope,
) -> Result<Line<'a>, Rule> {
    let line = Line::read(bytes).map_err(|_| Rule::FillMismatch)?;
    let fits = line.hash == wanted.line_hash
        && line.id == *id
        && line.rev == wanted.rev
        && line.kind == wanted.kind
        && line.origin == origin
        && line.scope == scope;
    if fits {
        Ok(line)
    } else {
        Err(Rule::FillMismatch)
    }
}
