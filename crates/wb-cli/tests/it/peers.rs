//! Hubs at the command line, as far as no hub is needed: what is said where nobody answers or
//! something else does, and what is shown of peers and exchanges.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread::JoinHandle;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::database::{self, dump_home};
use crate::support::instance::{Instance, text};

/// North, which knows South's identity and records from a bundle.
struct Two {
    _folder: TempDir,
    north: Instance,
    south: Instance,
    request: String,
}

impl Two {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let south = Instance::found(folder.path(), "South", "ash");
        let north = Instance::found(folder.path(), "North", "keeper");
        let request = ask(&south, "Soup");
        south.ok(&["bundle", "export", "south.wbb"]);
        north.ok(&["bundle", "import", "south.wbb", "--yes"]);
        Self {
            _folder: folder,
            north,
            south,
            request,
        }
    }

    /// Makes South a hub that North is a member of: its identity is known, and it answers under this
    /// address.
    fn south_is_a_hub_at(&self, address: &str, phase: &str) {
        self.hub_row(&self.south.id(), "South", address, phase);
    }

    fn hub_row(&self, id: &str, name: &str, address: &str, cause: &str) {
        let id: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).expect("hex"))
            .collect();
        let state = json!({
            "cause": cause, "detail": null, "since": "2026-10-01T00:00:00.000Z",
            "last_synced": null, "failures": 0, "next_try": null,
        });
        let follows = json!({"counter": 0, "all": false, "follow": [], "except": []});
        let database = Connection::open(self.north.file("wb.db")).expect("a database");
        let sql = "INSERT INTO peers (id, role, address, lan, name, follows, acked, paused, standing, counter, state, first_seen)
                   VALUES (?1, 'hub', ?2, 1, ?3, ?4, '[]', 0, 'member', 1, ?5, 1760000000000)";
        let row = params![id, address, name, follows.to_string(), state.to_string()];
        database.execute(sql, row).expect("a row");
    }

    fn peer(&self, name: &str) -> Value {
        self.north.json(&["peer", "show", name]).remove(0)
    }
}

fn ask(instance: &Instance, title: &str) -> String {
    let words = ["--title", title, "--description", "D", "--scope", "public"];
    instance.ok(&[&["request", "add"], &words[..]].concat())
}

/// An address on this machine where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// Something that answers one request, and is no hub.
fn no_hub(answer: &'static str) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let answering = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody asks");
        answer_one(stream, answer);
    });
    (address, answering)
}

fn answer_one(mut stream: TcpStream, answer: &str) {
    let mut asked = Vec::new();
    let mut piece = [0; 1_024];
    while !asked.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let read = stream.read(&mut piece).expect("a request");
        assert!(read > 0, "the request ends");
        asked.extend_from_slice(&piece[..read]);
    }
    // Whoever asked may be gone once it has seen enough.
    let _ = stream.write_all(answer.as_bytes());
}

const A_PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";

#[test]
fn where_nobody_answers_nothing_is_registered() {
    let two = Two::new();
    let before = dump_home(&two.north.home);
    let address = nobody();
    for command in [&["hub", "register"][..], &["join"]] {
        let run = two
            .north
            .run(&[command, &[&address, "--yes"]].concat())
            .ends(6);
        assert!(run.stderr.contains("cannot be reached"), "{run:?}");
        let json = [&["--json"], command, &[&address]].concat();
        let run = two.north.run(&json).ends(6);
        let error: Value = serde_json::from_str(&run.stderr).expect("one line of JSON");
        assert_eq!(error["error"]["code"], "peer_unreachable");
    }
    assert!(dump_home(&two.north.home) == before);
    assert!(two.north.json(&["peer", "list"]).is_empty());
}

#[test]
fn what_is_no_hub_is_not_registered_at() {
    let two = Two::new();
    let before = dump_home(&two.north.home);
    for answer in [
        A_PAGE,
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let (address, answering) = no_hub(answer);
        let run = two
            .north
            .run(&["hub", "register", &address, "--yes"])
            .ends(6);
        assert!(run.stderr.contains("does not understand"), "{run:?}");
        answering.join().expect("it answered");
    }
    assert!(dump_home(&two.north.home) == before);
}

#[test]
fn an_address_or_id_that_is_wrong_is_told_before_anything_is_sent() {
    let two = Two::new();
    let address = nobody();
    let (id, other) = ("1".repeat(64), "2".repeat(64));
    let linked = format!("{address}#{id}");
    let wrong: [&[&str]; 7] = [
        &["hub", "register"],
        &["hub", "register", "harbour.example"],
        &["hub", "register", "ftp://harbour.example"],
        &["join", "https://somebody@harbour.example"],
        &["join", "https://harbour.example#short"],
        &["join", &address, "--id", "short"],
        &["join", &linked, "--id", &other],
    ];
    for arguments in wrong {
        two.north.run(arguments).ends(2);
    }
    // The same id twice is no contradiction, and only then somebody is asked.
    two.north.run(&["join", &linked, "--id", &id]).ends(6);
}

