//! The server against clients that are slow, greedy or many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use wb_net::body::receive;
use wb_net::pace::Pace;
use wb_net::{BodyError, BodyLimit, Client, NetError, Outgoing, ServerLimits, read_body};

use crate::support::{LONG, SHORT, Served, connection_to, read_to_end, within, write};

/// Limits that no test runs into.
fn wide() -> ServerLimits {
    ServerLimits {
        connections: 100,
        connections_per_client: 100,
        head: LONG,
        idle: LONG,
        stall: LONG,
        finish: LONG,
    }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

fn status_of(error: &BodyError) -> StatusCode {
    match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
        BodyError::Ratio
        | BodyError::Encoding(_)
        | BodyError::Damaged(_)
        | BodyError::Trailing
        | BodyError::Broken(_) => StatusCode::BAD_REQUEST,
    }
}

/// Gives a body back, when it has at most this many bytes.
fn echo(bytes_max: usize) -> Router {
    let answer = move |body: Body| async move {
        match read_body(body, BodyLimit::bytes(bytes_max)).await {
            Ok(bytes) => bytes.into_response(),
            Err(error) => status_of(&error).into_response(),
        }
    };
    Router::new().route("/", any(answer))
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.address)
        .await
        .expect("it listens")
}

/// Sends this, says nothing more, and reads until the server hangs up.
async fn say(served: &Served, text: &str) -> String {
    let mut socket = connect(served).await;
    write(&mut socket, text).await;
    socket.shutdown().await.expect("still open");
    let bytes = within(read_to_end(&mut socket)).await;
    String::from_utf8(bytes).expect("answers are text")
}

