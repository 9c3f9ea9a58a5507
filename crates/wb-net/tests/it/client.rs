//! The client against servers written out byte by byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wb_net::client::{Patience, REPEATS_MAX};
use wb_net::pace::Pace;
use wb_net::{Base, BodyLimit, Connection, Incoming, NetError, Outgoing, Reach};

use crate::support::{LONG, SHORT, answer, connection_to, listen, read_request, within, write};

/// What a scripted server does with a request on the given connection.
enum Act {
    /// Answers and keeps the connection.
    Answer,
    /// Answers and closes the connection.
    AnswerAndClose,
    /// Closes the connection without a byte.
    Close,
    /// Writes this and closes the connection.
    WriteAndClose(&'static str),
}

/// A server that acts by the numbers of connection and request, both from zero.
struct Scripted {
    connection: Connection,
    seen: Arc<Mutex<Vec<String>>>,
    accepted: Arc<AtomicUsize>,
}

impl Scripted {
    async fn new(act: impl Fn(usize, usize) -> Act + Send + 'static) -> Self {
        let (listener, address) = listen().await;
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (seen_there, accepted_there) = (Arc::clone(&seen), Arc::clone(&accepted));
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.expect("it listens");
                let connection = accepted_there.fetch_add(1, Ordering::SeqCst);
                let mut requests = 0;
                while let Some(request) = read_request(&mut socket).await {
                    seen_there.lock().expect("not poisoned").push(request);
                    let act = act(connection, requests);
                    requests += 1;
                    if !perform(&act, &mut socket).await {
                        break;
                    }
                }
            }
        });
        Self {
            connection: connection_to(address).with_patience(patient()),
            seen,
            accepted,
        }
    }

    async fn get(&mut self, path: &str) -> Result<Incoming, NetError> {
        within(
            self.connection
                .send(Outgoing::get(path), BodyLimit::default()),
        )
        .await
    }

    /// As [`Scripted::get`], for what may come any number of times.
    async fn insist(&mut self, path: &str) -> Result<Incoming, NetError> {
        let asked = Outgoing::get(path);
        within(self.connection.insist(asked, BodyLimit::default())).await
    }

    /// Path and query of each request the server read.
    fn targets(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("not poisoned");
        let target = |request: &String| request.split(' ').nth(1).map(str::to_owned);
        seen.iter().filter_map(target).collect()
    }

    fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// Whether the connection goes on.
async fn perform(act: &Act, socket: &mut TcpStream) -> bool {
    match act {
        Act::Answer | Act::AnswerAndClose => write(socket, &answer("yes")).await,
        Act::WriteAndClose(text) => write(socket, text).await,
        Act::Close => {}
    }
    matches!(act, Act::Answer)
}

/// Times that no test runs into.
fn patient() -> Patience {
    Patience {
        connect: LONG,
        tls: LONG,
        answer: LONG,
        pace: Pace {
            idle: LONG,
            grace: LONG,
            bytes_per_second_min: 1,
            total: LONG,
        },
    }
}

