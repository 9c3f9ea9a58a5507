//! Small databases of the Python program, with anything in them.

use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;
use wb_store::legacy::{Dump, LegacyError, read};

/// The tables that move, as the Python program declares them but without NOT NULL, so that files of
/// other versions can be built.
const SCHEMA: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR, is_admin BOOLEAN,
    contact_email VARCHAR, created_at DATETIME, sync_scope VARCHAR);
CREATE UNIQUE INDEX ix_users_username ON users (username);
CREATE TABLE help_requests (id INTEGER PRIMARY KEY, title VARCHAR, description VARCHAR,
    status VARCHAR, contact_email VARCHAR, created_by_user_id INTEGER, created_at DATETIME,
    updated_at DATETIME, completed_at DATETIME, sync_scope VARCHAR);
CREATE TABLE request_comments (id INTEGER PRIMARY KEY, help_request_id INTEGER, user_id INTEGER,
    body TEXT, created_at DATETIME, deleted_at DATETIME, sync_scope VARCHAR);
CREATE TABLE invite_tokens (token VARCHAR PRIMARY KEY, created_by_user_id INTEGER,
    created_at DATETIME DEFAULT '2026-01-01 10:00:00.000000', expires_at DATETIME,
    max_uses INTEGER DEFAULT 2, use_count INTEGER DEFAULT 0, disabled BOOLEAN DEFAULT 0,
    auto_approve BOOLEAN DEFAULT 1, suggested_username VARCHAR, suggested_bio VARCHAR,
    sync_scope VARCHAR DEFAULT 'public');
CREATE TABLE invite_personalizations (token VARCHAR PRIMARY KEY, photo_url VARCHAR,
    gratitude_note VARCHAR, support_message VARCHAR, help_examples VARCHAR, fun_details VARCHAR,
    created_at DATETIME DEFAULT '2026-01-01 10:00:00.000000');
CREATE TABLE vouches (id INTEGER PRIMARY KEY, voucher_user_id INTEGER, subject_user_id INTEGER,
    signature VARCHAR, created_at DATETIME DEFAULT '2026-01-01 10:00:00.000000');
CREATE TABLE user_attributes (id INTEGER PRIMARY KEY, user_id INTEGER, \"key\" VARCHAR,
    value VARCHAR);
";

/// A database in a folder of its own.
pub struct Legacy {
    dir: TempDir,
}

impl Legacy {
    /// One without rows.
    pub fn new() -> Self {
        let legacy = Self {
            dir: tempfile::tempdir().expect("a folder"),
        };
        legacy.run(SCHEMA);
        legacy
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("app.db")
    }

    /// Runs SQL on it.
    pub fn run(&self, sql: &str) {
        Connection::open(self.path())
            .and_then(|db| db.execute_batch(sql))
            .expect("the SQL runs");
    }

    /// Adds a row; values are SQL, columns not named have their default.
    pub fn add(&self, table: &str, row: &[(&str, &str)]) {
        let columns: Vec<&str> = row.iter().map(|(column, _)| *column).collect();
        let values: Vec<&str> = row.iter().map(|(_, value)| *value).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        self.run(&format!(
            "INSERT INTO {table} ({columns}) VALUES ({values})"
        ));
    }

    /// Adds a public user.
    pub fn user(&self, id: i64, name: &str) {
        self.run(&format!(
            "INSERT INTO users VALUES ({id}, '{name}', 0, NULL, '2026-01-01 0{}:00:00.000000', 'public')",
            id % 10
        ));
    }

    /// Adds an open, public request.
    pub fn request(&self, id: i64, creator: i64) {
        self.run(&format!(
            "INSERT INTO help_requests VALUES ({id}, 'title', 'text', 'open', NULL, {creator},
             '2026-02-01 10:00:00', '2026-02-02 10:00:00', NULL, 'public')"
        ));
    }

    /// Adds a public comment.
    pub fn comment(&self, id: i64, request: i64, user: i64) {
        self.run(&format!(
            "INSERT INTO request_comments VALUES ({id}, {request}, {user}, 'text',
             '2026-02-01 11:00:00', NULL, 'public')"
        ));
    }

    /// Adds a vouch.
    pub fn vouch(&self, id: i64, voucher: i64, subject: i64) {
        let (id, voucher, subject) = (id.to_string(), voucher.to_string(), subject.to_string());
        let row = [
            ("id", id.as_str()),
            ("voucher_user_id", &voucher),
            ("subject_user_id", &subject),
        ];
        self.add("vouches", &row);
    }

    /// Adds an attribute; the value is SQL.
    pub fn attribute(&self, user: i64, key: &str, value: &str) {
        let sql = format!(
            "INSERT INTO user_attributes (user_id, \"key\", value) VALUES ({user}, '{key}', {value})"
        );
        self.run(&sql);
    }

    /// Reads it.
    pub fn read(&self) -> Dump {
        self.try_read().expect("it can be read")
    }

    /// Reads it, or says why not.
    pub fn try_read(&self) -> Result<Dump, LegacyError> {
        read(&self.path())
    }
}
