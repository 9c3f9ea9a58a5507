//! Backups by the real program: made while others write, killed at any moment, restored, scheduled; and
//! nothing of what they hold can be read in them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use crate::canary::needles::{Needle, Searcher};
use crate::support::chance::Chance;
use crate::support::hub::{ask, titles};
use crate::support::instance::{Instance, WB, text};
use crate::support::process::{Up, wait_until};

const EMAIL: &str = "lime-of-the-north@mail.example";
const TITLE: &str = "A cradle for the smallest of us";

/// How a frame of zstd begins.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

fn places_of(bytes: &[u8], start: &[u8]) -> Vec<usize> {
    let places = 0..bytes.len();
    places
        .filter(|at| bytes[*at..].starts_with(start))
        .collect()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// An instance with something to lose.
fn north(folder: &Path) -> Instance {
    let north = Instance::found(folder, "North", "keeper");
    north.ok(&["user", "add", "birch", "--email", EMAIL]);
    ask(&north, TITLE);
    north.ok(&["publish"]);
    north
}

/// Where North is restored to, and nothing else.
fn elsewhere(folder: &Path, name: &str) -> Instance {
    Instance::at(folder, name, Path::new(WB))
}

fn restore(to: &Instance, file: &str, more: &[&str]) -> Value {
    let words = ["restore", file, "--words-file", "North-words.txt"];
    to.json(&[&words[..], more].concat()).remove(0)
}

/// Everything `wb doctor` looks at is sound, but that there is no guard.
#[track_caller]
fn is_sound_but_for_the_guard(instance: &Instance) {
    let run = instance.run(&["--json", "doctor"]).ends(1);
    let unsound: Vec<Value> = run
        .json()
        .into_iter()
        .filter(|check| check["sound"] == false)
        .collect();
    assert_eq!(unsound.len(), 1, "{unsound:?}");
    assert!(text(&unsound[0], "check").contains("guard"), "{unsound:?}");
}

#[test]
fn a_backup_is_made_while_others_write_and_holds_a_moment_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    let arguments = ["--json", "up", "--listen", "127.0.0.1:0"];
    let up = Up::start(&mut north.command(&arguments));
    up.line("{");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut written = 0;
            while !done.load(Ordering::Relaxed) {
                ask(&north, &format!("Write {written:03}"));
                north.ok(&["user", "add", &format!("member{written}")]);
                written += 1;
            }
            written
        });
        for n in 0..5 {
            north.ok(&["backup", &format!("{n}.wbk")]);
        }
        done.store(true, Ordering::Relaxed);
        assert!(
            writing.join().expect("it writes") > 0,
            "nothing was written meanwhile"
        );
    });
    for n in 0..5 {
        let copy = elsewhere(folder.path(), &format!("Copy{n}"));
        restore(&copy, &format!("{n}.wbk"), &[]);
        is_sound_but_for_the_guard(&copy);
        // What was written is there from the first on, without a gap.
        let mut written: Vec<String> = titles(&copy);
        written.retain(|title| title.starts_with("Write "));
        written.sort();
        let expected: Vec<String> = (0..written.len())
            .map(|n| format!("Write {n:03}"))
            .collect();
        assert_eq!(written, expected);
        assert!(titles(&copy).contains(&TITLE.to_owned()));
        // An account is never there without its profile.
        let accounts = accounts(&copy.file("private.db"));
        let profiles = copy.json(&["user", "list"]).len();
        assert!(
            accounts <= profiles,
            "{accounts} accounts, {profiles} profiles"
        );
    }
    let (code, said) = up.signal("TERM");
    assert_eq!(code, Some(0), "{said}");
}

fn accounts(private: &Path) -> usize {
    let file = Connection::open(private).expect("a database");
    let sql = "SELECT count(*) FROM accounts";
    let count: u32 = file.query_row(sql, [], |row| row.get(0)).expect("a count");
    count.try_into().expect("few")
}

