//! The same through hubs: nothing private is in what passed the network, at a hub, or at who follows.
//!
//! Everybody reaches the hub through a [`Recorder`], so every byte of every connection is looked at with
//! all codings undone, and every file of the hub and of both followers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection as Database;
use tempfile::TempDir;

use super::legacy::{self, Expected, contains};
use super::needles::{Needle, Searcher};
use super::{fixture, generate, kept_open, own_secrets};
use crate::support::chance::Chance;
use crate::support::database;
use crate::support::hub::{Hub, ask};
use crate::support::instance::{Instance, text};
use crate::support::wire::recorder::{Connection, Recorder};

/// How a member of North can be reached: nothing says that anybody may know.
const CONTACT: &str = "keeper-of-the-northern-keys@mail.example";
/// Words of South's own, which prove that its private file is looked into.
const SOUTH_EMAIL: &str = "juniper-of-the-south@mail.example";

/// North with an old database, South and East which follow it, a hub, and what passed before it.
struct Exchange {
    folder: TempDir,
    app_db: PathBuf,
    hubs: [Hub; 2],
    recorders: [Recorder; 2],
    north: Instance,
    followers: [Instance; 2],
    /// Keeps log files beside databases, which the last to close one empties.
    _readers: Vec<Database>,
    /// Keeps every file open that was looked into: when a process closes a file, its locks on it go, and
    /// with them those that keep the log files.
    looked_into: RefCell<Vec<File>>,
}

impl Exchange {
    /// Moves a database into North and syncs it to South and East, by one hub and by another.
    fn of(app_db: impl FnOnce(&Path) -> PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let app_db = app_db(folder.path());
        let hubs = ["Harbour", "Lighthouse"].map(|name| Hub::start(folder.path(), name, "open"));
        let recorders = [0, 1].map(|hub: usize| Recorder::before(hubs[hub].port()));
        let north = Instance::found(folder.path(), "North", "keeper");
        let moved = app_db.to_str().expect("a path in UTF-8");
        north.ok(&["import", "whiteballoon", moved]);
        add_a_member_with_a_contact(&north);
        let followers = ["South", "East"].map(|name| Instance::found(folder.path(), name, "ash"));
        followers[0].ok(&["user", "add", "juniper", "--email", SOUTH_EMAIL]);
        ask(&followers[0], "Chairs for the southern choir");
        let files = ["wb.db", "private.db"];
        let mut readers = Vec::new();
        for home in &followers {
            readers.extend(files.map(|file| kept_open(&home.file(file))));
        }
        for hub in &hubs {
            readers.extend(
                ["wb.db", "private.db", "hub.db"].map(|file| kept_open(&hub.instance.file(file))),
            );
        }
        let exchange = Self {
            folder,
            app_db,
            hubs,
            recorders,
            north,
            followers,
            _readers: readers,
            looked_into: RefCell::default(),
        };
        exchange.go();
        exchange
    }

    /// Everything that is said to a hub: previews, joining, syncing, following, looking again.
    fn go(&self) {
        let everybody = || [&self.north].into_iter().chain(&self.followers);
        for (hub, recorder) in self.hubs.iter().zip(&self.recorders) {
            let link = hub.link_by(recorder.port());
            for instance in everybody() {
                instance.ok(&["join", &link, "--yes"]);
                instance.ok(&["sync", "--dry-run"]);
                instance.ok(&["sync"]);
            }
        }
        for instance in everybody() {
            instance.ok(&[
                "join",
                &self.hubs[0].link_by(self.recorders[0].port()),
                "--yes",
            ]);
            instance.ok(&["sync"]);
        }
    }

    /// Every file of the hubs and the followers, by name.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let hubs = self.hubs.iter().map(|hub| &hub.instance);
        let mut files = Vec::new();
        for instance in hubs.chain(&self.followers) {
            let mut looked_into = self.looked_into.borrow_mut();
            collect(
                self.folder.path(),
                &instance.home,
                &mut files,
                &mut looked_into,
            );
        }
        files
    }

    /// Everything that passed, with all layers undone, by name.
    fn traffic(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        for (hub, recorder) in self.recorders.iter().enumerate() {
            for (number, connection) in recorder.connections().iter().enumerate() {
                let layers = connection.layers().into_iter();
                all.extend(layers.map(|(layer, bytes)| {
                    (format!("hub {hub}, connection {number}: {layer}"), bytes)
                }));
            }
        }
        all
    }
}

