//! Programs that are a protocol apart, as real processes over real sockets and with bundles, each with each:
//! the newest common protocol is used; where there is none the words name who upgrades to what, nothing is
//! lost, and after the upgrade everything goes on.
//!
//! This program speaks protocol 1. The one under test here is built with `next-schema` and speaks 1 and 2;
//! `WB_OLDER` names a build without it, `WB_LATER` one that has dropped protocol 1 (`next-protocol`).
//! `scripts/test next-schema` makes all three.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::next_schema::{older, write_what_is_new};
use crate::support::database::{dump_home, live_lines};
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, Run, WB, text};
use crate::support::wire::recorder::Recorder;

/// A build, with the protocols it speaks.
#[derive(Clone)]
struct Build {
    name: &'static str,
    program: PathBuf,
    speaks: (u32, u32),
}

impl Build {
    fn newest_common(&self, other: &Self) -> Option<u32> {
        let newest = self.speaks.1.min(other.speaks.1);
        (newest >= self.speaks.0.max(other.speaks.0)).then_some(newest)
    }
}

fn builds() -> [Build; 3] {
    let later = std::env::var_os("WB_LATER");
    let later = later
        .expect("WB_LATER names a wb with the feature next-protocol; see scripts/test next-schema");
    [
        ("This", older(), (1, 1)),
        ("Next", WB.into(), (1, 2)),
        ("Later", later.into(), (2, 2)),
    ]
    .map(|(name, program, speaks)| Build {
        name,
        program,
        speaks,
    })
}

/// The protocols in which calls passed, in order, each run of equal ones once.
fn called_in(recorder: &Recorder) -> Vec<u32> {
    let mut called = Vec::new();
    for connection in recorder.connections() {
        let asked = String::from_utf8_lossy(&connection.asked).into_owned();
        let parts = asked.split(" /sync/v").skip(1);
        called.extend(parts.map(|part| {
            let number: String = part.chars().take_while(char::is_ascii_digit).collect();
            number.parse::<u32>().expect("a number")
        }));
    }
    called.dedup();
    called
}

/// The words for who is too old: the other side by its name, or this program.
#[track_caller]
fn names_who_upgrades(run: &Run, reader: &Build, other: &Build, name: &str) {
    let words = if reader.speaks.1 < other.speaks.1 {
        format!(
            "upgrade this program to one that speaks protocol {}",
            other.speaks.0
        )
    } else {
        format!(
            "{name} has to be upgraded to a program that speaks protocol {}",
            reader.speaks.0
        )
    };
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(
        said.contains(&words),
        "{} reads {}: {said}",
        reader.name,
        other.name
    );
}

#[test]
fn every_pair_of_node_and_hub_speaks_the_newest_protocol_that_both_know() {
    let folder = tempfile::tempdir().unwrap();
    let (mut agreed, mut parted) = (0, 0);
    for of_hub in builds() {
        let name = format!("Hub{}", of_hub.name);
        let hub = Hub::start_by(folder.path(), &name, "open", &of_hub.program);
        for of_node in builds() {
            let recorder = Recorder::before(hub.port());
            let name = format!("{}At{}", of_node.name, of_hub.name);
            let node = Instance::found_by(folder.path(), &name, "keeper", &of_node.program);
            ask(&node, "Soup");
            let before = dump_home(&node.home);
            let joined = node.run(&["join", &hub.link_by(recorder.port()), "--yes"]);
            let Some(common) = of_node.newest_common(&of_hub) else {
                let joined = joined.ends(7);
                names_who_upgrades(&joined, &of_node, &of_hub, &format!("Hub{}", of_hub.name));
                assert!(
                    dump_home(&node.home) == before,
                    "something changed: {joined:?}"
                );
                parted += 1;
                continue;
            };
            joined.ends(0);
            node.ok(&["sync"]);
            let called = called_in(&recorder);
            let begun = of_node.speaks.1;
            let tried: BTreeSet<u32> = [begun, common].into();
            assert_eq!(
                called.iter().copied().collect::<BTreeSet<u32>>(),
                tried,
                "{called:?}"
            );
            assert_eq!(called.last(), Some(&common));
            let listed = node.json(&["peer", "list"]).remove(0);
            assert_eq!(text(&listed, "cause"), "synced");
            agreed += 1;
        }
        // Whatever each speaks, they read each other's records.
        let listed = hub.instance.json(&["hub", "list"]);
        assert_eq!(
            listed.len(),
            builds()
                .iter()
                .filter(|build| build.newest_common(&of_hub).is_some())
                .count()
        );
    }
    assert_eq!((agreed, parted), (7, 2));
}

/// A hub and a node of this version, synced, before one of them is upgraded beyond the other.
struct Apart {
    _folder: tempfile::TempDir,
    hub: Hub,
    north: Instance,
    south: Instance,
}

impl Apart {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start_by(folder.path(), "Harbour", "open", &older());
        let found = |name| Instance::found_by(folder.path(), name, "keeper", &older());
        let (north, south) = (found("North"), found("South"));
        for node in [&north, &south] {
            node.ok(&["join", &hub.link(), "--yes"]);
        }
        north.ok(&["follow", &south.id()]);
        south.ok(&["follow", &north.id()]);
        ask(&north, "Soup");
        north.ok(&["sync"]);
        Self {
            _folder: folder,
            hub,
            north,
            south,
        }
    }

    /// Runs the hub with another build, on the port where it is known.
    fn hub_runs(&mut self, program: &Path) {
        let port = self.hub.port();
        self.hub.kill();
        self.hub.instance.program = program.to_owned();
        self.hub.again_at(port);
    }
}

