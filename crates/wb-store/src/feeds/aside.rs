//! Deltas that were set aside and whose retracts count: forks, what is held, closed logs.
//!
//! What is taken back on a closed log or another branch is taken back. Each such header is kept, so
//! that a recovery that makes it void takes its marks away again.

use rusqlite::{Connection, params};
use wb_core::entry::Op;
use wb_core::feed::Delta;
use wb_core::scope::FeedScope;

use super::ingest::{Ingest, Place};
use super::view::{FeedNos, StoredFeed};
use crate::error::Result;
use crate::sql::Sql;

impl Ingest<'_> {
    /// Adds the retracts of a delta that was not applied as marks, once.
    pub(super) fn set_aside(&self, delta: &Delta<'_>, feed: &StoredFeed<'_>) -> Result<()> {
        let header = &delta.header;
        let retracts = || {
            let entries = delta.items.iter().map(|item| &item.entry);
            entries.filter(|entry| matches!(entry.op, Op::Retract { .. }))
        };
        if retracts().next().is_none() {
            return Ok(());
        }
        let feed_no = match feed.feed_no {
            Some(feed_no) => feed_no,
            None => make_feed(self.connection, feed.instance_no, header.scope)?,
        };
        let log_no = self.log_no(
            feed.instance_no,
            header.scope,
            &header.log,
            header.generation,
            None,
        )?;
        let sql =
            "INSERT INTO asides (log_no, hash, line) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let is_new = self.connection.prepare_cached(sql)?.execute(params![
            log_no,
            Sql(delta.hash),
            delta.header_line
        ])? > 0;
        if !is_new {
            return Ok(());
        }
        let at = Place {
            seq: header.seq,
            aside_no: Some(self.connection.last_insert_rowid()),
            index: None,
            applied: false,
            run_no: self.run_no(),
        };
        for entry in retracts() {
            self.put_entry(FeedNos { feed_no, log_no }, at, entry, None)?;
            self.project(feed.instance_no, &entry.id)?;
        }
        Ok(())
    }
}

/// The row of a feed of which only marks are held.
fn make_feed(connection: &Connection, instance_no: i64, scope: FeedScope) -> Result<i64> {
    connection.execute(
        "INSERT INTO feeds (instance_no, scope) VALUES (?1, ?2)",
        params![instance_no, scope.as_str()],
    )?;
    Ok(connection.last_insert_rowid())
}
