//! Levels over random graphs, against a plain reading of the specification: vouches of all levels that end, repeat and
//! contradict each other, refusals, and more instances than there is room for.
//!
//! Nothing of the product is used here but its types. A flow is a table of what still fits between any two, searched
//! forwards from here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::Level;
use wb_core::time::Timestamp;
use wb_core::trust::{Ground, Vouched};

use crate::histories::rng::Rng;

const SMALL_GRAPHS: u64 = 40;
const LARGE_GRAPHS: u64 = 3;
const LEVELS: [Level; 3] = [Level::Known, Level::Trusted, Level::Steward];
const CAPACITIES: [u32; 5] = [200, 40, 10, 3, 1];
const NOW_MS: i64 = 1_790_000_000_000;
const DAY_MS: i64 = 86_400_000;

fn at(unix_ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(unix_ms).expect("a time")
}

fn instance(n: usize) -> InstanceId {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
    InstanceId(bytes)
}

/// So many instances besides this one; some vouch for more than count, several times, or for longer than they may.
fn draw(seed: u64, others: usize, most_each: usize) -> Ground {
    let mut rng = Rng::new(seed);
    let mut vouches = Vec::new();
    for issuer in 0..=others {
        for _ in 0..rng.below(most_each + 1) {
            let mut entropy = [0; 10];
            entropy[..8].copy_from_slice(&rng.next().to_be_bytes());
            let issued = NOW_MS - DAY_MS * i64::try_from(rng.below(60)).expect("days");
            let lasts = DAY_MS * i64::try_from(1 + rng.below(800)).expect("days");
            let feed = DAY_MS * i64::try_from(rng.below(40)).expect("days");
            // Few are near here, and each of them knows few, so that more hang on them than they may let in.
            let knows = if issuer < 4 { 2 } else { 14 };
            let next = 1 + (issuer + rng.below(knows)) % others;
            let subject = if rng.chance(96) {
                next
            } else {
                rng.below(others + 1)
            };
            vouches.push(Vouched {
                id: RecordId::new(at(issued), entropy),
                issuer: instance(issuer),
                subject: instance(subject),
                level: *rng.pick(&LEVELS),
                issued_at: at(issued),
                expires_at: at(issued + lasts),
                feed_valid_until: rng.chance(30).then(|| at(NOW_MS - 2 * DAY_MS + feed)),
            });
        }
    }
    let mut some = |most: usize| -> BTreeSet<InstanceId> {
        let count = rng.below(most + 1);
        (0..count)
            .map(|_| instance(rng.below(others + 1)))
            .collect()
    };
    let (approved, refused) = (some(4), some(2));
    let far = |(n, id)| {
        (
            id,
            LEVELS[(n + usize::try_from(seed % 3).expect("small")) % 3],
        )
    };
    Ground {
        me: instance(0),
        approved: approved.into_iter().enumerate().map(far).collect(),
        refused,
        vouches,
        secret: [u8::try_from(seed % 251).expect("a byte"); 32],
    }
}

/// For each instance whom it leads to at a level, as the specification says which vouches count.
fn leads_to(ground: &Ground, level: Level) -> BTreeMap<InstanceId, BTreeSet<InstanceId>> {
    let is_refused = |id: &InstanceId| ground.refused.contains(id);
    let mut counted: Vec<&Vouched> = Vec::new();
    for vouch in &ground.vouches {
        let months = 24 * 31 * DAY_MS;
        let is_over = vouch.expires_at <= at(NOW_MS)
            || vouch
                .feed_valid_until
                .is_some_and(|until| until <= at(NOW_MS));
        let is_too_long = vouch.expires_at.unix_ms() > vouch.issued_at.unix_ms() + months;
        let is_of_nobody = is_refused(&vouch.issuer) || is_refused(&vouch.subject);
        if !is_over && !is_too_long && !is_of_nobody && vouch.issuer != vouch.subject {
            counted.push(vouch);
        }
    }
    let mut leads: BTreeMap<InstanceId, BTreeSet<InstanceId>> = BTreeMap::new();
    for vouch in &counted {
        let is_before = |other: &&&Vouched| {
            other.issuer == vouch.issuer && other.level != Level::Known && other.id < vouch.id
        };
        let is_capped =
            vouch.level != Level::Known && counted.iter().filter(is_before).count() >= 20;
        if vouch.level >= level && !is_capped {
            leads.entry(vouch.issuer).or_default().insert(vouch.subject);
        }
    }
    for (id, far) in &ground.approved {
        if *far >= level && !is_refused(id) && *id != ground.me {
            leads.entry(ground.me).or_default().insert(*id);
        }
    }
    leads
}

/// How much still fits from each node to each other; a node for what comes to an instance, one for what it passes on.
struct Table {
    fits: Vec<Vec<u32>>,
}

impl Table {
    fn new(
        order: &[InstanceId],
        far: &BTreeMap<InstanceId, usize>,
        leads: &BTreeMap<InstanceId, BTreeSet<InstanceId>>,
    ) -> Self {
        let mut fits = vec![vec![0; 2 * order.len()]; 2 * order.len()];
        for (n, id) in order.iter().enumerate() {
            fits[2 * n][2 * n + 1] = CAPACITIES[far[id]] - 1;
            for subject in leads.get(id).into_iter().flatten() {
                if let Some(m) = order.iter().position(|known| known == subject) {
                    fits[2 * n + 1][2 * m] = 1_000_000;
                }
            }
        }
        Self { fits }
    }

