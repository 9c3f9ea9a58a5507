//! What a hub's pages list, folded from what is stored.
//!
//! [`list_record`] makes the row of one record with the rules by which a node shows it, [`list_anew`] all
//! of them. Text is not copied but for the words that search looks at. Where a request stands is kept in
//! its row, because lists begin with the open ones; it is told anew when a record about it comes or goes,
//! and when a hub decides about somebody who said something of it. A transaction takes note of the requests
//! it touches ([`Touched`]) and tells each once, at its end: a thousand words about one request in one push
//! are read once, and not once for each of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::bundle::Speaks;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, To};
use wb_core::line::Line;
use wb_core::status::Said;
use wb_core::time::Timestamp;

use super::file::{Relay, RelayWrite};
use crate::error::{Result, StoreError};
use crate::instances::instance_no;
use crate::project::{created_at, decide};
use crate::sql::{Sql, some};
use crate::store::put_meta;

/// Rises when rows are folded otherwise: then all are made again.
const LISTING_VERSION: u32 = 2;
/// Characters of a request that search looks at; keeps a hub from storing every long text twice.
const SEARCHED_CHARS_MAX: usize = 2_000;

/// What is listed of a record.
struct Listing {
    line_no: i64,
    kind: String,
    parent: Option<RecordRef>,
    /// For whom, where it is a vouch.
    subject: Option<InstanceId>,
    placed_at: Timestamp,
    line_at: Timestamp,
    words: Option<String>,
}

/// The requests of which it has to be told anew where they stand, before what was done may count.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    requests: RefCell<BTreeSet<RecordRef>>,
    /// Lines read so far to tell it.
    lines_read: Cell<u64>,
}

impl Touched {
    fn add(&self, request: RecordRef) {
        self.requests.borrow_mut().insert(request);
    }

    /// Tells of each where it stands. Of one that was touched by what was undone meanwhile it says what it
    /// said before.
    pub(super) fn tell(&self, connection: &Connection) -> Result<()> {
        for request in self.requests.take() {
            let read = tell_status(connection, &request)?;
            self.lines_read.set(self.lines_read.get() + read);
        }
        Ok(())
    }
}

/// Makes the row of one record, and takes note of the request that it is or speaks of.
pub(crate) fn list_record(
    connection: &Connection,
    touched: &Touched,
    instance_no: i64,
    id: &RecordId,
    now: Timestamp,
) -> Result<()> {
    let before = speaks_of(connection, instance_no, id)?;
    match fold(connection, instance_no, id, now)? {
        Some(listing) => put_row(connection, instance_no, id, &listing)?,
        None => drop_row(connection, instance_no, id)?,
    }
    let after = speaks_of(connection, instance_no, id)?;
    before
        .into_iter()
        .chain(after)
        .for_each(|request| touched.add(request));
    Ok(())
}

/// The request whose state a listed record is about; its own for a request.
fn speaks_of(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
) -> Result<Option<RecordRef>> {
    let sql =
        "SELECT CASE kind WHEN 'request' THEN (SELECT i.id FROM instances i WHERE i.instance_no = l.instance_no)
                 ELSE parent_origin END, CASE kind WHEN 'request' THEN l.id ELSE parent_id END
               FROM listings l WHERE instance_no = ?1 AND id = ?2 AND kind IN ('request', 'status', 'helper')";
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![instance_no, Sql(id)], |row| {
            Ok((some(row.get(0)?), some(row.get(1)?)))
        })
        .optional()?;
    Ok(found.and_then(|(origin, id)| {
        Some(RecordRef {
            origin: origin?,
            id: id?,
        })
    }))
}

