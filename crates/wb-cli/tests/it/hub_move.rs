//! `wb hub move` with the real program: a hub with members goes from its file into a database and back, is killed on the
//! way and begun again, and its members notice nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use wb_node::Node;
use wb_node::sync::{Connected, connect};
use wb_store::Home;
use wb_throwaway::{FAST, Server};

use crate::support::database::{dump_table, texts};
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};
use crate::support::process::Up;

/// A password that must not be shown anywhere; the server asks for none.
const PASSWORD: &str = "s3cret-word";
/// What is not the same in a file that was in a database meanwhile: numbers that lead from one row to another, counted
/// anew, and what is of the file alone. All of it is held by their contents in the tests of `wb-hub-pg`.
const COUNTED_ANEW: [&str; 12] = [
    "feed_lines",
    "feeds",
    "headers",
    "logs",
    "asides",
    "held",
    "held_lines",
    "arrivals",
    "listings",
    "meta",
    "instances",
    "served_changes",
];
/// How long a move is left alone before it is killed.
const KILLED_AFTER_MS: [u64; 6] = [30, 80, 150, 250, 400, 700];

/// A hub with two communities that follow each other, and a server beside it.
struct World {
    folder: TempDir,
    server: Server,
    hub: Hub,
    north: Instance,
    east: Instance,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&FAST).unwrap_or_else(|error| panic!("{error}"));
        server.database("hub").expect("a database");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let [north, east] = ["North", "East"].map(|name| {
            let member = Instance::found(folder.path(), name, "keeper");
            member.ok(&["join", &hub.link(), "--yes"]);
            member
        });
        ask(&north, "a ladder");
        ask(&east, "soup");
        for member in [&north, &east, &north, &east] {
            member.ok(&["sync"]);
        }
        Self {
            folder,
            server,
            hub,
            north,
            east,
        }
    }

    /// The file in which the address of a database stands.
    fn address_in_file(&self, database: &str) -> PathBuf {
        let file = self.folder.path().join(format!("{database}.txt"));
        let port = self.server.port();
        let url = format!("postgres://bench:{PASSWORD}@127.0.0.1:{port}/{database}\n");
        std::fs::write(&file, url).expect("a file");
        file
    }

    /// Stops the hub, and has its commands find their data there from now on.
    fn stop(&mut self) {
        let (code, _) = self.hub.process().signal("TERM");
        assert_eq!(code, Some(0));
    }

    fn is_in(&mut self, store: Option<&Path>) {
        let variable = |file: &Path| ("WB_STORE_FILE", file.to_owned());
        self.hub.instance.environment = store.map(variable).into_iter().collect();
    }

    fn hub_file(&self) -> PathBuf {
        self.hub.instance.file("hub.db")
    }
}

/// The hub as a member calls it, and where the member stands there.
fn client(member: &Instance) -> Connected {
    let node = Node::open(&Home::new(member.home.clone())).expect("a node");
    let peers = node.store().peers().expect("peers");
    connect(&node, &peers[0]).expect("a hub")
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(work)
}

/// What a hub answers to a cursor: the body, of which the first line is its own.
fn after(member: &Instance, since: &wb_core::sync::Cursor) -> Vec<u8> {
    let mut hub = client(member);
    block_on(hub.changes(since, Duration::ZERO, None)).expect("an answer")
}

fn cursor(member: &Instance) -> wb_core::sync::Cursor {
    let mut hub = client(member);
    block_on(hub.heads(None)).expect("heads").cursor
}

/// Tables that are the same, byte for byte.
fn dump(file: &Path) -> String {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let tables = texts(file, sql);
    let same = tables
        .iter()
        .filter(|table| !COUNTED_ANEW.contains(&table.as_str()));
    same.map(|table| dump_table(file, table)).collect()
}

fn rows_of(moved: &Value, table: &str) -> u64 {
    let tables = moved["tables"].as_array().expect("tables");
    let found = tables
        .iter()
        .find(|row| row["table"] == table)
        .expect("a table");
    assert_eq!(found["rows"], found["rows_there"], "{found}");
    assert_eq!(found["hash"], found["hash_there"], "{found}");
    found["rows"].as_u64().expect("a number")
}

