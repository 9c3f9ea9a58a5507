//! Filling a database with the rows of a hub, a bounded number of them in each transaction.
//!
//! The database is fenced until [`PgFilling::open`]: one that was not filled to the end is no hub, and the next move into
//! it empties it and begins again.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_postgres::types::Type;
use wb_core::id::InstanceId;
use wb_hub::moving::{Batches, Column, Filling, Kind, Row, Rows, Table, Value};

use super::fence::{Held, Place, place, put_up};
use super::{PgRows, TABLES};
use crate::address::Address;
use crate::error::{PgError, Result};
use crate::pool::{Connections, Does};
use crate::schema;
use crate::tx::{Boxed, Columns as _, Tx};

/// Length of an id.
const ID_BYTES: usize = 32;

/// What ends the filling: from then on it is a hub.
const OPEN: &str =
    "UPDATE hub_schema SET needs = (SELECT needs FROM hub_move); DROP TABLE hub_move";

/// What follows from the rows. What ended before is older than any line that comes. What a cache keeps of a page from before
/// must not pass for one of now, so what stamps pages begins where no store was.
const FOLLOWS: &str = "UPDATE feeds f SET
      last_line = coalesce((SELECT max(line_no) FROM lines x WHERE x.instance_no = f.instance_no), 0),
      last_log = coalesce((SELECT max(log_no) FROM logs x WHERE x.instance_no = f.instance_no), 0),
      last_aside = coalesce((SELECT max(aside_no) FROM asides x WHERE x.instance_no = f.instance_no), 0),
      last_held = coalesce((SELECT max(held_no) FROM held x WHERE x.instance_no = f.instance_no), 0);
    UPDATE feeds SET ended_before = last_line + 1, served = floor(random() * 1e18)::bigint";

/// A database that is filled with a hub.
pub struct PgFilling {
    rows: PgRows,
    own: InstanceId,
    held: Held,
}

impl PgFilling {
    /// Begins with an empty database, or with one that was begun to be filled before: what is there of that goes.
    ///
    /// # Errors
    /// `NotEmpty`, `Moving` where another command is at it, or what the database reports.
    pub async fn begin(address: &Address, own: InstanceId, from: &str) -> Result<Self> {
        let connections = Arc::new(Connections::new(&address.of_mover(), None)?);
        let from = from.to_owned();
        let begin = move |tx: &Tx<'_>| {
            match place(tx)? {
                Place::Absent => {
                    schema::begin(tx)?;
                    schema::migrate(tx)?;
                }
                Place::Filling(_) => {}
                Place::Hub { .. } | Place::Leaving(_) | Place::Left(_) => {
                    return Err(PgError::NotEmpty);
                }
            }
            put_up(tx, "filling", &from)
        };
        connections.run(Does::Write, begin).await?;
        let held = Held::take(&connections, OPEN, "SELECT 1").await?;
        let empty = format!(
            "TRUNCATE {}; INSERT INTO waiting DEFAULT VALUES; INSERT INTO decided DEFAULT VALUES",
            TABLES.join(", ")
        );
        connections
            .run(Does::Write, move |tx| tx.batch(&empty))
            .await?;
        Ok(Self {
            rows: PgRows::new(connections, Handle::current()),
            own,
            held,
        })
    }

    /// Works out what follows from the rows, once all are written.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn finish(&self) -> Result<()> {
        let follow = |tx: &Tx<'_>| {
            tx.batch(FOLLOWS)?;
            let last: i64 = tx
                .one("SELECT coalesce(max(instance_no), 0) FROM members", &[])?
                .value(0)?;
            restart(tx, "members", "instance_no", last)
        };
        self.rows.connections.run(Does::Write, follow).await?;
        // Plans are made from what is there, and not from what was.
        let analyze = format!("ANALYZE {}", TABLES.join(", "));
        let connections = &self.rows.connections;
        connections
            .run(Does::Write, move |tx| tx.batch(&analyze))
            .await
    }

    /// From here on it is a hub.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn open(self) -> Result<()> {
        self.held.end().await
    }

    /// It stays unfinished.
    ///
    /// # Errors
    /// What the database reports.
    pub async fn give_up(self) -> Result<()> {
        self.held.give_up().await
    }
}

impl Rows for PgFilling {
    fn read(&self, table: Table) -> Batches {
        self.rows.read(table)
    }
}

impl Filling for PgFilling {
    fn write(&mut self, table: Table, rows: Vec<Row>) -> std::result::Result<(), String> {
        let own = self.own;
        let put = move |tx: &Tx<'_>| put(tx, table, &rows, &own);
        let written = self.rows.connections.run(Does::Write, put);
        let written = self.rows.handle.block_on(written);
        written.map_err(|error| error.to_string())
    }
}

fn put(tx: &Tx<'_>, table: Table, rows: &[Row], own: &InstanceId) -> Result<()> {
    match table {
        Table::Relay => rows.iter().try_for_each(|row| put_relay(tx, row, own)),
        Table::Members => {
            let names = names_of(table, |column| !matches!(column.name, "seen_n" | "seen_at"));
            copy(tx, "members", &names, rows)?;
            let came: Vec<Row> = rows
                .iter()
                .filter(|row| row[16] != Value::Null)
                .cloned()
                .collect();
            let seen = [
                (0, "instance_no", Kind::Number),
                (15, "n", Kind::Number),
                (16, "at", Kind::Number),
            ];
            copy(tx, "seen", &seen, &came)
        }
        Table::Lines => {
            let mut names = names_of(table, |_| true);
            // A flag there, and here the line that came next: any is older than what comes.
            names[17].2 = Kind::Number;
            let rows: Vec<Row> = rows.iter().cloned().map(with_ended).collect();
            copy(tx, "lines", &names, &rows)
        }
        Table::Listings => {
            let mut names = names_of(table, |_| true);
            names[2] = (2, "line_no", Kind::Number);
            let rows = with_lines(tx, rows)?;
            copy(tx, "listings", &names, &rows)
        }
        _ => copy(tx, table.name(), &names_of(table, |_| true), rows),
    }
}

