//! The one place where time is taken.

use std::time::{Duration, Instant};

/// Does something and tells how long it took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark takes the time; nothing is decided by it"
    )]
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}
