//! Random histories of a feed at a hub: whoever follows it, page by page, stands where its origin does.
//!
//! `WB_RELAY_HISTORIES=n` sets how many are run, `WB_SEED=n` replays one.

use wb_core::hash;
use wb_core::id::{Hash, InstanceId};
use wb_core::sync::Cursor;
use wb_store::relay::{CursorRefused, PageLimits, SnapshotRefused};

use super::follower::Follower;
use super::harbour::Harbour;
use super::listings;
use super::snapshots::{ask, page, verify};
use crate::histories::number;
use crate::origin::{Do, Origin, now};

const HISTORIES: u64 = 12;
/// Records of a feed; few, so that each is revised and taken back often.
const RECORDS: u64 = 24;
/// Rounds of one history.
const ROUNDS: usize = 12;

/// Chance from a seed: each number is the hash of the one before.
struct Rng(Hash);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(hash::sha256(&seed.to_be_bytes()))
    }

    /// A number below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize {
        self.0 = hash::sha256(&self.0.0);
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0.0[..4]);
        usize::try_from(u32::from_be_bytes(bytes)).expect("32 bits") % n
    }

    /// True in `percent` of 100 cases.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

struct World {
    rng: Rng,
    harbour: Harbour,
    north: Origin,
    reader: InstanceId,
    generation: u64,
    /// Counts words about requests.
    said: u64,
    /// Counts what ends the snapshots that are being paged.
    moves: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let (north, south) = (Origin::new(1), Origin::new(2));
        let harbour = Harbour::with(&[&north, &south]);
        let mut world = Self {
            rng: Rng::new(seed),
            harbour,
            north,
            reader: south.id(),
            generation: 0,
            said: 0,
            moves: 0,
        };
        world.publish();
        world
    }

    /// One delta, now and then one that opens a new log.
    fn publish(&mut self) {
        if self.rng.chance(8) && self.generation > 0 {
            let log = u8::try_from(100 + self.generation).expect("few logs");
            self.north.open(log, self.generation);
            self.moves += 1;
        }
        self.generation += 1;
        let mut what = Vec::new();
        for record in 0..RECORDS {
            let is_live = self.north.is_live(record);
            if self.rng.chance(15) {
                what.push(match is_live && self.rng.chance(40) {
                    true => Do::Retract(record),
                    false if record % 4 == 1 => {
                        self.said += 1;
                        Do::Said(record, record - 1, self.said)
                    }
                    false if record % 3 == 0 => Do::Comment(record),
                    false => Do::Put(record),
                });
            }
        }
        self.harbour.publish(&mut self.north, &what);
        listings::check(&mut self.harbour, &self.north);
    }

    fn forget(&mut self) {
        let last = self.harbour.relay.cursor().expect("a cursor").n;
        let n = last - self.rng.below(4).min(usize::try_from(last).expect("few")) as u64;
        let gone = self.harbour.write(|write| write.forget_before(n));
        self.moves += u64::from(gone.expect("a change") > 0);
    }

    fn disturb(&mut self) {
        for _ in 0..self.rng.below(4) {
            self.publish();
        }
        if self.rng.chance(10) {
            self.forget();
        }
    }

    /// A whole snapshot, begun anew where the feed moved on by more than deltas. Returns it with a
    /// cursor from before.
    fn snapshot(&mut self) -> (Cursor, Vec<u8>) {
        loop {
            let cursor = self.harbour.relay.cursor().expect("a cursor");
            let bytes = 1 + self.rng.below(4_000);
            let first = ask(&self.north, bytes);
            let before = self.moves;
            let (mut section, mut body) = page(&self.harbour, &first).expect("a first page");
            let head = section.head;
            let gone = loop {
                let Some(next) = section.next.take() else {
                    break false;
                };
                self.disturb();
                let more = wb_store::relay::SnapshotAsk {
                    head: Some(head),
                    after: Some(&next),
                    ..first
                };
                match page(&self.harbour, &more) {
                    Ok((more, rest)) => {
                        section = more;
                        body.extend(rest);
                    }
                    Err(refused) => {
                        assert_eq!(refused, SnapshotRefused::HeadGone);
                        assert!(self.moves > before, "the feed moved by deltas alone");
                        break true;
                    }
                }
            };
            if !gone {
                verify(&self.north, &body, head);
                return (cursor, body);
            }
        }
    }

    /// Brings a follower to where the hub stands.
    fn pull(&mut self, follower: &mut Follower, cursor: &mut Cursor) {
        loop {
            let limits = PageLimits {
                bytes: 1 + self.rng.below(6_000),
                arrivals: 1 + self.rng.below(5) as u64,
            };
            let changes = self
                .harbour
                .relay
                .changes(&self.reader, cursor, limits, now());
            match changes.expect("readable arrivals") {
                Ok(changes) => {
                    let outcomes = follower.take(&changes.body);
                    assert!(
                        outcomes
                            .iter()
                            .all(|it| matches!(*it, "append" | "duplicate"))
                    );
                    *cursor = changes.section.cursor;
                    if !changes.section.more {
                        break;
                    }
                }
                Err(refused) => {
                    assert_eq!(refused, CursorRefused::TooOld);
                    let (from, body) = self.snapshot();
                    let outcome = follower.take(&body)[0];
                    assert!(matches!(outcome, "take" | "duplicate"), "{outcome}");
                    *cursor = from;
                }
            }
        }
        assert_eq!(follower.held(), [self.north.held()]);
        follower.check(0);
    }
}

fn run(seed: u64) {
    let mut world = World::new(seed);
    let (mut steady, mut steady_at) = (Follower::new(), world.harbour.start());
    for _ in 0..ROUNDS {
        world.disturb();
        if world.rng.chance(50) {
            world.pull(&mut steady, &mut steady_at);
        }
    }
    let (mut newcomer, (mut at, body)) = (Follower::new(), world.snapshot());
    assert_eq!(newcomer.take(&body), ["take"]);
    world.pull(&mut newcomer, &mut at);
    world.pull(&mut steady, &mut steady_at);
}

#[test]
fn followers_stand_where_the_origin_does() {
    if let Some(seed) = number("WB_SEED") {
        return run(seed);
    }
    let histories = number("WB_RELAY_HISTORIES").unwrap_or(HISTORIES);
    for seed in 0..histories {
        println!("WB_SEED={seed}");
        run(seed);
    }
}
