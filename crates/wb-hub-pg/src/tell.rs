//! Telling where requests stand, once what was said of them is committed (`untold`).
//!
//! It is of two members, the home of a request and whoever said something of it, so it is a transaction of its own.
//! Whoever tells first locks what it tells of, and reads in a later statement what is said: of two who tell of one
//! request the second one knows everything that the first one knew.

use std::collections::BTreeSet;

use tokio_postgres::types::ToSql;
use wb_core::id::RecordRef;
use wb_core::kinds::{Body, To};
use wb_core::line::Line;
use wb_core::status::{Said, Shown};

use crate::error::{PgError, Result};
use crate::tx::{Columns as _, Tx};

/// Notes that are taken in one transaction.
const TOLD_MAX: u32 = 1_000;

/// A request that is listed, with its row locked.
struct Home {
    request: RecordRef,
    no: i64,
    line_at: i64,
}

/// Tells of requests that were noted where they stand; whether there may be more. Two who tell at once share the work:
/// the second one waits, and finds what the first one did not take.
pub(crate) fn tell(tx: &Tx<'_>) -> Result<bool> {
    let rows = tx.rows(
        "SELECT untold_no, origin, id FROM untold ORDER BY untold_no LIMIT $1 FOR UPDATE",
        &[&i64::from(TOLD_MAX)],
    )?;
    if rows.is_empty() {
        return Ok(false);
    }
    let nos: Vec<i64> = rows.iter().map(|row| row.value(0)).collect::<Result<_>>()?;
    let requests = rows.iter().map(|row| {
        Ok(RecordRef {
            origin: row.instance(1)?,
            id: row.record(2)?,
        })
    });
    let homes = lock(tx, &requests.collect::<Result<_>>()?)?;
    let said = of_which_something_is_said(tx, &homes)?;
    let shown = homes.iter().map(|home| {
        if said.contains(&home.request) {
            return told(tx, home);
        }
        // It is open since it was written.
        Ok((Said::default().shown(), home.line_at))
    });
    put(tx, &homes, &shown.collect::<Result<Vec<_>>>()?)?;
    tx.execute("DELETE FROM untold WHERE untold_no = ANY ($1)", &[&nos])?;
    Ok(true)
}

/// Locks requests in their order, so that no two who tell wait for each other; those that are not listed are left out.
/// Each is looked up by its key, whatever the planner believes of how many there are.
fn lock(tx: &Tx<'_>, requests: &BTreeSet<RecordRef>) -> Result<Vec<Home>> {
    let origins: Vec<&[u8]> = requests.iter().map(|key| &key.origin.0[..]).collect();
    let ids: Vec<&[u8]> = requests.iter().map(|key| &key.id.as_bytes()[..]).collect();
    let rows = tx.rows(
        "SELECT t.origin, t.id, l.instance_no, l.line_at FROM unnest($1::bytea[], $2::bytea[]) AS t (origin, id)
         CROSS JOIN LATERAL (SELECT instance_no, line_at FROM listings
           WHERE instance_no = (SELECT instance_no FROM members WHERE id = t.origin) AND id = t.id AND kind = 'request'
           FOR UPDATE) l",
        &[&origins, &ids],
    )?;
    let homes = rows.iter().map(|row| {
        Ok(Home {
            request: RecordRef {
                origin: row.instance(0)?,
                id: row.record(1)?,
            },
            no: row.value(2)?,
            line_at: row.value(3)?,
        })
    });
    homes.collect()
}

fn of_which_something_is_said(tx: &Tx<'_>, homes: &[Home]) -> Result<BTreeSet<RecordRef>> {
    let origins: Vec<&[u8]> = homes
        .iter()
        .map(|home| &home.request.origin.0[..])
        .collect();
    let ids: Vec<&[u8]> = homes
        .iter()
        .map(|home| &home.request.id.as_bytes()[..])
        .collect();
    let rows = tx.rows(
        "SELECT t.origin, t.id FROM unnest($1::bytea[], $2::bytea[]) AS t (origin, id)
         WHERE EXISTS (SELECT FROM listings l
           WHERE l.parent_id = t.id AND l.kind IN ('status', 'helper') AND l.parent_origin = t.origin)",
        &[&origins, &ids],
    )?;
    let said = rows.iter().map(|row| {
        Ok(RecordRef {
            origin: row.instance(0)?,
            id: row.record(1)?,
        })
    });
    said.collect()
}

/// Merges what is said of a request: by its home, and by whoever is listed and served. What it is shown as, and since when.
fn told(tx: &Tx<'_>, home: &Home) -> Result<(Shown, i64)> {
    let request = &home.request;
    let key: [&(dyn ToSql + Sync); 2] = [&&request.origin.0[..], &&request.id.as_bytes()[..]];
    let rows = tx.rows(
        "SELECT m.id, x.line, x.line_hash, l.line_at FROM listings l
         JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no
         JOIN members m ON m.instance_no = l.instance_no
         WHERE l.parent_id = $2 AND l.kind IN ('status', 'helper') AND l.parent_origin = $1 AND x.line IS NOT NULL
           AND (m.id = $1 OR (m.listed AND m.standing = 'member'))",
        &key,
    )?;
    let (mut said, mut changed_at) = (Said::default(), home.line_at);
    for row in &rows {
        let line = Line::read(row.value(1)?)
            .map_err(|rule| PgError::damaged(format!("a stored line breaks {rule}")))?;
        if let Ok(body) = Body::of_line(&line) {
            said.add(request.origin, row.instance(0)?, body, row.hash(2)?);
            changed_at = changed_at.max(row.value(3)?);
        }
    }
    Ok((said.shown(), changed_at))
}

/// Writes down what requests are shown as.
fn put(tx: &Tx<'_>, homes: &[Home], told: &[(Shown, i64)]) -> Result<()> {
    let nos: Vec<i64> = homes.iter().map(|home| home.no).collect();
    let ids: Vec<&[u8]> = homes
        .iter()
        .map(|home| &home.request.id.as_bytes()[..])
        .collect();
    let words: Vec<&str> = told.iter().map(|(shown, _)| shown.value.as_str()).collect();
    let contested: Vec<bool> = told.iter().map(|(shown, _)| shown.contested).collect();
    let open: Vec<bool> = told
        .iter()
        .map(|(shown, _)| shown.value == To::Open)
        .collect();
    let changed_at: Vec<i64> = told.iter().map(|(_, changed_at)| *changed_at).collect();
    tx.execute(
        "UPDATE listings l SET status = t.status, contested = t.contested, open = t.open, changed_at = t.changed_at
         FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::boolean[], $5::boolean[], $6::bigint[])
           AS t (instance_no, id, status, contested, open, changed_at)
         WHERE l.instance_no = t.instance_no AND l.id = t.id",
        &[&nos, &ids, &words, &contested, &open, &changed_at],
    )?;
    Ok(())
}
