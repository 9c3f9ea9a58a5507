//! A hub in PostgreSQL and a hub in an SQLite file are told the same random histories of feeds, with crashes,
//! restores, forks, recoveries and a thief, and answer the same bytes.
//!
//! Both are judged by the rules of `wb-core`; how they keep and find things they share nothing of. Meanwhile members
//! are suspended and let in again, old deltas are forgotten, and each hub is moved once to where the other one was. `WB_PG_HISTORIES=n` sets how many are run,
//! `WB_SEED=n` replays one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use wb_core::bundle::Writer;
use wb_core::feed::Header;
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::IdentityLog;
use wb_core::scope::FeedScope;
use wb_core::sync::{
    ChangesSection, Cursor, FollowList, HistorySection, PageSection, Policy, Visibility,
};
use wb_core::time::Timestamp;
use wb_hub::{Decision, HubStore, Registering, SnapshotAsk, SqliteHub};
use wb_hub_pg::PgHub;
use wb_store::relay::Relay;

use crate::histories::{Subject, number, run_all};
use crate::moving::{into_database, into_file};
use crate::naive::{FeedView, Follower, HiddenView, Outcome, ShownView};
use crate::origin::{Origin, now};
use crate::server::{database, hub, log_id};

const HISTORIES: u64 = 24;
/// Bytes after which pages end: few lines, so that there are several.
const PAGE_BYTES: usize = 4_000;
/// The step after which each hub is moved to where the other one is, and the history goes on there.
const MOVED_AT: u64 = 60;
/// Steps after which everything is read at both.
const READ_EVERY: u64 = 25;
/// Steps after which the snapshot of whoever pushed last is held against its stamp.
const STAMPED_EVERY: u64 = 3;

#[test]
fn what_is_in_postgresql_is_what_is_in_sqlite() {
    let histories = number("WB_PG_HISTORIES").unwrap_or(HISTORIES);
    run_all(histories, Some(|scopes| Box::new(Both::new(scopes))));
}

/// Both hubs, and the follower that answers for the history.
struct Both {
    naive: Follower,
    sqlite: SqliteHub,
    pg: PgHub,
    runtime: Runtime,
    members: BTreeSet<InstanceId>,
    reader: Origin,
    since: Cursor,
    steps: u64,
    /// Snapshots by what each hub said that they were made from.
    stamped: [Stamped; 2],
    /// Where they are.
    url: String,
    file: PathBuf,
    dir: TempDir,
}

impl Both {
    fn new(scopes: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (url, log) = database();
        let file = dir.path().join("hub.db");
        let relay = Relay::open(&file, log_id(log)).expect("a new file");
        let both = Self {
            naive: Follower::new(scopes),
            sqlite: SqliteHub::new(relay),
            pg: hub(&url, log),
            runtime: Runtime::new().expect("a runtime"),
            members: BTreeSet::new(),
            reader: Origin::new(200),
            since: Cursor::new(log_id(log), 0, &Hash([0; 32])),
            steps: 0,
            stamped: Default::default(),
            url,
            file,
            dir,
        };
        both.same(&Call::Register(both.reader.identity.clone()));
        both.same(&Call::FollowAll(both.reader.id()));
        both
    }

    fn at(&self) -> Timestamp {
        now().plus_ms(i64::try_from(self.steps).expect("few steps") * 1_000)
    }

    /// Tells both the same; both answer the same.
    fn same(&self, call: &Call) -> String {
        let at = self.at();
        // Where a page of changes ends is each hub's own matter, and a page tells an identity log once: so one page.
        let bytes = match call {
            Call::Changes(..) => usize::MAX,
            _ => PAGE_BYTES,
        };
        let (sqlite, pg) = (self.sqlite.clone(), self.pg.clone());
        let (sqlite, pg) = (sqlite.with_page_bytes(bytes), pg.with_page_bytes(bytes));
        let (sqlite, pg) = self
            .runtime
            .block_on(async { (tell(&sqlite, call, at).await, tell(&pg, call, at).await) });
        let differs = sqlite
            .lines()
            .zip(pg.lines())
            .find(|(one, other)| one != other);
        assert_eq!(differs, None, "at step {}: {call:?}", self.steps);
        assert_eq!(sqlite, pg, "at step {}: {call:?}", self.steps);
        sqlite
    }

    /// After a step: now and then somebody is suspended or let in again, and everything is read.
    fn step(&mut self) {
        self.steps += 1;
        let nth = usize::try_from(self.steps / 11).expect("few steps");
        let member = self
            .members
            .iter()
            .nth(nth % self.members.len().max(1))
            .copied();
        if let Some(member) = member {
            match self.steps % 11 {
                4 => drop(self.same(&Call::Suspend(member))),
                6 => drop(self.same(&Call::Reinstate(member))),
                _ => {}
            }
        }
        if self.steps.is_multiple_of(READ_EVERY) {
            self.read();
        }
        if self.steps.is_multiple_of(60) {
            self.same(&Call::Forget);
        }
        if self.steps == MOVED_AT {
            self.move_both();
        }
    }

