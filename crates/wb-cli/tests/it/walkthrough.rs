//! The walk-throughs for operators do what they say, and everybody then holds the same.
//!
//! Runs `docs/walkthrough.md` and `docs/walkthrough-hub.md` with the real program and the fixture
//! database, and then reads the files of all instances with SQL of its own: what one shares and what
//! another or a hub holds of it are the same lines, nothing else came, and nothing of anybody's own was
//! touched by taking.

mod hub;

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::database::{self, dump_table, live_lines, number};
use crate::support::document::{Shell, steps};
use crate::support::instance::{Instance, WB, text};

/// What is an instance's own, by file.
const OWN: [(&str, &str); 7] = [
    ("wb.db", "local_records"),
    ("private.db", "accounts"),
    ("private.db", "contacts"),
    ("private.db", "attributes"),
    ("private.db", "drafts"),
    ("private.db", "invites"),
    ("private.db", "secrets"),
];

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The home that a command names.
fn home_of<'c>(command: &'c str, folder: &Path) -> Option<(std::path::PathBuf, &'c str)> {
    let (_, rest) = command.split_once("wb --home ")?;
    let (home, command) = rest.split_once(' ')?;
    Some((folder.join(home), command))
}

fn own(home: &Path) -> String {
    let dump = |(file, table): &(&str, &str)| dump_table(&home.join(file), table);
    OWN.iter().map(dump).collect()
}

#[test]
fn the_walkthrough_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let app_db = repository("fixtures/legacy/app.db");
    std::fs::copy(&app_db, folder.path().join("app.db")).unwrap();
    let document = std::fs::read_to_string(repository("docs/walkthrough.md")).unwrap();
    let mut shell = Shell::new(folder.path());
    let mut imports = 0;
    for step in steps(&document) {
        let importing = home_of(&step.command, folder.path())
            .filter(|(_, command)| command.starts_with("bundle import"));
        let before = importing.as_ref().map(|(home, _)| own(home));
        shell.run(&step);
        if let Some((home, _)) = importing {
            imports += 1;
            assert!(
                before.as_ref() == Some(&own(&home)),
                "line {}: an import touched what is {}'s own",
                step.line,
                home.display()
            );
        }
    }
    assert!(imports >= 6, "only {imports} imports");

    let north = Instance::at(folder.path(), "north", Path::new(WB));
    let south = Instance::at(folder.path(), "south", Path::new(WB));
    both_hold_the_same(&north, &south);
    what_was_shared_is_what_the_old_database_says(&north, &south, &app_db);
    souths_own_records_are_its_own(&south);
}

/// The lines live in each public feed are the same bytes on both sides, and there is nothing else.
fn both_hold_the_same(north: &Instance, south: &Instance) {
    let (north_id, south_id) = (north.id(), south.id());
    for (origin, lines) in [(&north_id, 374), (&south_id, 3)] {
        let (at_north, at_south) = (
            live_lines(&north.home, origin),
            live_lines(&south.home, origin),
        );
        assert_eq!(at_north.len(), lines);
        assert!(at_north == at_south, "the feeds of {origin} differ");
        for (_, id, hash, line) in &at_north {
            // As the specification has it: SHA-256 of a zero byte and the line.
            let digest = <sha2::Sha256 as sha2::Digest>::digest([&[0], line.as_slice()].concat());
            assert_eq!(&data_encoding::HEXLOWER.encode(&digest), hash, "{id}");
        }
    }
    let known: BTreeSet<String> = [&north_id, &south_id].into_iter().cloned().collect();
    for instance in [north, south] {
        let main = instance.file("wb.db");
        let instances = database::texts(&main, "SELECT lower(hex(id)) FROM instances");
        assert_eq!(BTreeSet::from_iter(instances), known);
        let feeds = "SELECT count(*) FROM feeds";
        assert_eq!(number(&main, feeds), 2);
        let own = "SELECT count(*) FROM instances WHERE standing = 'self'";
        assert_eq!(number(&main, own), 1);
    }
    // What the commands list is what the feeds hold.
    for (reader, writer) in [(south, north), (north, south)] {
        let id = writer.id();
        let listed: BTreeSet<String> = reader
            .json(&["record", "list"])
            .iter()
            .filter(|record| text(record, "origin") == id)
            .map(|record| text(record, "id").replace('-', ""))
            .collect();
        let live = live_lines(&writer.home, &id).into_iter();
        let live: BTreeSet<String> = live.map(|(_, id, ..)| id).collect();
        assert_eq!(listed, live);
    }
    // Nothing is left to publish on either side.
    assert!(north.json(&["publish", "--dry-run"]).is_empty());
    assert!(south.json(&["publish", "--dry-run"]).is_empty());
}

/// Counts and titles at south are those of the old database.
fn what_was_shared_is_what_the_old_database_says(
    north: &Instance,
    south: &Instance,
    app_db: &Path,
) {
    let leaves = "sync_scope = 'public' AND status IN ('open', 'completed')";
    let sql = format!("SELECT title FROM help_requests WHERE {leaves}");
    let titles = database::texts(app_db, &sql);
    let completed = number(
        app_db,
        &format!("SELECT count(*) FROM help_requests WHERE {leaves} AND status = 'completed'"),
    );
    let id = north.id();
    let requests = south.json(&["request", "list"]);
    let of_north: Vec<_> = requests
        .iter()
        .filter(|r| text(r, "origin") == id)
        .collect();
    assert_eq!((titles.len(), of_north.len()), (97, 97));
    let shown = of_north
        .iter()
        .map(|request| text(request, "title").to_owned());
    assert_eq!(BTreeSet::from_iter(shown), BTreeSet::from_iter(titles));
    let done = of_north
        .iter()
        .filter(|request| request["status"] == "completed");
    assert_eq!(i64::try_from(done.count()), Ok(completed));
    let names = database::texts(
        app_db,
        "SELECT username FROM users WHERE sync_scope = 'public'",
    );
    let users = south.json(&["user", "list"]);
    let of_north = users.iter().filter(|user| text(user, "origin") == id);
    let handles: BTreeSet<String> = of_north
        .map(|user| text(user, "handle").to_owned())
        .collect();
    assert_eq!(handles, BTreeSet::from_iter(names));
}

/// South's members and requests are as South made them, beside north's of the same names.
fn souths_own_records_are_its_own(south: &Instance) {
    let id = south.id();
    let users = south.json(&["user", "list"]);
    let mut own: Vec<_> = users
        .iter()
        .filter(|user| text(user, "origin") == id)
        .collect();
    own.sort_by_key(|user| text(user, "handle"));
    let named: Vec<_> = own
        .iter()
        .map(|user| {
            (
                text(user, "handle"),
                text(user, "role"),
                text(user, "scope"),
            )
        })
        .collect();
    assert_eq!(
        named,
        [("ash", "admin", "private"), ("birch", "member", "private")]
    );
    let ash = users.iter().filter(|user| user["handle"] == "ash");
    assert_eq!(ash.count(), 2);
    let requests = south.json(&["request", "list"]);
    let own: Vec<_> = requests
        .iter()
        .filter(|request| text(request, "origin") == id)
        .map(|request| {
            (
                text(request, "title"),
                text(request, "description"),
                text(request, "scope"),
            )
        })
        .collect();
    let expected = [
        ("Winter coats #1", "Two, for children.", "public"),
        ("A quiet talk", "Only for us.", "private"),
    ];
    assert_eq!(own, expected);
}