#[test]
fn what_a_backup_holds_cannot_be_read_in_it_and_the_guard_is_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    std::fs::write(
        north.file("config.toml"),
        "[node]\nhosts = \"lime-grove.example\"\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("secret.txt"),
        "a passphrase of some length\n",
    )
    .unwrap();
    north.ok(&["backup", "words.wbk"]);
    north.ok(&[
        "backup",
        "passphrase.wbk",
        "--passphrase-file",
        "secret.txt",
    ]);
    let key = std::fs::read_to_string(north.file("signing.key")).unwrap();
    let words = std::fs::read_to_string(folder.path().join("North-words.txt")).unwrap();
    let words = words.lines().find(|line| line.split(' ').count() == 12);
    let guard = std::fs::read_to_string(north.file("guard.json")).unwrap();
    let id = north.id();
    let mut needles: Vec<Needle> = [
        TITLE,
        EMAIL,
        &key,
        words.expect("words"),
        &guard,
        "SQLite format 3",
        &id,
    ]
    .into_iter()
    .map(|needle| Needle::text("backup", needle))
    .collect();
    needles.push(Needle::text("backup", "lime-grove"));
    let searcher = Searcher::new(&needles);
    for name in ["words.wbk", "passphrase.wbk"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        let found = searcher.find(&bytes);
        assert!(found.is_empty(), "{name}: {found:?}");
        // Nor after unpacking what may be packed in it.
        for at in places_of(&bytes, &ZSTD_MAGIC) {
            let mut plain = Vec::new();
            let unpacked = zstd::stream::copy_decode(&bytes[at..], &mut plain);
            let found = searcher.find(&plain);
            assert!(
                found.is_empty(),
                "{name}, unpacked ({unpacked:?}): {found:?}"
            );
        }
    }
    // The same search finds them where they are.
    let plain = std::fs::read(north.file("wb.db")).unwrap();
    assert!(!searcher.find(&plain).is_empty());
    let copy = elsewhere(folder.path(), "Copy");
    restore(&copy, "words.wbk", &[]);
    assert!(!copy.file("guard.json").exists());
    assert!(copy.file("config.toml").exists());
    // An older copy of itself publishes nothing, and what is written at home goes on.
    ask(&copy, "Another");
    copy.run(&["publish"]).ends(5);
    assert_eq!(copy.json(&["status"])[0]["suspect"], true);
}

#[test]
fn a_backup_that_is_killed_leaves_no_file_of_its_name_or_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    for n in 0..30 {
        ask(&north, &format!("Soup {n}"));
    }
    let mut chance = Chance::announced("killed backups");
    let (mut there, mut not_there) = (0, 0);
    for n in 0..30 {
        let name = format!("{n}.wbk");
        let up = Up::start(&mut north.command(&["backup", &name]));
        std::thread::sleep(Duration::from_millis(chance.below(220) as u64));
        up.kill();
        if folder.path().join(&name).exists() {
            there += 1;
            let check = [
                "restore",
                &name,
                "--check",
                "--words-file",
                "North-words.txt",
            ];
            north.run(&check).ends(0);
        } else {
            not_there += 1;
        }
        north.ok(&["doctor"]);
    }
    println!("{there} were made, {not_there} were not");
    assert!(not_there > 0, "no kill came in time");
    // What was left behind goes with the next command, and the next backup is made over half a one.
    let copies = || {
        let names = std::fs::read_dir(&north.home).unwrap();
        names
            .filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count()
    };
    assert_eq!(copies(), 0);
    std::fs::write(folder.path().join("again.wbk.partial"), "half").unwrap();
    north.ok(&["backup", "again.wbk"]);
    assert!(!folder.path().join("again.wbk.partial").exists());
}

#[test]
fn a_restore_that_is_killed_leaves_what_was_there_or_what_was_restored() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    north.ok(&["backup", "north.wbk"]);
    let mut chance = Chance::announced("killed restores");
    let arguments = [
        "restore",
        "north.wbk",
        "--words-file",
        "North-words.txt",
        "--replace",
    ];
    for _ in 0..25 {
        let up = Up::start(&mut north.command(&arguments));
        std::thread::sleep(Duration::from_millis(chance.below(260) as u64));
        up.kill();
        if north.file("signing.key").exists() {
            assert!(titles(&north).contains(&TITLE.to_owned()));
        } else {
            // Neither: then nothing was lost, and the same command goes on.
            north.run(&["status"]).ends(2);
            north.ok(&arguments);
        }
    }
    north.ok(&arguments);
    is_sound_but_for_the_guard(&north);
}

