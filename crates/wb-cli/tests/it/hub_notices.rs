//! What a hub decides in public: sealed in its feed, heeded by itself at once and after a restart, followed, asked about or
//! ignored by its members, and undone. Real programs, over real sockets; nothing here uses a crate of ours.

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::pages::Browser;
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};

/// A hub, and North and South that follow everybody it lists.
struct Bay {
    folder: TempDir,
    hub: Hub,
    north: Instance,
    south: Instance,
}

impl Bay {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let [north, south] =
            ["North", "South"].map(|name| Instance::found(folder.path(), name, "keeper"));
        north.ok(&["join", &hub.link(), "--yes"]);
        for title in ["Wheelbarrow", "Plum jelly"] {
            ask(&north, title);
        }
        north.ok(&["sync", "--yes"]);
        south.ok(&["join", &hub.link(), "--yes"]);
        Self {
            folder,
            hub,
            north,
            south,
        }
    }

    /// Another community that joins now.
    fn newcomer(&self, name: &str) -> Instance {
        let instance = Instance::found(self.folder.path(), name, "keeper");
        instance.ok(&["join", &self.hub.link(), "--yes"]);
        instance
    }

    /// The record of North with a title, as the hub's commands name it.
    fn record(&self, title: &str) -> String {
        let list = self.north.json(&["request", "list"]);
        let found = list.iter().find(|row| text(row, "title") == title);
        format!("{}/{}", self.north.id(), text(found.expect(title), "id"))
    }

    fn decide(&self, arguments: &[&str]) -> Value {
        self.hub
            .instance
            .json(&[&["hub"], arguments].concat())
            .remove(0)
    }
}

fn notices(instance: &Instance) -> Vec<Value> {
    instance.json(&["notice", "list", "--all"])
}

/// Words in a database, wherever in a file of it.
fn is_in_files(instance: &Instance, word: &str) -> bool {
    let files = ["wb.db", "wb.db-wal"].map(|name| std::fs::read(instance.file(name)));
    files
        .into_iter()
        .flatten()
        .any(|bytes| bytes.windows(word.len()).any(|at| at == word.as_bytes()))
}

/// Titles that the hub's public pages show.
fn on_pages(bay: &Bay, title: &str) -> bool {
    let mut browser = Browser::new(bay.hub.address());
    browser.open("/requests");
    assert_eq!(browser.status, 200);
    browser.page.contains(title)
}

#[test]
fn a_record_that_is_withheld_goes_to_nobody_until_that_is_undone() {
    let mut bay = Bay::new();
    assert_eq!(titles(&bay.south), ["Plum jelly", "Wheelbarrow"]);
    let record = bay.record("Wheelbarrow");
    let looked = bay.decide(&["withhold", &record, "--reason", "An address", "--dry-run"]);
    assert_eq!(
        (
            text(&looked, "act"),
            &looked["followers"],
            text(&looked, "name")
        ),
        ("withhold", &Value::from(1), "North")
    );
    assert!(bay.hub.instance.json(&["hub", "notices"]).is_empty());
    assert!(on_pages(&bay, "Wheelbarrow"));

    bay.decide(&["withhold", &record, "--reason", "An address"]);
    assert!(!on_pages(&bay, "Wheelbarrow") && on_pages(&bay, "Plum jelly"));
    // Whoever joins now gets everything else, with the notice, and holds nothing against the hub.
    let east = bay.newcomer("East");
    assert_eq!(titles(&east), ["Plum jelly"]);
    assert!(!is_in_files(&east, "Wheelbarrow"));
    east.ok(&["sync"]);
    let said = notices(&east);
    assert_eq!(said.len(), 1);
    assert_eq!(
        (text(&said[0], "act"), text(&said[0], "reason")),
        ("withhold", "An address")
    );
    // (It approved North by hand when it joined, so it is asked.)
    let inbox = east.json(&["inbox"]);
    let causes: Vec<&str> = inbox.iter().map(|item| text(item, "cause")).collect();
    assert_eq!(causes, ["notice_asks"]);
    let peers = east.json(&["peer", "list"]);
    assert!(
        peers.iter().all(|peer| text(peer, "cause") == "synced"),
        "{peers:?}"
    );
    let file = Connection::open(east.file("wb.db")).expect("a file");
    let doubts = file.query_row("SELECT count(*) FROM doubts", [], |row| row.get(0));
    assert_eq!(
        doubts,
        Ok(0),
        "what a hub says that it leaves out is no doubt"
    );
    assert!(east.json(&["review", "list"]).is_empty());

    // Kept after a restart, though the hub was killed.
    bay.hub.kill();
    bay.hub.back();
    assert!(!on_pages(&bay, "Wheelbarrow"));
    let late = bay.newcomer("Late");
    assert_eq!(titles(&late), ["Plum jelly"]);
    // North gives all of its feed again with another revision: that is withheld, too.
    let id = record.rsplit('/').next().expect("an id");
    bay.north
        .ok(&["request", "edit", id, "--description", "Wheelbarrow, green"]);
    bay.north.ok(&["sync", "--yes"]);
    late.ok(&["sync"]);
    assert_eq!(titles(&late), ["Plum jelly"]);
    assert!(!is_in_files(&late, "Wheelbarrow"));
    bay.hub.instance.ok(&["doctor"]);

    bay.decide(&["reinstate", &record, "--reason", "It was theirs"]);
    assert!(on_pages(&bay, "Wheelbarrow"));
    for instance in [&east, &late] {
        instance.ok(&["sync"]);
        assert_eq!(titles(instance), ["Plum jelly", "Wheelbarrow"]);
    }
    let log = bay.hub.instance.json(&["hub", "audit"]);
    let acts: Vec<&str> = log.iter().map(|line| text(line, "act")).collect();
    assert_eq!(acts, ["hub reinstate", "hub withhold"]);
    assert_eq!(text(&log[1], "target"), record);
    let mut browser = Browser::new(bay.hub.address());
    browser.open("/notices");
    for words in ["An address", "It was theirs", "outdone by a later one"] {
        assert!(browser.page.contains(words), "{words}: {}", browser.page);
    }
}