#[tokio::test]
async fn a_connection_is_kept_between_requests() {
    let mut server = Scripted::new(|_, _| Act::Answer).await;
    for path in ["/a", "/b?c=d", "/e"] {
        let answer = server.get(path).await.expect("an answer");
        assert_eq!((answer.status, answer.body), (200, b"yes".to_vec()));
    }
    assert_eq!(server.targets(), ["/a", "/b?c=d", "/e"]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_made_again() {
    let mut server = Scripted::new(|_, _| Act::AnswerAndClose).await;
    for path in ["/a", "/b", "/c"] {
        server.get(path).await.expect("an answer");
    }
    assert_eq!(server.targets(), ["/a", "/b", "/c"]);
    assert_eq!(server.connections(), 3);
}

/// A server that closes a kept connection just as the next request arrives looks like one that read
/// it and died. Calls are idempotent, so it is sent once more.
#[tokio::test]
async fn a_request_that_a_kept_connection_swallowed_is_sent_once_more() {
    let mut server = Scripted::new(|connection, request| match (connection, request) {
        (0, 1) => Act::Close,
        _ => Act::Answer,
    })
    .await;
    server.get("/a").await.expect("an answer");
    server
        .get("/b")
        .await
        .expect("an answer to the second copy");
    assert_eq!(server.targets(), ["/a", "/b", "/b"]);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn it_is_sent_once_more_and_not_twice() {
    let mut server = Scripted::new(|connection, request| match (connection, request) {
        (0, 0) => Act::Answer,
        _ => Act::Close,
    })
    .await;
    server.get("/a").await.expect("an answer");
    let error = server
        .get("/b")
        .await
        .expect_err("both copies are swallowed");
    assert!(matches!(error, NetError::Closed(_)), "{error}");
    assert_eq!(error.cause(), "unreachable");
    assert_eq!(server.targets(), ["/a", "/b", "/b"]);
}

#[tokio::test]
async fn nothing_is_repeated_once_an_answer_began() {
    for begun in [
        "H",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nye",
    ] {
        let mut server = Scripted::new(move |_, request| match request {
            0 => Act::Answer,
            _ => Act::WriteAndClose(begun),
        })
        .await;
        server.get("/a").await.expect("an answer");
        let error = server.get("/b").await.expect_err("it breaks off");
        assert!(matches!(error, NetError::Closed(_)), "{begun:?}: {error}");
        assert_eq!(server.targets(), ["/a", "/b"], "{begun:?}");
    }
}

#[tokio::test]
async fn nothing_is_repeated_on_a_new_connection() {
    let mut server = Scripted::new(|_, _| Act::Close).await;
    let error = server.get("/a").await.expect_err("it is swallowed");
    assert!(matches!(error, NetError::Closed(_)), "{error}");
    assert_eq!(server.targets(), ["/a"]);
}

/// One process of several behind a name is killed while it answers: whoever asked is answered by another.
#[tokio::test]
async fn what_may_come_twice_is_asked_again_when_the_connection_breaks_whenever_that_is() {
    for begun in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nye",
    ] {
        let mut server = Scripted::new(move |connection, _| match connection {
            0 | 1 => Act::WriteAndClose(begun),
            _ => Act::Answer,
        })
        .await;
        let answer = server.insist("/a").await;
        assert_eq!(answer.expect("the third answers").status, 200, "{begun:?}");
        assert_eq!(server.targets(), ["/a", "/a", "/a"], "{begun:?}");
    }
}

#[tokio::test]
async fn whoever_always_hangs_up_is_not_asked_without_end() {
    let mut server = Scripted::new(|_, _| Act::Close).await;
    let error = server.insist("/a").await.expect_err("it is swallowed");
    assert!(matches!(error, NetError::Closed(_)), "{error}");
    assert_eq!(server.targets().len(), 1 + REPEATS_MAX as usize);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let mut server = Scripted::new(|_, _| {
        Act::WriteAndClose(
            "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
        )
    })
    .await;
    let answer = server.get("/a").await.expect("an answer");
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers[header::LOCATION], "/elsewhere");
    assert_eq!(server.targets(), ["/a"]);
}

#[tokio::test]
async fn what_is_sent_is_what_was_asked_for() {
    let (listener, address) = listen().await;
    let base = Base::parse(&format!("http://{address}/wb/")).expect("a base");
    let mut connection = Connection::new(base, Reach::Lan);
    let server = async {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let request = read_request(&mut socket).await.expect("a request");
        write(&mut socket, &answer("")).await;
        request
    };
    let outgoing = Outgoing {
        method: Method::PUT,
        path_and_query: "/x?y=%20".to_owned(),
        headers: vec![(
            HeaderName::from_static("content-type"),
            HeaderValue::from_static("application/json"),
        )],
        body: b"{}".to_vec(),
        wait: Duration::ZERO,
    };
    let sending = connection.send(outgoing, BodyLimit::default());
    let (request, sent) = within(async { tokio::join!(server, sending) }).await;
    sent.expect("an answer");
    assert_eq!(
        request,
        format!(
            "PUT /wb/x?y=%20 HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: 2\r\n\r\n{{}}"
        )
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_refused_here() {
    let mut server = Scripted::new(|_, _| Act::Answer).await;
    for path in [
        "",
        "a",
        "http://elsewhere.example/",
        "@elsewhere.example/",
        "/a b",
        "/a\r\nx: y",
    ] {
        let error = server.get(path).await.expect_err(path);
        assert!(matches!(error, NetError::Request(_)), "{path:?}: {error}");
        assert_eq!(error.cause(), "bad_request");
    }
    for name in [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ] {
        let mut outgoing = Outgoing::get("/a");
        outgoing.headers.push((name, HeaderValue::from_static("1")));
        let sent = within(server.connection.send(outgoing, BodyLimit::default())).await;
        assert!(matches!(sent, Err(NetError::Request(_))), "{sent:?}");
    }
    assert_eq!(server.connections(), 0);
}

/// Answers one client with this text, then keeps the connection open until the client leaves.
async fn answers_with(text: &'static str) -> Connection {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        read_request(&mut socket).await;
        // The client may leave before it has taken everything.
        let _ = socket.write_all(text.as_bytes()).await;
        read_request(&mut socket).await;
    });
    connection_to(address).with_patience(patient())
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_with_and_without_its_length() {
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n",
    ] {
        let mut connection = answers_with(text).await;
        let sent = within(connection.send(Outgoing::get("/"), BodyLimit::bytes(4))).await;
        let error = sent.expect_err(text);
        assert!(
            matches!(error, NetError::TooLarge { limit: 4 }),
            "{text}: {error}"
        );
        assert_eq!(error.cause(), "too_large");
    }
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
    ] {
        let mut connection = answers_with(text).await;
        let sent = within(connection.send(Outgoing::get("/"), BodyLimit::bytes(4))).await;
        assert_eq!(sent.expect(text).body, b"abcd", "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_understood_says_so() {
    for text in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        // Its end could not be told from a connection that broke.
        "HTTP/1.1 200 OK\r\n\r\nabc",
    ] {
        let mut connection = answers_with(text).await;
        let sent = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
        let error = sent.expect_err(text);
        assert!(matches!(error, NetError::Protocol(_)), "{text:?}: {error}");
        assert_eq!(error.cause(), "bad_answer");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        read_request(&mut socket).await;
        let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n", "a".repeat(100_000));
        // The client may hang up before it has taken everything.
        let _ = socket.write_all(head.as_bytes()).await;
        let _ = socket.write_all(b"content-length: 0\r\n\r\n").await;
        read_request(&mut socket).await;
    });
    let mut connection = connection_to(address).with_patience(patient());
    let sent = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert!(matches!(sent, Err(NetError::Protocol(_))), "{sent:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let mut connection = answers_with("").await.with_patience(Patience {
        answer: SHORT,
        ..patient()
    });
    let sent = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    let error = sent.expect_err("nothing comes");
    assert!(matches!(error, NetError::TimedOut { .. }), "{error}");
    assert_eq!(error.cause(), "timeout");
}

