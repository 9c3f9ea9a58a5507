//! What a served connection is doing, and since when: so that one that does nothing is cut off.
//!
//! The stream and the service report here; [`Watch::expired`] waits for the moment at which what is
//! going on has gone on for too long. While an answer is being made nothing is asked of the client:
//! that time belongs to the handler.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long each state of a connection may last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WatchTimes {
    /// From the connection, or the first byte of a request, to the end of its head.
    pub(crate) head: Duration,
    /// Between an answer and the first byte of the next request.
    pub(crate) idle: Duration,
    /// Between two writes that the client takes something of.
    pub(crate) stall: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The head of a request is coming.
    Head { since: Instant },
    /// A request is being answered.
    Busy,
    /// Nothing is asked.
    Idle { since: Instant },
}

#[derive(Debug, Clone, Copy)]
struct State {
    phase: Phase,
    /// Since when the client takes nothing of what is written.
    stalled: Option<Instant>,
}

/// What a connection is doing; shared by everything that serves it.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    state: Arc<watch::Sender<State>>,
    times: WatchTimes,
}

impl Watch {
    /// A connection that was just accepted: a head is to come.
    pub(crate) fn new(times: WatchTimes) -> Self {
        let state = State {
            phase: Phase::Head {
                since: Instant::now(),
            },
            stalled: None,
        };
        Self {
            state: Arc::new(watch::Sender::new(state)),
            times,
        }
    }

    /// A request was read as far as its head; the answer is over when what is returned is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.state.send_modify(|state| state.phase = Phase::Busy);
        Busy(self.clone())
    }

    /// Waits until something has gone on for too long.
    pub(crate) async fn expired(&self) {
        let mut states = self.state.subscribe();
        loop {
            let state = *states.borrow_and_update();
            let Some(at) = self.ends(state) else {
                // The sender lives in `self`, so waiting ends with a change only.
                let _ = states.changed().await;
                continue;
            };
            tokio::select! {
                biased;
                _ = states.changed() => {}
                () = sleep_until(at) => return,
            }
        }
    }

    fn ends(&self, state: State) -> Option<Instant> {
        let phase = match state.phase {
            Phase::Head { since } => Some(since + self.times.head),
            Phase::Busy => None,
            Phase::Idle { since } => Some(since + self.times.idle),
        };
        let stall = state.stalled.map(|since| since + self.times.stall);
        phase.into_iter().chain(stall).min()
    }

    fn on_read(&self) {
        self.state.send_if_modified(|state| {
            let begins = matches!(state.phase, Phase::Idle { .. });
            if begins {
                state.phase = Phase::Head {
                    since: Instant::now(),
                };
            }
            begins
        });
    }

    fn on_write(&self, polled: &Poll<io::Result<usize>>) {
        self.state.send_if_modified(|state| {
            let now = Instant::now();
            // The end of a long answer is still on its way when the connection counts as idle.
            if let (Phase::Idle { since }, Poll::Ready(_)) = (&mut state.phase, polled) {
                *since = now;
            }
            let was_stalled = state.stalled.is_some();
            state.stalled = match polled {
                Poll::Pending => state.stalled.or(Some(now)),
                Poll::Ready(_) => None,
            };
            was_stalled != state.stalled.is_some()
        });
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Busy(Watch);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| {
            state.phase = Phase::Idle {
                since: Instant::now(),
            };
        });
    }
}

/// A stream that reports to a [`Watch`].
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    watch: Watch,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, watch: Watch) -> Self {
        Self { stream, watch }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.watch.on_read();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch.on_write(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch.on_write(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
