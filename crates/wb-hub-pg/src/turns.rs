//! Whose turn it is, as it is kept of each member that syncs here (spec: sync, turn).

use wb_core::id::{InstanceId, Token};
use wb_core::sync::turn::{CopyRow, Taken, take};
use wb_core::sync::{Turn, TurnAnswer, TurnCall};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::tx::{Columns as _, Tx, int};
use crate::{heads, member};

/// Takes a turn of a member, and answers with the heads held of its feeds.
pub(crate) fn turn(
    tx: &Tx<'_>,
    id: &InstanceId,
    call: &TurnCall,
    now: Timestamp,
) -> Result<TurnAnswer> {
    member::lock(tx, id)?;
    let before = rows(tx, id)?;
    let Taken {
        rows,
        outcome,
        other,
        n,
    } = take(&before, call, now);
    if rows != before {
        keep(tx, id, &rows)?;
    }
    Ok(TurnAnswer {
        schema_version: 1,
        outcome,
        n,
        other,
        own: heads::own(tx, id)?,
    })
}

fn rows(tx: &Tx<'_>, id: &InstanceId) -> Result<Vec<CopyRow>> {
    let rows = tx.rows(
        "SELECT turn, n, machine, at, standing, passed FROM turns WHERE instance = $1 ORDER BY place",
        &[&&id.0[..]],
    )?;
    let rows = rows.iter().map(|row| {
        let passed: &[u8] = row.value(5)?;
        Ok(CopyRow {
            turn: Turn {
                n: row.number(1)?,
                token: row.token(0)?,
            },
            machine: row.value(2)?,
            at: row.time(3)?,
            standing: row.word(4)?,
            passed: passed
                .chunks(Token::LEN)
                .filter_map(Token::from_slice)
                .collect(),
        })
    });
    rows.collect()
}

fn keep(tx: &Tx<'_>, id: &InstanceId, rows: &[CopyRow]) -> Result<()> {
    tx.execute("DELETE FROM turns WHERE instance = $1", &[&&id.0[..]])?;
    for (place, row) in (0_i64..).zip(rows) {
        let passed: Vec<u8> = row.passed.iter().flat_map(|token| token.0).collect();
        tx.execute(
            "INSERT INTO turns (instance, turn, n, machine, at, standing, passed, place)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            &[
                &&id.0[..],
                &&row.turn.token.0[..],
                &int(row.turn.n),
                &row.machine,
                &row.at.unix_ms(),
                &row.standing.as_str(),
                &passed,
                &place,
            ],
        )?;
    }
    Ok(())
}