/// The rate grants a large request a long time, but only while it moves. Nothing stays behind that
/// goes on sending.
#[tokio::test]
async fn a_server_that_takes_nothing_of_a_request_is_given_up() {
    let (listener, address) = listen().await;
    let mut connection = connection_to(address).with_patience(Patience {
        answer: SHORT,
        ..patient()
    });
    let large = Outgoing::post("/", vec![0; 64 * 1_024 * 1_024]);
    let sent = within(connection.send(large, BodyLimit::default())).await;
    assert!(matches!(sent, Err(NetError::TimedOut { .. })), "{sent:?}");
    let metrics = tokio::runtime::Handle::current().metrics();
    within(async {
        while metrics.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(listener);
}

#[tokio::test]
async fn a_request_that_goes_out_slowly_is_waited_for() {
    const BODY_BYTES: usize = 16 * 1_024 * 1_024;
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut left = BODY_BYTES;
        let mut chunk = vec![0; 1_024 * 1_024];
        while left > 0 {
            let count = socket.read(&mut chunk).await.expect("the client sends");
            left = left.saturating_sub(count);
            tokio::time::sleep(SHORT / 4).await;
        }
        write(&mut socket, &answer("yes")).await;
        read_request(&mut socket).await;
    });
    let mut connection = connection_to(address).with_patience(Patience {
        answer: SHORT * 2,
        ..patient()
    });
    let large = Outgoing::post("/", vec![0; BODY_BYTES]);
    let sent = within(connection.send(large, BodyLimit::default())).await;
    assert_eq!(sent.expect("an answer").body, b"yes");
}

#[tokio::test]
async fn an_answer_that_waits_for_news_is_waited_for() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        read_request(&mut socket).await;
        tokio::time::sleep(SHORT * 3).await;
        write(&mut socket, &answer("news")).await;
    });
    let mut connection = connection_to(address).with_patience(Patience {
        answer: SHORT,
        ..patient()
    });
    let waiting = Outgoing {
        wait: LONG,
        ..Outgoing::get("/")
    };
    let answer = within(connection.send(waiting, BodyLimit::default())).await;
    assert_eq!(answer.expect("it came").body, b"news");
}

/// A server that sends the head, then a byte now and then for as long as the client stays.
async fn trickles(pace: Pace) -> NetError {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        read_request(&mut socket).await;
        write(
            &mut socket,
            "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n",
        )
        .await;
        while socket.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let mut connection = connection_to(address).with_patience(Patience { pace, ..patient() });
    let sent = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    within(server).await.expect("the client hung up");
    sent.expect_err("it never ends")
}

#[tokio::test]
async fn an_answer_that_trickles_is_cut_off() {
    let by_rate = Pace {
        grace: SHORT,
        bytes_per_second_min: 1_000_000,
        ..patient().pace
    };
    let in_all = Pace {
        total: SHORT,
        ..patient().pace
    };
    for pace in [by_rate, in_all] {
        let error = trickles(pace).await;
        assert!(matches!(error, NetError::TimedOut { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_stops_is_cut_off() {
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    let mut connection = answers_with(text).await.with_patience(Patience {
        pace: Pace {
            idle: SHORT,
            ..patient().pace
        },
        ..patient()
    });
    let sent = within(connection.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert!(matches!(sent, Err(NetError::TimedOut { .. })), "{sent:?}");
}

/// An answer to a request that nobody waits for any more must not be taken for the next one's.
#[tokio::test]
async fn a_request_that_was_dropped_leaves_no_answer_behind() {
    let mut server = Scripted::new(|_, _| Act::Answer).await;
    server.get("/a").await.expect("an answer");
    {
        let mut dropped = std::pin::pin!(
            server
                .connection
                .send(Outgoing::get("/dropped"), BodyLimit::default())
        );
        tokio::select! {
            biased;
            _ = &mut dropped => {}
            () = tokio::task::yield_now() => {}
        }
    }
    server.get("/b").await.expect("an answer");
    assert_eq!(server.targets().last().map(String::as_str), Some("/b"));
    assert_eq!(server.connections(), 2);
}
