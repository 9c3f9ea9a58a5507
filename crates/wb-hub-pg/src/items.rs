//! Entries and lines as they are served.

use tokio_postgres::Row;
use wb_core::entry::{Entry, Op, Reason};

use crate::error::{PgError, Result};
use crate::tx::Columns as _;

/// Columns of [`item`] and [`entry`], of `lines l`.
pub(crate) const COLUMNS: &str =
    "l.put, l.id, l.rev, l.kind, l.line_hash, l.drops, l.reason, l.line";
/// The same for the origin of a feed: what is withheld from others is in it.
pub(crate) const FOR_ORIGIN: &str = "l.put, l.id, l.rev, l.kind, l.line_hash, l.drops, l.reason,
    coalesce(l.line, l.withheld)";

/// An item: the line, else the entry.
pub(crate) fn item(row: &Row) -> Result<Vec<u8>> {
    let line: Option<&[u8]> = row.value(7)?;
    let Some(line) = line else {
        return Ok(entry(row)?.to_bytes());
    };
    // What is damaged here must not be passed on.
    if row.hash_or(4)? == Some(wb_core::hash::line(line)) {
        Ok(line.to_vec())
    } else {
        Err(PgError::damaged(
            "a line of a feed is not the one its hash names",
        ))
    }
}

pub(crate) fn entry(row: &Row) -> Result<Entry> {
    let op = if row.value(0)? {
        Op::Put {
            line_hash: row.hash(4)?,
        }
    } else {
        let reason = match row.value(6)? {
            "scope" => Reason::Scope,
            "erase" => Reason::Erase,
            _ => Reason::Mistake,
        };
        Op::Retract { reason }
    };
    Ok(Entry {
        op,
        id: row.record(1)?,
        rev: row.number(2)?,
        kind: row.word(3)?,
        drops: row.hash_or(5)?,
    })
}