fn fold(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
    now: Timestamp,
) -> Result<Option<Listing>> {
    let decided = decide(connection, instance_no, id)?;
    let Some((row, _)) = decided.into_iter().find(|(_, chosen)| chosen.is_ok()) else {
        return Ok(None);
    };
    let bytes = row.bytes(connection)?;
    let line = Line::read(&bytes)
        .map_err(|rule| StoreError::damaged(format!("a stored line breaks {rule}")))?;
    let Ok(body) = Body::of_line(&line) else {
        return Ok(None);
    };
    Ok(Some(Listing {
        line_no: row.line_no,
        kind: line.kind.to_string(),
        parent: body.parent(line.origin),
        subject: match &body {
            Body::Vouch(vouch) => Some(vouch.subject),
            _ => None,
        },
        // Whoever claims a time to come would stand on top until then.
        placed_at: created_at(&body).unwrap_or(line.at).min(now),
        line_at: line.at.min(now),
        words: match &body {
            Body::Request(request) => Some(searched(&[&request.title, &request.description])),
            _ => None,
        },
    }))
}

/// Texts as search compares them.
pub(super) fn searched(texts: &[&str]) -> String {
    let small = texts.join("\n").to_lowercase();
    small.chars().take(SEARCHED_CHARS_MAX).collect()
}

fn put_row(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
    listing: &Listing,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO listings (instance_no, id, line_no, kind, parent_origin, parent_id, placed_at, line_at,
               changed_at, words)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)
             ON CONFLICT (instance_no, id) DO UPDATE SET line_no = excluded.line_no, kind = excluded.kind,
               parent_origin = excluded.parent_origin, parent_id = excluded.parent_id,
               placed_at = excluded.placed_at, line_at = excluded.line_at,
               changed_at = excluded.changed_at, words = excluded.words",
        )?
        .execute(params![
            instance_no,
            Sql(id),
            listing.line_no,
            listing.kind,
            listing
                .parent
                .map(|parent| parent.origin)
                .or(listing.subject)
                .map(Sql),
            listing.parent.map(|parent| Sql(parent.id)),
            Sql(listing.placed_at),
            Sql(listing.line_at),
            listing.words,
        ])?;
    Ok(())
}

fn drop_row(connection: &Connection, instance_no: i64, id: &RecordId) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM listings WHERE instance_no = ?1 AND id = ?2")?
        .execute(params![instance_no, Sql(id)])?;
    Ok(())
}

/// Merges what is said of a request: by its home, and by whoever is listed and served. Returns how many
/// lines were read for it.
fn tell_status(connection: &Connection, request: &RecordRef) -> Result<u64> {
    let Some(home_no) = instance_no(connection, &request.origin)? else {
        return Ok(0);
    };
    let sql = "SELECT i.id, x.line, x.line_hash, l.line_at FROM listings l
               JOIN feed_lines x ON x.line_no = l.line_no JOIN instances i ON i.instance_no = l.instance_no
               LEFT JOIN members m ON m.instance_no = l.instance_no
               WHERE l.parent_id = ?1 AND l.kind IN ('status', 'helper') AND l.parent_origin = ?2 AND x.line IS NOT NULL
                 AND (l.instance_no = ?3 OR (m.listed = 1 AND m.standing = 'member'))";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![Sql(request.id), Sql(request.origin), home_no])?;
    let (mut said, mut said_at) = (Said::default(), None::<Timestamp>);
    let mut lines_read = 0;
    while let Some(row) = rows.next()? {
        lines_read += 1;
        let (Sql(origin), line): (Sql<InstanceId>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let line = Line::read(&line)
            .map_err(|rule| StoreError::damaged(format!("a stored line breaks {rule}")))?;
        if let Ok(body) = Body::of_line(&line) {
            let Sql(hash): Sql<Hash> = row.get(2)?;
            said.add(request.origin, origin, body, hash);
            said_at = said_at.max(Some(row.get::<_, Sql<Timestamp>>(3)?.0));
        }
    }
    let shown = said.shown();
    connection
        .prepare_cached(
            "UPDATE listings SET status = ?3, contested = ?4, open = ?5,
               changed_at = max(line_at, ifnull(?6, 0))
             WHERE instance_no = ?1 AND id = ?2 AND kind = 'request'",
        )?
        .execute(params![
            home_no,
            Sql(request.id),
            shown.value.as_str(),
            shown.contested,
            shown.value == To::Open,
            said_at.map(Sql),
        ])?;
    Ok(lines_read)
}

/// Takes note of those requests of others of which an instance said something.
pub(super) fn touch_what_was_said_by(
    connection: &Connection,
    touched: &Touched,
    id: &InstanceId,
) -> Result<()> {
    let Some(no) = instance_no(connection, id)? else {
        return Ok(());
    };
    let sql = "SELECT DISTINCT parent_origin, parent_id FROM listings
               WHERE instance_no = ?1 AND kind = 'status' AND parent_origin != ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![no, Sql(id)])?;
    while let Some(row) = rows.next()? {
        touched.add(RecordRef {
            origin: row.get::<_, Sql<InstanceId>>(0)?.0,
            id: row.get::<_, Sql<RecordId>>(1)?.0,
        });
    }
    Ok(())
}

