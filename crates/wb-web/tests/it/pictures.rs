//! Pictures that members ask to see: fetched over TLS from a server of the test, shown from here, gone with their
//! profile; and every way in which a place can be a bad one, with the sentence that a person reads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use image::codecs::png::PngEncoder;
use image::{DynamicImage, GrayImage, RgbImage};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wb_net::fetch::Web;
use wb_net::network::{Answer, Internet, Network, Stream};
use wb_net::rates::Rate;
use wb_net::tls::Roots;
use wb_web::SiteLimits;

use super::site::{Browser, Came, Elm};

const PLACE: &str = "pictures.example.org";
const AT: &str = "https://pictures.example.org/mira.png";
/// Stands beside the points of the picture.
const BESIDE: &str = "canary behind the picture";

/// A network in which the place has an address, and that leads to a server of the test.
struct Mapped {
    resolves_to: &'static str,
    leads_to: SocketAddr,
}

impl Network for Mapped {
    fn resolve<'a>(&'a self, _name: &'a str, port: u16) -> Answer<'a, Vec<SocketAddr>> {
        let address = SocketAddr::new(self.resolves_to.parse().expect("an address"), port);
        Box::pin(async move { Ok(vec![address]) })
    }

    fn connect(&self, _address: SocketAddr) -> Answer<'_, Box<dyn Stream>> {
        Internet.connect(self.leads_to)
    }
}

/// A place on the internet, and a site that reaches it.
struct World {
    elm: Elm,
    said: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn new() -> Self {
        Self::with("93.184.215.14", SiteLimits::default()).await
    }

    /// With a name that resolves so.
    async fn with(resolves_to: &'static str, limits: SiteLimits) -> Self {
        let (roots, acceptor) = certificates();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let network = Mapped {
            resolves_to,
            leads_to: listener.local_addr().expect("it is bound"),
        };
        let (said, asked) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::default());
        tokio::spawn(serve(
            listener,
            acceptor,
            Arc::clone(&said),
            Arc::clone(&asked),
        ));
        let web = Web {
            network: Arc::new(network),
            roots,
        };
        let elm = Elm::reaching(limits, false, web);
        let world = Self { elm, said, asked };
        world.names(AT, "private").await;
        world
    }

    /// What mira's profile says from here.
    async fn names(&self, address: &str, scope: &str) {
        let fields = [
            ("avatar", address),
            ("scope", scope),
            ("share_avatar", "yes"),
        ];
        let mira = self.elm.of("mira");
        let came = self.elm.post(&mira, "/settings/profile", &fields).await;
        assert_eq!(came.status, StatusCode::SEE_OTHER);
    }

    fn page(&self) -> String {
        let node = self.elm.node();
        let user = node.actor(Some("mira")).expect("a member").user;
        format!("/members/{}/{user}", node.own_id())
    }

    fn says(&self, answer: &[u8]) {
        *self.said.lock().expect("nobody panics with it") = answer.to_vec();
    }

    fn gives(&self, body: &[u8]) {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.says(&[head.as_bytes(), body].concat());
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().expect("nobody panics with it").len()
    }

    async fn show(&self, browser: &Browser) -> Came {
        let path = format!("{}/picture", self.page());
        self.elm.post(browser, &path, &[]).await
    }

    async fn file(&self, browser: &Browser) -> Came {
        self.elm
            .get(browser, &format!("{}/picture", self.page()))
            .await
    }
}

/// An authority that the test makes, and a server that proves to be the place.
fn certificates() -> (Roots, TlsAcceptor) {
    let key = KeyPair::generate().expect("randomness");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("a sound request");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("randomness");
    let params = CertificateParams::new(vec![PLACE.to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a sound request");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("key and certificate fit");
    let roots = Roots::only(&[authority.der().to_vec()]).expect("a certificate");
    (roots, TlsAcceptor::from(Arc::new(config)))
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    said: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let (socket, _) = listener.accept().await.expect("it listens");
        let Ok(mut stream) = acceptor.accept(socket).await else {
            continue;
        };
        let mut chunk = [0; 4_096];
        let Ok(count @ 1..) = stream.read(&mut chunk).await else {
            continue;
        };
        let text = String::from_utf8_lossy(&chunk[..count]).into_owned();
        asked.lock().expect("nobody panics with it").push(text);
        let said = said.lock().expect("nobody panics with it").clone();
        if said.is_empty() {
            // It listens and says nothing.
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(stream);
            });
            continue;
        }
        // A client that has read enough hangs up.
        if stream.write_all(&said).await.is_ok() {
            let _ = stream.shutdown().await;
        }
    }
}

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .expect("it is written");
    bytes
}

