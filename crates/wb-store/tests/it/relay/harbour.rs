//! A hub in a folder of its own.

use tempfile::TempDir;
use wb_core::feed::Outcome;
use wb_core::id::{InstanceId, LogId};
use wb_core::sync::{Cursor, FollowList, Policy, Standing, Visibility};
use wb_core::time::Timestamp;
use wb_store::relay::{Applicant, Changes, PageLimits, Registered, Relay, RelayWrite};

use crate::origin::{Do, Origin, Sealed, now};

/// Its relay log.
pub const LOG: LogId = LogId([5; 16]);

pub struct Harbour {
    pub relay: Relay,
    dir: TempDir,
}

/// Some seconds after [`now`].
pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(now().unix_ms() + 1_000 * seconds).expect("a time")
}

impl Harbour {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let relay = Relay::open(&dir.path().join("hub.db"), LOG).expect("a new file");
        Self { relay, dir }
    }

    /// Its file.
    pub fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("hub.db")
    }

    /// A hub with members that all follow each other.
    pub fn with(members: &[&Origin]) -> Self {
        let mut harbour = Self::new();
        for member in members {
            harbour.register(member, Policy::Open);
            harbour.follow_all(&member.id());
        }
        harbour
    }

    pub fn write<T>(&mut self, work: impl FnOnce(&RelayWrite<'_>) -> T) -> T {
        let write = self.relay.write().expect("a transaction");
        let done = work(&write);
        write.commit().expect("a commit");
        done
    }

    pub fn register(&mut self, origin: &Origin, policy: Policy) -> Registered {
        let card = origin.card();
        let applicant = Applicant {
            identity: &origin.identity,
            card: &card,
            name: "somebody",
            visibility: Visibility::Public,
            counter: 1,
        };
        self.write(|write| write.register(&applicant, policy, now()))
            .expect("a registration")
            .expect("nothing newer is held")
    }

    pub fn follow_all(&mut self, id: &InstanceId) {
        let mut list = self.relay.follows(id).expect("a list");
        list.counter += 1;
        list.all = true;
        self.put_follows(id, &list);
    }

    pub fn put_follows(&mut self, id: &InstanceId, list: &FollowList) {
        self.write(|write| write.put_follows(id, list))
            .expect("a stored list")
            .expect("a newer list");
    }

    pub fn stand(&mut self, id: &InstanceId, standing: Standing, until: Option<Timestamp>) {
        let known =
            self.write(|write| write.set_standing(id, standing, Some("noise"), until, now()));
        assert!(known.expect("a stored standing"));
    }

    pub fn push(&mut self, delta: &Sealed) -> Outcome {
        self.write(|write| write.push_delta(&delta.read(), now()))
            .expect("a readable feed")
    }

    /// Seals a delta and pushes it.
    pub fn publish(&mut self, origin: &mut Origin, what: &[Do]) {
        let delta = origin.seal(what);
        assert_eq!(self.push(&delta).as_str(), "append");
    }

    pub fn start(&self) -> Cursor {
        format!("{LOG}.0.0000000000000000")
            .parse()
            .expect("a cursor")
    }

    pub fn changes(&self, member: &InstanceId, since: &Cursor) -> Changes {
        self.page(member, since, PageLimits::default())
    }

    pub fn page(&self, member: &InstanceId, since: &Cursor, limits: PageLimits) -> Changes {
        self.relay
            .changes(member, since, limits, now())
            .expect("readable arrivals")
            .expect("a good cursor")
    }

    /// The sections of changes after a cursor, in short.
    pub fn told(&self, member: &InstanceId, since: &Cursor) -> Vec<String> {
        sections(&self.changes(member, since).body)
    }
}

/// Each section line in short: what, of whom, how much.
pub fn sections(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).expect("lines are text");
    let lines = text.lines().filter(|line| line.starts_with("{\"section\""));
    lines
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a section");
            let origin = line["origin"].as_str();
            let origin = origin.or(line["head"]["origin"].as_str());
            let origin: InstanceId = origin.expect("an origin").parse().expect("an id");
            let count = match line["section"].as_str() {
                Some("identity") => &line["entries"],
                Some("deltas") => &line["deltas"],
                _ => &line["head"]["seq"],
            };
            let section = line["section"].as_str().expect("a word");
            format!("{section} {} {count}", origin.short())
        })
        .collect()
}
