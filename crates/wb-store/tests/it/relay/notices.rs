//! What a hub's notices leave of what it serves, over random histories: held against every notice that was sealed, one
//! by one, by an oracle that keeps no fold.

use std::collections::BTreeMap;

use wb_core::hash;
use wb_core::id::{Hash, RecordId};
use wb_core::line::Line;
use wb_core::scope::FeedScope;
use wb_core::sync::{Policy, Visibility};
use wb_store::relay::{Applicant, LinesAsk};

use super::harbour::{Harbour, later};
use super::snapshots::{ask, page, verify};
use crate::origin::{Do, Origin, Sealed, now};

const SEEDS: u64 = 12;
const STEPS: u64 = 24;
const RECORDS: u64 = 4;

/// Chance from a seed: each number is the hash of the one before.
struct Chance(Hash);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = hash::sha256(&self.0.0);
        u64::from(self.0.0[0]) % n
    }
}

/// A notice that was sealed.
struct Said {
    n: u64,
    hash: Hash,
    act: &'static str,
    record: Option<RecordId>,
    line: Option<Hash>,
    ends: Option<i64>,
}

/// Everything that was done, and nothing worked out from it.
struct Story {
    harbour: Harbour,
    hub: Origin,
    north: Origin,
    said: Vec<Said>,
    live: BTreeMap<u64, Hash>,
}

impl Story {
    fn new() -> Self {
        let (hub, north, south) = (Origin::new(9), Origin::new(1), Origin::new(2));
        let mut harbour = Harbour::with(&[&north, &south]);
        let card = hub.card();
        let applicant = Applicant {
            identity: &hub.identity,
            card: &card,
            name: "Harbour",
            visibility: Visibility::Unlisted,
            counter: 1,
        };
        harbour.write(|write| {
            let taken = write.register(&applicant, Policy::Open, now());
            taken.expect("a registration").expect("nothing newer");
            write.put_hub(&hub.id()).expect("it is a member");
        });
        Self {
            harbour,
            hub,
            north,
            said: Vec::new(),
            live: BTreeMap::new(),
        }
    }

    fn publish(&mut self, what: Do, number: u64) {
        let delta = self.north.seal(&[what]);
        self.taken(&delta);
        self.live.remove(&number);
        if let Ok(line) = Line::read(&delta.items[0]) {
            self.live.insert(number, line.hash);
        }
    }

    fn taken(&mut self, delta: &Sealed) {
        assert_eq!(self.harbour.push(delta).as_str(), "append");
    }

