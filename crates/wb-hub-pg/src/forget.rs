//! Retention: old arrivals and what only they need go; the records live and the marks stay.

use wb_core::time::Timestamp;

use crate::arrivals::Head;
use crate::error::Result;
use crate::tx::{Columns as _, Tx, int};

/// The row of a member before which what ended is needed by nobody: the first line of the deltas that arrived after a
/// number, or the next one that will come.
const FIRST_AFTER: &str = "SELECT coalesce(
    (SELECT min(l.line_no) FROM arrivals a
     JOIN lines l ON l.instance_no = a.instance_no AND l.log_no = a.log_no AND l.seq = a.seq AND l.aside_no IS NULL
     WHERE a.n > $2 AND a.kind = 1 AND a.instance_no = $1),
    (SELECT last_line + 1 FROM feeds WHERE instance_no = $1), 0)";
/// The signed lines of headers that arrived up to a number, but the first and the head of a log.
const FORGET_HEADERS: &str = "UPDATE headers SET line = NULL FROM (
      SELECT log_no, max(seq) AS last FROM arrivals WHERE n <= $2 AND kind = 1 AND instance_no = $1 GROUP BY log_no) a
    WHERE headers.instance_no = $1 AND headers.log_no = a.log_no AND headers.seq > 0 AND headers.seq <= a.last
      AND headers.line IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM feeds f WHERE f.instance_no = $1 AND f.log_no = headers.log_no AND f.seq = headers.seq)";

/// Forgets what arrived before a time, the signed lines of its headers and the puts it ended. Whoever stands before
/// that takes snapshots. Returns how many arrivals went. What readers see changes at once, at the end: until then
/// numbers are given as before.
pub(crate) fn before(tx: &Tx<'_>, time: Timestamp) -> Result<u64> {
    let last = tx.row(
        "SELECT n FROM arrivals WHERE at < $1 ORDER BY n DESC LIMIT 1",
        &[&time.unix_ms()],
    )?;
    let Some(n) = last.map(|row| row.number(0)).transpose()? else {
        return Ok(0);
    };
    let members = tx.rows(
        "SELECT DISTINCT instance_no FROM arrivals WHERE n <= $1 ORDER BY instance_no",
        &[&int(n)],
    )?;
    for row in &members {
        let no: i64 = row.value(0)?;
        // Nobody writes of it meanwhile.
        tx.rows(
            "SELECT 1 FROM members WHERE instance_no = $1 FOR UPDATE",
            &[&no],
        )?;
        let line: i64 = tx.one(FIRST_AFTER, &[&no, &int(n)])?.value(0)?;
        tx.execute(
            "DELETE FROM lines WHERE instance_no = $1 AND put AND live = 0 AND ended < $2",
            &[&no, &line],
        )?;
        tx.execute(
            "UPDATE feeds SET ended_before = greatest(ended_before, $2), served = served + 1 WHERE instance_no = $1",
            &[&no, &line],
        )?;
        tx.execute(FORGET_HEADERS, &[&no, &int(n)])?;
    }
    tx.rows("SELECT 1 FROM relay FOR UPDATE", &[])?;
    let head = Head::load(tx)?;
    let Some(place) = head.at(tx, n)?.filter(|_| n > head.floor.n) else {
        return Ok(0);
    };
    tx.execute(
        "UPDATE relay SET floor_n = $1, floor_running = $2",
        &[&int(place.n), &&place.running.0[..]],
    )?;
    tx.execute("DELETE FROM arrivals WHERE n <= $1", &[&int(n)])
}
