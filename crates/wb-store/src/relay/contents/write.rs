//! Making a hub's file from rows, a bounded number of them in each transaction.
//!
//! Until [`FileFromContents::finish`] the file is not on the disk for good: whoever makes it throws it away where that did
//! not come. Numbers that only lead from one row to another are given here: those of a member lie together, in its order.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, Transaction, TransactionBehavior, params_from_iter};
use wb_core::id::{Hash, LogId};

use super::{Row, Table, Value};
use crate::error::{Result, StoreError};
use crate::open::{self, Opening, RELAY};
use crate::relay::arrival::Place;
use crate::relay::listing::list_anew_if_needed;
use crate::store::put_meta;

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A hub's file that is being made.
#[derive(Debug)]
pub struct FileFromContents {
    path: PathBuf,
    connection: Connection,
    numbers: Numbers,
}

/// The numbers given so far. What is kept for each member is small: no more than its rows in `members`.
#[derive(Debug, Default)]
struct Numbers {
    line: i64,
    log: i64,
    aside: i64,
    held: i64,
    /// The number before the first of each member.
    logs: BTreeMap<i64, i64>,
    asides: BTreeMap<i64, i64>,
    held_of: BTreeMap<i64, i64>,
    /// The log in which a feed is, by its order, until that has a number.
    heads: BTreeMap<i64, i64>,
}

/// The number of a row after those of the member's rows before it; `before` has where these begin.
fn next(before: &mut BTreeMap<i64, i64>, last: &mut i64, member: i64) -> i64 {
    before.entry(member).or_insert(*last);
    *last += 1;
    *last
}

/// The number of a row that was written, by its order within a member.
fn given(before: &BTreeMap<i64, i64>, member: i64, rank: &Value) -> Result<Value> {
    match rank {
        Value::Null => Ok(Value::Null),
        rank => {
            let before = before
                .get(&member)
                .ok_or_else(|| strange("names a row that is not there"))?;
            Ok(Value::Int(before + int(rank)?))
        }
    }
}

fn strange(what: &str) -> StoreError {
    StoreError::damaged(format!("a row that is moved {what}"))
}

fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => Err(strange("has no number where one belongs")),
    }
}

fn bytes(value: &Value) -> Result<&[u8]> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(strange("has no bytes where some belong")),
    }
}

impl FileFromContents {
    /// Begins a file where there is none.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn begin(path: &Path) -> Result<Self> {
        let mut connection = open::open(path, RELAY, Opening::Make)?;
        // It is thrown away where this ends early, so nothing has to be on the disk before the end.
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF")?;
        let transaction = connection.transaction()?;
        list_anew_if_needed(&transaction)?;
        transaction.commit()?;
        Ok(Self {
            path: path.to_owned(),
            connection,
            numbers: Numbers::default(),
        })
    }

    /// Writes rows of a table, in one transaction. Tables come in their order, and so do their rows.
    ///
    /// # Errors
    /// `Damaged` for a row that no hub has, or what the database reports.
    pub fn write(&mut self, table: Table, rows: &[Row]) -> Result<()> {
        let how = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(how)?;
        for row in rows {
            if row.len() != table.columns().len() {
                return Err(strange("has another number of columns"));
            }
            put(&transaction, &mut self.numbers, table, row)?;
        }
        Ok(transaction.commit()?)
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// What the database or the operating system reports.
    pub fn finish(self) -> Result<()> {
        // Heads before those that are here now cannot be paged any more: what ended when was not carried.
        let last = self.numbers.line + 1;
        put_meta(&self.connection, "ended_before", &last.to_string())?;
        // What a cache keeps of a page from before must not pass for one of now.
        self.connection.execute(
            "INSERT INTO served_changes (feed_no, n) SELECT feed_no, abs(random() % 1000000000000000000) FROM feeds",
            [],
        )?;
        self.connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)")?;
        self.connection.close().map_err(|(_, error)| error)?;
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(StoreError::io(&self.path))
    }
}

