//! From a base address to a connection that HTTP is spoken on.
//!
//! The addresses that are connected to are those that were judged: a name is resolved once, here.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Connection, NetError};
use crate::address::{Base, Host, Scheme};
use crate::count::{Counted, Counts};
use crate::network::{Network, Stream};
use crate::reach::Reach;
use crate::tls::server_name;

/// Most addresses of one name that are tried; protects against a name with hundreds of them.
const ADDRESSES_TRIED_MAX: usize = 4;

/// Largest head of an answer; protects memory.
const HEAD_BYTES_MAX: usize = 64 * 1_024;

/// A connection that HTTP is spoken on.
pub(super) struct Live {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// Bytes of HTTP, above TLS: whether an answer has begun.
    pub(super) plain: Arc<Counts>,
    driver: JoinHandle<()>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Connects.
pub(super) async fn dial(connection: &Connection) -> Result<Live, NetError> {
    let Connection {
        base,
        reach,
        patience,
        ..
    } = connection;
    let network = connection.network.as_ref();
    let deadline = Instant::now() + patience.connect;
    let addresses = timeout_at(deadline, addresses(network, base, *reach))
        .await
        .map_err(|_| NetError::TimedOut {
            what: "the name was not resolved in time",
        })??;
    let socket = connect(network, &addresses, deadline).await?;
    let counted = Counted::new(socket, Arc::clone(&connection.traffic));
    match base.scheme() {
        Scheme::Http => speak(counted).await,
        Scheme::Https => {
            let handshake = secure(connection, counted);
            let stream =
                timeout(patience.tls, handshake)
                    .await
                    .map_err(|_| NetError::TimedOut {
                        what: "the secure connection was not made in time",
                    })??;
            speak(stream).await
        }
    }
}

/// The addresses of a host that may be connected to, best first.
async fn addresses(
    network: &dyn Network,
    base: &Base,
    reach: Reach,
) -> Result<Vec<SocketAddr>, NetError> {
    let resolved = match base.host() {
        Host::Address(address) => vec![SocketAddr::new(*address, base.port())],
        Host::Name(name) => {
            let failed = |source| NetError::Resolve {
                host: name.clone(),
                source,
            };
            network.resolve(name, base.port()).await.map_err(failed)?
        }
    };
    let allowed: Vec<SocketAddr> = resolved
        .iter()
        .copied()
        .filter(|address| reach.allows(address.ip()))
        .take(ADDRESSES_TRIED_MAX)
        .collect();
    match (allowed.is_empty(), resolved.first()) {
        (false, _) => Ok(allowed),
        (true, Some(first)) => Err(NetError::NotGlobal {
            host: base.host().to_string(),
            address: first.ip(),
        }),
        (true, None) => Err(NetError::Resolve {
            host: base.host().to_string(),
            source: std::io::Error::new(std::io::ErrorKind::NotFound, "it has no address"),
        }),
    }
}

/// A stream to the first address that accepts one. Each gets an equal share of the time that is left,
/// so that a dead first address does not take it all.
async fn connect(
    network: &dyn Network,
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<Box<dyn Stream>, NetError> {
    let mut last = NetError::TimedOut {
        what: "no address was left to try",
    };
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        left -= 1;
        match timeout(share, network.connect(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(source)) => {
                last = NetError::Connect {
                    address: *address,
                    source,
                }
            }
            Err(_) => {
                last = NetError::TimedOut {
                    what: "the connection was not accepted in time",
                }
            }
        }
    }
    Err(last)
}

async fn secure<S: Stream + 'static>(
    connection: &Connection,
    stream: S,
) -> Result<impl Stream + use<S>, NetError> {
    let host = connection.base.host();
    let failed = |source| NetError::Tls {
        host: host.to_string(),
        source,
    };
    let name = server_name(host).ok_or_else(|| {
        failed(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "no certificate can carry this name",
        ))
    })?;
    let connector = connection.roots.connector();
    connector.connect(name, stream).await.map_err(failed)
}

/// Speaks HTTP on a stream. A task of its own moves the bytes; it ends with the connection.
async fn speak<S: Stream + 'static>(stream: S) -> Result<Live, NetError> {
    let plain = Arc::<Counts>::default();
    let counted = Counted::new(stream, Arc::clone(&plain));
    let (sender, connection) = Builder::new()
        .max_header_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(counted))
        .await
        .map_err(NetError::from_hyper)?;
    let driver = tokio::spawn(async move {
        // What goes wrong is told to whoever waits for an answer.
        drop(connection.await);
    });
    Ok(Live {
        sender,
        plain,
        driver,
    })
}
