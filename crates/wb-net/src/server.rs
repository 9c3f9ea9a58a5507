//! Serving routes to clients of whom nothing is known.
//!
//! The accept loop is our own, because what protects a server is what it does before a request is
//! whole: a head has a time to come in, a connection a time to be idle, a client a number of
//! connections, and running out of anything is waited out, not died of. TLS ends here where there is a
//! certificate to show, else at a proxy in front. Which requests are answered, and how, is the router's; its handlers read bodies with
//! [`read_body`], because axum's own extractors know a size and no clock.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1::Builder;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::admit::{Admission, Place};
use crate::body::{BodyError, BodyLimit, receive_telling};
use crate::certificate::Certificate;
use crate::network::Stream;
use crate::pace::Pace;
use crate::proxies::{Client, Proxies, Road};
use crate::watch::{Busy, Watch, WatchTimes, Watched};

/// Most connections at once; protects memory and file descriptors. More wait to be accepted.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Most connections from one address (of IPv6, one /64); keeps one client from taking all.
pub const CONNECTIONS_PER_CLIENT_MAX: usize = 32;

/// Longest time for the head of a request; protects against heads that trickle.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest time between an answer and the next request.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(60);

/// Longest time in which a client takes nothing of its answer.
pub const STALL_TIME_MAX: Duration = Duration::from_secs(30);

/// How long running answers may take to finish once the server is told to stop.
pub const FINISH_TIME_MAX: Duration = Duration::from_secs(10);

/// How slowly the body of a request may come. The rate is that of a bad mobile connection.
pub const REQUEST_PACE: Pace = Pace {
    idle: Duration::from_secs(20),
    grace: Duration::from_secs(20),
    bytes_per_second_min: 4_096,
    total: Duration::from_secs(1_800),
};

/// Largest head of a request; protects memory.
const HEAD_BYTES_MAX: usize = 32 * 1_024;

/// How long accepting rests after an error such as having no file descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// How long a client may go on sending after its answer, so that it comes to read it: a socket that
/// is closed with bytes unread also throws away what the other side has not read.
const LINGER_TIME_MAX: Duration = Duration::from_secs(2);

/// What a server grants to its clients. The default is made of the constants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at once.
    pub connections: usize,
    /// Connections from one client; this machine is not counted.
    pub connections_per_client: usize,
    /// For the head of a request.
    pub head: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// In which a client takes nothing of its answer.
    pub stall: Duration,
    /// For running answers once the server is told to stop.
    pub finish: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            connections_per_client: CONNECTIONS_PER_CLIENT_MAX,
            head: HEAD_TIME_MAX,
            idle: IDLE_TIME_MAX,
            stall: STALL_TIME_MAX,
            finish: FINISH_TIME_MAX,
        }
    }
}

/// Where a connection comes from; behind a proxy, the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteAddress(pub SocketAddr);

/// What stands between the network and a router.
#[derive(Debug, Clone, Default)]
pub struct Front {
    /// What is granted to clients.
    pub limits: ServerLimits,
    /// Whose word about clients is taken. Their connections are not counted: everybody comes by them.
    pub proxies: Arc<Proxies>,
    /// The certificate that is shown; none: what comes is served in the clear.
    pub tls: Option<Certificate>,
}

/// Serves a router until `shutdown` is ready, then lets running answers finish.
///
/// Nothing ends it earlier: an error of one connection is that connection's, and one of accepting is
/// waited out.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    shutdown: impl Future<Output = ()>,
) {
    let front = Front {
        limits,
        ..Front::default()
    };
    serve_with(listener, router, front, shutdown).await;
}

/// As [`serve`], with proxies that are believed, or with TLS.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    front: Front,
    shutdown: impl Future<Output = ()>,
) {
    let limits = front.limits;
    let admission = Admission::new(limits.connections_per_client, Arc::clone(&front.proxies));
    let free = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (socket, remote, permit) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &free) => accepted,
        };
        let Some(place) = admission.admit(remote.ip()) else {
            continue;
        };
        let (router, front, stopped) = (router.clone(), front.clone(), stopped.clone());
        connections.spawn(async move {
            let _held: (Place, OwnedSemaphorePermit) = (place, permit);
            // An answer is written whole; waiting to fill a segment only delays its end.
            let _ = socket.set_nodelay(true);
            welcome(socket, RemoteAddress(remote), router, front, stopped).await;
        });
    }
    drop(listener);
    drop(stop);
    let finished = async { while connections.join_next().await.is_some() {} };
    // What has not finished by then is cut off when the set is dropped.
    let _ = timeout(limits.finish, finished).await;
}

