//! How nodes and hubs reach each other: HTTP/1.1 over TCP, with TLS on the way out, within limits.
//!
//! It moves bytes between an address and a caller and promises that neither a hostile server nor a
//! hostile client makes it wait, grow or connect without bound. Calls and answers are signed ([`signed`]); what
//! they mean and which routes exist is decided above it. Time is tokio's, so a paused or simulated runtime
//! owns it; the one exception is the validity of certificates, which rustls reads from the clock of
//! the system.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use wb_net::{Base, BodyLimit, Connection, Outgoing, Reach};
//!
//! let base = Base::parse("https://hub.example.org/wb")?;
//! let mut connection = Connection::new(base, Reach::Global);
//! let answer = connection
//!     .send(Outgoing::get("/sync/v1/hello"), BodyLimit::default())
//!     .await?;
//! assert_eq!(answer.status, 200);
//! # Ok(())
//! # }
//! ```

pub mod address;
pub mod body;
pub mod certificate;
pub mod client;
pub mod fetch;
pub mod hub;
pub mod metrics;
pub mod network;
pub mod pace;
pub mod peer;
pub mod proxies;
pub mod rates;
pub mod reach;
pub mod server;
pub mod signed;
pub mod tls;

mod admit;
mod count;
mod watch;

pub use address::{AddressError, Base};
pub use admit::client_of;
pub use body::{BodyError, BodyLimit};
pub use certificate::{Certificate, CertificateError};
pub use client::{Connection, Incoming, NetError, Outgoing, Traffic};
pub use hub::{HubClient, SnapshotPage};
pub use peer::PeerClient;
pub use proxies::{Client, Proxies, Road};
pub use reach::Reach;
pub use server::{
    Front, RemoteAddress, ServerLimits, read_body, read_body_telling, serve, serve_stream,
    serve_with,
};
