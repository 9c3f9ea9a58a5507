//! Opening the files of a node: settings of SQLite, and migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::before_upgrade;
use crate::doctor::check_sqlite;
use crate::error::{Result, StoreError};
use crate::home::restrict_file;
use crate::unwritable::{Unwritable, open_to_read};

/// How long a writer waits for another process before it gives up.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepared statements a connection keeps. Taking in one delta runs some twenty, and a cache that is
/// smaller than one round prepares every one of them anew.
const STATEMENTS_MAX: usize = 128;

/// Pages that a connection which writes keeps in memory, in KiB. With SQLite's own 2,000 those of the indexes of some ten
/// thousand records are read again and again while records come. Those that read are as many as calls run at once.
const CACHE_KIB: i64 = 16_384;

/// What opening may do to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Make it when it is missing, and bring it to the newest format.
    Make,
    /// Bring it to the newest format.
    Upgrade,
    /// Nothing: it is there, and in the newest format.
    AsItIs,
}

/// One of the databases of a node or hub.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Database {
    /// Its name in messages.
    pub name: &'static str,
    /// Stands in the file, so that another program's database is not taken for ours.
    application_id: i64,
    /// Forward only; a migration is never changed once it was released.
    migrations: &'static [&'static str],
}

pub(crate) const MAIN: Database = Database {
    name: "wb.db",
    application_id: 0x5742_4d41,
    migrations: &[
        concat!(
            include_str!("migrations/feeds_0001.sql"),
            include_str!("migrations/main_0001.sql")
        ),
        concat!(
            include_str!("migrations/feeds_0002.sql"),
            include_str!("migrations/main_0002.sql")
        ),
        concat!(
            include_str!("migrations/turns_0003.sql"),
            include_str!("migrations/main_0003_keys.sql"),
            include_str!("migrations/main_0003_restore.sql"),
            include_str!("migrations/main_0003_direct.sql"),
            include_str!("migrations/main_0003_peers.sql")
        ),
        concat!(
            include_str!("migrations/feeds_0004_held.sql"),
            include_str!("migrations/main_0004_retract.sql"),
            include_str!("migrations/main_0004_pictures.sql"),
            include_str!("migrations/main_0004_sealed.sql")
        ),
        concat!(include_str!("migrations/main_0005_letters.sql")),
        concat!(
            include_str!("migrations/main_0006_status.sql"),
            include_str!("migrations/main_0006_trust.sql"),
            include_str!("migrations/main_0006_envelopes.sql")
        ),
        concat!(
            include_str!("migrations/main_0007_plan.sql"),
            include_str!("migrations/main_0007_notices.sql")
        ),
        concat!(
            include_str!("migrations/feeds_0008_deferred.sql"),
            include_str!("migrations/main_0008_deferred.sql")
        ),
    ],
};

pub(crate) const PRIVATE: Database = Database {
    name: "private.db",
    application_id: 0x5742_5052,
    migrations: &[
        include_str!("migrations/private_0001.sql"),
        include_str!("migrations/private_0002.sql"),
        include_str!("migrations/private_0003.sql"),
        concat!(include_str!("migrations/private_0004_backup.sql")),
        concat!(
            include_str!("migrations/private_0005_rights.sql"),
            include_str!("migrations/private_0005_sealed.sql")
        ),
        concat!(include_str!("migrations/private_0006_letters.sql")),
        concat!(
            include_str!("migrations/private_0007_indices.sql"),
            include_str!("migrations/private_0007_offers.sql"),
            include_str!("migrations/private_0007_invites.sql")
        ),
        concat!(include_str!("migrations/private_0008_plan.sql")),
    ],
};

