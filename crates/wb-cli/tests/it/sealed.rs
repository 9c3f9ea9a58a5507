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
use crate::support::several;
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
    all.extend(several::rows_of(instance));
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
    let preview = north.ok(&["sync", "--dry-run"]);
    let who = "visible to all followers; trusted_peers only to those that `wb peer trust` lists";
    assert!(preview.contains(who), "{preview}");
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

/// North, South and East, who know each other by files only.
fn by_files(folder: &Path) -> [Instance; 3] {
    let all = ["North", "South", "East"].map(|name| Instance::found(folder, name, "keeper"));
    for one in &all {
        let file = format!("{}.wbb", one.id());
        one.ok(&["bundle", "export", &file]);
        for other in all.iter().filter(|other| other.id() != one.id()) {
            other.ok(&["--yes", "bundle", "import", &file]);
        }
    }
    all
}

fn envelopes(view: &Value) -> Vec<(String, usize)> {
    let listed = view["envelopes"]["envelopes"].as_array();
    listed
        .into_iter()
        .flatten()
        .map(|one| {
            let recipients = one["recipients"].as_array().map_or(0, Vec::len);
            (text(one, "came_of").to_owned(), recipients)
        })
        .collect()
}

#[test]
fn what_is_for_trusted_peers_goes_on_a_stick_and_opens_for_whom_it_was_sealed_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let [north, south, east] = &by_files(folder.path());
    ask(north, PUBLIC);
    ask_trusted(north, CANARY);
    let (bundle, sealed) = ("trip.wbb", folder.path().join("trip.wbs"));
    // Nobody gets an envelope who was not chosen, and nothing is written then.
    let export = [
        "bundle", "export", bundle, "--for", "South", "--for", "East",
    ];
    let refused = north.run(&export).ends(1);
    assert!(
        refused.stderr.contains("is not in the trusted audience"),
        "{}",
        refused.stderr
    );
    assert!(!folder.path().join(bundle).exists() && !sealed.exists());
    north.ok(&["peer", "trust", "South", "--yes"]);
    north.run(&export).ends(1);
    assert!(!folder.path().join(bundle).exists() && !sealed.exists());
    let written = north.json(&export[..5]).remove(0);
    assert_eq!(written["sealed_for"][0]["envelopes"], 1, "{written}");
    let carried = [
        std::fs::read(&sealed).expect("the envelopes"),
        std::fs::read(folder.path().join(bundle)).expect("the bundle"),
    ];
    assert!(is_in(PUBLIC, &carried) && !is_in(CANARY, &carried));

    // Looking says who can open it, and changes nothing; who is not named leaves it as it is.
    let looked = south
        .json(&["bundle", "import", bundle, "--dry-run"])
        .remove(0);
    assert_eq!(envelopes(&looked), [("ours".to_owned(), 1)]);
    assert!(titles(south).is_empty());
    let verified = east.run(&["bundle", "verify", bundle]).ends(0);
    assert!(
        verified.stdout.contains("can be opened by"),
        "{}",
        verified.stdout
    );
    let left = east.json(&["bundle", "import", bundle]).remove(0);
    assert_eq!(envelopes(&left), [("foreign".to_owned(), 1)]);
    assert_eq!(titles(east), [PUBLIC]);
    assert!(!is_in(CANARY, &files_of(east)));
    let taken = south.json(&["bundle", "import", bundle]).remove(0);
    assert_eq!(envelopes(&taken), [("taken".to_owned(), 1)]);
    assert_eq!(titles(south), [CANARY, PUBLIC]);
    let again = south.json(&["bundle", "import", "trip.wbs"]).remove(0);
    assert_eq!(envelopes(&again), [("known".to_owned(), 1)]);

    // What it has goes back in the same way, although North is in no audience of South.
    south.ok(&["bundle", "export", "back.wbb", "--for", "North"]);
    let back = north.json(&["bundle", "import", "back.wbb"]).remove(0);
    assert_eq!(envelopes(&back), [("taken".to_owned(), 1)]);
    assert_eq!(text(&state(north), "state"), "has_all");
    north.ok(&export[..5]);
    assert!(!sealed.exists(), "who has everything is sealed nothing");

    // A line that was damaged on the way costs itself, and one that was changed is refused.
    ask_trusted(north, LATER);
    north.ok(&export[..5]);
    let whole = std::fs::read_to_string(&sealed).expect("the envelopes");
    let changed = whole.replacen("\"body\":\"YWdl", "\"body\":\"YWdm", 1);
    assert_ne!(changed, whole);
    std::fs::write(&sealed, format!("no envelope\n{changed}")).expect("it is written");
    let refused = south
        .run(&["--json", "bundle", "import", "trip.wbs"])
        .ends(4);
    let refused: Value = serde_json::from_str(&refused.stdout).expect("JSON");
    assert_eq!(refused["envelopes"]["damaged"], 1);
    assert_eq!(envelopes(&refused), [("refused".to_owned(), 1)]);
    assert_eq!(titles(south), [CANARY, PUBLIC]);
    for one in [north, south, east] {
        one.ok(&["doctor"]);
    }
}

#[test]
fn who_was_removed_gets_by_a_stick_what_takes_everything_back_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let [north, south, _] = &by_files(folder.path());
    ask_trusted(north, CANARY);
    north.ok(&["peer", "trust", "South", "--yes"]);
    north.ok(&["peer", "trust", "East", "--yes"]);
    let export = ["bundle", "export", "trip.wbb", "--for", "South"];
    north.ok(&export);
    south.ok(&["bundle", "import", "trip.wbb"]);
    assert_eq!(titles(south), [CANARY]);
    let untrusted = north.json(&["peer", "untrust", "South", "--yes"]).remove(0);
    assert_eq!(untrusted["asks"], true);
    ask_trusted(north, LATER);
    let written = north.json(&export).remove(0);
    assert_eq!(written["sealed_for"][0]["envelopes"], 1, "{written}");
    south.ok(&["bundle", "import", "trip.wbb"]);
    assert!(titles(south).is_empty(), "{:?}", titles(south));
    for words in [CANARY, LATER] {
        assert!(!is_in(words, &files_of(south)), "{words}");
    }
    south.ok(&["bundle", "export", "back.wbb", "--for", "North"]);
    north.ok(&["bundle", "import", "back.wbb"]);
    let trusted = north.json(&["peer", "trust"]);
    let names: Vec<&str> = trusted.iter().map(|row| text(row, "name")).collect();
    assert_eq!(names, ["East"]);
}
