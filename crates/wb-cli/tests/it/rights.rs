//! What a member may ask of an instance, by the real program: everything held about them, and that it goes.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::canary::needles::{Needle, Searcher};
use crate::support::instance::{Instance, text};

const HANDLE: &str = "quince";
const NAME: &str = "Quinta of the Orchard";
const EMAIL: &str = "quinta@orchard.example";
const BIO: &str = "prunes trees in the early spring";
const SHARED: &str = "A ladder for the tallest pear";
const KEPT: &str = "Somebody to talk to on Sundays";
const ANSWER: &str = "I can bring the green wheelbarrow";
const OTHERS: &str = "The ladder is at the gate";

/// North, with a member who shared some of what she wrote, and answered somebody.
struct World {
    folder: tempfile::TempDir,
    north: Instance,
    /// Her request that was shared, with an answer of somebody else.
    shared: String,
    /// A request of somebody else that she answered.
    others: String,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let north = Instance::found(folder.path(), "North", "keeper");
        let add = ["user", "add", HANDLE, "--display-name", NAME, "--bio", BIO];
        north.ok(&[&add[..], &["--email", EMAIL]].concat());
        let by_her = ["--as", HANDLE, "request", "add", "--description", "please"];
        let shared = [&by_her[..], &["--title", SHARED, "--scope", "public"]].concat();
        let shared = north.ok(&shared);
        north.ok(&[&by_her[..], &["--title", KEPT, "--scope", "private"]].concat());
        let others = [
            "request",
            "add",
            "--title",
            "A wheelbarrow",
            "--description",
            "for a day",
        ];
        let others = north.ok(&[&others[..], &["--scope", "public"]].concat());
        let answer = ["--as", HANDLE, "comment", "add", &others, "--body", ANSWER];
        north.ok(&[&answer[..], &["--scope", "public"]].concat());
        let answer = [
            "comment", "add", &shared, "--body", OTHERS, "--scope", "public",
        ];
        north.ok(&answer);
        north.ok(&["--as", HANDLE, "invite", "create"]);
        Self {
            folder,
            north,
            shared,
            others,
        }
    }
}

/// Every file in a folder and below it, but in folders of some names.
fn files(folder: &Path, not_in: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_file() {
            found.push(path);
        } else if not_in.is_empty() || !name.starts_with(not_in) {
            found.extend(files(&path, not_in));
        }
    }
    found
}

/// Which of some words stand in which files of an instance.
fn found_in(instance: &Instance, words: &[&str], not_in: &str) -> Vec<String> {
    let needles: Vec<Needle> = words
        .iter()
        .map(|word| Needle::text("rights", word))
        .collect();
    let searcher = Searcher::new(&needles);
    let mut found = Vec::new();
    for file in files(&instance.home, not_in) {
        let bytes = std::fs::read(&file).expect("a file");
        let names = searcher.find(&bytes);
        if !names.is_empty() {
            found.push(format!("{}: {names:?}", file.display()));
        }
    }
    found
}

const HERS: [&str; 7] = [HANDLE, NAME, EMAIL, BIO, SHARED, KEPT, ANSWER];

#[test]
fn of_an_erased_member_no_word_is_in_any_file_and_threads_stay_readable() {
    let world = World::new();
    let north = &world.north;
    north.ok(&[
        "--as",
        HANDLE,
        "record",
        "share",
        &user_id(north),
        "--scope",
        "public",
    ]);
    north.ok(&["publish"]);
    assert!(
        !found_in(north, &HERS, "").is_empty(),
        "the search finds nothing"
    );
    // Nobody is erased by a slip.
    north.run(&["user", "erase", HANDLE]).ends(3);
    north
        .run(&["--as", HANDLE, "user", "erase", "keeper", "--yes"])
        .ends(1);
    let erased = north.json(&["user", "erase", HANDLE, "--yes"]).remove(0);
    assert_eq!(
        (&erased["records"], &erased["shared"]),
        (&5.into(), &3.into()),
        "{erased}"
    );
    let at_once = [NAME, EMAIL, KEPT];
    // The lines of the feed are still to be taken back; everything else is gone at once.
    let kept = found_in(north, &at_once[1..], "");
    assert!(kept.is_empty(), "{kept:?}");
    let published = north.json(&["publish"]).remove(0);
    // Her profile, request and answer, and the answer that stood under her request.
    assert_eq!(published["taken_back"], 4, "{published}");
    let kept = found_in(north, &HERS, "");
    assert!(kept.is_empty(), "{kept:?}");
    // Her request is a tombstone, and the answer to it stays.
    let request = north.json(&["request", "show", &world.shared]).remove(0);
    assert_eq!(request["erased"], true, "{request}");
    assert_eq!(text(&request, "author"), "a former member");
    assert_eq!(request["status"], "cancelled");
    assert_eq!(request["comment_list"][0]["body"], OTHERS, "{request}");
    // Where she answered somebody, a tombstone stands.
    let request = north.json(&["request", "show", &world.others]).remove(0);
    assert_eq!(request["comment_list"][0]["erased"], true, "{request}");
    assert_eq!(request["comment_list"][0]["author"], "a former member");
    let users = north.json(&["user", "list"]);
    assert_eq!(users.len(), 1, "{users:?}");
    north.ok(&["doctor"]);
    north.ok(&["rebuild"]);
    let request = north.json(&["request", "show", &world.shared]).remove(0);
    assert_eq!(request["erased"], true, "{request}");
}

