//! Values in a database of the Python program: whatever stands in a cell, reading ends, and doubt never
//! makes anything public.
//!
//! An input is cells, ended by a zero byte: the first byte of each is the type that SQLite is told, the rest
//! its value. They are written into the tables in turn.

use std::cell::RefCell;
use std::path::PathBuf;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tempfile::TempDir;
use wb_core::scope::Scope;
use wb_store::legacy::read_through;

use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "legacy",
    run,
    seeds,
    memory: Memory {
        base_bytes: 16 * 1_024 * 1_024,
        per_byte: 4_096,
    },
};

/// Tables and their columns; the last is the scope, where there is one.
const TABLES: &[(&str, &[&str])] = &[
    (
        "users",
        &[
            "id",
            "username",
            "is_admin",
            "contact_email",
            "created_at",
            "sync_scope",
        ],
    ),
    (
        "help_requests",
        &[
            "id",
            "title",
            "description",
            "status",
            "contact_email",
            "created_by_user_id",
            "created_at",
            "updated_at",
            "completed_at",
            "sync_scope",
        ],
    ),
    (
        "request_comments",
        &[
            "id",
            "help_request_id",
            "user_id",
            "body",
            "created_at",
            "deleted_at",
            "sync_scope",
        ],
    ),
    (
        "invite_tokens",
        &[
            "token",
            "created_by_user_id",
            "created_at",
            "expires_at",
            "max_uses",
            "use_count",
            "disabled",
            "auto_approve",
            "suggested_username",
            "suggested_bio",
            "sync_scope",
        ],
    ),
    (
        "invite_personalizations",
        &[
            "token",
            "photo_url",
            "gratitude_note",
            "support_message",
            "help_examples",
            "fun_details",
            "created_at",
        ],
    ),
    (
        "vouches",
        &[
            "id",
            "voucher_user_id",
            "subject_user_id",
            "signature",
            "created_at",
        ],
    ),
    ("user_attributes", &["id", "user_id", "key", "value"]),
];

/// Rows of one input.
const ROWS_MAX: usize = 64;

struct Place {
    folder: TempDir,
    database: Connection,
}

impl Place {
    fn path(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }
}

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

fn place() -> Place {
    // In memory where the system has such a folder: thousands of files are written and dropped.
    let shm = std::path::Path::new("/dev/shm");
    let folder = if shm.is_dir() {
        tempfile::tempdir_in(shm)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.expect("a folder");
    let database = Connection::open(folder.path().join("app.db")).expect("a database");
    // Without types and keys, so that any value stays what it is.
    let tables = TABLES
        .iter()
        .map(|(table, columns)| format!("CREATE TABLE {table} (\"{}\");", columns.join("\", \"")));
    let sql = format!("PRAGMA synchronous = OFF; {}", tables.collect::<String>());
    database.execute_batch(&sql).expect("the tables are made");
    Place { folder, database }
}

fn run(input: &[u8]) {
    PLACE.with_borrow_mut(|at| {
        let at = at.get_or_insert_with(place);
        let public = fill(&mut at.database, input);
        let Ok(dump) = read_through(&at.path(), at.folder.path()) else {
            return;
        };
        let is_public = |scope: &Scope| usize::from(*scope == Scope::Public);
        let shown = dump
            .users
            .iter()
            .map(|user| is_public(&user.scope))
            .sum::<usize>()
            + dump
                .requests
                .iter()
                .map(|request| is_public(&request.scope))
                .sum::<usize>()
            + dump
                .comments
                .iter()
                .map(|comment| is_public(&comment.scope))
                .sum::<usize>()
            + dump
                .invites
                .iter()
                .map(|invite| is_public(&invite.scope))
                .sum::<usize>();
        assert!(shown <= public, "{shown} are public, and {public} said so");
    });
}

/// Writes the cells in place of what was there; returns how many scopes are the text `public`.
fn fill(database: &mut Connection, input: &[u8]) -> usize {
    let mut cells = input.split(|byte| *byte == 0).map(cell);
    let (mut public, mut more) = (0, true);
    let transaction = database.transaction().expect("a transaction");
    for (table, _) in TABLES {
        transaction
            .execute(&format!("DELETE FROM {table}"), [])
            .expect("rows are deleted");
    }
    for (table, columns) in TABLES.iter().cycle().take(ROWS_MAX) {
        let row: Vec<Value> = columns
            .iter()
            .map(|_| {
                let cell = cells.next();
                more &= cell.is_some();
                cell.unwrap_or(Value::Null)
            })
            .collect();
        let says_public = row.last() == Some(&Value::Text("public".to_owned()));
        public += usize::from(says_public && columns.last() == Some(&"sync_scope"));
        let places = vec!["?"; columns.len()].join(",");
        let sql = format!("INSERT INTO {table} VALUES ({places})");
        transaction
            .execute(&sql, params_from_iter(row))
            .expect("a row is written");
        if !more {
            break;
        }
    }
    transaction.commit().expect("rows are kept");
    public
}

fn cell(bytes: &[u8]) -> Value {
    let Some((kind, value)) = bytes.split_first() else {
        return Value::Null;
    };
    let text = String::from_utf8_lossy(value);
    match kind {
        b'i' => Value::Integer(text.parse().unwrap_or(1)),
        b'r' => Value::Real(text.parse().unwrap_or(0.5)),
        b'b' => Value::Blob(value.to_vec()),
        b'n' => Value::Null,
        _ => Value::Text(text.into_owned()),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let rows: [&[&str]; 7] = [
        &[
            "i1",
            "tash",
            "i1",
            "tash@example.org",
            "t2026-01-01 10:00:00.000000",
            "tpublic",
        ],
        &[
            "i1",
            "tSoup",
            "tfor three",
            "topen",
            "n",
            "i1",
            "t2026-02-01 10:00:00",
            "t2026-02-02",
            "n",
            "tpublic",
        ],
        &[
            "i1",
            "i1",
            "i1",
            "tyes",
            "t2026-02-01 11:00:00",
            "n",
            "tpublic",
        ],
        &[
            "tCODE",
            "i1",
            "t2026-01-01 10:00:00",
            "n",
            "i2",
            "i0",
            "i0",
            "i1",
            "tbirch",
            "n",
            "tprivate",
        ],
        &[
            "tCODE",
            "thttps://example.org/p.png",
            "tthanks",
            "n",
            "t[\"a\",\"b\"]",
            "n",
            "t2026-01-01",
        ],
        &["i1", "i1", "i2", "n", "t2026-01-01 10:00:00"],
        &["i1", "i1", "tinvited_by_user_id", "t2"],
    ];
    let all = rows.concat().join("\0");
    vec![
        all.clone().into_bytes(),
        format!("{all}\0{all}").into_bytes(),
    ]
}
