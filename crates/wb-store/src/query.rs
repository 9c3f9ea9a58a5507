//! Reading what is shown: records of this instance and of others, joined with what decides beyond the
//! record itself (approval of the origin, the parent).

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{Row, params, params_from_iter};
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::scope::{By, Kind, Scope};
use wb_core::show::Cause;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::heeding::NOT_WITHHELD;
use crate::instances::Standing;
use crate::levels::{IS_SHOWN, ORIGIN_SHOWS, RECORD_IS_SHOWN, STANDING};
use crate::sql::{Sql, some, word};
use crate::store::Store;

/// A record as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Its key.
    pub key: RecordRef,
    /// What was decided about its origin.
    pub standing: Standing,
    /// The origin's name, where a card told it.
    pub home: Option<String>,
    /// Its kind.
    pub kind: Kind,
    /// The narrowest of its own and its parent's scope.
    pub scope: Scope,
    /// Its revision; 0 for a local record that never left.
    pub rev: u64,
    /// Its author, as far as its line tells.
    pub by: Option<By>,
    /// When this revision was written.
    pub at: Timestamp,
    /// When it was first written.
    pub created_at: Timestamp,
    /// The request it belongs to.
    pub parent: Option<RecordRef>,
    /// The body as JSON.
    pub body: Option<String>,
    /// Hash of its line; none for a record of this instance.
    pub line_hash: Option<Hash>,
    /// Why it is not shown; none when it is.
    pub hidden: Option<String>,
}

/// Which records to read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only of this instance.
    pub origin: Option<InstanceId>,
    /// Only of this id (of whatever origin).
    pub id: Option<RecordId>,
    /// Only what belongs to this request.
    pub parent: Option<RecordRef>,
    /// Of each instance only so many, the first by id; with a kind.
    pub first_of_each: Option<u64>,
    /// Only so many, the newest first; with a kind.
    pub newest: Option<Newest>,
    /// Also what is not shown, with its cause.
    pub hidden_too: bool,
}

/// A part of a list that begins with the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// Only what comes after this place; of one instance its id alone is looked at.
    pub after: Option<ListPlace>,
    /// How many rows are read; those that are not shown count.
    pub rows: u64,
}

/// The place of a row in a list that begins with the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListPlace {
    /// When it was first written.
    pub created_at: Timestamp,
    /// Its id.
    pub id: RecordId,
    /// Its instance.
    pub origin: InstanceId,
}

/// A status or helper record of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// Its id.
    pub id: RecordId,
    /// The instance that wrote it.
    pub origin: InstanceId,
    /// What was decided about that instance.
    pub standing: Standing,
    /// Who wrote it, as far as its line tells.
    pub by: Option<By>,
    /// When it was written, by the clock of whoever wrote it.
    pub at: Timestamp,
    /// The request it is about.
    pub request: RecordRef,
    /// `status` or `helper`.
    pub kind: Kind,
    /// The body as JSON.
    pub body: String,
    /// Hash of its line, where it was sealed.
    pub line_hash: Option<Hash>,
}

/// How many records of one instance, kind and cause there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordCount {
    /// The instance.
    pub origin: InstanceId,
    /// The kind.
    pub kind: Kind,
    /// Why they are not shown, as far as the records themselves decide.
    pub cause: Option<String>,
    /// How many.
    pub records: u64,
}

/// How many deltas of one feed were set aside, by what came of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCount {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: String,
    /// What came of them.
    pub outcome: String,
    /// The rule broken, or what they wait for.
    pub rule: Option<String>,
    /// How many.
    pub deltas: u64,
}

/// Why nothing of others is shown in a copy that was restored: they may have taken it back since.
pub const HEADS_NOT_COMPARED: &str = "heads_not_compared";

/// The words in braces stand for those of `levels`.
const SELECT: &str = "SELECT i.id, {STANDING}, i.name, r.kind, r.scope, r.rev, r.author, r.at, r.created_at,
      r.parent_origin, r.parent_id, r.body, r.cause, r.id, p.scope, p.cause, {PARENT_IS_SHOWN}, p.kind, r.line_hash,
      r.parent_id IS NOT NULL AND CASE pi.standing WHEN 'self' THEN p.record_no IS NOT NULL ELSE EXISTS (
        SELECT 1 FROM feed_lines m JOIN feeds f USING (feed_no)
        WHERE m.id = r.parent_id AND f.instance_no = pi.instance_no AND m.void = 0) END,
      {ORIGIN_SHOWS}, {NOT_WITHHELD}
    FROM records r JOIN instances i USING (instance_no)
    LEFT JOIN instances pi ON pi.id = r.parent_origin
    LEFT JOIN records p ON p.instance_no = pi.instance_no AND p.id = r.parent_id";