fn add_a_member_with_a_contact(north: &Instance) {
    north.ok(&["user", "add", "keepers-helper", "--email", CONTACT]);
    let sql = "SELECT CAST(value AS TEXT) FROM contacts";
    let kept = database::texts(&north.file("private.db"), sql);
    assert!(kept.iter().any(|value| value.contains(CONTACT)));
}

/// Every file below a folder.
fn collect(
    root: &Path,
    folder: &Path,
    files: &mut Vec<(String, Vec<u8>)>,
    looked_into: &mut Vec<File>,
) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(root, &path, files, looked_into);
        } else {
            let name = path.strip_prefix(root).expect("it is below").display();
            let mut file = File::open(&path).expect("the file is there");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("it can be read");
            files.push((name.to_string(), bytes));
            looked_into.push(file);
        }
    }
}

/// Fails with everything that was found.
fn nothing_is_found(searcher: &Searcher, places: &[(String, Vec<u8>)]) {
    let mut leaks = Vec::new();
    for (place, bytes) in places {
        let found = searcher.find(bytes).into_iter();
        leaks.extend(found.map(|found| format!("{place}: {} ({})", found.label, found.form)));
    }
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}

fn nothing_private_left(exchange: &Exchange, stays: &BTreeSet<Needle>) {
    let secrets = own_secrets(&exchange.north);
    let contact = Needle::text("a member's address", CONTACT);
    let searcher = Searcher::new(stays.iter().chain(&secrets).chain([&contact]));
    nothing_is_found(&searcher, &exchange.traffic());
    nothing_is_found(&searcher, &exchange.files());
}

/// So that a search that finds nothing means something: in each place that holds or carried feeds,
/// everything shared is found.
fn everything_shared_arrived(exchange: &Exchange, leaves: &BTreeSet<Needle>) {
    let searcher = Searcher::new(leaves);
    let files = exchange.files();
    let file = |name: &str| -> &[u8] {
        let found = files.iter().find(|(place, _)| place == name);
        &found.unwrap_or_else(|| panic!("{name} is not there")).1
    };
    for (home, name) in [
        ("Harbour", "hub.db"),
        ("Lighthouse", "hub.db"),
        ("South", "wb.db"),
        ("East", "wb.db"),
    ] {
        let main = file(&format!("{home}/{name}"));
        let log = file(&format!("{home}/{name}-wal"));
        assert_eq!(searcher.missing(&[main, log]), BTreeSet::new(), "{home}");
    }
    let private = [file("South/private.db"), file("South/private.db-wal")];
    let email = SOUTH_EMAIL.as_bytes();
    assert!(private.iter().any(|bytes| contains(bytes, email)));
    for (hub, recorder) in exchange.recorders.iter().enumerate() {
        let connections = recorder.connections();
        let layers = connections.iter().flat_map(Connection::layers);
        let (asked, answered): (Vec<_>, Vec<_>) =
            layers.partition(|(layer, _)| layer.starts_with("asked"));
        let missing = |way: &[(String, Vec<u8>)]| {
            let hays: Vec<&[u8]> = way.iter().map(|(_, bytes)| bytes.as_slice()).collect();
            searcher.missing(&hays)
        };
        assert_eq!(missing(&asked), BTreeSet::new(), "hub {hub} was given it");
        // Whoever has it from the first hub takes no copy of it from the second.
        if hub == 0 {
            assert_eq!(missing(&answered), BTreeSet::new(), "it gave everything");
        }
    }
}

