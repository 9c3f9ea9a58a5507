//! Opens the copy with everything off that a crafted database could use; looks for damage.

use std::path::PathBuf;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::LegacyError;

/// Findings of the integrity check that are looked at; those of structure come first.
const FINDINGS_MAX: usize = 10;
/// How SQLite begins what it finds in the structure of a table. Other findings speak of values, which
/// are judged one by one, and of indexes, which are not used.
const STRUCTURE: &str = "*** in database";

/// Opens the copy. It may be written by SQLite alone, which has to recover a `-wal` or a journal.
pub(super) fn open(path: PathBuf) -> Result<Connection, LegacyError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        db.set_db_config(config, on)?;
    }
    db.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;",
    )?;
    Ok(db)
}

/// Looks for damage in the structure of one table.
pub(super) fn check(db: &Connection, table: &str) -> Result<(), LegacyError> {
    let mut statement = db.prepare(&format!("PRAGMA quick_check(\"{table}\")"))?;
    let mut findings = statement.query([])?;
    for _ in 0..FINDINGS_MAX {
        let Some(finding) = findings.next()? else {
            break;
        };
        let finding: String = finding.get(0)?;
        if finding.starts_with(STRUCTURE) {
            return Err(LegacyError::Damaged(
                finding.lines().nth(1).unwrap_or_default().to_owned(),
            ));
        }
    }
    Ok(())
}
