//! `wb key` by the real program: a key that is changed, one that is stolen, and taking it back with the
//! words on the sheet.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, WB, text};

/// North and South at a hub; South follows North.
struct Street {
    folder: TempDir,
    hub: Hub,
    north: Instance,
    south: Instance,
    asked: String,
}

impl Street {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let north = Instance::found(folder.path(), "North", "keeper");
        let south = Instance::found(folder.path(), "South", "ash");
        for instance in [&north, &south] {
            instance.ok(&["join", &hub.link(), "--yes"]);
        }
        let asked = ask(&north, "A ladder");
        north.ok(&["sync"]);
        south.ok(&["follow", &north.id(), "--yes"]);
        south.ok(&["sync"]);
        assert_eq!(titles(&south), ["A ladder"]);
        Self {
            folder,
            hub,
            north,
            south,
            asked,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A copy of North's folder in the hands of somebody else.
    fn thief(&self, name: &str) -> Instance {
        let thief = Instance::at(self.path(), name, Path::new(WB));
        std::fs::create_dir(&thief.home).expect("a folder");
        for file in std::fs::read_dir(&self.north.home).expect("a folder") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), thief.home.join(file.file_name())).expect("a copy");
        }
        thief
    }

    fn recover(&self, words: &str, last_good: &str, new: &str) -> Vec<Value> {
        let words = ["--words-file", words, "--last-good", last_good];
        let new = ["--new-words-file", new];
        self.north
            .json(&[&["key", "recover"], &words[..], &new].concat())
    }
}

#[test]
fn a_stolen_key_is_taken_back_and_everybody_follows() {
    let street = Street::new();
    let (north, south) = (&street.north, &street.south);
    let thief = street.thief("Thief");
    ask(&thief, "Send money");
    thief.ok(&["record", "unshare", &street.asked, "--yes"]);
    thief.ok(&["sync"]);
    thief.ok(&["key", "rotate", "--yes"]);
    thief.ok(&["sync"]);
    south.ok(&["sync"]);
    assert_eq!(titles(south), ["Send money"]);

    let run = north.run(&["sync"]).ends(5);
    assert!(
        run.stdout.contains("wb key recover") || run.stderr.contains("wb key recover"),
        "{run:?}"
    );
    let listed = north.json(&["key", "recover", "--list"]);
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["sealed_here"], false);
    assert_eq!(listed[1]["sealed_here"], true);
    assert_eq!(listed[1]["here"], true);

    let good = text(&listed[1], "hash");
    let done = street.recover("North-words.txt", good, "North-words-2.txt");
    assert_eq!(done[0]["void"], 1);
    assert_eq!(done[0]["listed"], 1);
    assert_eq!(done[0]["era"], 1);
    north.ok(&["sync"]);
    let said = south.run(&["sync"]).ends(0);
    let said = format!("{}{}", said.stdout, said.stderr);
    assert!(
        said.contains("North recovered its key: 1 record is hidden"),
        "{said}"
    );
    assert_eq!(titles(south), ["A ladder"]);
    assert_eq!(titles(north), ["A ladder"]);

    // The old sheet is worth nothing, the new one takes the key back again.
    let old = ["--words-file", "North-words.txt", "--last-good", good];
    let again = [
        &["key", "recover"],
        &old[..],
        &["--new-words-file", "3.txt"],
    ]
    .concat();
    let refused = north.run(&again).ends(1);
    assert!(
        refused.stderr.contains("not the recovery words"),
        "{refused:?}"
    );
    assert!(!street.path().join("3.txt").exists());
    let sheet = std::fs::read_to_string(street.path().join("North-words-2.txt")).expect("a sheet");
    assert!(sheet.contains(&north.id()));
    thief.run(&["sync"]).ends(5);

    // What the thief published is listed at the owner, and at nobody else.
    let inbox = north.json(&["inbox"]);
    let void = inbox
        .iter()
        .find(|item| item["cause"] == "void_publications");
    assert_eq!(void.expect("it is listed")["count"], 1);
    let things = north.json(&["inbox", "show", text(void.expect("listed"), "key")]);
    assert_eq!(text(&things[1], "note"), "Send money");
    let dropped = north.json(&["inbox", "drop", text(&things[1], "id")]);
    assert_eq!(dropped[0]["decision"], "dropped");
    let left = north.json(&["inbox"]);
    assert!(left.iter().all(|item| item["cause"] != "void_publications"));
    let told = south.json(&["inbox"]);
    assert!(
        told.iter().any(|item| item["cause"] == "recovered"),
        "{told:?}"
    );
    for instance in [north, south, &street.hub.instance] {
        instance.ok(&["doctor"]);
    }
}

