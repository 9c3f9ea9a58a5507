//! The graph of one level: which vouches count, how far everybody is, and who goes before whom.

use std::collections::{BTreeMap, VecDeque};

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

/// A vouch that counts, of the issuer that has it.
#[derive(Debug, Clone, Copy)]
struct Counts {
    /// The number of whom it is for.
    subject: usize,
    level: Level,
    id: RecordId,
}

/// Everything that counts at a time, for whatever level. Instances are known by numbers: each level would look all of
/// their ids up anew.
#[derive(Debug)]
pub(super) struct Counted {
    /// Who they are, by number; this instance is the first.
    ids: Vec<InstanceId>,
    /// Who goes before whom at equal distance.
    ties: Vec<[u8; 32]>,
    /// What counts of each, in order of subject, and of several for one subject the one that stands for all first.
    vouches: Vec<Vec<Counts>>,
    /// Whom this instance approved by hand.
    approved: Vec<(usize, Level)>,
}

impl Counted {
    /// What counts at a time.
    pub fn at(ground: &Ground, now: Timestamp) -> Self {
        let mut numbers = Numbers::default();
        numbers.of(ground.me);
        let mut by_issuer: Vec<Vec<&Vouched>> = Vec::new();
        for vouch in &ground.vouches {
            if counts(ground, vouch, now) {
                let issuer = numbers.of(vouch.issuer);
                by_issuer.resize_with(by_issuer.len().max(issuer + 1), Vec::new);
                by_issuer[issuer].push(vouch);
            }
        }
        let mut vouches: Vec<Vec<Counts>> = by_issuer
            .into_iter()
            .map(|own| of_issuer(own, &mut numbers))
            .collect();
        let approved = ground
            .approved
            .iter()
            .filter(|(id, _)| **id != ground.me && !ground.refused.contains(id))
            .map(|(id, far)| (numbers.of(*id), *far))
            .collect();
        vouches.resize_with(numbers.ids.len(), Vec::new);
        let key = blake3::derive_key(TIE_CONTEXT, &ground.secret);
        let tie = |id: &InstanceId| *blake3::keyed_hash(&key, &id.0).as_bytes();
        Self {
            ties: numbers.ids.iter().map(tie).collect(),
            ids: numbers.ids,
            vouches,
            approved,
        }
    }

    /// The graph of a level.
    pub fn graph(&self, level: Level) -> Graph {
        let arrows: Vec<Vec<Arrow>> = (0..self.ids.len())
            .map(|from| self.arrows(from, level))
            .collect();
        let distances = distances(&arrows);
        let mut order: Vec<(usize, [u8; 32], InstanceId, usize)> = distances
            .iter()
            .enumerate()
            .filter_map(|(number, far)| Some(((*far)?, number)))
            .map(|(far, number)| (far, self.ties[number], self.ids[number], number))
            .collect();
        order.sort_unstable();
        let mut places = vec![None; self.ids.len()];
        for (place, (_, _, _, number)) in order.iter().enumerate() {
            places[*number] = Some(place);
        }
        let of_each = |number: usize| {
            let placed = |arrow: &Arrow| {
                places[arrow.to].map(|to| Arrow {
                    to,
                    vouch: arrow.vouch,
                })
            };
            let mut own: Vec<Arrow> = arrows[number].iter().filter_map(placed).collect();
            own.sort_unstable_by_key(|arrow| arrow.to);
            own
        };
        Graph {
            arrows: order
                .iter()
                .map(|(_, _, _, number)| of_each(*number))
                .collect(),
            distances: order.iter().map(|(far, _, _, _)| *far).collect(),
            ids: order.into_iter().map(|(_, _, id, _)| id).collect(),
        }
    }

    /// Where an instance leads, in order of number, at a level.
    fn arrows(&self, from: usize, level: Level) -> Vec<Arrow> {
        let by_hand: Vec<Arrow> = if from == 0 {
            let far = self.approved.iter().filter(|(_, far)| *far >= level);
            far.map(|(to, _)| Arrow {
                to: *to,
                vouch: None,
            })
            .collect()
        } else {
            Vec::new()
        };
        let vouched = self.vouches[from]
            .iter()
            .filter(|vouch| vouch.level >= level)
            .map(|vouch| Arrow {
                to: vouch.subject,
                vouch: Some(vouch.id),
            });
        let mut arrows: Vec<Arrow> = by_hand.into_iter().chain(vouched).collect();
        // What was approved by hand goes before what this instance vouches itself.
        arrows.sort_by_key(|arrow| arrow.to);
        arrows.dedup_by_key(|arrow| arrow.to);
        arrows
    }
}

/// Gives instances numbers, in the order in which they are met.
#[derive(Default)]
struct Numbers {
    ids: Vec<InstanceId>,
    known: BTreeMap<InstanceId, usize>,
}

impl Numbers {
    fn of(&mut self, id: InstanceId) -> usize {
        *self.known.entry(id).or_insert_with(|| {
            self.ids.push(id);
            self.ids.len() - 1
        })
    }
}

/// Whether a vouch counts by itself, whatever else its issuer said.
fn counts(ground: &Ground, vouch: &Vouched, now: Timestamp) -> bool {
    let lasts = vouch.expires_at.unix_ms() - vouch.issued_at.unix_ms();
    vouch.until() > now
        && lasts <= VOUCH_MONTHS_MAX * MONTH_MS
        && vouch.issuer != vouch.subject
        && !ground.refused.contains(&vouch.issuer)
        && !ground.refused.contains(&vouch.subject)
}

/// What counts of one issuer.
fn of_issuer(mut vouches: Vec<&Vouched>, numbers: &mut Numbers) -> Vec<Counts> {
    vouches.sort_unstable_by_key(|vouch| vouch.id);
    let mut strong = 0;
    vouches.retain(|vouch| {
        if vouch.level == Level::Known {
            return true;
        }
        strong += 1;
        strong <= VOUCHES_MAX
    });
    // The one that lasts longest stands for all to the same subject; of equal ones the first.
    vouches.sort_by_key(|vouch| std::cmp::Reverse(vouch.until()));
    let counted = vouches.into_iter().map(|vouch| Counts {
        subject: numbers.of(vouch.subject),
        level: vouch.level,
        id: vouch.id,
    });
    let mut counted: Vec<Counts> = counted.collect();
    counted.sort_by_key(|counts| counts.subject);
    counted
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
        Counted::at(ground, now).graph(level)
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

/// How far each is from here; none for who is not near enough.
fn distances(arrows: &[Vec<Arrow>]) -> Vec<Option<usize>> {
    let mut distances = vec![None; arrows.len()];
    distances[0] = Some(0);
    let mut waiting = VecDeque::from([(0, 0)]);
    while let Some((from, far)) = waiting.pop_front() {
        if far + 1 >= CAPACITIES.len() {
            continue;
        }
        for arrow in &arrows[from] {
            if distances[arrow.to].is_none() {
                distances[arrow.to] = Some(far + 1);
                waiting.push_back((arrow.to, far + 1));
            }
        }
    }
    distances
}