#[test]
fn what_is_there_is_not_replaced_unasked_nor_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    north.ok(&["backup", "north.wbk"]);
    ask(&north, "Later");
    let arguments = ["restore", "north.wbk", "--words-file", "North-words.txt"];
    let run = north.run(&arguments).ends(2);
    assert!(run.stderr.contains("--replace"), "{run:?}");
    let up = Up::start(&mut north.command(&["--json", "up", "--listen", "127.0.0.1:0"]));
    up.line("{");
    let run = north
        .run(&[&arguments[..], &["--replace"]].concat())
        .ends(5);
    assert!(run.stderr.contains("a wb is running"), "{run:?}");
    assert!(titles(&north).contains(&"Later".to_owned()));
    up.signal("TERM");
    let restored = restore(&north, "north.wbk", &["--replace"]);
    let aside = PathBuf::from(text(&restored, "replaced"));
    let aside = folder.path().join(aside);
    for name in ["wb.db", "private.db", "signing.key", "guard.json"] {
        assert!(aside.join(name).exists(), "{name}");
    }
    assert!(!titles(&north).contains(&"Later".to_owned()));
    assert!(
        !north.file("guard.json").exists(),
        "it would vouch for the copy"
    );
}

#[test]
fn an_instance_from_before_there_were_backups_brings_its_words_once() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    let private = Connection::open(north.file("private.db")).unwrap();
    let sql = "DELETE FROM backup_recipient";
    assert_eq!(private.execute(sql, []).unwrap(), 1);
    let run = north.run(&["backup", "a.wbk"]).ends(3);
    assert!(run.stderr.contains("--words-file"), "{run:?}");
    let south = Instance::found(folder.path(), "South", "ash");
    north
        .run(&["backup", "a.wbk", "--words-file", "South-words.txt"])
        .ends(1);
    assert!(!folder.path().join("a.wbk").exists());
    north.ok(&["backup", "a.wbk", "--words-file", "North-words.txt"]);
    north.ok(&["backup", "b.wbk"]);
    // South's words open nothing of North, and its folder takes nothing of North.
    let wrong = ["restore", "b.wbk", "--check", "--words-file"];
    south
        .run(&[&wrong[..], &["South-words.txt"]].concat())
        .ends(4);
    let other = [
        "restore",
        "b.wbk",
        "--replace",
        "--words-file",
        "North-words.txt",
    ];
    let run = south.run(&other).ends(5);
    assert!(run.stderr.contains("holds"), "{run:?}");
    assert_eq!(text(&south.json(&["status"])[0], "name"), "South");
}

#[test]
fn a_node_that_is_up_makes_backups_by_itself_and_says_how_old_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut north = north(folder.path());
    assert!(north.ok(&["status"]).contains("no backup was made yet"));
    let kept = folder.path().join("kept");
    north.environment = vec![("WB_BACKUP_DIR", kept.clone())];
    let up = Up::start(&mut north.command(&["--json", "up", "--listen", "127.0.0.1:0"]));
    up.line("{");
    let made = || -> Vec<String> {
        let names = std::fs::read_dir(&kept).into_iter().flatten();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".wbk")).collect()
    };
    wait_until("a backup is made", || !made().is_empty());
    let (code, said) = up.signal("TERM");
    assert_eq!(code, Some(0), "{said}");
    let name = made().remove(0);
    let start = format!("wb-{}-", &north.id()[..16]);
    assert!(name.starts_with(&start), "{name}");
    let file = kept.join(name);
    restore(&elsewhere(folder.path(), "Copy"), path(&file), &[]);
    let status = north.json(&["status"]).remove(0);
    assert_eq!(status["backup"]["last_good"]["scheduled"], true);
    assert_eq!(status["backup"]["is_late"], false);
    // One is enough for a day, also after another start.
    let up = Up::start(&mut north.command(&["--json", "up", "--listen", "127.0.0.1:0"]));
    up.line("{");
    std::thread::sleep(Duration::from_millis(500));
    up.signal("TERM");
    assert_eq!(made().len(), 1);
    // A folder that cannot be made costs nothing but the backup, and is told.
    let private = Connection::open(north.file("private.db")).unwrap();
    private
        .execute("UPDATE backups SET at = at - 864000000", [])
        .unwrap();
    std::fs::write(folder.path().join("file"), "no folder").unwrap();
    north.environment = vec![("WB_BACKUP_DIR", folder.path().join("file/below"))];
    let up = Up::start(&mut north.command(&["--json", "up", "--listen", "127.0.0.1:0"]));
    up.line("{");
    wait_until("the trouble is told", || {
        up.said().contains("older backups are as they were")
    });
    up.signal("TERM");
    let status = north.ok(&["status"]);
    assert!(
        status.contains("10 days old") && status.contains("wb backup FILE"),
        "{status}"
    );
    let backup = &north.json(&["status"])[0]["backup"];
    assert_eq!(backup["is_late"], true);
}

