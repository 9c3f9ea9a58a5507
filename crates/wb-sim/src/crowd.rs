//! Several things at once on one thread, in an order that the seed decides; some are cut off midway.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::chance::Chance;

/// One of the things that go on.
struct One<'a, T> {
    work: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    /// How often it may still be woken; then it is cut off where it waits.
    polls_left: Option<u64>,
    done: Option<T>,
}

/// Several things that go on at once.
pub struct Crowd<'a, T> {
    all: Vec<One<'a, T>>,
    chance: Chance,
}

impl<'a, T> Crowd<'a, T> {
    pub fn new(chance: Chance) -> Self {
        Self {
            all: Vec::new(),
            chance,
        }
    }

    /// Adds one. With `polls` it is dropped once it was woken so often and still waits, as by a crash.
    pub fn add(&mut self, polls: Option<u64>, work: impl Future<Output = T> + 'a) {
        self.all.push(One {
            work: Some(Box::pin(work)),
            polls_left: polls,
            done: None,
        });
    }
}

// Nothing is pinned in it but what is boxed.
impl<T> Unpin for Crowd<'_, T> {}

impl<T> Future for Crowd<'_, T> {
    /// What came of each, in the order in which they were added; nothing of those cut off.
    type Output = Vec<Option<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { all, chance } = &mut *self;
        let mut order: Vec<usize> = (0..all.len()).collect();
        chance.shuffle(&mut order);
        for place in order {
            let one = &mut all[place];
            let Some(work) = &mut one.work else { continue };
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => {
                    one.done = Some(done);
                    one.work = None;
                }
                Poll::Pending => match &mut one.polls_left {
                    Some(0) => one.work = None,
                    Some(left) => *left -= 1,
                    None => {}
                },
            }
        }
        if all.iter().any(|one| one.work.is_some()) {
            return Poll::Pending;
        }
        Poll::Ready(all.iter_mut().map(|one| one.done.take()).collect())
    }
}
