//! Counted bytes are those on the wire.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use wb_net::{Base, BodyLimit, Connection, Outgoing, Reach, Traffic};

use crate::support::{answer, connection_to, listen, read_request, within, write};
use crate::tls::Authority;

/// A proxy that counts what passes, in both directions.
struct Recorder {
    address: SocketAddr,
    to_server: Arc<AtomicU64>,
    to_client: Arc<AtomicU64>,
}

impl Recorder {
    async fn before(server: SocketAddr) -> Self {
        let (listener, address) = listen().await;
        let to_server = Arc::<AtomicU64>::default();
        let to_client = Arc::<AtomicU64>::default();
        let counters = (Arc::clone(&to_server), Arc::clone(&to_client));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("it listens");
                let server = TcpStream::connect(server).await.expect("it listens");
                let (from_client, into_client) = client.into_split();
                let (from_server, into_server) = server.into_split();
                tokio::spawn(pass(from_client, into_server, Arc::clone(&counters.0)));
                tokio::spawn(pass(from_server, into_client, Arc::clone(&counters.1)));
            }
        });
        Self {
            address,
            to_server,
            to_client,
        }
    }

    fn seen(&self) -> Traffic {
        Traffic {
            sent: self.to_server.load(Ordering::SeqCst),
            received: self.to_client.load(Ordering::SeqCst),
        }
    }
}

/// Passes bytes on, each counted before it can arrive.
async fn pass(mut from: OwnedReadHalf, mut into: OwnedWriteHalf, counter: Arc<AtomicU64>) {
    let mut chunk = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        counter.fetch_add(count as u64, Ordering::SeqCst);
        if into.write_all(&chunk[..count]).await.is_err() {
            return;
        }
    }
}

async fn ask_often(connection: &mut Connection, times: usize) {
    for _ in 0..times {
        let sent = connection.send(Outgoing::get("/"), BodyLimit::default());
        assert_eq!(within(sent).await.expect("an answer").body, b"yes");
    }
}

#[tokio::test]
async fn plain_bytes_are_counted_over_all_connections() {
    let (listener, server) = listen().await;
    tokio::spawn(async move {
        // Two requests for each connection, then the client has to make another.
        loop {
            let (mut socket, _) = listener.accept().await.expect("it listens");
            for _ in 0..2 {
                if read_request(&mut socket).await.is_some() {
                    write(&mut socket, &answer("yes")).await;
                }
            }
        }
    });
    let recorder = Recorder::before(server).await;
    let mut connection = connection_to(recorder.address);
    assert_eq!(connection.traffic(), Traffic::default());
    ask_often(&mut connection, 5).await;
    assert_eq!(connection.traffic(), recorder.seen());
    assert_eq!(
        connection.traffic().received,
        5 * answer("yes").len() as u64,
        "and the recorder is right"
    );
}

#[tokio::test]
async fn tls_is_counted_as_it_travels() {
    let authority = Authority::new();
    let server = authority.serve("localhost").await;
    let recorder = Recorder::before(server).await;
    let base = Base::parse(&format!("https://localhost:{}", recorder.address.port()));
    let mut connection =
        Connection::new(base.expect("a base"), Reach::Lan).with_roots(authority.roots());
    ask_often(&mut connection, 3).await;
    assert_eq!(connection.traffic(), recorder.seen());
    assert!(connection.traffic().received > 3 * answer("yes").len() as u64);
}
