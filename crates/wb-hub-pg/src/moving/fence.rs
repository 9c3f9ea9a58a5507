//! Who may write while a hub is moved.
//!
//! `needs` in `hub_schema` says [`FENCED`] from the moment a move begins: each transaction that writes reads it first and
//! refuses. Setting it takes the table for itself for a moment, and so waits for each transaction that read it before;
//! what these wrote is there, and nobody comes after. The one row of `hub_move` says what is going on and which `needs`
//! comes back. Whoever moves the hub holds that row locked until the end; where nobody does, it ended early.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use wb_core::id::{InstanceId, LogId};

use super::PgRows;
use crate::address::Address;
use crate::error::{PgError, Result};
use crate::pool::{Connections, Does};
use crate::schema::{self, FENCED};
use crate::tx::{Columns as _, Tx};
use crate::{arrivals, tell};

/// A table of one row, while a hub is moved and after it left.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS hub_move (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    state text    NOT NULL CHECK (state IN ('filling', 'leaving', 'left')),
    other text    NOT NULL,
    needs bigint  NOT NULL
)";
/// Waits for every transaction that asked whether it may write. Somebody who keeps one open for longer than this is in
/// the way.
const ALONE: &str =
    "SET LOCAL lock_timeout = '10s'; LOCK TABLE hub_schema IN ACCESS EXCLUSIVE MODE";
/// Held until the end of a move; idle for as long as that takes.
const HOLD: &str = "SET LOCAL idle_in_transaction_session_timeout = 0";
const LIFT: &str =
    "UPDATE hub_schema SET needs = (SELECT needs FROM hub_move); DELETE FROM hub_move";

/// What is in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// No hub.
    Absent,
    /// A hub.
    Hub {
        /// Whose, where it is known.
        owner: Option<InstanceId>,
        /// Its relay log.
        log: LogId,
    },
    /// One that is filled from elsewhere, or was begun to be.
    Filling(String),
    /// A hub that is being moved elsewhere, or was begun to be.
    Leaving(String),
    /// One that was moved elsewhere.
    Left(String),
}

/// Looks what is in the database at an address, and changes nothing.
///
/// # Errors
/// What the database reports, and `Newer`.
pub async fn look(address: &Address) -> Result<Place> {
    let connections = Connections::new(&address.of_mover(), None)?;
    connections.run(Does::Read, place).await
}

pub(super) fn place(tx: &Tx<'_>) -> Result<Place> {
    let there = tx.one("SELECT to_regclass('hub_schema') IS NOT NULL", &[])?;
    if !there.value::<bool>(0)? {
        return Ok(Place::Absent);
    }
    let Some(row) = tx.row("SELECT version, needs FROM hub_schema", &[])? else {
        return Ok(Place::Absent);
    };
    if row.value::<i64>(1)? == FENCED {
        let row = tx.one("SELECT state, other FROM hub_move", &[])?;
        let other = row.value(1)?;
        return Ok(match row.value::<&str>(0)? {
            "filling" => Place::Filling(other),
            "leaving" => Place::Leaving(other),
            _ => Place::Left(other),
        });
    }
    schema::check(row.value(1)?)?;
    if row.value::<i64>(0)? == 0 {
        return Ok(Place::Absent);
    }
    let row = tx.row("SELECT owner, log FROM relay", &[])?;
    row.map_or(Ok(Place::Absent), |row| {
        let owner = row.value::<Option<&[u8]>>(0)?;
        Ok(Place::Hub {
            owner: owner.and_then(InstanceId::from_slice),
            log: row.log(1)?,
        })
    })
}

/// The row of who moves; whether nobody else has it.
fn is_free(tx: &Tx<'_>) -> Result<bool> {
    let row = tx.row("SELECT 1 FROM hub_move FOR UPDATE SKIP LOCKED", &[])?;
    Ok(row.is_some())
}

/// Takes the fence of a move away that ended before anything was switched.
pub(crate) fn lift(tx: &Tx<'_>) -> Result<()> {
    match place(tx)? {
        Place::Absent | Place::Hub { .. } => Ok(()),
        Place::Filling(from) => Err(PgError::Unfinished(from)),
        Place::Left(to) => Err(PgError::Left(to)),
        Place::Leaving(_) if is_free(tx)? => tx.batch(LIFT),
        Place::Leaving(_) => Err(PgError::Moving),
    }
}

/// Puts the fence up, or says whose move it is now.
pub(super) fn put_up(tx: &Tx<'_>, state: &'static str, other: &str) -> Result<()> {
    tx.batch(ALONE)?;
    tx.batch(TABLE)?;
    let needs: i64 = tx.one("SELECT needs FROM hub_schema", &[])?.value(0)?;
    if needs != FENCED {
        tx.execute(
            "INSERT INTO hub_move (state, other, needs) VALUES ($1, $2, $3)",
            &[&state, &other, &needs],
        )?;
        tx.execute("UPDATE hub_schema SET needs = $1", &[&FENCED])?;
        return Ok(());
    }
    if !is_free(tx)? {
        return Err(PgError::Moving);
    }
    tx.execute("UPDATE hub_move SET other = $1", &[&other])?;
    Ok(())
}

/// The row of a move, locked for as long as this lives.
pub(super) struct Held {
    end: Option<SyncSender<()>>,
    done: JoinHandle<Result<()>>,
}

