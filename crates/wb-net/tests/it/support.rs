//! Servers and clients that the tests speak to.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wb_net::{Base, Connection, Front, Reach, ServerLimits, serve_with};

/// Long enough for every test on a busy machine; a test that hangs fails instead.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// Long enough that nothing in a test runs into it.
pub const LONG: Duration = Duration::from_secs(300);

/// Short enough to wait for.
pub const SHORT: Duration = Duration::from_millis(100);

/// Runs a test; a hang is a failure.
pub async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS_AFTER, test)
        .await
        .expect("the test does not hang")
}

pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

pub fn connection_to(address: SocketAddr) -> Connection {
    let base = Base::parse(&format!("http://{address}")).expect("an address");
    Connection::new(base, Reach::Lan)
}

/// Our server, running a router.
pub struct Served {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Served {
    pub async fn new(router: Router, limits: ServerLimits) -> Self {
        let front = Front {
            limits,
            ..Front::default()
        };
        Self::behind(router, front).await
    }

    pub async fn behind(router: Router, front: Front) -> Self {
        let (listener, address) = listen().await;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve_with(listener, router, front, async {
            // A sender that is dropped stops it too.
            let _ = stopped.await;
        }));
        Self {
            address,
            stop: Some(stop),
            task,
        }
    }

    pub fn begin_stop(&mut self) {
        self.stop = None;
    }

    /// Stops it and waits until it has.
    pub async fn stop(mut self) {
        self.begin_stop();
        self.task.await.expect("the server does not panic");
    }
}

/// Reads one request from a raw socket, to the end of its body. `None` when the client hung up.
pub async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8(bytes.clone()).expect("test requests are text");
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .next()
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        let mut chunk = [0; 4_096];
        match socket.read(&mut chunk).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&chunk[..count]),
            Ok(0) | Err(_) => return None,
        }
    }
}

/// A whole answer with this body.
pub fn answer(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub async fn write(socket: &mut TcpStream, text: &str) {
    socket
        .write_all(text.as_bytes())
        .await
        .expect("the other side reads");
}

/// Everything until the other side ends the connection, however it does that.
pub async fn read_to_end(socket: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 65_536];
    while let Ok(count @ 1..) = socket.read(&mut chunk).await {
        bytes.extend_from_slice(&chunk[..count]);
    }
    bytes
}