/// The id of her profile.
fn user_id(north: &Instance) -> String {
    text(&north.json(&["user", "show", HANDLE])[0], "id").to_owned()
}

#[test]
fn a_backup_from_before_does_not_bring_an_erased_member_back() {
    let world = World::new();
    let north = &world.north;
    north.ok(&["publish"]);
    north.ok(&["backup", "before.wbk"]);
    let erased = north.json(&["user", "erase", HANDLE, "--yes"]).remove(0);
    let copies = erased["copies"].as_array().expect("a list");
    assert!(
        copies.iter().any(|copy| copy
            .as_str()
            .is_some_and(|copy| copy.ends_with("before.wbk"))),
        "{erased}"
    );
    north.ok(&["publish"]);
    let restore = [
        "restore",
        "before.wbk",
        "--replace",
        "--words-file",
        "North-words.txt",
    ];
    let restored = north.json(&restore).remove(0);
    assert_eq!(restored["erased_again"], 1, "{restored}");
    // What was moved aside is what was there; the backup's own words are gone, but for what is still to be taken back.
    let kept = found_in(north, &[HANDLE, NAME, EMAIL, BIO, KEPT], "before-restore");
    assert!(kept.is_empty(), "{kept:?}");
    assert_eq!(north.json(&["user", "list"]).len(), 1);
    north.ok(&["restore", "--offline"]);
    north.ok(&["publish"]);
    let kept = found_in(north, &HERS, "before-restore");
    assert!(kept.is_empty(), "{kept:?}");
    // The same backup in another folder, where nobody knows of it, brings her back: so the search can find her.
    let copy = Instance::at(
        world.folder.path(),
        "Copy",
        Path::new(crate::support::instance::WB),
    );
    copy.ok(&["restore", "before.wbk", "--words-file", "North-words.txt"]);
    assert_eq!(copy.json(&["user", "list"]).len(), 2);
}

#[test]
fn the_last_admin_stays_and_another_can_go_even_the_founder() {
    let folder = tempfile::tempdir().unwrap();
    let north = Instance::found(folder.path(), "North", "keeper");
    north.ok(&["user", "add", "stew", "--role", "steward"]);
    let refused = north.run(&["user", "erase", "keeper", "--yes"]).ends(1);
    assert!(refused.stderr.contains("last admin"), "{}", refused.stderr);
    north.ok(&["backup", "before.wbk"]);
    north.ok(&["user", "add", "oak", "--role", "admin"]);
    north.ok(&["user", "erase", "keeper", "--yes"]);
    // Commands act as who is left.
    let id = north.ok(&[
        "request",
        "add",
        "--title",
        "A saw",
        "--description",
        "sharp",
    ]);
    let request = north.json(&["request", "show", &id]).remove(0);
    assert_eq!(text(&request, "author"), "oak");
    // The handle is nobody's to take by an invitation; an admin may give it.
    north.ok(&["user", "add", "keeper"]);
    // A backup from when there was no other admin still has somebody to look after it, without a past.
    north.ok(&[
        "restore",
        "before.wbk",
        "--replace",
        "--words-file",
        "North-words.txt",
    ]);
    let users = north.json(&["user", "list"]);
    let admins: Vec<&Value> = users
        .iter()
        .filter(|user| user["role"] == "admin")
        .collect();
    assert_eq!(admins.len(), 1, "{users:?}");
    assert!(text(admins[0], "handle").starts_with("admin-"), "{users:?}");
    assert!(
        users.iter().all(|user| user["handle"] != "keeper"),
        "{users:?}"
    );
}