#[test]
fn commands_for_hubs_say_what_to_do_without_one() {
    let two = Two::new();
    let run = two.north.run(&["sync"]).ends(2);
    assert!(run.stderr.contains("wb join"), "{run:?}");
    for arguments in [&["sync", "Harbour"][..], &["peer", "show", "Harbour"]] {
        let run = two.north.run(arguments).ends(2);
        assert!(run.stderr.contains("`Harbour`"), "{run:?}");
    }
    let run = two.north.run(&["follow", "South"]).ends(1);
    assert!(run.stderr.contains("wb join"), "{run:?}");
    let run = two.north.run(&["peer", "list"]).ends(0);
    assert!(
        run.stdout.is_empty() && run.stderr.contains("wb join"),
        "{run:?}"
    );
}

#[test]
fn a_hub_that_cannot_be_reached_is_kept_as_failing() {
    let two = Two::new();
    two.south_is_a_hub_at(&nobody(), "never_synced");
    let before = two.peer("South");
    assert_eq!(
        (text(&before, "phase"), text(&before, "cause")),
        ("idle", "never_synced")
    );
    let run = two.north.run(&["sync", "--dry-run"]).ends(6);
    assert!(run.stdout.contains("Nothing was changed"), "{run:?}");
    assert_eq!(two.peer("South"), before);

    let run = two.north.run(&["sync"]).ends(6);
    assert!(run.stdout.contains("South cannot be reached"), "{run:?}");
    let peer = two.peer("South");
    assert_eq!(
        (
            text(&peer, "phase"),
            text(&peer, "cause"),
            &peer["failures"]
        ),
        ("failing", "unreachable", &json!(1))
    );
    assert!(peer["next_try"].is_string() && peer["last_synced"].is_null());
    let listed = two.north.ok(&["peer", "list"]);
    assert!(listed.contains("failing") && listed.contains("South cannot be reached"));
    let shown = two.north.ok(&["peer", "show", "South"]);
    assert!(shown.contains("check the network"), "{shown}");

    let json = two.north.run(&["--json", "sync", "South"]).ends(6).json();
    assert_eq!(json.len(), 1);
    assert_eq!(json[0]["schema_version"], 1);
    assert_eq!(text(&json[0], "cause"), "unreachable");
    assert_eq!(
        json[0]["pushed"],
        json!({"records": 0, "retracts": 0, "deltas": 0})
    );
    let status = two.north.json(&["status"]).remove(0);
    assert_eq!(text(&status["peers"][0], "cause"), "unreachable");
    assert!(
        two.north
            .ok(&["status"])
            .contains("South cannot be reached")
    );

    // The first failure is told, and the same failure again is not one more line.
    let runs = two.north.json(&["sync", "log", "--peer", "South"]);
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(text(&runs[0], "sentence"), "South cannot be reached");
    assert_eq!(text(&runs[0], "outcome"), "ended early");
}

#[test]
fn one_hub_that_fails_does_not_stop_the_others() {
    let two = Two::new();
    two.south_is_a_hub_at(&nobody(), "never_synced");
    two.hub_row(&"7".repeat(64), "Lost", &nobody(), "never_synced");
    // The identity log of the second is missing here: that is worse than a hub that is away.
    let run = two.north.run(&["--json", "sync"]).ends(1);
    let causes: Vec<String> = run
        .json()
        .iter()
        .map(|done| text(done, "cause").to_owned())
        .collect();
    assert_eq!(causes, ["unreachable", "local_failure"]);
    two.north.run(&["sync", "South", "South"]).ends(6);
}

#[test]
fn a_hub_called_log_is_reached_by_its_id() {
    let two = Two::new();
    let id = two.south.id();
    two.hub_row(&id, "log", &nobody(), "never_synced");
    assert!(!two.north.json(&["sync", "log"]).is_empty());
    two.north.run(&["sync", &id]).ends(6);
    two.north.run(&["sync", "--pull", "log"]).ends(2);
    assert_eq!(text(&two.peer("log"), "cause"), "unreachable");
}

#[test]
fn a_sync_that_was_cut_off_is_told_as_such() {
    let two = Two::new();
    two.south_is_a_hub_at(&nobody(), "running");
    let lock = std::fs::File::create(two.north.file("sync.lock")).expect("a file");
    lock.lock().expect("nobody else holds it");
    let peer = two.peer("South");
    assert_eq!(
        (text(&peer, "phase"), &peer["cut_off"]),
        ("syncing", &json!(false))
    );
    let run = two.north.run(&["sync"]).ends(5);
    assert!(run.stderr.contains("another wb is syncing"), "{run:?}");
    drop(lock);
    let peer = two.peer("South");
    assert_eq!(peer["cut_off"], true);
    assert!(text(&peer, "sentence").contains("cut off"), "{peer}");
    assert!(
        two.north
            .ok(&["peer", "list"])
            .contains("goes on from there")
    );
}

