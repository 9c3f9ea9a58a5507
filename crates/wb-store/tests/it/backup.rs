//! Copies as of one moment, places of restored files, and the way back from an upgrade.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use wb_core::backup::PartName;
use wb_core::id::RecordId;
use wb_core::scope::Scope;
use wb_store::{
    BackupRow, Draft, Home, InUse, Placing, Store, StoreError, rehearse_upgrade, upgrade,
};

use crate::node::Node;
use crate::origin::now;

fn count(path: &Path, table: &str) -> u32 {
    let file = Connection::open(path).expect("a database");
    let sql = format!("SELECT count(*) FROM {table}");
    file.query_row(&sql, [], |row| row.get(0)).expect("a count")
}

/// A draft, and a row of the main file that belongs to it: what an act over two files writes.
fn act(store: &mut Store, n: u8) {
    let id = RecordId::new(now(), [n; 10]);
    let main = Connection::open(store.home().main()).expect("the main file");
    main.execute(
        "INSERT INTO meta (key, value) VALUES (?1, 'x')",
        [format!("act {n}")],
    )
    .expect("a row");
    let draft = Draft {
        id,
        author: None,
        scope: Scope::Private,
        title: "Soup".to_owned(),
        description: String::new(),
        at: now(),
        created_at: now(),
    };
    store.private().put_draft(&draft).expect("a draft");
}

/// The copies of both files are of one moment, however long the first takes and whatever is written while it
/// is copied.
#[test]
fn what_is_written_while_copies_are_made_is_in_none_of_them() {
    let mut node = Node::new();
    act(&mut node.store, 1);
    let metas = count(&node.home.main(), "meta");
    let mut writer = Store::open(&node.home).expect("another process");
    let mut written = 1;
    let copies = node
        .store
        .copy_all(true, &mut |_, _| {
            written += 1;
            act(&mut writer, written);
            ControlFlow::Continue(())
        })
        .expect("copies");
    assert!(
        written > 2,
        "both files were being copied while it was written"
    );
    assert_eq!(count(&copies.path(PartName::Main), "meta"), metas);
    assert_eq!(count(&copies.path(PartName::Private), "drafts"), 1);
    assert_eq!(
        count(&node.home.private(), "drafts"),
        u32::from(written),
        "nobody was kept from writing"
    );
}

#[test]
fn a_backup_has_everything_but_guard_and_locks() {
    let node = Node::new();
    std::fs::write(node.home.config(), "[sync]\nevery_minutes = 5\n").expect("settings");
    std::fs::write(node.home.dir().join("signing.key.next"), "next").expect("a key");
    let copies = node
        .store
        .copy_all(true, &mut |_, _| ControlFlow::Continue(()))
        .expect("copies");
    let without_hub: Vec<PartName> = PartName::ALL
        .into_iter()
        .filter(|name| *name != PartName::Hub)
        .collect();
    assert_eq!(copies.names, without_hub);
    let dir = copies
        .path(PartName::Main)
        .parent()
        .expect("a folder")
        .to_owned();
    let names = std::fs::read_dir(&dir).expect("a folder");
    let names = names.map(|entry| {
        entry
            .expect("a file")
            .file_name()
            .into_string()
            .expect("text")
    });
    let mut expected: BTreeSet<String> = copies.names.iter().map(ToString::to_string).collect();
    expected.insert("in-use".to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), expected);
    drop(copies);
    assert!(!dir.exists(), "copies go with what holds them");
}

#[test]
fn whoever_says_stop_leaves_nothing_behind() {
    let node = Node::new();
    let stopped = node
        .store
        .copy_all(true, &mut |_, _| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(StoreError::Stopped)), "{stopped:?}");
    let names = std::fs::read_dir(node.home.dir()).expect("a folder");
    let left = names.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir()));
    assert_eq!(left.count(), 0);
}

/// Unpacks what a node is into a folder.
fn place(
    node: &Node,
    home: &Home,
    replace: bool,
) -> Result<Option<std::path::PathBuf>, StoreError> {
    let copies = node
        .store
        .copy_all(true, &mut |_, _| ControlFlow::Continue(()))?;
    let placing = Placing::begin(home, replace)?;
    for name in &copies.names {
        std::fs::copy(copies.path(*name), placing.path(*name)).expect("a copy");
    }
    let (id, findings) = placing.check()?;
    assert_eq!(id, node.store.own_id()?);
    assert!(findings.iter().all(|finding| finding.problems.is_empty()));
    Ok(placing.finish(&copies.names, "now")?.dir)
}

#[test]
fn a_restored_folder_is_an_older_copy_and_what_was_there_is_kept() {
    let node = Node::new();
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::new(dir.path().join("restored"));
    assert_eq!(place(&node, &home, false).expect("restored"), None);
    assert!(!home.guard().exists());
    let store = Store::open(&home).expect("an instance");
    assert_eq!(store.guard(), wb_store::GuardStanding::Suspect);
    drop(store);
    std::fs::write(home.guard(), "{}").expect("a guard of before");
    let refused = place(&node, &home, false);
    assert!(
        matches!(refused, Err(StoreError::AlreadyFounded(_))),
        "{refused:?}"
    );
    let aside = place(&node, &home, true)
        .expect("restored")
        .expect("a folder");
    for name in ["wb.db", "private.db", "signing.key", "guard.json"] {
        assert!(aside.join(name).exists(), "{name}");
    }
    let again = place(&node, &home, true)
        .expect("restored")
        .expect("a folder");
    assert!(again != aside && aside.join("guard.json").exists());
    assert!(
        !home.guard().exists(),
        "a guard of before would vouch for the copy"
    );
}

