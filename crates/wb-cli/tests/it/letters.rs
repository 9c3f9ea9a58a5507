//! Letters by the real programs: a reply, its publication, taking it back, and ways to reach somebody, with everything
//! that passed the network and every file looked through for their words.

use serde_json::Value;

use crate::sealed::{World, ask_trusted, files_of, is_in};
use crate::support::hub::titles;
use crate::support::instance::{Instance, text};

const CANARY: &str = "Heron-lantern under the letterbox";
const WAY: &str = "ann.heron@east.example";

fn request(instance: &Instance, title: &str) -> String {
    let all = instance.json(&["request", "list"]);
    let found = all.iter().find(|row| text(row, "title") == title);
    text(found.expect("it is shown"), "id").to_owned()
}

fn states(instance: &Instance) -> Vec<(String, String)> {
    let all = instance.json(&["inbox", "letters"]);
    let state = |row: &Value| (text(row, "kind").to_owned(), text(row, "state").to_owned());
    all.iter().map(state).collect()
}

fn sync(instances: &[&Instance]) {
    for instance in instances {
        instance.ok(&["sync"]);
    }
}

/// Texts of the comments that are listed.
fn comments(instance: &Instance) -> Vec<String> {
    let all = instance.json(&["comment", "list"]);
    all.iter().map(|row| text(row, "body").to_owned()).collect()
}

#[test]
fn a_reply_by_letter_is_read_at_its_home_alone_until_that_publishes_it() {
    let world = World::new();
    let (north, south, east) = (&world.north, &world.south, &world.east);
    ask_trusted(north, "Ladders for Saturday");
    for name in ["South", "East"] {
        north.ok(&["peer", "trust", name, "--yes"]);
    }
    sync(&[north, south, east]);
    assert_eq!(titles(east), ["Ladders for Saturday"]);
    let id = request(east, "Ladders for Saturday");

    // Nobody is asked where there is no terminal, and what would be sent is said all the same.
    let asked = east.run(&["comment", "add", &id, "--body", CANARY]).ends(3);
    assert!(
        asked.stderr.contains("a letter to North alone"),
        "{}",
        asked.stderr
    );
    assert_eq!(comments(east), Vec::<String>::new());
    let add: [&str; 8] = [
        "comment", "add", &id, "--body", CANARY, "--name", "Ann", "--yes",
    ];
    let sent = east.json(&add).remove(0);
    assert_eq!(text(&sent, "letter_to"), north.id());
    let synced = east.json(&["sync"]).remove(0);
    assert_eq!(synced["letters"]["given"], 1);
    assert_eq!(states(east), [("reply".to_owned(), "at_hub".to_owned())]);
    sync(&[south, north, east, south]);
    assert_eq!(states(east), [("reply".to_owned(), "arrived".to_owned())]);
    assert_eq!(comments(north), [CANARY]);
    assert!(is_in(CANARY, &files_of(north)) && is_in(CANARY, &files_of(east)));
    for places in [
        &world.traffic(),
        &files_of(&world.hub.instance),
        &files_of(south),
    ] {
        assert!(!is_in(CANARY, places), "it is for North alone");
    }

    let answer = text(&north.json(&["comment", "list"])[0], "id").to_owned();
    north.ok(&["comment", "publish", &answer]);
    sync(&[north, south, east]);
    let seen = comments(south);
    assert!(
        seen.len() == 1 && seen[0].starts_with("Ann at East wrote:"),
        "{seen:?}"
    );
    assert_eq!(states(east), [("reply".to_owned(), "published".to_owned())]);

    let retract = ["record", "retract", text(&sent, "id"), "--reason", "erase"];
    let words = east.run(&retract).ends(3).stderr;
    assert!(
        words.contains("It went as a letter to North alone"),
        "{words}"
    );
    let told = east.ok(&[&retract[..], &["--yes"]].concat());
    assert!(told.starts_with("letter to North: "), "{told}");
    for _ in 0..2 {
        sync(&[east, north, south]);
    }
    assert_eq!(states(east), [("erase".to_owned(), "erased".to_owned())]);
    for instance in [north, south, east] {
        assert!(!is_in(CANARY, &files_of(instance)), "{}", instance.id());
        instance.ok(&["doctor"]);
    }
}

#[test]
fn ways_to_reach_somebody_go_to_the_author_of_a_request_after_they_were_shown() {
    let world = World::new();
    let (north, south, east) = (&world.north, &world.south, &world.east);
    crate::support::hub::ask(north, "A cart for Sunday");
    sync(&[north, south, east]);
    let id = request(east, "A cart for Sunday");
    let shown = east.run(&["user", "contact", &id, "--email", WAY]).ends(3);
    assert!(
        shown.stderr.contains(WAY) && shown.stderr.contains("North"),
        "{}",
        shown.stderr
    );
    let sent = east
        .json(&["user", "contact", &id, "--email", WAY, "--yes"])
        .remove(0);
    sync(&[east, south, north, east]);
    assert_eq!(states(east), [("contact".to_owned(), "arrived".to_owned())]);
    let got = north.json(&["inbox", "letters"]).remove(0);
    assert!(text(&got, "text").contains(WAY));
    // Another member is shown nothing of it.
    north.ok(&["user", "add", "omar"]);
    assert_eq!(
        north.json(&["inbox", "letters", "--as", "omar"]),
        Vec::<Value>::new()
    );
    assert_eq!(comments(north), Vec::<String>::new());
    for places in [
        &world.traffic(),
        &files_of(&world.hub.instance),
        &files_of(south),
    ] {
        assert!(!is_in(WAY, places), "it is for North alone");
    }
    east.ok(&["user", "contact", text(&sent, "thread"), "--take-back"]);
    sync(&[east, north, east]);
    assert_eq!(states(east), [("erase".to_owned(), "erased".to_owned())]);
    assert!(!is_in(WAY, &files_of(north)));
}
