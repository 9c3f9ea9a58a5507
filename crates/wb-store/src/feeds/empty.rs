//! Removing the words of feeds that are followed no longer.
//!
//! Nobody tells this node any more when their origin takes something back, so the lines go now. Entries
//! and heads stay: they are hashes, and who follows again fills the lines in by them.

use rusqlite::params;
use wb_core::id::{InstanceId, RecordId};

use crate::error::Result;
use crate::instances::instance_no;
use crate::project::project_record;
use crate::sql::Sql;
use crate::store::Write;

impl Write<'_> {
    /// Removes every line held of an instance. Returns how many records had one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn empty_feeds(&self, origin: &InstanceId) -> Result<u64> {
        let connection = &*self.transaction;
        let Some(no) = instance_no(connection, origin)? else {
            return Ok(0);
        };
        let of_it =
            "feed_no IN (SELECT feed_no FROM feeds WHERE instance_no = ?1) AND line IS NOT NULL";
        let ids: Vec<Sql<RecordId>> = connection
            .prepare(&format!("SELECT DISTINCT id FROM feed_lines WHERE {of_it}"))?
            .query_map([no], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        connection.execute(
            &format!("UPDATE feed_lines SET line = NULL WHERE {of_it}"),
            [no],
        )?;
        let kept = "DELETE FROM kept_lines WHERE feed_no IN (SELECT feed_no FROM feeds WHERE instance_no = ?1)";
        connection.execute(kept, [no])?;
        connection.execute("DELETE FROM held WHERE origin = ?1", params![Sql(origin)])?;
        // Whoever is asked next has not been asked for these.
        connection.execute(
            "DELETE FROM meta WHERE key LIKE 'unfilled %' AND instr(key, ?1) > 0",
            [origin.to_string()],
        )?;
        for Sql(id) in &ids {
            project_record(connection, no, id)?;
        }
        Ok(ids.len() as u64)
    }
}
