//! What is told of each call that was answered: to what counts, and to the operator's log.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use wb_core::id::InstanceId;
use wb_core::sync::Cause;

/// A call that was answered, as a line of a log: nothing in it is a secret, and nothing of what was sent or given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The call, by the name it has in the metrics.
    pub call: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// The member that is proved to have asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<InstanceId>,
    /// Microseconds that answering took.
    pub took_us: u64,
    /// Milliseconds that the answer was held back, waiting for something to arrive.
    pub held_back_ms: u64,
    /// Bytes of the answer as they went, without its head.
    pub bytes: u64,
    /// Names the call in this log and in the answer (`x-request-id`).
    pub request_id: String,
}

/// Told of each call.
pub type Journal = Arc<dyn Fn(&Answered) + Send + Sync>;

/// A call on its way through.
#[derive(Debug)]
pub(crate) struct Course {
    begun: Instant,
    held_back: Duration,
    arrived: Option<Instant>,
    pub(crate) call: &'static str,
    pub(crate) member: Option<InstanceId>,
    pub(crate) cause: Option<Cause>,
}

impl Course {
    pub(crate) fn begin(call: &'static str) -> Self {
        Self {
            begun: Instant::now(),
            held_back: Duration::ZERO,
            arrived: None,
            call,
            member: None,
            cause: None,
        }
    }

    /// Waiting is not working.
    pub(crate) fn held_back(&mut self, time: Duration) {
        self.held_back += time;
    }

    /// The answer brings what arrived then.
    pub(crate) fn delivers(&mut self, arrived: Instant) {
        self.arrived = Some(arrived);
    }

    /// How long it took to work it out.
    pub(crate) fn took(&self) -> Duration {
        self.begun.elapsed().saturating_sub(self.held_back)
    }

    /// How long ago that arrived which it brings to who waited.
    pub(crate) fn delivery(&self) -> Option<Duration> {
        self.arrived.map(|arrived| arrived.elapsed())
    }

    pub(crate) fn answered(&self, status: u16, bytes: u64, request_id: String) -> Answered {
        let micros = u64::try_from(self.took().as_micros()).unwrap_or(u64::MAX);
        let held = u64::try_from(self.held_back.as_millis()).unwrap_or(u64::MAX);
        Answered {
            call: self.call,
            status,
            cause: self.cause.map(Cause::as_str),
            member: self.member,
            took_us: micros,
            held_back_ms: held,
            bytes,
            request_id,
        }
    }
}
