//! The canaries: nothing private is in anything that left, and everything shared is.
//!
//! A database of the Python program is moved into one instance, what is marked crosses to another in a
//! bundle, and then the bytes are read. Words, tokens, addresses, ids of people and keys are looked for
//! in every file that left and in every file of the receiver, in every form they may have been written
//! down in. The judge is a second reading of the old database (`legacy`), and it knows nothing of the
//! program's own rules; `tests/mutations` shows that it notices when these are broken.

mod generate;
mod hub;
mod legacy;
pub mod needles;
mod states;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::chance::Chance;
use crate::support::database;
use crate::support::instance::{Instance, text};
use legacy::{Expected, contains};
use needles::{Needle, Searcher};

/// Words of the receiver; they prove that its files are really looked into.
const SOUTH_EMAIL: &str = "juniper-of-the-south@mail.example";
const SOUTH_TITLE: &str = "A quiet room for the southern choir";

/// Two instances, one of them with an old database, and what went from it to the other.
struct Exchange {
    folder: TempDir,
    app_db: PathBuf,
    north: Instance,
    south: Instance,
    /// Keeps the log file beside the receiver's database open: the last to close a database empties
    /// its log, and the log is to be looked at as well.
    _readers: [Connection; 2],
}

impl Exchange {
    /// Moves a database into north and exchanges bundles, plain and compressed, and want files.
    fn of(app_db: impl FnOnce(&Path) -> PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let app_db = app_db(folder.path());
        let north = Instance::found(folder.path(), "North", "keeper");
        let moved = app_db.to_str().expect("a path in UTF-8");
        north.ok(&["import", "whiteballoon", moved]);
        let south = Instance::found(folder.path(), "South", "ash");
        south.ok(&["user", "add", "juniper", "--email", SOUTH_EMAIL]);
        let request = ["--title", SOUTH_TITLE, "--description", "On Thursdays."];
        south.ok(&[&["request", "add"], &request[..]].concat());
        let readers = ["wb.db", "private.db"].map(|file| kept_open(&south.file(file)));
        north.ok(&["bundle", "want", "north.want"]);
        north.ok(&["bundle", "export", "north.wbb"]);
        north.ok(&["bundle", "export", "north.wbb.zst", "--zstd"]);
        south.ok(&["bundle", "import", "north.wbb", "--yes"]);
        Self {
            folder,
            app_db,
            north,
            south,
            _readers: readers,
        }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        read(&self.folder.path().join(name))
    }

    /// Every file that left north, and every file of south, by name.
    fn places(&self) -> Vec<(String, Vec<u8>)> {
        let mut places: Vec<(String, Vec<u8>)> = ["north.want", "north.wbb", "north.wbb.zst"]
            .map(|name| (name.to_owned(), self.read(name)))
            .into();
        let unpacked = zstd::decode_all(places[2].1.as_slice()).expect("it unpacks");
        places.push(("north.wbb.zst, unpacked".to_owned(), unpacked));
        places.extend(files_of(&self.south.home));
        places
    }
}