#[test]
fn no_canary_of_the_fixture_passes_the_network() {
    let exchange = Exchange::of(|_| fixture());
    let expected = Expected::of(&exchange.app_db);
    let marked = legacy::marked(&exchange.app_db, "CANARY-PRIVATE");
    assert!(marked.len() > 1_000, "{} marks", marked.len());
    let stays = expected.stays.union(&marked).cloned().collect();
    nothing_private_left(&exchange, &stays);
    everything_shared_arrived(&exchange, &expected.leaves);
    what_is_taken_back_is_in_no_file_any_more(&exchange);
}

#[test]
fn no_canary_of_a_generated_database_passes_the_network() {
    let mut chance = Chance::announced("no_canary_of_a_generated_database_passes_the_network");
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

/// One request with its comments, and one comment alone, are taken back: after the next syncs their
/// words are in no file of a hub or a follower. What passed before that has passed.
fn what_is_taken_back_is_in_no_file_any_more(exchange: &Exchange) {
    let north = &exchange.north;
    let requests = north.json(&["request", "list"]);
    let busy = |value: &&serde_json::Value| value["scope"] == "public" && value["comments"] == 3;
    let request = requests.iter().find(busy).expect("a request with comments");
    let comments = north.json(&["comment", "list"]);
    let shared = |comment: &&serde_json::Value| comment["scope"] == "public";
    let (under, others): (Vec<_>, Vec<_>) = comments
        .iter()
        .filter(shared)
        .partition(|comment| comment["request"]["id"] == request["id"]);
    let other = others.first().expect("a comment elsewhere");
    let mut words: Vec<&str> = under.iter().map(|comment| text(comment, "body")).collect();
    words.extend([text(request, "title"), text(request, "description")]);
    words.push(text(other, "body"));
    // `#1` is not `#10`.
    let whole = |text: &&str| Needle {
        alone: true,
        ..Needle::text(*text, text)
    };
    let gone: Vec<Needle> = words.iter().map(whole).collect();
    let searcher = Searcher::new(&gone);
    let files = exchange.files();
    let hays: Vec<&[u8]> = files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    assert!(searcher.missing(&hays).is_empty());

    north.ok(&["record", "unshare", text(request, "id")]);
    north.ok(&["record", "unshare", text(other, "id")]);
    north.ok(&["sync"]);
    for follower in &exchange.followers {
        follower.ok(&["sync"]);
    }
    for follower in &exchange.followers {
        assert!(
            follower.file("wb.db-wal").exists(),
            "its log is looked into"
        );
    }
    nothing_is_found(&searcher, &exchange.files());
    for follower in &exchange.followers {
        let show = ["request", "show", text(request, "id")];
        follower.run(&show).ends(2);
    }
    let passed = exchange.traffic();
    let hays: Vec<&[u8]> = passed.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    assert!(searcher.missing(&hays).is_empty());
}

/// What is for named peers only goes through no hub, whatever is sealed.
#[test]
fn what_is_for_trusted_peers_does_not_pass_a_hub() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let recorder = Recorder::before(hub.port());
    let north = Instance::found(folder.path(), "North", "keeper");
    let open = ask(&north, "Wheelbarrow in the open");
    let trusted = [
        "--title",
        "Only for the trusted",
        "--description",
        "Hidden thing",
    ];
    let scope = ["--scope", "trusted_peers"];
    north.ok(&[&["request", "add"], &trusted[..], &scope].concat());
    north.ok(&["join", &hub.link_by(recorder.port()), "--yes"]);
    north.ok(&["sync", "--dry-run"]);
    north.ok(&["sync"]);
    let mut places = Vec::new();
    collect(
        folder.path(),
        &hub.instance.home,
        &mut places,
        &mut Vec::new(),
    );
    for connection in recorder.connections() {
        places.extend(connection.layers());
    }
    let words = [trusted[1], trusted[3]].map(|word| Needle::text(word, word));
    nothing_is_found(&Searcher::new(&words), &places);
    let shared = [
        Needle::text("open", &open),
        Needle::text("title", "Wheelbarrow in the open"),
    ];
    let hays: Vec<&[u8]> = places.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    assert!(Searcher::new(&shared).missing(&hays).is_empty());
}