    fn say(&mut self, n: u64, act: &'static str, about: Option<(u64, bool)>, ends: Option<i64>) {
        let record = about.map(|(number, _)| self.north.record(number));
        let line = about
            .filter(|(_, this)| *this && act == "withhold")
            .and_then(|(number, _)| self.live.get(&number).copied());
        let member = |name: &str, value: Option<String>| {
            value.map_or_else(String::new, |value| format!(r#""{name}":"{value}","#))
        };
        let body = format!(
            r#"{{"act":"{act}","subject":"{}",{}{}{}"n":{n},"reason":"x","issued_at":"{}"}}"#,
            self.north.id(),
            member("record", record.map(|id| id.to_string())),
            member("line", line.map(|line| line.to_string())),
            member("until", ends.map(|ends| later(ends).to_string())),
            now()
        );
        let number = 1_000 + self.said.len() as u64;
        let delta = self.hub.seal_bodies(&[(number, "notice", body)]);
        self.taken(&delta);
        self.said.push(Said {
            n,
            hash: hash::line(&delta.items[0]),
            act,
            record,
            line,
            ends,
        });
    }

    /// The acts that hold about the instance or a record at a time: nothing later was said about it.
    fn holds(&self, record: Option<RecordId>, at: i64) -> Option<&Said> {
        let about = |said: &&Said| said.record == record;
        let standing = self.said.iter().filter(about).find(|said| {
            let outdone = |other: &&Said| (other.n, other.hash) > (said.n, said.hash);
            !self.said.iter().filter(about).any(|other| outdone(&other))
        })?;
        let is_over = standing.ends.is_some_and(|ends| ends <= at);
        (standing.act != "reinstate" && !is_over).then_some(standing)
    }

    fn check(&mut self, at: i64, seed: u64) {
        let when = later(at);
        self.harbour
            .write(|write| write.end_suspensions(when))
            .expect("a stored standing");
        self.harbour
            .write(|write| write.heed(when))
            .expect("readable notices");
        let again = self.harbour.write(|write| write.heed(when));
        assert!(!again.expect("notices"), "seed {seed}: heeding twice");
        let out = self.holds(None, at).map(|said| said.act);
        let is_out = matches!(out, Some("suspend" | "revoke"));
        let id = self.north.id();
        let member = self.harbour.relay.member(&id, when);
        let member = member.expect("a row").expect("North");
        assert_eq!(
            (member.listed, member.revoked),
            (out != Some("delist"), out == Some("revoke")),
            "seed {seed}"
        );
        let lines = LinesAsk {
            origin: id,
            scope: FeedScope::Public,
            after: None,
            kinds: None,
            newest: None,
            only: None,
            bytes: usize::MAX,
        };
        let given = self.harbour.relay.lines_page(&lines, when).expect("a feed");
        if self.live.is_empty() && given.is_err() {
            return;
        }
        assert_eq!(given.is_err(), is_out, "seed {seed}");
        if is_out {
            return;
        }
        let given = given.expect("it is served");
        let mut withheld = 0;
        for (number, hash) in &self.live {
            let record = self.north.record(*number);
            let said = self.holds(Some(record), at);
            let is_withheld = said.is_some_and(|said| said.line.is_none_or(|line| line == *hash));
            withheld += usize::from(is_withheld);
            let text = record.to_string();
            let lines = given.split(|byte| *byte == b'\n');
            let served = lines
                .filter_map(|line| Line::read(line).ok())
                .any(|line| line.id == record);
            assert_eq!(served, !is_withheld, "seed {seed}: {text}");
        }
        let (section, body) = page(&self.harbour, &ask(&self.north, usize::MAX)).expect("a page");
        let stubs = verify(&self.north, &body, section.head);
        assert_eq!(stubs, withheld, "seed {seed}");
        let own = self
            .harbour
            .relay
            .own_page(&id, FeedScope::Public, None, usize::MAX)
            .expect("a feed")
            .expect("its own");
        let own_lines = own.split(|byte| *byte == b'\n');
        let own_lines = own_lines.filter(|line| Line::read(line).is_ok()).count();
        assert_eq!(
            own_lines,
            self.live.len(),
            "seed {seed}: what its origin gets back"
        );
    }

    /// The file is sound, whatever was done.
    fn is_sound(&self, seed: u64) {
        for finding in self.harbour.relay.check().expect("a file") {
            assert!(finding.problems.is_empty(), "seed {seed}: {finding:?}");
        }
    }
}

#[test]
fn what_is_served_is_what_the_notices_leave_of_it_over_random_histories() {
    for seed in 0..SEEDS {
        let (mut chance, mut story) = (Chance(hash::sha256(&seed.to_be_bytes())), Story::new());
        let mut at = 0;
        for _ in 0..STEPS {
            let number = chance.below(RECORDS);
            let ends = match chance.below(4) {
                0 => Some(at + 1),
                1 => Some(at + 3),
                _ => None,
            };
            let n = 1 + chance.below(40);
            let is_live = story.live.contains_key(&number);
            match chance.below(9) {
                0..=2 if !is_out(&story, at) => story.publish(Do::Put(number), number),
                3 if is_live && !is_out(&story, at) => story.publish(Do::Retract(number), number),
                4 => story.say(n, "withhold", Some((number, chance.below(2) == 0)), ends),
                5 => story.say(n, "reinstate", Some((number, false)), None),
                6 => story.say(n, "reinstate", None, None),
                7 => story.say(
                    n,
                    if chance.below(2) == 0 {
                        "delist"
                    } else {
                        "suspend"
                    },
                    None,
                    ends,
                ),
                _ => story.say(n, "revoke", None, None),
            }
            at += i64::from(chance.below(2) == 0);
            story.check(at, seed);
        }
        story.is_sound(seed);
    }
}

/// Whether North is left out, so that it cannot push.
fn is_out(story: &Story, at: i64) -> bool {
    let held = story.holds(None, at).map(|said| said.act);
    matches!(held, Some("suspend" | "revoke"))
}
