//! The power fails under the store: whatever had been said to be done is done.
//!
//! A day of a node, and of a hub, is recorded write by write ([`log`]). Then the disk is made again as it
//! may be after the power failed at some moment of that day ([`disk`]), and the program opens it. What must
//! hold: every file is sound; what a command had said is there, and nothing that never was; the guard
//! tells a crash and not a restored copy; nothing was sent that is not on the disk; and the next sync
//! converges. `WB_CUTS` says how often the power fails.

mod disk;
mod log;
mod state;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use self::disk::{Disk, LUCKS, Luck};
use self::log::Done;
use self::state::State;
use crate::support::chance::Chance;
use crate::support::database::{live_lines, live_lines_in};
use crate::support::hub::{Hub, ask};
use crate::support::instance::{Instance, WB, text};
use crate::support::much;

/// How often the power fails under a node, and under a hub, unless `WB_CUTS` says otherwise.
const CUTS: usize = 48;
/// Records moved in at first: more than one page of SQLite holds, and not much more.
const REQUESTS: usize = 12;
/// Bytes of a request's description.
const DESCRIPTION_BYTES: usize = 700;
/// One of so many failures under a node is followed by a sync.
const SYNCED: usize = 2;

/// The end of one command of the day.
struct Milestone {
    /// What was run.
    what: String,
    /// How many things had been done to files until then.
    end: usize,
    /// What the files held then.
    state: State,
    /// A copy of the hub's folder at that time, where it had changed.
    hub: PathBuf,
}

/// A day that was recorded.
struct Day {
    folder: TempDir,
    hub: Hub,
    done: Vec<Done>,
    milestones: Vec<Milestone>,
}