/// Makes every row again where another version of the program made them, which may not have known all
/// kinds that this one knows.
pub(super) fn list_anew_if_needed(connection: &Connection) -> Result<()> {
    let kinds = Speaks::this().kinds;
    let kinds = kinds
        .iter()
        .map(|(kind, version)| format!("{kind} {version}"));
    let by = format!(
        "{LISTING_VERSION}: {}",
        kinds.collect::<Vec<_>>().join(", ")
    );
    let sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'listed_by'";
    let listed_by: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    if listed_by.as_ref() != Some(&by) {
        list_anew(connection, &Touched::default())?;
        put_meta(connection, "listed_by", &by)?;
    }
    Ok(())
}

/// Makes every row again; returns how many there are.
fn list_anew(connection: &Connection, touched: &Touched) -> Result<u64> {
    connection.execute("DELETE FROM listings", [])?;
    let mut statement = connection.prepare(
        "SELECT DISTINCT f.instance_no, x.id FROM feed_lines x JOIN feeds f USING (feed_no) WHERE x.live = 1",
    )?;
    let now = latest(connection)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Sql(id): Sql<RecordId> = row.get(1)?;
        list_record(connection, touched, row.get(0)?, &id, now)?;
    }
    touched.tell(connection)?;
    let count = "SELECT count(*) FROM listings";
    Ok(connection
        .query_row(count, [], |row| row.get::<_, Sql<u64>>(0))?
        .0)
}

/// The latest time at which anything came here.
fn latest(connection: &Connection) -> Result<Timestamp> {
    let sql = "SELECT max(ifnull((SELECT max(at) FROM arrivals), 0), ifnull((SELECT max(since) FROM members), 0),
                 ifnull((SELECT max(seen_at) FROM members), 0))";
    let Sql(at): Sql<Timestamp> = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(at)
}

impl RelayWrite<'_> {
    /// Makes everything again that pages list, as a newer version of the program does when it opens the
    /// file; returns how many rows there are.
    ///
    /// # Errors
    /// What the database reports.
    pub fn list_anew(&self) -> Result<u64> {
        list_anew(&self.transaction, &self.touched)
    }

    /// Tells where each request stands that this transaction touched, as [`RelayWrite::commit`] does first;
    /// returns how many lines were read for that in this transaction so far.
    ///
    /// # Errors
    /// What the database reports.
    pub fn tell_statuses(&self) -> Result<u64> {
        self.touched.tell(&self.transaction)?;
        Ok(self.touched.lines_read.get())
    }
}

/// A row of what is listed, with everything that a fold decides, for whoever compares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListingRow {
    /// The record.
    pub key: RecordRef,
    /// Its kind.
    pub kind: String,
    /// Of a request: what it is now.
    pub status: Option<String>,
    /// Whether that is contested.
    pub is_contested: bool,
    /// The words that search looks at.
    pub words: Option<String>,
}

impl Relay {
    /// Everything that pages may list, whoever it is of, by record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn listings(&self) -> Result<Vec<ListingRow>> {
        self.at_one_moment(|connection| {
            let sql = "SELECT i.id, l.id, l.kind, l.status, l.contested, l.words FROM listings l
                       JOIN instances i USING (instance_no) ORDER BY i.id, l.id";
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(ListingRow {
                    key: RecordRef {
                        origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                        id: row.get::<_, Sql<RecordId>>(1)?.0,
                    },
                    kind: row.get(2)?,
                    status: row.get(3)?,
                    is_contested: row.get(4)?,
                    words: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}
