//! What a hub may decide, and what it may not: it hands on what its members follow, and nothing else;
//! and what it leaves out of a feed is noticed by whoever takes it.

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::support::database::live_lines;
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::Instance;
use crate::support::wire::recorder::Recorder;

/// A hub and three members, of which North and East share something.
struct Town {
    _folder: TempDir,
    hub: Hub,
    north: Instance,
    south: Instance,
    east: Instance,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let [north, south, east] =
            ["North", "South", "East"].map(|name| Instance::found(folder.path(), name, "keeper"));
        for (instance, title) in [(&north, "Wheelbarrow"), (&east, "Quince jelly")] {
            instance.ok(&["join", &hub.link(), "--yes"]);
            ask(instance, title);
            instance.ok(&["sync"]);
        }
        Self {
            _folder: folder,
            hub,
            north,
            south,
            east,
        }
    }
}

#[test]
fn who_is_not_followed_does_not_come() {
    let town = Town::new();
    let recorder = Recorder::before(town.hub.port());
    let link = town.hub.link_by(recorder.port());
    town.south.ok(&["hub", "register", &link]);
    // Whom it follows: North by name, then everybody but East.
    town.south.ok(&["follow", &town.north.id()]);
    town.south.ok(&["sync"]);
    town.south.ok(&["follow", "Harbour/*"]);
    town.south.ok(&["unfollow", &town.east.id()]);
    for title in ["Plum jelly", "Pear jelly"] {
        town.south.ok(&["sync"]);
        ask(&town.east, title);
        town.east.ok(&["sync"]);
    }
    town.south.ok(&["sync"]);
    assert_eq!(titles(&town.south), ["Wheelbarrow"]);
    assert!(live_lines(&town.south.home, &town.east.id()).is_empty());
    // Nor did a word of it pass: a hub that sent it would have told more than was asked for.
    for connection in recorder.connections() {
        for (layer, bytes) in connection.layers() {
            let has = bytes.windows(5).any(|part| part == b"jelly");
            assert!(!has, "{layer}");
        }
    }
    town.south.ok(&["follow", &town.east.id()]);
    town.south.ok(&["sync"]);
    assert_eq!(titles(&town.south).len(), 4);
    town.south.ok(&["unfollow", &town.east.id()]);
    town.south.ok(&["sync"]);
    ask(&town.east, "Cherry jelly");
    town.east.ok(&["sync"]);
    town.south.ok(&["sync"]);
    // Nobody would tell South any more what East takes back, so its words are gone from here.
    assert_eq!(titles(&town.south), ["Wheelbarrow"]);
    town.south.ok(&["follow", &town.east.id()]);
    town.south.ok(&["sync"]);
    assert_eq!(titles(&town.south).len(), 5);
    town.south.ok(&["doctor"]);
}

#[test]
fn what_a_suspended_member_published_is_not_handed_on() {
    let town = Town::new();
    let hub = &town.hub.instance;
    hub.ok(&["hub", "suspend", "North", "--reason", "Nobody answers."]);
    let run = town.south.run(&["join", &town.hub.link()]).ends(3);
    assert!(
        run.stdout.contains("East") && !run.stdout.contains("North"),
        "{run:?}"
    );
    town.south.ok(&["follow", "Harbour/*"]);
    town.south.ok(&["follow", &town.north.id()]);
    town.south.ok(&["follow", &town.east.id()]);
    town.south.ok(&["sync"]);
    assert_eq!(titles(&town.south), ["Quince jelly"]);
    assert!(live_lines(&town.south.home, &town.north.id()).is_empty());
    hub.ok(&["hub", "reinstate", "North"]);
    town.south.ok(&["sync"]);
    assert_eq!(titles(&town.south), ["Quince jelly", "Wheelbarrow"]);
}

/// Changes one line of North's feed in the file of the hub, and lets South take the feed from there.
#[track_caller]
fn nothing_is_taken_after(change: impl FnOnce(&Connection) -> rusqlite::Result<usize>) {
    let mut town = Town::new();
    town.hub.kill();
    let database = Connection::open(town.hub.instance.file("hub.db")).expect("a database");
    assert_eq!(change(&database), Ok(1));
    drop(database);
    town.hub.again();
    town.south.ok(&["hub", "register", &town.hub.link()]);
    town.south.ok(&["follow", "Harbour/*"]);
    town.south.ok(&["follow", &town.north.id()]);
    let run = town.south.run(&["--json", "sync"]);
    let said = run.json().remove(0);
    let aside = said["pulled"]["set_aside"].as_array().expect("a list");
    let is_named = aside.iter().any(|it| it["origin"] == *town.north.id());
    assert!(run.code != Some(0) || is_named, "{said}");
    let held = live_lines(&town.south.home, &town.north.id());
    assert!(held.is_empty(), "{} lines were taken", held.len());
    let requests = titles(&town.south);
    assert!(
        requests.iter().all(|title| !title.starts_with("Wheel")),
        "{requests:?}"
    );
    town.south.ok(&["doctor"]);
}

/// The line in which North asks.
const ASKS: &str = "CAST(line AS TEXT) LIKE '%Wheelbarrow%'";

#[test]
fn what_a_hub_leaves_out_of_a_feed_is_noticed() {
    nothing_is_taken_after(|database| {
        database.execute(&format!("DELETE FROM feed_lines WHERE {ASKS}"), ())
    });
}

/// The line has its right hash: only the header of the whole feed says that it is another.
#[test]
fn what_a_hub_changes_in_a_feed_is_noticed() {
    nothing_is_taken_after(|database| {
        let sql = format!("SELECT CAST(line AS TEXT) FROM feed_lines WHERE {ASKS}");
        let line: String = database.query_row(&sql, (), |row| row.get(0))?;
        let line = line.replace("Wheelbarrow", "Wheelborrow").into_bytes();
        let hash = Sha256::digest([&[0], line.as_slice()].concat());
        let sql = format!("UPDATE feed_lines SET line = ?1, line_hash = ?2 WHERE {ASKS}");
        database.execute(&sql, (&line, hash.as_slice()))
    });
}
