//! What members of this instance wrote, in all scopes.
//!
//! Nothing here is served: what leaves is sealed into `feed_lines` by way of `may_leave`.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wb_core::entry::Reason;
use wb_core::feed::Header;
use wb_core::id::{Hash, InstanceId, LogId, RecordId, RecordRef};
use wb_core::leave::{Life, ProfileShares};
use wb_core::scope::{By, FeedScope, Kind, Scope};
use wb_core::time::Timestamp;

use crate::erase::NO_WORDS;
use crate::error::{Result, StoreError};
use crate::project::project_local;
use crate::retracting::reason_of;
use crate::sql::{Sql, some, word};
use crate::store::{Store, Write};

/// A record of this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRecord {
    /// Its id.
    pub id: RecordId,
    /// Its kind; also kinds that never leave.
    pub kind: Kind,
    /// The author's user record; none for the instance's own.
    pub author: Option<RecordId>,
    /// The scope its author chose.
    pub scope: Scope,
    /// The widest scope a steward allows.
    pub ceiling: Scope,
    /// Where it stands in its life.
    pub life: Life,
    /// The body as JSON, in the form its kind has in a line.
    pub body: String,
    /// For a profile: which fields its owner shares.
    pub shares: Option<ProfileShares>,
    /// The request it belongs to.
    pub parent: Option<RecordRef>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub at: Timestamp,
    /// Counts changes.
    pub edit: u64,
    /// The change that was sealed last; 0 for none.
    pub sealed_edit: u64,
    /// Revisions sealed over its whole life.
    pub rev: u64,
    /// The `by` it left with.
    pub left_by: Option<By>,
}

/// A line of this instance live in one of its feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The feed.
    pub scope: FeedScope,
    /// Its kind.
    pub kind: Kind,
    /// Its revision.
    pub rev: u64,
    /// Hash of its line.
    pub line_hash: Hash,
}

/// What a feed of this instance says of a record last: that it was put there, or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedMove {
    /// The feed.
    pub scope: FeedScope,
    /// The log.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// The record's kind.
    pub kind: Kind,
    /// Number of the delta.
    pub seq: u64,
    /// When that was sealed.
    pub at: Timestamp,
    /// Whether it was put there.
    pub is_put: bool,
}

/// The last mark of a record in each own feed, with the header of its delta.
const MOVES: &str =
    "SELECT f.scope, l.log, x.seq, x.op, h.line, l.generation, max(x.line_no) FROM instances i
    CROSS JOIN feeds f USING (instance_no) CROSS JOIN feed_lines x USING (feed_no)
    JOIN logs l ON l.log_no = x.log_no LEFT JOIN headers h ON h.log_no = x.log_no AND h.seq = x.seq
    WHERE i.standing = 'self' AND x.id = ?1 AND x.void = 0 AND x.aside_no IS NULL
    GROUP BY f.feed_no ORDER BY f.scope";

const COLUMNS: &str =
    "id, kind, author, scope, ceiling, life, body, shares, parent_origin, parent_id,
    created_at, at, edit, sealed_edit, rev, left_by";

/// What is sealed of a record. The cross joins keep the order: from the few own feeds to one row of each.
/// Left to choose, SQLite reads every live line there is, for each record that is planned.
const SEALED: &str = "SELECT f.scope, x.kind, x.rev, x.line_hash FROM instances i
    CROSS JOIN feeds f USING (instance_no) CROSS JOIN feed_lines x USING (feed_no)
    WHERE i.standing = 'self' AND x.id = ?1 AND x.live = 1 ORDER BY f.scope";

fn read(row: &Row<'_>) -> rusqlite::Result<LocalRecord> {
    let parent_origin: Option<Sql<InstanceId>> = row.get(8)?;
    let parent_id: Option<Sql<RecordId>> = row.get(9)?;
    let shares: Option<String> = row.get(7)?;
    let left_by: Option<String> = row.get(15)?;
    Ok(LocalRecord {
        id: row.get::<_, Sql<RecordId>>(0)?.0,
        kind: word(row, 1)?,
        author: some(row.get(2)?),
        scope: word(row, 3)?,
        ceiling: word(row, 4)?,
        life: word(row, 5)?,
        body: row.get(6)?,
        shares: shares.and_then(|text| serde_json::from_str(&text).ok()),
        parent: some(parent_origin)
            .zip(some(parent_id))
            .map(|(origin, id)| RecordRef { origin, id }),
        created_at: row.get::<_, Sql<Timestamp>>(10)?.0,
        at: row.get::<_, Sql<Timestamp>>(11)?.0,
        edit: row.get::<_, Sql<u64>>(12)?.0,
        sealed_edit: row.get::<_, Sql<u64>>(13)?.0,
        rev: row.get::<_, Sql<u64>>(14)?.0,
        left_by: left_by.and_then(|text| text.parse().ok()),
    })
}

pub(crate) fn load_local(connection: &Connection, id: &RecordId) -> Result<Option<LocalRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM local_records WHERE id = ?1");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([Sql(id)], read)
        .optional()?)
}

