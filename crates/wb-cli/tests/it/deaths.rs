//! Processes that die at the worst moment: nothing is lost, nothing comes twice, and the next sync goes
//! on from there.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::params;
use tempfile::TempDir;

use crate::support::chance::Chance;
use crate::support::database::{self, LiveLine, live_lines, number};
use crate::support::hub::Hub;
use crate::support::instance::{Instance, text};
use crate::support::process::{Up, wait_until};
use crate::support::wire::recorder::{Connection, Recorder};

/// Requests of which a push or a page is cut in the midst.
const SOME: usize = 40;
/// Requests that are more than one page of a snapshot.
const MANY: usize = 250;
/// Bytes of a request's description, which packs badly.
const DESCRIPTION_BYTES: usize = 18_000;

/// Bytes of so many requests when they are packed, roughly: for places to cut.
const fn packed(requests: usize) -> u64 {
    (requests * DESCRIPTION_BYTES) as u64 * 3 / 4
}

/// North with much to share, a hub it is a member of, and a newcomer.
struct Town {
    _folder: TempDir,
    hub: Hub,
    north: Instance,
    south: Instance,
    requests: usize,
}

impl Town {
    fn new(requests: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let north = Instance::found(folder.path(), "North", "keeper");
        let south = Instance::found(folder.path(), "South", "ash");
        write_much(folder.path(), &north, requests);
        Self {
            _folder: folder,
            hub,
            north,
            south,
            requests,
        }
    }

    /// Everything North shares is at the hub and at South, once, and all files are sound.
    #[track_caller]
    fn is_whole(&self) {
        let id = self.north.id();
        let own = live_lines(&self.north.home, &id);
        assert!(own.len() > self.requests, "{} lines", own.len());
        assert!(self.hub.live_lines(&id) == own, "the hub holds the same");
        let held = live_lines(&self.south.home, &id);
        assert!(held == own, "South holds the same: {}", held.len());
        // Once: each record of the feed is shown as one.
        let listed = self.south.json(&["record", "list"]);
        let of_north: Vec<_> = listed
            .iter()
            .filter(|record| text(record, "origin") == id)
            .map(|record| text(record, "id").replace('-', ""))
            .collect();
        let ids: BTreeSet<String> = own.into_iter().map(|(_, id, ..): LiveLine| id).collect();
        assert_eq!(of_north.len(), ids.len());
        assert_eq!(BTreeSet::from_iter(of_north), ids);
        for instance in [&self.north, &self.south, &self.hub.instance] {
            instance.ok(&["doctor"]);
        }
        assert!(self.hub.is_sound());
        let twice = self.hub.number(
            "SELECT count(*) - count(DISTINCT hex(hash)) FROM arrivals WHERE kind = 'delta'",
            "SELECT count(*) - count(DISTINCT hash) FROM arrivals WHERE kind = 1",
        );
        assert_eq!(twice, 0, "no delta arrived twice");
        // South's own card goes out; then whoever asks again is told that there is nothing.
        for instance in [&self.south, &self.north] {
            instance.ok(&["sync"]);
        }
        for instance in [&self.north, &self.south] {
            let again = instance.json(&["sync"]).remove(0);
            assert_eq!(again["pulled"]["new"], 0);
            assert_eq!(again["pushed"]["deltas"], 0);
        }
    }
}

/// Writes a database of the Python program with long requests, and moves it in: a command for each of
/// them would take as long as everything else here.
fn write_much(folder: &Path, north: &Instance, requests: usize) {
    let like = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db");
    let path = folder.join("much.db");
    let database = rusqlite::Connection::open(&path).expect("the folder is there");
    for sql in database::texts(&like, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL") {
        database.execute(&sql, ()).expect("a table");
    }
    let made = "2026-02-03 10:20:30.123456";
    let user = "INSERT INTO users (id, username, is_admin, created_at, sync_scope)
                VALUES (1, 'maple', 1, ?1, 'public')";
    database.execute(user, [made]).expect("a row");
    let mut chance = Chance::announced("write_much");
    for id in 0..requests {
        let request =
            "INSERT INTO help_requests (id, title, description, status, created_by_user_id,
                           created_at, updated_at, sync_scope)
                       VALUES (?1, ?2, ?3, 'open', 1, ?4, ?4, 'public')";
        let row = params![
            i64::try_from(id).expect("a small number") + 1,
            format!("Request {id}"),
            noise(&mut chance),
            made
        ];
        database.execute(request, row).expect("a row");
    }
    drop(database);
    north.ok(&["import", "whiteballoon", "much.db"]);
}

