//! The graph of one level: which vouches count, how far everybody is, and who goes before whom.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{CAPACITIES, Ground, MONTH_MS, VOUCH_MONTHS_MAX, VOUCHES_MAX, Vouched};
use crate::id::{InstanceId, RecordId};
use crate::kinds::Level;
use crate::time::Timestamp;

/// What the key of ties is derived for.
const TIE_CONTEXT: &str = "wb trust tie v1";

/// One arrow, from the instance that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrow {
    /// Where it leads.
    pub to: usize,
    /// The vouch; none where this instance approved by hand.
    pub vouch: Option<RecordId>,
}

/// Instances within reach, in the order in which they are looked at; this instance is the first.
#[derive(Debug)]
pub(super) struct Graph {
    /// Who they are.
    pub ids: Vec<InstanceId>,
    /// Arrows away from here to each of them.
    pub distances: Vec<usize>,
    /// The arrows of each, in order of where they lead.
    pub arrows: Vec<Vec<Arrow>>,
}

impl Graph {
    /// The graph of a level at a time.
    pub fn of(ground: &Ground, level: Level, now: Timestamp) -> Self {
        let arrows = arrows(ground, level, now);
        let distances = distances(ground.me, &arrows);
        let key = blake3::derive_key(TIE_CONTEXT, &ground.secret);
        let tie = |id: &InstanceId| *blake3::keyed_hash(&key, &id.0).as_bytes();
        let mut order: Vec<(usize, [u8; 32], InstanceId)> = distances
            .iter()
            .map(|(id, distance)| (*distance, tie(id), *id))
            .collect();
        order.sort_unstable();
        let places: BTreeMap<InstanceId, usize> = order
            .iter()
            .enumerate()
            .map(|(at, (_, _, id))| (*id, at))
            .collect();
        let of_each = |(_, _, id): &(usize, [u8; 32], InstanceId)| {
            let mut own: Vec<Arrow> = arrows
                .get(id)
                .into_iter()
                .flatten()
                .filter_map(|(subject, vouch)| {
                    let to = *places.get(subject)?;
                    Some(Arrow { to, vouch: *vouch })
                })
                .collect();
            own.sort_unstable_by_key(|arrow| arrow.to);
            own
        };
        Self {
            arrows: order.iter().map(of_each).collect(),
            distances: order.iter().map(|(distance, _, _)| *distance).collect(),
            ids: order.into_iter().map(|(_, _, id)| id).collect(),
        }
    }

    /// Where an instance stands in the order.
    pub fn place(&self, id: &InstanceId) -> Option<usize> {
        self.ids.iter().position(|known| known == id)
    }

    /// What an instance may accept, itself included.
    pub fn capacity(&self, at: usize) -> usize {
        CAPACITIES[self.distances[at]]
    }
}

/// For each issuer whom it vouches for, with the vouch.
type Arrows = BTreeMap<InstanceId, BTreeMap<InstanceId, Option<RecordId>>>;

fn arrows(ground: &Ground, level: Level, now: Timestamp) -> Arrows {
    let mut by_issuer: BTreeMap<InstanceId, Vec<&Vouched>> = BTreeMap::new();
    let counts = |vouch: &&Vouched| {
        let lasts = vouch.expires_at.unix_ms() - vouch.issued_at.unix_ms();
        vouch.until() > now
            && lasts <= VOUCH_MONTHS_MAX * MONTH_MS
            && vouch.issuer != vouch.subject
            && [vouch.issuer, vouch.subject]
                .iter()
                .all(|id| !ground.refused.contains(id))
    };
    for vouch in ground.vouches.iter().filter(counts) {
        by_issuer.entry(vouch.issuer).or_default().push(vouch);
    }
    let mut arrows = Arrows::new();
    for (issuer, mut vouches) in by_issuer {
        vouches.sort_unstable_by_key(|vouch| vouch.id);
        let mut strong = 0;
        vouches.retain(|vouch| {
            if vouch.level == Level::Known {
                return true;
            }
            strong += 1;
            strong <= VOUCHES_MAX
        });
        vouches.retain(|vouch| vouch.level >= level);
        // The one that lasts longest stands for all to the same subject; of equal ones the first.
        vouches.sort_by_key(|vouch| std::cmp::Reverse(vouch.until()));
        let own = arrows.entry(issuer).or_default();
        for vouch in vouches {
            own.entry(vouch.subject).or_insert(Some(vouch.id));
        }
    }
    let approved = ground
        .approved
        .iter()
        .filter(|(id, far)| **far >= level && **id != ground.me && !ground.refused.contains(id));
    let own = arrows.entry(ground.me).or_default();
    for (id, _) in approved {
        own.insert(*id, None);
    }
    arrows
}

/// How far everybody is who is near enough.
fn distances(me: InstanceId, arrows: &Arrows) -> BTreeMap<InstanceId, usize> {
    let mut distances = BTreeMap::from([(me, 0)]);
    let mut waiting = VecDeque::from([me]);
    while let Some(id) = waiting.pop_front() {
        let next = distances[&id] + 1;
        if next >= CAPACITIES.len() {
            continue;
        }
        let subjects: BTreeSet<InstanceId> = arrows
            .get(&id)
            .into_iter()
            .flat_map(|own| own.keys().copied())
            .collect();
        for subject in subjects {
            if let Entry::Vacant(place) = distances.entry(subject) {
                place.insert(next);
                waiting.push_back(subject);
            }
        }
    }
    distances
}
