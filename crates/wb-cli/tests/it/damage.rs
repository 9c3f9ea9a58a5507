//! Damaged bundles: whatever happened to the bytes, nothing of them is imported, and the error names
//! the stage and the line.
//!
//! Real bundles, as a snapshot, as deltas and compressed, are damaged at random places. Every byte of a
//! bundle counts, so each damage has to be found, except the few that change nothing of what the file
//! says; this file tells these by unpacking and comparing, with no help of the program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::chance::Chance;
use crate::support::database::{LiveLine, dump_home, live_lines};
use crate::support::instance::{Instance, Run, WB, run, text, wb};

/// Damages tried on each form of bundle.
const DAMAGES: usize = 100;

/// A sender and a receiver that took one bundle already, and two bundles with what came since.
struct Pair {
    folder: TempDir,
    south: Instance,
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let north = Instance::found(folder.path(), "North", "keeper");
        let south = Instance::found(folder.path(), "South", "ash");
        let mut ids = Vec::new();
        for number in 0..8 {
            let title = format!("Soup for house {number}");
            ids.push(add(&north, &title));
        }
        add(&south, "A choir room");
        north.ok(&["bundle", "export", "first.wbb"]);
        south.ok(&["bundle", "import", "first.wbb", "--yes"]);
        south.ok(&["bundle", "want", "south.want"]);
        north.ok(&["request", "edit", &ids[0], "--title", "Bread for house 0"]);
        north.ok(&["record", "unshare", &ids[1]]);
        north.ok(&["publish"]);
        north.ok(&["request", "complete", &ids[2], "--note", "Thank you"]);
        north.ok(&[
            "comment",
            "add",
            &ids[3],
            "--body",
            "With beans",
            "--scope",
            "public",
        ]);
        add(&north, "Firewood");
        north.ok(&["bundle", "export", "snapshot.wbb"]);
        north.ok(&["bundle", "export", "snapshot.wbb.zst", "--zstd"]);
        north.ok(&["bundle", "export", "deltas.wbb", "--want", "south.want"]);
        Self { folder, south }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).expect("the bundle was written")
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("damaged.wbb");
        std::fs::write(&path, bytes).expect("the folder can be written");
        path
    }

    fn verify(&self, path: &Path) -> Run {
        run(wb(self.folder.path()).args(["bundle", "verify"]).arg(path))
    }

    fn import(&self, path: &Path) -> Run {
        let path = path.to_str().expect("a path in UTF-8");
        self.south.run(&["bundle", "import", path, "--yes"])
    }
}

fn add(instance: &Instance, title: &str) -> String {
    let texts = ["--title", title, "--description", "As soon as you can."];
    instance.ok(&[&["request", "add", "--scope", "public"], &texts[..]].concat())
}

