//! A full disk: whatever needs room says so and changes nothing, or says what it did; with room the same
//! command goes through. Reading goes on.
//!
//! Each act is tried with more and more room, so that it runs out of it at many places.

use std::path::Path;

use super::mount::Disk;
use super::{read_all, tells};
use crate::pages::{keeper, up};
use crate::support::chance::Chance;
use crate::support::database::{count, live_lines, live_lines_in, number};
use crate::support::hub::{Hub, ask};
use crate::support::instance::{Instance, Run, WB, text};
use crate::support::much;

/// Requests that take some hundred KiB.
const REQUESTS: usize = 120;
const DESCRIPTION_BYTES: usize = 1_500;
/// The room of a disk, and by how much more is left with each try.
const DISK_KIB: u64 = 12 * 1_024;
const STEPS_KIB: &[usize] = &[0, 12, 36, 48, 64, 80, 110, 160, 240, 340, 500];

/// An act that needs room.
struct Act<'a> {
    instance: &'a Instance,
    words: &'a [&'a str],
    /// Whether it is done.
    is_done: &'a dyn Fn() -> bool,
}

/// Tries with more and more room until it goes through; gives how often it did not.
#[track_caller]
fn with_more_and_more_room(disk: &Disk, act: &Act<'_>, bundle: &str) -> usize {
    for (tries, kib) in STEPS_KIB.iter().enumerate() {
        disk.leave(*kib);
        let run = act.instance.run(act.words);
        if run.code == Some(0) {
            assert!((act.is_done)(), "it said that it was done");
            disk.empty();
            act.instance.ok(&["doctor"]);
            return tries;
        }
        is_told(&run, *kib);
        // What reading needs room for, it must not need; so now with none, and now with what is left.
        if tries % 2 == 0 {
            disk.leave(0);
        }
        read_all(act.instance, bundle);
    }
    disk.empty();
    act.instance.ok(act.words);
    assert!((act.is_done)(), "with room it goes through");
    act.instance.ok(&["doctor"]);
    STEPS_KIB.len()
}

#[track_caller]
fn is_told(run: &Run, kib: usize) {
    let words = [
        "no room on the disk",
        "disk is full",
        "No space left on device",
    ];
    // Of a sync that ended early its report tells.
    let said = [&*run.stderr, &*run.stdout].concat();
    let is_named = words.iter().any(|words| said.contains(words));
    assert!(is_named, "{kib} KiB: {run:?}");
    assert!(said.contains("safe"), "{kib} KiB: {run:?}");
    assert_eq!(run.code, Some(1), "{kib} KiB: {run:?}");
}

fn much(folder: &Path) {
    let mut chance = Chance::announced("full");
    much::write(
        &folder.join("much.db"),
        REQUESTS,
        DESCRIPTION_BYTES,
        &mut chance,
    );
}

/// North on a disk of its own, with a bundle of what it has sealed so far.
fn north(disk: &Disk) -> (Instance, String) {
    much(disk.elsewhere());
    let north = Instance::at(disk.path(), "North", Path::new(WB));
    let words = disk.elsewhere().join("words.txt");
    let words = words.to_str().expect("UTF-8");
    north.ok(&[
        "init",
        "--name",
        "North",
        "--admin",
        "keeper",
        "--words-file",
        words,
    ]);
    ask(&north, "Soup");
    let bundle = disk.elsewhere().join("north.wbb");
    let bundle = bundle.to_str().expect("UTF-8").to_owned();
    north.ok(&["bundle", "export", &bundle]);
    (north, bundle)
}

fn path(disk: &Disk, name: &str) -> String {
    let path = disk.elsewhere().join(name);
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn moving_over_and_publishing_go_through_once_there_is_room() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let (north, bundle) = north(&disk);
    let main = north.file("wb.db");
    let requests = || {
        count(
            &main,
            "SELECT count(*) FROM local_records WHERE kind = 'request'",
        )
    };
    let much = path(&disk, "much.db");
    let import = Act {
        instance: &north,
        words: &["import", "whiteballoon", &much],
        is_done: &|| requests() == REQUESTS + 1,
    };
    assert!(with_more_and_more_room(&disk, &import, &bundle) > 3);
    let sql = "SELECT count(*) - count(DISTINCT body) FROM local_records WHERE kind = 'request'";
    assert_eq!(number(&main, sql), 0, "nothing moved twice");
    let id = north.id();
    let before = live_lines(&north.home, &id).len();
    let publish = Act {
        instance: &north,
        words: &["publish"],
        is_done: &|| live_lines(&north.home, &id).len() > before,
    };
    assert!(with_more_and_more_room(&disk, &publish, &bundle) > 3);
    assert!(live_lines(&north.home, &id).len() > REQUESTS);
}

#[test]
fn pulling_and_importing_a_bundle_go_through_once_there_is_room() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let (south, first) = north(&disk);
    let hub = Hub::start(disk.elsewhere(), "Harbour", "open");
    let other = Instance::found(disk.elsewhere(), "East", "elm");
    other.ok(&["import", "whiteballoon", &path(&disk, "much.db")]);
    other.ok(&["hub", "register", &hub.link()]);
    other.ok(&["sync"]);
    let id = other.id();
    let all = live_lines(&other.home, &id);
    south.ok(&["hub", "register", &hub.link()]);
    south.ok(&["follow", &id]);
    let pull = Act {
        instance: &south,
        words: &["sync", "--pull"],
        is_done: &|| live_lines(&south.home, &id) == all,
    };
    assert!(with_more_and_more_room(&disk, &pull, &first) > 2);
    let bundle = path(&disk, "east.wbb");
    let long = "x".repeat(18_000);
    for title in ["One", "Two", "Three", "Four"] {
        let words = ["request", "add", "--title", title, "--scope", "public"];
        other.ok(&[&words[..], &["--description", &long]].concat());
    }
    other.ok(&["bundle", "export", &bundle]);
    let all = live_lines(&other.home, &id);
    let import = Act {
        instance: &south,
        words: &["bundle", "import", &bundle, "--yes"],
        is_done: &|| live_lines(&south.home, &id) == all,
    };
    assert!(with_more_and_more_room(&disk, &import, &first) > 1);
}

