//! Identity logs as they are kept.

use tokio_postgres::Row;
use wb_core::id::InstanceId;
use wb_core::identity::{IdentityLog, VerifiedLogs};

use crate::error::{PgError, Result};
use crate::tx::{Columns as _, Tx, int};

/// An entry of the identity log.
const IN_LOG: i16 = 0;
/// An entry on a branch that a recovery made void.
const VOID: i16 = 1;
/// An entry on a branch that contradicts the log.
const BESIDE: i16 = 2;
/// A second recovery by one set of words: kept to be shown, and no part of any log.
const EVIDENCE: i16 = 3;

/// What [`read`] reads: of one member.
pub(crate) const ENTRIES: &str =
    "SELECT line, hash, branch FROM identity_entries WHERE instance_no = $1 ORDER BY n";

/// Logs that were read before.
static VERIFIED: VerifiedLogs = VerifiedLogs::new();

/// Makes the log from its rows; signatures of bytes that were not read before are verified, so that damage is noticed.
pub(crate) fn read(id: &InstanceId, rows: &[Row]) -> Result<Option<IdentityLog>> {
    let (mut lines, mut beside, mut void) = (Vec::<&[u8]>::new(), Vec::<&[u8]>::new(), Vec::new());
    for row in rows {
        match row.value::<i16>(2)? {
            VOID => void.push(row.hash(1)?),
            BESIDE => beside.push(row.value(0)?),
            EVIDENCE => {}
            _ => lines.push(row.value(0)?),
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let log = VERIFIED
        .stored(*id, &lines, void, &beside)
        .map_err(|error| PgError::damaged(format!("identity log of {id}: {error}")))?;
    Ok(Some(log))
}

/// The log of an instance.
pub(crate) fn load(tx: &Tx<'_>, id: &InstanceId) -> Result<Option<IdentityLog>> {
    let rows = tx.rows(
        "SELECT e.line, e.hash, e.branch FROM identity_entries e JOIN members m USING (instance_no)
         WHERE m.id = $1 ORDER BY e.n",
        &[&&id.0[..]],
    )?;
    read(id, &rows)
}

/// Stores what is new, and moves what is known to the branch it is on now.
pub(crate) fn store(tx: &Tx<'_>, no: i64, log: &IdentityLog) -> Result<()> {
    let void: Vec<&[u8]> = log.void().iter().map(|hash| &hash.0[..]).collect();
    if !void.is_empty() {
        tx.execute(
            "UPDATE identity_entries SET branch = $3 WHERE instance_no = $1 AND hash = ANY ($2)",
            &[&no, &void, &VOID],
        )?;
    }
    let in_log = log.entries().iter().map(|entry| (entry, IN_LOG));
    let beside = log.beside().iter().map(|entry| (entry, BESIDE));
    let entries: Vec<_> = in_log.chain(beside).collect();
    let hashes: Vec<&[u8]> = entries.iter().map(|(entry, _)| &entry.hash.0[..]).collect();
    let numbers: Vec<i64> = entries
        .iter()
        .map(|(entry, _)| int(entry.position.n))
        .collect();
    let lines: Vec<&[u8]> = entries.iter().map(|(entry, _)| &entry.line[..]).collect();
    let branches: Vec<i16> = entries.iter().map(|(_, branch)| *branch).collect();
    tx.execute(
        "INSERT INTO identity_entries (instance_no, hash, n, line, branch)
         SELECT $1, * FROM unnest($2::bytea[], $3::bigint[], $4::bytea[], $5::smallint[])
         ON CONFLICT (instance_no, hash) DO UPDATE SET branch = excluded.branch",
        &[&no, &hashes, &numbers, &lines, &branches],
    )?;
    Ok(())
}

/// Keeps the first recovery of a log that contradicts the one held. One is evidence enough: whoever has the words
/// could make more without end.
pub(crate) fn keep_evidence(
    tx: &Tx<'_>,
    no: i64,
    held: &IdentityLog,
    offered: &IdentityLog,
) -> Result<()> {
    let mut entries = offered.entries().iter();
    let other = entries
        .find(|entry| entry.is_recover() && held.entry(&entry.hash).is_none())
        .expect("a log with a second recovery has one that is not in the other");
    tx.execute(
        "INSERT INTO identity_entries (instance_no, hash, n, line, branch) SELECT $1, $2, $3, $4, $5
         WHERE NOT EXISTS (SELECT 1 FROM identity_entries WHERE instance_no = $1 AND branch = $5)
         ON CONFLICT (instance_no, hash) DO NOTHING",
        &[&no, &&other.hash.0[..], &int(other.position.n), &&other.line[..], &EVIDENCE],
    )?;
    Ok(())
}
