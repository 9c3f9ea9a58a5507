//! Whom a client follows through one hub (spec: sync, follow list).

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::id::{Hash, InstanceId};
use crate::json::object_only;
use crate::limits::FOLLOWS_MAX;

/// A follow list. The client counts its changes; the hub keeps the highest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct FollowList {
    /// Counts changes of the list.
    pub counter: u64,
    /// Every listed member, now and later, but those in `except`.
    pub all: bool,
    /// Members followed one by one, rising.
    pub follow: Vec<InstanceId>,
    /// Members left out of `all`, rising.
    pub except: Vec<InstanceId>,
}

object_only!(FollowList);

/// What is wrong with a follow list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FollowsError {
    /// Too many ids.
    #[error("a follow list has at most {FOLLOWS_MAX} ids")]
    TooLong,
    /// Ids out of order, twice, or in both lists.
    #[error("the ids of a follow list rise and are in one of both lists")]
    Order,
}

impl FollowList {
    /// Checks the form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), FollowsError> {
        if self.follow.len() + self.except.len() > FOLLOWS_MAX {
            return Err(FollowsError::TooLong);
        }
        let rises = |ids: &[InstanceId]| ids.windows(2).all(|pair| pair[0] < pair[1]);
        let shared = self
            .follow
            .iter()
            .any(|id| self.except.binary_search(id).is_ok());
        if rises(&self.follow) && rises(&self.except) && !shared {
            Ok(())
        } else {
            Err(FollowsError::Order)
        }
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash::follows(self.counter, self.all, &self.follow, &self.except)
    }

    /// Whether a member is followed.
    #[must_use]
    pub fn follows(&self, id: &InstanceId, listed: bool) -> bool {
        let all = self.all && listed && self.except.binary_search(id).is_err();
        all || self.follow.binary_search(id).is_ok()
    }

    /// Follows one member from now on.
    pub fn add(&mut self, id: InstanceId) {
        self.except.retain(|other| *other != id);
        if let Err(place) = self.follow.binary_search(&id) {
            self.follow.insert(place, id);
        }
    }

    /// Follows one member no longer, also when all others are followed.
    pub fn remove(&mut self, id: InstanceId) {
        self.follow.retain(|other| *other != id);
        if self.all
            && let Err(place) = self.except.binary_search(&id)
        {
            self.except.insert(place, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> InstanceId {
        InstanceId([byte; 32])
    }

    #[test]
    fn all_follows_whoever_is_listed_and_not_left_out() {
        let mut list = FollowList {
            all: true,
            ..FollowList::default()
        };
        assert!(list.follows(&id(1), true) && !list.follows(&id(1), false));
        list.remove(id(1));
        assert!(!list.follows(&id(1), true) && list.follows(&id(2), true));
        list.add(id(1));
        assert!(list.follows(&id(1), false));
        assert_eq!(list.check(), Ok(()));
    }

    #[test]
    fn ids_in_disorder_or_in_both_lists_are_refused() {
        let list = |follow: &[u8], except: &[u8]| FollowList {
            follow: follow.iter().map(|b| id(*b)).collect(),
            except: except.iter().map(|b| id(*b)).collect(),
            ..FollowList::default()
        };
        assert_eq!(list(&[1, 2], &[3]).check(), Ok(()));
        assert_eq!(list(&[2, 1], &[]).check(), Err(FollowsError::Order));
        assert_eq!(list(&[1, 1], &[]).check(), Err(FollowsError::Order));
        assert_eq!(list(&[1], &[1]).check(), Err(FollowsError::Order));
    }
}
