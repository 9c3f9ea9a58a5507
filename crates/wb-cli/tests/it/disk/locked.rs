//! A database that another process holds for longer than anybody waits: it is named, nothing is lost, and
//! reading goes on.

use std::path::Path;

use rusqlite::Connection;

use super::{read_all, tells};
use crate::support::hub::{Hub, ask};
use crate::support::instance::Instance;
use crate::support::process::Up;

/// What a person is told.
const HELD: &str = "another process is writing";
/// What a person can do.
const ACTION: &str = "try again when the other is done";

/// Holds the lock of a writer until it is dropped.
fn hold(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("it opens");
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nobody else holds it");
    connection
}

#[test]
fn who_cannot_write_is_told_who_is_in_the_way_and_reading_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let north = Instance::found(folder.path(), "North", "keeper");
    ask(&north, "Soup");
    north.ok(&["bundle", "export", "north.wbb"]);
    north.ok(&["hub", "register", &hub.link()]);
    let south = Instance::found(folder.path(), "South", "ash");
    ask(&south, "A choir room");
    south.ok(&["hub", "register", &hub.link()]);

    let held = [
        hold(&north.file("wb.db")),
        hold(&hub.instance.file("hub.db")),
    ];
    std::thread::scope(|scope| {
        let north = &north;
        // Each waits as long as it waits; together they take no longer than one.
        let writing = [
            &["publish"][..],
            &["request", "complete", "none"],
            &["sync"],
            &["bundle", "import", "north.wbb", "--yes"],
            &["rebuild"],
        ]
        .map(|words| scope.spawn(move || (words, north.run(words))));
        let south = scope.spawn(|| south.run(&["sync"]));
        let read = scope.spawn(|| read_all(north, "north.wbb"));
        for thread in writing {
            let (words, run) = thread.join().expect("it ends");
            if words[0] == "request" {
                // Nothing of that name is known, which is seen without writing.
                assert_eq!(run.code, Some(2), "{run:?}");
                continue;
            }
            tells(run, "locked", ACTION);
        }
        let run = south.join().expect("it ends").ends(6);
        assert!(format!("{run:?}").contains("busy"), "{run:?}");
        read.join().expect("reading goes on");
    });
    drop(held);
    for instance in [&north, &south] {
        instance.ok(&["sync"]);
        instance.ok(&["doctor"]);
    }
    hub.instance.ok(&["doctor"]);
}

/// What was done is done, also where the log of who did what cannot be written: said is what happened.
#[test]
fn who_is_not_noted_is_told_that_it_was_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    let held = hold(&north.file("private.db"));
    let words = ["request", "add", "--title", "Soup", "--description", "Hot."];
    let adding = Up::start(&mut north.command(&words));
    let (code, said) = { adding }.end();
    assert_eq!(code, Some(1));
    for words in ["was done", "safe", "need not be done again"] {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains(HELD), "{said}");
    drop(held);
    assert_eq!(north.json(&["request", "list"]).len(), 1);
    north.ok(&["doctor"]);
}
