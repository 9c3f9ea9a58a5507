//! The one place where time is taken.

use std::time::{Duration, Instant};

/// Tells how long ago it was started.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a benchmark takes the time; nothing is decided by it but what else there is time for"
        )]
        let now = Instant::now();
        Self(now)
    }

    /// How long ago that was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Does something and tells how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let watch = Stopwatch::start();
    let done = work();
    (done, watch.elapsed())
}
