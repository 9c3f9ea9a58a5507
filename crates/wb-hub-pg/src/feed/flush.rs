//! Writing what was decided, in a few statements for however many entries.

use tokio_postgres::types::ToSql;

use super::{Feed, NewHeader, NewLine, Pending};
use crate::error::Result;
use crate::tx::{Tx, int};

/// Rows of one statement; bounds what is encoded at once.
const ROWS_MAX: usize = 4_096;

const END: &str = "UPDATE lines SET live = 0, line = NULL, withheld = NULL, ended = e.ended
    FROM unnest($2::bigint[], $3::bigint[]) AS e (line_no, ended)
    WHERE lines.instance_no = $1 AND lines.line_no = e.line_no";
const FILL: &str = "UPDATE lines SET line = f.line FROM unnest($2::bigint[], $3::bytea[]) AS f (line_no, line)
    WHERE lines.instance_no = $1 AND lines.line_no = f.line_no AND lines.live = 1 AND lines.line IS NULL
      AND lines.withheld IS NULL";
/// What is withheld is so whatever brings it.
pub(super) const WITHHOLD: &str = "UPDATE lines SET withheld = lines.line, line = NULL FROM withheld w
    WHERE lines.instance_no = $1 AND w.instance_no = $1 AND w.id = lines.id AND lines.line IS NOT NULL
      AND (w.line_hash IS NULL OR w.line_hash = lines.line_hash)";
const HEADERS: &str = "INSERT INTO headers (instance_no, log_no, seq, hash, body_hash, line)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[])
    ON CONFLICT (instance_no, log_no, seq) DO UPDATE SET line = COALESCE(headers.line, excluded.line)";
const LINES: &str = "INSERT INTO lines (instance_no, line_no, log_no, seq, aside_no, idx, put, id, rev, kind, line_hash,
      drops, reason, line, withheld, live, ended)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::integer[], $7::boolean[],
      $8::bytea[], $9::bigint[], $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::bytea[], $15::bytea[],
      $16::smallint[], $17::bigint[])";
const STATE: &str =
    "UPDATE feeds SET log_no = $2, seq = $3, hash = $4, era = $5, key = $6, live = $7, live_n = $8,
      forked = $9, last_line = $10, last_log = $11, last_aside = $12, last_held = $13, bound = $14, served = served + 1
    WHERE instance_no = $1";

impl Feed<'_, '_, '_> {
    /// Writes what was decided so far.
    pub fn flush(&self) -> Result<()> {
        let pending = self.pending.take();
        if !pending.is_empty() {
            self.now.borrow_mut().moved = true;
        }
        let (tx, no) = (self.tx(), self.no);
        // What ends goes first: of each record one row is live.
        end(tx, no, &pending)?;
        for headers in pending.headers.chunks(ROWS_MAX) {
            put_headers(tx, no, headers)?;
        }
        for lines in pending.lines.chunks(ROWS_MAX) {
            put_lines(tx, no, lines)?;
        }
        self.put_state()
    }

    /// Whether so much waits that it should be written.
    pub(super) fn flush_if_full(&self) -> Result<()> {
        if self.pending.borrow().lines.len() >= ROWS_MAX {
            return self.flush();
        }
        Ok(())
    }

    fn put_state(&self) -> Result<()> {
        let mut now = self.now.borrow_mut();
        if !now.moved {
            return Ok(());
        }
        now.moved = false;
        let state = now.state.as_ref();
        let hash = state.map(|state| &state.hash.0[..]);
        let live = state.map(|state| state.live.to_bytes());
        self.tx().execute(
            STATE,
            &[
                &self.no,
                &now.log_no,
                &state.map(|state| int(state.seq)),
                &hash,
                &state.map(|state| int(state.position.era)),
                &state.map(|state| int(state.position.n)),
                &live,
                &state.map(|state| int(state.live_n)),
                &state.is_some_and(|state| state.forked),
                &now.last_line,
                &now.last_log,
                &now.last_aside,
                &now.last_held,
                &now.bound.map(int),
            ],
        )?;
        Ok(())
    }
}

fn end(tx: &Tx<'_>, no: i64, pending: &Pending) -> Result<()> {
    if !pending.ended.is_empty() {
        let (rows, ended): (Vec<i64>, Vec<i64>) = pending.ended.iter().copied().unzip();
        tx.execute(END, &[&no, &rows, &ended])?;
    }
    if !pending.filled.is_empty() {
        let rows: Vec<i64> = pending.filled.iter().map(|(row, _)| *row).collect();
        let lines: Vec<&[u8]> = pending.filled.iter().map(|(_, line)| &line[..]).collect();
        tx.execute(FILL, &[&no, &rows, &lines])?;
        tx.execute(WITHHOLD, &[&no])?;
    }
    Ok(())
}

/// One column of rows, as an array.
fn column<'r, R, T>(rows: &'r [R], value: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

fn put_headers(tx: &Tx<'_>, no: i64, rows: &[NewHeader]) -> Result<()> {
    let values: [&(dyn ToSql + Sync); 6] = [
        &no,
        &column(rows, |row| row.log_no),
        &column(rows, |row| int(row.seq)),
        &column(rows, |row| &row.hash.0[..]),
        &column(rows, |row| &row.body_hash.0[..]),
        &column(rows, |row| row.line.as_deref()),
    ];
    tx.execute(HEADERS, &values)?;
    Ok(())
}

fn put_lines(tx: &Tx<'_>, no: i64, rows: &[NewLine]) -> Result<()> {
    let values: [&(dyn ToSql + Sync); 17] = [
        &no,
        &column(rows, |row| row.line_no),
        &column(rows, |row| row.log_no),
        &column(rows, |row| int(row.seq)),
        &column(rows, |row| row.aside_no),
        &column(rows, |row| row.index),
        &column(rows, |row| row.line_hash.is_some()),
        &column(rows, |row| &row.id.as_bytes()[..]),
        &column(rows, |row| int(row.rev)),
        &column(rows, |row| row.kind.as_str()),
        &column(rows, |row| row.line_hash.as_ref().map(|hash| &hash.0[..])),
        &column(rows, |row| row.drops.as_ref().map(|hash| &hash.0[..])),
        &column(rows, |row| row.reason),
        &column(rows, |row| row.line.as_deref().filter(|_| !row.withheld)),
        &column(rows, |row| row.line.as_deref().filter(|_| row.withheld)),
        &column(rows, |row| i16::from(row.live)),
        &column(rows, |row| row.ended),
    ];
    tx.execute(LINES, &values)?;
    Ok(())
}
