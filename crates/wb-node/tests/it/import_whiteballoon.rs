//! Moving the database of the Python program over: figures, twice, a crash between, what leaves and
//! what never does.

mod again;
#[path = "../../../wb-store/tests/it/legacy/build.rs"]
#[expect(dead_code, reason = "the reader's tests use the rest")]
mod build;
mod crash;
mod fixture;
mod odd;
mod privacy;
mod size;

use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use wb_node::Node;
use wb_node::command::init::{Init, init};
use wb_node::import::whiteballoon::{
    Done, Found, ImportWhiteballoon, Problem, Report, import_whiteballoon,
};
use wb_node::plan::{Plan, plan};
use wb_store::Home;
use wb_store::legacy::{Dump, read};

const DRY: ImportWhiteballoon = ImportWhiteballoon {
    dry_run: true,
    another: false,
};
const FOR_REAL: ImportWhiteballoon = ImportWhiteballoon {
    dry_run: false,
    another: false,
};

fn fixture_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db")
}

fn fixture_dump() -> Dump {
    read(&fixture_path()).expect("the fixture can be read")
}

/// A new instance in a folder of its own.
struct Alice {
    dir: TempDir,
    node: Node,
}

impl Alice {
    fn found(admin: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let input = Init {
            name: "alice",
            admin,
            words_file: None,
        };
        let node = init(&Home::new(dir.path()), &input)
            .expect("an instance is founded")
            .node;
        Self { dir, node }
    }

    /// One that holds the fixture, with founder `alice`.
    fn with_fixture() -> Self {
        let mut alice = Self::found("alice");
        alice.import(&fixture_path(), FOR_REAL);
        alice
    }

    fn try_import(
        &mut self,
        path: &Path,
        input: ImportWhiteballoon,
    ) -> Result<Report, wb_node::NodeError> {
        let actor = self.node.actor(None).expect("the founder acts");
        import_whiteballoon(&mut self.node, &actor, path, input, &mut |_, _| ())
    }

    fn import(&mut self, path: &Path, input: ImportWhiteballoon) -> Report {
        self.try_import(path, input).expect("it is imported")
    }

    fn plan(&self) -> Plan {
        plan(&self.node, wb_node::entropy::now()).expect("there is a plan")
    }

    /// Every line that would leave, as text.
    fn lines(&self) -> Vec<String> {
        let salt = wb_core::id::Salt([7; 16]);
        let own = self.node.own_id();
        let lines = self
            .plan()
            .puts
            .into_iter()
            .map(|put| put.leaving.line(own, put.rev, None, salt));
        lines
            .map(|line| String::from_utf8(line).expect("lines are text"))
            .collect()
    }

    /// Every row of both files.
    fn rows(&self) -> Vec<String> {
        let mut rows = rows_of(&self.dir.path().join("wb.db"));
        rows.extend(rows_of(&self.dir.path().join("private.db")));
        rows
    }

    /// One value out of the private file.
    fn private<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        one(&self.dir.path().join("private.db"), sql)
    }

    /// One value out of the main file.
    fn main<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        one(&self.dir.path().join("wb.db"), sql)
    }

    /// That `wb doctor` finds nothing.
    fn check(mut self) {
        drop(self.node);
        self.node = Node::open(&Home::new(self.dir.path())).expect("the node opens");
        let mut store = wb_store::Store::open(&Home::new(self.dir.path())).expect("the files open");
        for finding in store.check().expect("the files can be checked") {
            assert!(finding.problems.is_empty(), "{finding:?}");
        }
    }
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the file opens")
}

fn one<T: rusqlite::types::FromSql>(path: &Path, sql: &str) -> T {
    open(path)
        .query_row(sql, [], |row| row.get(0))
        .expect("the query gives a value")
}

fn rows_of(path: &Path) -> Vec<String> {
    let mut all = Vec::new();
    read_rows(&open(path), &mut all).expect("every row can be read");
    all
}

fn read_rows(db: &Connection, all: &mut Vec<String>) -> rusqlite::Result<()> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let tables = db
        .prepare(sql)?
        .query_map([], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values: rusqlite::Result<Vec<String>> =
                (0..columns).map(|c| row.get_ref(c).map(shown)).collect();
            all.push(format!("{table} {}", values?.join(" | ")));
        }
    }
    Ok(())
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    }
}

/// That two files hold the same rows, naming the first that differs.
fn assert_same(before: &[String], after: &[String]) {
    for (before, after) in before.iter().zip(after) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
}

/// What moving over found of a row, and what it did.
fn troubles<'r>(report: &'r Report, table: &str, row: &str) -> Vec<(&'r Found, &'r Done)> {
    let found = report.problems.iter().filter_map(|problem| match problem {
        Problem::Import(trouble) if trouble.table == table && trouble.row == row => {
            Some((&trouble.what, &trouble.consequence))
        }
        _ => None,
    });
    found.collect()
}
