//! Folders that an act is begun from again and again: copies of homes that were closed in good order.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::chance::Chance;
use crate::support::hub::Hub;
use crate::support::instance::{Instance, WB};
use crate::support::much;

/// Requests that North shares: enough that a transaction takes a while.
pub const REQUESTS: usize = 160;
/// Bytes of a request's description.
const DESCRIPTION_BYTES: usize = 1_200;

/// The tables of version 1 of the main file, as that version made them.
const MAIN_1: &str = concat!(
    include_str!("../../../../wb-store/src/migrations/feeds_0001.sql"),
    include_str!("../../../../wb-store/src/migrations/main_0001.sql")
);
/// What stands in every main file.
const APPLICATION_ID: i64 = 0x5742_4d41;

/// Homes made once, by name, in one folder. None of them is ever opened where it lies.
pub struct Templates {
    folder: TempDir,
    /// The id of North.
    pub north: String,
}

impl Templates {
    /// Founds North and South and brings them as far as the acts begin.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let mut chance = Chance::announced("kills: what is written");
        much::write(
            &path.join("much.db"),
            REQUESTS,
            DESCRIPTION_BYTES,
            &mut chance,
        );
        let north = Instance::found(path, "North", "keeper");
        let id = north.id();
        copy_home(&north.home, &path.join("north-founded"));
        north.ok(&["import", "whiteballoon", "much.db"]);
        copy_home(&north.home, &path.join("north-marked"));
        north.ok(&["publish"]);
        copy_home(&north.home, &path.join("north-sealed"));
        north.ok(&["bundle", "export", "north.wbb"]);
        write_as_version_1(&path.join("north-sealed"), &path.join("north-version-1"));
        let south = Instance::found(path, "South", "ash");
        copy_home(&south.home, &path.join("south-founded"));
        Self { folder, north: id }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// What one act works in.
pub struct World<'t> {
    templates: &'t Templates,
    folder: TempDir,
    /// The hub, where the act needs one.
    pub hub: Option<Hub>,
    /// Who publishes.
    pub north: Instance,
    /// Who follows.
    pub south: Instance,
}

impl<'t> World<'t> {
    pub fn new(templates: &'t Templates) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["much.db", "north.wbb"] {
            fs::copy(templates.path(name), folder.path().join(name)).expect("a copy");
        }
        let at = |name| Instance::at(folder.path(), name, Path::new(WB));
        Self {
            templates,
            hub: None,
            north: at("North"),
            south: at("South"),
            folder,
        }
    }

    /// The id of North.
    pub fn north_id(&self) -> &str {
        &self.templates.north
    }

    /// Puts a home, or a copy that this world kept, in the place of what is there.
    pub fn put(&self, template: &str, home: &Path) {
        let kept = self.folder.path().join(template);
        let from = if kept.exists() {
            kept
        } else {
            self.templates.path(template)
        };
        if home.exists() {
            fs::remove_dir_all(home).expect("no process is in it");
        }
        copy_home(&from, home);
    }

    /// Keeps a home as it is now, under a name. Nothing may have it open.
    pub fn keep(&self, home: &Path, name: &str) {
        copy_home(home, &self.folder.path().join(name));
    }

    /// A hub that runs, made when it is asked for first.
    pub fn hub(&mut self) -> &mut Hub {
        let folder = self.folder.path();
        self.hub
            .get_or_insert_with(|| Hub::start(folder, "Harbour", "open"))
    }

    /// A path in the folder of this world.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn copy_home(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a home") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

/// Copies a home, with the main file written again as version 1 wrote it.
fn write_as_version_1(from: &Path, to: &Path) {
    copy_home(from, to);
    let path = to.join("wb.db");
    fs::remove_file(&path).expect("a copy");
    let old = Connection::open(&path).expect("a new file");
    old.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        .expect("settings");
    old.execute_batch(MAIN_1).expect("the old tables");
    old.pragma_update(None, "application_id", APPLICATION_ID)
        .expect("an id");
    old.pragma_update(None, "user_version", 1)
        .expect("a version");
    let newer = from.join("wb.db");
    old.execute("ATTACH ?1 AS newer", [newer.to_string_lossy()])
        .expect("the newer file");
    for table in names(&old, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns = names(&old, &columns).join(", ");
        let copy = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM newer.{table}");
        old.execute(&copy, []).expect("rows of the old form");
    }
}

fn names(database: &Connection, sql: &str) -> Vec<String> {
    let mut statement = database.prepare(sql).expect("the SQL is right");
    let rows = statement.query_map([], |row| row.get(0));
    let rows = rows.expect("the SQL runs");
    rows.map(|row| row.expect("a text")).collect()
}
