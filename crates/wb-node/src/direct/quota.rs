//! How much a node keeps of one peer (spec: peers, deliver), counted as a hub counts.
//!
//! It counts for what a peer delivers and for what is fetched from it: who called makes no difference.

use wb_core::id::InstanceId;
use wb_core::limits::{PEER_BYTES_MAX, PEER_RECORDS_MAX};
use wb_store::relay::Room;
use wb_store::{Result, Write};

/// Bytes of bundles of one peer that wait to be taken; protects the disk. History that was taken back is in
/// deltas and not kept, so it is more than what is kept.
pub(crate) const WAITING_BYTES_MAX: u64 = 2 * PEER_BYTES_MAX;

/// What there would be too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    /// The word in the spec.
    pub counted: &'static str,
    /// How much may be.
    pub limit: u64,
    /// How much there would be.
    pub used: u64,
}

/// Before something is taken.
#[derive(Debug)]
pub(crate) struct Quota {
    of: InstanceId,
    before: Room,
}

impl Quota {
    /// Looks before something is taken.
    pub fn begin(write: &Write<'_>, of: InstanceId) -> Result<Self> {
        let before = write.room_of(&of)?;
        Ok(Self { of, before })
    }

    /// Looks whether what was taken into a transaction may count.
    pub fn check(&self, write: &Write<'_>) -> Result<Option<Over>> {
        Ok(over(&self.before, &write.room_of(&self.of)?))
    }
}

/// Taking back is what leads out of too much, so what adds neither lines nor records is taken; but not for
/// ever, because marks stay behind.
fn over(before: &Room, after: &Room) -> Option<Over> {
    let over = |counted, limit, used| {
        Some(Over {
            counted,
            limit,
            used,
        })
    };
    let adds_lines = after.line_bytes > before.line_bytes;
    let is_far_over = after.bytes > 2 * PEER_BYTES_MAX && after.bytes > before.bytes;
    if after.bytes > PEER_BYTES_MAX && (adds_lines || is_far_over) {
        return over("bytes", PEER_BYTES_MAX, after.bytes);
    }
    if after.records > PEER_RECORDS_MAX && after.records > before.records {
        return over("records", PEER_RECORDS_MAX, after.records);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(line_bytes: u64, bytes: u64, records: u64) -> Room {
        Room {
            line_bytes,
            bytes,
            records,
        }
    }

    #[test]
    fn marks_of_what_was_taken_back_count_and_taking_back_leads_out_of_too_much() {
        let (bytes, records) = (PEER_BYTES_MAX, PEER_RECORDS_MAX);
        for (before, after, counted) in [
            (room(0, 0, 0), room(bytes, bytes, records), None),
            // Few bytes of lines, and many rows.
            (room(0, bytes, 1), room(1, bytes + 1, 1), Some("bytes")),
            (
                room(0, 0, records),
                room(0, 0, records + 1),
                Some("records"),
            ),
            (room(9, bytes, 9), room(8, bytes + 1, 8), None),
            (
                room(9, 2 * bytes, 9),
                room(8, 2 * bytes + 1, 8),
                Some("bytes"),
            ),
            (room(9, 3 * bytes, 9), room(9, 3 * bytes, 9), None),
        ] {
            let found = over(&before, &after).map(|over| over.counted);
            assert_eq!(found, counted, "{before:?} {after:?}");
        }
    }
}