fn put(
    transaction: &Transaction<'_>,
    numbers: &mut Numbers,
    table: Table,
    row: &Row,
) -> Result<()> {
    let mut row = row.clone();
    match table {
        Table::Relay => return put_relay(transaction, &row),
        Table::Members => {
            let sql = "INSERT INTO instances (instance_no, id, standing, first_seen) VALUES (?1, ?2, 'approved', ?3)";
            let mut statement = transaction.prepare_cached(sql)?;
            statement.execute([&row[0], &row[1], &row[9]])?;
        }
        Table::Feeds => {
            if let Value::Int(rank) = row[1] {
                numbers.heads.insert(int(&row[0])?, rank);
            }
        }
        Table::Logs => put_log_number(transaction, numbers, &mut row)?,
        Table::Headers => row[1] = given(&numbers.logs, int(&row[0])?, &row[1])?,
        Table::Asides => {
            let member = int(&row[0])?;
            row[1] = Value::Int(next(&mut numbers.asides, &mut numbers.aside, member));
            row[2] = given(&numbers.logs, member, &row[2])?;
        }
        Table::Lines => {
            let member = int(&row[0])?;
            numbers.line += 1;
            row[1] = Value::Int(numbers.line);
            row[2] = given(&numbers.logs, member, &row[2])?;
            row[4] = given(&numbers.asides, member, &row[4])?;
            put_withheld(transaction, &row)?;
        }
        Table::Held => {
            row[1] = Value::Int(next(&mut numbers.held_of, &mut numbers.held, int(&row[0])?));
        }
        Table::HeldLines => row[1] = given(&numbers.held_of, int(&row[0])?, &row[1])?,
        Table::Arrivals => row[3] = given(&numbers.logs, int(&row[2])?, &row[3])?,
        // They follow from the receipts.
        Table::ReceiptCounts => return Ok(()),
        _ => {}
    }
    let mut statement = transaction.prepare_cached(insert(table))?;
    let used = statement.parameter_count().min(row.len());
    let written = statement.execute(params_from_iter(&row[..used]))?;
    if written == 1 {
        Ok(())
    } else {
        Err(strange("names a row that is not there"))
    }
}

fn put_relay(transaction: &Transaction<'_>, row: &Row) -> Result<()> {
    let log = LogId::from_slice(bytes(&row[0])?).ok_or_else(|| strange("has no relay log"))?;
    let floor = Place {
        n: u64::try_from(int(&row[3])?).unwrap_or_default(),
        running: Hash::from_slice(bytes(&row[4])?).ok_or_else(|| strange("has no hash"))?,
    };
    put_meta(transaction, "relay_log", &log.to_string())?;
    if floor.n > 0 {
        floor.put_floor(transaction)?;
    }
    let let_go = int(&row[5])?;
    if let_go > 0 {
        put_meta(transaction, "waiting_let_go", &let_go.to_string())?;
    }
    // A number is not given twice, also where what had it is gone.
    for (table, last) in [("envelopes", &row[6]), ("mail", &row[7])] {
        let sql = "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE ?2 > 0";
        transaction.execute(sql, rusqlite::params![table, last])?;
    }
    Ok(())
}

/// Gives a log its number, also where a feed is in it.
fn put_log_number(
    transaction: &Transaction<'_>,
    numbers: &mut Numbers,
    row: &mut Row,
) -> Result<()> {
    let (member, rank) = (int(&row[0])?, int(&row[1])?);
    let number = next(&mut numbers.logs, &mut numbers.log, member);
    if numbers.heads.get(&member) == Some(&rank) {
        let sql = "UPDATE feeds SET log_no = ?2 WHERE feed_no = ?1";
        transaction.prepare_cached(sql)?.execute([member, number])?;
    }
    row[1] = Value::Int(number);
    Ok(())
}

/// The line that is kept beside its entry while it is withheld.
fn put_withheld(transaction: &Transaction<'_>, row: &Row) -> Result<()> {
    if row[14] == Value::Null {
        return Ok(());
    }
    let sql = "INSERT INTO withheld_lines (line_no, line) VALUES (?1, ?2)";
    transaction
        .prepare_cached(sql)?
        .execute([&row[1], &row[14]])?;
    Ok(())
}

