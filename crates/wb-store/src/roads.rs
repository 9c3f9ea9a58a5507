//! By which roads a feed comes, and up to where whom carries it was seen to have it.
//!
//! A line says by which run it came first. Who else brought the same bytes, or named a head at or above
//! them, is here: so a record shows every road, and what two of them say of one feed can be compared.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{Hash, InstanceId, LogId, RecordRef};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::error::Result;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// Whom something was seen with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The peer; none for a file.
    pub peer: Option<InstanceId>,
    /// The road, by its word.
    pub road: &'a str,
    /// The file's name or the address.
    pub detail: &'a str,
    /// When.
    pub at: Timestamp,
}

/// A road of a feed, and the head it was seen to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoadSeen {
    /// The peer; none for a file.
    pub peer: Option<InstanceId>,
    /// The road, by its word.
    pub road: String,
    /// The file's name or the address.
    pub detail: String,
    /// The head.
    pub held: Held,
    /// When it was seen last.
    pub at: Timestamp,
}

const COLUMNS: &str =
    "w.peer, w.road, w.detail, i.id, w.scope, w.log, w.generation, w.seq, w.hash, w.at";

fn read(row: &Row<'_>) -> rusqlite::Result<RoadSeen> {
    let peer: Vec<u8> = row.get(0)?;
    Ok(RoadSeen {
        peer: InstanceId::from_slice(&peer),
        road: row.get(1)?,
        detail: row.get(2)?,
        held: Held {
            origin: row.get::<_, Sql<InstanceId>>(3)?.0,
            scope: word(row, 4)?,
            log: row.get::<_, Sql<LogId>>(5)?.0,
            generation: row.get::<_, Sql<u64>>(6)?.0,
            seq: row.get::<_, Sql<u64>>(7)?.0,
            hash: row.get::<_, Sql<Hash>>(8)?.0,
        },
        at: row.get::<_, Sql<Timestamp>>(9)?.0,
    })
}

impl Store {
    /// The heads that one peer was seen to have, on whatever road.
    ///
    /// # Errors
    /// What the database reports.
    pub fn seen_with(&self, peer: &InstanceId) -> Result<Vec<RoadSeen>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM roads w JOIN instances i USING (instance_no) WHERE w.peer = ?1
             ORDER BY i.id, w.scope, w.road"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map([Sql(peer)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The roads whose head is at or above the line that stands for a record, the first seen first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn roads_of(&self, key: &RecordRef) -> Result<Vec<RoadSeen>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM records s JOIN instances i USING (instance_no)
             JOIN feeds f ON f.instance_no = i.instance_no
             JOIN feed_lines x ON x.feed_no = f.feed_no AND x.id = s.id AND x.live = 1 AND x.line_hash = s.line_hash
             JOIN logs l ON l.log_no = x.log_no
             JOIN roads w ON w.instance_no = i.instance_no AND w.scope = f.scope
               AND ((w.log = l.log AND w.seq >= x.seq) OR w.generation > l.generation)
             WHERE i.id = ?1 AND s.id = ?2 ORDER BY w.at, w.road, w.peer"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map(params![Sql(key.origin), Sql(key.id)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Write<'_> {
    /// Notes that whom a run is with carries a feed up to a head.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_road(&self, run_no: i64, held: &Held, at: Timestamp) -> Result<()> {
        let sql = "SELECT peer, road, detail FROM runs WHERE run_no = ?1";
        let run = self
            .transaction
            .prepare_cached(sql)?
            .query_row([run_no], |row| {
                let peer: Option<Sql<InstanceId>> = row.get(0)?;
                let (road, detail): (String, String) = (row.get(1)?, row.get(2)?);
                Ok((peer.map(|Sql(id)| id), road, detail))
            })
            .optional()?;
        let Some((peer, road, detail)) = run else {
            return Ok(());
        };
        let seen = Seen {
            peer,
            road: &road,
            detail: &detail,
            at,
        };
        self.note_head(&seen, held)
    }

    /// Notes that somebody named a head of a feed as the one they have. Of an instance that is not known
    /// here nothing is noted.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_head(&self, seen: &Seen<'_>, held: &Held) -> Result<()> {
        let peer = seen.peer.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        self.transaction
            .prepare_cached(
                "INSERT INTO roads (instance_no, scope, peer, road, detail, log, generation, seq, hash, at)
                 SELECT instance_no, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM instances WHERE id = ?1
                 ON CONFLICT (instance_no, scope, road, peer) DO UPDATE SET detail = excluded.detail,
                   log = excluded.log, generation = excluded.generation, seq = excluded.seq,
                   hash = excluded.hash, at = excluded.at",
            )?
            .execute(params![
                Sql(held.origin),
                held.scope.as_str(),
                peer,
                seen.road,
                seen.detail,
                Sql(held.log),
                Sql(held.generation),
                Sql(held.seq),
                Sql(held.hash),
                Sql(seen.at),
            ])?;
        Ok(())
    }
}
