//! Vouches between communities that never met, by the real programs: through a hub, directly and in a file.

use serde_json::Value;

use crate::support::hub::Hub;
use crate::support::instance::{Instance, text};

/// North, East and South. North accepted East, and neither of North and South ever met the other.
fn street() -> (tempfile::TempDir, [Instance; 3]) {
    let folder = tempfile::tempdir().expect("a folder");
    let all = ["North", "East", "South"].map(|name| Instance::found(folder.path(), name, "keeper"));
    (folder, all)
}

fn vouch(issuer: &Instance, subject: &str) -> Value {
    let words = [
        "--level",
        "trusted",
        "--basis",
        "We met at the market in May",
    ];
    issuer
        .json(&[&["vouch", "add", subject], &words[..]].concat())
        .remove(0)
}

fn why(instance: &Instance, subject: &str) -> Value {
    instance.json(&["vouch", "why", subject]).remove(0)
}

/// What of a community waits at the review of another.
fn level_at_review(instance: &Instance, id: &str) -> Option<Value> {
    let rows = instance.json(&["review", "list"]);
    rows.into_iter()
        .find(|row| row["id"] == id)
        .map(|row| row["level"].clone())
}

#[test]
fn two_that_never_met_find_each_other_by_a_vouch_through_a_hub() {
    let (folder, [north, east, south]) = street();
    let hub = Hub::start(folder.path(), "Harbour", "open");
    for one in [&north, &east, &south] {
        one.ok(&["join", &hub.link(), "--yes"]);
    }
    // Twice: who comes later is seen by who was there before.
    for _ in 0..2 {
        for one in [&north, &east, &south] {
            one.ok(&["sync"]);
        }
    }
    north.ok(&["follow", &east.id()]);
    assert_eq!(level_at_review(&north, &south.id()), Some(Value::from(0)));
    assert!(
        text(&why(&north, "South"), "sentence").contains("level 0: nobody who is trusted here")
    );

    let added = vouch(&east, "South");
    assert_eq!(added["renewed"], false);
    east.ok(&["sync"]);
    north.ok(&["sync"]);
    let reason = why(&north, "South");
    assert_eq!(reason["level"], 2);
    assert_eq!(reason["disjoint_ways"], 1);
    assert_eq!(reason["hangs_on"][0]["name"], "East");
    let sentence = text(&reason, "sentence");
    assert!(
        sentence.starts_with("South is level 2: You → East → South; 1 way; until "),
        "{sentence}"
    );
    assert!(sentence.ends_with("falls if East revokes"), "{sentence}");
    // It does not wait any more: it is shown.
    assert_eq!(level_at_review(&north, &south.id()), None);
    let listed = north.json(&["vouch", "list", "South"]);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["counts_not"], Value::Null);
    let roots = north.json(&["vouch", "roots"]);
    assert_eq!(roots[0]["hang_on_it"][0]["name"], "South");

    // Once more renews it, and a preview of taking it back changes nothing.
    assert_eq!(vouch(&east, "South")["renewed"], true);
    let preview = east
        .json(&["vouch", "revoke", "South", "--dry-run"])
        .remove(0);
    assert_eq!(preview["done"], false);
    assert_eq!(preview["moved"][0]["before"], 2);
    assert_eq!(preview["moved"][0]["after"], 0);
    east.ok(&["vouch", "revoke", "South", "--yes"]);
    east.ok(&["sync"]);
    north.ok(&["sync"]);
    assert_eq!(why(&north, "South")["level"], 0);
    assert!(north.json(&["vouch", "list", "South"]).is_empty());
    let again = east.run(&["vouch", "revoke", "South", "--yes"]).ends(1);
    assert!(
        again.stderr.contains("vouches for nothing of South"),
        "{}",
        again.stderr
    );
    for one in [&north, &east, &south] {
        one.ok(&["doctor"]);
    }
}

#[test]
fn a_vouch_comes_in_a_file_and_counts_for_nothing_where_its_issuer_is_refused() {
    let (folder, [north, east, south]) = street();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (of_south, of_east) = (file("south.wbb"), file("east.wbb"));
    south.ok(&["publish"]);
    south.ok(&["bundle", "export", &of_south]);
    east.ok(&["bundle", "import", &of_south, "--yes"]);
    vouch(&east, "South");
    // East refuses South later and leaves its vouch: else the feed of South would be in the file as well, and whoever
    // takes a file approves by hand whom it previews.
    east.ok(&["peer", "block", "South", "--yes"]);
    east.ok(&["bundle", "export", &of_east]);
    north.ok(&["bundle", "import", &of_east, "--yes"]);
    assert_eq!(why(&north, &south.id())["level"], 2);
    north.ok(&["peer", "block", &east.id(), "--yes"]);
    let reason = why(&north, &south.id());
    assert_eq!(reason["level"], 0, "{reason}");
}

#[test]
fn a_vouch_is_an_admins_and_for_others() {
    let (_folder, [north, east, _]) = street();
    let words = ["--level", "trusted", "--basis", "We met"];
    let unknown = north.run(&[&["vouch", "add", &east.id()], &words[..]].concat());
    assert!(unknown.ends(1).stderr.contains("is not known here"));
    let own = north.run(&[&["vouch", "add", &north.id()], &words[..]].concat());
    assert!(own.ends(1).stderr.contains("does not vouch for itself"));
    north.ok(&["user", "add", "lene", "--display-name", "Lene"]);
    let member = north.run(&[&["--as", "lene", "vouch", "add", &east.id()], &words[..]].concat());
    assert!(member.ends(1).stderr.contains("needs an admin"));
    let long = north.run(&[&["vouch", "add", &east.id(), "--months", "25"], &words[..]].concat());
    long.ends(2);
}
