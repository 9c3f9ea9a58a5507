//! TLS that ends at our server, with a certificate from files and a client that believes its authority.

use std::path::PathBuf;
use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::net::TcpStream;
use wb_core::time::Timestamp;
use wb_net::tls::Roots;
use wb_net::{
    Base, BodyLimit, Certificate, CertificateError, Client, Connection, Front, Incoming, NetError,
    Outgoing, Reach, ServerLimits,
};

use crate::support::{SHORT, Served, read_to_end, within, write};

/// An authority, and a folder with what it issued.
struct Issued {
    folder: tempfile::TempDir,
    authority: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Issued {
    fn new() -> Self {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).expect("a sound request");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            authority: authority.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `NAME.crt` and `NAME.key` for this machine, valid within these years.
    fn write(&self, name: &str, years: (i32, i32)) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("a request");
        let paths = (
            self.path(&format!("{name}.crt")),
            self.path(&format!("{name}.key")),
        );
        std::fs::write(&paths.0, certificate.pem()).expect("a file");
        std::fs::write(&paths.1, key.serialize_pem()).expect("a file");
        paths
    }

    async fn ask(&self, served: &Served) -> Result<Incoming, NetError> {
        let base = format!("https://localhost:{}", served.address.port());
        let roots = Roots::only(std::slice::from_ref(&self.authority)).expect("an authority");
        let base = Base::parse(&base).expect("a base");
        let mut connection = Connection::new(base, Reach::Lan).with_roots(roots);
        within(connection.send(Outgoing::get("/"), BodyLimit::default())).await
    }
}

fn now() -> Timestamp {
    "2026-11-22T10:23:59.123Z".parse().expect("a time")
}

fn read(paths: &(PathBuf, PathBuf)) -> Result<Certificate, CertificateError> {
    Certificate::read(&paths.0, &paths.1, now())
}

async fn served(certificate: Certificate, limits: ServerLimits) -> Served {
    let tell = |Extension(client): Extension<Client>| async move { format!("{:?}", client.road) };
    let front = Front {
        limits,
        proxies: Arc::default(),
        tls: Some(certificate),
    };
    Served::behind(Router::new().route("/", get(tell)), front).await
}

#[tokio::test]
async fn a_client_that_believes_the_authority_is_served_over_tls() {
    let issued = Issued::new();
    let certificate = read(&issued.write("elm", (2020, 4000))).expect("a sound pair");
    assert!(
        certificate
            .valid_until()
            .to_string()
            .starts_with("4000-01-01")
    );
    let served = served(certificate, ServerLimits::default()).await;
    let answer = issued.ask(&served).await.expect("an answer");
    assert_eq!(answer.body, b"Tls");
    // Whoever speaks in the clear is told nothing.
    let mut socket = TcpStream::connect(served.address)
        .await
        .expect("it listens");
    write(&mut socket, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let came = within(read_to_end(&mut socket)).await;
    assert!(!String::from_utf8_lossy(&came).contains("HTTP"));
    within(served.stop()).await;
}

#[tokio::test]
async fn who_opens_a_connection_and_does_not_greet_is_cut_off() {
    let issued = Issued::new();
    let certificate = read(&issued.write("elm", (2020, 4000))).expect("a sound pair");
    let limits = ServerLimits {
        head: SHORT,
        ..ServerLimits::default()
    };
    let served = served(certificate, limits).await;
    let mut socket = TcpStream::connect(served.address)
        .await
        .expect("it listens");
    assert!(within(read_to_end(&mut socket)).await.is_empty());
    within(served.stop()).await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_once_it_is_read_again_and_a_damaged_one_never() {
    let issued = Issued::new();
    let paths = issued.write("elm", (2020, 3000));
    let certificate = read(&paths).expect("a sound pair");
    let served = served(certificate.clone(), ServerLimits::default()).await;
    std::fs::write(&paths.0, "nothing").expect("a file");
    assert!(certificate.reload(now()).is_err());
    assert!(issued.ask(&served).await.is_ok());
    // One of an authority that the client does not know, so that it tells which is shown.
    let other = Issued::new();
    let renewed = other.write("elm", (2020, 4000));
    for (from, to) in [(renewed.0, &paths.0), (renewed.1, &paths.1)] {
        std::fs::copy(from, to).expect("a file");
    }
    assert!(issued.ask(&served).await.is_ok());
    certificate.reload(now()).expect("a sound pair");
    assert!(issued.ask(&served).await.is_err());
    assert!(other.ask(&served).await.is_ok());
    within(served.stop()).await;
}

#[test]
fn what_is_wrong_with_a_pair_is_named() {
    let issued = Issued::new();
    let (elm, oak) = (
        issued.write("elm", (2020, 4000)),
        issued.write("oak", (2020, 4000)),
    );
    let wrong = |certificate: &PathBuf, key: &PathBuf| {
        let read = Certificate::read(certificate, key, now());
        read.expect_err("it is refused").to_string()
    };
    let mismatch = wrong(&elm.0, &oak.1);
    assert!(mismatch.contains("oak.key is not the key of"), "{mismatch}");
    let missing = wrong(&issued.path("none.crt"), &elm.1);
    assert!(missing.contains("none.crt: No such file"), "{missing}");
    for (certificate, key, what) in [
        (&elm.1, &elm.1, "elm.key holds no certificate"),
        (&elm.0, &elm.0, "elm.crt holds no private key"),
    ] {
        let text = wrong(certificate, key);
        assert!(text.contains(what), "{text}");
    }
    let old = issued.write("old", (2020, 2025));
    let text = wrong(&old.0, &old.1);
    assert!(text.contains("ended at 2025-01-01"), "{text}");
    let early = issued.write("early", (2030, 2031));
    let text = wrong(&early.0, &early.1);
    assert!(text.contains("valid from 2030-01-01"), "{text}");
    let damaged = issued.path("damaged.crt");
    let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&damaged, text).expect("a file");
    let text = wrong(&damaged, &elm.1);
    assert!(text.contains("it is damaged"), "{text}");
}
