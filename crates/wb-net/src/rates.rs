//! How often one may ask: a bucket for each sender, in bounded memory (ADR 0025).
//!
//! A bucket is one number: when it would be full again. So nothing runs in the background, a refusal costs
//! nothing, and the time comes in as an argument.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use wb_core::time::Timestamp;

/// How much is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At once, to who was quiet for long enough.
    pub burst: u32,
    /// One more after so many milliseconds.
    pub every_ms: u32,
}

/// Seconds until the same would be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(pub u64);

/// One bucket for each key.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    keys_max: usize,
    kept: Mutex<Kept<K>>,
}

/// When each bucket is full again, in milliseconds. Keys that were not used since the younger half was begun
/// are in the older one, which goes as a whole: so the oldest go, and nobody is searched for.
#[derive(Debug)]
struct Kept<K> {
    younger: BTreeMap<K, i64>,
    older: BTreeMap<K, i64>,
}

impl<K: Ord + Copy> Buckets<K> {
    /// Buckets that are all full, of which at most so many are remembered.
    #[must_use]
    pub fn new(rate: Rate, keys_max: usize) -> Self {
        Self {
            rate,
            keys_max,
            kept: Mutex::new(Kept {
                younger: BTreeMap::new(),
                older: BTreeMap::new(),
            }),
        }
    }

    /// Takes one from a bucket. From an empty one nothing is taken.
    ///
    /// # Errors
    /// That it is empty, with the time until it is not.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), RetryAfter> {
        let now = now.unix_ms();
        let every = i64::from(self.rate.every_ms);
        let empty = now.saturating_add(every.saturating_mul(i64::from(self.rate.burst)));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // A time beyond that of an empty bucket was noted before the clock was set back.
        let before = kept.get(key).unwrap_or(now).clamp(now, empty);
        let after = before.saturating_add(every);
        let is_granted = after <= empty;
        kept.put(key, if is_granted { after } else { before }, self.keys_max);
        if is_granted {
            return Ok(());
        }
        let wait_ms = after.saturating_sub(empty).unsigned_abs();
        Err(RetryAfter(wait_ms.div_ceil(1_000).max(1)))
    }
}

impl<K: Ord + Copy> Kept<K> {
    fn get(&self, key: K) -> Option<i64> {
        let found = self.younger.get(&key).or_else(|| self.older.get(&key));
        found.copied()
    }

    fn put(&mut self, key: K, full_at: i64, keys_max: usize) {
        let is_full = self.younger.len() >= (keys_max / 2).max(1);
        if is_full && !self.younger.contains_key(&key) {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(key, full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        every_ms: 2_000,
    };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_760_000_000_000 + ms).unwrap()
    }

    fn granted(buckets: &Buckets<u32>, key: u32, now: Timestamp) -> usize {
        (0..100)
            .take_while(|_| buckets.take(key, now).is_ok())
            .count()
    }

    #[test]
    fn a_burst_is_granted_and_then_one_at_a_time() {
        let buckets = Buckets::new(RATE, 10);
        assert_eq!(granted(&buckets, 1, at(0)), 3);
        assert_eq!(buckets.take(1, at(0)), Err(RetryAfter(2)));
        assert_eq!(buckets.take(1, at(1_999)), Err(RetryAfter(1)));
        assert_eq!(granted(&buckets, 1, at(2_000)), 1);
        assert_eq!(granted(&buckets, 1, at(100_000)), 3);
    }

    #[test]
    fn being_refused_costs_nothing_more() {
        let buckets = Buckets::new(RATE, 10);
        granted(&buckets, 1, at(0));
        for _ in 0..1_000 {
            assert_eq!(buckets.take(1, at(0)), Err(RetryAfter(2)));
        }
        assert_eq!(buckets.take(1, at(2_000)), Ok(()));
    }

    #[test]
    fn nobody_takes_from_anothers_bucket() {
        let buckets = Buckets::new(RATE, 10);
        granted(&buckets, 1, at(0));
        assert_eq!(granted(&buckets, 2, at(0)), 3);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let buckets = Buckets::new(RATE, 10);
        granted(&buckets, 1, at(1_000_000_000));
        assert_eq!(buckets.take(1, at(0)), Err(RetryAfter(2)));
        assert_eq!(buckets.take(1, at(2_000)), Ok(()));
    }

    #[test]
    fn however_many_come_so_many_are_remembered_and_the_oldest_go() {
        let buckets = Buckets::new(RATE, 100);
        granted(&buckets, 0, at(0));
        for key in 1..10_000 {
            granted(&buckets, key, at(0));
            // Who keeps on asking is not forgotten, however many others come.
            assert!(buckets.take(0, at(0)).is_err(), "{key}");
        }
        let kept = buckets.kept.lock().unwrap();
        assert!(kept.younger.len() + kept.older.len() <= 100);
        assert_eq!(kept.get(1), None);
    }
}
