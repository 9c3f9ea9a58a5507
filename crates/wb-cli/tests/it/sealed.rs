//! What is shared with trusted peers only, by the real programs: everything that passed the network with all codings
//! undone, every file of the hub, and every file of who is not in the audience.
//!
//! The judge knows nothing of the program's rules: it looks for words in bytes.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::Value;

use crate::canary::needles::{Needle, Searcher};
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};
use crate::support::wire::recorder::Recorder;

const CANARY: &str = "Heron-lantern over the quiet boathouse";
const LATER: &str = "Kingfisher-drum behind the mill";
const PUBLIC: &str = "Ladders for the whole valley";

/// North, South and East, members of a hub before which everything is recorded.
pub struct World {
    _folder: tempfile::TempDir,
    pub hub: Hub,
    recorder: Recorder,
    pub north: Instance,
    pub south: Instance,
    pub east: Instance,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let recorder = Recorder::before(hub.port());
        let [north, south, east] =
            ["North", "South", "East"].map(|name| Instance::found(folder.path(), name, "keeper"));
        let world = Self {
            _folder: folder,
            hub,
            recorder,
            north,
            south,
            east,
        };
        let link = world.hub.link_by(world.recorder.port());
        for one in world.everybody() {
            one.ok(&["join", &link, "--yes"]);
            one.ok(&["sync"]);
        }
        for one in world.everybody() {
            for other in world.everybody() {
                if one.id() != other.id() {
                    one.ok(&["follow", &other.id()]);
                }
            }
            one.ok(&["sync"]);
        }
        world
    }

    fn everybody(&self) -> [&Instance; 3] {
        [&self.north, &self.south, &self.east]
    }

    /// Everything that passed, with all layers undone, and what was in base64 in it.
    pub fn traffic(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for connection in self.recorder.connections() {
            for (_, bytes) in connection.layers() {
                let bodies: Vec<Vec<u8>> = bytes
                    .split(|byte| *byte == b'"')
                    .filter(|part| part.len() > 64)
                    .filter_map(|part| BASE64.decode(part).ok())
                    .collect();
                all.push(bytes);
                all.extend(bodies);
            }
        }
        all
    }
}

fn files(folder: &Path, all: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.push(std::fs::read(&path).expect("a file"));
        }
    }
}

pub fn files_of(instance: &Instance) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    files(&instance.home, &mut all);
    all
}

pub fn is_in(words: &str, places: &[Vec<u8>]) -> bool {
    let needle = Needle::text("words", words);
    let searcher = Searcher::new([&needle]);
    places.iter().any(|bytes| !searcher.find(bytes).is_empty())
}

pub fn ask_trusted(instance: &Instance, title: &str) {
    let words = ["--title", title, "--description", "For Saturday."];
    let scope = ["--scope", "trusted_peers"];
    instance.ok(&[&["request", "add"], &words[..], &scope].concat());
}

fn state(instance: &Instance) -> Value {
    instance.json(&["peer", "trust"]).remove(0)
}

#[test]
fn a_canary_of_a_trusted_record_is_found_nowhere_outside_its_audience() {
    let world = World::new();
    let (north, south, east) = (&world.north, &world.south, &world.east);
    ask(north, PUBLIC);
    ask_trusted(north, CANARY);
    assert!(north.ok(&["peer", "trust"]).is_empty(), "nobody is trusted");
    // Nobody is asked where there is no terminal.
    let asked = north.run(&["peer", "trust", "South"]).ends(3);
    assert!(
        asked
            .stderr
            .contains("1 earlier record becomes visible there"),
        "{}",
        asked.stderr
    );
    let trusted = north.json(&["peer", "trust", "South", "--yes"]).remove(0);
    assert_eq!(trusted["records"], 1);
    let synced = north.json(&["sync"]).remove(0);
    assert_eq!(synced["envelopes"]["given"], 1);
    east.ok(&["sync"]);
    let taken = south.json(&["sync"]).remove(0);
    assert_eq!(taken["envelopes"]["taken"], 1);
    assert_eq!(titles(south), [CANARY, PUBLIC]);
    assert_eq!(titles(east), [PUBLIC]);
    north.ok(&["sync"]);
    assert_eq!(text(&state(north), "state"), "has_all");

    let carried = world.traffic();
    for places in [&carried, &files_of(&world.hub.instance), &files_of(east)] {
        assert!(is_in(PUBLIC, places), "the search finds what is there");
        assert!(!is_in(CANARY, places), "it is for North and South alone");
    }
    for instance in [north, south] {
        assert!(is_in(CANARY, &files_of(instance)));
    }

    // Who is removed keeps nothing, and reads nothing of what comes later.
    let untrusted = north.json(&["peer", "untrust", "South", "--yes"]).remove(0);
    assert_eq!(untrusted["asks"], true);
    ask_trusted(north, LATER);
    north.ok(&["peer", "trust", "East", "--yes"]);
    for one in [north, south, east] {
        one.ok(&["sync"]);
    }
    assert_eq!(titles(south), [PUBLIC]);
    assert_eq!(titles(east), [CANARY, LATER, PUBLIC]);
    let (at_hub, at_south) = (files_of(&world.hub.instance), files_of(south));
    for words in [CANARY, LATER] {
        for places in [&world.traffic(), &at_hub, &at_south] {
            assert!(!is_in(words, places), "{words}");
        }
    }
    for one in [north, south, east] {
        one.ok(&["doctor"]);
    }
}