    /// The hub of the file goes into a database, and that of the database into a file: what each answers from here on is
    /// held against the other, as before.
    fn move_both(&mut self) {
        let (url, log) = database();
        let file = self.dir.path().join("moved.db");
        into_database(&self.runtime, &self.file, &url);
        // It lets go of its connections.
        self.pg = hub(&url, log);
        into_file(&self.runtime, &self.url, &file);
        let relay = Relay::open(&file, log_id(log)).expect("a hub's file");
        self.sqlite = SqliteHub::new(relay);
        (self.url, self.file) = (url, file);
        // What a store says that pages are made from begins anew with it.
        self.stamped = Default::default();
        self.read();
    }

    fn read(&mut self) {
        let told = self.same(&Call::Changes(self.reader.id(), self.since));
        // From where the reader stands now, unless it came too late: then it goes on from the heads.
        self.since = match ChangesSection::read(first_line(told.as_bytes())) {
            Ok(section) => section.cursor,
            Err(_) => self.end(),
        };
        self.same(&Call::Lists(self.reader.id()));
        for member in self.members.clone() {
            self.same(&Call::Of(member));
            self.keeps_its_stamp(member);
        }
    }

    /// Whatever changes a page of a snapshot changes its stamp: a page that is kept is served as long as that is the same.
    fn keeps_its_stamp(&mut self, member: InstanceId) {
        let at = self.at();
        let (sqlite, pg) = (&self.sqlite, &self.pg);
        let stamped = self.runtime.block_on(async {
            [
                stamped(sqlite, member, at).await,
                stamped(pg, member, at).await,
            ]
        });
        for (known, (stamp, snapshot)) in self.stamped.iter_mut().zip(stamped) {
            let Some(stamp) = stamp else { continue };
            let first = known
                .entry((member, stamp))
                .or_insert_with(|| snapshot.clone());
            assert_eq!(*first, snapshot, "at step {}", self.steps);
        }
    }

    fn end(&self) -> Cursor {
        let heads = self
            .runtime
            .block_on(self.sqlite.heads(self.reader.id(), None, now()));
        heads.expect("a store").cursor
    }

    fn push(&mut self, origin: Option<InstanceId>, lines: &[Vec<u8>]) {
        if let Some(origin) = origin.filter(|origin| self.members.contains(origin)) {
            let mut body = lines.join(&b'\n');
            body.push(b'\n');
            self.same(&Call::Push(origin, body));
        }
        self.step();
        if let Some(origin) = origin.filter(|_| self.steps.is_multiple_of(STAMPED_EVERY)) {
            self.keeps_its_stamp(origin);
        }
    }
}

/// Everything is read at the end.
impl Drop for Both {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.read();
        }
    }
}

impl Subject for Both {
    fn identity(&mut self, lines: &[String]) -> Outcome {
        if let Ok(log) = IdentityLog::verify(None, lines) {
            let id = log.id();
            if self.members.insert(id) {
                self.same(&Call::Register(log));
                self.step();
            } else {
                let count = lines.len() as u64;
                let mut section = vec![Writer::identity(id, count)];
                section.extend(lines.iter().map(|line| line.clone().into_bytes()));
                self.push(Some(id), &section);
            }
        }
        self.naive.identity(lines)
    }

    fn delta(&mut self, header: &str, items: &[String]) -> Outcome {
        let read = Header::read(header.as_bytes())
            .ok()
            .map(|(header, _)| header);
        if let Some(read) = read {
            let mut lines = vec![Writer::deltas(
                read.origin,
                read.scope,
                1,
                items.len() as u64,
            )];
            lines.push(header.as_bytes().to_vec());
            lines.extend(items.iter().map(|item| item.clone().into_bytes()));
            self.push(Some(read.origin), &lines);
        }
        self.naive.delta(header, items)
    }

    fn snapshot(&mut self, lines: &[String]) -> Outcome {
        let first = lines.first().map_or("", String::as_str).as_bytes();
        let totals = wb_core::feed::SnapshotReader::start(first).ok();
        let origin = totals.map(|reader| reader.totals().origin);
        let bytes: Vec<Vec<u8>> = lines.iter().map(|line| line.clone().into_bytes()).collect();
        self.push(origin, &bytes);
        self.naive.snapshot(lines)
    }

    fn fill(&mut self, line: &str) -> Outcome {
        self.naive.fill(line)
    }

    fn feeds(&self) -> Vec<FeedView> {
        self.naive.feeds()
    }

    fn shown(&self) -> Vec<ShownView> {
        self.naive.shown()
    }

    fn hidden(&self) -> Vec<HiddenView> {
        self.naive.hidden()
    }
}

