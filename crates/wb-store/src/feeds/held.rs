//! Deltas that wait, contradict or were refused: kept with their bytes, by name.

use rusqlite::{OptionalExtension as _, params};
use wb_core::feed::Delta;
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::scope::FeedScope;

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
        let items: Vec<Vec<u8>> = delta
            .items
            .iter()
            .map(wb_core::feed::Item::to_bytes)
            .collect();
        self.connection.execute(
            "INSERT INTO held (origin, scope, outcome, rule, hash, log, seq, header, items, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (origin, scope, hash) DO UPDATE SET outcome = excluded.outcome, rule = excluded.rule",
            params![
                Sql(header.origin),
                header.scope.as_str(),
                outcome,
                rule,
                Sql(delta.hash),
                Sql(header.log),
                Sql(header.seq),
                delta.header_line,
                items.join(&b'\n'),
                Sql(self.now),
            ],
        )?;
        Ok(())
    }

    pub(super) fn drop_held(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
        hash: &Hash,
    ) -> Result<()> {
        let sql = "DELETE FROM held WHERE origin = ?1 AND scope = ?2 AND hash = ?3";
        self.connection.prepare_cached(sql)?.execute(params![
            Sql(origin),
            scope.as_str(),
            Sql(hash)
        ])?;
        Ok(())
    }

    pub(super) fn early(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
        log: &LogId,
        seq: u64,
    ) -> Result<Option<Bytes>> {
        let sql = "SELECT header, items FROM held
                   WHERE origin = ?1 AND scope = ?2 AND log = ?3 AND seq = ?4 AND outcome = 'early'";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row(
                params![Sql(origin), scope.as_str(), Sql(log), Sql(seq)],
                read_bytes,
            )
            .optional()?;
        Ok(found)
    }

    pub(super) fn waiting_for_identity(&self, origin: &InstanceId) -> Result<Vec<Bytes>> {
        let sql = "SELECT header, items FROM held
                   WHERE origin = ?1 AND outcome = 'early' AND rule = 'identity' ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map([Sql(origin)], read_bytes)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

fn read_bytes(row: &rusqlite::Row<'_>) -> rusqlite::Result<Bytes> {
    let items: Vec<u8> = row.get(1)?;
    let items = items
        .split(|byte| *byte == b'\n')
        .filter(|item| !item.is_empty())
        .map(<[u8]>::to_vec);
    Ok((row.get(0)?, items.collect()))
}