#[test]
fn nothing_is_placed_where_something_runs() {
    let node = Node::new();
    let runs = InUse::share(&node.home)
        .expect("a lock")
        .expect("it can be written");
    let also = InUse::share(&node.home).expect("several may run");
    let refused = Placing::begin(&node.home, true);
    assert!(matches!(refused, Err(StoreError::Runs(_))), "{refused:?}");
    drop((runs, also));
    let placing = Placing::begin(&node.home, true).expect("nothing runs");
    let refused = InUse::share(&node.home);
    assert!(matches!(refused, Err(StoreError::Runs(_))), "{refused:?}");
    drop(placing);
}

#[test]
fn backups_are_remembered_and_the_last_good_one_is_found() {
    let node = Node::new();
    let private = node.store.private();
    let row = |n: i64, problem: Option<&str>, scheduled| BackupRow {
        at: now().plus_ms(n),
        path: format!("/backups/{n}"),
        scheduled,
        bytes: 7,
        sha256: problem.is_none().then_some(wb_core::hash::sha256(b"x")),
        problem: problem.map(str::to_owned),
    };
    let rows = [
        row(1, None, true),
        row(2, None, false),
        row(3, Some("full"), true),
    ];
    for row in &rows {
        private.put_backup(row).expect("a row");
    }
    assert_eq!(
        private.last_good_backup().expect("a row").as_ref(),
        Some(&rows[1])
    );
    assert_eq!(
        private.last_scheduled_backup().expect("a row").as_ref(),
        Some(&rows[2])
    );
    assert_eq!(
        private.backups(2).expect("rows"),
        [rows[2].clone(), rows[1].clone()]
    );
    for n in 0..600 {
        private.put_backup(&row(n, None, true)).expect("a row");
    }
    let kept = private.backups(1_000).expect("rows").len();
    assert_eq!(kept, wb_store::BACKUPS_MAX);
}

/// The format of the private file that this program writes.
fn newest(home: &Home) -> i64 {
    let file = Connection::open(home.private()).expect("the private file");
    let version = file.query_row("PRAGMA user_version", [], |row| row.get(0));
    version.expect("a version")
}

#[test]
fn the_way_back_from_a_newer_program_is_a_command_that_works() {
    let mut node = Node::new();
    act(&mut node.store, 1);
    drop(std::mem::replace(&mut node.store, Node::new().store));
    let known = newest(&node.home);
    // A newer program came, kept what was, and wrote on.
    let snapshot = node.home.dir().join(format!("private.db.v{known}.bak"));
    std::fs::copy(node.home.private(), &snapshot).expect("a copy");
    let newer = Connection::open(node.home.private()).expect("the private file");
    newer
        .execute_batch("DELETE FROM drafts; PRAGMA user_version = 9999")
        .expect("a newer format");
    drop(newer);
    let Err(StoreError::Newer {
        file,
        found: 9_999,
        way_back: Some(way_back),
        ..
    }) = Store::open(&node.home)
    else {
        panic!("it is refused with the way back");
    };
    assert_eq!(file, "private.db");
    let done = Command::new("sh")
        .args(["-c", &way_back])
        .output()
        .expect("sh runs");
    assert!(done.status.success(), "{way_back}: {done:?}");
    let store = Store::open(&node.home).expect("what it was");
    assert_eq!(store.private().drafts().expect("drafts").len(), 1);
    assert!(node.home.dir().join("newer/private.db").exists());
    // Where there is no copy, there is no such command.
    let newer = Connection::open(node.home.main()).expect("the main file");
    newer
        .execute_batch("PRAGMA user_version = 9999")
        .expect("a newer format");
    drop((newer, store));
    let refused = Store::open(&node.home);
    assert!(matches!(
        refused,
        Err(StoreError::Newer { way_back: None, .. })
    ));
}

#[test]
fn a_copy_from_before_an_upgrade_goes_after_its_time() {
    let node = Node::new();
    let kept = node.home.dir().join("wb.db.v1.bak");
    std::fs::write(&kept, "x").expect("a file");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let made = |days: u64| {
        let file = std::fs::File::options()
            .write(true)
            .open(&kept)
            .expect("a file");
        file.set_modified(now - Duration::from_secs(days * 86_400))
            .expect("a time");
    };
    made(wb_store::SNAPSHOT_DAYS - 1);
    assert!(node.home.drop_old_snapshots(now).is_empty());
    made(wb_store::SNAPSHOT_DAYS);
    assert_eq!(node.home.drop_old_snapshots(now), [kept]);
}

#[test]
fn an_upgrade_can_be_tried_and_changes_nothing_then() {
    let node = Node::new();
    let rehearsal = rehearse_upgrade(&node.home).expect("copies");
    assert!(rehearsal.is_good(), "{rehearsal:?}");
    assert!(!rehearsal.files.iter().any(wb_store::FileUpgrade::is_due));
    assert!(rehearsal.findings.len() > 5, "everything is looked at");
    let files = upgrade(&node.home).expect("nothing to do");
    assert_eq!(files.len(), 2);
    let nowhere = Home::new(node.home.dir().join("nowhere"));
    assert!(matches!(
        rehearse_upgrade(&nowhere),
        Err(StoreError::NoInstance(_))
    ));
}