/// What both are told or asked.
#[derive(Debug)]
enum Call {
    Register(IdentityLog),
    FollowAll(InstanceId),
    Push(InstanceId, Vec<u8>),
    Suspend(InstanceId),
    Reinstate(InstanceId),
    /// What is older than half a minute is forgotten.
    Forget,
    /// Everything that arrived after a cursor.
    Changes(InstanceId, Cursor),
    /// Heads and directory.
    Lists(InstanceId),
    /// Everything of one member.
    Of(InstanceId),
}

/// What a snapshot was when its stamp was given first.
type Stamped = BTreeMap<(InstanceId, String), String>;

/// What a hub answers, as text.
async fn tell<S: HubStore>(hub: &S, call: &Call, at: Timestamp) -> String {
    match call {
        Call::Register(identity) => {
            let registering = Registering {
                identity: identity.clone(),
                name: identity.id().short(),
                card: "{}".to_owned(),
                visibility: Visibility::Public,
                code: None,
                counter: 1,
            };
            format!("{:?}", hub.register(registering, Policy::Open, at).await)
        }
        Call::FollowAll(id) => {
            let everybody = FollowList {
                counter: 1,
                all: true,
                ..FollowList::default()
            };
            format!("{:?}", hub.put_follows(*id, everybody).await)
        }
        Call::Push(id, body) => format!("{:?}", hub.push(*id, body.clone(), at).await),
        Call::Suspend(id) => {
            let suspend = Decision::Suspend {
                reason: "a test".to_owned(),
                until: None,
            };
            format!("{:?}", hub.decide(*id, suspend, at).await)
        }
        Call::Reinstate(id) => format!("{:?}", hub.decide(*id, Decision::Reinstate, at).await),
        Call::Forget => format!("{:?}", hub.forget_before(at.plus_ms(-30_000)).await),
        Call::Changes(id, since) => changes(hub, *id, *since, at).await,
        Call::Lists(id) => {
            let heads = hub.heads(*id, None, at).await.expect("a store");
            let directory = hub.directory(None, 9, at).await.expect("a store");
            format!("{heads:?} {directory:?} {:?}", hub.standings(at).await)
        }
        Call::Of(id) => of_member(hub, *id, at).await,
    }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn first_line(body: &[u8]) -> &[u8] {
    body.split(|byte| *byte == b'\n').next().expect("a line")
}

/// What came after a cursor, with the number and running hash at its end.
async fn changes<S: HubStore>(hub: &S, id: InstanceId, since: Cursor, at: Timestamp) -> String {
    match hub.changes(id, since, at).await.expect("a store") {
        Ok(page) => text(&page.body),
        Err(refused) => format!("{refused:?}"),
    }
}

async fn of_member<S: HubStore>(hub: &S, id: InstanceId, at: Timestamp) -> String {
    let mut told = format!("{:?}\n", hub.member(id, at).await);
    told += &format!(
        "{:?}\n",
        hub.room(id).await.map(|room| (room.bytes, room.records))
    );
    told += &format!("{:?}\n", hub.identity(id).await);
    let own = hub.own(id, FeedScope::Public, None).await.expect("a store");
    told += &format!("{:?}\n", own.map(|body| text(&body)));
    told += &format!(
        "{:?}\n",
        hub.own_head(id)
            .await
            .map(|head| head.map(|head| text(&head)))
    );
    let mut after = None;
    loop {
        let page = hub.history(id, after.clone()).await.expect("a store");
        let page = page.expect("a place of this history");
        told += &text(&page);
        after = HistorySection::read(first_line(&page))
            .expect("a section")
            .next;
        if after.is_none() {
            break;
        }
    }
    told + &snapshot(hub, id, at).await
}

/// The stamp of a snapshot, and after it the snapshot itself.
async fn stamped<S: HubStore>(hub: &S, id: InstanceId, at: Timestamp) -> (Option<String>, String) {
    let stamp = hub.snapshot_stamp(id, FeedScope::Public, at).await;
    let stamp = stamp.expect("a store").map(|stamp| stamp.text);
    (stamp, snapshot(hub, id, at).await)
}

/// All pages of a snapshot, or why there are none.
async fn snapshot<S: HubStore>(hub: &S, id: InstanceId, at: Timestamp) -> String {
    let mut told = String::new();
    let mut ask = SnapshotAsk {
        origin: id,
        scope: FeedScope::Public,
        head: None,
        after: None,
        kinds: None,
    };
    loop {
        let page = match hub.snapshot(ask.clone(), at).await.expect("a store") {
            Ok(page) => page,
            Err(refused) => return format!("{told}{refused:?}"),
        };
        told += &text(&page);
        let section = PageSection::read(first_line(&page)).expect("a section");
        (ask.head, ask.after) = (Some(section.head), section.next);
        if ask.after.is_none() {
            return told;
        }
    }
}
