//! Taking back with the real program: what is said before, what `--wait` ends with, and who has it.

use serde_json::{Value, json};

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};

/// The names of holders with their states.
fn states(feed: &Value) -> Vec<(String, String)> {
    let holders = feed["holders"].as_array().expect("holders");
    let state = |holder: &Value| {
        (
            text(holder, "name").to_owned(),
            text(holder, "state").to_owned(),
        )
    };
    holders.iter().map(state).collect()
}

fn pair(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

#[test]
fn waiting_ends_with_3_and_names_who_is_away_and_with_0_once_everybody_erased() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let north = Instance::found(folder.path(), "North", "keeper");
    let south = Instance::found(folder.path(), "South", "keeper");
    for instance in [&north, &south] {
        instance.ok(&["join", &hub.link(), "--yes"]);
    }
    let request = ask(&north, "A heron to feed");
    north.ok(&["sync"]);
    south.ok(&["follow", &north.id(), "--yes"]);
    south.ok(&["sync"]);
    assert_eq!(titles(&south), ["A heron to feed"]);
    north.ok(&["sync"]);
    let holds = north.json(&["record", "who", &request]).remove(0);
    let feed = &holds["feeds"][0];
    assert_eq!(
        (&feed["action"], &feed["complete"]),
        (&json!("put"), &json!(true))
    );
    assert_eq!(
        states(feed),
        [pair("Harbour", "holds"), pair("South", "holds")]
    );

    // Nobody can be asked here, so nothing is done without --yes; what cannot be promised is said before.
    let retract = ["record", "retract", &request, "--reason", "erase"];
    let refused = north.run(&retract).ends(3);
    for said in [
        "Nobody can promise what people read",
        "Nothing was changed; --yes",
    ] {
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    assert_eq!(titles(&north), ["A heron to feed"]);

    // What else is marked stays where it is.
    ask(&north, "A barrow");
    let done = north.run(&[&retract[..], &["--yes"]].concat()).ends(0);
    assert!(done.stdout.contains("pending"), "{}", done.stdout);
    assert_eq!(north.json(&["status"])[0]["to_publish"], 1);
    assert_eq!(titles(&north), ["A barrow"]);

    // South is away: it is named.
    let again = [&retract[..], &["--yes", "--wait=1"]].concat();
    let waited = north
        .run(&[&["--json"], &again[..]].concat())
        .ends(3)
        .json()
        .remove(0);
    assert_eq!(waited["complete"], false);
    assert_eq!(
        states(&waited["feeds"][0]),
        [pair("Harbour", "erased"), pair("South", "pending")]
    );
    let told = north.run(&again).ends(3);
    assert!(
        told.stdout
            .contains("South (follower) has not confirmed yet that it is gone"),
        "{}",
        told.stdout
    );

    // It comes back.
    south.ok(&["sync"]);
    assert_eq!(titles(&south), ["A barrow"]);
    let waited = north
        .run(&[&retract[..], &["--yes", "--wait"]].concat())
        .ends(0);
    assert!(
        waited
            .stdout
            .contains("South (follower) says that it is erased there"),
        "{}",
        waited.stdout
    );
    assert!(
        waited.stderr.contains("2 of 2 say that they erased it"),
        "{}",
        waited.stderr
    );
}

#[test]
fn a_steward_keeps_home_what_others_wrote_and_erases_nothing_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    north.ok(&["user", "add", "mira", "--role", "member"]);
    let words = [
        "--title",
        "A pump",
        "--description",
        "For the cellar.",
        "--scope",
        "public",
    ];
    let request = north.ok(&[&["--as", "mira", "request", "add"], &words[..]].concat());
    north.ok(&["publish", "--yes"]);
    for reason in ["erase", "mistake"] {
        let refused = north
            .run(&["record", "retract", &request, "--reason", reason, "--yes"])
            .ends(1);
        assert!(
            refused.stderr.contains("a steward keeps home"),
            "{}",
            refused.stderr
        );
    }
    north.ok(&["record", "retract", &request, "--reason", "scope", "--yes"]);
    assert_eq!(titles(&north), ["A pump"]);
    // Its author erases it, although nobody has it any more.
    north.ok(&[
        "--as", "mira", "record", "retract", &request, "--reason", "erase", "--yes",
    ]);
    assert_eq!(titles(&north), Vec::<String>::new());
    let database = std::fs::read(north.file("wb.db")).expect("a file");
    assert!(
        !database.windows(6).any(|part| part == b"cellar"),
        "it is gone from the file"
    );
}