#[test]
fn what_was_withheld_and_is_taken_back_leaves_no_text_at_the_hub() {
    let bay = Bay::new();
    let record = bay.record("Wheelbarrow");
    bay.decide(&["withhold", &record, "--reason", "An address"]);
    let id = record.rsplit('/').next().expect("an id");
    bay.north
        .ok(&["record", "retract", id, "--reason", "erase", "--yes"]);
    bay.north.ok(&["sync", "--yes"]);
    let lines = bay.hub.number(
        "SELECT count(*) FROM withheld_lines",
        "SELECT count(*) FROM lines WHERE withheld IS NOT NULL",
    );
    assert_eq!(lines, 0);
    bay.hub.instance.ok(&["doctor"]);
}

#[test]
fn members_follow_ask_or_ignore_and_what_was_hidden_comes_back() {
    let bay = Bay::new();
    let record = bay.record("Wheelbarrow");
    // South approved North by hand when it joined, so it is asked.
    bay.decide(&["withhold", &record, "--reason", "An address"]);
    bay.south.ok(&["sync"]);
    assert_eq!(titles(&bay.south), ["Plum jelly", "Wheelbarrow"]);
    let asked = bay.south.json(&["inbox"]).remove(0);
    assert_eq!(text(&asked, "cause"), "notice_asks");
    assert!(text(&asked, "happened").contains("An address"));
    let view = notices(&bay.south).remove(0);
    assert_eq!(
        (text(&view, "follows"), &view["would_hide"]),
        ("waits", &Value::from(1))
    );

    bay.south.ok(&["notice", "hide", "1"]);
    assert_eq!(titles(&bay.south), ["Plum jelly"]);
    assert!(bay.south.json(&["inbox"]).is_empty());
    let shown = bay.south.ok(&["record", "show", &record]);
    assert!(shown.contains("withheld by Harbour: An address"), "{shown}");
    bay.south.ok(&["rebuild"]);
    assert_eq!(titles(&bay.south), ["Plum jelly"]);
    bay.south.ok(&["notice", "keep", "1"]);
    assert_eq!(titles(&bay.south), ["Plum jelly", "Wheelbarrow"]);
    bay.south.ok(&["notice", "undo", "1"]);
    bay.south.ok(&["notice", "heed", "Harbour", "follow"]);
    assert_eq!(titles(&bay.south), ["Plum jelly"]);
    bay.south.ok(&["notice", "heed", "Harbour", "ignore"]);
    assert_eq!(titles(&bay.south), ["Plum jelly", "Wheelbarrow"]);
    bay.south.ok(&["notice", "heed", "Harbour", "follow"]);

    bay.decide(&["reinstate", &record]);
    bay.south.ok(&["sync"]);
    assert_eq!(titles(&bay.south), ["Plum jelly", "Wheelbarrow"]);
}

