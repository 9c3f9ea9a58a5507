//! One connection to one hub or peer: a request goes out, an answer comes back, within limits.
//!
//! The connection is made when it is first needed and kept between requests. A redirect is an answer
//! like any other, no proxy is taken from the environment, no cookie is kept: who is asked is decided
//! by whoever named the base. One request runs at a time; a request that is dropped or fails takes the
//! connection with it, so an answer never reaches the wrong caller.
//!
//! **Repeating.** A server may close a kept connection just as the next request leaves, and from here
//! that looks the same as dying in the middle of it. So a request on a *kept* connection that ends
//! before a byte of the answer came is sent once more, on a new connection. Whether the first copy
//! took effect cannot be known; that is safe because every call of the protocol is idempotent and
//! carries its own order. On a new connection, or once an answer has begun, [`Connection::send`] repeats nothing.
//! [`Connection::insist`] does, a few times: behind a name there may be several processes of one hub, of
//! which one just ended. Where nobody accepts a connection neither does.

mod dial;
mod error;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request};
use http_body_util::Full;
use hyper::body::Body;
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::Base;
use crate::body::{BodyLimit, receive};
use crate::count::Counts;
use crate::network::{Internet, Network};
use crate::pace::Pace;
use crate::reach::Reach;
use crate::tls::Roots;

use dial::Live;
pub use error::NetError;

/// Longest time to resolve a name and reach one of its addresses.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest time for a TLS handshake.
pub const TLS_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest time from the end of a request to the end of the answer's head, for an answer that does
/// not wait for news.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// How slowly an answer may come. The rate is that of a bad mobile connection.
pub const ANSWER_PACE: Pace = Pace {
    idle: Duration::from_secs(20),
    grace: Duration::from_secs(30),
    bytes_per_second_min: 4_096,
    total: Duration::from_secs(3_600),
};

/// How long a connection may take to be free after an answer; one that is not, because its server
/// answered before it had read the request, is closed.
const FREE_TIME_MAX: Duration = Duration::from_millis(100);

/// How often a request that may come any number of times is sent again because its connection broke. Processes of a hub
/// that end one after the other are survived; somebody who always hangs up is not asked without end.
pub const REPEATS_MAX: u32 = 3;

/// The rest before it is sent again; longer each time. A balancer needs a moment to notice who is gone.
const REPEAT_REST: Duration = Duration::from_millis(100);

/// How long a server may take. The default is made of the constants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To resolve a name and reach one of its addresses.
    pub connect: Duration,
    /// For a TLS handshake.
    pub tls: Duration,
    /// From the end of a request to the end of the answer's head.
    pub answer: Duration,
    /// For the answer's body. Its rate is also granted to the request on its way out.
    pub pace: Pace,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIME_MAX,
            tls: TLS_TIME_MAX,
            answer: ANSWER_TIME_MAX,
            pace: ANSWER_PACE,
        }
    }
}

/// A request on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Path and query below the base; begins with a slash.
    pub path_and_query: String,
    /// Headers besides `Host` and `Content-Length`, which are set here.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, as it travels.
    pub body: Vec<u8>,
    /// How much longer than usual the answer may take to begin, for one that waits for news.
    pub wait: Duration,
}

impl Outgoing {
    /// A `GET` without headers of its own.
    #[must_use]
    pub fn get(path_and_query: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path_and_query: path_and_query.into(),
            headers: Vec::new(),
            body: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    /// A `POST` without headers of its own.
    #[must_use]
    pub fn post(path_and_query: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            body,
            ..Self::get(path_and_query)
        }
    }
}

/// An answer that came whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The status; also one that says where else to go, which is not followed.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it travelled, still compressed when `Content-Encoding` says so; see
    /// [`encoding`](crate::body::encoding) and [`decode`](crate::body::decode).
    pub body: Vec<u8>,
}

/// Bytes on the socket, as TCP sees them: TLS and repeated requests included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// From here.
    pub sent: u64,
    /// To here.
    pub received: u64,
}

/// A connection to one hub or peer.
pub struct Connection {
    base: Base,
    reach: Reach,
    patience: Patience,
    roots: Roots,
    network: Arc<dyn Network>,
    traffic: Arc<Counts>,
    kept: Option<Live>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("base", &self.base)
            .field("reach", &self.reach)
            .field("is_open", &self.kept.is_some())
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// A connection that is made when it is first used.
    #[must_use]
    pub fn new(base: Base, reach: Reach) -> Self {
        Self {
            base,
            reach,
            patience: Patience::default(),
            roots: Roots::mozilla(),
            network: Arc::new(Internet),
            traffic: Arc::default(),
            kept: None,
        }
    }

    /// Gives the server other times.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Believes other authorities.
    #[must_use]
    pub fn with_roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Runs over another network.
    #[must_use]
    pub fn with_network(mut self, network: Arc<dyn Network>) -> Self {
        self.network = network;
        self
    }

