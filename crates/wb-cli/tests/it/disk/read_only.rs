//! A disk that nothing can be written to: everything that reads works, and says the same as before.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::mount::Disk;
use super::{read_all, tells};
use crate::support::hub::{Hub, ask};
use crate::support::instance::{Instance, WB};

const DISK_KIB: u64 = 12 * 1_024;
/// What a person is told to do.
const ACTION: &str = "Make the disk or the folder writable";

/// A member of a hub, with requests of its own, and a bundle of them that is on another disk.
fn member(disk: &Disk, hub: &Hub) -> (Instance, String) {
    let folder = disk.elsewhere();
    let north = Instance::found(folder, "North", "keeper");
    ask(&north, "Soup");
    ask(&north, "Bread");
    north.ok(&["hub", "register", &hub.link()]);
    north.ok(&["sync"]);
    ask(&north, "Firewood");
    let bundle = folder.join("north.wbb");
    let bundle = bundle.to_str().expect("UTF-8").to_owned();
    Instance::found(folder, "South", "ash").ok(&["bundle", "export", &bundle]);
    (north, bundle)
}

fn put(disk: &Disk, home: &Path) -> Instance {
    let target = disk.path().join("North");
    drop(fs::remove_dir_all(&target));
    fs::create_dir(&target).expect("a folder");
    for entry in fs::read_dir(home).expect("a home") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), target.join(entry.file_name())).expect("a copy");
    }
    Instance::at(disk.path(), "North", Path::new(WB))
}

/// The same, with the folder's name taken out.
fn said(instance: &Instance, bundle: &str) -> Vec<String> {
    let home = instance.home.display().to_string();
    let said = read_all(instance, bundle).into_iter();
    said.map(|text| text.replace(&home, "HOME")).collect()
}

fn refuses_to_write(instance: &Instance, bundle: &str) {
    let title = ["--title", "Oats", "--description", "A sack."];
    let commands: &[&[&str]] = &[
        &["publish"],
        &[&["request", "add"], &title[..]].concat(),
        &["user", "add", "elm"],
        &["sync"],
        &["rebuild"],
        &["bundle", "import", bundle, "--yes"],
        &["hub", "up", "--listen", "127.0.0.1:0"],
    ];
    for words in commands {
        tells(instance.run(words), "read-only", ACTION);
    }
}

#[test]
fn a_folder_that_was_closed_is_read_where_nothing_can_be_written() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let hub = Hub::start(disk.elsewhere(), "Harbour", "open");
    let (north, bundle) = member(&disk, &hub);
    let copy = put(&disk, &north.home);
    let before = said(&north, &bundle);
    disk.read_only();
    assert_eq!(said(&copy, &bundle), before);
    refuses_to_write(&copy, &bundle);
    let new = Instance::at(disk.path(), "New", Path::new(WB));
    let words = disk.elsewhere().join("new.txt");
    let run = new.run(&[
        "init",
        "--name",
        "New",
        "--words-file",
        words.to_str().expect("UTF-8"),
    ]);
    tells(run, "Read-only file system", ACTION);
    disk.writable();
    copy.ok(&["sync"]);
    copy.ok(&["doctor"]);
}

/// A copy made while a process has the files open: what was committed last is in the log only.
#[test]
fn a_folder_that_was_not_closed_is_read_with_what_is_in_its_log() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let hub = Hub::start(disk.elsewhere(), "Harbour", "open");
    let (north, bundle) = member(&disk, &hub);
    let holds: Vec<Connection> = ["wb.db", "private.db"]
        .map(|name| Connection::open(north.file(name)).expect("it opens"))
        .into();
    for connection in &holds {
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .expect("it reads");
        assert!(tables > 0);
    }
    ask(&north, "In the log only");
    let copy = put(&disk, &north.home);
    assert!(fs::metadata(copy.file("wb.db-wal")).expect("a log").len() > 0);
    let before = said(&north, &bundle);
    assert!(before.concat().contains("In the log only"));
    disk.read_only();
    assert_eq!(said(&copy, &bundle), before);
    refuses_to_write(&copy, &bundle);
    // Without the index of the log there is no reading it: that is said, and nothing is shown that is old.
    disk.writable();
    fs::remove_file(copy.file("wb.db-shm")).expect("an index");
    disk.read_only();
    tells(
        copy.run(&["status"]),
        "was not closed",
        "copy the whole folder",
    );
    disk.writable();
    assert_eq!(said(&copy, &bundle), before);
}

#[test]
fn the_folder_of_a_hub_is_read_where_nothing_can_be_written() {
    let Some(disk) = Disk::new(DISK_KIB) else {
        return;
    };
    let mut hub = Hub::start(disk.path(), "Harbour", "open");
    let (north, _) = member(&disk, &hub);
    hub.kill();
    let commands: &[&[&str]] = &[
        &["--json", "status"],
        &["--json", "hub", "list"],
        &["doctor"],
    ];
    let said = |hub: &Hub| {
        commands
            .iter()
            .map(|words| hub.instance.ok(words))
            .collect::<Vec<_>>()
    };
    let before = said(&hub);
    disk.read_only();
    assert_eq!(said(&hub), before);
    disk.writable();
    hub.back();
    north.ok(&["sync"]);
}