#[test]
fn a_hub_without_room_says_so_and_takes_everything_once_there_is() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    much(disk.elsewhere());
    let mut hub = Hub::start(disk.path(), "Harbour", "open");
    let north = Instance::found(disk.elsewhere(), "North", "keeper");
    north.ok(&["import", "whiteballoon", "much.db"]);
    north.ok(&["hub", "register", &hub.link()]);
    let id = north.id();
    for kib in [0, 40, 120, 300] {
        disk.leave(kib);
        let run = north.run(&["sync"]);
        if run.code != Some(0) {
            let run = run.ends(6);
            assert!(
                run.stderr.contains("room") || run.stdout.contains("room"),
                "{run:?}"
            );
            disk.leave(0);
            // Whoever only reads there is served, and so is whoever looks at its folder.
            north.ok(&["sync", "--pull"]);
            hub.instance.ok(&["status"]);
            hub.instance.ok(&["hub", "list"]);
        }
    }
    disk.empty();
    north.ok(&["sync"]);
    let own = live_lines(&north.home, &id);
    assert!(live_lines_in(&hub.instance.file("hub.db"), &id) == own);
    hub.kill();
    hub.instance.ok(&["doctor"]);
}

#[test]
fn founding_without_room_leaves_nothing_and_says_so() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let new = Instance::at(disk.path(), "New", Path::new(WB));
    for kib in [0, 16, 60, 200] {
        disk.leave(kib);
        let run = new.run(&[
            "init",
            "--name",
            "New",
            "--words-file",
            &path(&disk, "new.txt"),
        ]);
        if run.code == Some(0) {
            break;
        }
        tells(run, "", "make room");
        assert!(!new.file("signing.key").exists());
        assert!(
            !disk.elsewhere().join("new.txt").exists(),
            "words of nothing"
        );
        drop(std::fs::remove_dir_all(&new.home));
    }
    disk.empty();
    drop(std::fs::remove_dir_all(&new.home));
    drop(std::fs::remove_file(disk.elsewhere().join("new.txt")));
    new.ok(&[
        "init",
        "--name",
        "New",
        "--words-file",
        &path(&disk, "new.txt"),
    ]);
    new.ok(&["doctor"]);
}

/// The pages, too: what a form would write is refused with what is safe, and members read on.
#[test]
fn a_page_that_needs_room_says_so_and_the_others_are_shown() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let (north, _) = north(&disk);
    let (up, started) = up(&north.home);
    let mut browser = keeper(&north, text(&started, "address"));
    let words = "title=A+ladder&description=For+the+gutter&scope=private";
    browser.open("/requests/new");
    disk.leave(0);
    browser.send("/requests/new", words);
    for said in ["no room on the disk", "safe"] {
        assert!(browser.page.contains(said), "{said}: {}", browser.page);
    }
    for page in ["/requests", "/sync", "/inbox", "/shared", "/members"] {
        browser.open(page);
        assert_eq!(browser.status, 200, "{page}: {}", browser.page);
    }
    browser.open("/requests");
    assert!(browser.page.contains("Soup") && !browser.page.contains("A ladder"));
    disk.empty();
    browser.open("/requests/new");
    browser.send("/requests/new", words);
    assert!(browser.page.contains("A ladder"), "{}", browser.page);
    drop(up);
    north.ok(&["doctor"]);
}

/// The backups in a folder, good or not.
fn backups(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("a file").file_name());
    let names = names.map(|name| name.into_string().expect("UTF-8"));
    let mut names: Vec<String> = names.filter(|name| name.contains(".wbk")).collect();
    names.sort();
    names
}

#[test]
fn a_backup_from_or_to_a_full_disk_says_so_and_the_older_ones_stay() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let (north, bundle) = north(&disk);
    let elsewhere = path(&disk, "");
    let backup = Act {
        instance: &north,
        words: &["backup", &elsewhere],
        is_done: &|| !backups(disk.elsewhere()).is_empty(),
    };
    assert!(with_more_and_more_room(&disk, &backup, &bundle) > 2);
    // And the other way round: the disk of the backups is full.
    let south = Instance::found(disk.elsewhere(), "South", "ash");
    south.ok(&["import", "whiteballoon", "much.db"]);
    let kept = disk.path().join("kept");
    std::fs::create_dir(&kept).expect("a folder");
    let to = kept.to_str().expect("UTF-8");
    south.ok(&["backup", to]);
    let before = backups(&kept);
    for kib in [0, 8, 16] {
        disk.leave(kib);
        let run = south.run(&["backup", to]);
        is_told(&run, kib);
        assert_eq!(
            backups(&kept),
            before,
            "nothing half made, and nothing gone"
        );
    }
    disk.empty();
    let good = kept.join(&before[0]);
    let good = good.to_str().expect("UTF-8");
    south.ok(&[
        "restore",
        good,
        "--check",
        "--words-file",
        "South-words.txt",
    ]);
    south.ok(&["backup", to]);
    let told = south.ok(&["backup", "--list"]);
    assert!(
        told.contains("No space left") || told.contains("room"),
        "{told}"
    );
}