/// What a hub relays: feeds as the main file holds them, and what its pages list of them.
pub(crate) const RELAY: Database = Database {
    name: "hub.db",
    application_id: 0x5742_4855,
    migrations: &[
        concat!(
            include_str!("migrations/feeds_0001.sql"),
            include_str!("migrations/feeds_0002.sql"),
            include_str!("migrations/relay_0001.sql")
        ),
        include_str!("migrations/relay_0002.sql"),
        concat!(include_str!("migrations/turns_0003.sql")),
        concat!(
            include_str!("migrations/feeds_0004_held.sql"),
            include_str!("migrations/relay_0004_receipts.sql"),
            include_str!("migrations/relay_0004_sealed.sql")
        ),
        concat!(include_str!("migrations/relay_0005_letters.sql")),
        concat!(
            include_str!("migrations/relay_0006_vouches.sql"),
            include_str!("migrations/relay_0006_indices.sql")
        ),
        concat!(
            include_str!("migrations/relay_0007_bodies.sql"),
            include_str!("migrations/relay_0007_notices.sql")
        ),
        concat!(
            include_str!("migrations/feeds_0008_deferred.sql"),
            include_str!("migrations/relay_0008_deferred.sql"),
            include_str!("migrations/relay_0008_policies.sql")
        ),
    ],
};

/// A database that is open, and why it can only be read where that is so.
pub(crate) type Opened = (Connection, Option<Unwritable>);

/// Opens a database that is there, at least to read it.
pub(crate) fn open_at_least_to_read(
    path: &Path,
    database: Database,
    opening: Opening,
) -> Result<Opened> {
    let error = match open(path, database, opening) {
        Ok(connection) => return Ok((connection, None)),
        Err(error) => error,
    };
    let Some(why) = Unwritable::of_opening(&error).filter(|_| path.exists()) else {
        return Err(error);
    };
    let connection = open_to_read(path)?;
    set_up(&connection)?;
    check_ours(&connection, path, database)?;
    let (found, known) = (version(&connection)?, database.newest());
    if found > known {
        return Err(newer(path, database, found));
    }
    if found < known {
        // It would have to be brought to the newest format first.
        return Err(StoreError::Unwritable(path.to_owned(), why));
    }
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY")?;
    Ok((connection, Some(why)))
}

/// Opens a database to read and write.
pub(crate) fn open(path: &Path, database: Database, opening: Opening) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if opening == Opening::Make {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut connection = Connection::open_with_flags(path, flags)?;
    if opening == Opening::Make {
        restrict_file(path)?;
    }
    set_up(&connection)?;
    check_ours(&connection, path, database)?;
    if opening == Opening::AsItIs {
        check_newest(&connection, database)?;
    }
    if connection.is_readonly("main")? {
        // SQLite opens what it may not write to as far as it can, and says so with the first write.
        return Err(StoreError::Unwritable(
            path.to_owned(),
            Unwritable::ReadOnly,
        ));
    }
    // Full: what is sealed must be on the disk before it is sent. Secure delete: what is erased must
    // not stay behind in free pages.
    // A migration may have to put a table in the place of another that rows refer to.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;
         PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
    )?;
    migrate(&mut connection, path, database)?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    if opening != Opening::AsItIs {
        // With a minus it is KiB and not pages.
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    }
    Ok(connection)
}

