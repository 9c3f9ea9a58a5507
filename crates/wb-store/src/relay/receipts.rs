//! Receipts that a hub keeps: the latest of each member for each feed, numbered as they come (spec: receipts).

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::InstanceId;
use wb_core::identity::Position;
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::receipt::Receipt;
use wb_core::sync::{ReceiptRow, Receipts, StaleReceipt};
use wb_core::time::Timestamp;

use super::counts::followers;
use super::file::{Relay, RelayWrite};
use super::member::load;
use crate::error::{Result, StoreError};
use crate::instances::identity_log;
use crate::sql::Sql;

/// The number of the newest receipt for the feeds of an origin; 0 for none.
pub(super) fn newest(connection: &Connection, origin: &InstanceId) -> Result<u64> {
    let sql = "SELECT ifnull(max(arrival), 0) FROM receipts WHERE origin = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let newest: Sql<u64> = statement.query_row([Sql(origin)], |row| row.get(0))?;
    Ok(newest.0)
}

impl RelayWrite<'_> {
    /// Keeps receipts of a member that were verified, each with its bytes, where they are the latest. Of an origin
    /// that is not registered nothing is kept. Returns those of which a later one is held.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_receipts(
        &self,
        receipts: &[(Receipt, Vec<u8>)],
        now: Timestamp,
    ) -> Result<Vec<StaleReceipt>> {
        let mut stale = Vec::new();
        for (receipt, line) in receipts {
            let is_registered = load(&self.transaction, &receipt.origin, now)?.is_some();
            if is_registered && let Some(n) = self.put_receipt(receipt, line)? {
                stale.push(StaleReceipt {
                    origin: receipt.origin,
                    scope: receipt.scope,
                    n,
                });
            }
        }
        Ok(stale)
    }

    /// Keeps one; inside, the count of a later one that is held. What another key signed before is no later one: who
    /// stole it could count as high as there are numbers.
    fn put_receipt(&self, receipt: &Receipt, line: &[u8]) -> Result<Option<u64>> {
        let sql = "SELECT era, entry, n, line FROM receipts WHERE origin = ?1 AND scope = ?2 AND follower = ?3";
        let key = params![
            Sql(receipt.origin),
            receipt.scope.as_str(),
            Sql(receipt.follower)
        ];
        let held: Option<(Position, u64, Vec<u8>)> = self
            .transaction
            .prepare_cached(sql)?
            .query_row(key, |row| {
                let position = Position {
                    era: row.get::<_, Sql<u64>>(0)?.0,
                    n: row.get::<_, Sql<u64>>(1)?.0,
                };
                Ok((position, row.get::<_, Sql<u64>>(2)?.0, row.get(3)?))
            })
            .optional()?;
        if let Some((position, n, held)) = held
            && (position, n) >= (receipt.position(), receipt.n)
        {
            return Ok((held != line).then_some(n));
        }
        self.transaction
            .prepare_cached(
                "INSERT INTO receipts (origin, scope, follower, n, line, era, entry, arrival)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
                   (SELECT ifnull(max(arrival), 0) + 1 FROM receipts WHERE origin = ?1))
                 ON CONFLICT (origin, scope, follower) DO UPDATE SET n = excluded.n, line = excluded.line,
                   era = excluded.era, entry = excluded.entry, arrival = excluded.arrival",
            )?
            .execute(params![
                Sql(receipt.origin),
                receipt.scope.as_str(),
                Sql(receipt.follower),
                Sql(receipt.n),
                line,
                Sql(receipt.position().era),
                Sql(receipt.position().n),
            ])?;
        Ok(None)
    }
}

impl Relay {
    /// A page of the receipts for an origin's feeds after a number, with the identity log of each follower.
    ///
    /// # Errors
    /// What the database reports.
    pub fn receipts(
        &self,
        origin: &InstanceId,
        after: u64,
        limit: usize,
        now: Timestamp,
    ) -> Result<Receipts> {
        self.at_one_moment(|connection| {
            let sql =
                "SELECT follower, line, arrival FROM receipts WHERE origin = ?1 AND arrival > ?2
                       ORDER BY arrival LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = statement.query(params![Sql(origin), Sql(after), limit])?;
            let (mut receipts, mut next, mut bytes) = (Vec::new(), after, 0);
            while let Some(row) = rows.next()? {
                if bytes >= PAGE_BYTES_TARGET {
                    break;
                }
                let Sql(follower): Sql<InstanceId> = row.get(0)?;
                let line: Vec<u8> = row.get(1)?;
                next = row.get::<_, Sql<u64>>(2)?.0;
                // Who is gone from here says nothing here any more.
                let Some(member) = load(connection, &follower, now)? else {
                    continue;
                };
                let Some(log) = identity_log(connection, &follower)? else {
                    continue;
                };
                let entries = log.entries().iter().map(|entry| entry.line.len());
                bytes += line.len() + entries.sum::<usize>();
                receipts.push(ReceiptRow {
                    receipt: text(&line)?,
                    identity: log
                        .entries()
                        .iter()
                        .map(|entry| text(&entry.line))
                        .collect::<Result<_>>()?,
                    name: member.name,
                });
            }
            Ok(Receipts {
                schema_version: 1,
                receipts,
                next,
                last: newest(connection, origin)?,
                followers: followers(connection, origin, now)?,
            })
        })
    }
}

/// A signed line as text: it is strict JSON, or it was never kept.
fn text(line: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(line);
    text.map(str::to_owned)
        .map_err(|_| StoreError::damaged("a signed line"))
}