fn insert(table: Table) -> &'static str {
    match table {
        Table::Relay | Table::ReceiptCounts => unreachable!("written otherwise"),
        Table::Members => {
            "INSERT INTO members (instance_no, id, name, card, listed, counter, standing, reason, until, since, told,
               follows_counter, follows_all, follows_ids, follows_except, seen_n, seen_at, is_hub, delisted, asks_listed,
               listed_from, revoked, notice, invite, for_members)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
               ?24, ?25)"
        }
        Table::Invites => {
            "INSERT INTO invites (n, code, note, made_at, uses_max, used, until, off_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        }
        Table::IdentityEntries => {
            "INSERT INTO identity_entries (instance_no, hash, n, line, branch) VALUES (?1, ?2, ?3, ?4, ?5)"
        }
        Table::Feeds => {
            "INSERT INTO feeds (feed_no, instance_no, scope, log_no, seq, hash, era, key, live, live_n, forked)
             VALUES (?1, ?1, 'public', iif(?2 IS NULL, NULL, -1), ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        }
        Table::Logs => {
            "INSERT INTO logs (instance_no, log_no, scope, log, generation, first, replaced)
             VALUES (?1, ?2, 'public', ?3, ?4, ?5, ?6)"
        }
        Table::Headers => {
            "INSERT INTO headers (log_no, seq, hash, body_hash, line) VALUES (iif(?1 IS NULL, NULL, ?2), ?3, ?4, ?5, ?6)"
        }
        Table::Asides => {
            "INSERT INTO asides (aside_no, log_no, hash, line) VALUES (iif(?1 IS NULL, NULL, ?2), ?3, ?4, ?5)"
        }
        // What ended before it was moved has ended before anything that comes here.
        Table::Lines => {
            "INSERT INTO feed_lines (feed_no, line_no, log_no, seq, aside_no, idx, op, id, rev, kind, line_hash, drops, reason,
               line, live, void, ended)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, iif(?7, 'put', 'retract'), ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?16, ?17, iif(?18, 0, NULL))"
        }
        Table::Held => {
            "INSERT INTO held (origin, held_no, scope, outcome, rule, hash, log, seq, header, items, at, digest)
             SELECT id, ?2, 'public', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM instances WHERE instance_no = ?1"
        }
        Table::HeldLines => {
            "INSERT INTO held_lines (held_no, id, rev) VALUES (iif(?1 IS NULL, NULL, ?2), ?3, ?4)"
        }
        Table::Arrivals => {
            "INSERT INTO arrivals (n, kind, instance_no, scope, log_no, seq, hash, running, at)
             VALUES (?1, CASE ?2 WHEN 0 THEN 'identity' WHEN 1 THEN 'delta' WHEN 2 THEN 'again' END, ?3,
               iif(?4 IS NULL, NULL, 'public'), ?4, ?5, ?6, ?7, ?9)"
        }
        Table::Withheld => {
            "INSERT INTO withheld (instance_no, id, line_hash) VALUES (?1, ?2, ?3)"
        }
        Table::Replies => "INSERT INTO replies (notice, origin, line, at) VALUES (?1, ?2, ?3, ?4)",
        Table::Receipts => {
            "INSERT INTO receipts (origin, scope, follower, era, entry, n, line, arrival) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        }
        Table::Envelopes => {
            "INSERT INTO envelopes (envelope_no, origin, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?7)"
        }
        Table::EnvelopesFor => {
            "INSERT INTO envelopes_for (recipient, envelope_no, origin) VALUES (?1, ?2, ?3)"
        }
        Table::Mail => {
            "INSERT INTO mail (mail_no, origin, recipient, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?8)"
        }
        Table::Turns => {
            "INSERT INTO turns (instance, turn, n, machine, at, standing, passed, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        }
        Table::Listings => {
            "INSERT INTO listings (instance_no, id, line_no, kind, parent_origin, parent_id, placed_at, line_at, changed_at,
               status, contested, open, words)
             SELECT ?1, ?2, x.line_no, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 FROM feed_lines x
             WHERE x.feed_no = ?1 AND x.id = ?2 AND x.live = 1 AND x.line_hash IS ?3"
        }
    }
}
