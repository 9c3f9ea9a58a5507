//! A node that asks for some kinds only: the rest comes as entries, is counted as not asked for, and is
//! filled in once it is wanted, without a snapshot or an older cursor.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, Run, run, text};
use crate::support::wire::recorder::Recorder;

struct World {
    _folder: TempDir,
    hub: Hub,
    north: Instance,
    south: Instance,
}

impl World {
    /// North has a request with a comment at a hub; South is founded and knows nobody.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let found = |name| Instance::found(folder.path(), name, "keeper");
        let (north, south) = (found("North"), found("South"));
        north.ok(&["join", &hub.link(), "--yes"]);
        let world = Self {
            _folder: folder,
            hub,
            north,
            south,
        };
        let soup = ask(&world.north, "Soup");
        world.say(&soup, "I bring bread.");
        world
    }

    /// North comments in the open, and syncs.
    fn say(&self, request: &str, words: &str) {
        let said = [
            "comment", "add", request, "--body", words, "--scope", "public",
        ];
        self.north.ok(&said);
        self.north.ok(&["sync"]);
    }

    /// Runs a command of South, which asks for these kinds.
    fn south(&self, kinds: &str, arguments: &[&str]) -> Run {
        run(self.south.command(arguments).env("WB_SYNC_KINDS", kinds)).ends(0)
    }

    fn comments(&self) -> usize {
        self.south
            .json(&["record", "list", "--kind", "comment"])
            .len()
    }

    fn status(&self, kinds: &str) -> Value {
        self.south(kinds, &["--json", "status"]).json().remove(0)
    }
}

#[test]
fn what_was_not_asked_for_is_counted_and_comes_when_it_is() {
    let world = World::new();
    let recorder = Recorder::before(world.hub.port());
    let few = "request";
    world.south(few, &["join", &world.hub.link_by(recorder.port()), "--yes"]);
    world.south(few, &["sync"]);
    assert_eq!(
        (titles(&world.south), world.comments()),
        (vec!["Soup".to_owned()], 0)
    );
    assert_eq!(world.status(few)["not_asked_for"], 1);

    // By snapshot one was left out; a delta leaves the next one out.
    let chairs = ask(&world.north, "Chairs");
    world.say(&chairs, "I have six.");
    world.south(few, &["sync"]);
    assert_eq!((titles(&world.south).len(), world.comments()), (2, 0));
    let status = world.status(few);
    assert_eq!(
        (&status["not_asked_for"], &status["lines_missing"]),
        (&2.into(), &0.into())
    );
    let words = world.south(few, &["status"]).stdout;
    assert!(words.contains("2 records were not asked for"), "{words}");
    world.south(few, &["doctor"]);
    let calls = snapshots(&recorder);
    assert!(calls > 0);

    world.south("all", &["sync"]);
    assert_eq!(world.comments(), 2);
    let status = world.status("all");
    assert_eq!(
        (&status["not_asked_for"], &status["lines_missing"]),
        (&0.into(), &0.into())
    );
    assert_eq!(snapshots(&recorder), calls, "no snapshot was taken again");
    let peer = world.south.json(&["peer", "list"]).remove(0);
    assert_eq!(text(&peer, "cause"), "synced");
    world.south("all", &["doctor"]);
}

/// How many pages of snapshots were asked for.
fn snapshots(recorder: &Recorder) -> usize {
    let connections = recorder.connections();
    let asked = connections
        .iter()
        .map(|c| String::from_utf8_lossy(&c.asked).into_owned());
    asked.map(|asked| asked.matches("/snapshot/").count()).sum()
}

#[test]
fn a_setting_that_is_no_list_of_kinds_is_named() {
    let world = World::new();
    let wrong = run(world
        .south
        .command(&["sync"])
        .env("WB_SYNC_KINDS", "Request!"))
    .ends(2);
    assert!(wrong.stderr.contains("WB_SYNC_KINDS"), "{}", wrong.stderr);
}
