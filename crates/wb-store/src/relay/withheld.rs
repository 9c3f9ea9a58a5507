//! Records of which a hub hands nothing on (spec: notices).
//!
//! The line lies beside the feed, in a table that nothing serves, and the feed has a stub in its place: what is
//! given in deltas, snapshots and lines, and what pages list, needs no rule of its own. Triggers of the file keep
//! it so, whatever brings the line again, and let go of it with its record.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::time::Timestamp;

use super::file::RelayWrite;
use super::listing::list_record;
use crate::doctor::Looked;
use crate::error::Result;
use crate::feeds::{StoredHeader, read_item};
use crate::instances::instance_no;
use crate::sql::{Sql, some};

/// What is withheld of a record: one line, or every revision.
pub(super) type Withheld = BTreeMap<RecordRef, Option<Hash>>;

/// What is withheld.
pub(super) fn withheld(connection: &Connection) -> Result<Withheld> {
    let sql = "SELECT i.id, w.id, w.line_hash FROM withheld w JOIN instances i USING (instance_no)";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let key = RecordRef {
            origin: row.get::<_, Sql<InstanceId>>(0)?.0,
            id: row.get::<_, Sql<RecordId>>(1)?.0,
        };
        Ok((key, some(row.get(2)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl RelayWrite<'_> {
    /// Withholds what is wanted and nothing else. Of whom a line is served again, everything arrives again.
    pub(super) fn withhold(&self, wanted: &Withheld, now: Timestamp) -> Result<()> {
        let held = withheld(&self.transaction)?;
        let is_same =
            |key: &RecordRef, line: &Option<Hash>, other: &Withheld| other.get(key) == Some(line);
        for (key, line) in &held {
            if !is_same(key, line, wanted) {
                self.give_back(key, now)?;
            }
        }
        for (key, line) in wanted {
            if !is_same(key, line, &held) {
                self.take_out(key, line.as_ref(), now)?;
            }
        }
        let mut served: Vec<InstanceId> = held
            .keys()
            .filter(|key| !wanted.contains_key(key))
            .map(|key| key.origin)
            .collect();
        served.dedup();
        for origin in served {
            self.serve_again(&origin, now)?;
        }
        Ok(())
    }

    fn take_out(&self, key: &RecordRef, line: Option<&Hash>, now: Timestamp) -> Result<()> {
        let Some(no) = instance_no(&self.transaction, &key.origin)? else {
            return Ok(());
        };
        let sql = "INSERT INTO withheld (id, instance_no, line_hash) VALUES (?1, ?2, ?3)
                   ON CONFLICT (id, instance_no) DO UPDATE SET line_hash = excluded.line_hash";
        self.transaction
            .execute(sql, params![Sql(key.id), no, line.map(Sql)])?;
        // Written as it is, it comes anew, and goes where what comes goes.
        let sql = "UPDATE feed_lines SET line = line WHERE line IS NOT NULL AND id = ?1
                     AND feed_no IN (SELECT feed_no FROM feeds WHERE instance_no = ?2)";
        self.transaction.execute(sql, params![Sql(key.id), no])?;
        list_record(&self.transaction, &self.touched, no, &key.id, now)
    }

    fn give_back(&self, key: &RecordRef, now: Timestamp) -> Result<()> {
        let Some(no) = instance_no(&self.transaction, &key.origin)? else {
            return Ok(());
        };
        let of = params![Sql(key.id), no];
        self.transaction.execute(
            "DELETE FROM withheld WHERE id = ?1 AND instance_no = ?2",
            of,
        )?;
        let sql = "UPDATE feed_lines SET line = (SELECT w.line FROM withheld_lines w WHERE w.line_no = feed_lines.line_no)
                   WHERE id = ?1 AND feed_no IN (SELECT feed_no FROM feeds WHERE instance_no = ?2)
                     AND line_no IN (SELECT line_no FROM withheld_lines)";
        self.transaction.execute(sql, params![Sql(key.id), no])?;
        let sql = "DELETE FROM withheld_lines WHERE line_no IN (SELECT line_no FROM feed_lines WHERE id = ?1
                     AND line IS NOT NULL AND feed_no IN (SELECT feed_no FROM feeds WHERE instance_no = ?2))";
        self.transaction.execute(sql, params![Sql(key.id), no])?;
        list_record(&self.transaction, &self.touched, no, &key.id, now)
    }
}

/// The items of a delta as its origin gets them back: what is withheld from others is in them.
pub(super) fn items_for_origin(
    connection: &Connection,
    header: &StoredHeader,
) -> Result<Vec<Vec<u8>>> {
    let (log_no, seq) = header.place();
    let sql = "SELECT op, id, rev, kind, line_hash, drops, reason,
                 ifnull(line, (SELECT w.line FROM withheld_lines w WHERE w.line_no = x.line_no))
               FROM feed_lines x WHERE log_no = ?1 AND seq = ?2 AND idx IS NOT NULL ORDER BY idx";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![log_no, Sql(seq)])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(read_item(row)?.into_owned());
    }
    Ok(items)
}

/// The line of a record, withheld or not, where it is here.
pub(super) fn line_of(connection: &Connection, key: &RecordRef) -> Result<Option<Vec<u8>>> {
    let sql =
        "SELECT ifnull(x.line, (SELECT w.line FROM withheld_lines w WHERE w.line_no = x.line_no))
               FROM feed_lines x JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
               WHERE i.id = ?1 AND x.id = ?2 AND x.live = 1";
    let line: Option<Option<Vec<u8>>> = connection
        .prepare_cached(sql)?
        .query_row(params![Sql(key.origin), Sql(key.id)], |row| row.get(0))
        .optional()?;
    Ok(line.flatten())
}

/// What lies beside the feeds is what their entries name, and no line that is withheld is in a feed.
pub(super) fn check_withheld(connection: &Connection) -> Result<Looked> {
    let mut looked = Looked::default();
    let sql = "SELECT w.line_no, w.line, x.line_hash, x.live FROM withheld_lines w LEFT JOIN feed_lines x USING (line_no)";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let (line_no, line): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let named: Option<Hash> = some(row.get(2)?);
        let live: Option<i64> = row.get(3)?;
        if named != Some(wb_core::hash::line(&line)) || live != Some(1) {
            looked.problem(format!(
                "line {line_no} is withheld, and no live entry names it"
            ));
        }
    }
    let sql = "SELECT count(*) FROM withheld w JOIN feeds f USING (instance_no)
               JOIN feed_lines x ON x.feed_no = f.feed_no AND x.id = w.id
               WHERE x.line IS NOT NULL AND (w.line_hash IS NULL OR w.line_hash = x.line_hash)";
    let Sql(served): Sql<u64> = connection.query_row(sql, [], |row| row.get(0))?;
    if served > 0 {
        looked.problem(format!("{served} lines are withheld and would be served"));
    }
    Ok(looked)
}