/// The private file as the version before wrote it.
const PRIVATE_3: &str = concat!(
    include_str!("../../../wb-store/src/migrations/private_0001.sql"),
    include_str!("../../../wb-store/src/migrations/private_0002.sql"),
    include_str!("../../../wb-store/src/migrations/private_0003.sql")
);

/// Puts a private file of the version before in the place of the newer, with what is in it.
fn make_older(home: &Path) {
    let path = home.join("private.db");
    let newer = home.join("newer");
    std::fs::rename(&path, &newer).expect("the older file");
    let old = Connection::open(&path).expect("the older file");
    old.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        .expect("the older file");
    old.execute_batch(PRIVATE_3).expect("the older file");
    old.execute_batch("PRAGMA application_id = 0x57425052; PRAGMA user_version = 3")
        .expect("the older file");
    old.execute("ATTACH ?1 AS newer", [path_text(&newer)])
        .expect("the older file");
    for table in ["secrets", "accounts", "contacts", "audit"] {
        old.execute(
            &format!("INSERT INTO {table} SELECT * FROM newer.{table}"),
            [],
        )
        .expect("the older file");
    }
    old.execute_batch("DETACH newer").expect("the older file");
    std::fs::remove_file(newer).expect("the older file");
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn an_upgrade_is_tried_on_copies_then_done_and_what_was_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    make_older(&north.home);
    let version = || -> i64 {
        let file = Connection::open(north.file("private.db")).unwrap();
        file.query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap()
    };
    let tried = north.json(&["upgrade", "--check"]).remove(0);
    assert_eq!(
        (&tried["good"], &tried["tried"]),
        (&true.into(), &true.into()),
        "{tried}"
    );
    let private = &tried["files"][1];
    assert_eq!(
        (text(private, "file"), &private["found"]),
        ("private.db", &3.into())
    );
    assert!(tried["needed_bytes"].as_u64() > Some(0) && tried["free_bytes"].as_u64() > Some(0));
    assert_eq!(version(), 3, "it was only tried");
    assert!(!north.file("private.db.v3.bak").exists());
    let done = north.json(&["upgrade"]).remove(0);
    assert_eq!(done["files"][1]["kept"], "private.db.v3.bak");
    assert!(version() > 3 && north.file("private.db.v3.bak").exists());
    north.ok(&["doctor"]);
    assert!(north.ok(&["user", "show", "birch"]).contains(EMAIL));
}

#[test]
fn an_upgrade_that_cannot_be_done_leaves_everything_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let north = north(folder.path());
    make_older(&north.home);
    let old = Connection::open(north.file("private.db")).unwrap();
    old.execute_batch("CREATE TABLE backups (mine TEXT); INSERT INTO backups VALUES ('kept')")
        .unwrap();
    drop(old);
    let run = north.run(&["upgrade", "--check"]).ends(1);
    assert!(run.stdout.contains("FAILED"), "{run:?}");
    for command in [
        &["status"][..],
        &["upgrade"],
        &["up", "--listen", "127.0.0.1:0"],
    ] {
        let run = north.run(command).ends(1);
        assert!(
            run.stderr
                .contains("private.db could not be brought from format 3"),
            "{run:?}"
        );
        assert!(run.stderr.contains("your data is safe"), "{run:?}");
    }
    let old = Connection::open(north.file("private.db")).unwrap();
    let sql = "SELECT mine || (SELECT user_version FROM pragma_user_version) FROM backups";
    let kept: String = old.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "kept3");
}