#[test]
fn a_hub_that_is_upgraded_too_far_is_told_in_one_sentence_and_nothing_is_lost() {
    let mut apart = Apart::new();
    let [this, next, later] = builds();
    apart.hub_runs(&later.program);
    ask(&apart.south, "Chairs");
    let synced = apart.south.run(&["sync"]).ends(7);
    names_who_upgrades(&synced, &this, &later, "Harbour");
    let listed = apart.south.json(&["peer", "list"]).remove(0);
    assert_eq!(
        (text(&listed, "phase"), text(&listed, "cause")),
        ("blocked", "version_skew")
    );
    let sentence = "upgrade this program to one that speaks protocol 2: Harbour speaks 2";
    assert!(text(&listed, "sentence").starts_with(sentence), "{listed}");
    assert_eq!(titles(&apart.south), ["Chairs"]);
    apart.south.ok(&["doctor"]);

    // The node is upgraded: what waited goes out, what it missed comes.
    apart.south.program = next.program;
    apart.south.ok(&["sync"]);
    assert_eq!(titles(&apart.south), ["Chairs", "Soup"]);
    apart.north.program = later.program;
    apart.north.ok(&["sync"]);
    assert_eq!(titles(&apart.north), ["Chairs", "Soup"]);
}

#[test]
fn a_node_that_is_upgraded_too_far_waits_for_its_hub() {
    let mut apart = Apart::new();
    let [this, next, later] = builds();
    apart.south.program.clone_from(&later.program);
    ask(&apart.south, "Chairs");
    let synced = apart.south.run(&["sync"]).ends(7);
    names_who_upgrades(&synced, &later, &this, "Harbour");
    let listed = apart.south.json(&["peer", "list"]).remove(0);
    let sentence = "Harbour has to be upgraded to a program that speaks protocol 2";
    assert!(text(&listed, "sentence").starts_with(sentence), "{listed}");
    apart.south.ok(&["doctor"]);

    // A hub that speaks both serves the old node and the new one.
    apart.hub_runs(&next.program);
    apart.south.ok(&["sync"]);
    apart.north.ok(&["sync"]);
    for node in [&apart.north, &apart.south] {
        assert_eq!(titles(node), ["Chairs", "Soup"]);
    }
}

#[test]
fn a_bundle_is_read_by_who_speaks_its_protocol_and_refused_by_others_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let found =
        |build: &Build| Instance::found_by(folder.path(), build.name, "keeper", &build.program);
    let communities = builds().map(|build| (found(&build), build));
    for (node, build) in &communities {
        ask(node, build.name);
        node.ok(&["bundle", "export", &format!("{}.wbb", build.name)]);
        node.ok(&["bundle", "want", &format!("{}.want", build.name)]);
    }
    let mut refused = 0;
    for (maker, of_maker) in &communities {
        for (reader, of_reader) in &communities {
            if of_maker.name == of_reader.name {
                continue;
            }
            let (bundle, want) = (
                format!("{}.wbb", of_maker.name),
                format!("{}.want", of_reader.name),
            );
            let before = dump_home(&reader.home);
            let import = reader.run(&["bundle", "import", &bundle, "--yes"]);
            let answer = maker.run(&["bundle", "export", "answer.wbb", "--want", &want]);
            if of_maker.newest_common(of_reader).is_some() {
                import.ends(0);
                answer.ends(0);
                assert!(titles(reader).contains(&of_maker.name.to_owned()));
                continue;
            }
            names_who_upgrades(&import.ends(7), of_reader, of_maker, "the bundle's maker");
            names_who_upgrades(
                &answer.ends(7),
                of_maker,
                of_reader,
                "the author of the want file",
            );
            let partial = reader.run(&["bundle", "import", &bundle, "--partial", "--yes"]);
            names_who_upgrades(&partial.ends(7), of_reader, of_maker, "the bundle's maker");
            assert!(dump_home(&reader.home) == before, "{}", of_reader.name);
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
}

#[test]
fn a_kind_of_the_next_version_goes_through_an_older_hub_and_node_and_is_shown_after_an_upgrade() {
    let mut apart = Apart::new();
    let [_, next, _] = builds();
    apart.north.program.clone_from(&next.program);
    let request = ask(&apart.north, "Paint");
    let skill = write_what_is_new(&apart.north, &request);
    apart.north.ok(&["sync"]);
    let id = apart.north.id();
    let sent = live_lines(&apart.north.home, &id);
    apart.south.ok(&["sync"]);
    assert_eq!(live_lines(&apart.south.home, &id), sent);
    let said = "needs a newer version of this program; they are kept and shown after an upgrade";
    assert!(apart.south.ok(&["status"]).contains(said));

    apart.hub.kill();
    apart.south.program = next.program;
    apart.south.ok(&["rebuild"]);
    let shown = apart.south.json(&["record", "list", "--kind", "skill"]);
    assert_eq!(
        shown.iter().map(|row| text(row, "id")).collect::<Vec<_>>(),
        [skill]
    );
    assert_eq!(live_lines(&apart.south.home, &id), sent);
}