#[test]
fn who_is_revoked_is_hidden_where_the_hub_alone_brought_it() {
    let bay = Bay::new();
    bay.south.ok(&["notice", "heed", "Harbour", "follow"]);
    // West has the same from a stick as well.
    let west = bay.newcomer("West");
    west.ok(&["notice", "heed", "Harbour", "follow"]);
    let stick = bay.folder.path().join("stick.wbb");
    let stick = stick.to_str().expect("a path");
    bay.north.ok(&["bundle", "export", stick]);
    west.ok(&["bundle", "import", stick, "--yes"]);

    let said = bay.decide(&["revoke", "North", "--reason", "Spam"]);
    assert_eq!(
        (&said["revoked"], text(&said, "standing")),
        (&Value::from(true), "suspended")
    );
    for instance in [&bay.south, &west] {
        instance.ok(&["sync"]);
    }
    assert!(titles(&bay.south).is_empty());
    assert_eq!(titles(&west), ["Plum jelly", "Wheelbarrow"]);
    let refused = bay.north.run(&["sync"]).ends(5);
    assert!(refused.stdout.contains("Spam"), "{}", refused.stdout);
    // Suspended instead, what was given before stays with whoever has it.
    bay.decide(&[
        "suspend",
        "North",
        "--reason",
        "A pause",
        "--until",
        "2099-01-01",
    ]);
    bay.south.ok(&["sync"]);
    assert_eq!(titles(&bay.south), ["Plum jelly", "Wheelbarrow"]);
    bay.decide(&["reinstate", "North"]);
    bay.north.ok(&["sync"]);
}

#[test]
fn who_is_suspended_is_told_why_and_may_reply_once() {
    let bay = Bay::new();
    bay.decide(&["suspend", "North", "--reason", "It floods the list"]);
    let told = bay.north.json(&["notice", "about", "Harbour"]).remove(0);
    assert_eq!(
        (text(&told, "reason"), &told["in_force"], &told["reply"]),
        ("It floods the list", &Value::from(true), &Value::Null)
    );
    let words = "It was <b>one</b> test.";
    let reply = |text: &str| {
        bay.north
            .run(&["notice", "reply", "Harbour", "--text", text])
    };
    reply(words).ends(0);
    // The same again changes nothing, and another is one too many.
    let again = reply("Another word");
    assert_ne!(again.code, Some(0), "{}", again.stdout);
    let listed = bay.decide(&["notices"]);
    assert_eq!(listed["replied"], Value::from(true));
    let mut browser = Browser::new(bay.hub.address());
    browser.open("/notices");
    assert!(
        browser
            .page
            .contains("It was &#60;b&#62;one&#60;/b&#62; test."),
        "{}",
        browser.page
    );
    assert!(!browser.page.contains("Another word"));
    // Nobody replies to what is said about somebody else.
    let other = bay
        .south
        .run(&["notice", "reply", "Harbour", "--text", "x"]);
    assert_ne!(other.code, Some(0));
}

#[test]
fn who_is_delisted_is_served_to_whoever_named_it() {
    let bay = Bay::new();
    bay.south.ok(&["follow", &bay.north.id()]);
    bay.south.ok(&["sync"]);
    let listed = bay.decide(&["delist", "North", "--reason", "Off topic"]);
    assert_eq!(
        (&listed["listed"], &listed["delisted"]),
        (&Value::from(false), &Value::from(true))
    );
    assert!(!on_pages(&bay, "Wheelbarrow"));
    let east = bay.newcomer("East");
    assert!(titles(&east).is_empty());
    ask(&bay.north, "Quince jelly");
    // Registering again does not list it.
    bay.north.ok(&["hub", "register", &bay.hub.link(), "--yes"]);
    assert!(!on_pages(&bay, "Wheelbarrow"));
    bay.north.ok(&["sync", "--yes"]);
    bay.south.ok(&["sync"]);
    assert!(titles(&bay.south).contains(&"Quince jelly".to_owned()));
    bay.decide(&["reinstate", "North"]);
    assert!(on_pages(&bay, "Quince jelly"));
    east.ok(&["sync"]);
    // Who appears later under `*` waits for a look, with everything it shares.
    east.ok(&["review", "accept", &bay.north.id()]);
    assert_eq!(titles(&east).len(), 3);
}

#[test]
fn nothing_is_undone_that_was_not_decided_and_nothing_said_without_a_reason() {
    let bay = Bay::new();
    let record = bay.record("Wheelbarrow");
    for (arguments, says) in [
        (&["reinstate", "North"][..], "nothing was decided"),
        (&["reinstate", &record], "nothing was decided"),
        (&["suspend", "North", "--reason", " "], "a reason is needed"),
        (
            &[
                "withhold",
                &record,
                "--reason",
                "x",
                "--until",
                "2001-01-01",
            ],
            "not in the future",
        ),
    ] {
        let run = bay
            .hub
            .instance
            .run(&[&["hub"], arguments].concat())
            .ends(2);
        assert!(run.stderr.contains(says), "{arguments:?}: {}", run.stderr);
    }
    assert!(bay.hub.instance.json(&["hub", "notices"]).is_empty());
}