/// A text that nothing can pack well.
fn noise(chance: &mut Chance) -> String {
    let words = (0..DESCRIPTION_BYTES / 10).flat_map(|_| chance.bits().to_le_bytes());
    let mut text = data_encoding::BASE64URL_NOPAD.encode(&words.collect::<Vec<u8>>());
    text.truncate(DESCRIPTION_BYTES);
    text
}

fn bytes_of(connections: &[Connection]) -> u64 {
    let bytes = connections
        .iter()
        .map(|connection| connection.asked.len() + connection.answered.len());
    bytes.sum::<usize>() as u64
}

/// Starts a sync, and kills something once so many bytes have passed.
fn when_bytes_passed(recorder: &Recorder, before: u64, bytes: u64) {
    wait_until("bytes pass", || {
        bytes_of(&recorder.connections()) >= before + bytes
    });
}

#[test]
fn a_hub_that_dies_while_it_is_given_something_has_all_of_it_after_the_next_sync() {
    let mut town = Town::new(SOME);
    town.north.ok(&["join", &town.hub.link(), "--yes"]);
    // Whatever it does with what has come: it reads, or it writes, or it is about to answer.
    for share in [1, 3, 4] {
        let recorder = Recorder::before(town.hub.port());
        let link = town.hub.link_by(recorder.port());
        town.north.ok(&["hub", "register", &link]);
        let before = bytes_of(&recorder.connections());
        let mut syncing = Up::start(&mut town.north.command(&["sync"]));
        wait_until("bytes pass", || {
            let passed = bytes_of(&recorder.connections()) - before;
            passed >= packed(SOME) * share / 4 || is_taken(&town)
        });
        town.hub.kill();
        let (code, said) = syncing.end();
        // Where it was quick, it has answered.
        assert!(matches!(code, Some(0 | 6)), "{code:?}: {said}");
        town.hub.again();
    }
    // It was given all of it, and has looked at none.
    town.north.ok(&["hub", "register", &town.hub.link()]);
    town.hub.send("STOP");
    let mut syncing = Up::start(&mut town.north.command(&["sync"]));
    wait_until("it syncs", || {
        let peer = town.north.json(&["peer", "show", "Harbour"]).remove(0);
        text(&peer, "phase") == "syncing" && peer["cut_off"] == false
    });
    town.hub.kill();
    assert_eq!(syncing.end().0, Some(6));
    town.hub.again();
    town.north.ok(&["hub", "register", &town.hub.link()]);
    town.north.ok(&["sync"]);
    town.south.ok(&["join", &town.hub.link(), "--yes"]);
    town.is_whole();
}

/// Whether the hub has what North shares.
fn is_taken(town: &Town) -> bool {
    let of_file = "SELECT count(*) FROM arrivals WHERE kind = 'delta'";
    let of_database = "SELECT count(*) FROM arrivals WHERE kind = 1";
    town.hub.number(of_file, of_database) > 0
}

#[test]
fn a_push_that_is_cut_off_anywhere_is_made_good_by_the_next() {
    let town = Town::new(SOME);
    let recorder = Recorder::before(town.hub.port());
    town.north
        .ok(&["join", &town.hub.link_by(recorder.port()), "--yes"]);
    town.north.ok(&["publish"]);
    for bytes in [700, packed(SOME) / 3, packed(SOME) * 2 / 3] {
        recorder.cut_after(bytes);
        let run = town.north.run(&["--json", "sync"]);
        run.ends(6);
        let peer = town.north.json(&["peer", "show", "Harbour"]).remove(0);
        assert_eq!(text(&peer, "phase"), "failing", "{peer}");
    }
    recorder.cut_no_more();
    town.north.ok(&["sync"]);
    town.south.ok(&["join", &town.hub.link(), "--yes"]);
    town.is_whole();
}

