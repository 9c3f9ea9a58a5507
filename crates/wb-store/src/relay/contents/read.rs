//! Reading a hub's file as rows, one table after the other, in memory that does not grow with it.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Rows, Statement};
use wb_core::id::{InstanceId, LogId};

use super::{Row, Table, Value};
use crate::error::{Result, StoreError};
use crate::open::{self, Opening, RELAY};
use crate::relay::arrival::Place;
use crate::relay::file::relay_log;
use crate::relay::room::let_go;
use crate::relay::void::Voids;
use crate::sql::Sql;

/// Numbers of this file by their order within a member. They lie in a file of their own that goes with the
/// connection, because of some there are many.
const RANKS: &str = "
    CREATE TEMP TABLE log_ranks (instance_no INTEGER, rank INTEGER, log_no INTEGER UNIQUE, PRIMARY KEY (instance_no, rank)) WITHOUT ROWID;
    INSERT INTO log_ranks SELECT instance_no, row_number() OVER (PARTITION BY instance_no ORDER BY log_no), log_no FROM logs;
    CREATE TEMP TABLE aside_ranks (instance_no INTEGER, rank INTEGER, aside_no INTEGER UNIQUE, log INTEGER,
      PRIMARY KEY (instance_no, rank)) WITHOUT ROWID;
    INSERT INTO aside_ranks SELECT g.instance_no, row_number() OVER (PARTITION BY g.instance_no ORDER BY a.aside_no), a.aside_no, g.rank
      FROM asides a JOIN log_ranks g USING (log_no);
    CREATE TEMP TABLE held_ranks (instance_no INTEGER, rank INTEGER, held_no INTEGER UNIQUE, PRIMARY KEY (instance_no, rank)) WITHOUT ROWID;
    INSERT INTO held_ranks SELECT i.instance_no, row_number() OVER (PARTITION BY i.instance_no ORDER BY h.held_no), h.held_no
      FROM held h JOIN instances i ON i.id = h.origin;";

/// Whether there is anything but public feeds, which no hub takes.
const NOT_PUBLIC: &str = "SELECT EXISTS (SELECT 1 FROM feeds WHERE scope <> 'public')
    OR EXISTS (SELECT 1 FROM logs WHERE scope <> 'public') OR EXISTS (SELECT 1 FROM held WHERE scope <> 'public')
    OR EXISTS (SELECT 1 FROM arrivals WHERE scope <> 'public')";

/// The rows of a hub's file, as of one moment.
#[derive(Debug)]
pub struct ContentsOfFile {
    connection: Connection,
}

impl ContentsOfFile {
    /// Opens a file that is there, in the newest format. Nothing in it is changed, and what is written to it from now on
    /// is not read.
    ///
    /// # Errors
    /// `Older`, `Newer`, `Foreign`, `Damaged`, or what stands in the way.
    pub fn open(path: &Path) -> Result<Self> {
        let (connection, _) = open::open_at_least_to_read(path, RELAY, Opening::AsItIs)?;
        connection.execute_batch("PRAGMA temp_store = FILE; BEGIN")?;
        let is_other: bool = connection.query_row(NOT_PUBLIC, [], |row| row.get(0))?;
        if is_other {
            return Err(StoreError::damaged(
                "a hub holds public feeds only, and there is another",
            ));
        }
        connection.execute_batch(RANKS)?;
        Ok(Self { connection })
    }

    /// The relay log.
    ///
    /// # Errors
    /// `Damaged` where there is none, or what the database reports.
    pub fn log(&self) -> Result<LogId> {
        relay_log(&self.connection)?.ok_or_else(|| StoreError::damaged("no relay log"))
    }

    /// Gives every row of a table, in order, for as long as `give` wants more.
    ///
    /// # Errors
    /// `Damaged` where a row belongs to nobody, or what the database reports.
    pub fn read(&self, table: Table, give: &mut dyn FnMut(Row) -> bool) -> Result<()> {
        let mut given = 0_u64;
        let mut wants = true;
        let mut count = |row| {
            given += 1;
            wants = give(row);
            wants
        };
        match table {
            Table::Relay => {
                count(self.relay()?);
                return Ok(());
            }
            Table::Lines => self.lines(&mut count)?,
            Table::Headers => self.headers(&mut count)?,
            _ => self.plain(table, &mut count)?,
        }
        let Some(counted) = counted(table).filter(|_| wants) else {
            return Ok(());
        };
        let sql = format!("SELECT count(*) FROM {counted}");
        let Sql(all): Sql<u64> = self.connection.query_row(&sql, [], |row| row.get(0))?;
        if all == given {
            return Ok(());
        }
        Err(StoreError::damaged(format!(
            "{all} rows of {counted}, of which {given} are of a member"
        )))
    }

