//! Vouches between communities that never met, by the real programs: through a hub, directly and in a file.

use serde_json::Value;

use crate::support::hub::Hub;
use crate::support::instance::{Instance, run, text, wb};

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
    // The hub gives the same one alone, whoever asks.
    for (asks, counts) in [(&north, true), (&south, false)] {
        let given = asks.json(&["vouch", "list", &south.id(), "--hub"]);
        assert_eq!(given.len(), 1, "{given:?}");
        assert_eq!(text(&given[0], "issuer"), east.id());
        assert_eq!(given[0]["id"], listed[0]["id"]);
        assert_eq!(given[0]["counts"], counts);
    }
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

fn ask(instance: &Instance, title: &str) {
    let words = [
        "--title",
        title,
        "--description",
        "Please.",
        "--scope",
        "public",
    ];
    instance.ok(&[&["request", "add"], &words[..]].concat());
}

/// Titles of the requests that an instance shows.
fn titles(instance: &Instance) -> Vec<String> {
    let rows = instance.json(&["request", "list"]);
    rows.iter()
        .map(|row| text(row, "title").to_owned())
        .collect()
}

#[test]
fn a_vouch_in_a_file_shows_who_is_in_it_and_taking_it_back_separates_them() {
    let (folder, [north, east, south]) = street();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let carry = |from: &Instance, to: &Instance, name: &str, yes: &[&str]| {
        from.ok(&["bundle", "export", &file(name)]);
        to.run(&[&["bundle", "import", &file(name)], yes].concat())
            .ends(0);
    };
    ask(&south, "Oars to lend");
    // North accepts East, East accepts South.
    carry(&east, &north, "east.wbb", &["--yes"]);
    carry(&south, &east, "south.wbb", &["--yes"]);
    vouch(&east, "South");
    // Nobody is asked about South: East vouches for it.
    carry(&east, &north, "vouched.wbb", &[]);
    assert_eq!(why(&north, &south.id())["level"], 2);
    assert_eq!(titles(&north), ["Oars to lend"]);
    let rebuilt = north.json(&["request", "list"]);
    north.ok(&["rebuild"]);
    assert_eq!(north.json(&["request", "list"]), rebuilt);

    // What East takes back separates them; what was shown is asked about.
    let falls = east
        .json(&["vouch", "revoke", "South", "--dry-run"])
        .remove(0);
    assert_eq!(falls["done"], false);
    east.ok(&["vouch", "revoke", "South", "--yes"]);
    carry(&east, &north, "revoked.wbb", &[]);
    assert_eq!(why(&north, &south.id())["level"], 0);
    let asked = north.json(&["review", "list"]);
    assert_eq!(asked[0]["what"], "fallen");
    assert!(
        text(&asked[0], "why").ends_with("because East took back what it vouched for South"),
        "{asked:?}"
    );
    let inbox = north.json(&["inbox"]);
    assert!(
        inbox.iter().any(|item| item["cause"] == "fell"),
        "{inbox:?}"
    );
    assert_eq!(titles(&north), ["Oars to lend"]);
    north.ok(&["review", "keep", "South"]);
    assert_eq!(titles(&north), ["Oars to lend"]);
    north.ok(&["review", "hide", "South"]);
    assert_eq!(titles(&north), Vec::<String>::new());
    north.run(&["review", "hide", "South"]).ends(2);
    north.ok(&["doctor"]);
}

#[test]
fn a_refusal_beats_a_vouch_and_takes_the_own_one_back() {
    let (folder, [north, east, south]) = street();
    let file = |name: &str| folder.path().join(name).display().to_string();
    for (from, to, name) in [(&east, &north, "east.wbb"), (&south, &east, "south.wbb")] {
        from.ok(&["bundle", "export", &file(name)]);
        to.ok(&["bundle", "import", &file(name), "--yes"]);
    }
    vouch(&east, "South");
    east.ok(&["bundle", "export", &file("vouched.wbb")]);
    north.ok(&["bundle", "import", &file("vouched.wbb")]);
    assert_eq!(why(&north, &south.id())["level"], 2);
    vouch(&north, "South");
    let refused = north.json(&["review", "refuse", "South"]).remove(0);
    assert_eq!(refused["vouch_taken_back"], true);
    assert_eq!(why(&north, &south.id())["level"], 0);
    north.ok(&["review", "accept", &south.id(), "--steward"]);
    assert_eq!(why(&north, &south.id())["level"], 3);
    // East is refused, and South stays by hand.
    north.ok(&["peer", "block", &east.id(), "--yes"]);
    assert_eq!(why(&north, &south.id())["level"], 3);
    north.ok(&["review", "accept", &south.id()]);
    assert_eq!(why(&north, &south.id())["level"], 2);
}

#[test]
fn a_vouch_alone_is_written_and_verified_without_an_instance() {
    let (folder, [north, east, south]) = street();
    let file = |name: &str| folder.path().join(name).display().to_string();
    south.ok(&["publish"]);
    south.ok(&["bundle", "export", &file("south.wbb")]);
    east.ok(&["bundle", "import", &file("south.wbb"), "--yes"]);
    let id = text(&vouch(&east, "South"), "id").to_owned();
    let early = east.run(&["vouch", "export", "South"]).ends(1);
    assert!(
        early.stderr.contains("was not published yet"),
        "{}",
        early.stderr
    );
    east.ok(&["publish"]);
    let alone = file("vouch.json");
    east.ok(&["vouch", "export", "South", "--to", &alone]);
    east.run(&["vouch", "export", "South", "--to", &alone])
        .ends(1);
    let by_id = east.run(&["vouch", "export", &id]).ends(0).stdout;
    let written = std::fs::read_to_string(&alone).expect("a file");
    assert_eq!(by_id, written);

    // Nobody's folder and no network.
    let nowhere = tempfile::tempdir().expect("a folder");
    let verify = |file: &str, extra: &[&str]| {
        let arguments = [&["vouch", "verify", file], extra].concat();
        run(wb(nowhere.path()).args(arguments))
    };
    let said = verify(&alone, &["--json"]).ends(0).json().remove(0);
    assert_eq!(text(&said, "issuer"), east.id());
    assert_eq!(text(&said, "subject"), south.id());
    assert_eq!(said["level"], "trusted");
    assert_eq!(said["is_over"], false);
    let words = verify(&alone, &[]).ends(0).stdout;
    assert!(words.contains("Alone it counts for nothing"), "{words}");
    assert!(
        words.contains(&format!("{} signed this vouch", east.id())),
        "{words}"
    );

    std::fs::write(&alone, written.replace("\"trusted\"", "\"steward\"")).expect("a file");
    let changed = verify(&alone, &[]).ends(4);
    assert!(
        changed.stderr.contains("breaks lone_vouch_differs"),
        "{}",
        changed.stderr
    );
    drop(north);
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