#[test]
fn a_newcomer_whose_hub_dies_has_everything_after_the_next_sync() {
    let mut town = Town::new(MANY);
    town.north.ok(&["join", &town.hub.link(), "--yes"]);
    town.north.ok(&["sync"]);
    let recorder = Recorder::before(town.hub.port());
    let link = town.hub.link_by(recorder.port());
    town.south.ok(&["hub", "register", &link]);
    town.south.ok(&["follow", "Harbour/*"]);
    let before = bytes_of(&recorder.connections());
    // Anywhere in heads and snapshot the connection ends.
    for bytes in [3_000, packed(MANY) / 3, packed(MANY) * 9 / 10] {
        recorder.cut_after(bytes);
        town.south.run(&["sync", "--pull"]).ends(6);
        let held = live_lines(&town.south.home, &town.north.id());
        assert!(held.is_empty(), "half a snapshot: {}", held.len());
    }
    recorder.cut_no_more();
    let passed = bytes_of(&recorder.connections());
    assert!(passed > before);
    let syncing = Up::start(&mut town.south.command(&["sync", "--pull"]));
    // After the first page and before the end.
    when_bytes_passed(&recorder, passed, packed(MANY) * 8 / 10);
    town.hub.kill();
    let (code, said) = { syncing }.end();
    assert!(matches!(code, Some(0 | 6)), "{code:?}: {said}");
    drop(recorder);
    town.hub.again();
    town.south.ok(&["hub", "register", &town.hub.link()]);
    town.north.ok(&["hub", "register", &town.hub.link()]);
    town.south.ok(&["follow", &town.north.id()]);
    town.south.ok(&["sync"]);
    town.is_whole();
}

#[test]
fn a_sync_that_is_killed_while_it_pulls_goes_on_with_the_next() {
    let town = Town::new(SOME);
    town.north.ok(&["join", &town.hub.link(), "--yes"]);
    town.north.ok(&["sync"]);
    town.south.ok(&["hub", "register", &town.hub.link()]);
    town.south.ok(&["follow", "Harbour/*"]);
    // It waits for an answer that does not come.
    town.hub.send("STOP");
    let pulling = Up::start(&mut town.south.command(&["sync", "--pull"]));
    wait_until("it pulls", || {
        let peer = town.south.json(&["peer", "show", "Harbour"]).remove(0);
        text(&peer, "phase") == "syncing" && peer["cut_off"] == false
    });
    let run = town.south.run(&["sync"]).ends(5);
    assert!(run.stderr.contains("another wb is syncing"), "{run:?}");
    pulling.kill();
    let peer = town.south.json(&["peer", "show", "Harbour"]).remove(0);
    assert_eq!(peer["cut_off"], true);
    let shown = town.south.ok(&["peer", "show", "Harbour"]);
    assert!(shown.contains("cut off"), "{shown}");
    town.hub.send("CONT");
    town.south.ok(&["follow", &town.north.id()]);
    town.south.ok(&["sync"]);
    let peer = town.south.json(&["peer", "show", "Harbour"]).remove(0);
    assert_eq!(
        (text(&peer, "phase"), &peer["cut_off"]),
        ("idle", &serde_json::json!(false))
    );
    town.is_whole();
}

/// Whatever moment it is killed at.
#[test]
fn a_sync_killed_at_any_moment_leaves_whole_files() {
    let town = Town::new(MANY);
    town.north.ok(&["join", &town.hub.link(), "--yes"]);
    town.north.ok(&["sync"]);
    let recorder = Recorder::before(town.hub.port());
    town.south
        .ok(&["hub", "register", &town.hub.link_by(recorder.port())]);
    town.south.ok(&["follow", "Harbour/*"]);
    town.south.ok(&["follow", &town.north.id()]);
    let mut passed = bytes_of(&recorder.connections());
    for bytes in [1, 10_000, packed(MANY) / 2, packed(MANY) * 19 / 20] {
        let pulling = Up::start(&mut town.south.command(&["sync", "--pull"]));
        // What it takes may be less, once something of it counts.
        wait_until("it pulls", || {
            let now = bytes_of(&recorder.connections());
            now >= passed + bytes || ended(&town.south)
        });
        pulling.kill();
        passed = bytes_of(&recorder.connections());
        town.south.ok(&["doctor"]);
    }
    town.south.ok(&["sync"]);
    town.is_whole();
}

/// Whether the last sync ended by itself.
fn ended(instance: &Instance) -> bool {
    let sql = "SELECT count(*) FROM peers WHERE last_ok IS NOT NULL";
    number(&instance.file("wb.db"), sql) > 0
}
