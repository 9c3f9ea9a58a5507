//! How much room a member takes at a hub, and who makes room where too many wait (spec: sync).

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::InstanceId;
use wb_core::sync::Standing;
use wb_core::time::Timestamp;

use super::file::{Relay, RelayWrite};
use super::member::standing_n;
use crate::error::Result;
use crate::instances::instance_no;
use crate::sql::Sql;
use crate::store::put_meta;

/// Bytes counted for an entry beside its line: the row and what is looked up by it.
pub const ENTRY_ROW_BYTES: u64 = 128;

/// What a hub keeps of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Bytes of its lines alone.
    pub line_bytes: u64,
    /// Bytes in all: lines, headers, what was set aside, and a row for each entry.
    pub bytes: u64,
    /// Live records.
    pub records: u64,
}

/// Reads everything that is kept of a member, at a hub or, of a peer, at a node.
pub(crate) fn room(connection: &Connection, id: &InstanceId) -> Result<Room> {
    let Some(no) = instance_no(connection, id)? else {
        return Ok(Room::default());
    };
    let lines = "SELECT ifnull(sum(length(l.line)), 0), count(*) FROM feeds f JOIN feed_lines l USING (feed_no)
                 WHERE f.instance_no = ?1";
    let (line_bytes, entries) = connection.prepare_cached(lines)?.query_row([no], |row| {
        Ok((row.get::<_, Sql<u64>>(0)?.0, row.get::<_, Sql<u64>>(1)?.0))
    })?;
    let others = "SELECT
        (SELECT ifnull(sum(length(h.line)), 0) + 64 * count(*) FROM logs g JOIN headers h USING (log_no)
         WHERE g.instance_no = ?1)
        + (SELECT ifnull(sum(length(a.line)), 0) FROM logs g JOIN asides a USING (log_no) WHERE g.instance_no = ?1)
        + (SELECT ifnull(sum(length(e.line)), 0) FROM identity_entries e WHERE e.instance_no = ?1)
        + (SELECT ifnull(sum(length(d.header) + length(d.items)), 0) FROM held d WHERE d.origin = ?2)";
    let others: Sql<u64> = connection
        .prepare_cached(others)?
        .query_row(params![no, Sql(id)], |row| row.get(0))?;
    Ok(Room {
        line_bytes,
        bytes: line_bytes
            .saturating_add(entries.saturating_mul(ENTRY_ROW_BYTES))
            .saturating_add(others.0),
        records: records(connection, no)?,
    })
}

fn records(connection: &Connection, instance_no: i64) -> Result<u64> {
    let sql = "SELECT ifnull(sum(live_n), 0) FROM feeds WHERE instance_no = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement
        .query_row([instance_no], |row| row.get::<_, Sql<u64>>(0))?
        .0)
}

/// How many waiting registrations made room for later ones.
pub(super) fn let_go(connection: &Connection) -> Result<u64> {
    let sql = "SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM meta WHERE key = 'waiting_let_go'";
    let count: Option<Sql<u64>> = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(count.map_or(0, |Sql(count)| count))
}

impl Relay {
    /// What is kept of a member. Reads all of it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn room(&self, id: &InstanceId) -> Result<Room> {
        self.at_one_moment(|connection| room(connection, id))
    }

    /// How many waiting registrations made room for later ones.
    ///
    /// # Errors
    /// What the database reports.
    pub fn let_go(&self) -> Result<u64> {
        self.at_one_moment(let_go)
    }
}

impl RelayWrite<'_> {
    /// What is kept of a member, as this transaction sees it. Reads all of it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn room(&self, id: &InstanceId) -> Result<Room> {
        room(&self.transaction, id)
    }

    /// The live records of a member, as this transaction sees them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn records(&self, id: &InstanceId) -> Result<u64> {
        match instance_no(&self.transaction, id)? {
            Some(no) => records(&self.transaction, no),
            None => Ok(0),
        }
    }

    /// Makes sure that one more may wait for approval. Where as many as may are waiting, the one goes that
    /// waits longest of those that registered before a time and never asked again. Returns whether there
    /// is room.
    ///
    /// # Errors
    /// What the database reports.
    pub fn make_room(&self, waiting_max: u64, before: Timestamp) -> Result<bool> {
        let connection = &*self.transaction;
        if standing_n(connection, Standing::Waiting)? < waiting_max {
            return Ok(true);
        }
        let sql = "SELECT instance_no FROM members
                   WHERE standing = 'waiting' AND seen_at IS NULL AND since <= ?1 ORDER BY since, id LIMIT 1";
        let oldest: Option<i64> = connection
            .prepare_cached(sql)?
            .query_row([Sql(before)], |row| row.get(0))
            .optional()?;
        let Some(no) = oldest else {
            return Ok(false);
        };
        // Nothing else is kept of who was never let in.
        connection.execute("DELETE FROM members WHERE instance_no = ?1", [no])?;
        connection.execute("DELETE FROM identity_entries WHERE instance_no = ?1", [no])?;
        connection.execute("DELETE FROM instances WHERE instance_no = ?1", [no])?;
        let count = let_go(connection)?.saturating_add(1);
        put_meta(connection, "waiting_let_go", &count.to_string())?;
        Ok(true)
    }
}