#[test]
fn following_is_kept_until_the_next_sync() {
    let two = Two::new();
    two.south_is_a_hub_at(&nobody(), "never_synced");
    let south = two.south.id();
    let said = two.north.ok(&["follow", "South", "--hub", "South"]);
    assert!(said.contains("from the next `wb sync` on"), "{said}");
    let said = two.north.json(&["follow", "South/*"]).remove(0);
    assert_eq!(
        (&said["follows"], &said["instance"]),
        (&json!(true), &Value::Null)
    );
    let follows = two.peer("South")["follows"].clone();
    let named = json!([{"id": south, "name": "South"}]);
    assert_eq!(follows, json!({"all": true, "follow": named, "except": []}));
    two.north.ok(&["unfollow", &south]);
    let shown = two.north.ok(&["peer", "show", "South"]);
    assert!(shown.contains("everybody it lists but South"), "{shown}");
    two.north.ok(&["unfollow", "South/*"]);
    assert!(
        two.north
            .ok(&["peer", "show", "South"])
            .contains("follows    nobody")
    );
    two.north.run(&["follow", "Nobody"]).ends(2);
    two.north
        .run(&["follow", "South/*", "--hub", "Other"])
        .ends(2);
}

#[test]
fn names_and_addresses_of_hubs_cannot_move_the_cursor_of_a_terminal() {
    let two = Two::new();
    let name = "South\u{1b}[2J\u{202e}";
    two.hub_row(&two.south.id(), name, &nobody(), "never_synced");
    let id = two.south.id();
    for arguments in [
        &["peer", "list"][..],
        &["peer", "show", &id],
        &["status"],
        &["sync", "log"],
        &["follow", "South/*", "--hub", &id],
        &["sync", &id],
        &["sync", "--dry-run", &id],
    ] {
        let run = two.north.run(arguments);
        let shown = format!("{}{}", run.stdout, run.stderr);
        assert!(
            !shown.contains(['\u{1b}', '\u{202e}']),
            "{arguments:?}: {shown:?}"
        );
    }
}

#[test]
fn a_record_says_by_which_bundle_it_came() {
    let two = Two::new();
    let runs = two.north.json(&["sync", "log"]);
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    assert_eq!(
        (text(run, "road"), text(run, "name")),
        ("bundle", "south.wbb")
    );
    assert_eq!((text(run, "outcome"), &run["peer"]), ("done", &Value::Null));
    let new = run["pulled"]["new"].as_u64().expect("a number");
    let number = run["run"].as_i64().expect("a number").to_string();

    let lines = two.north.json(&["sync", "log", &number]);
    assert_eq!(&lines[0], run);
    assert_eq!(lines.len() as u64, new + 1);
    let soup = lines[1..]
        .iter()
        .find(|line| line["id"] == two.request.as_str());
    let soup = soup.expect("the request came by it");
    assert_eq!(
        (text(soup, "headline"), text(soup, "home")),
        ("Soup", "South")
    );
    assert_eq!((text(soup, "action"), &soup["live"]), ("put", &json!(true)));

    let shown = two.north.json(&["record", "show", &two.request]).remove(0);
    assert_eq!(text(&shown["road"], "name"), "south.wbb");
    assert_eq!(shown["road"]["run"], run["run"]);
    let shown = two.north.ok(&["record", "show", &two.request]);
    assert!(shown.contains("in the bundle south.wbb"), "{shown}");
    // What is written here came by no road.
    let own = ask(&two.north, "Bread");
    assert!(
        two.north.json(&["record", "show", &own])[0]
            .get("road")
            .is_none()
    );
}

#[test]
fn a_bundle_that_brings_nothing_is_no_run() {
    let two = Two::new();
    two.north.ok(&["bundle", "import", "south.wbb"]);
    two.north
        .ok(&["bundle", "import", "south.wbb", "--dry-run"]);
    assert_eq!(two.north.json(&["sync", "log"]).len(), 1);
    let runs = "SELECT count(*) FROM runs";
    assert_eq!(database::number(&two.north.file("wb.db"), runs), 1);
    two.south.ok(&["record", "unshare", &two.request]);
    two.south.ok(&["bundle", "export", "again.wbb"]);
    two.north.ok(&["bundle", "import", "again.wbb"]);
    let newest = two.north.json(&["sync", "log", "--limit", "1"]);
    assert_eq!(text(&newest[0], "name"), "again.wbb");
    assert_eq!(newest[0]["pulled"]["gone"], 1);
    two.north.run(&["sync", "log", "99"]).ends(2);
    assert!(Path::new(&two.north.home).join("wb.db").exists());
}
