//! Trust over random graphs: a false cluster gets in no more than those who were fooled may pass on, and the order in
//! which vouches are known makes no difference.
//!
//! Distances, reach and the bound are worked out here from the arrows alone.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::Level;
use wb_core::time::Timestamp;
use wb_core::trust::{Ground, Vouched};

use crate::histories::rng::Rng;

const GRAPHS: u64 = 60;
const FALSE: usize = 120;
const CAPACITIES: [usize; 5] = [200, 40, 10, 3, 1];

/// A graph with a false cluster: whoever vouches into it was fooled.
struct Drawn {
    ground: Ground,
    honest: BTreeSet<InstanceId>,
    fooled: BTreeSet<InstanceId>,
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn now() -> Timestamp {
    at("2026-12-01T10:00:00.000Z")
}

fn instance(n: usize) -> InstanceId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(n as u64 + 1).to_be_bytes());
    InstanceId(bytes)
}

fn draw(seed: u64) -> Drawn {
    let mut rng = Rng::new(seed);
    let honest = 50 + rng.below(451);
    let mut pairs = BTreeSet::new();
    for _ in 0..honest * (2 + rng.below(5)) {
        pairs.insert((1 + rng.below(honest), 1 + rng.below(honest)));
    }
    let false_ones = honest + 1..=honest + FALSE;
    let fooled: BTreeSet<usize> = (0..=rng.below(6)).map(|_| 1 + rng.below(honest)).collect();
    for one in &fooled {
        for _ in 0..20 {
            pairs.insert((*one, honest + 1 + rng.below(FALSE)));
        }
    }
    // Whoever is false vouches for as many others as count.
    for one in false_ones {
        for _ in 0..20 {
            pairs.insert((one, honest + 1 + rng.below(FALSE)));
        }
    }
    let mut vouches: Vec<Vouched> = Vec::new();
    for (issuer, subject) in pairs.into_iter().filter(|(a, b)| a != b) {
        let mut entropy = [0; 10];
        entropy[..8].copy_from_slice(&rng.next().to_be_bytes());
        vouches.push(Vouched {
            id: RecordId::new(now(), entropy),
            issuer: instance(issuer),
            subject: instance(subject),
            level: Level::Trusted,
            issued_at: at("2026-11-01T10:00:00.000Z"),
            expires_at: at("2027-11-01T10:00:00.000Z"),
            feed_valid_until: None,
        });
    }
    let approved = (0..=rng.below(4)).map(|_| (instance(1 + rng.below(honest)), Level::Trusted));
    Drawn {
        ground: Ground {
            me: instance(0),
            approved: approved.collect(),
            refused: BTreeSet::new(),
            vouches,
            secret: [u8::try_from(seed % 251).expect("a byte"); 32],
        },
        honest: (1..=honest).map(instance).collect(),
        fooled: fooled.into_iter().map(instance).collect(),
    }
}

/// Arrows from here to everybody who can be reached, however far, by the first 20 vouches of each.
fn distances(ground: &Ground) -> BTreeMap<InstanceId, usize> {
    let mut by_issuer: BTreeMap<InstanceId, Vec<(RecordId, InstanceId)>> = BTreeMap::new();
    for vouch in &ground.vouches {
        let own = by_issuer.entry(vouch.issuer).or_default();
        own.push((vouch.id, vouch.subject));
    }
    for own in by_issuer.values_mut() {
        own.sort();
        own.truncate(20);
    }
    let mut distances = BTreeMap::from([(ground.me, 0)]);
    let mut edge: Vec<InstanceId> = ground.approved.keys().copied().collect();
    let mut far = 1;
    while !edge.is_empty() {
        edge.retain(|id| !distances.contains_key(id));
        distances.extend(edge.iter().map(|id| (*id, far)));
        edge = edge
            .iter()
            .filter_map(|id| by_issuer.get(id))
            .flatten()
            .map(|(_, subject)| *subject)
            .collect();
        far += 1;
    }
    distances
}

#[test]
fn a_false_cluster_gets_in_no_more_than_the_fooled_may_pass_on() {
    let mut near_bound = 0;
    println!("seed  honest in (reachable) of all   false in (reachable)  bound");
    for seed in 1..=GRAPHS {
        let drawn = draw(seed);
        let distances = distances(&drawn.ground);
        let levels = drawn.ground.levels(now());
        let is_honest = |id: &&InstanceId| drawn.honest.contains(id);
        let (honest_in, all_in) = (levels.keys().filter(is_honest).count(), levels.len());
        let honest_reached = distances.keys().filter(is_honest).count();
        let false_reached = distances.len() - 1 - honest_reached;
        let false_in = all_in - honest_in;
        let passes = |id: &InstanceId| {
            let far = distances.get(id)?;
            Some(CAPACITIES.get(*far)? - 1)
        };
        let bound: usize = drawn.fooled.iter().filter_map(passes).sum();
        println!(
            "{seed:4}  {honest_in:9} ({honest_reached:4}) {:6}   {false_in:8} ({false_reached:4})  {bound:9}",
            drawn.honest.len()
        );
        assert!(
            false_in <= bound,
            "seed {seed}: {false_in} false, {bound} at most"
        );
        near_bound += usize::from(false_in > 0 && 2 * false_in >= bound);
    }
    assert!(near_bound > 0, "the bound is never come near to");
}

#[test]
fn the_order_of_vouches_makes_no_difference() {
    for seed in 1..=10 {
        let mut drawn = draw(seed);
        let levels = drawn.ground.levels(now());
        Rng::new(seed).shuffle(&mut drawn.ground.vouches);
        assert_eq!(drawn.ground.levels(now()), levels, "seed {seed}");
    }
}

#[test]
fn taking_a_vouch_back_names_everybody_who_falls() {
    for seed in 1..=10 {
        let drawn = draw(seed);
        let before = drawn.ground.levels(now());
        let (subject, why) = before
            .keys()
            .filter_map(|id| Some((*id, drawn.ground.why(*id, now())?)))
            .find(|(_, why)| !why.hangs_on.is_empty())
            .expect("somebody hangs on one vouch");
        let taken = BTreeSet::from([why.hangs_on[0]]);
        let moved = drawn.ground.without(&taken, now());
        let falls = moved.iter().find(|moved| moved.instance == subject);
        assert!(
            falls.is_some_and(|moved| moved.after.is_none()),
            "seed {seed}"
        );
        let mut ground = drawn.ground.clone();
        ground
            .vouches
            .retain(|vouch| !taken.contains(&(vouch.issuer, vouch.id)));
        let after = ground.levels(now());
        for id in before.keys().chain(after.keys()) {
            let is_named = moved.iter().any(|moved| moved.instance == *id);
            assert_eq!(before.get(id) != after.get(id), is_named, "seed {seed}");
        }
    }
}