/// What can happen to a file, with words for it.
fn damage(bytes: &[u8], chance: &mut Chance) -> (String, Vec<u8>) {
    let mut damaged = bytes.to_vec();
    let at = chance.below(bytes.len());
    let what = match chance.below(6) {
        0 => {
            let bit = chance.below(8);
            damaged[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        1 => {
            let count = 1 + chance.below(20.min(bytes.len() - at));
            damaged.drain(at..at + count);
            format!("{count} bytes removed at {at}")
        }
        2 => {
            let new: Vec<u8> = (0..=chance.below(20))
                .map(|_| chance.bits().to_le_bytes()[0])
                .collect();
            damaged.splice(at..at, new.iter().copied());
            format!("{new:?} put in at {at}")
        }
        3 => {
            damaged.truncate(at);
            format!("cut to {at} bytes")
        }
        choice => {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let (one, two) = (chance.below(lines.len()), chance.below(lines.len()));
            let what = if choice == 4 {
                lines.insert(one, lines[two]);
                format!("line {} put in again before line {}", two + 1, one + 1)
            } else {
                lines.swap(one, two);
                format!("lines {} and {} swapped", one + 1, two + 1)
            };
            damaged = lines.concat();
            what
        }
    };
    (what, damaged)
}

/// The plain bytes of a bundle; `None` when it cannot be unpacked.
fn plain(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        zstd::decode_all(bytes).ok()
    } else {
        Some(bytes.to_vec())
    }
}

/// Whether a damaged file says the very same: its plain bytes are the same, or only the end line, which
/// nothing covers, is written in another way.
fn says_the_same(whole: &[u8], damaged: &[u8]) -> bool {
    fn split(plain: &[u8]) -> (Vec<u8>, Option<Value>) {
        let body = plain.strip_suffix(b"\n").unwrap_or_default();
        let start = body.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let end = serde_json::from_slice(&body[start..]).ok();
        (body[..start].to_vec(), end)
    }
    let whole = split(&plain(whole).expect("the whole bundle is sound"));
    assert!(whole.1.is_some());
    plain(damaged).is_some_and(|damaged| split(&damaged) == whole)
}

fn names_stage_and_line(run: &Run) -> bool {
    let stages = ["format", "versions", "identity", "head", "feed"];
    let named = |stage: &&str| run.stderr.contains(&format!("stage {stage}: "));
    run.stderr.contains("line ") && stages.iter().any(named)
}

fn every_damage_is_found(test: &str, bundle: &str) {
    let mut chance = Chance::announced(test);
    let pair = Pair::new();
    let whole = pair.read(bundle);
    let before = dump_home(&pair.south.home);
    let mut refused = 0;
    for _ in 0..DAMAGES {
        let (what, damaged) = damage(&whole, &mut chance);
        let path = pair.write(&damaged);
        let verified = pair.verify(&path);
        if says_the_same(&whole, &damaged) {
            verified.ends(0);
            continue;
        }
        let imported = pair.import(&path);
        for run in [&verified, &imported] {
            assert_eq!(run.code, Some(4), "{what}: {run:?}");
            assert!(names_stage_and_line(run), "{what}: {run:?}");
            assert_eq!(run.stdout, "", "{what}");
        }
        let first_line = |run: &Run| run.stderr.lines().next().map(str::to_owned);
        assert_eq!(first_line(&verified), first_line(&imported), "{what}");
        assert!(
            dump_home(&pair.south.home) == before,
            "{what}: it changed something"
        );
        refused += 1;
    }
    assert!(refused > DAMAGES / 2, "only {refused} were damages");
    // The bundle itself is fine, and does change something.
    let path = pair.write(&whole);
    pair.verify(&path).ends(0);
    pair.import(&path).ends(0);
    assert!(dump_home(&pair.south.home) != before);
}

#[test]
fn no_damage_to_a_snapshot_is_imported() {
    every_damage_is_found("no_damage_to_a_snapshot_is_imported", "snapshot.wbb");
}

#[test]
fn no_damage_to_deltas_is_imported() {
    every_damage_is_found("no_damage_to_deltas_is_imported", "deltas.wbb");
}

#[test]
fn no_damage_to_a_compressed_bundle_is_imported() {
    every_damage_is_found(
        "no_damage_to_a_compressed_bundle_is_imported",
        "snapshot.wbb.zst",
    );
}

/// Nothing covers the end line but what it says itself. A flipped bit made it `"schema_versioo":1`, or
/// version 5, and the bundle was called whole.
#[test]
fn an_end_line_of_another_version_is_refused() {
    let pair = Pair::new();
    let whole = String::from_utf8(pair.read("snapshot.wbb")).expect("a bundle is UTF-8");
    let (body, end) = whole.trim_end().rsplit_once('\n').expect("several lines");
    for (from, to) in [
        ("version\":1", "version\":5"),
        ("schema_version", "schema_versioo"),
    ] {
        assert_ne!(end, end.replace(from, to));
        let damaged = format!("{body}\n{}\n", end.replace(from, to));
        let path = pair.write(damaged.as_bytes());
        for run in [pair.verify(&path), pair.import(&path)] {
            let run = run.ends(4);
            assert!(
                run.stderr.contains("stage format: unknown_section"),
                "{run:?}"
            );
        }
    }
}

// Partial imports

/// Damages tried with `--partial`.
const PARTIAL_DAMAGES: usize = 40;

/// A bundle with the feeds of three communities, and a receiver that holds an earlier state of each.
struct Relayed {
    folder: TempDir,
    origins: Vec<String>,
    east: Instance,
    /// The live lines of each origin at the receiver before, and at the sender.
    before: Vec<BTreeSet<LiveLine>>,
    after: Vec<BTreeSet<LiveLine>>,
    bundle: Vec<u8>,
}

impl Relayed {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let found = |name| Instance::found(folder.path(), name, "keeper");
        let (north, south, west, east) =
            (found("North"), found("South"), found("West"), found("East"));
        for round in ["first", "second"] {
            for instance in [&north, &south, &west] {
                for number in 0..3 {
                    add(
                        instance,
                        &format!("Chairs for the {round} feast, table {number}"),
                    );
                }
            }
            for instance in [&north, &south] {
                instance.ok(&["bundle", "export", "one.wbb"]);
                west.ok(&["bundle", "import", "one.wbb", "--yes"]);
            }
            west.ok(&["bundle", "export", &format!("{round}.wbb")]);
        }
        east.ok(&["bundle", "import", "first.wbb", "--yes"]);
        let mut origins: Vec<String> = [&north, &south, &west].map(Instance::id).into();
        // As they follow each other in the bundle.
        origins.sort_unstable();
        let lines = |home: &Path| origins.iter().map(|id| live_lines(home, id)).collect();
        Self {
            before: lines(&east.home),
            after: lines(&west.home),
            bundle: std::fs::read(folder.path().join("second.wbb")).expect("it was written"),
            origins,
            east,
            folder,
        }
    }

    /// A receiver as it was, under another name.
    fn another(&self, name: &str) -> Instance {
        let copy = Instance::at(self.folder.path(), name, Path::new(WB));
        std::fs::create_dir(&copy.home).expect("the name is new");
        for entry in std::fs::read_dir(&self.east.home).expect("the folder is there") {
            let entry = entry.expect("the folder can be read");
            std::fs::copy(entry.path(), copy.home.join(entry.file_name()))
                .expect("it can be copied");
        }
        copy
    }

    fn import(&self, into: &Instance, bundle: &[u8]) -> Run {
        std::fs::write(self.folder.path().join("damaged.wbb"), bundle).expect("it can be written");
        into.run(&["bundle", "import", "damaged.wbb", "--partial"])
    }

    /// For each origin whether the receiver has its new state; otherwise it must have the old one.
    fn taken(&self, receiver: &Instance, what: &str) -> Vec<bool> {
        let states = self.before.iter().zip(&self.after);
        let taken = self
            .origins
            .iter()
            .zip(states)
            .map(|(origin, (before, after))| {
                let now = live_lines(&receiver.home, origin);
                assert!(
                    now == *before || now == *after,
                    "{what}: {origin} is neither old nor new"
                );
                now == *after
            });
        taken.collect()
    }
}

