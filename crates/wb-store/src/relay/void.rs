//! What a recovery made void is not handed on (spec: identity, where a key stops).
//!
//! It stays here with its numbers: others may hold it, and the running hash is over it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::IdentityLog;

use super::heads::FeedAtHead;
use crate::error::Result;
use crate::instances::{identity_log, is_void};
use crate::sql::Sql;

/// Tells which headers are void; reads each identity log once.
pub(super) struct Voids<'c> {
    connection: &'c Connection,
    /// None for an instance that has had one key only: nothing of it can be void.
    logs: BTreeMap<InstanceId, Option<IdentityLog>>,
}

impl<'c> Voids<'c> {
    pub fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            logs: BTreeMap::new(),
        }
    }

    /// Whether a header of an instance is void.
    pub fn is_void(&mut self, origin: &InstanceId, log_no: i64, seq: u64) -> Result<bool> {
        let connection = self.connection;
        let Some(log) = self.log(origin)? else {
            return Ok(false);
        };
        let sql = "SELECT h.hash, ifnull(h.line, (SELECT n.line FROM headers n WHERE n.log_no = h.log_no
                     AND n.seq > h.seq AND n.line IS NOT NULL ORDER BY n.seq LIMIT 1)), h.line IS NULL
                   FROM headers h WHERE h.log_no = ?1 AND h.seq = ?2";
        let header: Option<(Sql<Hash>, Option<Vec<u8>>, bool)> = connection
            .prepare_cached(sql)?
            .query_row(params![log_no, Sql(seq)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((Sql(hash), Some(line), is_forgotten)) = header else {
            return Ok(false);
        };
        is_void(log, &line, is_forgotten.then_some(seq), hash)
    }

    /// Whether the head of a feed is void.
    pub fn is_at_void(&mut self, feed: &FeedAtHead) -> Result<bool> {
        self.is_void(&feed.held.origin, feed.log_no, feed.held.seq)
    }

    fn log(&mut self, origin: &InstanceId) -> Result<Option<&IdentityLog>> {
        if !self.logs.contains_key(origin) {
            let log = if has_changed_key(self.connection, origin)? {
                identity_log(self.connection, origin)?
            } else {
                None
            };
            self.logs.insert(*origin, log);
        }
        Ok(self.logs.get(origin).and_then(Option::as_ref))
    }
}

fn has_changed_key(connection: &Connection, origin: &InstanceId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM instances i JOIN identity_entries e USING (instance_no)
               WHERE i.id = ?1 AND e.n > 0)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([Sql(origin)], |row| row.get(0))?)
}
