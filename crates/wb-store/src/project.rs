//! What is shown, folded from what is stored (spec: showing).
//!
//! [`project_record`] makes the row of one record, [`rebuild`] all of them; both use the same fold, so
//! that rebuilding changes nothing. What depends on other records or on decisions about instances
//! (parent, approval) is joined by queries, so that it needs no fold when it changes.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension as _, Statement, params};
use wb_core::entry::Entry;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, BodyError};
use wb_core::leave::{Life, Stays};
use wb_core::line::Line;
use wb_core::scope::{By, FeedScope, Kind};
use wb_core::show::{Candidate, Cause, Marks, choose};
use wb_core::time::Timestamp;

use crate::error::{Result, StoreError};
use crate::local::load_local;
use crate::pictures::{drop_unless, drop_without_record};
use crate::sql::{Sql, insert, word};
use crate::store::Write;

/// One row of `records`.
pub(crate) struct Row {
    kind: Kind,
    scope: &'static str,
    rev: u64,
    author: String,
    at: Timestamp,
    created_at: Timestamp,
    parent: Option<RecordRef>,
    body: Option<String>,
    line_hash: Option<Hash>,
    cause: Option<&'static str>,
    /// The address of the picture that a profile shows; none where it shows none.
    picture: Option<String>,
}

/// Makes the row of one record of another instance from its stored entries.
pub(crate) fn project_record(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
) -> Result<()> {
    project_with(connection, instance_no, id, None)
}

fn project_with(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
    in_hand: Option<&Line<'_>>,
) -> Result<()> {
    if is_own(connection, instance_no)? {
        return Ok(());
    }
    let row = fold(connection, instance_no, id, in_hand)?;
    if row.as_ref().is_none_or(|row| row.body.is_none()) {
        forget_name(connection, instance_no, id)?;
    }
    match row {
        Some(row) => put_row(connection, instance_no, id, &row),
        None => drop_row(connection, instance_no, id),
    }
}

/// Whether what an instance wrote is shown from local records, in all scopes, because it is this one.
pub(crate) fn is_own(connection: &Connection, instance_no: i64) -> Result<bool> {
    let own = "SELECT standing = 'self' FROM instances WHERE instance_no = ?1";
    Ok(connection
        .prepare_cached(own)?
        .query_row([instance_no], |row| row.get(0))?)
}

/// Whether any entry about a record was seen before, in whatever feed of its instance.
pub(crate) fn was_seen(connection: &Connection, instance_no: i64, id: &RecordId) -> Result<bool> {
    let sql = "SELECT 1 FROM feeds f CROSS JOIN feed_lines x ON x.feed_no = f.feed_no AND x.id = ?2
               WHERE f.instance_no = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .exists(params![instance_no, Sql(id)])?)
}

/// Whether any entry of an instance is here, in whatever feed.
pub(crate) fn was_heard_of(connection: &Connection, instance_no: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM feeds f JOIN feed_lines x USING (feed_no) WHERE f.instance_no = ?1";
    Ok(connection.prepare_cached(sql)?.exists([instance_no])?)
}

/// Makes the row of a record of another instance of which nothing was seen before, from the entry that became live, with
/// its line where that is here: what [`project_record`] would read back is in hand.
pub(crate) fn project_first(
    connection: &Connection,
    instance_no: i64,
    scope: FeedScope,
    entry: &Entry,
    line: Option<&Line<'_>>,
) -> Result<()> {
    // There is no row that it could take the place of, and no picture of an earlier one.
    let row = first_row(connection, instance_no, scope, entry, line)?;
    put_with(&INSERT, connection, instance_no, &entry.id, &row)
}

/// The row of a record of which this entry is all that was seen.
pub(crate) fn first_row(
    connection: &Connection,
    instance_no: i64,
    scope: FeedScope,
    entry: &Entry,
    line: Option<&Line<'_>>,
) -> Result<Row> {
    let candidate = Candidate {
        scope,
        rev: entry.rev,
        has_line: line.is_some(),
        is_void: false,
    };
    let marks = Marks {
        put: entry.rev,
        retract: 0,
    };
    match (choose(&candidate, &[candidate], marks), line) {
        (Ok(()), Some(line)) => shown(connection, instance_no, scope, line),
        (Err(cause), _) => Ok(hidden(&entry.kind, &candidate, entry.line_hash(), cause)),
        (Ok(()), None) => unreachable!("what is not here is not shown"),
    }
}

