//! Fetching pictures because somebody asked to see one: not too many at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};

use wb_net::fetch::Web;

use crate::limits::PICTURES_AT_ONCE_MAX;

/// How pictures are reached, and how many are being fetched.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    web: Web,
    under_way: AtomicUsize,
}

/// A picture being fetched; its place is free again when this goes.
pub(crate) struct UnderWay<'p>(&'p AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Pictures {
    /// Reached in a way of its own.
    pub fn over(web: Web) -> Self {
        Self {
            web,
            under_way: AtomicUsize::new(0),
        }
    }

    /// How they are reached.
    pub fn web(&self) -> &Web {
        &self.web
    }

    /// A place among those that are fetched now; none where there are as many as may be.
    pub fn begin(&self) -> Option<UnderWay<'_>> {
        let one_more = |now| (now < PICTURES_AT_ONCE_MAX).then_some(now + 1);
        let taken = self
            .under_way
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        taken.ok().map(|_| UnderWay(&self.under_way))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_picture_is_done() {
        let pictures = Pictures::default();
        let held: Vec<_> = (0..PICTURES_AT_ONCE_MAX)
            .map(|_| pictures.begin().expect("a place"))
            .collect();
        assert!(pictures.begin().is_none());
        drop(held);
        assert!(pictures.begin().is_some());
    }
}
