//! What a node does with the notices of hubs: what was set and said, and the records that are hidden by it.
//!
//! Which are hidden is decided elsewhere and kept here as a projection ([`Write::put_withheld`]), so that readers of
//! records look at no notice. Nothing that is stored changes: what is hidden is shown again as it was.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params, params_from_iter};
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Notice};
use wb_core::notice::{Answer, Heeds, Said};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::pictures::drop_of_hidden;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// SQL for whether no notice hides a record `r`.
pub(crate) const NOT_WITHHELD: &str = "NOT EXISTS (SELECT 1 FROM withheld_here g WHERE g.instance_no = r.instance_no AND g.id = r.id)";

/// By what a record is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithheldBy {
    /// The hub.
    pub hub: InstanceId,
    /// The record of the notice.
    pub notice: RecordId,
}

/// Records that are hidden, each with what hides it.
pub type WithheldHere = BTreeMap<RecordRef, WithheldBy>;

/// A record of another instance with the roads by which it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoadsOf {
    /// The record.
    pub id: RecordId,
    /// Hash of its line.
    pub line_hash: Hash,
    /// Each road: its hub, or none for a road that is no hub.
    pub hubs: Vec<Option<InstanceId>>,
}

impl Store {
    /// The notices of every instance, as far as they are shown by their feed alone.
    ///
    /// # Errors
    /// What the database reports.
    pub fn notices_of_all(&self) -> Result<Vec<(InstanceId, Said)>> {
        let sql = "SELECT i.id, r.id, r.line_hash, r.body FROM records r JOIN instances i USING (instance_no)
                   WHERE r.kind = 'notice' AND r.cause IS NULL AND r.scope = 'public' AND r.body IS NOT NULL
                     AND r.line_hash IS NOT NULL AND i.standing NOT IN ('self', 'blocked')";
        let kind = "notice".parse().expect("a kind");
        let mut statement = self.main().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let Sql(hub): Sql<InstanceId> = row.get(0)?;
            let body: String = row.get(3)?;
            if let Ok(Body::Notice(notice)) = Body::read(&kind, 1, hub, &body) {
                all.push((hub, said(row, notice)?));
            }
        }
        Ok(all)
    }

    /// What is set for each hub.
    ///
    /// # Errors
    /// What the database reports.
    pub fn heeds(&self) -> Result<BTreeMap<InstanceId, Heeds>> {
        let sql = "SELECT hub, heeds FROM heeds";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, Sql<InstanceId>>(0)?.0, word(row, 1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What somebody said about each notice, by hub and the hash of its line.
    ///
    /// # Errors
    /// What the database reports.
    pub fn notice_answers(&self) -> Result<BTreeMap<(InstanceId, Hash), Answer>> {
        let sql = "SELECT hub, line_hash, answer FROM notice_answers";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let hub = row.get::<_, Sql<InstanceId>>(0)?.0;
            Ok(((hub, row.get::<_, Sql<Hash>>(1)?.0), word(row, 2)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Records of an instance, or one of them, with the roads by which they are known; those that none is known of
    /// are left out, and so are those of this instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn roads_of_all(
        &self,
        origin: &InstanceId,
        only: Option<&RecordId>,
    ) -> Result<Vec<RoadsOf>> {
        let mut values: Vec<Box<dyn rusqlite::ToSql>> = vec![Box::new(Sql(*origin))];
        // One alone has a statement of its own, so that it is found by its key.
        let one = if let Some(id) = only {
            values.push(Box::new(Sql(*id)));
            "AND s.id = ?2"
        } else {
            ""
        };
        let sql = format!(
            "SELECT s.id, s.line_hash, CASE w.road WHEN 'hub' THEN w.peer END FROM records s
             JOIN instances i USING (instance_no)
             JOIN feeds f ON f.instance_no = i.instance_no
             JOIN feed_lines x ON x.feed_no = f.feed_no AND x.id = s.id AND x.live = 1 AND x.line_hash = s.line_hash
             JOIN logs l ON l.log_no = x.log_no
             JOIN roads w ON w.instance_no = i.instance_no AND w.scope = f.scope
               AND ((w.log = l.log AND w.seq >= x.seq) OR w.generation > l.generation)
             WHERE i.id = ?1 AND i.standing != 'self' AND s.cause IS NULL {one} ORDER BY s.id"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut all: Vec<RoadsOf> = Vec::new();
        while let Some(row) = rows.next()? {
            let (Sql(id), Sql(line_hash)): (Sql<RecordId>, Sql<Hash>) = (row.get(0)?, row.get(1)?);
            let peer: Option<Vec<u8>> = row.get(2)?;
            let hub = peer.and_then(|peer| InstanceId::from_slice(&peer));
            match all.last_mut() {
                Some(last) if last.id == id => last.hubs.push(hub),
                _ => all.push(RoadsOf {
                    id,
                    line_hash,
                    hubs: vec![hub],
                }),
            }
        }
        Ok(all)
    }

    /// What is hidden by notices now.
    ///
    /// # Errors
    /// What the database reports.
    pub fn withheld_here(&self) -> Result<WithheldHere> {
        let sql = "SELECT i.id, g.id, g.hub, g.notice FROM withheld_here g JOIN instances i USING (instance_no)";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let key = RecordRef {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                id: row.get::<_, Sql<RecordId>>(1)?.0,
            };
            Ok((key, by(row, 2)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// By what one record is hidden.
    ///
    /// # Errors
    /// What the database reports.
    pub fn withheld_by(&self, key: &RecordRef) -> Result<Option<WithheldBy>> {
        let sql = "SELECT g.hub, g.notice FROM withheld_here g JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND g.id = ?2";
        Ok(self
            .main()
            .prepare_cached(sql)?
            .query_row(params![Sql(key.origin), Sql(key.id)], |row| by(row, 0))
            .optional()?)
    }
}

fn by(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<WithheldBy> {
    Ok(WithheldBy {
        hub: row.get::<_, Sql<InstanceId>>(at)?.0,
        notice: row.get::<_, Sql<RecordId>>(at + 1)?.0,
    })
}

fn said(row: &rusqlite::Row<'_>, notice: Notice) -> rusqlite::Result<Said> {
    Ok(Said {
        id: row.get::<_, Sql<RecordId>>(1)?.0,
        line_hash: row.get::<_, Sql<Hash>>(2)?.0,
        notice,
    })
}

impl Write<'_> {
    /// Sets what is done with the notices of a hub; none: the default.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_heeds(&self, hub: &InstanceId, heeds: Option<Heeds>) -> Result<()> {
        match heeds {
            Some(heeds) => self.transaction.execute(
                "INSERT INTO heeds (hub, heeds) VALUES (?1, ?2)
                 ON CONFLICT (hub) DO UPDATE SET heeds = excluded.heeds",
                params![Sql(hub), heeds.as_str()],
            )?,
            None => self
                .transaction
                .execute("DELETE FROM heeds WHERE hub = ?1", [Sql(hub)])?,
        };
        Ok(())
    }

    /// Notes what somebody said about a notice; none: nothing.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_notice_answer(
        &self,
        hub: &InstanceId,
        line_hash: &Hash,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Result<()> {
        match answer {
            Some(answer) => self.transaction.execute(
                "INSERT INTO notice_answers (hub, line_hash, answer, at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (hub, line_hash) DO UPDATE SET answer = excluded.answer, at = excluded.at",
                params![Sql(hub), Sql(line_hash), answer.as_str(), Sql(now)],
            )?,
            None => self.transaction.execute(
                "DELETE FROM notice_answers WHERE hub = ?1 AND line_hash = ?2",
                params![Sql(hub), Sql(line_hash)],
            )?,
        };
        Ok(())
    }

    /// Keeps what notices hide, in the place of what they hid before.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_withheld(&self, withheld: &WithheldHere) -> Result<()> {
        self.transaction.execute("DELETE FROM withheld_here", [])?;
        let sql = "INSERT INTO withheld_here (instance_no, id, hub, notice)
                   SELECT instance_no, ?2, ?3, ?4 FROM instances WHERE id = ?1 AND standing != 'self'";
        let mut statement = self.transaction.prepare_cached(sql)?;
        for (key, by) in withheld {
            let values = params![Sql(key.origin), Sql(key.id), Sql(by.hub), Sql(by.notice)];
            statement.execute(values)?;
        }
        drop(statement);
        drop_of_hidden(&self.transaction)
    }
}
