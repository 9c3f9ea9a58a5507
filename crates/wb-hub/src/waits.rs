//! How many answers of one member are held back until there is something new (spec: sync, changes).
//!
//! Each holds a connection, and looks again whenever anything arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wb_core::id::InstanceId;

/// Answers held back for one member: a node waits with one, and two of its processes with two. Keeps one
/// member from having every connection. What is more is answered at once.
pub const WAITS_PER_MEMBER_MAX: usize = 8;

/// Answers that are held back.
#[derive(Debug, Default)]
pub(crate) struct Waits(Arc<Mutex<BTreeMap<InstanceId, usize>>>);

/// An answer that is held back until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait {
    member: InstanceId,
    waits: Arc<Mutex<BTreeMap<InstanceId, usize>>>,
}

fn lock(waits: &Mutex<BTreeMap<InstanceId, usize>>) -> MutexGuard<'_, BTreeMap<InstanceId, usize>> {
    waits.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waits {
    /// One more for a member, or none when it has enough.
    pub(crate) fn begin(&self, member: InstanceId) -> Option<Wait> {
        let mut waits = lock(&self.0);
        let count = waits.get(&member).copied().unwrap_or(0);
        if count >= WAITS_PER_MEMBER_MAX {
            return None;
        }
        waits.insert(member, count + 1);
        Some(Wait {
            member,
            waits: Arc::clone(&self.0),
        })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waits = lock(&self.waits);
        if let Some(count) = waits.get_mut(&self.member) {
            *count -= 1;
            if *count == 0 {
                waits.remove(&self.member);
            }
        }
    }
}