    fn plain(&self, table: Table, give: &mut dyn FnMut(Row) -> bool) -> Result<()> {
        let mut statement = self.connection.prepare(select(table))?;
        let columns = table.columns().len();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !give(values(row, columns)?) {
                break;
            }
        }
        Ok(())
    }

    fn relay(&self) -> Result<Row> {
        let connection = &self.connection;
        let log = self.log()?;
        let (last, floor) = (Place::last(connection)?, Place::floor(connection)?);
        Ok(vec![
            Value::Bytes(log.as_bytes().to_vec()),
            number(last.n),
            Value::Bytes(last.running.0.to_vec()),
            number(floor.n),
            Value::Bytes(floor.running.0.to_vec()),
            number(let_go(connection)?),
            self.last_given("envelopes")?,
            self.last_given("mail")?,
        ])
    }

    /// The number that a table gave last; what had it may be gone.
    fn last_given(&self, table: &str) -> Result<Value> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let last = statement.query_row([table], |row| row.get(0)).optional()?;
        Ok(Value::Int(last.unwrap_or(0)))
    }

    /// Headers, with what a recovery made of them: a file works that out with each reading.
    fn headers(&self, give: &mut dyn FnMut(Row) -> bool) -> Result<()> {
        let mut voids = Voids::new(&self.connection);
        let sql =
            "SELECT g.instance_no, g.rank, h.seq, h.hash, h.body_hash, h.line, 0, i.id, g.log_no
                   FROM log_ranks g CROSS JOIN headers h ON h.log_no = g.log_no
                   CROSS JOIN instances i ON i.instance_no = g.instance_no
                   ORDER BY g.instance_no, g.rank, h.seq";
        let mut statement = self.connection.prepare(sql)?;
        let columns = Table::Headers.columns().len();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut header = values(row, columns)?;
            let (Sql(origin), Sql(seq)): (Sql<InstanceId>, Sql<u64>) = (row.get(7)?, row.get(2)?);
            let void = voids.is_void(&origin, row.get(8)?, seq)?;
            header[columns - 1] = Value::Int(i64::from(void));
            if !give(header) {
                break;
            }
        }
        Ok(())
    }

    /// Lines by member, in the order in which they came. Their numbers are put in order first and the rows fetched by
    /// them, so that no text goes through a sorter.
    fn lines(&self, give: &mut dyn FnMut(Row) -> bool) -> Result<()> {
        let connection = &self.connection;
        let mut feeds = connection.prepare("SELECT feed_no FROM feeds ORDER BY instance_no")?;
        let mut numbers = connection.prepare(
            "SELECT line_no FROM feed_lines INDEXED BY feed_lines_record WHERE feed_no = ?1 ORDER BY line_no",
        )?;
        let mut line = connection.prepare(select(Table::Lines))?;
        let mut feeds = feeds.query([])?;
        while let Some(feed) = feeds.next()? {
            let mut rank = 0;
            let mut numbers: Rows<'_> = numbers.query([feed.get::<_, i64>(0)?])?;
            while let Some(at) = numbers.next()? {
                rank += 1;
                let row = fetch(&mut line, at.get(0)?, rank)?;
                if !give(row) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn fetch(line: &mut Statement<'_>, line_no: i64, rank: i64) -> Result<Row> {
    let columns = Table::Lines.columns().len();
    let mut rows = line.query([line_no])?;
    let row = rows.next()?;
    let row = row.ok_or_else(|| StoreError::damaged(format!("line {line_no} is of no log")))?;
    let mut row = values(row, columns)?;
    row[1] = Value::Int(rank);
    Ok(row)
}

fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn values(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row> {
    let values = (0..columns).map(|column| {
        Ok(match row.get_ref(column)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Int(number),
            ValueRef::Text(text) => Value::Text(
                String::from_utf8(text.to_vec()).map_err(|_| StoreError::damaged("a text"))?,
            ),
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => return Err(StoreError::damaged("a number with a fraction")),
        })
    });
    values.collect()
}

/// The table that has as many rows, where more than it is read: one that belongs to nobody is not passed over.
fn counted(table: Table) -> Option<&'static str> {
    match table {
        Table::Lines => Some("feed_lines"),
        Table::Headers => Some("headers"),
        Table::Asides => Some("asides"),
        Table::Held => Some("held"),
        Table::HeldLines => Some("held_lines"),
        Table::Members => Some("instances"),
        _ => None,
    }
}

fn select(table: Table) -> &'static str {
    match table {
        Table::Relay | Table::Headers => unreachable!("read otherwise"),
        Table::Members => {
            "SELECT instance_no, id, name, card, listed, counter, standing, reason, until, since, told, follows_counter,
               follows_all, follows_ids, follows_except, seen_n, seen_at, is_hub, delisted, asks_listed, listed_from, revoked, notice
             FROM members ORDER BY instance_no"
        }
        Table::IdentityEntries => {
            "SELECT instance_no, hash, n, line, branch FROM identity_entries ORDER BY instance_no, hash"
        }
        Table::Feeds => {
            "SELECT f.instance_no, g.rank, f.seq, f.hash, f.era, f.key, f.live, f.live_n, f.forked
             FROM feeds f LEFT JOIN log_ranks g ON g.log_no = f.log_no ORDER BY f.instance_no"
        }
        Table::Logs => {
            "SELECT g.instance_no, g.rank, l.log, l.generation, l.first, l.replaced
             FROM log_ranks g CROSS JOIN logs l ON l.log_no = g.log_no ORDER BY g.instance_no, g.rank"
        }
        Table::Asides => {
            "SELECT r.instance_no, r.rank, r.log, a.hash, a.line
             FROM aside_ranks r CROSS JOIN asides a ON a.aside_no = r.aside_no ORDER BY r.instance_no, r.rank"
        }
        // One of them, by its number.
        Table::Lines => {
            "SELECT g.instance_no, NULL, g.rank, x.seq, (SELECT rank FROM aside_ranks a WHERE a.aside_no = x.aside_no), x.idx,
               x.op = 'put', x.id, x.rev, x.kind, x.line_hash, x.drops, x.reason, x.line,
               (SELECT w.line FROM withheld_lines w WHERE w.line_no = x.line_no), x.live, x.void, x.ended IS NOT NULL
             FROM feed_lines x CROSS JOIN log_ranks g ON g.log_no = x.log_no WHERE x.line_no = ?1"
        }
        Table::Held => {
            "SELECT r.instance_no, r.rank, h.outcome, h.rule, h.hash, h.log, h.seq, h.header, h.items, h.at, h.digest
             FROM held_ranks r CROSS JOIN held h ON h.held_no = r.held_no ORDER BY r.instance_no, r.rank"
        }
        Table::HeldLines => {
            "SELECT r.instance_no, r.rank, x.id, x.rev
             FROM held_ranks r CROSS JOIN held_lines x ON x.held_no = r.held_no ORDER BY r.instance_no, r.rank, x.id, x.rev"
        }
        Table::Arrivals => ARRIVALS,
        Table::Withheld => {
            "SELECT instance_no, id, line_hash FROM withheld ORDER BY instance_no, id"
        }
        Table::Replies => "SELECT notice, origin, line, at FROM replies ORDER BY notice",
        Table::ReceiptCounts => {
            "SELECT origin, max(arrival) FROM receipts GROUP BY origin ORDER BY origin"
        }
        Table::Receipts => {
            "SELECT origin, scope, follower, era, entry, n, line, arrival FROM receipts ORDER BY origin, scope, follower"
        }
        Table::Envelopes => {
            "SELECT envelope_no, origin, hash, line, body, length(line) + length(body), expires
             FROM envelopes ORDER BY envelope_no"
        }
        Table::EnvelopesFor => {
            "SELECT recipient, envelope_no, origin FROM envelopes_for ORDER BY recipient, envelope_no"
        }
        Table::Mail => {
            "SELECT mail_no, origin, recipient, hash, line, body, length(line) + length(body), expires
             FROM mail ORDER BY mail_no"
        }
        Table::Turns => {
            "SELECT instance, turn, n, machine, at, standing, passed, place FROM turns ORDER BY instance, turn"
        }
        Table::Listings => {
            "SELECT instance_no, id, (SELECT line_hash FROM feed_lines x WHERE x.line_no = l.line_no), kind, parent_origin,
               parent_id, placed_at, line_at, changed_at, status, contested, open, words
             FROM listings l ORDER BY instance_no, id"
        }
    }
}

/// About how many bytes a reader is sent is worked out from what is there; an identity entry, or a head that comes
/// again, counts as 1,024.
const ARRIVALS: &str = "SELECT a.n, CASE a.kind WHEN 'identity' THEN 0 WHEN 'delta' THEN 1 ELSE 2 END, a.instance_no, g.rank,
      a.seq, a.hash, a.running, CASE a.kind
        WHEN 'identity' THEN 1024 * (SELECT count(*) FROM identity_entries e WHERE e.instance_no = a.instance_no)
        WHEN 'delta' THEN ifnull((SELECT length(h.line) FROM headers h WHERE h.log_no = a.log_no AND h.seq = a.seq), 0)
          + (SELECT ifnull(sum(length(x.line)), 0) FROM feed_lines x WHERE x.log_no = a.log_no AND x.seq = a.seq)
        ELSE 1024 END, a.at
    FROM arrivals a LEFT JOIN log_ranks g ON g.log_no = a.log_no ORDER BY a.n";