/// As [`project_record`], where the line of one of its entries came just now.
pub(crate) fn project_filled(
    connection: &Connection,
    instance_no: i64,
    line: &Line<'_>,
) -> Result<()> {
    project_with(connection, instance_no, &line.id, Some(line))
}

/// The name of an instance is what its card says; with the words of the card it goes.
fn forget_name(connection: &Connection, instance_no: i64, id: &RecordId) -> Result<()> {
    let sql = "UPDATE instances SET name = NULL WHERE instance_no = ?1 AND EXISTS (
                   SELECT 1 FROM records r WHERE r.instance_no = ?1 AND r.id = ?2 AND r.kind = 'card')";
    connection
        .prepare_cached(sql)?
        .execute(params![instance_no, Sql(id)])?;
    Ok(())
}

fn put_row(connection: &Connection, instance_no: i64, id: &RecordId, row: &Row) -> Result<()> {
    if row.kind.as_str() == "user" {
        drop_unless(connection, instance_no, id, row.picture.as_deref())?;
    }
    put_with(&UPSERT, connection, instance_no, id, row)
}

/// What [`Row::bind`] binds, in its order.
pub(crate) const RECORD_COLUMNS: [&str; 13] = [
    "instance_no",
    "id",
    "kind",
    "scope",
    "rev",
    "author",
    "at",
    "created_at",
    "parent_origin",
    "parent_id",
    "body",
    "line_hash",
    "cause",
];

static INSERT: LazyLock<String> = LazyLock::new(|| insert("records", &RECORD_COLUMNS, 1));

static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let set = RECORD_COLUMNS.map(|column| format!("{column} = excluded.{column}"));
    let set = set[2..].join(", ");
    format!(
        "{} ON CONFLICT (instance_no, id) DO UPDATE SET {set}",
        *INSERT
    )
});

/// Puts a row by one of the statements above.
fn put_with(
    statement: &str,
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
    row: &Row,
) -> Result<()> {
    let mut statement = connection.prepare_cached(statement)?;
    row.bind(&mut statement, 0, instance_no, id)?;
    statement.raw_execute()?;
    Ok(())
}

impl Row {
    /// Binds it to the parameters after those `before`.
    pub fn bind(
        &self,
        statement: &mut Statement<'_>,
        before: usize,
        instance_no: i64,
        id: &RecordId,
    ) -> Result<()> {
        let parent = self.parent.as_ref();
        statement.raw_bind_parameter(before + 1, instance_no)?;
        statement.raw_bind_parameter(before + 2, Sql(id))?;
        statement.raw_bind_parameter(before + 3, self.kind.as_str())?;
        statement.raw_bind_parameter(before + 4, self.scope)?;
        statement.raw_bind_parameter(before + 5, Sql(self.rev))?;
        statement.raw_bind_parameter(before + 6, self.author.as_str())?;
        statement.raw_bind_parameter(before + 7, Sql(self.at))?;
        statement.raw_bind_parameter(before + 8, Sql(self.created_at))?;
        statement.raw_bind_parameter(before + 9, parent.map(|parent| Sql(parent.origin)))?;
        statement.raw_bind_parameter(before + 10, parent.map(|parent| Sql(parent.id)))?;
        statement.raw_bind_parameter(before + 11, self.body.as_deref())?;
        statement.raw_bind_parameter(before + 12, self.line_hash.map(Sql))?;
        statement.raw_bind_parameter(before + 13, self.cause)?;
        Ok(())
    }
}

fn drop_row(connection: &Connection, instance_no: i64, id: &RecordId) -> Result<()> {
    drop_unless(connection, instance_no, id, None)?;
    connection
        .prepare_cached("DELETE FROM records WHERE instance_no = ?1 AND id = ?2")?
        .execute(params![instance_no, Sql(id)])?;
    Ok(())
}

/// A live row of `feed_lines`.
pub(crate) struct LiveRow {
    candidate: Candidate,
    kind: Kind,
    line_hash: Hash,
    pub line_no: i64,
}

impl LiveRow {
    /// The bytes of its line; empty where that is not here.
    pub fn bytes(&self, connection: &Connection) -> Result<Vec<u8>> {
        let sql = "SELECT line FROM feed_lines WHERE line_no = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let line: Option<Vec<u8>> = statement.query_row([self.line_no], |row| row.get(0))?;
        Ok(line.unwrap_or_default())
    }
}

