//! The narrowest seam to the network: names to addresses, an address to a stream.
//!
//! The filter of addresses, time-outs, TLS and HTTP are all above it, so a simulated network put
//! under it runs the same code as the real one.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

/// A future that a [`Network`] gives.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// A stream of bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What the transport needs of a network.
pub trait Network: Send + Sync {
    /// The addresses of a name, best first, with the given port.
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Answer<'a, Vec<SocketAddr>>;

    /// A stream to exactly this address.
    fn connect(&self, address: SocketAddr) -> Answer<'_, Box<dyn Stream>>;
}

/// The network of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Internet;

impl Network for Internet {
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Answer<'a, Vec<SocketAddr>> {
        Box::pin(async move { Ok(lookup_host((name, port)).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> Answer<'_, Box<dyn Stream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // A request is written whole; waiting to fill a segment only delays its end.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}
