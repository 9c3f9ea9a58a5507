//! Deltas that wait, contradict or were refused: kept with their bytes, by name.

use rusqlite::{OptionalExtension as _, params};
use wb_core::feed::{Delta, Item};
use wb_core::hash;
use wb_core::id::Hash;

use super::ingest::Ingest;
use crate::error::Result;
use crate::sql::Sql;

/// A header line and its items.
pub(super) type Bytes = (Vec<u8>, Vec<Vec<u8>>);

/// Deltas held per origin; protects the disk from an origin that sends contradictions without end.
const HELD_PER_ORIGIN_MAX: i64 = 4_096;

impl Ingest<'_> {
    pub(super) fn hold(&self, delta: &Delta<'_>, outcome: &str, rule: Option<&str>) -> Result<()> {
        let header = &delta.header;
        let count = "SELECT count(*) FROM held WHERE origin = ?1";
        let count: i64 = self
            .connection
            .query_row(count, [Sql(header.origin)], |row| row.get(0))?;
        if count >= HELD_PER_ORIGIN_MAX {
            return Ok(());
        }
        let items = join_items(delta);
        let digest = digest(delta.header_line, &items);
        // What comes to another outcome comes anew: deltas are tried again in the order they came.
        self.connection.execute(
            "DELETE FROM held WHERE digest = ?1 AND outcome != ?2",
            params![Sql(digest), outcome],
        )?;
        self.connection.execute(
            "INSERT INTO held (origin, scope, outcome, rule, hash, log, seq, header, items, at, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (digest) DO UPDATE SET rule = excluded.rule",
            params![
                Sql(header.origin),
                header.scope.as_str(),
                outcome,
                rule,
                Sql(delta.hash),
                Sql(header.log),
                Sql(header.seq),
                delta.header_line,
                items,
                Sql(self.now),
                Sql(digest),
            ],
        )?;
        Ok(())
    }

    /// Forgets a delta that was held: it counts now, or can be asked for again.
    pub(super) fn drop_held(&self, delta: &Delta<'_>) -> Result<()> {
        let digest = digest(delta.header_line, &join_items(delta));
        self.connection
            .prepare_cached("DELETE FROM held WHERE digest = ?1")?
            .execute([Sql(digest)])?;
        Ok(())
    }

    pub(super) fn held_bytes(&self, held_no: i64) -> Result<Option<Bytes>> {
        let sql = "SELECT header, items FROM held WHERE held_no = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([held_no], read_bytes).optional()?)
    }
}

/// The items of a delta, one a line.
fn join_items(delta: &Delta<'_>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = delta.items.iter().map(Item::to_bytes).collect();
    items.join(&b'\n')
}

/// Names the bytes of a delta: the same header with other lines is another thing to hold.
fn digest(header_line: &[u8], items: &[u8]) -> Hash {
    hash::sha256(&[header_line, b"\n", items].concat())
}

fn read_bytes(row: &rusqlite::Row<'_>) -> rusqlite::Result<Bytes> {
    let items: Vec<u8> = row.get(1)?;
    let items = items
        .split(|byte| *byte == b'\n')
        .filter(|item| !item.is_empty())
        .map(<[u8]>::to_vec);
    Ok((row.get(0)?, items.collect()))
}