/// The live lines of one record with what decides between them: each with the cause that keeps it from
/// being shown by rules 0 to 4.
pub(crate) fn decide(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
) -> Result<Vec<(LiveRow, std::result::Result<(), Cause>)>> {
    let feeds = "SELECT feed_no, scope FROM feeds WHERE instance_no = ?1 ORDER BY scope";
    let mut statement = connection.prepare_cached(feeds)?;
    let mut feeds = statement.query([instance_no])?;
    let (mut marks, mut live) = (Marks::default(), Vec::new());
    while let Some(feed) = feeds.next()? {
        let (feed_no, scope) = (feed.get(0)?, word(feed, 1)?);
        marks.put = marks
            .put
            .max(highest(connection, HIGHEST_PUT, feed_no, id)?);
        let retract = highest(connection, HIGHEST_RETRACT, feed_no, id)?;
        marks.retract = marks.retract.max(retract);
        live.extend(live_row(connection, feed_no, scope, id)?);
    }
    let candidates: Vec<Candidate> = live.iter().map(|row| row.candidate).collect();
    let decided = live.into_iter().map(|row| {
        let chosen = choose(&row.candidate, &candidates, marks);
        (row, chosen)
    });
    Ok(decided.collect())
}

// The word stands in the text: only so can SQLite know that the index on what was retracted serves.
const HIGHEST_PUT: &str =
    "SELECT max(rev) FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND op = 'put' AND void = 0";
const HIGHEST_RETRACT: &str = "SELECT max(rev) FROM feed_lines
    WHERE feed_no = ?1 AND id = ?2 AND op = 'retract' AND void = 0";

/// The highest revision put or retracted in a feed, 0 for none: one look-up, however many there are.
fn highest(connection: &Connection, sql: &str, feed_no: i64, id: &RecordId) -> Result<u64> {
    let highest: Option<Sql<u64>> = connection
        .prepare_cached(sql)?
        .query_row(params![feed_no, Sql(id)], |row| row.get(0))?;
    Ok(highest.map_or(0, |Sql(rev)| rev))
}

/// The line that is live for an id in a feed.
fn live_row(
    connection: &Connection,
    feed_no: i64,
    scope: FeedScope,
    id: &RecordId,
) -> Result<Option<LiveRow>> {
    let sql = "SELECT rev, kind, line_hash, line IS NOT NULL, void, line_no FROM feed_lines
               WHERE feed_no = ?1 AND id = ?2 AND live = 1";
    let mut statement = connection.prepare_cached(sql)?;
    let live = statement.query_row(params![feed_no, Sql(id)], |row| {
        Ok(LiveRow {
            candidate: Candidate {
                scope,
                rev: row.get::<_, Sql<u64>>(0)?.0,
                has_line: row.get(3)?,
                is_void: row.get(4)?,
            },
            kind: word(row, 1)?,
            line_hash: row.get::<_, Sql<Hash>>(2)?.0,
            line_no: row.get(5)?,
        })
    });
    Ok(live.optional()?)
}

fn fold(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
    in_hand: Option<&Line<'_>>,
) -> Result<Option<Row>> {
    let mut kept_back = None;
    for (row, chosen) in decide(connection, instance_no, id)? {
        match chosen {
            Ok(()) => {
                let scope = row.candidate.scope;
                if let Some(line) = in_hand.filter(|line| line.hash == row.line_hash) {
                    return shown(connection, instance_no, scope, line).map(Some);
                }
                let bytes = row.bytes(connection)?;
                let line = Line::read(&bytes)
                    .map_err(|rule| StoreError::damaged(format!("a stored line breaks {rule}")))?;
                return shown(connection, instance_no, scope, &line).map(Some);
            }
            Err(cause) => kept_back = Some((row, cause)),
        }
    }
    Ok(kept_back.map(|(row, cause)| hidden(&row.kind, &row.candidate, Some(row.line_hash), cause)))
}

/// The live lines of one record that other lines or marks keep from being shown, with scope, revision
/// and cause.
pub(crate) fn outdone(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
) -> Result<Vec<(FeedScope, u64, Cause)>> {
    let decided = decide(connection, instance_no, id)?;
    let causes = decided.into_iter().filter_map(|(row, chosen)| {
        let cause = chosen.err()?;
        Some((row.candidate.scope, row.candidate.rev, cause))
    });
    Ok(causes.collect())
}

