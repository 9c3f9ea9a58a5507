//! Reading the files of an instance with plain SQL.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// A live line: origin, id, line hash and the bytes of the line, hashes and ids in hex.
pub type LiveLine = (String, String, String, Vec<u8>);

/// Opens a file to read it. Nothing of it is changed.
pub fn open(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The live lines of the public feed of one origin, as a home's main file holds them.
pub fn live_lines(home: &Path, origin: &str) -> BTreeSet<LiveLine> {
    live_lines_in(&home.join("wb.db"), origin)
}

/// The same of a main file, or of a hub's.
pub fn live_lines_in(path: &Path, origin: &str) -> BTreeSet<LiveLine> {
    let database = open(path);
    let sql =
        "SELECT lower(hex(instances.id)), lower(hex(feed_lines.id)), lower(hex(line_hash)), line
               FROM feed_lines
               JOIN feeds USING (feed_no)
               JOIN instances USING (instance_no)
               WHERE feed_lines.live = 1 AND feeds.scope = 'public' AND lower(hex(instances.id)) = ?1";
    let mut statement = database.prepare(sql).expect("the SQL is right");
    let rows = statement
        .query_map([origin], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .expect("the SQL runs");
    rows.map(|row| row.expect("a live line has its bytes"))
        .collect()
}

/// One number that a query gives.
pub fn number(path: &Path, sql: &str) -> i64 {
    open(path)
        .query_row(sql, [], |row| row.get(0))
        .unwrap_or_else(|error| panic!("{}: {sql}: {error}", path.display()))
}

/// How many, as a query counts them.
pub fn count(path: &Path, sql: &str) -> usize {
    usize::try_from(number(path, sql)).expect("a count is not below zero")
}

/// The first column of what a query gives, as text.
pub fn texts(path: &Path, sql: &str) -> Vec<String> {
    let database = open(path);
    let mut statement = database.prepare(sql).expect("the SQL is right");
    let rows = statement
        .query_map([], |row| row.get(0))
        .expect("the SQL runs");
    rows.map(|row| row.expect("a text")).collect()
}

/// Every value of every row of one table, in the order of the rows' bytes.
pub fn dump_table(path: &Path, table: &str) -> String {
    let database = open(path);
    let mut rows = rows_of(&database, table);
    rows.sort_unstable();
    format!("== {table}\n{}", rows.concat())
}

/// Every row of every table of the two files of a home.
pub fn dump_home(home: &Path) -> String {
    let mut dump = String::new();
    for file in ["wb.db", "private.db"] {
        let path = home.join(file);
        let tables = texts(
            &path,
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
        );
        assert!(!tables.is_empty(), "{} has no tables", path.display());
        for table in tables {
            dump.push_str(&dump_table(&path, &table));
        }
    }
    dump
}

fn rows_of(database: &Connection, table: &str) -> Vec<String> {
    let mut statement = database
        .prepare(&format!("SELECT * FROM \"{table}\""))
        .expect("the table is there");
    let columns = statement.column_count();
    let mut rows = statement.query([]).expect("the SQL runs");
    let mut all = Vec::new();
    while let Some(row) = rows.next().expect("the file is sound") {
        let mut text = String::new();
        for column in 0..columns {
            let value = row.get_ref(column).expect("the column is there");
            match value {
                ValueRef::Null => text.push_str("null"),
                ValueRef::Integer(number) => write!(text, "{number}").expect("a string grows"),
                ValueRef::Real(number) => write!(text, "{number}").expect("a string grows"),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    text.push_str(&data_encoding::HEXLOWER.encode(bytes));
                }
            }
            text.push('|');
        }
        text.push('\n');
        all.push(text);
    }
    all
}
