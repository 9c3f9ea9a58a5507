//! Bundles that a hub makes, by the real program: all that it lists, what somebody lacks, and what it serves nobody.

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};

#[test]
fn a_hub_writes_what_it_relays_into_a_file_and_only_that() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let named = |name: &str| Instance::found(folder.path(), name, "keeper");
    let (north, south, east) = (named("North"), named("South"), named("East"));
    for instance in [&north, &south, &east] {
        instance.ok(&["join", &hub.link(), "--yes"]);
        ask(
            instance,
            &format!("From {}", instance.json(&["status"])[0]["name"]),
        );
        instance.ok(&["sync"]);
    }
    // Somebody who never had a network.
    let west = named("West");
    let file = folder.path().join("hub.wbb");
    let path = file.to_str().expect("UTF-8");
    let made = hub
        .instance
        .json(&["hub", "bundle", path, "--zstd"])
        .remove(0);
    assert_eq!(made["feeds"].as_array().map(Vec::len), Some(3), "{made}");
    west.ok(&["bundle", "verify", path]);
    west.ok(&["bundle", "import", path, "--yes"]);
    assert_eq!(titles(&west).len(), 3);

    // It says what it has: only what is new comes, as deltas. South is suspended, and nothing of it is given.
    ask(&north, "A ladder");
    north.ok(&["sync"]);
    ask(&south, "A drill");
    south.ok(&["sync"]);
    hub.instance
        .ok(&["hub", "suspend", "South", "--reason", "tried out", "--yes"]);
    let want = folder.path().join("west.want");
    let want = want.to_str().expect("UTF-8");
    west.ok(&["bundle", "want", want]);
    let made = hub
        .instance
        .json(&["hub", "bundle", path, "--want", want])
        .remove(0);
    let feeds = made["feeds"].as_array().expect("feeds");
    assert_eq!(feeds.len(), 1, "{made}");
    assert_eq!(text(&feeds[0], "origin"), north.id());
    assert_eq!(text(&feeds[0], "form"), "deltas");
    west.ok(&["bundle", "import", path, "--yes"]);
    assert!(titles(&west).contains(&"A ladder".to_owned()));
    assert!(!titles(&west).contains(&"A drill".to_owned()));

    // Neither by name.
    let of_south = ["hub", "bundle", path, "--want", want, "--of", "South"];
    let made = hub.instance.json(&of_south).remove(0);
    assert_eq!(made["feeds"].as_array().map(Vec::len), Some(0), "{made}");

    // Nothing is lacking; and one feed alone, by name.
    west.ok(&["bundle", "want", want]);
    let made = hub
        .instance
        .json(&["hub", "bundle", path, "--want", want])
        .remove(0);
    assert_eq!(made["feeds"].as_array().map(Vec::len), Some(0), "{made}");
    let made = hub
        .instance
        .json(&["hub", "bundle", path, "--of", "East"])
        .remove(0);
    assert_eq!(text(&made["feeds"][0], "origin"), east.id());
    hub.instance
        .run(&["hub", "bundle", path, "--of", "Nobody"])
        .ends(2);
    for instance in [&west, &hub.instance] {
        instance.ok(&["doctor"]);
    }
}
