//! What arrived, numbered without a gap, with a running hash (spec: sync, arrivals and the cursor).
//!
//! Writers of many members work at once and commit in whatever order they finish; a number that a writer took while
//! it works could come to readers after a higher one, and who passed that would never see it. So writers take none.
//! They leave what arrives in `arriving`, and [`number`] gives numbers to what is committed: it locks the one row of
//! `relay` first, so that one process numbers at a time, and whatever many writers left meanwhile is numbered in
//! one go. It never waits for a writer, and no writer waits for it.

use std::collections::BTreeSet;

use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::sync::{Arrival, Cursor};

use crate::error::{PgError, Result};
use crate::tx::{Columns as _, Tx, int};

/// Arrivals numbered in one transaction; bounds how long the others wait for it.
const NUMBERED_MAX: u32 = 10_000;
/// What listeners are told when there are numbers.
pub(crate) const CHANNEL: &str = "wb_hub_arrived";

/// A place in the arrivals: how many, and the running hash after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub n: u64,
    pub running: Hash,
}

impl Place {
    pub fn cursor(&self, log: LogId) -> Cursor {
        Cursor::new(log, self.n, &self.running)
    }
}

/// The relay log and how far it goes, as one moment sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub log: LogId,
    pub last: Place,
    /// The last arrival kept no more; zero while all are kept.
    pub floor: Place,
}

/// What [`Head::read`] reads.
pub(crate) const HEAD: &str = "SELECT log, n, running, floor_n, floor_running FROM relay";

impl Head {
    pub fn read(rows: &[tokio_postgres::Row]) -> Result<Self> {
        let row = rows
            .first()
            .ok_or_else(|| PgError::damaged("no relay log"))?;
        Ok(Self {
            log: row.log(0)?,
            last: Place {
                n: row.number(1)?,
                running: row.hash(2)?,
            },
            floor: Place {
                n: row.number(3)?,
                running: row.hash(4)?,
            },
        })
    }

    pub fn load(tx: &Tx<'_>) -> Result<Self> {
        Self::read(&tx.rows(HEAD, &[])?)
    }

    /// The place after `n` arrivals, where it is kept.
    pub fn at(&self, tx: &Tx<'_>, n: u64) -> Result<Option<Place>> {
        if n == self.floor.n {
            return Ok(Some(self.floor));
        }
        if n == self.last.n {
            return Ok(Some(self.last));
        }
        let row = tx.row("SELECT running FROM arrivals WHERE n = $1", &[&int(n)])?;
        row.map(|row| {
            Ok(Place {
                n,
                running: row.hash(0)?,
            })
        })
        .transpose()
    }
}

/// Begins the arrivals under a log, unless they have begun.
pub(crate) fn begin(tx: &Tx<'_>, log_if_new: LogId) -> Result<()> {
    tx.execute(
        "INSERT INTO relay (log, running, floor_running) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING",
        &[&&log_if_new.0[..], &&[0_u8; 32][..]],
    )?;
    Ok(())
}

pub(crate) fn kind_of(kind: i16) -> Arrival {
    match kind {
        0 => Arrival::Identity,
        1 => Arrival::Delta,
        _ => Arrival::Again,
    }
}

/// Origins that are named to listeners; an engine takes no longer text (8,000 bytes).
const TOLD_MAX: usize = 100;

/// What listeners are told: of whom something arrived, or nothing where that would be too many.
fn told(origins: &BTreeSet<InstanceId>) -> String {
    if origins.len() > TOLD_MAX {
        return String::new();
    }
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    origins.join(" ")
}

/// Whether the engine tells listeners of something.
pub(crate) fn can_notify(tx: &Tx<'_>) -> Result<bool> {
    tx.one("SELECT to_regproc('pg_notify') IS NOT NULL", &[])?
        .value(0)
}

/// Gives numbers to what is committed and has none, and tells listeners where the engine can; whether there may be
/// more.
pub(crate) fn number(tx: &Tx<'_>, can_notify: bool) -> Result<bool> {
    // The second statement sees what was committed before the row was locked, or later; never less.
    let [head, rows] = tx.all([
        ("SELECT log, n, running, floor_n, floor_running FROM relay FOR UPDATE", &[]),
        (
            "SELECT a.arriving_no, a.kind, m.id, a.hash, a.instance_no, a.from_here FROM arriving a JOIN members m USING (instance_no)
             ORDER BY a.arriving_no LIMIT $1",
            &[&i64::from(NUMBERED_MAX)],
        ),
    ])?;
    if rows.is_empty() {
        return Ok(false);
    }
    let mut at = Head::read(&head)?.last;
    let (mut nos, mut numbers, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut origins, mut listed) = (BTreeSet::new(), Vec::new());
    for row in &rows {
        let arrival = kind_of(row.value(1)?);
        origins.insert(row.instance(2)?);
        if row.value(5)? {
            listed.push((row.value::<i64>(4)?, int(at.n)));
        }
        at = Place {
            n: at.n + 1,
            running: arrival.running(&at.running, &row.instance(2)?, &row.hash(3)?),
        };
        nos.push(row.value::<i64>(0)?);
        numbers.push(int(at.n));
        hashes.push(at.running.0.to_vec());
    }
    tx.all([
        (
            "INSERT INTO arrivals (n, kind, instance_no, log_no, seq, hash, running, bytes, at)
             SELECT g.n, a.kind, a.instance_no, a.log_no, a.seq, a.hash, g.running, a.bytes, a.at
             FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS g (arriving_no, n, running)
             JOIN arriving a USING (arriving_no)",
            &[&nos, &numbers, &hashes],
        ),
        ("DELETE FROM arriving WHERE arriving_no = ANY ($1)", &[&nos]),
        (
            "UPDATE relay SET n = $1, running = $2",
            &[&int(at.n), &&at.running.0[..]],
        ),
    ])?;
    for (no, before) in listed {
        tx.execute(
            "UPDATE members SET listed_from = $2 WHERE instance_no = $1",
            &[&no, &before],
        )?;
    }
    if can_notify {
        // They hear of it when this is committed.
        tx.rows("SELECT pg_notify($1, $2)", &[&CHANNEL, &told(&origins)])?;
    }
    Ok(rows.len() >= NUMBERED_MAX as usize)
}
