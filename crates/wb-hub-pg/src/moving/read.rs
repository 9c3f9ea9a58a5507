//! Reading a hub in PostgreSQL as rows, in transactions that see one moment each: nobody writes meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use wb_hub::moving::{Batches, Giving, Kind, Row, Rows, Table, Value};

use crate::error::{PgError, Result};
use crate::pool::{Connections, Does};
use crate::tx::{Columns as _, Tx};

/// Length of an id.
const ID_BYTES: usize = 32;

/// A hub in PostgreSQL that is read.
#[derive(Clone)]
pub struct PgRows {
    pub(super) connections: Arc<Connections>,
    pub(super) handle: Handle,
}

impl PgRows {
    pub(super) fn new(connections: Arc<Connections>, handle: Handle) -> Self {
        Self {
            connections,
            handle,
        }
    }
}

impl Rows for PgRows {
    fn read(&self, table: Table) -> Batches {
        let (giving, batches) = Giving::begin(table);
        let giving = Arc::new(Mutex::new(Some(giving)));
        let connections = Arc::clone(&self.connections);
        self.handle.spawn(async move {
            let given = Arc::clone(&giving);
            // Once: what was given cannot be given again.
            let read = move |tx: &Tx<'_>| {
                let mut giving = given.lock().unwrap_or_else(PoisonError::into_inner);
                let giving = giving.as_mut().expect("it runs once");
                give(tx, table, giving)
            };
            let read = connections.run_once(Does::Read, Arc::new(read)).await;
            let done = read.map_err(|error| error.to_string());
            let giving = giving.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(giving) = giving {
                giving.end(done);
            }
        });
        batches
    }
}