#[test]
fn a_partial_import_takes_the_feeds_that_verify_and_leaves_the_others() {
    let relayed = Relayed::new();
    assert!(
        relayed
            .before
            .iter()
            .zip(&relayed.after)
            .all(|(before, after)| before != after)
    );
    for (place, origin) in relayed.origins.iter().enumerate() {
        // A word in one record of this feed says something else.
        let text = String::from_utf8(relayed.bundle.clone()).expect("a bundle is UTF-8");
        let is_its = |line: &str| {
            line.starts_with('{')
                && line.contains("the second feast")
                && line.contains(origin.as_str())
        };
        let line = text
            .lines()
            .find(|line| is_its(line))
            .expect("a record of it");
        let bundle = text.replace(line, &line.replace("the second feast", "the secret feast"));
        let receiver = relayed.another(&format!("East-{place}"));
        let run = relayed.import(&receiver, bundle.as_bytes()).ends(4);
        assert!(names_stage_and_line(&run), "{run:?}");
        let taken = relayed.taken(&receiver, "a word changed");
        let expected: Vec<bool> = (0..3).map(|other| other != place).collect();
        assert_eq!(taken, expected, "{run:?}");
        receiver.ok(&["doctor"]);
        // The file as it was made brings the rest.
        relayed.import(&receiver, &relayed.bundle).ends(0);
        assert_eq!(relayed.taken(&receiver, "the whole file"), [true; 3]);
    }
}

#[test]
fn no_damage_makes_a_partial_import_take_half_a_feed() {
    let mut chance = Chance::announced("no_damage_makes_a_partial_import_take_half_a_feed");
    let relayed = Relayed::new();
    let (mut some, mut none) = (0, 0);
    for number in 0..PARTIAL_DAMAGES {
        let (what, damaged) = damage(&relayed.bundle, &mut chance);
        if says_the_same(&relayed.bundle, &damaged) {
            continue;
        }
        let receiver = relayed.another(&format!("East-{number}"));
        let run = relayed.import(&receiver, &damaged);
        assert_eq!(run.code, Some(4), "{what}: {run:?}");
        assert!(names_stage_and_line(&run), "{what}: {run:?}");
        let taken = relayed.taken(&receiver, &what);
        if taken.contains(&true) {
            some += 1;
        } else {
            none += 1;
        }
        receiver.run(&["doctor"]).ends(0);
        std::fs::remove_dir_all(&receiver.home).expect("it can be removed");
    }
    println!("something was taken {some} times, nothing {none} times");
    assert!(some > 0 && none > 0, "{some}, {none}");
}

