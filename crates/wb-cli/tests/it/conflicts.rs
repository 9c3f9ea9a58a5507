//! Where a request stands between two communities and a hub, by the real programs: a word that counts, words that
//! cross, one that settles, and a claim.

use serde_json::Value;

use crate::support::hub::Hub;
use crate::support::instance::{Instance, text};

struct Two {
    _folder: tempfile::TempDir,
    _hub: Hub,
    north: Instance,
    south: Instance,
    /// The request of North, as South names it.
    request: String,
}

impl Two {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let north = Instance::found(folder.path(), "North", "alice");
        let south = Instance::found(folder.path(), "South", "bob");
        let ask = ["--title", "A ladder", "--description", "for a day"];
        let ask = [&["request", "add"], &ask[..], &["--scope", "public"]].concat();
        let id = north.ok(&ask);
        for one in [&north, &south] {
            one.ok(&["join", &hub.link(), "--yes"]);
        }
        for _ in 0..2 {
            for one in [&north, &south] {
                one.ok(&["sync"]);
            }
        }
        north.ok(&["follow", &south.id()]);
        south.ok(&["follow", &north.id()]);
        let request = format!("{}/{id}", north.id());
        let two = Self {
            _folder: folder,
            _hub: hub,
            north,
            south,
            request,
        };
        two.sync();
        two
    }

    fn sync(&self) {
        for one in [&self.north, &self.south, &self.north, &self.south] {
            one.ok(&["sync"]);
        }
    }

    fn both(&self) -> [&Instance; 2] {
        [&self.north, &self.south]
    }

    fn show(&self, at: &Instance) -> Value {
        at.json(&["request", "show", &self.request]).remove(0)
    }
}

#[test]
fn words_that_cross_are_shown_alike_on_both_sides_and_one_settle_ends_it_on_both() {
    let two = Two::new();
    let (north, south, request) = (&two.north, &two.south, two.request.as_str());
    north.ok(&["request", "helper", request, "South"]);
    two.sync();
    // South helps and says so; North, which has not heard that, says twice what South has not heard.
    north.ok(&["request", "complete", request]);
    north.ok(&["request", "reopen", request, "--note", "the wrong ladder"]);
    let said = south.run(&["request", "complete", request, "--note", "at noon"]);
    let said = said.ends(0);
    assert!(said.stderr.contains("its word counts"), "{said:?}");
    two.sync();
    let contests: Vec<Value> = two
        .both()
        .map(|one| {
            let shown = two.show(one);
            assert_eq!(shown["contested"], true, "{shown}");
            assert_eq!(shown["status"], "open", "{shown}");
            assert_eq!(one.json(&["conflict", "list"]).len(), 1);
            let page = one.run(&["conflict", "show", request]).ends(5).stdout;
            for words in [
                "North, where it was asked, says open.",
                "South, which helps here, says completed, and had not heard what North said last.",
                "the wrong ladder",
                "at noon",
            ] {
                assert!(page.contains(words), "{words}: {page}");
            }
            shown["contest"].clone()
        })
        .to_vec();
    assert_eq!(contests[0], contests[1], "the same words on both sides");
    let status = north.ok(&["status"]);
    assert!(status.contains("contested  1 request"), "{status}");
    // Nobody else settles it.
    let settle = ["conflict", "settle", request, "--to", "completed"];
    south.run(&settle).ends(1);
    let settled = north.json(&settle).remove(0);
    assert_eq!(text(&settled, "status"), "completed");
    two.sync();
    for one in two.both() {
        let shown = two.show(one);
        assert_eq!(
            (&shown["status"], &shown["contested"]),
            (&"completed".into(), &false.into())
        );
        one.run(&["conflict", "show", request]).ends(0);
        assert!(one.json(&["conflict", "list"]).is_empty());
    }
    north.run(&settle).ends(1);
}

#[test]
fn a_claim_is_said_only_when_that_is_agreed_to_and_changes_nothing() {
    let two = Two::new();
    let (north, south, request) = (&two.north, &two.south, two.request.as_str());
    let refused = south.run(&["request", "complete", request]).ends(3);
    assert!(refused.stderr.contains("this is a claim"), "{refused:?}");
    assert!(two.show(south).get("said").is_none());
    south.ok(&["--yes", "request", "complete", request]);
    two.sync();
    let shown = two.show(north);
    assert_eq!(
        (&shown["status"], &shown["contested"]),
        (&"open".into(), &false.into())
    );
    let claim = &shown["said"][0];
    assert_eq!(
        (text(claim, "voice"), text(claim, "to")),
        ("claim", "completed")
    );
    let page = north.ok(&["request", "show", request]);
    assert!(page.contains("That is a claim"), "{page}");
    // Only home cancels.
    south.run(&["--yes", "request", "cancel", request]).ends(1);
    north.ok(&["request", "cancel", request]);
    two.sync();
    assert_eq!(text(&two.show(south), "status"), "cancelled");
}
