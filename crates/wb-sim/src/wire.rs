//! One connection of a node, which breaks where it was told to and keeps what went over it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use wb_net::network::Stream;

use crate::chance::Chance;
use crate::network::Net;

/// What befalls a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// Nobody accepts it.
    Refused,
    /// It is lost once so many bytes went out.
    SentBytes(u64),
    /// It is lost once so many bytes came in.
    ReceivedBytes(u64),
    /// The answer to the request of this number (from 0) was made, and is lost.
    Answer(u64),
    /// Each answer is late by up to so many milliseconds.
    LateMs(u64, u64),
}

/// What went over a connection.
#[derive(Debug, Clone)]
pub struct Tape {
    /// The node that made it.
    pub node: usize,
    /// Whom it reached.
    pub hub: SocketAddr,
    /// What the node sent.
    pub sent: Vec<u8>,
    /// What it received.
    pub received: Vec<u8>,
}

/// One connection.
pub struct Wire {
    net: Arc<Net>,
    /// Gone once it broke: the other side sees the end.
    stream: Option<Box<dyn Stream>>,
    what: Option<Break>,
    tape: Tape,
    /// Requests begun, each a run of writes after a read.
    requests: u64,
    was_writing: bool,
    late: Option<(Chance, Option<Pin<Box<Sleep>>>)>,
}

impl Wire {
    pub fn new(
        net: Arc<Net>,
        node: usize,
        hub: SocketAddr,
        stream: Box<dyn Stream>,
        what: Option<Break>,
    ) -> Self {
        let late = match what {
            Some(Break::LateMs(_, seed)) => Some((Chance::new(seed), None)),
            _ => None,
        };
        if let Some(what @ Break::LateMs(..)) = what {
            net.befell(node, what);
        }
        Self {
            net,
            stream: Some(stream),
            what,
            tape: Tape {
                node,
                hub,
                sent: Vec::new(),
                received: Vec::new(),
            },
            requests: 0,
            was_writing: false,
            late,
        }
    }

    fn lose(&mut self) -> io::Error {
        if self.stream.take().is_some()
            && let Some(what) = self.what
        {
            self.net.befell(self.tape.node, what);
        }
        io::ErrorKind::ConnectionReset.into()
    }

    /// How many more bytes may go out before it breaks.
    fn room(&self) -> Option<usize> {
        match self.what {
            Some(Break::SentBytes(limit)) => Some(left(limit, self.tape.sent.len())),
            _ => None,
        }
    }

    /// Whether the answer that comes in now is the one that is lost.
    fn loses_answer(&self) -> bool {
        matches!(self.what, Some(Break::Answer(number)) if number + 1 == self.requests)
    }

    /// Waits for as long as this answer is late.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Break::LateMs(ms, _)) = self.what else {
            return Poll::Ready(());
        };
        let Some((chance, waiting)) = &mut self.late else {
            return Poll::Ready(());
        };
        if self.was_writing {
            self.was_writing = false;
            let ms = chance.below(ms + 1);
            *waiting = Some(Box::pin(sleep(Duration::from_millis(ms))));
        }
        if let Some(sleep) = waiting {
            ready!(sleep.as_mut().poll(cx));
            *waiting = None;
        }
        Poll::Ready(())
    }
}

fn left(limit: u64, used: usize) -> usize {
    usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(used)
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.net.keep(Tape {
            sent: std::mem::take(&mut self.tape.sent),
            received: std::mem::take(&mut self.tape.received),
            ..self.tape
        });
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_late(cx));
        self.was_writing = false;
        let before = buf.filled().len();
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        ready!(Pin::new(stream).poll_read(cx, buf))?;
        if self.loses_answer() && buf.filled().len() > before {
            buf.set_filled(before);
            return Poll::Ready(Err(self.lose()));
        }
        if let Some(Break::ReceivedBytes(limit)) = self.what {
            let room = left(limit, self.tape.received.len());
            if buf.filled().len() - before > room {
                buf.set_filled(before + room);
                let lost = self.lose();
                if room == 0 {
                    return Poll::Ready(Err(lost));
                }
            }
        }
        let came = buf.filled()[before..].to_vec();
        self.tape.received.extend(came);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let room = self.room().unwrap_or(bytes.len()).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Poll::Ready(Err(self.lose()));
        }
        if !self.was_writing {
            self.was_writing = true;
            self.requests += 1;
        }
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let written = ready!(Pin::new(stream).poll_write(cx, &bytes[..room]))?;
        self.tape.sent.extend_from_slice(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_flush(cx),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