/// The program answers every bundle of `docs/spec/vectors/bundles` with the exit code, stage, line and
/// rule written there.
#[test]
fn bundle_vectors_end_as_they_say() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/vectors/bundles");
    let pair = Pair::new();
    let before = dump_home(&pair.south.home);
    let mut refused = 0;
    for entry in std::fs::read_dir(vectors).expect("the vectors are there") {
        let path = entry.expect("the folder can be read").path();
        let bytes = std::fs::read(&path).expect("the vector can be read");
        let vector: Value = serde_json::from_slice(&bytes).expect("a vector is JSON");
        let name = text(&vector, "name");
        let lines = vector["lines"].as_array().expect("lines").iter();
        let bundle: String = lines
            .map(|line| format!("{}\n", line.as_str().expect("a line")))
            .collect();
        let verified = pair.verify(&pair.write(bundle.as_bytes()));
        if vector["outcome"] == "ok" {
            verified.ends(0);
            continue;
        }
        let (stage, rule) = (text(&vector, "stage"), text(&vector, "rule"));
        let code = if rule == "version_skew" { 7 } else { 4 };
        let imported = pair.import(&pair.write(bundle.as_bytes()));
        for run in [&verified, &imported] {
            assert_eq!(run.code, Some(code), "{name}: {run:?}");
            let said = format!("stage {stage}: {rule}");
            assert!(run.stderr.contains(&said), "{name}: {said}: {run:?}");
            if let Some(line) = vector["line"].as_u64() {
                let said = format!("line {line}, ");
                assert!(run.stderr.contains(&said), "{name}: {said}: {run:?}");
            }
        }
        assert!(dump_home(&pair.south.home) == before, "{name}");
        refused += 1;
    }
    assert!(refused > 15, "{refused} refused vectors");
}

/// Runs `bundle verify` and `bundle import` with 400 MB of memory and 20 seconds of processor time.
fn refused_within_limits(pair: &Pair, name: &str, bytes: &[u8], said: &str) {
    let path = pair.write(bytes);
    let before = dump_home(&pair.south.home);
    for arguments in [&["verify"][..], &["import", "--yes"]] {
        let mut command = Command::new("sh");
        command
            .env_clear()
            .current_dir(pair.folder.path())
            .stdin(Stdio::null())
            .args([
                "-c",
                "ulimit -v 400000 && ulimit -t 20 && exec \"$@\"",
                "sh",
                WB,
            ])
            .arg("--home")
            .arg(&pair.south.home)
            .arg("bundle")
            .args(arguments)
            .arg(&path);
        let run = run(&mut command).ends(4);
        assert!(run.stderr.contains(said), "{name}: {run:?}");
    }
    assert!(dump_home(&pair.south.home) == before, "{name}");
}

#[test]
fn a_decompression_bomb_is_refused_early() {
    const FRAME_BYTES: usize = 16 * 1024 * 1024;
    const FRAMES: usize = 60;
    let pair = Pair::new();
    let whole = pair.read("snapshot.wbb");
    let without_end: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let without_end = without_end[..without_end.len() - 1].concat();
    let pack = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("memory can be compressed");
    let line = format!("{{\"a\":\"{}\"}}\n", "b".repeat(1_015));
    let bombs = [
        ("one line of zeros", vec![0; FRAME_BYTES]),
        ("good JSON", line.repeat(FRAME_BYTES / line.len()).into()),
    ];
    for (name, plain) in bombs {
        // Frames after one another unpack one after the other, to a gigabyte in all.
        let frame = pack(&plain);
        assert!(frame.len() * 1_000 < plain.len(), "{} bytes", frame.len());
        let said = "it unpacks to more than 200 times its size";
        refused_within_limits(&pair, name, &frame.repeat(FRAMES), said);
        let behind = [pack(&without_end), frame.repeat(FRAMES)].concat();
        refused_within_limits(&pair, name, &behind, said);
    }
    // A frame may ask for a window of two gigabytes before it says anything.
    let (magic, descriptor, window) = ([0x28, 0xb5, 0x2f, 0xfd], 0, (31 - 10) << 3);
    let last_block_of_one_repeated_byte = [0x03, 0xff, 0xff, b' '];
    let header = [&magic[..], &[descriptor, window]].concat();
    let frame = [&header[..], &last_block_of_one_repeated_byte].concat();
    let said = "line 1, stage format: truncated";
    refused_within_limits(&pair, "a large window", &frame, said);
}
