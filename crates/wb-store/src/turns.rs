//! Whose turn it is, as it is kept of each instance that syncs here (spec: sync, turn). A node and a hub keep it
//! alike.

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::{InstanceId, Token};
use wb_core::sync::turn::{CopyRow, Taken, take};
use wb_core::sync::{OtherCopy, Turn, TurnAnswer, TurnCall, TurnOutcome};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::error::Result;
use crate::relay::RelayWrite;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

fn rows(connection: &Connection, instance: &InstanceId) -> Result<Vec<CopyRow>> {
    let sql = "SELECT turn, n, machine, at, standing, passed FROM turns WHERE instance = ?1 ORDER BY place";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([Sql(instance)], |row| {
        Ok(CopyRow {
            turn: Turn {
                n: row.get::<_, Sql<u64>>(1)?.0,
                token: row.get::<_, Sql<Token>>(0)?.0,
            },
            machine: row.get(2)?,
            at: row.get::<_, Sql<Timestamp>>(3)?.0,
            standing: word(row, 4)?,
            passed: tokens(&row.get::<_, Vec<u8>>(5)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn tokens(bytes: &[u8]) -> Vec<Token> {
    bytes
        .chunks(Token::LEN)
        .filter_map(Token::from_slice)
        .collect()
}

fn keep(connection: &Connection, instance: &InstanceId, rows: &[CopyRow]) -> Result<()> {
    connection.execute("DELETE FROM turns WHERE instance = ?1", [Sql(instance)])?;
    let sql = "INSERT INTO turns (instance, turn, n, machine, at, standing, passed, place)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT DO NOTHING";
    let mut statement = connection.prepare_cached(sql)?;
    for (place, row) in (0_i64..).zip(rows) {
        statement.execute(params![
            Sql(instance),
            Sql(row.turn.token),
            Sql(row.turn.n),
            row.machine,
            Sql(row.at),
            row.standing.as_str(),
            row.passed
                .iter()
                .flat_map(|token| token.0)
                .collect::<Vec<u8>>(),
            place,
        ])?;
    }
    Ok(())
}

/// Takes a turn of an instance, and answers with the heads held of its feeds.
fn take_turn(
    connection: &Connection,
    instance: &InstanceId,
    call: &TurnCall,
    own: Vec<Held>,
    now: Timestamp,
) -> Result<TurnAnswer> {
    let before = rows(connection, instance)?;
    let Taken {
        rows,
        outcome,
        other,
        n,
    } = take(&before, call, now);
    if rows != before {
        keep(connection, instance, &rows)?;
    }
    Ok(TurnAnswer {
        schema_version: 1,
        outcome,
        n,
        other,
        own,
    })
}

impl RelayWrite<'_> {
    /// Takes a turn of a member.
    ///
    /// # Errors
    /// What the database reports.
    pub fn take_turn(
        &self,
        member: &InstanceId,
        call: &TurnCall,
        now: Timestamp,
    ) -> Result<TurnAnswer> {
        let own = self.own_heads(member)?;
        take_turn(&self.transaction, member, call, own, now)
    }
}

impl Write<'_> {
    /// Takes a turn of a peer that syncs here directly; `own` are the heads held of its feeds.
    ///
    /// # Errors
    /// What the database reports.
    pub fn take_turn(
        &self,
        peer: &InstanceId,
        call: &TurnCall,
        own: Vec<Held>,
        now: Timestamp,
    ) -> Result<TurnAnswer> {
        take_turn(&self.transaction, peer, call, own, now)
    }
}

/// What a peer said of another copy of this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCopy {
    /// The peer.
    pub peer: InstanceId,
    /// What it said.
    pub outcome: TurnOutcome,
    /// The other copy: its machine, and when it was there.
    pub other: OtherCopy,
    /// When it said so.
    pub told_at: Timestamp,
}

impl Store {
    /// What peers said of other copies of this instance, the latest word first. Nothing is sealed while there
    /// is one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_copies(&self) -> Result<Vec<OwnCopy>> {
        let sql = "SELECT peer, outcome, machine, seen_at, told_at FROM own_copies ORDER BY told_at DESC, peer";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let outcome: String = row.get(1)?;
            Ok(OwnCopy {
                peer: row.get::<_, Sql<InstanceId>>(0)?.0,
                outcome: if outcome == "two_copies" {
                    TurnOutcome::TwoCopies
                } else {
                    TurnOutcome::SettledElsewhere
                },
                other: OtherCopy {
                    machine: row.get(2)?,
                    at: row.get::<_, Sql<Timestamp>>(3)?.0,
                },
                told_at: row.get::<_, Sql<Timestamp>>(4)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Write<'_> {
    /// Notes what a peer said of other copies of this instance; nothing more where there is none.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_own_copy(
        &self,
        peer: &InstanceId,
        answer: &TurnAnswer,
        now: Timestamp,
    ) -> Result<()> {
        let outcome = match answer.outcome {
            TurnOutcome::Yours => {
                let sql = "DELETE FROM own_copies WHERE peer = ?1";
                self.transaction.execute(sql, [Sql(peer)])?;
                return Ok(());
            }
            TurnOutcome::TwoCopies => "two_copies",
            TurnOutcome::SettledElsewhere => "settled_elsewhere",
        };
        let other = answer.other.as_ref();
        self.transaction.execute(
            "INSERT INTO own_copies (peer, outcome, machine, seen_at, told_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (peer) DO UPDATE SET outcome = excluded.outcome, machine = excluded.machine,
               seen_at = excluded.seen_at, told_at = excluded.told_at",
            params![
                Sql(peer),
                outcome,
                other.map_or("", |other| other.machine.as_str()),
                Sql(other.map_or(now, |other| other.at)),
                Sql(now),
            ],
        )?;
        Ok(())
    }

    /// This copy was settled: what was said of others counts no more.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_own_copies(&self) -> Result<()> {
        self.transaction.execute("DELETE FROM own_copies", [])?;
        Ok(())
    }
}

impl Write<'_> {
    /// Whether a peer knows another copy of this instance that was not settled.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_own_copies(&self) -> Result<bool> {
        let sql = "SELECT 1 FROM own_copies LIMIT 1";
        let found: Option<i64> = self
            .transaction
            .query_row(sql, [], |row| row.get(0))
            .optional()?;
        Ok(found.is_some())
    }
}