/// A picture of which every byte is told from others, with a page behind its end.
fn portrait() -> Vec<u8> {
    let points = RgbImage::from_fn(500, 400, |x, y| {
        let mixed = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 3;
        let [a, b, c, _] = mixed.to_le_bytes();
        image::Rgb([a, b, c])
    });
    let page = format!("<!doctype html><script>alert(1)</script>{BESIDE}");
    [png(&points.into()), page.into_bytes()].concat()
}

#[tokio::test]
async fn a_picture_is_fetched_when_somebody_asks_and_then_shown_from_here() {
    let world = World::new().await;
    world.gives(&portrait());
    let omar = world.elm.of("omar");
    let before = world.elm.get(&omar, &world.page()).await.body;
    assert!(!before.contains("<img"), "{before}");
    assert!(before.contains("Show the picture here") && before.contains(PLACE));
    assert_eq!(world.file(&omar).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.times_asked(), 0, "a page that is read asks nobody");

    let shown = world.show(&omar).await;
    assert_eq!(shown.status, StatusCode::SEE_OTHER, "{}", shown.body);
    assert_eq!(shown.location, Some(world.page()));
    let page = world.elm.get(&omar, &world.page()).await.body;
    assert!(
        page.contains(&format!("src=\"{}/picture\"", world.page())),
        "{page}"
    );
    assert!(
        page.contains("alt=\"The picture that mira names\""),
        "{page}"
    );
    assert!(
        page.contains("Fetched by this node") && page.contains(AT),
        "{page}"
    );

    let file = world.file(&omar).await;
    assert_eq!(file.status, StatusCode::OK);
    for (name, value) in [
        ("content-type", "image/jpeg"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-cache"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(file.header(name), Some(value), "{name}");
    }
    let policy = file.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("sandbox") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    let read = image::load_from_memory(&file.bytes).expect("a picture");
    assert_eq!((read.width(), read.height()), (320, 256));
    assert!(!file.body.contains(BESIDE) && !file.body.contains("<script>"));

    // Whoever asks for it again, or is another member, makes nobody fetch it again.
    world.show(&world.elm.of("stella")).await;
    assert_eq!(world.times_asked(), 1);
    let asked = world.asked.lock().expect("nobody panics with it")[0].to_lowercase();
    for told in ["cookie", "referer", "user-agent", "omar", "elm.test"] {
        assert!(!asked.contains(told), "{told}: {asked}");
    }

    let away = format!("{}/picture/away", world.page());
    let away = world.elm.post(&omar, &away, &[]).await;
    assert_eq!(away.location, Some(world.page()));
    assert_eq!(world.file(&omar).await.status, StatusCode::NOT_FOUND);
    let audit = world.elm.get(&world.elm.of("ada"), "/audit").await.body;
    assert!(
        audit.contains("picture show") && audit.contains("picture away"),
        "{audit}"
    );
}

#[tokio::test]
async fn a_picture_goes_when_its_profile_names_another() {
    let world = World::new().await;
    world.gives(&portrait());
    let omar = world.elm.of("omar");
    world.show(&omar).await;
    let file = world.file(&omar).await.bytes;
    world
        .names("https://pictures.example.org/new.png", "private")
        .await;
    assert_eq!(world.file(&omar).await.status, StatusCode::NOT_FOUND);
    let folder = world.elm.node().store().home().dir().to_owned();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("a file").path();
        let bytes = std::fs::read(&entry).unwrap_or_default();
        for piece in file[1_000..].chunks_exact(24).step_by(97) {
            let found = bytes.windows(piece.len()).any(|window| window == piece);
            assert!(!found, "{}", entry.display());
        }
    }
}

