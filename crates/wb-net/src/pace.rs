//! How slowly bytes may come.
//!
//! A sender that trickles holds a connection, a task and a buffer for as long as it likes, and a
//! time-out between bytes alone does not end it. So three clocks run: between bytes, in all, and a
//! rate that has to be kept once a grace is over.

use std::time::Duration;

use tokio::time::Instant;

/// How slowly the bytes of one body may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Longest silence between bytes.
    pub idle: Duration,
    /// How long no rate is asked for, so that a slow start is forgiven.
    pub grace: Duration,
    /// Bytes for each second beyond the grace.
    pub bytes_per_second_min: u32,
    /// Longest time in all, whatever the rate.
    pub total: Duration,
}

/// The moment that ends a body, and what it would then have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) what: &'static str,
}

impl Pace {
    /// Until when something has to come, when `bytes` came since `start` and the last just `now`.
    pub(crate) fn deadline(&self, start: Instant, now: Instant, bytes: usize) -> Deadline {
        let ends = [
            (now + self.idle, "nothing came for too long"),
            (
                start + self.grace + self.time_for(bytes),
                "it came too slowly",
            ),
            (start + self.total, "it took too long in all"),
        ];
        let [first, rest @ ..] = ends.map(|(at, what)| Deadline { at, what });
        rest.into_iter().fold(
            first,
            |soonest, end| {
                if end.at < soonest.at { end } else { soonest }
            },
        )
    }

    /// How long so many bytes may take at the lowest rate.
    pub(crate) fn time_for(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Duration::from_secs(bytes / u64::from(self.bytes_per_second_min.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        idle: Duration::from_secs(10),
        grace: Duration::from_secs(15),
        bytes_per_second_min: 100,
        total: Duration::from_secs(100),
    };

    #[tokio::test(start_paused = true)]
    async fn the_soonest_of_three_clocks_counts() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        for (after, bytes, left, what) in [
            (0, 0, 10, "nothing came for too long"),
            (10, 0, 5, "it came too slowly"),
            (10, 1_000, 10, "nothing came for too long"),
            (20, 1_000, 5, "it came too slowly"),
            (95, 1_000_000, 5, "it took too long in all"),
        ] {
            let now = start + second * after;
            let deadline = PACE.deadline(start, now, bytes);
            assert_eq!(deadline.at, now + second * left, "{after} {bytes}");
            assert_eq!(deadline.what, what);
        }
    }
}
