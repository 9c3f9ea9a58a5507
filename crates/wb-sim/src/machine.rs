//! The computer that a simulated node or hub runs on: its clock, and its source of randomness.
//!
//! Each has one of its own, so that what one does never changes what another draws, in whatever order
//! they run.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::time::Instant;
use wb_core::time::Timestamp;
use wb_node::entropy::{self, Source};

use crate::chance::Chance;

/// When every simulation begins: 2026-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// A computer.
#[derive(Debug)]
pub struct Machine {
    begin: Instant,
    ahead_ms: AtomicI64,
    chance: Mutex<Chance>,
}

impl Machine {
    /// A computer whose clock is right; `begin` is when the simulation began.
    pub fn new(begin: Instant, chance: Chance) -> Arc<Self> {
        Arc::new(Self {
            begin,
            ahead_ms: AtomicI64::new(0),
            chance: Mutex::new(chance),
        })
    }

    /// Sets the clock so far ahead of the true time, or behind it.
    pub fn set_ahead(&self, ms: i64) {
        self.ahead_ms.store(ms, Ordering::Relaxed);
    }

    /// How far ahead the clock is.
    pub fn ahead_ms(&self) -> i64 {
        self.ahead_ms.load(Ordering::Relaxed)
    }

    fn now(&self) -> Timestamp {
        let passed = Instant::now().duration_since(self.begin).as_millis();
        let passed = i64::try_from(passed).expect("no simulation takes that long");
        Timestamp::from_unix_ms(BEGIN_MS + passed + self.ahead_ms())
            .expect("a year with four digits")
    }

    /// Does something on this computer.
    pub fn run<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        let _sourced = entropy::with_source(Rc::new(Seat(Arc::clone(self))));
        work()
    }

    /// Runs a future on this computer, whatever runs in between.
    pub fn drive<F: Future>(self: &Arc<Self>, work: F) -> Driven<F> {
        Driven {
            machine: Arc::clone(self),
            work: Box::pin(work),
        }
    }
}

/// A computer that is worked at.
struct Seat(Arc<Machine>);

impl Source for Seat {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut chance = self.0.chance.lock().unwrap_or_else(PoisonError::into_inner);
        chance.fill(bytes);
    }
}

/// A future that runs on one computer.
pub struct Driven<F> {
    machine: Arc<Machine>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Driven<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let machine = Arc::clone(&self.machine);
        machine.run(|| self.work.as_mut().poll(cx))
    }
}