#[tokio::test]
async fn who_is_no_member_neither_sees_nor_fetches() {
    let world = World::new().await;
    world.gives(&portrait());
    for browser in [world.elm.stranger(), world.elm.waiting()] {
        assert_eq!(world.show(&browser).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(world.file(&browser).await.status, StatusCode::UNAUTHORIZED);
    }
    // Nor does another site, in the name of a member.
    let omar = world.elm.of("omar");
    let path = format!("{}/picture", world.page());
    let came = world.elm.ask(&omar, Method::POST, &path, &[]).await;
    assert_eq!(came.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.times_asked(), 0);
}

#[tokio::test]
async fn a_member_makes_the_node_fetch_only_so_often() {
    let limits = SiteLimits {
        picture: Rate {
            burst: 2,
            every_ms: 3_600_000,
        },
        ..SiteLimits::default()
    };
    let world = World::with("93.184.215.14", limits).await;
    world.gives(b"no picture");
    let omar = world.elm.of("omar");
    for _ in 0..2 {
        assert_eq!(world.show(&omar).await.status, StatusCode::OK);
    }
    let third = world.show(&omar).await;
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(third.header("retry-after").is_some());
    assert_eq!(world.times_asked(), 2);
    let stella = world.elm.of("stella");
    assert_eq!(
        world.show(&stella).await.status,
        StatusCode::OK,
        "for others it counts anew"
    );
}

/// What comes of a place that says this: the sentence on the page.
async fn refused(world: &World, browser: &Browser, what: &str) -> String {
    let came = world.show(browser).await;
    assert_eq!(came.status, StatusCode::OK, "{what}: {}", came.body);
    let alert = came.body.split("role=\"alert\"><bdi>").nth(1);
    let said = alert.and_then(|rest| rest.split("</bdi>").next());
    let said = said
        .unwrap_or_else(|| panic!("{what}: {}", came.body))
        .to_owned();
    assert!(said.contains("Nothing was kept."), "{what}: {said}");
    assert!(came.body.contains("Show the picture here"), "{what}");
    assert_eq!(
        world.file(browser).await.status,
        StatusCode::NOT_FOUND,
        "{what}"
    );
    said
}

#[tokio::test]
async fn whatever_is_no_picture_is_told_in_a_sentence_and_nothing_is_kept() {
    let world = World::new().await;
    let omar = world.elm.of("omar");
    let drawn = png(&RgbImage::new(8, 8).into());
    let bomb = png(&GrayImage::new(4_001, 4_001).into());
    let mut moves = drawn.clone();
    // `acTL`, two frames, for ever; with its sum.
    let frames = b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0\xf3\x8d\x93\x70";
    moves.splice(33..33, frames.iter().copied());
    for (what, body, says) in [
        ("an empty body", &b""[..], "The answer was empty."),
        (
            "a drawing",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>",
            "not a picture in PNG",
        ),
        (
            "a page",
            b"<!doctype html><title>Log in</title>",
            "not a picture in PNG",
        ),
        (
            "a GIF",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            "not a picture in PNG",
        ),
        ("one that moves", &moves, "The picture moves"),
        ("a bomb", &bomb, "larger than 16 million points"),
        ("half of one", &drawn[..drawn.len() / 2], "damaged"),
    ] {
        world.gives(body);
        let said = refused(&world, &omar, what).await;
        assert!(said.contains(says), "{what}: {said}");
    }
    for (what, said_there, says) in [
        (
            "a redirect inside",
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            "is somewhere else",
        ),
        (
            "a huge file",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
            "larger than 6 MB",
        ),
        (
            "nothing there",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "no such picture",
        ),
        (
            "no HTTP",
            "220 mail.example.org ESMTP\r\n",
            "not one that can be read",
        ),
        (
            "an end too soon",
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
            "cannot be reached",
        ),
    ] {
        world.says(said_there.as_bytes());
        let said = refused(&world, &omar, what).await;
        assert!(said.contains(says), "{what}: {said}");
    }
}

#[tokio::test]
async fn a_place_that_says_nothing_is_given_up_in_a_few_seconds() {
    let world = World::new().await;
    let omar = world.elm.of("omar");
    let said = refused(&world, &omar, "silence").await;
    assert!(said.contains("took too long"), "{said}");
    assert!(said.contains("Try again later."), "{said}");
}

#[tokio::test]
async fn an_address_that_leads_inside_is_not_asked() {
    let world = World::with("127.0.0.1", SiteLimits::default()).await;
    world.gives(&portrait());
    let omar = world.elm.of("omar");
    let said = refused(&world, &omar, "inside").await;
    assert!(said.contains("so it was not asked"), "{said}");
    assert_eq!(world.times_asked(), 0);
}

#[tokio::test]
async fn an_address_that_anybody_on_the_way_could_answer_has_no_button() {
    let world = World::new().await;
    world
        .names("http://pictures.example.org/mira.png", "private")
        .await;
    let omar = world.elm.of("omar");
    let page = world.elm.get(&omar, &world.page()).await.body;
    assert!(!page.contains("Show the picture here"), "{page}");
    assert!(page.contains("begin with https"), "{page}");
    let came = world.show(&omar).await;
    assert!(came.body.contains("Nothing was kept."), "{}", came.body);
    assert_eq!(world.times_asked(), 0);
}
