//! TLS on the way out: whom to believe, and which versions are spoken.
//!
//! Only TLS 1.3, only with ring; what a server shows is in `certificate.rs`. The
//! provider is given to each configuration by name, so nothing is installed for the whole process.

use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::address::Host;

/// The protocol that is offered within TLS.
pub(crate) const ALPN: &[u8] = b"http/1.1";

static MOZILLA: LazyLock<Roots> = LazyLock::new(|| {
    Roots::of(RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    })
});

/// The authorities whose certificates are believed.
#[derive(Clone)]
pub struct Roots(Arc<ClientConfig>);

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Roots")
    }
}

impl Roots {
    /// Mozilla's authorities, as compiled in.
    #[must_use]
    pub fn mozilla() -> Self {
        MOZILLA.clone()
    }

    /// Only these authorities, each a certificate in DER.
    ///
    /// # Errors
    /// When one of them is not a certificate.
    pub fn only(certificates: &[Vec<u8>]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots.add(CertificateDer::from_slice(certificate))?;
        }
        Ok(Self::of(roots))
    }

    fn of(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring has suites of TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![ALPN.to_vec()];
        Self(Arc::new(config))
    }

    pub(crate) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.0))
    }
}

/// The name that a server's certificate has to carry.
pub(crate) fn server_name(host: &Host) -> Option<ServerName<'static>> {
    match host {
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        Host::Address(address) => Some(ServerName::from(*address)),
    }
}

/// An authority that is not one.
#[derive(Debug, thiserror::Error)]
#[error("not a certificate of an authority: {0}")]
pub struct RootsError(#[from] rustls::Error);
