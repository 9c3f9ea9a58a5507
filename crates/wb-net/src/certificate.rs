//! The certificate that a server shows: two files, checked before anybody is answered, read again on demand.
//!
//! What is wrong with the files is found here and named: missing, unreadable, of two different keys, not
//! valid yet or any more. Whether browsers believe whoever issued it is theirs to decide.

mod validity;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use tokio_rustls::TlsAcceptor;
use wb_core::time::Timestamp;

use crate::network::Stream;
use crate::tls::ALPN;
use validity::validity;

/// Largest file that is read; protects memory from a path that names something else.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// A certificate and its key.
#[derive(Clone)]
pub struct Certificate {
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
}

/// What connections are shown from now on; those that are open keep what they were shown.
struct Shown {
    certificate: PathBuf,
    key: PathBuf,
    pair: RwLock<Pair>,
}

#[derive(Clone)]
struct Pair {
    certified: Arc<CertifiedKey>,
    until: Timestamp,
}

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("{} holds no {what} in PEM (text that begins with -----BEGIN)", path.display())]
    NotPem {
        /// Which.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The certificate cannot be read, or the key cannot be used.
    #[error("{} cannot be used: {why}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The key is that of another certificate.
    #[error("{} is not the key of {}", key.display(), certificate.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// It is over.
    #[error("the certificate in {} ended at {until}", path.display())]
    Expired {
        /// Which.
        path: PathBuf,
        /// When.
        until: Timestamp,
    },
    /// It has not begun.
    #[error("the certificate in {} is valid from {from} only; is the clock of this computer right?", path.display())]
    NotYet {
        /// Which.
        path: PathBuf,
        /// When.
        from: Timestamp,
    },
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.shown.certificate.display())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({})", self.certificate.display())
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair().certified)
    }
}

impl Shown {
    fn pair(&self) -> Pair {
        let pair = self.pair.read();
        pair.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Certificate {
    /// Reads both files: the certificate with those that vouch for it after it, and its key.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn read(certificate: &Path, key: &Path, now: Timestamp) -> Result<Self, CertificateError> {
        let shown = Arc::new(Shown {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            pair: RwLock::new(read_pair(certificate, key, now)?),
        });
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Shown>::clone(&shown);
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring has suites of TLS 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self {
            shown,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Reads the files again, after they were renewed. What is wrong with them changes nothing.
    ///
    /// # Errors
    /// As [`Certificate::read`].
    pub fn reload(&self, now: Timestamp) -> Result<(), CertificateError> {
        let pair = read_pair(&self.shown.certificate, &self.shown.key, now)?;
        let held = self.shown.pair.write();
        *held.unwrap_or_else(PoisonError::into_inner) = pair;
        Ok(())
    }

    /// Until when the one that is shown is valid.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.shown.pair().until
    }

    /// Greets a client.
    pub(crate) async fn accept<S: Stream>(
        &self,
        socket: S,
    ) -> std::io::Result<tokio_rustls::server::TlsStream<S>> {
        self.acceptor.accept(socket).await
    }
}

fn read_pair(certificate: &Path, key: &Path, now: Timestamp) -> Result<Pair, CertificateError> {
    let chain = read_chain(certificate)?;
    let private = read_key(key)?;
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |why: String| CertificateError::Unusable { path, why }
    };
    let leaf = chain.first().map_or(&[][..], |leaf| leaf.as_ref());
    let valid = validity(leaf).ok_or_else(|| unusable(certificate)("it is damaged".to_owned()))?;
    let signing = ring::default_provider()
        .key_provider
        .load_private_key(private)
        .map_err(|error| unusable(key)(error.to_string()))?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(CertificateError::Mismatch {
                key: key.to_owned(),
                certificate: certificate.to_owned(),
            });
        }
        Err(error) => return Err(unusable(certificate)(error.to_string())),
    }
    if now < valid.from {
        return Err(CertificateError::NotYet {
            path: certificate.to_owned(),
            from: valid.from,
        });
    }
    if valid.until < now {
        return Err(CertificateError::Expired {
            path: certificate.to_owned(),
            until: valid.until,
        });
    }
    Ok(Pair {
        certified: Arc::new(certified),
        until: valid.until,
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let text = read_file(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let not_pem = || CertificateError::NotPem {
        path: path.to_owned(),
        what: "certificate",
    };
    let chain = chain.map_err(|_: pem::Error| not_pem())?;
    if chain.is_empty() {
        return Err(not_pem());
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let text = read_file(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| CertificateError::NotPem {
        path: path.to_owned(),
        what: "private key",
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, CertificateError> {
    use std::io::Read as _;
    let wrong = |source| CertificateError::File {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(PEM_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(wrong)?;
    Ok(bytes)
}