fn select() -> String {
    let of_parent = RECORD_IS_SHOWN.replace("i.", "pi.").replace("r.", "p.");
    SELECT
        .replace("{PARENT_IS_SHOWN}", &format!("ifnull({of_parent}, 0)"))
        .replace("{ORIGIN_SHOWS}", ORIGIN_SHOWS)
        .replace("{NOT_WITHHELD}", NOT_WITHHELD)
        .replace("{STANDING}", STANDING)
}

/// What reads the newest first, along an index, so that it costs what it gives and not what is held: of one instance by id,
/// because ids begin with a time; of all by when they were written. Gives the order.
fn newest_first(
    filter: &Filter,
    newest: &Newest,
    select: &mut String,
    conditions: &mut Vec<&str>,
    values: &mut Vec<Box<dyn rusqlite::ToSql>>,
) -> String {
    let order = if filter.origin.is_some() {
        if let Some(after) = newest.after {
            conditions.push("r.id < ?");
            values.push(Box::new(Sql(after.id)));
        }
        "r.id DESC"
    } else {
        *select = select.replace(
            "FROM records r JOIN instances i USING (instance_no)",
            "FROM records r INDEXED BY records_kind CROSS JOIN instances i USING (instance_no)",
        );
        if let Some(after) = newest.after {
            conditions.push("r.created_at <= ? AND (r.created_at, r.id, i.id) < (?, ?, ?)");
            values.push(Box::new(Sql(after.created_at)));
            values.push(Box::new(Sql(after.created_at)));
            values.push(Box::new(Sql(after.id)));
            values.push(Box::new(Sql(after.origin)));
        }
        "r.created_at DESC, r.id DESC, i.id DESC"
    };
    values.push(Box::new(Sql(newest.rows)));
    format!("{order} LIMIT ?")
}

