//! A feed as it was at an earlier head, while it moves on.
//!
//! Lines are numbered in the order in which they came, and a put that ended names the line that came next. So what
//! was live at a head is: every put up to the head's last line that is live still or ended later. What ended has no
//! line any more, and comes as its stub.

use wb_core::id::Hash;

use crate::error::Result;
use crate::heads::FeedAtHead;
use crate::tx::{Columns as _, Tx, int};

/// Rows that are read at once of a page.
const ROWS: i64 = 2_000;

/// A feed at one of its heads.
#[derive(Debug)]
pub(crate) struct AsOf {
    pub feed: FeedAtHead,
    /// The head.
    pub seq: u64,
    pub line: Vec<u8>,
    /// The last line that counts.
    last_line: i64,
}

/// The columns that [`crate::items::item`] reads, but for the line. What a put dropped is nothing to who takes a snapshot.
const ENTRY: &str = "l.put, l.id, l.rev, l.kind, l.line_hash, NULL::bytea AS drops, l.reason";

/// Whether a snapshot moved the feed after a head, or headers after it were forgotten; and the last line before those
/// of the deltas after it.
const MOVED: &str = "SELECT
      EXISTS (SELECT 1 FROM headers WHERE instance_no = $1 AND log_no = $2 AND seq > $3 AND line IS NULL)
      OR EXISTS (SELECT 1 FROM lines WHERE instance_no = $1 AND log_no = $2 AND seq > $3 AND idx IS NULL AND aside_no IS NULL),
      (SELECT min(line_no) - 1 FROM lines WHERE instance_no = $1 AND log_no = $2 AND seq > $3 AND aside_no IS NULL),
      (SELECT ended_before - 1 FROM feeds WHERE instance_no = $1)";

/// Records retracted and not live at the head, with the highest revision retracted.
const RETRACTED: &str = "SELECT m.id, max(m.rev) AS rev FROM lines m
    WHERE m.instance_no = $1 AND NOT m.put AND NOT m.void AND m.aside_no IS NULL AND m.id > $2 AND m.line_no <= $3
      AND NOT EXISTS (SELECT 1 FROM lines l
                      WHERE l.instance_no = $1 AND l.id = m.id AND l.live = 1 AND l.line_no <= $3)
      AND NOT EXISTS (SELECT 1 FROM lines l
                      WHERE l.instance_no = $1 AND l.id = m.id AND l.put AND l.line_no <= $3 AND l.ended > $3)
    GROUP BY m.id";

impl AsOf {
    /// The feed at a head of its log; `None` when it moved on from there by more than deltas, or what came after it
    /// was forgotten.
    pub fn load(tx: &Tx<'_>, feed: FeedAtHead, head: Hash) -> Result<Option<Self>> {
        let row = tx.row(
            "SELECT seq, line FROM headers WHERE instance_no = $1 AND log_no = $2 AND hash = $3 AND line IS NOT NULL",
            &[&feed.no, &feed.log_no, &&head.0[..]],
        )?;
        let Some(row) = row else { return Ok(None) };
        let (seq, line) = (row.number(0)?, row.bytes(1)?);
        if seq > feed.held.seq {
            return Ok(None);
        }
        let row = tx.one(MOVED, &[&feed.no, &feed.log_no, &int(seq)])?;
        let last_line = row.value::<Option<i64>>(1)?.unwrap_or(i64::MAX);
        if row.value(0)? || last_line < row.value::<i64>(2)? {
            return Ok(None);
        }
        Ok(Some(Self {
            feed,
            seq,
            line,
            last_line,
        }))
    }

    /// Items live at the head after an id, as [`crate::items::item`] reads them: an ended one has no line. Not many
    /// more bytes than wanted, and not many rows.
    pub fn live(
        &self,
        tx: &Tx<'_>,
        after: &[u8],
        bytes: usize,
    ) -> Result<Vec<tokio_postgres::Row>> {
        let sql = format!(
            "SELECT l.put, l.id, l.rev, l.kind, l.line_hash, l.drops, l.reason, l.line FROM (
               SELECT u.*, sum(coalesce(length(u.line), 0)) OVER (ORDER BY u.id) - coalesce(length(u.line), 0) AS before
               FROM ((SELECT {ENTRY}, l.line FROM lines l
                      WHERE l.instance_no = $1 AND l.live = 1 AND l.id > $2 AND l.line_no <= $3 ORDER BY l.id LIMIT $4)
                     UNION ALL
                     (SELECT {ENTRY}, NULL::bytea FROM lines l
                      WHERE l.instance_no = $1 AND l.ended > $3 AND l.id > $2 AND l.line_no <= $3 ORDER BY l.id LIMIT $4)
                     ORDER BY 2 LIMIT $4) u) l
             WHERE l.before < $5 ORDER BY l.id"
        );
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        tx.rows(
            &sql,
            &[&self.feed.no, &after, &self.last_line, &ROWS, &bytes],
        )
    }

    pub fn retracted(&self, tx: &Tx<'_>, after: &[u8]) -> Result<Vec<tokio_postgres::Row>> {
        let sql = format!("{RETRACTED} ORDER BY m.id LIMIT $4");
        tx.rows(&sql, &[&self.feed.no, &after, &self.last_line, &ROWS])
    }

    /// How many those are.
    pub fn retracted_n(&self, tx: &Tx<'_>) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM ({RETRACTED}) retracted");
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&self.feed.no, &&[][..] as &&[u8], &self.last_line];
        tx.one(&sql, &values)?.number(0)
    }
}