/// Sends a byte now and then until the server hangs up; whatever came back.
async fn trickle(mut socket: TcpStream, byte: u8) -> String {
    let (mut reading, mut writing) = socket.split();
    let mut answer = Vec::new();
    let dripping = async {
        while writing.write_all(&[byte]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Reading is what ends this.
        std::future::pending::<()>().await;
    };
    within(async {
        tokio::select! {
            _ = reading.read_to_end(&mut answer) => {}
            () = dripping => {}
        }
    })
    .await;
    String::from_utf8(answer).expect("answers are text")
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_off() {
    let limits = ServerLimits {
        head: SHORT,
        ..wide()
    };
    let served = Served::new(hello(), limits).await;
    let mut socket = connect(&served).await;
    write(&mut socket, "GET / HTTP/1.1\r\nhost: x\r\nx: ").await;
    assert_eq!(trickle(socket, b'a').await, "");
    within(served.stop()).await;
}

#[tokio::test]
async fn a_head_that_trickles_after_an_answer_is_cut_off() {
    let limits = ServerLimits {
        head: SHORT,
        ..wide()
    };
    let served = Served::new(hello(), limits).await;
    let mut socket = connect(&served).await;
    write(&mut socket, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut answer = [0; 5];
    while !answer.ends_with(b"hello") {
        answer.rotate_left(1);
        within(socket.read_exact(&mut answer[4..]))
            .await
            .expect("an answer");
    }
    write(&mut socket, "GET / HTTP/1.1\r\nx: ").await;
    assert_eq!(trickle(socket, b'a').await, "");
    within(served.stop()).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_cut_off() {
    let limits = ServerLimits {
        head: SHORT,
        ..wide()
    };
    let served = Served::new(hello(), limits).await;
    let mut socket = connect(&served).await;
    assert!(within(read_to_end(&mut socket)).await.is_empty());
    within(served.stop()).await;
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let served = Served::new(hello(), wide()).await;
    let mut socket = connect(&served).await;
    let mut head = "GET / HTTP/1.1\r\nhost: x\r\nx: ".to_owned();
    head.push_str(&"a".repeat(100_000));
    write(&mut socket, &head).await;
    let answer = within(read_to_end(&mut socket)).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 431 "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    within(served.stop()).await;
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off() {
    let pace = Pace {
        idle: LONG,
        grace: SHORT,
        bytes_per_second_min: 1_000_000,
        total: LONG,
    };
    let answer = move |body: Body| async move {
        let read = receive(body, 1_000_000, &pace).await;
        status_of(&read.expect_err("it never ends"))
    };
    let served = Served::new(Router::new().route("/", any(answer)), wide()).await;
    for length in ["content-length: 100000", "transfer-encoding: chunked"] {
        let mut socket = connect(&served).await;
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{length}\r\n\r\n186a0\r\n");
        write(&mut socket, &head).await;
        let answer = trickle(socket, b'a').await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{length}: {answer}");
    }
    within(served.stop()).await;
}

#[tokio::test]
async fn a_body_that_stops_is_cut_off() {
    let pace = Pace {
        idle: SHORT,
        grace: LONG,
        bytes_per_second_min: 1,
        total: LONG,
    };
    let answer = move |body: Body| async move {
        let read = receive(body, 1_000, &pace).await;
        status_of(&read.expect_err("it never ends"))
    };
    let served = Served::new(Router::new().route("/", any(answer)), wide()).await;
    let mut socket = connect(&served).await;
    write(
        &mut socket,
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
    )
    .await;
    let answer = within(read_to_end(&mut socket)).await;
    assert!(answer.starts_with(b"HTTP/1.1 408 "));
    within(served.stop()).await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_its_length() {
    let served = Served::new(echo(4), wide()).await;
    for request in [
        // Refused by its length alone: not a byte of it comes.
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    ] {
        let mut socket = connect(&served).await;
        write(&mut socket, request).await;
        let mut answer = [0; 13];
        within(socket.read_exact(&mut answer))
            .await
            .expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 413 ", "{request}");
    }
    for request in [
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
    ] {
        let answer = say(&served, request).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n"),
            "{request}: {answer}"
        );
        assert!(answer.ends_with("\r\n\r\nabcd"), "{request}: {answer}");
    }
    within(served.stop()).await;
}

/// A socket that is closed with bytes unread resets the connection. A client that sends everything
/// before it reads anything would then never see why.
#[tokio::test]
async fn a_client_that_only_sends_still_reads_the_refusal() {
    const BODY_BYTES: usize = 16 * 1_024 * 1_024;
    let served = Served::new(echo(1_000), wide()).await;
    let mut socket = connect(&served).await;
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {BODY_BYTES}\r\n\r\n");
    write(&mut socket, &head).await;
    let sent = within(socket.write_all(&vec![b'a'; BODY_BYTES])).await;
    sent.expect("the server takes it to the end");
    let answer = within(read_to_end(&mut socket)).await;
    assert!(answer.starts_with(b"HTTP/1.1 413 "));
    within(served.stop()).await;
}

#[tokio::test]
async fn our_client_reads_the_refusal_and_goes_on() {
    let served = Served::new(echo(1_000), wide()).await;
    for _ in 0..20 {
        let mut connection = connection_to(served.address);
        let large = Outgoing::post("/", vec![b'a'; 8 * 1_024 * 1_024]);
        let answer = within(connection.send(large, BodyLimit::default())).await;
        assert_eq!(answer.expect("the refusal").status, 413);
        let small = Outgoing::post("/", b"small".to_vec());
        let answer = within(connection.send(small, BodyLimit::default())).await;
        assert_eq!(answer.expect("a new connection").body, b"small");
    }
    within(served.stop()).await;
}

#[tokio::test]
async fn large_bodies_go_both_ways() {
    let served = Served::new(echo(32 * 1_024 * 1_024), wide()).await;
    let mut connection = connection_to(served.address);
    for byte in [1, 2] {
        let body = vec![byte; 16 * 1_024 * 1_024];
        let sent = connection.send(Outgoing::post("/", body.clone()), BodyLimit::default());
        assert!(within(sent).await.expect("an answer").body == body);
    }
    within(served.stop()).await;
}

#[tokio::test]
async fn a_connection_that_is_idle_is_closed_and_made_again() {
    let limits = ServerLimits {
        idle: SHORT,
        ..wide()
    };
    let served = Served::new(hello(), limits).await;
    let mut socket = connect(&served).await;
    write(&mut socket, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = within(read_to_end(&mut socket)).await;
    assert!(answer.ends_with(b"hello"), "answered, then closed");

    let mut connection = connection_to(served.address);
    for _ in 0..3 {
        let answer = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
        assert_eq!(answer.expect("an answer").body, b"hello");
        tokio::time::sleep(SHORT * 2).await;
    }
    within(served.stop()).await;
}

#[tokio::test]
async fn an_answer_may_take_its_time() {
    let slow = || async {
        tokio::time::sleep(SHORT * 4).await;
        "at last"
    };
    let limits = ServerLimits {
        head: SHORT,
        idle: SHORT,
        stall: SHORT,
        ..wide()
    };
    let served = Served::new(Router::new().route("/", get(slow)), limits).await;
    let mut connection = connection_to(served.address);
    let answer = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert_eq!(answer.expect("an answer").body, b"at last");
    within(served.stop()).await;
}

/// With room for one connection, a second client is answered only when the first was cut off.
#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let large = || async { vec![0_u8; 64 * 1_024 * 1_024] };
    let router = hello().route("/large", get(large));
    let limits = ServerLimits {
        connections: 1,
        stall: SHORT,
        ..wide()
    };
    let served = Served::new(router, limits).await;
    let mut stalled = connect(&served).await;
    write(&mut stalled, "GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;

    let mut connection = connection_to(served.address);
    let answer = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert_eq!(answer.expect("there is room again").body, b"hello");
    drop(connection);
    within(served.stop()).await;
}

#[tokio::test]
async fn so_many_connections_and_no_more_are_served_at_once() {
    const CONNECTIONS: usize = 3;
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now_there, most_there) = (Arc::clone(&now), Arc::clone(&most));
    let answer = move || async move {
        let count = now_there.fetch_add(1, Ordering::SeqCst) + 1;
        most_there.fetch_max(count, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        now_there.fetch_sub(1, Ordering::SeqCst);
    };
    let limits = ServerLimits {
        connections: CONNECTIONS,
        ..wide()
    };
    let served = Served::new(Router::new().route("/", get(answer)), limits).await;
    let clients: Vec<_> = (0..10)
        .map(|_| {
            let mut connection = connection_to(served.address);
            tokio::spawn(async move {
                let sent = connection.send(Outgoing::get("/"), BodyLimit::default());
                sent.await.expect("its turn comes").status
            })
        })
        .collect();
    for client in clients {
        assert_eq!(within(client).await.expect("no panic"), 200);
    }
    assert!(most.load(Ordering::SeqCst) <= CONNECTIONS);
    within(served.stop()).await;
}

#[tokio::test]
async fn a_request_knows_where_it_comes_from() {
    let tell =
        |Extension(client): Extension<Client>| async move { format!("from {}", client.address) };
    let served = Served::new(Router::new().route("/", get(tell)), wide()).await;
    let mut socket = connect(&served).await;
    let own = socket.local_addr().expect("connected").ip();
    write(
        &mut socket,
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    let answer = within(read_to_end(&mut socket)).await;
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.ends_with(&format!("from {own}")), "{answer}");
    within(served.stop()).await;
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_own_connection_only() {
    async fn panics() -> &'static str {
        panic!("on purpose");
    }
    let router = hello().route("/panics", get(panics));
    let served = Served::new(router, wide()).await;
    let mut connection = connection_to(served.address);
    let sent = within(connection.send(Outgoing::get("/panics"), BodyLimit::default())).await;
    assert!(matches!(sent, Err(NetError::Closed(_))), "{sent:?}");
    let answer = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert_eq!(answer.expect("the server goes on").body, b"hello");
    within(served.stop()).await;
}

/// A route that says when it was reached and answers when it is let go.
fn held() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (reached, release) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let (reached_there, release_there) = (Arc::clone(&reached), Arc::clone(&release));
    let answer = move || async move {
        reached_there.notify_one();
        release_there.notified().await;
        "finished"
    };
    (Router::new().route("/", get(answer)), reached, release)
}

#[tokio::test]
async fn a_running_answer_finishes_when_the_server_stops() {
    let (router, reached, release) = held();
    let mut served = Served::new(router, wide()).await;
    let mut idle = connect(&served).await;
    let mut connection = connection_to(served.address);
    let address = served.address;
    let client = tokio::spawn(async move {
        connection
            .send(Outgoing::get("/"), BodyLimit::default())
            .await
    });
    within(reached.notified()).await;
    served.begin_stop();
    assert!(
        within(read_to_end(&mut idle)).await.is_empty(),
        "the idle one is closed"
    );
    let refused = TcpStream::connect(address).await;
    assert!(refused.is_err(), "nobody new comes in");
    release.notify_one();
    let answer = within(client).await.expect("no panic");
    assert_eq!(answer.expect("it was let finish").body, b"finished");
    within(served.stop()).await;
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut_when_the_server_stops() {
    let (router, reached, _release) = held();
    let limits = ServerLimits {
        finish: SHORT,
        ..wide()
    };
    let served = Served::new(router, limits).await;
    let mut connection = connection_to(served.address);
    let client = tokio::spawn(async move {
        connection
            .send(Outgoing::get("/"), BodyLimit::default())
            .await
    });
    within(reached.notified()).await;
    within(served.stop()).await;
    let sent = within(client).await.expect("no panic");
    assert!(matches!(sent, Err(NetError::Closed(_))), "{sent:?}");
}