impl Day {
    /// The folder that is watched.
    fn watched(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// The disk as it is when the power fails after so many things were done.
    fn fail(&self, at: usize, luck: Luck, chance: &mut Chance, to: &Path) {
        let root = self.watched();
        let inode = fs::metadata(&root).expect("it is there").ino();
        let mut disk = Disk::new(&root, inode);
        for done in &self.done[..at] {
            disk.take(done);
        }
        disk.fail(to, luck, chance);
    }

    /// The number of the command that ran, and whether it had said that it was done.
    fn at(&self, at: usize) -> (usize, bool) {
        let number = self.milestones.iter().position(|m| at < m.end);
        let number = number.expect("a moment before the end");
        let has_told = self.done[self.start(number)..at].contains(&Done::Told);
        (number, has_told)
    }

    fn start(&self, number: usize) -> usize {
        number
            .checked_sub(1)
            .map_or(0, |before| self.milestones[before].end)
    }

    /// Moments after `from` at which the power fails: first each at which somebody else begins to count on
    /// something, with everything lost that was not synced; then so many of chance.
    fn moments(&self, from: usize, cuts: usize, chance: &mut Chance) -> Vec<(usize, Luck)> {
        let last = self.done.len() - 1;
        let counts = |at: &usize| matches!(self.done[at - 1], Done::Told | Done::Pushed);
        let ends = self
            .milestones
            .iter()
            .map(|milestone| milestone.end.min(last));
        let certain = (from + 1..=last).filter(counts).chain(ends);
        let mut moments: Vec<_> = certain.map(|at| (at, Luck::AllLost)).collect();
        let random = (0..cuts).map(|_| (self.moment(from, chance), *chance.pick(LUCKS)));
        moments.extend(random);
        moments
    }

    /// A moment of chance; more often one at which something changes, just before it or just after.
    fn moment(&self, from: usize, chance: &mut Chance) -> usize {
        let any = from + chance.below(self.done.len() - from);
        if chance.below(3) == 0 {
            return any;
        }
        let turns = self.done[any..].iter().position(Done::is_turn);
        let turn = turns.map_or(any, |after| any + after);
        (turn + chance.below(2)).min(self.done.len() - 1)
    }
}

fn cuts() -> usize {
    std::env::var("WB_CUTS").map_or(CUTS, |text| text.parse().expect("a number"))
}

fn watch(instance: &mut Instance, library: &Path, disk: &Path, log: &Path) {
    instance.environment = vec![
        ("LD_PRELOAD", library.to_owned()),
        ("WB_POWER_DIR", disk.to_owned()),
        ("WB_POWER_LOG", log.to_owned()),
    ];
}

fn copy_home(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a home") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

/// A member of a hub founds, writes, publishes, syncs and takes back, on a disk that is watched.
fn day_of_a_node(chance: &mut Chance) -> Day {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fs::canonicalize(folder.path()).expect("it is there");
    let disk = path.join("disk");
    fs::create_dir(&disk).expect("a folder");
    much::write(&path.join("much.db"), REQUESTS, DESCRIPTION_BYTES, chance);
    let mut hub = Hub::start(&path, "Harbour", "open");
    let south = Instance::found(&path, "South", "ash");
    south.ok(&["hub", "register", &hub.link()]);
    ask(&south, "A choir room");
    south.ok(&["sync"]);
    let log = path.join("log");
    let mut north = Instance::at(&disk, "North", Path::new(WB));
    watch(&mut north, &log::build(&path), &disk, &log);
    let mut milestones = Vec::new();
    let mut run = |hub: &mut Hub, words: &[&str]| {
        let said = north.ok(words);
        let kept = path.join(format!("hub-{}", milestones.len()));
        hub.kill();
        copy_home(&hub.instance.home, &kept);
        hub.back();
        milestones.push(Milestone {
            what: words.join(" "),
            end: log::length(&log),
            state: State::of(&north.home.join("wb.db")),
            hub: kept,
        });
        said
    };
    let link = hub.link();
    run(
        &mut hub,
        &[
            "init",
            "--name",
            "North",
            "--admin",
            "keeper",
            "--words-file",
            "words.txt",
        ],
    );
    let much = path.join("much.db");
    run(
        &mut hub,
        &["import", "whiteballoon", much.to_str().expect("UTF-8")],
    );
    run(&mut hub, &["join", &link, "--yes"]);
    run(&mut hub, &["sync"]);
    let bread = [
        "request",
        "add",
        "--title",
        "Bread",
        "--description",
        "Six loaves.",
    ];
    let id = run(&mut hub, &[&bread[..], &["--scope", "public"]].concat());
    run(&mut hub, &["publish"]);
    run(&mut hub, &["request", "edit", &id, "--title", "Rolls"]);
    run(&mut hub, &["sync"]);
    run(&mut hub, &["record", "unshare", &id]);
    run(&mut hub, &["sync"]);
    run(&mut hub, &["rebuild"]);
    let done = log::read(&log);
    Day {
        folder,
        hub,
        done,
        milestones,
    }
}

#[test]
fn what_a_node_said_to_be_done_is_on_the_disk_when_the_power_fails() {
    let mut chance = Chance::announced("what_a_node_said_to_be_done");
    let mut day = day_of_a_node(&mut chance);
    let pushes = day.done.iter().filter(|done| **done == Done::Pushed);
    assert_eq!(pushes.count(), 3, "each sync that gives something");
    for (cut, (at, luck)) in day.moments(0, cuts(), &mut chance).into_iter().enumerate() {
        let after = day.folder.path().join(format!("after-{cut}"));
        day.fail(at, luck, &mut chance, &after);
        let (number, has_told) = day.at(at);
        println!(
            "cut {cut}: `{}`, {} of {} done, {luck:?}, told: {has_told}",
            day.milestones[number].what,
            at,
            day.done.len()
        );
        let syncs = chance.below(SYNCED) == 0;
        node_after(&mut day, number, has_told, at, &after, syncs);
        fs::remove_dir_all(&after).expect("no process is in it");
    }
}

/// Opens what is left of a node.
fn node_after(day: &mut Day, number: usize, has_told: bool, at: usize, after: &Path, syncs: bool) {
    let north = Instance::at(after, "North", Path::new(WB));
    let done = if has_told {
        Some(number)
    } else {
        number.checked_sub(1)
    };
    if !north.file("signing.key").exists() {
        assert_eq!(done, None, "the instance is gone");
        // Nobody was told that there is one; a person is told how to go on.
        assert_ne!(north.run(&["status"]).code, Some(0));
        return;
    }
    let sheet = fs::read_to_string(after.join("words.txt")).expect("the words of an instance");
    assert!(sheet.ends_with("make them again.\n"), "half a sheet");
    let was_sent = day.done[day.start(number)..at].contains(&Done::Pushed);
    let file = north.file("wb.db");
    state::guard_is_a_crash_at_most(&north.home, was_sent);
    north.ok(&["doctor"]);
    let status = north.json(&["status"]).remove(0);
    assert_eq!(status["suspect"], false, "told as a restore: {status}");
    let now = State::of(&file);
    if let Some(done) = done {
        now.holds(&day.milestones[done].state);
    }
    day.milestones[number].state.holds_sealed(&now);
    if was_sent {
        // Everything that was going to be sent was sealed before.
        now.holds_sealed(&day.milestones[number].state);
    }
    // Before `join` there is no hub to sync with.
    if syncs && number > 2 {
        let kept = if was_sent { number } else { number - 1 };
        let hub = day.milestones[kept].hub.clone();
        give_hub(&mut day.hub, &hub);
        converges(&day.hub, &north);
    }
}

fn give_hub(hub: &mut Hub, kept: &Path) {
    hub.kill();
    fs::remove_dir_all(&hub.instance.home).expect("no process is in it");
    copy_home(kept, &hub.instance.home);
    hub.back();
}

fn converges(hub: &Hub, north: &Instance) {
    north.ok(&["sync"]);
    let id = north.id();
    let own = live_lines(&north.home, &id);
    let at_hub = live_lines_in(&hub.instance.file("hub.db"), &id);
    assert!(
        own == at_hub,
        "the hub holds {} of {}",
        at_hub.len(),
        own.len()
    );
    north.ok(&["doctor"]);
    hub.instance.ok(&["doctor"]);
    let again = north.json(&["sync"]).remove(0);
    assert_eq!(again["pushed"]["deltas"], 0);
    assert_eq!(text(&again, "phase"), "idle");
}

/// A hub is given three things, on a disk that is watched.
fn day_of_a_hub(chance: &mut Chance) -> (Day, Instance) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fs::canonicalize(folder.path()).expect("it is there");
    let disk = path.join("disk");
    fs::create_dir(&disk).expect("a folder");
    let log = path.join("log");
    let mut instance = Instance::at(&disk, "Harbour", Path::new(WB));
    watch(&mut instance, &log::build(&path), &disk, &log);
    instance.ok(&["init", "--name", "Harbour", "--words-file", "words.txt"]);
    let mut hub = Hub::of(instance, "open");
    hub.again();
    let north = Instance::found(&path, "North", "keeper");
    much::write(&path.join("much.db"), REQUESTS, DESCRIPTION_BYTES, chance);
    north.ok(&["import", "whiteballoon", "much.db"]);
    let mut milestones = Vec::new();
    let mut run = |hub: &mut Hub, words: &[&str]| {
        let said = north.ok(words);
        let end = log::length(&log);
        milestones.push(Milestone {
            what: words.join(" "),
            end,
            state: State::of(&hub.instance.file("hub.db")),
            hub: PathBuf::new(),
        });
        said
    };
    let link = hub.link();
    run(&mut hub, &["hub", "register", &link]);
    run(&mut hub, &["sync"]);
    let bread = [
        "request",
        "add",
        "--title",
        "Bread",
        "--description",
        "Six loaves.",
    ];
    let id = run(&mut hub, &[&bread[..], &["--scope", "public"]].concat());
    run(&mut hub, &["sync"]);
    run(&mut hub, &["record", "unshare", &id]);
    run(&mut hub, &["sync"]);
    let done = log::read(&log);
    hub.kill();
    hub.instance.environment.clear();
    let day = Day {
        folder,
        hub,
        done,
        milestones,
    };
    (day, north)
}

#[test]
fn what_a_hub_confirmed_is_on_the_disk_when_the_power_fails() {
    let mut chance = Chance::announced("what_a_hub_confirmed");
    let (mut day, north) = day_of_a_hub(&mut chance);
    let founded = day.done.iter().rposition(|done| *done == Done::Told);
    let founded = founded.expect("it told its address");
    // Founding is looked at in the other test.
    for (cut, (at, luck)) in day
        .moments(founded, cuts() / 2, &mut chance)
        .into_iter()
        .enumerate()
    {
        let after = day.folder.path().join(format!("after-{cut}"));
        day.fail(at, luck, &mut chance, &after);
        let (number, _) = day.at(at);
        println!(
            "cut {cut}: `{}`, {at} of {} done, {luck:?}",
            day.milestones[number].what,
            day.done.len()
        );
        let home = after.join("Harbour");
        let left = Instance::at(&after, "Harbour", Path::new(WB));
        left.ok(&["doctor"]);
        let now = State::of(&home.join("hub.db"));
        if let Some(before) = number.checked_sub(1) {
            now.holds(&day.milestones[before].state);
        }
        day.milestones[number].state.holds_sealed(&now);
        give_hub(&mut day.hub, &home);
        north.run(&["hub", "register", &day.hub.link()]).ends(0);
        converges(&day.hub, &north);
        day.hub.kill();
        fs::remove_dir_all(&after).expect("no process is in it");
    }
}
