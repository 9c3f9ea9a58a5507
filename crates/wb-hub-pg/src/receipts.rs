//! Receipts that a hub keeps: the latest of each member for each feed, numbered as they come (spec: receipts).

use std::collections::BTreeMap;

use wb_core::id::InstanceId;
use wb_core::identity::Position;
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::receipt::Receipt;
use wb_core::sync::{ReceiptRow, Receipts, StaleReceipt};

use crate::error::{PgError, Result};
use crate::follow::followers;
use crate::identity;
use crate::tx::{Columns as _, Tx, int};

/// Keeps receipts of a member that were verified, each with its bytes, where they are the latest. Of an origin that
/// is not registered nothing is kept. Returns those of which a later one is held.
pub(crate) fn put(tx: &Tx<'_>, receipts: &[(Receipt, Vec<u8>)]) -> Result<Vec<StaleReceipt>> {
    let mut stale = Vec::new();
    // By origin, so that of two members with receipts for the same origins none waits for the other in a circle.
    let mut by_origin: BTreeMap<InstanceId, Vec<&(Receipt, Vec<u8>)>> = BTreeMap::new();
    for row in receipts {
        by_origin.entry(row.0.origin).or_default().push(row);
    }
    for (origin, receipts) in by_origin {
        let known = tx.row("SELECT 1 FROM members WHERE id = $1", &[&&origin.0[..]])?;
        if known.is_none() {
            continue;
        }
        for (receipt, line) in receipts {
            if let Some(n) = put_one(tx, receipt, line)? {
                stale.push(StaleReceipt {
                    origin,
                    scope: receipt.scope,
                    n,
                });
            }
        }
    }
    Ok(stale)
}

/// Keeps one; inside, the count of a later one that is held. What another key signed before is no later one: who
/// stole it could count as high as there are numbers. Its number is the next of its origin, whose count is locked
/// until the end: whoever reads a number has seen all before it.
fn put_one(tx: &Tx<'_>, receipt: &Receipt, line: &[u8]) -> Result<Option<u64>> {
    let (origin, follower) = (&receipt.origin.0[..], &receipt.follower.0[..]);
    let scope = receipt.scope.as_str();
    let held = tx.row(
        "SELECT era, entry, n, line FROM receipts WHERE origin = $1 AND scope = $2 AND follower = $3",
        &[&origin, &scope, &follower],
    )?;
    if let Some(held) = held {
        let position = Position {
            era: held.number(0)?,
            n: held.number(1)?,
        };
        let (n, bytes): (u64, &[u8]) = (held.number(2)?, held.value(3)?);
        if (position, n) >= (receipt.position(), receipt.n) {
            return Ok((bytes != line).then_some(n));
        }
    }
    let arrival: i64 = tx
        .one(
            "INSERT INTO receipt_counts (origin, last) VALUES ($1, 1)
             ON CONFLICT (origin) DO UPDATE SET last = receipt_counts.last + 1 RETURNING last",
            &[&origin],
        )?
        .value(0)?;
    tx.execute(
        "INSERT INTO receipts (origin, scope, follower, era, entry, n, line, arrival)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (origin, scope, follower) DO UPDATE SET n = excluded.n, line = excluded.line,
           era = excluded.era, entry = excluded.entry, arrival = excluded.arrival",
        &[
            &origin,
            &scope,
            &follower,
            &int(receipt.position().era),
            &int(receipt.position().n),
            &int(receipt.n),
            &line,
            &arrival,
        ],
    )?;
    Ok(None)
}

/// A page of the receipts for an origin's feeds after a number, with the identity log of each follower.
pub(crate) fn page(tx: &Tx<'_>, origin: &InstanceId, after: u64, limit: usize) -> Result<Receipts> {
    let rows_max = i64::try_from(limit).unwrap_or(i64::MAX);
    let [rows, last] = tx.all([
        (
            "SELECT r.follower, r.line, r.arrival, m.name, m.instance_no FROM receipts r
             LEFT JOIN members m ON m.id = r.follower
             WHERE r.origin = $1 AND r.arrival > $2 ORDER BY r.arrival LIMIT $3",
            &[&&origin.0[..], &int(after), &rows_max],
        ),
        (
            "SELECT last FROM receipt_counts WHERE origin = $1",
            &[&&origin.0[..]],
        ),
    ])?;
    let (mut receipts, mut next, mut bytes) = (Vec::new(), after, 0);
    for row in &rows {
        if bytes >= PAGE_BYTES_TARGET {
            break;
        }
        next = row.number(2)?;
        let (follower, line): (_, &[u8]) = (row.instance(0)?, row.value(1)?);
        // Who is gone from here says nothing here any more.
        let Some(name) = row.value::<Option<String>>(3)? else {
            continue;
        };
        let entries = tx.rows(identity::ENTRIES, &[&row.value::<i64>(4)?])?;
        let Some(log) = identity::read(&follower, &entries)? else {
            continue;
        };
        let lines = log.entries().iter().map(|entry| entry.line.len());
        bytes += line.len() + lines.sum::<usize>();
        let identity = log.entries().iter().map(|entry| text(&entry.line));
        receipts.push(ReceiptRow {
            receipt: text(line)?,
            identity: identity.collect::<Result<_>>()?,
            name,
        });
    }
    Ok(Receipts {
        schema_version: 1,
        receipts,
        next,
        last: last.first().map_or(Ok(0), |row| row.number(0))?,
        followers: followers(tx, origin)?,
    })
}

/// A signed line as text: it is strict JSON, or it was never kept.
fn text(line: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(line);
    text.map(str::to_owned)
        .map_err(|_| PgError::damaged("a signed line"))
}