impl Held {
    /// Locks the row. `end` runs when [`Held::end`] is called, `give_up` when it is dropped before.
    pub async fn take(
        connections: &Arc<Connections>,
        end: &'static str,
        give_up: &'static str,
    ) -> Result<Self> {
        let (to_end, ended) = sync_channel::<()>(1);
        let (locked, is_locked) = tokio::sync::oneshot::channel();
        let waiting = Mutex::new(Some((ended, locked)));
        let connections = Arc::clone(connections);
        let done = tokio::spawn(async move {
            let hold = move |tx: &Tx<'_>| {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let (ended, locked) = waiting.take().expect("it runs once");
                hold(tx, &ended, locked, end, give_up)
            };
            connections.run_once(Does::Write, Arc::new(hold)).await
        });
        if is_locked.await.is_ok() {
            return Ok(Self {
                end: Some(to_end),
                done,
            });
        }
        let failed = done
            .await
            .map_err(|error| PgError::Thread(error.to_string()))?;
        Err(failed.err().unwrap_or(PgError::Moving))
    }

    /// Ends it in good order.
    pub async fn end(mut self) -> Result<()> {
        if let Some(end) = self.end.take() {
            // Where nobody waits any more, the row is not locked either, and what comes says so.
            let _ = end.send(());
        }
        let done = self.done.await;
        done.map_err(|error| PgError::Thread(error.to_string()))?
    }

    /// Gives it up.
    pub async fn give_up(mut self) -> Result<()> {
        self.end = None;
        let done = self.done.await;
        done.map_err(|error| PgError::Thread(error.to_string()))?
    }
}

fn hold(
    tx: &Tx<'_>,
    ended: &Receiver<()>,
    locked: tokio::sync::oneshot::Sender<()>,
    end: &str,
    give_up: &str,
) -> Result<()> {
    tx.batch(HOLD)?;
    if !is_free(tx)? {
        return Err(PgError::Moving);
    }
    let _ = locked.send(());
    match ended.recv() {
        Ok(()) => tx.batch(end),
        Err(_) => tx.batch(give_up),
    }
}

/// A hub in PostgreSQL that is moved elsewhere: nobody writes to it.
pub struct PgSource {
    rows: PgRows,
    log: LogId,
    held: Held,
}

impl PgSource {
    /// Puts a fence around the hub of an instance, and numbers and tells what its processes left undone. `to` says where
    /// it goes.
    ///
    /// # Errors
    /// `InUse` while processes of the hub run, `Moving`, `Left` where it was moved to another place before, `Absent`,
    /// `OfAnother`, or what the database reports.
    pub async fn hold(address: &Address, own: InstanceId, to: &str) -> Result<Self> {
        let connections = Arc::new(Connections::new(&address.of_mover(), None)?);
        let (program, to) = (address.program().to_owned(), to.to_owned());
        let begin = move |tx: &Tx<'_>| begin_leaving(tx, own, &program, &to);
        let (log, was_left) = connections.run(Does::Write, begin).await?;
        let give_up = if was_left { "SELECT 1" } else { LIFT };
        let end = "UPDATE hub_move SET state = 'left'";
        let held = Held::take(&connections, end, give_up).await?;
        let source = Self {
            rows: PgRows::new(Arc::clone(&connections), Handle::current()),
            log,
            held,
        };
        while connections
            .run(Does::Write, |tx| arrivals::number(tx, false))
            .await?
        {}
        while connections.run(Does::Write, tell::tell).await? {}
        Ok(source)
    }

    /// Its relay log.
    #[must_use]
    pub fn log(&self) -> LogId {
        self.log
    }

    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> &PgRows {
        &self.rows
    }

    /// From here on the hub is elsewhere: no process uses what is left here.
    ///
    /// # Errors
    /// What the database reports; then it is still here.
    pub async fn leave(self) -> Result<()> {
        self.held.end().await
    }

    /// The hub stays here after all.
    ///
    /// # Errors
    /// What the database reports; the next process of the hub does the same.
    pub async fn stay(self) -> Result<()> {
        self.held.give_up().await
    }
}

/// Whether it was left before, for the same place, is said with its relay log.
fn begin_leaving(tx: &Tx<'_>, own: InstanceId, program: &str, to: &str) -> Result<(LogId, bool)> {
    let place = place(tx)?;
    let was_left = match &place {
        Place::Absent => return Err(PgError::Absent),
        Place::Filling(from) => return Err(PgError::Unfinished(from.clone())),
        Place::Left(other) if other != to => return Err(PgError::Left(other.clone())),
        Place::Left(_) => true,
        Place::Hub { .. } | Place::Leaving(_) => false,
    };
    let others = tx.one(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
        &[&program],
    )?;
    let others: i64 = others.value(0)?;
    if others > 0 {
        return Err(PgError::InUse(others));
    }
    let row = tx.row("SELECT owner, log, version FROM relay, hub_schema", &[])?;
    let row = row.ok_or(PgError::Absent)?;
    let owner = row
        .value::<Option<&[u8]>>(0)?
        .and_then(InstanceId::from_slice);
    if let Some(owner) = owner.filter(|owner| *owner != own) {
        return Err(PgError::OfAnother(owner));
    }
    if row.value::<i64>(2)? < schema::KNOWN {
        schema::migrate(tx)?;
    }
    let log = row.log(1)?;
    put_up(tx, "leaving", to)?;
    Ok((log, was_left))
}
