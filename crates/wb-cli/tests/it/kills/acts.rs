//! The acts that are cut off: what each begins from, what is killed, and what must hold afterwards.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::check::{self, Written};
use super::world::{REQUESTS, World};
use crate::support::database::{count, live_lines, live_lines_in};
use crate::support::instance::Instance;

/// What North's members wrote: its requests, its card, and their two profiles.
const WRITTEN: usize = REQUESTS + 3;
/// The lines of North when all of it is sealed: who wrote nothing that leaves stays home.
pub const LINES: usize = REQUESTS + 2;

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// The command itself.
    Command,
    /// The hub, while the command talks to it.
    Hub,
}

/// One act.
pub struct Act {
    /// Its name in the table.
    pub name: &'static str,
    /// Who is killed.
    pub victim: Victim,
    /// Makes what is there before the first kill.
    pub set_up: fn(&mut World<'_>),
    /// Brings everything back to the beginning, so that there is something to cut off.
    pub begin: fn(&mut World<'_>),
    /// What is run.
    pub command: fn(&World<'_>) -> Command,
    /// Whether doing it again is what a person does then.
    pub can_be_repeated: bool,
    /// Words that it says when it is done.
    pub says: &'static str,
    /// What must hold after a kill, and whether it said before that it was done.
    pub check: fn(&mut World<'_>, bool),
    /// Goes on from the last kill to the end.
    pub end: fn(&mut World<'_>),
}

/// All of them.
pub const ACTS: &[Act] = &[
    Act {
        name: "publish",
        victim: Victim::Command,
        set_up: |_| {},
        begin: |world| world.put("north-marked", &world.north.home),
        command: |world| world.north.command(&["publish"]),
        can_be_repeated: true,
        says: "Sealed",
        check: |world, is_done| publishes_all_or_nothing(&world.north, is_done),
        end: |world| {
            world.north.ok(&["publish"]);
        },
    },
    Act {
        name: "sync, pushing",
        victim: Victim::Command,
        set_up: north_at_a_hub,
        begin: begin_at_the_hub,
        command: |world| world.north.command(&["sync"]),
        can_be_repeated: true,
        says: "gave ",
        check: |world, is_done| {
            publishes_all_or_nothing(&world.north, is_done);
            hub_holds_no_more(world);
            if is_done {
                assert_eq!(hub_lines(world), LINES, "it said that it gave it");
            }
        },
        end: |_| {},
    },
    Act {
        name: "sync, pulling",
        victim: Victim::Command,
        set_up: south_at_a_hub,
        begin: |world| world.put("south-follows", &world.south.home),
        command: |world| world.south.command(&["sync", "--pull"]),
        can_be_repeated: true,
        says: "took ",
        check: |world, is_done| takes_all_or_nothing(world, is_done),
        end: |_| {},
    },
    Act {
        name: "bundle import",
        victim: Victim::Command,
        set_up: |world| world.put("north-sealed", &world.north.home),
        begin: |world| world.put("south-founded", &world.south.home),
        command: |world| {
            world
                .south
                .command(&["bundle", "import", "north.wbb", "--yes"])
        },
        can_be_repeated: true,
        says: "Imported",
        check: |world, is_done| takes_all_or_nothing(world, is_done),
        end: |world| {
            world.south.ok(&["bundle", "import", "north.wbb", "--yes"]);
            world.south.ok(&["bundle", "import", "north.wbb", "--yes"]);
        },
    },
    Act {
        name: "import whiteballoon",
        victim: Victim::Command,
        set_up: |_| {},
        begin: |world| world.put("north-founded", &world.north.home),
        command: |world| {
            let words = ["import", "whiteballoon", "much.db"];
            world.north.command(&words)
        },
        can_be_repeated: true,
        says: "Moved over",
        check: |world, is_done| moves_over_once(world, is_done),
        end: |world| {
            world.north.ok(&["import", "whiteballoon", "much.db"]);
            moves_over_once(world, true);
            world.north.ok(&["publish"]);
        },
    },
    Act {
        name: "rebuild",
        victim: Victim::Command,
        set_up: |world| world.put("north-sealed", &world.north.home),
        begin: |_| {},
        command: |world| world.north.command(&["rebuild"]),
        can_be_repeated: true,
        says: "Rebuilt",
        check: |world, _| publishes_all_or_nothing(&world.north, true),
        end: |_| {},
    },
    Act {
        name: "init",
        victim: Victim::Command,
        set_up: |_| {},
        begin: |world| {
            for path in [world.file("New"), world.file("new-words.txt")] {
                // Whatever the last kill left.
                drop(fs::remove_dir_all(&path));
                drop(fs::remove_file(&path));
            }
        },
        command: |world| new(world).command(FOUND_NEW),
        can_be_repeated: false,
        says: "Founded",
        check: |world, is_done| founds_or_does_not(world, is_done),
        end: |world| {
            world.put("north-sealed", &world.north.home);
        },
    },
    Act {
        name: "migration",
        victim: Victim::Command,
        set_up: |_| {},
        begin: |world| world.put("north-version-1", &world.north.home),
        command: |world| world.north.command(&["status"]),
        can_be_repeated: true,
        says: "folder",
        check: |world, _| publishes_all_or_nothing(&world.north, true),
        end: |world| {
            world.north.ok(&["status"]);
        },
    },
    Act {
        name: "hub, pushed to",
        victim: Victim::Hub,
        set_up: north_at_a_hub,
        begin: begin_at_the_hub,
        command: |world| world.north.command(&["sync"]),
        can_be_repeated: true,
        says: "gave ",
        check: |world, is_done| {
            check::is_sound(&world.hub().instance);
            let held = hub_lines(world);
            assert!([0, LINES].contains(&held), "half a delta: {held}");
            if is_done {
                assert_eq!(held, LINES, "it said that it had it");
            }
            hub_holds_no_more(world);
        },
        end: |_| {},
    },
    Act {
        name: "hub, pulled from",
        victim: Victim::Hub,
        set_up: south_at_a_hub,
        begin: |world| world.put("south-follows", &world.south.home),
        command: |world| world.south.command(&["sync", "--pull"]),
        can_be_repeated: true,
        says: "took ",
        check: |world, is_done| {
            check::is_sound(&world.hub().instance);
            assert_eq!(hub_lines(world), LINES);
            takes_all_or_nothing(world, is_done);
        },
        end: |_| {},
    },
];

/// North with everything marked, registered at a hub that has nothing of it.
fn north_at_a_hub(world: &mut World<'_>) {
    world.put("north-marked", &world.north.home);
    let link = world.hub().link();
    world.north.ok(&["hub", "register", &link]);
    world.keep(&world.north.home, "north-registered");
    world.hub().kill();
    let home = world.hub().instance.home.clone();
    world.keep(&home, "hub-empty");
    world.hub().back();
}

fn begin_at_the_hub(world: &mut World<'_>) {
    world.hub().kill();
    let home = world.hub().instance.home.clone();
    world.put("hub-empty", &home);
    world.put("north-registered", &world.north.home);
    world.hub().back();
}

/// South following North, of which the hub has everything.
fn south_at_a_hub(world: &mut World<'_>) {
    world.put("north-sealed", &world.north.home);
    world.put("south-founded", &world.south.home);
    let link = world.hub().link();
    world.north.ok(&["hub", "register", &link]);
    world.north.ok(&["sync"]);
    world.south.ok(&["hub", "register", &link]);
    let north = world.north_id().to_owned();
    world.south.ok(&["follow", &north]);
    world.keep(&world.south.home, "south-follows");
}

fn publishes_all_or_nothing(north: &Instance, is_done: bool) {
    check::is_sound(north);
    let written = Written::of(&north.home);
    assert_eq!(written.records.len(), WRITTEN, "what was written");
    assert_eq!(written.accounts.len(), 2);
    let sealed = check::sealed(&north.home);
    assert!([0, LINES].contains(&sealed), "half of it: {sealed}");
    if is_done {
        assert_eq!(sealed, LINES, "it said that it was sealed");
    }
}

fn hub_lines(world: &mut World<'_>) -> usize {
    let sql = "SELECT count(*) FROM feed_lines WHERE live = 1";
    count(&world.hub().instance.file("hub.db"), sql)
}

/// Published means on the disk before it was sent: a hub never has what North has not.
fn hub_holds_no_more(world: &mut World<'_>) {
    let north = world.north_id().to_owned();
    let at_hub = live_lines_in(&world.hub().instance.file("hub.db"), &north);
    let own = live_lines(&world.north.home, &north);
    assert!(at_hub.is_subset(&own), "sent before it was on the disk");
}

fn takes_all_or_nothing(world: &World<'_>, is_done: bool) {
    check::is_sound(&world.south);
    let held = live_lines(&world.south.home, world.north_id());
    if is_done || !held.is_empty() {
        let own = live_lines(&world.north.home, world.north_id());
        assert!(held == own, "half of it: {} of {}", held.len(), own.len());
    }
}

fn moves_over_once(world: &World<'_>, is_done: bool) {
    check::is_sound(&world.north);
    let main = world.north.file("wb.db");
    let sql = "SELECT count(*) FROM local_records WHERE kind = 'request'";
    let all = count(&main, sql);
    let distinct = "SELECT count(DISTINCT body) FROM local_records WHERE kind = 'request'";
    assert_eq!(all, count(&main, distinct), "a request moved twice");
    if is_done {
        assert_eq!(all, REQUESTS);
        assert_eq!(Written::of(&world.north.home).accounts.len(), 2);
    }
}

const FOUND_NEW: &[&str] = &[
    "init",
    "--name",
    "New",
    "--admin",
    "keeper",
    "--words-file",
    "new-words.txt",
];

fn new(world: &World<'_>) -> Instance {
    let folder = world.file("");
    Instance::at(&folder, "New", &world.north.program)
}

/// There is an instance with its words, or there is none and the person is told what to do.
fn founds_or_does_not(world: &World<'_>, is_done: bool) {
    let instance = new(world);
    let words = world.file("new-words.txt");
    if instance.file("signing.key").exists() {
        check::is_sound(&instance);
        instance.ok(&["status"]);
        has_its_words(&words, &instance.id());
        return;
    }
    assert!(!is_done, "it said that it was founded");
    if instance.file("wb.db").exists() {
        let run = instance.run(FOUND_NEW).ends(1);
        assert!(
            run.stderr.contains("remove the folder and found again"),
            "{run:?}"
        );
        fs::remove_dir_all(&instance.home).expect("it is there");
    }
    // A sheet without an instance is in the way of no other sheet; another name is asked for.
    if words.exists() {
        instance.run(FOUND_NEW).ends(1);
        fs::remove_file(&words).expect("it is there");
    }
    instance.ok(FOUND_NEW);
    check::is_sound(&instance);
    has_its_words(&words, &instance.id());
}

fn has_its_words(sheet: &Path, id: &str) {
    let text = fs::read_to_string(sheet).expect("the words of an instance are on their sheet");
    assert!(
        text.contains(id) && text.ends_with("make them again.\n"),
        "{text}"
    );
}
