//! Why a request got no answer.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::body::BodyError;

/// Why a request got no answer. Nothing here says whether the request took effect.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The request itself cannot be sent; the fault is here.
    #[error("the request cannot be sent: {0}")]
    Request(String),
    /// The name leads nowhere.
    #[error("`{host}` cannot be resolved: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// Every address of the host is inside some network.
    #[error("`{host}` is at {address}, which is not on the public internet")]
    NotGlobal {
        /// The name or address that was asked.
        host: String,
        /// The first of its addresses.
        address: IpAddr,
    },
    /// No address accepts a connection.
    #[error("{address} cannot be reached: {source}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The server cannot prove that it is who was asked, or speaks another TLS.
    #[error("no secure connection to `{host}`: {source}")]
    Tls {
        /// Who was asked.
        host: String,
        /// What the handshake came to.
        source: io::Error,
    },
    /// It took too long.
    #[error("timed out: {what}")]
    TimedOut {
        /// What did not come in time.
        what: &'static str,
    },
    /// The answer is larger than was asked for.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit that it exceeds.
        limit: usize,
    },
    /// The connection ended before the answer did.
    #[error("the connection broke: {0}")]
    Closed(Box<dyn std::error::Error + Send + Sync>),
    /// The answer is not HTTP as it is spoken here.
    #[error("the answer is not understood: {0}")]
    Protocol(Box<dyn std::error::Error + Send + Sync>),
}

impl NetError {
    /// The stable word for programs: `unreachable`, `timeout`, `tls`, `too_large`, `bad_answer`, or
    /// `bad_request` when nothing was sent because the fault is here.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Request(_) => "bad_request",
            Self::Resolve { .. }
            | Self::NotGlobal { .. }
            | Self::Connect { .. }
            | Self::Closed(_) => "unreachable",
            Self::Tls { .. } => "tls",
            Self::TimedOut { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Protocol(_) => "bad_answer",
        }
    }

    pub(super) fn from_hyper(error: hyper::Error) -> Self {
        if error.is_parse() {
            Self::Protocol(error.into())
        } else if error.is_user() {
            Self::Request(error.to_string())
        } else {
            Self::Closed(error.into())
        }
    }

    pub(super) fn from_body(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => Self::TooLarge { limit },
            BodyError::TooSlow { what } => Self::TimedOut { what },
            BodyError::Broken(source) => Self::Closed(source),
            other @ (BodyError::Ratio
            | BodyError::Encoding(_)
            | BodyError::Damaged(_)
            | BodyError::Trailing) => Self::Protocol(other.into()),
        }
    }
}