/// A database that somebody has open, so that the log file beside it stays.
fn kept_open(path: &Path) -> Connection {
    let database = database::open(path);
    // SQLite opens the files with the first thing that is asked.
    let sql = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = database
        .query_row(sql, [], |row| row.get(0))
        .expect("it opens");
    assert!(tables > 0, "{}", path.display());
    database
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_of(home: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(home).expect("the folder is there") {
        let entry = entry.expect("the folder can be read");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        files.push((format!("South/{name}"), read(&entry.path())));
    }
    files.sort();
    files
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db")
}

/// What of north's own files must never be elsewhere: keys, and the ids of what is private.
fn own_secrets(north: &Instance) -> BTreeSet<Needle> {
    let key = read(&north.file("signing.key"));
    let seed = data_encoding::HEXLOWER_PERMISSIVE
        .decode(key.trim_ascii_end())
        .expect("the key file holds hex digits");
    let mut needles = BTreeSet::from([Needle::bytes("the signing key", &seed)]);
    let (private, main) = (north.file("private.db"), north.file("wb.db"));
    let secrets = database::texts(&private, "SELECT hex(value) FROM secrets");
    assert!(!secrets.is_empty());
    for secret in secrets {
        let bytes = data_encoding::HEXUPPER.decode(secret.as_bytes());
        needles.insert(Needle::bytes("a secret", &bytes.expect("hex digits")));
    }
    let records = "SELECT hex(id) FROM local_records WHERE scope = 'private' OR life != 'active'";
    let drafts = "SELECT hex(id) FROM drafts";
    for (what, path, sql) in [("record", &main, records), ("draft", &private, drafts)] {
        let ids = database::texts(path, sql);
        assert!(!ids.is_empty(), "no private {what}s");
        for id in ids {
            let bytes = data_encoding::HEXUPPER.decode(id.as_bytes()).expect("hex");
            let label = format!("the id of private {what} {}", uuid(&bytes));
            needles.insert(Needle::text(&label, &uuid(&bytes)));
            needles.insert(Needle::bytes(&label, &bytes));
        }
    }
    needles
}

fn uuid(bytes: &[u8]) -> String {
    let hex = data_encoding::HEXLOWER.encode(bytes);
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// Looks for what must not be there.
fn nothing_private_left(exchange: &Exchange, stays: &BTreeSet<Needle>) {
    let secrets = own_secrets(&exchange.north);
    let searcher = Searcher::new(stays.iter().chain(&secrets));
    let mut leaks = Vec::new();
    for (place, bytes) in exchange.places() {
        for found in searcher.find(&bytes) {
            leaks.push(format!("{place}: {} ({})", found.label, found.form));
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}

/// Looks for what must be there, so that a search that finds nothing means something.
fn everything_shared_arrived(exchange: &Exchange, leaves: &BTreeSet<Needle>) {
    let searcher = Searcher::new(leaves);
    let places = exchange.places();
    let place = |name: &str| -> &[u8] {
        let found = places.iter().find(|(place, _)| place == name);
        &found.unwrap_or_else(|| panic!("{name} is not there")).1
    };
    let (plain, unpacked) = (place("north.wbb"), place("north.wbb.zst, unpacked"));
    let (main, log) = (place("South/wb.db"), place("South/wb.db-wal"));
    for hays in [&[plain][..], &[unpacked], &[main, log]] {
        assert_eq!(searcher.missing(hays), BTreeSet::new());
    }
    assert!(plain == unpacked, "both forms are the same bytes");
    // Where nothing shared belongs, something else proves that the file was looked into.
    let id = exchange.north.id();
    assert!(contains(place("north.want"), id.as_bytes()));
    let (private, log) = (place("South/private.db"), place("South/private.db-wal"));
    let email = SOUTH_EMAIL.as_bytes();
    assert!(contains(private, email) || contains(log, email));
    assert!(contains(place("South/guard.json"), b"incarnation"));
    for file in ["wb.db-shm", "private.db-shm"] {
        assert!(!place(&format!("South/{file}")).is_empty(), "{file}");
    }
    assert!(!searcher.find(place("South/wb.db-wal")).is_empty());
}

#[test]
fn no_canary_of_the_fixture_leaves() {
    let exchange = Exchange::of(|_| fixture());
    let expected = Expected::of(&exchange.app_db);
    let marked = legacy::marked(&exchange.app_db, "CANARY-PRIVATE");
    // What the marks say and what the rows say has to be the same; a mark that leaves by the rows, or
    // none where there should be hundreds, would be a mistake of this test.
    let of_people = |needle: &&Needle| contains(&needle.bytes, b"-canary-private-user-");
    assert_eq!(marked.iter().filter(of_people).count(), 20);
    assert!(marked.len() > 1_000, "{} marks", marked.len());
    assert!(marked.is_disjoint(&expected.leaves));
    assert!(expected.stays.len() > 1_000 && expected.leaves.len() > 400);
    let stays = expected.stays.union(&marked).cloned().collect();
    nothing_private_left(&exchange, &stays);
    everything_shared_arrived(&exchange, &expected.leaves);
}

#[test]
fn no_canary_of_a_generated_database_leaves() {
    let mut chance = Chance::announced("no_canary_of_a_generated_database_leaves");
    let exchange = Exchange::of(|folder| {
        let path = folder.join("app.db");
        generate::database(&path, &fixture(), &mut chance);
        path
    });
    let expected = Expected::of(&exchange.app_db);
    assert!(expected.stays.len() > 250 && expected.leaves.len() > 30);
    nothing_private_left(&exchange, &expected.stays);
    everything_shared_arrived(&exchange, &expected.leaves);
}

#[test]
fn what_is_taken_back_is_in_no_feed_any_more() {
    let exchange = Exchange::of(|_| fixture());
    let (north, south) = (&exchange.north, &exchange.south);
    // One request with its comments, and one comment alone.
    let requests = north.json(&["request", "list"]);
    let busy = |value: &&serde_json::Value| value["scope"] == "public" && value["comments"] == 3;
    let request = requests.iter().find(busy).expect("a request with comments");
    let comments = north.json(&["comment", "list"]);
    let (mut texts, mut other) = (Vec::new(), None);
    for comment in comments.iter().filter(|c| c["scope"] == "public") {
        if comment["request"]["id"] == request["id"] {
            texts.push(text(comment, "body"));
        } else {
            other = Some(comment);
        }
    }
    assert!(!texts.is_empty(), "a request with shared comments");
    let other = other.expect("a comment elsewhere");
    texts.extend([
        text(request, "title"),
        text(request, "description"),
        text(other, "body"),
    ]);
    // `#1` is not `#10`.
    let whole = |text: &&str| Needle {
        alone: true,
        ..Needle::text(*text, text)
    };
    let gone: Vec<Needle> = texts.iter().map(whole).collect();
    let searcher = Searcher::new(&gone);
    assert!(searcher.missing(&[&exchange.read("north.wbb")]).is_empty());

    north.ok(&["record", "unshare", text(request, "id")]);
    north.ok(&["record", "unshare", text(other, "id")]);
    south.ok(&["bundle", "want", "south.want"]);
    let rest = ["bundle", "export", "rest.wbb", "--want", "south.want"];
    north.ok(&rest);
    north.ok(&["bundle", "export", "all.wbb"]);
    south.ok(&["bundle", "import", "rest.wbb"]);

    let mut places = vec![
        ("rest", exchange.read("rest.wbb")),
        ("all", exchange.read("all.wbb")),
    ];
    let files = files_of(&south.home);
    places.extend(
        files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.clone())),
    );
    for (place, bytes) in places {
        assert_eq!(searcher.find(&bytes), BTreeSet::new(), "{place}");
    }
    // At home the words are kept, but not in the feed.
    let lines = database::texts(
        &north.file("wb.db"),
        "SELECT CAST(line AS TEXT) FROM feed_lines WHERE line IS NOT NULL",
    );
    assert!(lines.len() > 300, "{} lines", lines.len());
    assert_eq!(searcher.find(lines.concat().as_bytes()), BTreeSet::new());
    let kept = north.ok(&["--json", "request", "show", text(request, "id")]);
    assert!(kept.contains(text(request, "description")));
    let hidden = ["request", "show", text(request, "id")];
    south.run(&hidden).ends(2);
}

#[test]
fn of_a_profile_only_the_shared_fields_leave() {
    let folder = tempfile::tempdir().unwrap();
    let north = Instance::found(folder.path(), "North", "keeper");
    let (name, bio) = ("Wren Featherstonehaugh", "Mends umbrellas at midnight");
    let profile = [
        "--display-name",
        name,
        "--bio",
        bio,
        "--email",
        "wren@mail.example",
    ];
    let user = north.json(&[&["user", "add", "wren-of-the-mill"], &profile[..]].concat());
    let user = text(&user[0], "id");
    let shared = |fields: &str| {
        let share = [
            "record", "share", user, "--scope", "public", "--fields", fields,
        ];
        north.ok(&[&["--as", "wren-of-the-mill"], &share[..]].concat());
        north.ok(&["bundle", "export", "north.wbb"]);
        read(&folder.path().join("north.wbb"))
    };
    let needles = ["wren-of-the-mill", name, bio, "wren@mail.example"].map(|n| Needle::text(n, n));
    let searcher = Searcher::new(&needles);
    let named = |bytes: &[u8]| -> Vec<String> {
        let found = searcher.find(bytes).into_iter();
        found.map(|found| found.label).collect()
    };
    assert_eq!(named(&shared("handle,bio")), [bio, "wren-of-the-mill"]);
    // Sharing less takes the rest back.
    assert_eq!(named(&shared("display-name")), [name]);
}
