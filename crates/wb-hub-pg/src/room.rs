//! How much room a member takes (spec: sync).

use wb_hub::{ENTRY_ROW_BYTES, Room};

use crate::error::Result;
use crate::tx::{Columns as _, Tx};

/// Bytes of lines, entries, and bytes of everything else; each summed where it lies.
const ROOM: &str = "SELECT
    (SELECT coalesce(sum(length(line)), 0)::bigint FROM lines WHERE instance_no = $1),
    (SELECT count(*) FROM lines WHERE instance_no = $1),
    (SELECT coalesce(sum(length(line)), 0)::bigint + 64 * count(*) FROM headers WHERE instance_no = $1)
      + (SELECT coalesce(sum(length(line)), 0)::bigint FROM asides WHERE instance_no = $1)
      + (SELECT coalesce(sum(length(line)), 0)::bigint FROM identity_entries WHERE instance_no = $1)
      + (SELECT coalesce(sum(length(header) + length(items)), 0)::bigint FROM held WHERE instance_no = $1)";

/// Reads everything that is kept of a member.
pub(crate) fn room(tx: &Tx<'_>, no: i64, records: u64) -> Result<Room> {
    let row = tx.one(ROOM, &[&no])?;
    let (line_bytes, entries, others) = (row.number(0)?, row.number(1)?, row.number(2)?);
    Ok(Room {
        line_bytes,
        bytes: line_bytes
            .saturating_add(entries.saturating_mul(ENTRY_ROW_BYTES))
            .saturating_add(others),
        records,
    })
}