impl Store {
    /// Reads records, oldest first. Rows that are not shown come only when asked for.
    ///
    /// # Errors
    /// What the database reports.
    pub fn records(&self, filter: &Filter) -> Result<Vec<RecordRow>> {
        let mut conditions: Vec<&str> = Vec::new();
        let mut values: Vec<Box<dyn rusqlite::ToSql>> = Vec::new();
        if let Some(kind) = &filter.kind {
            // With an id or a parent given, the plus sign keeps SQLite from choosing the index by kind,
            // which would read every record of the kind.
            let by_key = filter.id.is_some()
                || filter.parent.is_some()
                || filter.newest.is_some() && filter.origin.is_some();
            conditions.push(if by_key { "+r.kind = ?" } else { "r.kind = ?" });
            values.push(Box::new(kind.as_str().to_owned()));
        }
        if let (Some(first), Some(kind)) = (filter.first_of_each, &filter.kind) {
            conditions.push(
                "r.record_no IN (SELECT record_no FROM (SELECT record_no,
                   row_number() OVER (PARTITION BY instance_no ORDER BY id) AS n FROM records WHERE kind = ?)
                 WHERE n <= ?)",
            );
            values.push(Box::new(kind.as_str().to_owned()));
            values.push(Box::new(Sql(first)));
        }
        if let Some(origin) = filter.origin {
            conditions.push("i.id = ?");
            values.push(Box::new(Sql(origin)));
        }
        if let Some(id) = filter.id {
            conditions.push("r.id = ?");
            values.push(Box::new(Sql(id)));
        }
        if let Some(parent) = filter.parent {
            conditions.push("r.parent_origin = ? AND r.parent_id = ?");
            values.push(Box::new(Sql(parent.origin)));
            values.push(Box::new(Sql(parent.id)));
        }
        let mut order = "r.created_at, r.id, i.id".to_owned();
        let mut select = select();
        if let Some(newest) = &filter.newest {
            order = newest_first(filter, newest, &mut select, &mut conditions, &mut values);
        }
        let hides_others = self.hides_others()?;
        let condition = if conditions.is_empty() {
            "1".to_owned()
        } else {
            conditions.join(" AND ")
        };
        let sql = format!("{select} WHERE {condition} ORDER BY {order}");
        let own = self.own_name()?;
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| read(row, &own))?;
        let mut rows: Vec<RecordRow> = rows.collect::<rusqlite::Result<_>>()?;
        if hides_others {
            for row in rows.iter_mut().filter(|row| row.standing != Standing::Own) {
                let why = || HEADS_NOT_COMPARED.to_owned();
                row.hidden.get_or_insert_with(why);
            }
        }
        Ok(rows
            .into_iter()
            .filter(|row| filter.hidden_too || row.hidden.is_none())
            .collect())
    }

    /// Everything said about the state of requests, of one or of all, by whomever: which of it counts is not decided
    /// by whom this instance accepted. An own word that is private is said no more, as one that was taken back, but about a
    /// request that is private itself.
    ///
    /// # Errors
    /// What the database reports.
    pub fn status_rows(&self, request: Option<&RecordRef>) -> Result<Vec<StatusRow>> {
        // The plus signs keep SQLite from choosing the index by kind where one request is asked for.
        let condition = match request {
            Some(_) => {
                "r.parent_id = ?1 AND r.parent_origin = ?2 AND +r.kind IN ('status', 'helper')"
            }
            None => "?1 IS NULL AND ?2 IS NULL AND r.kind IN ('status', 'helper')",
        };
        let sql = format!(
            "SELECT i.id, r.kind, r.body, COALESCE(r.line_hash,
               (SELECT x.line_hash FROM feed_lines x JOIN feeds f USING (feed_no)
                WHERE x.id = r.id AND x.live = 1 AND f.instance_no = r.instance_no LIMIT 1)),
               r.parent_origin, r.parent_id, r.id, {STANDING}, r.author, r.at
             FROM records r JOIN instances i USING (instance_no)
             WHERE {condition} AND r.cause IS NULL AND r.body IS NOT NULL AND r.parent_id IS NOT NULL
               AND (i.standing != 'self' OR r.scope != 'private' OR EXISTS (SELECT 1 FROM records q
                 WHERE q.instance_no = r.instance_no AND q.id = r.parent_id AND q.scope = 'private'))"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let key = params![
            request.map(|key| Sql(key.id)),
            request.map(|key| Sql(key.origin))
        ];
        let rows = statement.query_map(key, |row| {
            let by: String = row.get(8)?;
            Ok(StatusRow {
                id: row.get::<_, Sql<RecordId>>(6)?.0,
                standing: word(row, 7)?,
                by: by.parse().ok(),
                at: row.get::<_, Sql<Timestamp>>(9)?.0,
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                request: RecordRef {
                    origin: row.get::<_, Sql<InstanceId>>(4)?.0,
                    id: row.get::<_, Sql<RecordId>>(5)?.0,
                },
                kind: word(row, 1)?,
                body: row.get(2)?,
                line_hash: some(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Requests for which their home names a helper, of this instance and of those that were accepted: no other can be
    /// contested.
    ///
    /// # Errors
    /// What the database reports.
    pub fn helped_requests(&self) -> Result<Vec<RecordRef>> {
        let sql = format!(
            "SELECT DISTINCT i.id, r.parent_id FROM records r JOIN instances i USING (instance_no)
                   WHERE r.kind = 'helper' AND r.cause IS NULL AND r.parent_id IS NOT NULL AND r.parent_origin = i.id
                     AND ({IS_SHOWN} OR EXISTS (SELECT 1 FROM fallen f WHERE f.instance_no = i.instance_no))
                     AND (i.standing != 'self' OR r.scope != 'private')
                   ORDER BY r.parent_id, i.id"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| {
            Ok(RecordRef {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                id: row.get::<_, Sql<RecordId>>(1)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many comments are shown with each request that has any.
    ///
    /// # Errors
    /// What the database reports.
    pub fn comment_counts(&self) -> Result<BTreeMap<RecordRef, u64>> {
        let sql = format!(
            "SELECT r.parent_origin, r.parent_id, count(*) FROM records r JOIN instances i USING (instance_no)
             WHERE r.kind = 'comment' AND r.cause IS NULL AND {RECORD_IS_SHOWN}
               AND r.parent_id IS NOT NULL GROUP BY 1, 2"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| {
            let key = RecordRef {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                id: row.get::<_, Sql<RecordId>>(1)?.0,
            };
            Ok((key, row.get::<_, Sql<u64>>(2)?.0))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many comments are shown with one request.
    ///
    /// # Errors
    /// What the database reports.
    pub fn comment_count(&self, request: &RecordRef) -> Result<u64> {
        let sql = format!(
            "SELECT count(*) FROM records r JOIN instances i USING (instance_no)
             WHERE +r.kind = 'comment' AND r.cause IS NULL AND {RECORD_IS_SHOWN}
               AND r.parent_id = ?1 AND r.parent_origin = ?2"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let key = params![Sql(request.id), Sql(request.origin)];
        let count: Sql<u64> = statement.query_row(key, |row| row.get(0))?;
        Ok(count.0)
    }

    /// How many records of a kind there are, of whomever and shown or not; where there are more than `max`, one more than
    /// that.
    ///
    /// # Errors
    /// What the database reports.
    pub fn count_up_to(&self, kind: &Kind, max: u64) -> Result<u64> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM records WHERE kind = ?1 LIMIT ?2)";
        let mut statement = self.main().prepare_cached(sql)?;
        let of = params![kind.as_str(), Sql(max.saturating_add(1))];
        let count: Sql<u64> = statement.query_row(of, |row| row.get(0))?;
        Ok(count.0)
    }

    /// Whether an instance has records other than its card and what it says in notices. Looks at its own records alone.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_more_than_it_says(&self, origin: &InstanceId) -> Result<bool> {
        let sql = "SELECT 1 FROM instances i CROSS JOIN records r USING (instance_no)
                   WHERE i.id = ?1 AND r.kind NOT IN ('card', 'notice')";
        let mut statement = self.main().prepare_cached(sql)?;
        Ok(statement.exists([Sql(origin)])?)
    }

    /// How many records of each instance are shown or hidden, by kind and cause.
    ///
    /// # Errors
    /// What the database reports.
    pub fn record_counts(&self) -> Result<Vec<RecordCount>> {
        let sql = "SELECT i.id, r.kind, CASE WHEN i.standing = 'self' THEN NULL ELSE r.cause END AS why, count(*)
                   FROM records r JOIN instances i USING (instance_no)
                   GROUP BY i.id, r.kind, why ORDER BY i.id, r.kind, why";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(RecordCount {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                kind: word(row, 1)?,
                cause: row.get(2)?,
                records: row.get::<_, Sql<u64>>(3)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Deltas held by name, counted.
    ///
    /// # Errors
    /// What the database reports.
    pub fn held_counts(&self) -> Result<Vec<HeldCount>> {
        let sql = "SELECT origin, scope, outcome, rule, count(*) FROM held GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(HeldCount {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                scope: row.get(1)?,
                outcome: row.get(2)?,
                rule: row.get(3)?,
                deltas: row.get::<_, Sql<u64>>(4)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn read(row: &Row<'_>, own: &str) -> rusqlite::Result<RecordRow> {
    let standing: Standing = word(row, 1)?;
    let own_scope: Scope = word(row, 4)?;
    let parent_origin: Option<Sql<InstanceId>> = row.get(9)?;
    let parent_id: Option<Sql<RecordId>> = row.get(10)?;
    let parent = some(parent_origin)
        .zip(some(parent_id))
        .map(|(origin, id)| RecordRef { origin, id });
    let parent_scope: Option<Scope> = match row.get_ref(14)? {
        ValueRef::Null => None,
        _ => Some(word(row, 14)?),
    };
    let hidden = match row.get::<_, Option<String>>(12)? {
        Some(cause) => Some(cause),
        None => match standing {
            Standing::Blocked => Some(Cause::OriginBlocked.as_str().to_owned()),
            // What was shown before its origin fell is.
            Standing::Waiting if !row.get::<_, bool>(20)? => {
                Some(Cause::OriginWaiting.as_str().to_owned())
            }
            _ if !row.get::<_, bool>(21)? => Some(Cause::WithheldByHub.as_str().to_owned()),
            _ => parent_cause(row, parent)?,
        },
    };
    let by: String = row.get(6)?;
    Ok(RecordRow {
        key: RecordRef {
            origin: row.get::<_, Sql<InstanceId>>(0)?.0,
            id: row.get::<_, Sql<RecordId>>(13)?.0,
        },
        standing,
        home: if standing == Standing::Own {
            Some(own.to_owned())
        } else {
            row.get(2)?
        },
        kind: word(row, 3)?,
        scope: parent_scope.map_or(own_scope, |parent| parent.min(own_scope)),
        rev: row.get::<_, Sql<u64>>(5)?.0,
        by: by.parse().ok(),
        at: row.get::<_, Sql<Timestamp>>(7)?.0,
        created_at: row.get::<_, Sql<Timestamp>>(8)?.0,
        parent,
        body: row.get(11)?,
        line_hash: some(row.get(18)?),
        hidden,
    })
}

/// Rule 8 of showing: a child is shown only with its parent.
fn parent_cause(row: &Row<'_>, parent: Option<RecordRef>) -> rusqlite::Result<Option<String>> {
    if parent.is_none() {
        return Ok(None);
    }
    // Known is what left a mark that counts, also when it is not live any more.
    let is_known: bool = row.get(19)?;
    if !is_known {
        return Ok(Some(Cause::ParentUnknown.as_str().to_owned()));
    }
    let kind: Option<String> = row.get(17)?;
    let cause: Option<String> = row.get(15)?;
    let is_shown = kind.as_deref() == Some("request") && cause.is_none() && row.get(16)?;
    Ok((!is_shown).then(|| Cause::ParentNotShown.as_str().to_owned()))
}