/// A row that the record itself keeps from being shown; its text is not copied.
fn hidden(kind: &Kind, candidate: &Candidate, line_hash: Option<Hash>, cause: Cause) -> Row {
    let epoch = Timestamp::from_unix_ms(0).expect("the epoch is in range");
    Row {
        kind: kind.clone(),
        scope: candidate.scope.as_str(),
        rev: candidate.rev,
        author: String::new(),
        at: epoch,
        created_at: epoch,
        parent: None,
        body: None,
        line_hash,
        cause: Some(cause.as_str()),
        picture: None,
    }
}

fn shown(
    connection: &Connection,
    instance_no: i64,
    scope: FeedScope,
    line: &Line<'_>,
) -> Result<Row> {
    let (body, cause) = match line.said() {
        Ok(body) => (Some(body), None),
        Err(BodyError::NeedsNewerVersion) => (None, Some(Cause::NeedsNewerVersion)),
        Err(BodyError::Invalid) => (None, Some(Cause::BodyInvalid)),
    };
    if let Some(Body::Card(card)) = body {
        let sql = "UPDATE instances SET name = ?2 WHERE instance_no = ?1";
        connection
            .prepare_cached(sql)?
            .execute(params![instance_no, card.name])?;
    }
    Ok(Row {
        kind: line.kind.clone(),
        scope: scope.as_str(),
        rev: line.rev,
        author: line.by.to_string(),
        at: line.at,
        created_at: body.and_then(created_at).unwrap_or(line.at),
        parent: body.and_then(|body| body.parent(line.origin)),
        picture: body.and_then(picture),
        // The exact text of the body, so that members this version does not know are still there.
        body: body.map(|_| line.body().to_owned()),
        line_hash: Some(line.hash),
        cause: cause.map(Cause::as_str),
    })
}

/// The address of the picture that a profile names.
pub(crate) fn picture(body: &Body) -> Option<String> {
    match body {
        Body::User(user) => user.avatar.clone(),
        _ => None,
    }
}

pub(crate) fn created_at(body: &Body) -> Option<Timestamp> {
    match body {
        Body::Request(request) => Some(request.created_at),
        Body::Comment(comment) => Some(comment.created_at),
        _ => None,
    }
}

/// Makes the row of a record of this instance from its local record.
pub(crate) fn project_local(connection: &Connection, id: &RecordId) -> Result<()> {
    let own = "SELECT instance_no, id FROM instances WHERE standing = 'self'";
    let (own_no, own_id): (i64, InstanceId) = connection
        .prepare_cached(own)?
        .query_row([], |row| Ok((row.get(0)?, row.get::<_, Sql<_>>(1)?.0)))?;
    let Some(local) = load_local(connection, id)? else {
        return drop_row(connection, own_no, id);
    };
    let cause = match local.life {
        Life::Active => None,
        Life::Pending => Some(Stays::NotApproved.as_str()),
        Life::Deleted => Some(Stays::Deleted.as_str()),
    };
    let is_profile = cause.is_none() && local.kind.as_str() == "user";
    let profile = is_profile.then(|| Body::read(&local.kind, 1, own_id, &local.body).ok());
    let row = Row {
        picture: profile.flatten().as_ref().and_then(picture),
        kind: local.kind,
        scope: local.scope.min(local.ceiling).as_str(),
        rev: local.rev,
        author: local.author.map_or(By::Instance, By::User).to_string(),
        at: local.at,
        created_at: local.created_at,
        parent: local.parent,
        body: Some(local.body),
        line_hash: None,
        cause,
    };
    put_row(connection, own_no, id, &row)
}

/// Makes every row of `records` again; returns how many there are.
///
/// # Errors
/// What the database reports; then nothing was changed.
pub fn rebuild(write: &Write<'_>) -> Result<u64> {
    let connection = &write.transaction;
    connection.execute("DELETE FROM records", [])?;
    connection.execute(
        "UPDATE instances SET name = NULL WHERE standing != 'self'",
        [],
    )?;
    let local: Vec<Sql<RecordId>> = connection
        .prepare("SELECT id FROM local_records ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for Sql(id) in local {
        project_local(connection, &id)?;
    }
    let mut statement = connection.prepare(
        "SELECT DISTINCT f.instance_no, x.id FROM feed_lines x JOIN feeds f USING (feed_no) WHERE x.live = 1",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        project_record(connection, row.get(0)?, &row.get::<_, Sql<RecordId>>(1)?.0)?;
    }
    drop_without_record(connection)?;
    let count: Option<Sql<u64>> = connection
        .query_row("SELECT count(*) FROM records", [], |row| row.get(0))
        .optional()?;
    Ok(count.map_or(0, |Sql(count)| count))
}