#[test]
fn an_export_holds_everything_about_a_member_and_nothing_that_opens_something() {
    let world = World::new();
    let north = &world.north;
    north.ok(&["publish"]);
    let invites = north.json(&["invite", "list"]);
    let secret = text(&invites[0], "token").to_owned();
    north.ok(&["--as", HANDLE, "user", "export", HANDLE, "--to", "mine"]);
    // Not over what is there, and not somebody else's.
    north
        .run(&["--as", HANDLE, "user", "export", HANDLE, "--to", "mine"])
        .ends(2);
    north
        .run(&["--as", HANDLE, "user", "export", "keeper", "--to", "theirs"])
        .ends(1);
    let folder = world.folder.path().join("mine");
    let json = std::fs::read_to_string(folder.join("data.json")).unwrap();
    let page = std::fs::read_to_string(folder.join("data.html")).unwrap();
    for word in HERS {
        assert!(json.contains(word), "{word} is not in {json}");
        assert!(page.contains(word), "{word} is not in {page}");
    }
    for text in [&json, &page] {
        assert!(!text.contains(&secret) && !text.contains(OTHERS), "{text}");
    }
    assert!(
        !page.contains("<script") && !page.contains("src="),
        "{page}"
    );
    let data: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(data["schema_version"], 1);
    let shared = data["records"].as_array().expect("records").iter();
    let shared: Vec<&Value> = shared
        .filter(|record| record["shared"][0]["is_in"] == true)
        .collect();
    assert_eq!(shared.len(), 2, "{json}");
    // Who else looked is in her log.
    north.ok(&["user", "export", HANDLE, "--to", "theirs.json"]);
    north.ok(&[
        "--as",
        HANDLE,
        "user",
        "export",
        HANDLE,
        "--to",
        "again.json",
    ]);
    let again = std::fs::read_to_string(world.folder.path().join("again.json")).unwrap();
    let again: Value = serde_json::from_str(&again).unwrap();
    let log = again["log"].as_array().expect("a log");
    assert!(
        log.iter()
            .any(|row| row["act"] == "user export" && row["by_member"] == false),
        "{again}"
    );
}

/// The id of one of her requests.
fn request_of(north: &Instance, title: &str) -> String {
    let requests = north.json(&["request", "list"]);
    let found = requests.iter().find(|request| request["title"] == title);
    text(found.expect("a request"), "id").to_owned()
}

#[test]
fn many_records_go_further_only_as_far_as_their_authors_agreed() {
    let world = World::new();
    let north = &world.north;
    let kept = request_of(north, KEPT);
    // A steward kept one here that its author shares, and may let it go again. For the other its author is asked.
    north.ok(&["record", "share", &world.shared, "--scope", "private"]);
    let all = ["record", "share", "--kind", "request", "--scope", "public"];
    let done = north.json(&all).remove(0);
    let numbers = |done: &Value| {
        ["changed", "already", "asked", "waiting", "declined"]
            .map(|key| done[key].as_u64().unwrap())
    };
    assert_eq!(numbers(&done), [1, 1, 1, 0, 0], "{done}");
    assert_eq!(numbers(&north.json(&all)[0]), [0, 2, 0, 1, 0]);
    north.ok(&["publish"]);
    let of = |id: &str| north.json(&["record", "show", id]).remove(0);
    assert_eq!(of(&kept)["published"], serde_json::json!([]));
    assert_eq!(
        of(&world.shared)["published"],
        serde_json::json!(["public"])
    );
    // She is asked, and nobody answers for her.
    let waits = north.json(&["--as", HANDLE, "review", "list"]);
    assert!(
        waits
            .iter()
            .any(|row| row["what"] == "record" && row["id"] == kept.as_str()),
        "{waits:?}"
    );
    north.run(&["review", "accept", &kept]).ends(2);
    north.ok(&["--as", HANDLE, "review", "refuse", &kept]);
    assert_eq!(numbers(&north.json(&all)[0]), [0, 2, 0, 0, 1]);
    assert_eq!(of(&kept)["scope"], "private");
    // Another is agreed to.
    let by_her = [
        "--as",
        HANDLE,
        "request",
        "add",
        "--description",
        "please",
        "--title",
        "A rake",
    ];
    let rake = north.ok(&[&by_her[..], &["--scope", "private"]].concat());
    assert_eq!(numbers(&north.json(&all)[0]), [0, 2, 1, 0, 1]);
    north.ok(&["--as", HANDLE, "review", "accept", &rake]);
    north.ok(&["publish"]);
    assert_eq!(of(&rake)["published"], serde_json::json!(["public"]));
    // All of it stands in her own log; and her word for all is her own records only.
    north.ok(&["--as", HANDLE, "user", "export", HANDLE, "--to", "log.json"]);
    let data = std::fs::read_to_string(world.folder.path().join("log.json")).unwrap();
    let data: Value = serde_json::from_str(&data).unwrap();
    let log = data["log"].as_array().expect("a log");
    for (act, by_her) in [
        ("record ask", false),
        ("record share", false),
        ("record agree", true),
        ("record decline", true),
    ] {
        let is_there = log
            .iter()
            .any(|row| row["act"] == act && row["by_member"] == by_her);
        assert!(is_there, "{act}: {log:?}");
    }
    let hers = north
        .json(&[&["--as", HANDLE], &all[..]].concat())
        .remove(0);
    assert_eq!(numbers(&hers), [1, 2, 0, 0, 0], "{hers}");
}