fn set_up(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan does not hang on the values bound to it. Otherwise SQLite makes a statement anew with every
    // value it is given, wherever the value might decide about an index on some of the rows: half of the
    // time of taking in a feed went there.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn check_ours(connection: &Connection, path: &Path, database: Database) -> Result<()> {
    let foreign = || StoreError::Foreign(path.to_owned());
    let id: i64 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => foreign(),
            _ => error.into(),
        })?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id == database.application_id || (id == 0 && tables == 0) {
        Ok(())
    } else {
        Err(foreign())
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

impl Database {
    /// The newest format known here.
    pub fn newest(&self) -> i64 {
        i64::try_from(self.migrations.len()).expect("there are few migrations")
    }
}

fn check_newest(connection: &Connection, database: Database) -> Result<()> {
    let (found, known) = (version(connection)?, database.newest());
    if found < known {
        return Err(StoreError::Older {
            file: database.name,
            found,
            known,
        });
    }
    Ok(())
}

pub(crate) fn newer(path: &Path, database: Database, found: i64) -> StoreError {
    StoreError::Newer {
        file: database.name,
        found,
        known: database.newest(),
        way_back: before_upgrade::way_back(path),
    }
}

/// Brings a file to the newest format: what it was is kept beside it, and the change is one transaction that
/// counts only when the file is sound after it.
fn migrate(connection: &mut Connection, path: &Path, database: Database) -> Result<()> {
    let known = database.newest();
    let found = version(connection)?;
    if found > known {
        return Err(newer(path, database, found));
    }
    if found == known {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while this one waited for the lock.
    let found = version(&transaction)?;
    if found == known {
        return Ok(());
    }
    // A file that was just made holds nothing to keep.
    let kept = (found > 0)
        .then(|| before_upgrade::keep(path, found))
        .transpose()?;
    let done = run_migrations(&transaction, database, found);
    done.and_then(|()| check_after(&transaction, kept.is_some()))
        .map_err(|error| failed(error, database, found))?;
    transaction.pragma_update(None, "application_id", database.application_id)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    if let Some(kept) = kept {
        before_upgrade::keep_only(path, &kept);
    }
    Ok(())
}

fn run_migrations(transaction: &Connection, database: Database, found: i64) -> Result<()> {
    let done = usize::try_from(found).unwrap_or(0);
    for migration in database.migrations.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    Ok(())
}

/// Looks whether a file that held something is sound, before its new format counts.
fn check_after(transaction: &Connection, held_something: bool) -> Result<()> {
    if !held_something {
        return Ok(());
    }
    match check_sqlite(transaction)?.problems.into_iter().next() {
        Some(problem) => Err(StoreError::damaged(problem)),
        None => Ok(()),
    }
}

/// What stands in the way of writing stays what it is; anything else is of the change itself.
fn failed(error: StoreError, database: Database, found: i64) -> StoreError {
    if error.is_full() || error.is_read_only() || error.is_busy() {
        return error;
    }
    StoreError::Upgrade {
        file: database.name,
        found,
        known: database.newest(),
        problem: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{StatementStatus, params};

    use super::{Database, MAIN, Opening, RELAY, open, version};
    use crate::error::StoreError;

    const FIRST: &str = "CREATE TABLE one (n INTEGER PRIMARY KEY); INSERT INTO one VALUES (7);
                         CREATE TABLE two (n INTEGER REFERENCES one)";

    fn database(migrations: &'static [&'static str]) -> Database {
        Database {
            name: "test.db",
            application_id: 99,
            migrations,
        }
    }

    /// A statement that fails half-way, and one that leaves what SQLite finds unsound.
    #[test]
    fn an_upgrade_that_goes_wrong_changes_nothing_and_says_why() {
        let wrong: [(&'static [&'static str], &str); 2] = [
            (
                &[FIRST, "DELETE FROM one; CREATE TABLE two (n)"],
                "already exists",
            ),
            (
                &[FIRST, "INSERT INTO two VALUES (8)"],
                "a row of `two` refers to a row that is not there",
            ),
        ];
        for (migrations, says) in wrong {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("test.db");
            drop(open(&path, database(&[FIRST]), Opening::Make).unwrap());
            let error = open(&path, database(migrations), Opening::Upgrade).unwrap_err();
            assert!(
                matches!(&error, StoreError::Upgrade { found: 1, known: 2, problem, .. } if problem.contains(says)),
                "{error}"
            );
            // What was there is there, and the program before this one opens it.
            let before = open(&path, database(&[FIRST]), Opening::Upgrade).unwrap();
            let sql = "SELECT (SELECT count(*) FROM one) * 10 + (SELECT count(*) FROM two)";
            let rows: i64 = before.query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!((rows, version(&before).unwrap()), (10, 1));
        }
    }

    #[test]
    fn of_each_database_the_copy_before_the_last_upgrade_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.db");
        let steps: [&'static [&'static str]; 3] = [
            &[FIRST],
            &[FIRST, "INSERT INTO one VALUES (8)"],
            &[
                FIRST,
                "INSERT INTO one VALUES (8)",
                "INSERT INTO one VALUES (9)",
            ],
        ];
        let kept = || {
            let names = std::fs::read_dir(dir.path()).unwrap();
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.filter(|name| name.ends_with(".bak")).collect();
            names.sort();
            names
        };
        drop(open(&path, database(steps[0]), Opening::Make).unwrap());
        assert_eq!(kept(), [""; 0]);
        for (step, name) in [(1, "test.db.v1.bak"), (2, "test.db.v2.bak")] {
            drop(open(&path, database(steps[step]), Opening::Upgrade).unwrap());
            assert_eq!(kept(), [name]);
            let copy = dir.path().join(name);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
            let before = open(&copy, database(steps[step - 1]), Opening::Upgrade).unwrap();
            let rows: usize = before
                .query_row("SELECT count(*) FROM one", [], |row| row.get::<_, u32>(0))
                .map(|rows| rows.try_into().unwrap())
                .unwrap();
            assert_eq!(rows, step);
        }
    }

    /// A row may come before what it refers to; where that is not there in the end, nothing counts. In a new file and in one
    /// that was brought to this format.
    #[test]
    fn what_a_row_refers_to_has_to_be_there_when_a_transaction_ends() {
        const BEFORE: usize = 7;
        let put_line = "INSERT INTO feed_lines (feed_no, log_no, seq, op, id, rev, kind, live)
                        VALUES (7, 7, 0, 'put', x'00', 1, 'request', 0)";
        let put_record =
            "INSERT INTO records (instance_no, id, kind, scope, rev, author, at, created_at)
                          VALUES (7, x'00', 'request', 'public', 1, 'instance', 0, 0)";
        let put_row =
            "INSERT INTO listings (instance_no, id, line_no, kind, placed_at, line_at, changed_at)
                       VALUES (7, x'00', 1, 'request', 0, 0, 0)";
        let parents = "INSERT INTO instances (instance_no, id, standing, first_seen) VALUES (7, x'07', 'approved', 0);
                       INSERT INTO feeds (feed_no, instance_no, scope) VALUES (7, 7, 'public');
                       INSERT INTO logs (log_no, instance_no, scope, log, generation) VALUES (7, 7, 'public', x'07', 0);";
        for (database, put) in [(MAIN, [put_line, put_record]), (RELAY, [put_line, put_row])] {
            let dir = tempfile::tempdir().unwrap();
            for (name, begins_at) in [("old.db", BEFORE), ("new.db", database.migrations.len())] {
                let path = dir.path().join(name);
                let begins = Database {
                    migrations: &database.migrations[..begins_at],
                    ..database
                };
                drop(open(&path, begins, Opening::Make).unwrap());
                let mut connection = open(&path, database, Opening::Upgrade).unwrap();
                for put in put {
                    let transaction = connection.transaction().unwrap();
                    transaction.execute(put, []).unwrap();
                    let error = transaction.commit().unwrap_err();
                    assert!(error.to_string().contains("FOREIGN KEY"), "{name}: {error}");
                    let transaction = connection.transaction().unwrap();
                    transaction.execute(put, []).unwrap();
                    transaction.execute_batch(parents).unwrap();
                    transaction.rollback().unwrap();
                }
                let transaction = connection.transaction().unwrap();
                for put in put {
                    transaction.execute(put, []).unwrap();
                }
                transaction.execute_batch(parents).unwrap();
                transaction.commit().unwrap();
            }
        }
    }

    /// Whether a value bound to `op` makes an index on some rows usable was worked out anew for every
    /// value, and so was half of the time of a first pull.
    #[test]
    fn a_statement_is_not_made_anew_for_another_value() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join("wb.db"), MAIN, crate::open::Opening::Make).unwrap();
        let sql = "SELECT max(rev) FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND op = ?3 AND void = 0";
        let mut statement = connection.prepare(sql).unwrap();
        for (feed_no, op) in [(0, "put"), (1, "retract"), (2, "put"), (3, "retract")] {
            let highest: Option<i64> = statement
                .query_row(params![feed_no, b"id", op], |row| row.get(0))
                .unwrap();
            assert_eq!(highest, None);
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
