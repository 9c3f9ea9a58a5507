//! How much a hub keeps of one member (spec: sync, push; ADR 0025).
//!
//! To know the bytes of a member, all of its feed has to be read. So an upper bound is carried from push to
//! push, and counted anew only where it exceeds the quota.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use wb_core::id::InstanceId;
use wb_store::relay::{ENTRY_ROW_BYTES, RelayWrite, Room};

use crate::store::PushRefused;

/// Bytes kept of one member unless its hub's operator says otherwise; protects the disk.
pub const MEMBER_BYTES_MAX: u64 = 4 * 1_024 * 1_024 * 1_024;
/// Live records of one member unless its hub's operator says otherwise; protects those who follow it.
pub const MEMBER_RECORDS_MAX: u64 = 2_000_000;

/// Members of which a bound is remembered; protects memory. Of the others it is counted.
const BOUNDS_MAX: usize = 65_536;
/// Bytes a line of a push may take beside itself: a row for an entry, or one for a header.
const ROW_BYTES_MAX: u64 = 2 * ENTRY_ROW_BYTES;

/// How much a hub keeps of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes.
    pub bytes: u64,
    /// Live records.
    pub records: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            bytes: MEMBER_BYTES_MAX,
            records: MEMBER_RECORDS_MAX,
        }
    }
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Bytes.
    Bytes,
    /// Live records.
    Records,
}

impl Counted {
    /// The word in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Records => "records",
        }
    }
}

impl Quota {
    /// Bytes that a push may add to what is kept, at most.
    #[must_use]
    pub fn grows(body: &[u8]) -> u64 {
        let lines = body.split(|byte| *byte == b'\n').count();
        let (lines, bytes) = (to_u64(lines), to_u64(body.len()));
        bytes.saturating_add(lines.saturating_mul(ROW_BYTES_MAX))
    }

    /// Whether a push may count that made one room into the other. Taking back is what leads out of too much,
    /// so what adds neither lines nor records is taken; but not for ever, because marks stay behind.
    ///
    /// # Errors
    /// What there would be too much of.
    pub fn check(&self, before: &Room, after: &Room) -> Result<(), PushRefused> {
        let over = |counted, limit, used| {
            Err(PushRefused::OverQuota {
                counted,
                limit,
                used,
            })
        };
        let adds_lines = after.line_bytes > before.line_bytes;
        let is_far_over = after.bytes > self.bytes.saturating_mul(2);
        if after.bytes > self.bytes && (adds_lines || is_far_over) {
            return over(Counted::Bytes, self.bytes, after.bytes);
        }
        if after.records > self.records && after.records > before.records {
            return over(Counted::Records, self.records, after.records);
        }
        Ok(())
    }
}

/// Upper bounds of the bytes kept of members.
#[derive(Debug, Default)]
pub(crate) struct Bounds(Mutex<BTreeMap<InstanceId, u64>>);

/// A push that is being taken.
#[derive(Debug)]
pub(crate) struct Taking {
    id: InstanceId,
    before: Room,
    /// The bound after it; none where it has to be counted.
    bound: Option<u64>,
}

impl Bounds {
    /// Looks before a push is taken.
    pub(crate) fn begin(
        &self,
        write: &RelayWrite<'_>,
        id: InstanceId,
        body: &[u8],
        quota: &Quota,
    ) -> wb_store::Result<Taking> {
        let grows = Quota::grows(body);
        let known = self.lock().get(&id).copied();
        let counted = match known {
            Some(_) => None,
            None => Some(write.room(&id)?),
        };
        let held = known.or(counted.map(|room| room.bytes)).unwrap_or(0);
        let bound = held.saturating_add(grows);
        if bound <= quota.bytes {
            let before = Room {
                records: write.records(&id)?,
                ..Room::default()
            };
            return Ok(Taking {
                id,
                before,
                bound: Some(bound),
            });
        }
        let before = match counted {
            Some(room) => room,
            None => write.room(&id)?,
        };
        Ok(Taking {
            id,
            before,
            bound: None,
        })
    }

    /// Looks whether a push that was taken into a transaction may count. `Ok` gives the bound to remember once
    /// it does.
    pub(crate) fn check(
        taking: &Taking,
        write: &RelayWrite<'_>,
        quota: &Quota,
    ) -> wb_store::Result<Result<u64, PushRefused>> {
        let after = match taking.bound {
            Some(_) => Room {
                records: write.records(&taking.id)?,
                ..Room::default()
            },
            None => write.room(&taking.id)?,
        };
        let checked = quota.check(&taking.before, &after);
        Ok(checked.map(|()| taking.bound.unwrap_or(after.bytes)))
    }

    /// Remembers a bound of what now counts.
    pub(crate) fn put(&self, id: InstanceId, bound: u64) {
        let mut bounds = self.lock();
        if bounds.len() >= BOUNDS_MAX && !bounds.contains_key(&id) {
            bounds.clear();
        }
        bounds.insert(id, bound);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<InstanceId, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        bytes: 1_000,
        records: 10,
    };

    fn room(line_bytes: u64, bytes: u64, records: u64) -> Room {
        Room {
            line_bytes,
            bytes,
            records,
        }
    }

    #[test]
    fn more_is_refused_beyond_the_quota_and_less_is_always_taken() {
        for (before, after, is_taken) in [
            (room(0, 0, 0), room(900, 1_000, 10), true),
            (room(0, 0, 0), room(900, 1_001, 1), false),
            (room(0, 0, 0), room(10, 10, 11), false),
            // The quota was lowered, and a record is taken back: its mark stays and its line goes.
            (room(5_000, 6_000, 20), room(4_900, 1_900, 19), true),
            (room(900, 1_500, 20), room(900, 1_600, 20), true),
            (room(900, 1_500, 20), room(901, 1_600, 20), false),
            (room(900, 1_500, 20), room(800, 2_001, 20), false),
        ] {
            let checked = QUOTA.check(&before, &after);
            assert_eq!(checked.is_ok(), is_taken, "{before:?} {after:?}");
        }
    }
}