/// A column of a row, by its place, under a name and a kind of this database.
type Named = (usize, &'static str, Kind);

fn names_of(table: Table, wanted: impl Fn(&Column) -> bool) -> Vec<Named> {
    let columns = table.columns().iter().enumerate();
    let wanted = columns.filter(|(_, column)| wanted(column));
    wanted
        .map(|(n, column)| (n, column.name, column.kind))
        .collect()
}

fn copy(tx: &Tx<'_>, table: &str, columns: &[Named], rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = columns.iter().map(|(_, name, _)| *name).collect();
    let sql = format!(
        "COPY {table} ({}) FROM STDIN (FORMAT binary)",
        names.join(", ")
    );
    let types: Vec<Type> = columns.iter().map(|(_, _, kind)| type_of(*kind)).collect();
    let rows: Result<Vec<Vec<Boxed<'_>>>> = rows
        .iter()
        .map(|row| {
            columns
                .iter()
                .map(|(n, _, kind)| value(&row[*n], *kind))
                .collect()
        })
        .collect();
    tx.copy(&sql, &types, &rows?)
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Flag => Type::BOOL,
        Kind::Small => Type::INT2,
        Kind::Middle => Type::INT4,
        Kind::Number => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Ids => Type::BYTEA_ARRAY,
    }
}

fn value(value: &Value, kind: Kind) -> Result<Boxed<'_>> {
    let strange = || PgError::damaged("a row that is moved has a value of another kind");
    Ok(match (kind, value) {
        (Kind::Flag, Value::Null) => Box::new(None::<bool>),
        (Kind::Flag, Value::Int(number)) => Box::new(*number != 0),
        (Kind::Small, Value::Null) => Box::new(None::<i16>),
        (Kind::Small, Value::Int(number)) => {
            Box::new(i16::try_from(*number).map_err(|_| strange())?)
        }
        (Kind::Middle, Value::Null) => Box::new(None::<i32>),
        (Kind::Middle, Value::Int(number)) => {
            Box::new(i32::try_from(*number).map_err(|_| strange())?)
        }
        (Kind::Number, Value::Null) => Box::new(None::<i64>),
        (Kind::Number, Value::Int(number)) => Box::new(*number),
        (Kind::Text, Value::Null) => Box::new(None::<&str>),
        (Kind::Text, Value::Text(text)) => Box::new(text.as_str()),
        (Kind::Bytes, Value::Null) => Box::new(None::<&[u8]>),
        (Kind::Bytes, Value::Bytes(bytes)) => Box::new(bytes.as_slice()),
        (Kind::Ids, Value::Bytes(bytes)) => {
            Box::new(bytes.chunks(ID_BYTES).collect::<Vec<&[u8]>>())
        }
        _ => return Err(strange()),
    })
}

fn with_ended(mut row: Row) -> Row {
    row[17] = match row[17] {
        Value::Int(1) => Value::Int(0),
        _ => Value::Null,
    };
    row
}

/// Rows of what is listed with the number of their line in the place of its hash.
fn with_lines(tx: &Tx<'_>, rows: &[Row]) -> Result<Vec<Row>> {
    let (mut members, mut ids, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let [Value::Int(member), Value::Bytes(id), Value::Bytes(hash), ..] = &row[..] else {
            return Err(PgError::damaged("what is listed names no line"));
        };
        members.push(*member);
        ids.push(id.as_slice());
        hashes.push(hash.as_slice());
    }
    let found = tx.rows(
        "SELECT l.line_no FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) WITH ORDINALITY AS k (instance_no, id, hash, place)
         LEFT JOIN lines l ON l.instance_no = k.instance_no AND l.id = k.id AND l.live = 1 AND l.line_hash = k.hash
         ORDER BY k.place",
        &[&members, &ids, &hashes],
    )?;
    let pairs = rows.iter().zip(&found);
    let rows = pairs.map(|(row, found)| {
        let mut row = row.clone();
        row[2] = found
            .value::<Option<i64>>(0)?
            .map_or(Value::Null, Value::Int);
        Ok(row)
    });
    rows.collect()
}

fn put_relay(tx: &Tx<'_>, row: &Row, own: &InstanceId) -> Result<()> {
    let [
        Value::Bytes(log),
        Value::Int(n),
        Value::Bytes(running),
        Value::Int(floor_n),
        Value::Bytes(floor_running),
        Value::Int(let_go),
        Value::Int(envelope),
        Value::Int(letter),
    ] = &row[..]
    else {
        return Err(PgError::damaged("the relay log that is moved is none"));
    };
    tx.execute(
        "INSERT INTO relay (log, owner, n, running, floor_n, floor_running) VALUES ($1, $2, $3, $4, $5, $6)",
        &[log, &&own.0[..], n, running, floor_n, floor_running],
    )?;
    tx.execute("UPDATE waiting SET let_go = $1", &[let_go])?;
    restart(tx, "envelopes", "envelope_no", *envelope)?;
    restart(tx, "mail", "mail_no", *letter)
}

/// Numbers that are given go on after the last: none is given twice, also where what had it is gone.
fn restart(tx: &Tx<'_>, table: &str, column: &str, last: i64) -> Result<()> {
    let next = last.saturating_add(1);
    tx.batch(&format!(
        "ALTER TABLE {table} ALTER COLUMN {column} RESTART WITH {next}"
    ))
}