    /// Who is asked.
    #[must_use]
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Bytes on the socket so far, over all connections that were made.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            sent: self.traffic.sent(),
            received: self.traffic.received(),
        }
    }

    /// Lets go of the connection: the next request makes another.
    pub fn let_go(&mut self) {
        self.kept = None;
    }

    /// Sends a request and reads the answer to its end; at most `limit.encoded` bytes of it.
    ///
    /// Needs a tokio runtime with time and network. May send the request twice, see the head of this
    /// module.
    ///
    /// # Errors
    /// What happened, with a stable [cause](NetError::cause). A status of any kind is no error.
    pub async fn send(
        &mut self,
        outgoing: Outgoing,
        limit: BodyLimit,
    ) -> Result<Incoming, NetError> {
        let wait = outgoing.wait;
        let request = self.request(outgoing)?;
        self.send_once(request, wait, limit).await
    }

    /// As [`Connection::send`], for a request that may come any number of times: where the connection broke, whenever it
    /// did, it is sent again on a new one, at most [`REPEATS_MAX`] times.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub async fn insist(
        &mut self,
        outgoing: Outgoing,
        limit: BodyLimit,
    ) -> Result<Incoming, NetError> {
        let wait = outgoing.wait;
        let request = self.request(outgoing)?;
        let mut repeats = 0;
        loop {
            match self.send_once(request.clone(), wait, limit).await {
                Err(NetError::Closed(_)) if repeats < REPEATS_MAX => {
                    repeats += 1;
                    tokio::time::sleep(REPEAT_REST * repeats).await;
                }
                done => return done,
            }
        }
    }

    async fn send_once(
        &mut self,
        request: Request<Full<Bytes>>,
        wait: Duration,
        limit: BodyLimit,
    ) -> Result<Incoming, NetError> {
        if let Some(kept) = self.kept.take() {
            match self.exchange(kept, request.clone(), wait, limit).await {
                Ok(incoming) => return Ok(incoming),
                Err(failure) if failure.is_repeatable => {}
                Err(failure) => return Err(failure.error),
            }
        }
        let live = dial::dial(self).await?;
        self.exchange(live, request, wait, limit)
            .await
            .map_err(|failure| failure.error)
    }

    fn request(&self, outgoing: Outgoing) -> Result<Request<Full<Bytes>>, NetError> {
        if !outgoing.path_and_query.starts_with('/') {
            return Err(NetError::Request(
                "the path does not begin with a slash".to_owned(),
            ));
        }
        let target = format!("{}{}", self.base.path(), outgoing.path_and_query);
        let mut request = Request::builder()
            .method(outgoing.method)
            .uri(target)
            .header(HOST, self.base.authority())
            .body(Full::new(Bytes::from(outgoing.body)))
            .map_err(|error| NetError::Request(error.to_string()))?;
        for (name, value) in outgoing.headers {
            if name == HOST || name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
                return Err(NetError::Request(format!("`{name}` is set by the client")));
            }
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }

    /// One request and its answer on one connection, which is kept when it is free afterwards.
    async fn exchange(
        &mut self,
        mut live: Live,
        request: Request<Full<Bytes>>,
        wait: Duration,
        limit: BodyLimit,
    ) -> Result<Incoming, Failure> {
        let sent_bytes = request.body().size_hint().lower();
        let sending = self
            .patience
            .pace
            .time_for(usize::try_from(sent_bytes).unwrap_or(usize::MAX));
        let received_before = live.plain.received();
        let answer = live.sender.send_request(request);
        let answer = answered(answer, &live.plain, self.patience.answer + wait, sending)
            .await?
            .map_err(|error| Failure {
                is_repeatable: live.plain.received() == received_before,
                error: NetError::from_hyper(error),
            })?;
        let (head, body) = answer.into_parts();
        if !body.is_end_stream() && !says_its_end(&head.headers) {
            return Err(NetError::Protocol("the answer does not say where it ends".into()).into());
        }
        let body = receive(body, limit.encoded, &self.patience.pace)
            .await
            .map_err(NetError::from_body)?;
        if let Ok(Ok(())) = timeout(FREE_TIME_MAX, live.sender.ready()).await {
            self.kept = Some(live);
        }
        Ok(Incoming {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }
}

/// Waits for the head of an answer: so long after the last byte of the request went out, and in all
/// no longer than the request may take to go out besides.
async fn answered<T>(
    answer: impl Future<Output = T>,
    plain: &Counts,
    patience: Duration,
    sending: Duration,
) -> Result<T, NetError> {
    let mut answer = std::pin::pin!(answer);
    let last = Instant::now() + patience + sending;
    loop {
        let sent_before = plain.sent();
        let until = last.min(Instant::now() + patience);
        if let Ok(answer) = timeout_at(until, &mut answer).await {
            return Ok(answer);
        }
        if until == last || plain.sent() == sent_before {
            return Err(NetError::TimedOut {
                what: "the answer did not come in time",
            });
        }
    }
}

/// Whether an answer's end is told from a connection that broke.
fn says_its_end(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}

/// Why an exchange failed, and whether it may be tried once more on a new connection.
struct Failure {
    error: NetError,
    /// Nothing of the answer had come when the connection ended.
    is_repeatable: bool,
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        Self {
            error,
            is_repeatable: false,
        }
    }
}