/// The second thief's feed reached the hub as a whole, because no delta leads on from what the first one left there:
/// of its head the hub has the signature and not the entries.
#[test]
fn a_key_stolen_again_is_taken_back_where_the_hub_took_a_whole_feed() {
    let street = Street::new();
    let (north, south) = (&street.north, &street.south);
    let first = street.thief("Thief");
    ask(&first, "Send money");
    first.ok(&["sync"]);
    north.run(&["sync"]).ends(5);
    let listed = north.json(&["key", "recover", "--list"]);
    let own = listed.iter().find(|one| one["sealed_here"] == true);
    let good = text(own.expect("sealed here"), "hash").to_owned();
    street.recover("North-words.txt", &good, "North-words-2.txt");

    let second = street.thief("Another");
    ask(&second, "Send more");
    second.ok(&["sync"]);
    south.ok(&["sync"]);
    assert_eq!(titles(south), ["A ladder", "Send more"]);

    street.recover("North-words-2.txt", &good, "North-words-3.txt");
    north.ok(&["sync"]);
    ask(north, "A drill");
    north.ok(&["sync"]);
    south.ok(&["sync"]);
    assert_eq!(titles(south), ["A drill", "A ladder"]);
    second.run(&["sync"]).ends(5);
    for instance in [north, south, &street.hub.instance] {
        instance.ok(&["doctor"]);
    }
}

#[test]
fn a_key_is_changed_and_nobody_else_has_to_do_anything() {
    let street = Street::new();
    let (north, south) = (&street.north, &street.south);
    let before = north.json(&["key", "show"]).remove(0);
    assert_eq!(before["form"], "plain");
    // Nobody agreed, so nothing happens.
    north.run(&["key", "rotate"]).ends(3);

    let rotated = north.json(&["key", "rotate", "--yes"]).remove(0);
    assert_eq!(rotated["asked"], serde_json::json!(["Harbour"]));
    let after = north.json(&["key", "show"]).remove(0);
    assert_ne!(after["key"], before["key"]);
    assert_eq!(after["key"], rotated["key"]);
    assert_eq!(after["history"].as_array().map(Vec::len), Some(2));
    ask(north, "With the new key");
    north.ok(&["sync"]);
    south.ok(&["sync"]);
    assert_eq!(titles(south), ["A ladder", "With the new key"]);

    // The hub itself changes its key while it runs: its members notice nothing.
    let hub = &street.hub.instance;
    hub.ok(&["key", "rotate", "--yes"]);
    ask(north, "While the hub has a new key");
    let mut tries = 0..30;
    loop {
        north.ok(&["sync"]);
        let answers_with_new = south.run(&["sync"]).ends(0);
        let known = north.json(&["peer", "show", "Harbour"]);
        if titles(south).len() == 3 && street.hub_speaks_with(2) {
            break;
        }
        assert!(tries.next().is_some(), "{answers_with_new:?} {known:?}");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    north.ok(&["sync"]);
    south.ok(&["sync"]);
    for instance in [north, south, hub] {
        instance.ok(&["doctor"]);
    }
}

/// Commands that sign need the passphrase, all others do not.
#[test]
fn a_key_is_put_behind_a_passphrase_and_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut north = Instance::found(folder.path(), "North", "keeper");
    ask(&north, "A ladder");
    let short = ["key", "rotate", "--yes", "--passphrase"];
    let run = north.run(&short).ends(2);
    assert!(run.stderr.contains("WB_KEY_NEW_PASSPHRASE"), "{run:?}");
    let file = folder.path().join("passphrase.txt");
    std::fs::write(&file, "some words in a row\n").expect("a file");
    north
        .environment
        .push(("WB_KEY_PASSPHRASE_FILE", file.clone()));
    north.ok(&short);
    assert_eq!(north.json(&["key", "show"])[0]["form"], "passphrase");
    north.ok(&["publish"]);

    north.environment.clear();
    ask(&north, "Soup");
    let run = north.run(&["publish"]).ends(2);
    assert!(run.stderr.contains("behind a passphrase"), "{run:?}");
    north.run(&["up", "--listen", "127.0.0.1:0"]).ends(2);
    assert_eq!(titles(&north), ["A ladder", "Soup"]);
    north
        .environment
        .push(("WB_KEY_PASSPHRASE", "some words in a row".into()));
    north.ok(&["publish"]);
    // Who has lost the passphrase has the words.
    north.environment.clear();
    let words = [
        "--words-file",
        "North-words.txt",
        "--new-words-file",
        "2.txt",
    ];
    let good = ["--last-good", "1", "--no-passphrase"];
    north.ok(&[&["key", "recover"], &words[..], &good].concat());
    assert_eq!(north.json(&["key", "show"])[0]["form"], "plain");
    north.ok(&["publish"]);
    north.ok(&["doctor"]);
}

impl Street {
    /// Whether the hub shows a log of so many entries.
    fn hub_speaks_with(&self, entries: usize) -> bool {
        use std::io::{Read as _, Write as _};
        let place = self.hub.address().trim_start_matches("http://").to_owned();
        let mut stream = std::net::TcpStream::connect(&place).expect("it listens");
        let request = format!(
            "GET /.well-known/wb/node HTTP/1.1\r\nhost: {place}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let start = body.find('{').expect("JSON");
        let end = body.rfind('}').expect("JSON");
        let says: Value = serde_json::from_str(&body[start..=end]).expect("JSON");
        says["identity"].as_array().map(Vec::len) == Some(entries)
    }
}
