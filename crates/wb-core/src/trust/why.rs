//! Why an instance has its level, in terms that a person can check.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::graph::Graph;
use super::{Ground, Vouched, flow};
use crate::id::{InstanceId, RecordId};
use crate::kinds::Level;
use crate::time::Timestamp;

/// Times that are looked at to see until when something holds; bounds the work for one answer.
const EXPIRIES_MAX: usize = 256;

/// One arrow of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// From whom.
    pub from: InstanceId,
    /// To whom.
    pub to: InstanceId,
    /// The vouch; none where it was approved here by hand.
    pub vouch: Option<RecordId>,
}

/// Why an instance has its level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The level.
    pub level: Level,
    /// Whether it was approved here by hand as far as that: then it needs nobody's vouch.
    pub by_hand: bool,
    /// The shortest way from here.
    pub way: Vec<Step>,
    /// How many ways share no instance in between.
    pub disjoint_ways: usize,
    /// The first time at which it is not accepted any more if nobody does anything; none where it never ends.
    pub until: Option<Timestamp>,
    /// Vouches of the way without which it would not be accepted, each with its issuer.
    pub hangs_on: Vec<(InstanceId, RecordId)>,
}

/// Why an instance has its level; none for who has none.
pub(super) fn why(ground: &Ground, subject: InstanceId, now: Timestamp) -> Option<Why> {
    let level = *ground.levels(now).get(&subject)?;
    let by_hand = ground
        .approved
        .get(&subject)
        .is_some_and(|far| *far >= level);
    let graph = Graph::of(ground, level, now);
    let way = way(&graph, &reached(&graph), subject);
    let place = graph.place(&subject);
    let is_accepted =
        |ground: &Ground, at| by_hand || ground.accepted(level, at).contains(&subject);
    let given = way.iter().filter_map(|step| Some((step.from, step.vouch?)));
    let hangs_on = given.filter(|given| {
        let mut other = ground.clone();
        other
            .vouches
            .retain(|known| (known.issuer, known.id) != *given);
        !is_accepted(&other, now)
    });
    Some(Why {
        level,
        by_hand,
        hangs_on: hangs_on.collect(),
        disjoint_ways: place.map_or(0, |at| flow::disjoint_ways(&graph, at)),
        until: until(ground, &graph, now, |at| is_accepted(ground, at)),
        way,
    })
}

/// How an instance is reached: from whom, and by which vouch.
type Reached = Option<(usize, Option<RecordId>)>;

/// The shortest ways from here; of several the one through the first in order at each step.
fn reached(graph: &Graph) -> Vec<Reached> {
    let mut by: Vec<Reached> = vec![None; graph.ids.len()];
    let mut waiting = VecDeque::from([0]);
    while let Some(at) = waiting.pop_front() {
        for arrow in &graph.arrows[at] {
            if arrow.to != 0 && by[arrow.to].is_none() {
                by[arrow.to] = Some((at, arrow.vouch));
                waiting.push_back(arrow.to);
            }
        }
    }
    by
}

/// The way to one of them.
fn way(graph: &Graph, by: &[Reached], subject: InstanceId) -> Vec<Step> {
    let mut way = Vec::new();
    let mut to = graph.place(&subject);
    while let Some(at) = to
        && let Some((from, vouch)) = by[at]
    {
        way.push(Step {
            from: graph.ids[from],
            to: graph.ids[at],
            vouch,
        });
        to = Some(from);
    }
    way.reverse();
    way
}

/// The shortest way to each of some instances, at a level.
pub(super) fn ways(
    ground: &Ground,
    level: Level,
    subjects: &BTreeSet<InstanceId>,
    now: Timestamp,
) -> BTreeMap<InstanceId, Vec<Step>> {
    let graph = Graph::of(ground, level, now);
    let by = reached(&graph);
    let of_each = |subject: &InstanceId| (*subject, way(&graph, &by, *subject));
    subjects.iter().map(of_each).collect()
}

/// The first time from which something does not hold any more, as vouches end one after the other. Beyond
/// [`EXPIRIES_MAX`] of them it is the last one looked at: it holds at least until then.
fn until(
    ground: &Ground,
    graph: &Graph,
    now: Timestamp,
    holds: impl Fn(Timestamp) -> bool,
) -> Option<Timestamp> {
    let reached: BTreeSet<&InstanceId> = graph.ids.iter().collect();
    let in_reach = |vouch: &&Vouched| reached.contains(&vouch.issuer);
    let mut ends: Vec<Timestamp> = ground
        .vouches
        .iter()
        .filter(in_reach)
        .map(Vouched::until)
        .filter(|end| *end > now)
        .collect();
    ends.sort_unstable();
    ends.dedup();
    let over = ends.len() > EXPIRIES_MAX;
    ends.truncate(EXPIRIES_MAX);
    let first = ends.iter().copied().find(|end| !holds(*end));
    first.or_else(|| ends.last().copied().filter(|_| over))
}
