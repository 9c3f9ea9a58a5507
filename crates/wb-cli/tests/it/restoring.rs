//! The story of a lost disk by the real program: a backup of Monday, work on Tuesday, and what comes back of it
//! from a hub, from a bundle, and from the sheet of words alone.

use std::path::Path;

use serde_json::Value;

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, WB, text};

/// North, South who follows it, and a hub between.
fn street(folder: &Path) -> (Hub, Instance, Instance) {
    let hub = Hub::start(folder, "Harbour", "open");
    let north = Instance::found(folder, "North", "keeper");
    let south = Instance::found(folder, "South", "keeper");
    for instance in [&north, &south] {
        instance.ok(&["hub", "register", &hub.link(), "--yes"]);
    }
    south.ok(&["follow", &north.id(), "--yes"]);
    (hub, north, south)
}

/// A backup, opened by the words on the sheet.
fn backup(north: &Instance) {
    north.ok(&["backup", "monday.wbb"]);
}

/// The disk is lost; what is left is put into another folder.
fn elsewhere(folder: &Path) -> Instance {
    std::fs::rename(folder.join("North"), folder.join("lost")).expect("a folder");
    let again = Instance::at(folder, "Again", Path::new(WB));
    again.ok(&["restore", "monday.wbb", "--words-file", "North-words.txt"]);
    again
}

fn headlines<'v>(restored: &'v Value, list: &str) -> Vec<&'v str> {
    let told = restored[list].as_array().expect("a list");
    told.iter().map(|told| text(told, "headline")).collect()
}

fn settle(instance: &Instance, more: &[&str]) -> Value {
    instance.json(&[&["restore"], more].concat()).remove(0)
}

/// Nothing was set aside at a follower, and it shows what its origin shares.
#[track_caller]
fn sees_no_fork(follower: &Instance, shared: &[&str]) {
    assert_eq!(titles(follower), shared);
    let status = follower.json(&["status"]).remove(0);
    assert_eq!(status["held"], serde_json::json!([]), "{status}");
    let origins = status["instances"].as_array().expect("a list");
    assert!(
        origins.iter().all(|origin| origin["forked"] != true),
        "{status}"
    );
}

#[test]
fn what_was_published_after_a_backup_comes_back_from_the_hub() {
    let dir = tempfile::tempdir().expect("a folder");
    let (_hub, north, south) = street(dir.path());
    ask(&north, "Of Monday");
    let unshared = ask(&north, "Taken back on Tuesday");
    north.ok(&["sync"]);
    backup(&north);
    ask(&north, "Of Tuesday");
    north.ok(&["record", "unshare", &unshared]);
    north.ok(&["sync"]);
    south.ok(&["sync"]);
    sees_no_fork(&south, &["Of Monday", "Of Tuesday"]);

    let again = elsewhere(dir.path());
    let refused = again.run(&["publish"]).ends(5);
    assert!(refused.stderr.contains("wb restore"), "{}", refused.stderr);
    let restored = settle(&again, &[]);

    assert_eq!(headlines(&restored, "came_back"), ["Of Tuesday"]);
    assert_eq!(headlines(&restored, "private"), ["Taken back on Tuesday"]);
    assert_eq!(restored["private_unsure"], 0);
    ask(&again, "Of Wednesday");
    again.ok(&["sync"]);
    south.ok(&["sync"]);
    sees_no_fork(&south, &["Of Monday", "Of Tuesday", "Of Wednesday"]);
    again.ok(&["doctor"]);
    // Somebody finds the old disk: it is told, and disturbs nobody.
    std::fs::rename(dir.path().join("lost"), dir.path().join("North")).expect("a folder");
    ask(&north, "Of the old disk");
    let held = north.run(&["sync"]).ends(5);
    assert!(held.stdout.contains("was settled"), "{}", held.stdout);
    north.run(&["publish"]).ends(5);
    again.ok(&["sync"]);
    south.ok(&["sync"]);
    sees_no_fork(&south, &["Of Monday", "Of Tuesday", "Of Wednesday"]);
}

#[test]
fn the_same_with_a_bundle_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut hub, north, south) = street(dir.path());
    ask(&north, "Of Monday");
    north.ok(&["sync"]);
    backup(&north);
    ask(&north, "Of Tuesday");
    north.ok(&["sync"]);
    south.ok(&["sync"]);
    hub.kill();
    south.ok(&["bundle", "export", "south.bundle", "--offline"]);

    let again = elsewhere(dir.path());
    let refused = again.run(&["restore"]).ends(6);
    assert!(refused.stderr.contains("--offline"), "{}", refused.stderr);
    let restored = settle(&again, &["--from", "south.bundle"]);

    assert_eq!(headlines(&restored, "came_back"), ["Of Tuesday"]);
    ask(&again, "Of Wednesday");
    again.run(&["bundle", "export", "north.bundle"]).ends(6);
    again.ok(&["bundle", "export", "north.bundle", "--offline"]);
    south.ok(&["bundle", "import", "north.bundle", "--yes"]);
    sees_no_fork(&south, &["Of Monday", "Of Tuesday", "Of Wednesday"]);
    hub.back();
    again.ok(&["sync"]);
    south.ok(&["sync"]);
    sees_no_fork(&south, &["Of Monday", "Of Tuesday", "Of Wednesday"]);
}

fn from_words(folder: &Path, place: &str, sheet: &str) -> Instance {
    let again = Instance::at(folder, "Again", Path::new(WB));
    let new = ["--new-words-file", "new-words.txt", "--admin", "warden"];
    let words = ["restore", "--words", place, "--words-file", sheet];
    again.ok(&[&words[..], &new].concat());
    again
}

#[test]
fn the_same_with_the_sheet_of_words_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let (hub, north, south) = street(dir.path());
    let id = north.id();
    ask(&north, "Of Monday");
    let unshared = ask(&north, "Taken back on Tuesday");
    north.ok(&["sync"]);
    ask(&north, "Of Tuesday");
    north.ok(&["record", "unshare", &unshared]);
    north.ok(&["sync"]);
    south.ok(&["sync"]);
    std::fs::remove_dir_all(dir.path().join("North")).expect("it is lost");

    let again = from_words(dir.path(), hub.address(), "North-words.txt");

    assert_eq!(again.id(), id);
    assert_eq!(titles(&again), ["Of Monday", "Of Tuesday"]);
    ask(&again, "Of Wednesday");
    again.ok(&["sync"]);
    south.ok(&["sync"]);
    sees_no_fork(&south, &["Of Monday", "Of Tuesday", "Of Wednesday"]);
    again.ok(&["doctor"]);
    // The old words are dead.
    let other = Instance::at(dir.path(), "Other", Path::new(WB));
    let words = ["restore", "--words", hub.address(), "--words-file"];
    let more = ["North-words.txt", "--new-words-file", "other-words.txt"];
    let refused = other.run(&[&words[..], &more].concat());
    assert_ne!(refused.code, Some(0), "{}", refused.stdout);
    assert!(!dir.path().join("other-words.txt").exists());
    // And the new ones work, also with nothing but a bundle.
    south.ok(&["bundle", "export", "south.bundle"]);
    std::fs::remove_dir_all(dir.path().join("Again")).expect("it is lost");
    let third = Instance::at(dir.path(), "Third", Path::new(WB));
    let words = ["restore", "--words", "south.bundle", "--words-file"];
    let more = ["new-words.txt", "--new-words-file", "third-words.txt"];
    third.ok(&[&words[..], &more].concat());
    assert_eq!(third.id(), id);
    assert_eq!(titles(&third), ["Of Monday", "Of Tuesday", "Of Wednesday"]);
}