/// Speaks TLS first, where there is a certificate to show.
async fn welcome(
    socket: TcpStream,
    remote: RemoteAddress,
    router: Router,
    front: Front,
    mut stopped: watch::Receiver<()>,
) {
    let limits = front.limits;
    let Some(certificate) = &front.tls else {
        let from = From {
            remote,
            proxies: front.proxies,
            is_tls: false,
        };
        return converse(socket, from, router, limits, stopped).await;
    };
    let greeted = tokio::select! {
        biased;
        _ = stopped.changed() => return,
        greeted = timeout(limits.head, certificate.accept(socket)) => greeted,
    };
    // Who does not come to an end, or speaks something else, is gone.
    if let Ok(Ok(stream)) = greeted {
        let from = From {
            remote,
            proxies: front.proxies,
            is_tls: true,
        };
        converse(stream, from, router, limits, stopped).await;
    }
}

/// From where the requests of a connection come.
#[derive(Debug, Clone)]
struct From {
    remote: RemoteAddress,
    proxies: Arc<Proxies>,
    is_tls: bool,
}

impl From {
    /// Who asks.
    fn client(&self, headers: &HeaderMap) -> Client {
        let client = self.proxies.client(self.remote.0.ip(), headers);
        match self.is_tls && client.road == Road::Direct {
            true => Client {
                road: Road::Tls,
                ..client
            },
            false => client,
        }
    }
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let permit = Arc::clone(free)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((socket, remote)) => return (socket, remote, permit),
            Err(error) if is_of_one_connection(&error) => {}
            Err(_) => sleep(ACCEPT_REST).await,
        }
    }
}

/// Whether an error of accepting tells of a client that is gone already.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Serves a router on one stream that somebody else accepted, until it ends.
pub async fn serve_stream(
    stream: impl Stream,
    remote: RemoteAddress,
    router: Router,
    limits: ServerLimits,
) {
    let (_running, stopped) = watch::channel(());
    let from = From {
        remote,
        proxies: Arc::default(),
        is_tls: false,
    };
    converse(stream, from, router, limits, stopped).await;
}

/// Answers the requests of one connection.
async fn converse(
    socket: impl Stream,
    from: From,
    router: Router,
    limits: ServerLimits,
    mut stopped: watch::Receiver<()>,
) {
    let watch = Watch::new(WatchTimes {
        head: limits.head,
        idle: limits.idle,
        stall: limits.stall,
    });
    let answering = watch.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let client = from.client(request.headers());
        Box::pin(answer(router.clone(), request, client, answering.busy()))
    });
    let mut connection = Builder::new()
        .header_read_timeout(None)
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Watched::new(socket, watch.clone())), service);
    let mut expired = std::pin::pin!(watch.expired());
    let mut is_stopping = false;
    loop {
        tokio::select! {
            biased;
            () = &mut expired => return,
            _ = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)) => break,
            _ = stopped.changed(), if !is_stopping => {
                is_stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    }
    let socket = connection.into_parts().io.into_inner().into_inner();
    tokio::select! {
        biased;
        // A client that does not hang up must not hold up a server that stops.
        _ = stopped.changed() => {}
        () = linger(socket) => {}
    }
}

/// Ends a connection so that the client can read its last answer.
async fn linger(mut socket: impl Stream) {
    if socket.shutdown().await.is_err() {
        return;
    }
    let mut ignored = [0; 8_192];
    let rest = async { while matches!(socket.read(&mut ignored).await, Ok(1..)) {} };
    let _ = timeout(LINGER_TIME_MAX, rest).await;
}

/// Answers one request.
async fn answer(
    router: Router,
    mut request: Request<Incoming>,
    client: Client,
    busy: Busy,
) -> Result<Response<Answer>, Infallible> {
    request.extensions_mut().insert(client);
    let response = TowerToHyperService::new(router).call(request).await?;
    Ok(response.map(|body| Answer { body, _busy: busy }))
}

/// The body of an answer; when it is over, so is the request.
struct Answer {
    body: axum::body::Body,
    _busy: Busy,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Reads the body of a request to its end, at most `limit.encoded` bytes, at [`REQUEST_PACE`].
///
/// # Errors
/// Too many bytes (refused before reading when `Content-Length` says so), too slow, or the
/// connection broke.
pub async fn read_body(body: axum::body::Body, limit: BodyLimit) -> Result<Vec<u8>, BodyError> {
    read_body_telling(body, limit, |_| {}).await
}

/// As [`read_body`], telling how many bytes came, each time some did: for who has to choose between senders.
///
/// # Errors
/// As [`read_body`].
pub async fn read_body_telling(
    body: axum::body::Body,
    limit: BodyLimit,
    tell: impl FnMut(usize),
) -> Result<Vec<u8>, BodyError> {
    receive_telling(body, limit.encoded, &REQUEST_PACE, tell).await
}
