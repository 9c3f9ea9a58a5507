//! TLS against an authority that the test makes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use wb_net::client::Patience;
use wb_net::tls::Roots;
use wb_net::{Base, BodyLimit, Connection, Incoming, NetError, Outgoing, Reach};

use crate::support::{SHORT, answer, listen, within};

pub struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a sound request");
        Self {
            certificate: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    pub fn roots(&self) -> Roots {
        Roots::only(std::slice::from_ref(&self.certificate)).expect("a certificate")
    }

    /// A server that proves this name; it answers every request with `yes`.
    pub async fn serve(&self, name: &str) -> SocketAddr {
        self.serve_saying(name, answer("yes")).await.0
    }

    /// A server that proves this name and says the same to every request, and what it was asked.
    pub async fn serve_saying(
        &self,
        name: &str,
        said: String,
    ) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let asked = Arc::clone(&seen);
        let key = KeyPair::generate().expect("randomness");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a sound request");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("key and certificate fit");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("it listens");
                let (acceptor, said) = (acceptor.clone(), said.clone());
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    // A client that refuses the certificate hangs up here.
                    let Ok(mut stream) = acceptor.accept(socket).await else {
                        return;
                    };
                    let mut chunk = [0; 4_096];
                    // The requests of these tests are short, so one read brings a whole one.
                    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
                        let text = String::from_utf8_lossy(&chunk[..count]).into_owned();
                        seen.lock().expect("no test panics with it").push(text);
                        // A client that has read enough hangs up.
                        if stream.write_all(said.as_bytes()).await.is_err()
                            || stream.flush().await.is_err()
                        {
                            return;
                        }
                    }
                });
            }
        });
        (address, asked)
    }
}

async fn ask(host: &str, address: SocketAddr, roots: Roots) -> Result<Incoming, NetError> {
    let base = Base::parse(&format!("https://{host}:{}", address.port())).expect("a base");
    let mut connection = Connection::new(base, Reach::Lan).with_roots(roots);
    within(connection.send(Outgoing::get("/"), BodyLimit::default())).await
}

fn is_tls(asked: &Result<Incoming, NetError>) -> bool {
    matches!(asked, Err(error @ NetError::Tls { .. }) if error.cause() == "tls")
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_believed() {
    let authority = Authority::new();
    for name in ["localhost", "127.0.0.1"] {
        let address = authority.serve(name).await;
        let answer = ask(name, address, authority.roots()).await;
        assert_eq!(answer.expect(name).body, b"yes");
    }
}

#[tokio::test]
async fn a_server_that_proves_another_name_is_refused() {
    let authority = Authority::new();
    let address = authority.serve("hub.example.org").await;
    for name in ["localhost", "127.0.0.1"] {
        let asked = ask(name, address, authority.roots()).await;
        assert!(is_tls(&asked), "{name}: {asked:?}");
        let error = asked.expect_err("refused").to_string();
        assert!(
            error.contains("hub.example.org"),
            "it says what it proved: {error}"
        );
    }
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let authority = Authority::new();
    let address = authority.serve("localhost").await;
    for roots in [Authority::new().roots(), Roots::mozilla()] {
        let asked = ask("localhost", address, roots).await;
        assert!(is_tls(&asked), "{asked:?}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut hello = [0; 1];
        socket.read_exact(&mut hello).await.expect("a greeting");
        let plain = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(plain).await.expect("the client reads");
    });
    let asked = ask("localhost", address, Roots::mozilla()).await;
    assert!(is_tls(&asked), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_given_up() {
    let (listener, address) = listen().await;
    let base = Base::parse(&format!("https://{address}")).expect("a base");
    let mut connection = Connection::new(base, Reach::Lan).with_patience(Patience {
        tls: SHORT,
        ..Patience::default()
    });
    let sent = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert!(matches!(sent, Err(NetError::TimedOut { .. })), "{sent:?}");
    drop(listener);
}

#[test]
fn an_authority_is_a_certificate() {
    assert!(Roots::only(&[b"not one".to_vec()]).is_err());
}
