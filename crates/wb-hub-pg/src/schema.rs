//! The tables, and how they change while other processes run.
//!
//! Each migration has a number and is never changed once it was released. The row of `hub_schema` says which was
//! run last (`version`) and from which on a program has to know the tables (`needs`): one that only adds leaves
//! `needs` as it was, so that processes of the version before run on meanwhile; one that changes what they use
//! raises it, and each of their writes then refuses by name. The row is locked while a migration runs, so that of
//! several processes that start at once one runs it.

use tokio_postgres::error::SqlState;

use crate::error::{PgError, Result};
use crate::tx::{Columns as _, Tx};

/// One step from one version to the next.
struct Migration {
    sql: &'static str,
    /// The version that a program has to know from here on.
    needs: i64,
}

const MIGRATIONS: [Migration; 3] = [
    Migration {
        sql: include_str!("migrations/0001.sql"),
        needs: 1,
    },
    Migration {
        sql: include_str!("migrations/0002.sql"),
        needs: 1,
    },
    Migration {
        sql: include_str!("migrations/0003.sql"),
        needs: 3,
    },
];

/// The version that this program knows.
pub(crate) const KNOWN: i64 = 3;

/// A table of one row; whoever comes first makes it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS hub_schema (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL,
    needs   bigint NOT NULL
)";

/// Makes the row that says which version the tables have. Two that begin at once may be in each other's way; then
/// the other one made it.
pub(crate) fn begin(tx: &Tx<'_>) -> Result<()> {
    tx.batch(TABLE)?;
    tx.execute(
        "INSERT INTO hub_schema (version, needs) VALUES (0, 0) ON CONFLICT DO NOTHING",
        &[],
    )?;
    Ok(())
}

/// Whether what went wrong is that another one made the same table at the same time.
pub(crate) fn was_made_by_another(error: &PgError) -> bool {
    let PgError::Database(error) = error else {
        return false;
    };
    let states = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
    ];
    error.code().is_some_and(|state| states.contains(state))
}

/// Whether there are tables that this program can use as they are.
pub(crate) fn is_current(tx: &Tx<'_>) -> Result<bool> {
    let there = tx.one("SELECT to_regclass('hub_schema') IS NOT NULL", &[])?;
    if !there.value::<bool>(0)? {
        return Ok(false);
    }
    let row = tx.row("SELECT version, needs FROM hub_schema", &[])?;
    let Some(row) = row else { return Ok(false) };
    check(row.value(1)?)?;
    Ok(row.value::<i64>(0)? >= KNOWN)
}

/// Brings the tables to the version that this program knows.
pub(crate) fn migrate(tx: &Tx<'_>) -> Result<()> {
    let row = tx.one("SELECT version, needs FROM hub_schema FOR UPDATE", &[])?;
    let version: i64 = row.value(0)?;
    check(row.value(1)?)?;
    let done = usize::try_from(version).unwrap_or_default();
    for (n, migration) in (1_i64..).zip(&MIGRATIONS).skip(done) {
        tx.batch(migration.sql)?;
        tx.execute(
            "UPDATE hub_schema SET version = $1, needs = $2",
            &[&n, &migration.needs],
        )?;
    }
    Ok(())
}

/// What `needs` says while the hub is moved, and once it was: no program knows such tables, so each writes nothing, also
/// one that knows nothing of moving.
pub(crate) const FENCED: i64 = i64::MAX;

/// Refuses tables that need a newer program, or are those of a hub that is moved.
pub(crate) fn check(needs: i64) -> Result<()> {
    if needs == FENCED {
        return Err(PgError::Fenced);
    }
    if needs > KNOWN {
        return Err(PgError::Newer {
            found: needs,
            known: KNOWN,
        });
    }
    Ok(())
}

/// The same, asked of the database. Whoever fences it waits for every transaction that asked, so what is written after
/// asking is there before the fence.
pub(crate) fn check_now(tx: &Tx<'_>) -> Result<()> {
    check(tx.one("SELECT needs FROM hub_schema", &[])?.value(0)?)
}