#[test]
fn there_and_back_members_notice_nothing() {
    let mut world = World::start();
    let store = world.address_in_file("hub");
    let before = cursor(&world.east);
    let is_quiet = after(&world.east, &before);
    // While it runs it is not moved.
    let arguments = ["hub", "move", "--to-file", "hub.txt"];
    let refused = world.hub.instance.run(&arguments).ends(5);
    assert!(
        refused.stderr.contains("is running already"),
        "{}",
        refused.stderr
    );

    world.stop();
    let moved = world.hub.instance.json(&arguments).remove(0);
    assert_eq!(moved["moved"], true);
    assert_eq!(rows_of(&moved, "members"), 2);
    assert_eq!(rows_of(&moved, "arrivals"), before.n);
    assert_eq!(moved["feeds"], 2);
    assert!(!world.hub_file().exists() && world.hub.instance.file("hub.db.moved").exists());
    let told = world.hub.instance.json(&["status"]).remove(0);
    assert_eq!(text(&told, "hub_store"), moved["to"]);
    let looked = world.hub.instance.run(&["doctor"]).ends(0);
    assert!(
        looked.stderr.contains("They were not looked at"),
        "{}",
        looked.stderr
    );
    let done = world.hub.instance.json(&["hub", "audit"]);
    assert!(done.iter().any(|row| row["act"] == "hub move"), "{done:?}");
    // Without the address no other hub begins here.
    let refused = world.hub.instance.run(&["hub", "up"]).ends(2);
    assert!(
        refused
            .stderr
            .contains("the data of this hub are in postgres://"),
        "{}",
        refused.stderr
    );

    world.is_in(Some(&store));
    world.hub.back();
    assert_eq!(
        cursor(&world.east),
        before,
        "numbers and their running hash"
    );
    assert_eq!(after(&world.east, &before), is_quiet, "nothing new");
    world.east.ok(&["sync"]);
    world.north.ok(&["sync"]);
    assert_eq!(cursor(&world.east), before, "nobody gave anything again");
    ask(&world.north, "a boat");
    world.north.ok(&["sync"]);
    world.east.ok(&["sync"]);
    assert_eq!(titles(&world.east), ["a boat", "a ladder", "soup"]);
    let listed = world.hub.instance.json(&["hub", "list"]);
    assert_eq!(listed.len(), 2);

    // And back. A process that uses the database keeps it where it is.
    let back = ["hub", "move", "--to", "file"];
    world.hub.instance.run(&back).ends(5);
    world.stop();
    let between = world.hub.instance.json(&back).remove(0);
    assert_eq!(rows_of(&between, "arrivals"), before.n + 1);
    let refused = world.hub.instance.run(&["hub", "up"]).ends(5);
    assert!(
        refused.stderr.contains("was moved to hub.db in"),
        "{}",
        refused.stderr
    );
    world.is_in(None);
    world.hub.back();
    world.east.ok(&["sync"]);
    world.north.ok(&["sync"]);
    let now = cursor(&world.east);
    assert_eq!(now.n, before.n + 1, "nobody gave anything again");
    // The password is in no answer, whoever reads it.
    for run in [&refused.stderr, &moved.to_string(), &between.to_string()] {
        assert!(!run.contains(PASSWORD), "{run}");
    }
}

