//! What was pushed and when, how many wait for it, and when each had it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wb_core::id::{Hash, InstanceId};

/// How often it is looked whether everything arrived.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Told by those who push and those who wait.
#[derive(Default)]
pub struct Sent {
    followers: Mutex<BTreeMap<InstanceId, u64>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begun: BTreeMap<Hash, Instant>,
    delivered_ms: Vec<f64>,
    /// Deliveries that are still to come: of what was pushed, once for each that follows.
    due: u64,
    arrived: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sent {
    /// One more waits for what an instance pushes.
    pub fn follows(&self, origin: InstanceId) {
        *lock(&self.followers).entry(origin).or_default() += 1;
    }

    /// A push begins.
    pub fn begins(&self, header: Hash) {
        lock(&self.state).begun.insert(header, Instant::now());
    }

    /// It was taken by the hub.
    pub fn is_taken(&self, origin: &InstanceId) {
        let followers = lock(&self.followers).get(origin).copied().unwrap_or(0);
        lock(&self.state).due += followers;
    }

    /// A follower has it.
    pub fn has(&self, header: &Hash) {
        let mut state = lock(&self.state);
        if let Some(begun) = state.begun.get(header) {
            let wait = begun.elapsed().as_secs_f64() * 1_000.0;
            state.delivered_ms.push(wait);
            state.arrived += 1;
        }
    }

    /// Waits until everything arrived, at most so long; tells how much did not.
    pub async fn all_there(&self, patience: Duration) -> u64 {
        let until = Instant::now() + patience;
        loop {
            let missing = {
                let state = lock(&self.state);
                state.due.saturating_sub(state.arrived)
            };
            if missing == 0 || Instant::now() >= until {
                return missing;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// How long each took.
    pub fn take_delivered(&self) -> Vec<f64> {
        std::mem::take(&mut lock(&self.state).delivered_ms)
    }
}
