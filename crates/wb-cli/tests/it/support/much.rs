//! Much to share at once: a command for each record would take as long as everything else.

use std::path::Path;

use rusqlite::{Connection, params};

use super::chance::Chance;
use super::database::texts;

/// Writes a database of the Python program with one member, `maple`, and so many requests of noise.
pub fn write(path: &Path, requests: usize, description_bytes: usize, chance: &mut Chance) {
    let like = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db");
    let database = Connection::open(path).expect("the folder is there");
    for sql in texts(&like, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL") {
        database.execute(&sql, ()).expect("a table");
    }
    let made = "2026-02-03 10:20:30.123456";
    let user = "INSERT INTO users (id, username, is_admin, created_at, sync_scope)
                VALUES (1, 'maple', 1, ?1, 'public')";
    database.execute(user, [made]).expect("a row");
    for number in 1..=requests {
        let request =
            "INSERT INTO help_requests (id, title, description, status, created_by_user_id,
                           created_at, updated_at, sync_scope)
                       VALUES (?1, ?2, ?3, 'open', 1, ?4, ?4, 'public')";
        let row = params![
            i64::try_from(number).expect("a small number"),
            format!("Request {number}"),
            chance.word(description_bytes),
            made
        ];
        database.execute(request, row).expect("a row");
    }
}
