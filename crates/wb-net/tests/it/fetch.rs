//! Fetching a file from an address that nobody vouches for: where it leads, what is told there, and how much and how
//! long it may take.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use wb_net::NetError;
use wb_net::fetch::{FETCH_BYTES_MAX, FetchError, FileAddress, Web};
use wb_net::network::{Answer, Internet, Network, Stream};
use wb_net::tls::Roots;

use crate::support::{answer, within};
use crate::tls::Authority;

/// An address on the public internet; here it leads to a server of the test.
const PUBLIC: &str = "93.184.215.14";

/// A network in which every name has one address, and every connection ends at one place, or never does.
struct Mapped {
    resolves_to: &'static str,
    leads_to: Option<SocketAddr>,
    tried: Mutex<Vec<SocketAddr>>,
}

impl Mapped {
    fn new(resolves_to: &'static str, leads_to: Option<SocketAddr>) -> Arc<Self> {
        Arc::new(Self {
            resolves_to,
            leads_to,
            tried: Mutex::default(),
        })
    }

    fn tried(&self) -> usize {
        self.tried.lock().expect("no test panics with it").len()
    }
}

impl Network for Mapped {
    fn resolve<'a>(&'a self, _name: &'a str, port: u16) -> Answer<'a, Vec<SocketAddr>> {
        let address = SocketAddr::new(self.resolves_to.parse().expect("an address"), port);
        Box::pin(async move { Ok(vec![address]) })
    }

    fn connect(&self, address: SocketAddr) -> Answer<'_, Box<dyn Stream>> {
        let mut tried = self.tried.lock().expect("no test panics with it");
        tried.push(address);
        let leads_to = self.leads_to;
        Box::pin(async move {
            match leads_to {
                Some(address) => Internet.connect(address).await,
                None => std::future::pending::<io::Result<Box<dyn Stream>>>().await,
            }
        })
    }
}

async fn fetch(network: &Arc<Mapped>, roots: Roots, address: &str) -> Result<Vec<u8>, FetchError> {
    let web = Web {
        network: Arc::clone(network) as Arc<dyn Network>,
        roots,
    };
    let address = FileAddress::parse(address).expect("an address");
    within(web.fetch(&address)).await
}

/// What comes of a server that says this.
async fn fetch_saying(said: String) -> (Result<Vec<u8>, FetchError>, Vec<String>) {
    let authority = Authority::new();
    let (server, asked) = authority.serve_saying("pictures.example.org", said).await;
    let network = Mapped::new(PUBLIC, Some(server));
    let address = "https://pictures.example.org/mira.png?s=200#top";
    let came = fetch(&network, authority.roots(), address).await;
    let asked = asked.lock().expect("no test panics with it").clone();
    (came, asked)
}

#[tokio::test]
async fn a_place_is_told_what_is_asked_for_and_nothing_else() {
    let (came, asked) = fetch_saying(answer("yes")).await;
    assert_eq!(came.expect("it comes"), b"yes");
    let asked = asked.concat().to_ascii_lowercase();
    let mut lines: Vec<&str> = asked.lines().filter(|line| !line.is_empty()).collect();
    lines[1..].sort_unstable();
    let wanted = [
        "get /mira.png?s=200 http/1.1",
        "accept: image/*",
        "host: pictures.example.org",
    ];
    assert_eq!(lines, wanted);
}

#[tokio::test]
async fn an_address_that_leads_inside_is_not_connected_to() {
    for inside in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:192.168.0.1",
        "fd00::1",
    ] {
        let authority = Authority::new();
        let (server, asked) = authority
            .serve_saying("pictures.example.org", answer("inside"))
            .await;
        let network = Mapped::new(inside, Some(server));
        let address = "https://pictures.example.org/mira.png";
        let came = fetch(&network, authority.roots(), address).await;
        assert!(
            matches!(came, Err(FetchError::Net(NetError::NotGlobal { .. }))),
            "{inside}: {came:?}"
        );
        assert_eq!(network.tried(), 0, "{inside}");
        assert!(asked.lock().expect("no test panics with it").is_empty());
    }
    // Written out it is the same.
    let network = Mapped::new(PUBLIC, None);
    let came = fetch(&network, Roots::mozilla(), "https://127.0.0.1/mira.png").await;
    assert!(
        matches!(came, Err(FetchError::Net(NetError::NotGlobal { .. }))),
        "{came:?}"
    );
    assert_eq!(network.tried(), 0);
}

#[tokio::test]
async fn a_place_that_says_to_look_elsewhere_is_not_obeyed() {
    for elsewhere in [
        "https://127.0.0.1/secret",
        "https://pictures.example.org/two.png",
    ] {
        let said =
            format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 3\r\n\r\nyes");
        let (came, asked) = fetch_saying(said).await;
        assert!(matches!(came, Err(FetchError::Elsewhere(302))), "{came:?}");
        assert_eq!(asked.len(), 1, "{asked:?}");
    }
}

#[tokio::test]
async fn what_is_too_much_empty_packed_or_not_there_is_no_file() {
    let too_long = FETCH_BYTES_MAX + 1;
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {too_long}\r\n\r\n");
    let (came, _) = fetch_saying(announced).await;
    assert!(
        matches!(came, Err(FetchError::Net(NetError::TooLarge { .. }))),
        "{came:?}"
    );
    // One that does not say how much it is.
    let chunk = "x".repeat(0x10_0000);
    let endless = format!("100000\r\n{chunk}\r\n").repeat(7);
    let said = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{endless}0\r\n\r\n");
    let (came, _) = fetch_saying(said).await;
    assert!(
        matches!(came, Err(FetchError::Net(NetError::TooLarge { .. }))),
        "{came:?}"
    );
    let (came, _) = fetch_saying(answer("")).await;
    assert!(matches!(came, Err(FetchError::Empty)), "{came:?}");
    let packed = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nyes";
    let (came, _) = fetch_saying(packed.to_owned()).await;
    assert!(matches!(came, Err(FetchError::Encoded)), "{came:?}");
    let gone = "HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nyes";
    let (came, _) = fetch_saying(gone.to_owned()).await;
    assert!(matches!(came, Err(FetchError::Status(404))), "{came:?}");
}

#[tokio::test]
async fn a_place_that_cannot_prove_its_name_is_not_believed() {
    let authority = Authority::new();
    let (server, asked) = authority
        .serve_saying("another.example.org", answer("yes"))
        .await;
    let network = Mapped::new(PUBLIC, Some(server));
    let address = "https://pictures.example.org/mira.png";
    let came = fetch(&network, authority.roots(), address).await;
    assert!(
        matches!(came, Err(FetchError::Net(NetError::Tls { .. }))),
        "{came:?}"
    );
    assert!(asked.lock().expect("no test panics with it").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_place_that_never_answers_is_given_up() {
    let network = Mapped::new(PUBLIC, None);
    let address = "https://pictures.example.org/mira.png";
    let came = fetch(&network, Roots::mozilla(), address).await;
    assert!(
        matches!(came, Err(FetchError::Net(NetError::TimedOut { .. }))),
        "{came:?}"
    );
    assert_eq!(network.tried(), 1);
}