#[test]
fn a_closed_instance_takes_everything_back_says_so_and_publishes_nothing_more() {
    let world = World::new();
    let north = &world.north;
    let south = Instance::found(world.folder.path(), "South", "warden");
    let carry = |name: &str| {
        north.ok(&["bundle", "export", name]);
        south.run(&["bundle", "import", name, "--yes"]).ends(0);
    };
    carry("before.wbb");
    let titles = |of: &Instance| -> Vec<String> {
        let requests = of.json(&["request", "list"]);
        requests
            .iter()
            .map(|request| text(request, "title").to_owned())
            .collect()
    };
    assert!(titles(&south).contains(&SHARED.to_owned()));
    // Nobody but an admin, and not by a slip; and there is a way back while there is time.
    north.run(&["retire"]).ends(3);
    north.run(&["--as", HANDLE, "retire", "--yes"]).ends(1);
    let told = north
        .json(&["retire", "--yes", "--export", "all"])
        .remove(0);
    assert!(told["closes"].is_string(), "{told}");
    assert_eq!(told["exported"].as_array().map(Vec::len), Some(4), "{told}");
    assert_eq!(north.json(&["publish"])[0]["taken_back"], 0);
    north.ok(&["retire", "--undo"]);
    north.run(&["retire", "--undo"]).ends(1);
    north.ok(&["retire", "--yes", "--days", "0"]);
    carry("after.wbb");
    assert_eq!(titles(&south), Vec::<String>::new());
    let cards = south.json(&["record", "list", "--kind", "card"]);
    let card = cards
        .iter()
        .find(|card| card["local"] == false)
        .expect("its card");
    let card = format!("{}/{}", text(card, "origin"), text(card, "id"));
    let card = south.json(&["record", "show", &card]).remove(0);
    assert!(card["body"]["retired_at"].is_string(), "{card}");
    // Nothing more leaves, whatever is written; what is here stays here, and there is no way back.
    assert!(titles(north).contains(&SHARED.to_owned()));
    north.ok(&[
        "request",
        "add",
        "--title",
        "One more",
        "--description",
        "now",
        "--scope",
        "public",
    ]);
    assert_eq!(north.json(&["publish"])[0]["sealed"], 0);
    for refused in [
        &["record", "share", &world.others, "--scope", "public"][..],
        &["record", "share", "--kind", "request", "--scope", "public"],
        &["retire", "--undo"],
        &["retire", "--yes"],
    ] {
        let run = north.run(refused).ends(1);
        assert!(run.stderr.contains("was closed"), "{}", run.stderr);
    }
    let stays = north.json(&["record", "list", "--staying", "--kind", "request"]);
    assert!(
        stays.iter().all(|row| row["stays"] == "retired"),
        "{stays:?}"
    );
    north.ok(&["doctor"]);
}