fn give(tx: &Tx<'_>, table: Table, giving: &mut Giving) -> Result<()> {
    tx.each(select(table), table.rows_at_once(), |rows| {
        for row in &rows {
            if !giving.give(values(table, row)?) {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

fn values(table: Table, row: &tokio_postgres::Row) -> Result<Row> {
    let columns = table.columns().iter().enumerate();
    let values = columns.map(|(n, column)| {
        Ok(match column.kind {
            Kind::Flag => number(row.value::<Option<bool>>(n)?.map(i64::from)),
            Kind::Small => number(row.value::<Option<i16>>(n)?.map(i64::from)),
            Kind::Middle => number(row.value::<Option<i32>>(n)?.map(i64::from)),
            Kind::Number => number(row.value(n)?),
            Kind::Text => row
                .value::<Option<String>>(n)?
                .map_or(Value::Null, Value::Text),
            Kind::Bytes => row
                .value::<Option<Vec<u8>>>(n)?
                .map_or(Value::Null, Value::Bytes),
            Kind::Ids => Value::Bytes(ids(&row.value::<Vec<Vec<u8>>>(n)?)?),
        })
    });
    values.collect()
}

fn number(number: Option<i64>) -> Value {
    number.map_or(Value::Null, Value::Int)
}

fn ids(ids: &[Vec<u8>]) -> Result<Vec<u8>> {
    if ids.iter().any(|id| id.len() != ID_BYTES) {
        return Err(PgError::damaged("an id has another length"));
    }
    Ok(ids.concat())
}

/// Each table as its rows are carried: numbers that lead from one row to another by their order within a member.
fn select(table: Table) -> &'static str {
    match table {
        Table::Relay => {
            "SELECT r.log, r.n, r.running, r.floor_n, r.floor_running, w.let_go,
               (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM envelopes_envelope_no_seq),
               (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM mail_mail_no_seq)
             FROM relay r, waiting w"
        }
        Table::Members => {
            "SELECT m.instance_no, m.id, m.name, m.card, m.listed, m.counter, m.standing, m.reason, m.until, m.since, m.told,
               m.follows_counter, m.follows_all, m.follows_ids, m.follows_except, coalesce(s.n, 0), s.at, m.is_hub, m.delisted,
               m.asks_listed, m.listed_from, m.revoked, m.notice
             FROM members m LEFT JOIN seen s USING (instance_no) ORDER BY m.instance_no"
        }
        Table::IdentityEntries => {
            "SELECT instance_no, hash, n, line, branch FROM identity_entries ORDER BY instance_no, hash"
        }
        Table::Feeds => {
            "SELECT f.instance_no, g.rank, f.seq, f.hash, f.era, f.key, f.live, f.live_n, f.forked FROM feeds f
             LEFT JOIN (SELECT instance_no, log_no, row_number() OVER (PARTITION BY instance_no ORDER BY log_no) AS rank FROM logs) g
               USING (instance_no, log_no) ORDER BY f.instance_no"
        }
        Table::Logs => {
            "SELECT instance_no, row_number() OVER (PARTITION BY instance_no ORDER BY log_no), log, generation, first, replaced
             FROM logs ORDER BY instance_no, log_no"
        }
        Table::Headers => {
            "SELECT h.instance_no, g.rank, h.seq, h.hash, h.body_hash, h.line, h.void FROM headers h
             LEFT JOIN (SELECT instance_no, log_no, row_number() OVER (PARTITION BY instance_no ORDER BY log_no) AS rank FROM logs) g
               USING (instance_no, log_no) ORDER BY h.instance_no, h.log_no, h.seq"
        }
        Table::Asides => {
            "SELECT a.instance_no, row_number() OVER (PARTITION BY a.instance_no ORDER BY a.aside_no), g.rank, a.hash, a.line
             FROM asides a
             LEFT JOIN (SELECT instance_no, log_no, row_number() OVER (PARTITION BY instance_no ORDER BY log_no) AS rank FROM logs) g
               USING (instance_no, log_no) ORDER BY a.instance_no, a.aside_no"
        }
        Table::Lines => {
            "SELECT l.instance_no, row_number() OVER (PARTITION BY l.instance_no ORDER BY l.line_no), g.rank, l.seq, a.rank, l.idx,
               l.put, l.id, l.rev, l.kind, l.line_hash, l.drops, l.reason, l.line, l.withheld, l.live, l.void, l.ended IS NOT NULL
             FROM lines l
             LEFT JOIN (SELECT instance_no, log_no, row_number() OVER (PARTITION BY instance_no ORDER BY log_no) AS rank FROM logs) g
               USING (instance_no, log_no)
             LEFT JOIN (SELECT instance_no, aside_no, row_number() OVER (PARTITION BY instance_no ORDER BY aside_no) AS rank
                        FROM asides) a USING (instance_no, aside_no)
             ORDER BY l.instance_no, l.line_no"
        }
        Table::Held => {
            "SELECT instance_no, row_number() OVER (PARTITION BY instance_no ORDER BY held_no), outcome, rule, hash, log, seq,
               header, items, at, digest FROM held ORDER BY instance_no, held_no"
        }
        Table::HeldLines => {
            "SELECT x.instance_no, h.rank, x.id, x.rev FROM held_lines x
             LEFT JOIN (SELECT instance_no, held_no, row_number() OVER (PARTITION BY instance_no ORDER BY held_no) AS rank FROM held) h
               USING (instance_no, held_no) ORDER BY x.instance_no, x.held_no, x.id, x.rev"
        }
        Table::Arrivals => {
            "SELECT a.n, a.kind, a.instance_no, g.rank, a.seq, a.hash, a.running, a.bytes, a.at FROM arrivals a
             LEFT JOIN (SELECT instance_no, log_no, row_number() OVER (PARTITION BY instance_no ORDER BY log_no) AS rank FROM logs) g
               USING (instance_no, log_no) ORDER BY a.n"
        }
        Table::Withheld => {
            "SELECT instance_no, id, line_hash FROM withheld ORDER BY instance_no, id"
        }
        Table::Replies => "SELECT notice, origin, line, at FROM replies ORDER BY notice",
        Table::ReceiptCounts => "SELECT origin, last FROM receipt_counts ORDER BY origin",
        Table::Receipts => {
            "SELECT origin, scope, follower, era, entry, n, line, arrival FROM receipts
             ORDER BY origin, scope COLLATE \"C\", follower"
        }
        Table::Envelopes => {
            "SELECT envelope_no, origin, hash, line, body, bytes, expires FROM envelopes ORDER BY envelope_no"
        }
        Table::EnvelopesFor => {
            "SELECT recipient, envelope_no, origin FROM envelopes_for ORDER BY recipient, envelope_no"
        }
        Table::Mail => {
            "SELECT mail_no, origin, recipient, hash, line, body, bytes, expires FROM mail ORDER BY mail_no"
        }
        Table::Turns => {
            "SELECT instance, turn, n, machine, at, standing, passed, place FROM turns ORDER BY instance, turn"
        }
        Table::Listings => {
            "SELECT s.instance_no, s.id, l.line_hash, s.kind, s.parent_origin, s.parent_id, s.placed_at, s.line_at, s.changed_at,
               s.status, s.contested, s.open, s.words
             FROM listings s LEFT JOIN lines l USING (instance_no, line_no) ORDER BY s.instance_no, s.id"
        }
    }
}