impl Store {
    /// A local record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn local(&self, id: &RecordId) -> Result<Option<LocalRecord>> {
        load_local(self.main(), id)
    }

    /// Local records of a kind that are shown here, the first written first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn local_of_kind(&self, kind: &Kind) -> Result<Vec<LocalRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM local_records WHERE id IN (
               SELECT id FROM records WHERE kind = ?1 AND cause IS NULL
                 AND instance_no = (SELECT instance_no FROM instances WHERE standing = 'self'))
             ORDER BY created_at, id"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map([kind.as_str()], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Gives every local record, ordered by id.
    ///
    /// # Errors
    /// What the database or the receiver reports.
    pub fn each_local<E: From<StoreError>>(
        &self,
        mut receive: impl FnMut(LocalRecord) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = format!("SELECT {COLUMNS} FROM local_records ORDER BY id");
        let mut statement = self.main().prepare_cached(&sql).map_err(StoreError::from)?;
        let mut rows = statement.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            receive(read(row).map_err(StoreError::from)?)?;
        }
        Ok(())
    }

    /// Local records that belong to a request, ordered by id.
    ///
    /// # Errors
    /// What the database reports.
    pub fn local_children(&self, parent: &RecordRef) -> Result<Vec<LocalRecord>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM local_records WHERE parent_id = ?1 AND parent_origin = ?2 ORDER BY id"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map(params![Sql(parent.id), Sql(parent.origin)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What this instance has live in its feeds, under one id: at most one line a feed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn sealed(&self, id: &RecordId) -> Result<Vec<Sealed>> {
        let mut statement = self.main().prepare_cached(SEALED)?;
        let rows = statement.query_map([Sql(id)], |row| {
            Ok(Sealed {
                scope: word(row, 0)?,
                kind: word(row, 1)?,
                rev: row.get::<_, Sql<u64>>(2)?.0,
                line_hash: row.get::<_, Sql<Hash>>(3)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Store {
    /// What the own feeds say of a record last; nothing for one that never left.
    ///
    /// # Errors
    /// What the database reports, and a header that cannot be read.
    pub fn sealed_moves(&self, id: &RecordId) -> Result<Vec<SealedMove>> {
        let mut statement = self.main().prepare_cached(MOVES)?;
        let mut rows = statement.query([Sql(id)])?;
        let mut moves = Vec::new();
        while let Some(row) = rows.next()? {
            let line: Option<Vec<u8>> = row.get(4)?;
            let missing = || StoreError::Damaged("an own delta has no header".to_owned());
            let line = line.ok_or_else(missing)?;
            let (header, _) = Header::read(&line).map_err(|_| missing())?;
            let op: String = row.get(3)?;
            moves.push(SealedMove {
                scope: word(row, 0)?,
                log: row.get::<_, Sql<LogId>>(1)?.0,
                generation: row.get::<_, Sql<u64>>(5)?.0,
                kind: load_kind(self.main(), id)?,
                seq: row.get::<_, Sql<u64>>(2)?.0,
                at: header.at,
                is_put: op == "put",
            });
        }
        Ok(moves)
    }
}

/// The kind of a local record: an entry of a snapshot may not say it.
fn load_kind(connection: &Connection, id: &RecordId) -> Result<Kind> {
    let local = load_local(connection, id)?;
    let local = local.ok_or_else(|| StoreError::damaged("a record that left and is not here"))?;
    Ok(local.kind)
}

/// What an own feed retracted last of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRetract {
    /// The revision.
    pub rev: u64,
    /// Why; not known where only a snapshot told of it.
    pub reason: Option<Reason>,
    /// Whether that was sealed in this folder.
    pub sealed_here: bool,
}

impl Store {
    /// What the own feeds retracted last of a record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn last_retract(&self, id: &RecordId) -> Result<Option<LastRetract>> {
        // Of a snapshot only the number is known, and its reason is made up.
        let sql = "SELECT x.rev, CASE WHEN x.idx IS NULL THEN NULL ELSE x.reason END,
                     EXISTS (SELECT 1 FROM headers h JOIN sealed_here s USING (hash) WHERE h.log_no = x.log_no AND h.seq = x.seq)
                   FROM instances i
                   CROSS JOIN feeds f USING (instance_no) CROSS JOIN feed_lines x USING (feed_no)
                   WHERE i.standing = 'self' AND x.id = ?1 AND x.op = 'retract' AND x.void = 0 AND x.aside_no IS NULL
                   ORDER BY x.rev DESC, x.idx IS NULL LIMIT 1";
        let mut statement = self.main().prepare_cached(sql)?;
        let found = statement.query_row([Sql(id)], |row| {
            let reason: Option<String> = row.get(1)?;
            Ok(LastRetract {
                rev: row.get::<_, Sql<u64>>(0)?.0,
                reason: reason.as_deref().map(reason_of),
                sealed_here: row.get(2)?,
            })
        });
        Ok(found.optional()?)
    }

    /// Why a branch of the own feeds took a record back up to a revision, where its delta was seen.
    ///
    /// # Errors
    /// What the database reports.
    pub fn aside_retract(&self, id: &RecordId, rev: u64) -> Result<Option<Reason>> {
        let sql = "SELECT x.reason FROM instances i CROSS JOIN feeds f USING (instance_no)
                   CROSS JOIN feed_lines x USING (feed_no)
                   WHERE i.standing = 'self' AND x.id = ?1 AND x.rev = ?2 AND x.op = 'retract' AND x.void = 0
                     AND x.aside_no IS NOT NULL LIMIT 1";
        let mut statement = self.main().prepare_cached(sql)?;
        let found = statement.query_row(params![Sql(id), Sql(rev)], |row| row.get::<_, String>(0));
        let found = found.optional()?;
        Ok(found.as_deref().map(reason_of))
    }

    /// Whether any mark of a record is held, of whatever instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_mark(&self, key: &RecordRef) -> Result<bool> {
        let sql = "SELECT 1 FROM instances i CROSS JOIN feeds f USING (instance_no)
                   CROSS JOIN feed_lines x USING (feed_no) WHERE i.id = ?1 AND x.id = ?2 AND x.void = 0 LIMIT 1";
        let mut statement = self.main().prepare_cached(sql)?;
        let found: Option<i64> = statement
            .query_row(params![Sql(key.origin), Sql(key.id)], |row| row.get(0))
            .optional()?;
        Ok(found.is_some())
    }
}

impl Write<'_> {
    /// Writes a local record, new or changed, and its row in the projection. What sealing notes (revision,
    /// author shown) is left as it is.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_local(&self, record: &LocalRecord) -> Result<()> {
        let shares = record.shares.map(|shares| {
            serde_json::to_string(&shares).expect("switches have string keys and serialise")
        });
        self.transaction
            .prepare_cached(
                "INSERT INTO local_records (id, kind, author, scope, ceiling, life, body, shares, parent_origin,
                   parent_id, created_at, at, edit, sealed_edit, rev, left_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
                 ON CONFLICT (id) DO UPDATE SET author = excluded.author, scope = excluded.scope,
                   ceiling = excluded.ceiling, life = excluded.life, body = excluded.body, shares = excluded.shares,
                   at = excluded.at, edit = excluded.edit",
            )?
            .execute(params![
                Sql(record.id),
                record.kind.as_str(),
                record.author.map(Sql),
                record.scope.as_str(),
                record.ceiling.as_str(),
                record.life.as_str(),
                record.body,
                shares,
                record.parent.map(|parent| Sql(parent.origin)),
                record.parent.map(|parent| Sql(parent.id)),
                Sql(record.created_at),
                Sql(record.at),
                Sql(record.edit),
                Sql(record.sealed_edit),
                Sql(record.rev),
                record.left_by.map(|by| by.to_string()),
            ])?;
        project_local(&self.transaction, &record.id)
    }

    /// A local record, as this transaction sees it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn local(&self, id: &RecordId) -> Result<Option<LocalRecord>> {
        load_local(&self.transaction, id)
    }

    /// Notes that a revision of a record was sealed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_sealed(&self, id: &RecordId, edit: u64, rev: u64, by: By) -> Result<()> {
        self.transaction
            .prepare_cached(
                "UPDATE local_records SET sealed_edit = ?2, rev = ?3, left_by = ?4 WHERE id = ?1",
            )?
            .execute(params![Sql(id), Sql(edit), Sql(rev), by.to_string()])?;
        project_local(&self.transaction, id)
    }

    /// Removes the text of a local record that was erased, keeping what its next revision needs.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_retracted(&self, id: &RecordId, rev: u64, reason: Reason) -> Result<()> {
        self.transaction.execute(
            "UPDATE local_records SET rev = max(rev, ?2), sealed_edit = 0,
               body = CASE WHEN ?3 THEN ?4 ELSE body END WHERE id = ?1",
            params![Sql(id), Sql(rev), reason == Reason::Erase, NO_WORDS],
        )?;
        self.drop_retract_reason(id)?;
        if reason == Reason::Erase {
            self.erase_void(id)?;
        }
        project_local(&self.transaction, id)
    }
}

#[cfg(test)]
mod tests {
    use super::SEALED;
    use crate::open::{MAIN, open};

    /// Planning read every live line once for each local record, so publishing took time with the square
    /// of what is held.
    #[test]
    fn what_is_sealed_of_a_record_is_looked_up_and_not_searched_for() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join("wb.db"), MAIN, crate::open::Opening::Make).unwrap();
        let plan: Vec<String> = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {SEALED}"))
            .unwrap()
            .query_map([b"id"], |row| row.get(3))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let lines = plan.iter().find(|step| step.contains(" x ")).unwrap();
        assert!(lines.starts_with("SEARCH x USING INDEX"), "{plan:?}");
        assert!(lines.contains("feed_no=? AND id=?"), "{plan:?}");
    }
}