#[test]
fn a_move_that_was_killed_is_begun_again() {
    let mut world = World::start();
    let store = world.address_in_file("hub");
    world.stop();
    let original = dump(&world.hub_file());
    let arguments = ["hub", "move", "--to-file", "hub.txt"];
    let mut killed = 0;
    for ms in KILLED_AFTER_MS {
        let mut command = world.hub.instance.command(&arguments);
        let up = Up::start(&mut command);
        std::thread::sleep(Duration::from_millis(ms));
        up.kill();
        if !world.hub_file().exists() || world.hub.instance.file("hub.store").exists() {
            break;
        }
        killed += 1;
        // What was begun there is no hub, and the file still is one.
        world.is_in(Some(&store));
        let there = world.hub.instance.run(&["hub", "list"]);
        assert_ne!(there.code, Some(0), "{}", there.stdout);
        world.is_in(None);
        assert_eq!(world.hub.instance.json(&["hub", "list"]).len(), 2);
    }
    assert!(killed > 0, "one of them was killed on the way");
    world.hub.instance.ok(&arguments);
    world.is_in(Some(&store));
    assert_eq!(world.hub.instance.json(&["hub", "list"]).len(), 2);

    // The other way: until it is over the database is the hub.
    let back = ["hub", "move", "--to", "file"];
    for ms in KILLED_AFTER_MS {
        let mut command = world.hub.instance.command(&back);
        let up = Up::start(&mut command);
        std::thread::sleep(Duration::from_millis(ms));
        up.kill();
        if world.hub_file().exists() || !world.hub.instance.file("hub.store").exists() {
            break;
        }
    }
    world.hub.instance.ok(&back);
    world.is_in(None);
    assert_eq!(
        dump(&world.hub_file()),
        original,
        "what nothing leads to is as it was"
    );
    world.hub.back();
    world.east.ok(&["sync"]);
    assert_eq!(titles(&world.east), ["a ladder", "soup"]);
}

#[test]
fn it_goes_where_nothing_is_and_says_what_stands_in_the_way() {
    let mut world = World::start();
    world.stop();
    let hub = &world.hub.instance;
    for (arguments, code, says) in [
        (&["hub", "move"][..], 2, "where the hub goes is not said"),
        (&["hub", "move", "--to", "file"], 2, "already"),
        (
            &["hub", "move", "--to", "mysql://wb:s3cret-word@host/x"],
            2,
            "an address like postgres://",
        ),
        (
            &["hub", "move", "--to-file", "nothing.txt"],
            1,
            "nothing.txt",
        ),
    ] {
        let run = hub.run(arguments).ends(code);
        assert!(run.stderr.contains(says), "{}", run.stderr);
        assert!(!run.stderr.contains(PASSWORD), "{}", run.stderr);
    }
    // A database in which another hub is, and one in which tables of somebody else are.
    world.server.database("other").expect("a database");
    let other = world.address_in_file("other");
    let mut another = Instance::found(world.folder.path(), "Pier", "operator");
    another.environment = vec![("WB_STORE_FILE", other)];
    let mut pier = Hub::of(another, "open");
    pier.again();
    pier.kill();
    let refused = hub.run(&["hub", "move", "--to-file", "other.txt"]).ends(5);
    assert!(
        refused
            .stderr
            .contains("there is a hub in this database already"),
        "{}",
        refused.stderr
    );
    world.server.database("strange").expect("a database");
    world.address_in_file("strange");
    world
        .server
        .run_in("strange", &["CREATE TABLE members (n integer);"])
        .expect("it can");
    let refused = hub
        .run(&["hub", "move", "--to-file", "strange.txt"])
        .ends(1);
    assert!(
        refused.stderr.contains("already exists"),
        "{}",
        refused.stderr
    );
    // After all that it is where it was.
    assert_eq!(hub.json(&["hub", "list"]).len(), 2);
}

/// A record of a feed was damaged in the file: it is copied as it is, and the head does not commit to it.
#[test]
fn what_does_not_prove_itself_is_not_switched_to() {
    let mut world = World::start();
    let store = world.address_in_file("hub");
    world.stop();
    let damaged = rusqlite::Connection::open(world.hub_file())
        .expect("the file")
        .execute("UPDATE feed_lines SET rev = rev + 1 WHERE line_no = (SELECT min(line_no) FROM feed_lines WHERE live = 1)", []);
    assert_eq!(damaged, Ok(1));
    let hub = &world.hub.instance;
    let run = hub
        .run(&["--json", "hub", "move", "--to-file", "hub.txt"])
        .ends(4);
    assert!(
        run.stderr.contains("do not make the digest of its head"),
        "{}",
        run.stderr
    );
    assert_eq!(run.json()[0]["moved"], false);
    assert!(world.hub_file().exists(), "the file is the hub");
    assert_eq!(hub.json(&["hub", "list"]).len(), 2);
    world.is_in(Some(&store));
    let refused = world.hub.instance.run(&["hub", "list"]).ends(5);
    assert!(
        refused.stderr.contains("that did not end"),
        "{}",
        refused.stderr
    );
}
