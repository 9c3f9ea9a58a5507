//! Answers that are held back until there is something new (spec: sync, changes).
//!
//! Each holds a connection. What arrives wakes those who follow where it comes from, so that a hub with thousands who
//! wait looks for each arrival only where it is wanted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use wb_core::id::InstanceId;
use wb_core::sync::FollowList;

/// Answers held back for one member: a node waits with one, and two of its processes with two. Keeps one
/// member from having every connection. What is more is answered at once.
pub const WAITS_PER_MEMBER_MAX: usize = 8;

/// Answers that are held back.
#[derive(Debug, Default)]
pub(crate) struct Waits(Arc<Mutex<BTreeMap<InstanceId, Vec<Arc<Waiter>>>>>);

type Waiting = BTreeMap<InstanceId, Vec<Arc<Waiter>>>;

/// An answer that is held back until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait {
    member: InstanceId,
    waiter: Arc<Waiter>,
    waits: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiter {
    called: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whom it waits for; everybody, until that is known.
    follows: Option<FollowList>,
    /// When the first thing arrived that it was not woken for yet.
    arrived: Option<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waits {
    /// One more for a member, or none when it has enough.
    pub(crate) fn begin(&self, member: InstanceId) -> Option<Wait> {
        let mut waits = lock(&self.0);
        let own = waits.entry(member).or_default();
        if own.len() >= WAITS_PER_MEMBER_MAX {
            return None;
        }
        let waiter = Arc::new(Waiter::default());
        own.push(Arc::clone(&waiter));
        Some(Wait {
            member,
            waiter,
            waits: Arc::clone(&self.0),
        })
    }

    /// Wakes those who follow an instance of which something arrived.
    pub(crate) fn arrived(&self, origin: &InstanceId) {
        let now = Instant::now();
        for waiter in lock(&self.0).values().flatten() {
            // Whoever is listed or not is looked at then.
            let follows = |list: &FollowList| list.follows(origin, true);
            if lock(&waiter.state).follows.as_ref().is_none_or(follows) {
                waiter.wake(Some(now));
            }
        }
    }

    /// Wakes a member that changed what it waits for.
    pub(crate) fn changed(&self, member: &InstanceId) {
        for waiter in lock(&self.0).get(member).into_iter().flatten() {
            waiter.wake(None);
        }
    }

    /// Wakes everybody: something was written, and nothing is known of it.
    pub(crate) fn wake_all(&self) {
        for waiter in lock(&self.0).values().flatten() {
            waiter.wake(None);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        lock(&self.0).values().map(|own| own.len() as u64).sum()
    }
}

impl Waiter {
    fn wake(&self, arrived: Option<Instant>) {
        let mut state = lock(&self.state);
        state.arrived = state.arrived.or(arrived);
        self.called.notify_one();
    }
}

impl Wait {
    /// Whom it waits for from now on. What arrived before that woke it as well.
    pub(crate) fn for_those(&self, list: FollowList) {
        lock(&self.waiter.state).follows = Some(list);
    }

    /// Ends when it is woken.
    pub(crate) async fn woken(&self) {
        self.waiter.called.notified().await;
    }

    /// When the first thing arrived that it was woken for since this was asked.
    pub(crate) fn take_arrived(&self) -> Option<Instant> {
        lock(&self.waiter.state).arrived.take()
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waits = lock(&self.waits);
        if let Some(own) = waits.get_mut(&self.member) {
            own.retain(|waiter| !Arc::ptr_eq(waiter, &self.waiter));
            if own.is_empty() {
                waits.remove(&self.member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_woken(wait: &Wait) -> bool {
        tokio::select! {
            biased;
            () = wait.woken() => true,
            () = tokio::task::yield_now() => false,
        }
    }

    /// With thousands who wait, each arrival made each of them look.
    #[tokio::test]
    async fn what_arrives_wakes_those_who_follow_where_it_comes_from() {
        let (member, followed, other) = (
            InstanceId([1; 32]),
            InstanceId([2; 32]),
            InstanceId([3; 32]),
        );
        let waits = Waits::default();
        let wait = waits.begin(member).unwrap();
        // Until it is known whom it follows, anything may be for it.
        waits.arrived(&other);
        assert!(is_woken(&wait).await);
        let mut list = FollowList::default();
        list.add(followed);
        wait.for_those(list.clone());
        waits.arrived(&other);
        assert!(!is_woken(&wait).await);
        waits.arrived(&followed);
        assert!(wait.take_arrived().is_some() && is_woken(&wait).await);
        list.all = true;
        list.except = vec![other];
        wait.for_those(list);
        waits.arrived(&other);
        assert!(!is_woken(&wait).await);
        waits.arrived(&InstanceId([4; 32]));
        assert!(is_woken(&wait).await);
        // It changed its list, and a moderator decided something.
        waits.changed(&member);
        assert!(is_woken(&wait).await);
        waits.wake_all();
        assert!(is_woken(&wait).await);
        assert_eq!(waits.count(), 1);
        drop(wait);
        assert_eq!(waits.count(), 0);
    }
}