    /// Gives an instance a unit from here, if one can get there.
    fn give(&mut self, to: usize) -> bool {
        let mut from: Vec<Option<usize>> = vec![None; self.fits.len()];
        let mut waiting = VecDeque::from([0]);
        while let Some(node) = waiting.pop_front() {
            for (next, by) in from.iter_mut().enumerate().skip(1) {
                if self.fits[node][next] > 0 && by.is_none() {
                    *by = Some(node);
                    waiting.push_back(next);
                }
            }
        }
        let mut node = 2 * to;
        if from[node].is_none() {
            return false;
        }
        while let Some(before) = from[node] {
            self.fits[before][node] -= 1;
            self.fits[node][before] += 1;
            node = before;
        }
        true
    }
}

/// Who is accepted at a level. Anew, everything is worked out from nothing for each of them.
fn accepted(ground: &Ground, level: Level, anew: bool) -> Vec<InstanceId> {
    let leads = leads_to(ground, level);
    let mut far = BTreeMap::from([(ground.me, 0)]);
    for distance in 1..CAPACITIES.len() {
        let edge: Vec<InstanceId> = far
            .iter()
            .filter(|(_, d)| **d == distance - 1)
            .map(|(id, _)| *id)
            .collect();
        for subject in edge.iter().filter_map(|id| leads.get(id)).flatten() {
            far.entry(*subject).or_insert(distance);
        }
    }
    let key = blake3::derive_key("wb trust tie v1", &ground.secret);
    let mut order: Vec<InstanceId> = far.keys().copied().collect();
    order.sort_by_key(|id| (far[id], *blake3::keyed_hash(&key, &id.0).as_bytes()));
    let mut accepted: Vec<usize> = Vec::new();
    let mut table = Table::new(&order, &far, &leads);
    for n in 1..order.len() {
        let is_accepted = if anew {
            let mut table = Table::new(&order, &far, &leads);
            // The last one first: in which order they are given their units makes no difference.
            std::iter::once(&n)
                .chain(accepted.iter().rev())
                .all(|n| table.give(*n))
        } else {
            table.give(n)
        };
        if is_accepted {
            accepted.push(n);
        }
    }
    accepted.into_iter().map(|n| order[n]).collect()
}

fn levels(ground: &Ground, anew: bool) -> BTreeMap<InstanceId, Level> {
    let by_hand =
        |(id, _): &(&InstanceId, &Level)| **id != ground.me && !ground.refused.contains(*id);
    let mut levels: BTreeMap<InstanceId, Level> = ground
        .approved
        .iter()
        .filter(by_hand)
        .map(|(id, far)| (*id, *far))
        .collect();
    for level in LEVELS {
        for id in accepted(ground, level, anew) {
            let known = levels.entry(id).or_insert(level);
            *known = (*known).max(level);
        }
    }
    levels
}

#[test]
fn levels_are_those_of_a_plain_reading_of_the_specification() {
    let mut turned_away = 0;
    for seed in 1..=SMALL_GRAPHS {
        let ground = draw(seed, 45, 16);
        let found = ground.levels(at(NOW_MS));
        assert_eq!(found, levels(&ground, true), "seed {seed}");
        turned_away +=
            usize::from(found.len() < ground.distances(Level::Known, at(NOW_MS)).len() - 1);
    }
    assert!(
        turned_away > 10,
        "in {turned_away} graphs there was not room for everybody"
    );
}

#[test]
fn more_are_within_reach_than_there_is_room_for() {
    for seed in 1..=LARGE_GRAPHS {
        let mut ground = draw(seed, 320, 24);
        ground.approved = (1..=20).map(|n| (instance(n), Level::Steward)).collect();
        let found = ground.levels(at(NOW_MS));
        assert_eq!(found, levels(&ground, false), "seed {seed}");
        assert!(
            found.len() < ground.distances(Level::Known, at(NOW_MS)).len() - 1,
            "seed {seed}"
        );
    }
}

/// Which of several vouches for one subject stands for all of them shows in why: the one that lasts longest, and of equal
/// ones the first.
#[test]
fn of_several_vouches_the_one_that_lasts_longest_is_named() {
    let mut shown = 0;
    for seed in 1..=SMALL_GRAPHS {
        let ground = draw(seed, 12, 16);
        for (subject, level) in ground.levels(at(NOW_MS)) {
            let why = ground.why(subject, at(NOW_MS)).expect("it has a level");
            for step in why.way {
                let Some(id) = step.vouch else { continue };
                let ends = |vouch: &Vouched| {
                    vouch
                        .feed_valid_until
                        .map_or(vouch.expires_at, |until| until.min(vouch.expires_at))
                };
                let same = ground.vouches.iter().filter(|vouch| {
                    vouch.issuer == step.from && vouch.subject == step.to && vouch.level >= level
                });
                let valid = same.filter(|vouch| {
                    vouch.expires_at.unix_ms() - vouch.issued_at.unix_ms() <= 24 * 31 * DAY_MS
                });
                let longest = valid
                    .min_by_key(|vouch| (Reverse(ends(vouch)), vouch.id))
                    .expect("the one that is named");
                assert_eq!(id, longest.id, "seed {seed}");
                shown += 1;
            }
        }
    }
    assert!(shown > 200, "{shown} vouches were named");
}
