//! A forwarder on a free port that keeps what passes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Bytes read from a socket at once.
const READ_BYTES: usize = 16 * 1024;

/// No connection is cut.
const NEVER: u64 = u64::MAX;

/// What passed on one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// From who connected.
    pub asked: Vec<u8>,
    /// Back to who connected.
    pub answered: Vec<u8>,
    /// Whether the test cut it; else every message on it has to be whole.
    pub is_cut: bool,
}

/// Stands in front of a port until it is dropped.
pub struct Recorder {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    to: u16,
    /// Set when nobody is let in any more.
    is_closed: AtomicBool,
    /// Bytes that a new connection may pass.
    cut_after: AtomicU64,
    lines: Mutex<Vec<Arc<Line>>>,
    pumps: Mutex<Vec<JoinHandle<()>>>,
}

/// A connection that is open or was.
struct Line {
    client: TcpStream,
    server: TcpStream,
    kept: Mutex<Kept>,
}

struct Kept {
    connection: Connection,
    /// Bytes that may still pass, both ways together.
    left: u64,
}

/// Which way bytes go.
#[derive(Clone, Copy)]
enum Way {
    There,
    Back,
}

/// A test that failed while it held a lock has its own message; this one must not hide it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// Opens a free port of this machine and passes what comes there to `port`.
    pub fn before(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            to: port,
            is_closed: AtomicBool::new(false),
            cut_after: AtomicU64::new(NEVER),
            lines: Mutex::default(),
            pumps: Mutex::default(),
        });
        let acceptor = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.accept(&listener))
        };
        Self {
            port: own,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Where to connect.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections opened from now on pass this many bytes, both ways together, and are cut then.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.cut_after.store(bytes, Ordering::SeqCst);
    }

    /// Connections opened from now on are not cut.
    pub fn cut_no_more(&self) {
        self.cut_after(NEVER);
    }

    /// Lets nobody in any more: whoever connects is refused. What is open goes on.
    pub fn stop_accepting(&mut self) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        // It waits for a connection, so it gets one.
        if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            drop(acceptor.join());
        }
    }

    /// What passed so far, in the order in which connections were opened. A byte is kept before it is
    /// passed on: what somebody has received is in here.
    pub fn connections(&self) -> Vec<Connection> {
        let lines = lock(&self.shared.lines);
        let kept = |line: &Arc<Line>| lock(&line.kept).connection.clone();
        lines.iter().map(kept).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop_accepting();
        for line in lock(&self.shared.lines).iter() {
            line.hang_up();
        }
        for pump in lock(&self.shared.pumps).drain(..) {
            drop(pump.join());
        }
    }
}

impl Shared {
    fn accept(&self, listener: &TcpListener) {
        loop {
            let Ok((client, _)) = listener.accept() else {
                return;
            };
            if self.is_closed.load(Ordering::SeqCst) {
                return;
            }
            // Where nobody listens behind, the connection ends as it came.
            if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.to)) {
                self.pass(client, server);
            }
        }
    }

    fn pass(&self, client: TcpStream, server: TcpStream) {
        let left = self.cut_after.load(Ordering::SeqCst);
        let connection = Connection {
            is_cut: left == 0,
            ..Connection::default()
        };
        let line = Arc::new(Line {
            client,
            server,
            kept: Mutex::new(Kept { connection, left }),
        });
        lock(&self.lines).push(Arc::clone(&line));
        if left == 0 {
            line.hang_up();
            return;
        }
        for way in [Way::There, Way::Back] {
            let line = Arc::clone(&line);
            let pump = thread::spawn(move || line.pump(way));
            lock(&self.pumps).push(pump);
        }
    }
}

impl Line {
    /// Passes bytes one way until that way ends or the connection is cut.
    fn pump(&self, way: Way) {
        let (mut from, mut to) = match way {
            Way::There => (&self.client, &self.server),
            Way::Back => (&self.server, &self.client),
        };
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => {
                    // The other way may still have something to say. A socket that is gone already
                    // needs no end.
                    drop(to.shutdown(Shutdown::Write));
                    return;
                }
                Ok(read) => {
                    let (passes, is_over) = self.keep(way, &buffer[..read]);
                    let is_passed = to.write_all(&buffer[..passes]).is_ok();
                    if is_over || !is_passed {
                        return self.hang_up();
                    }
                }
                Err(_) => return self.hang_up(),
            }
        }
    }

    /// Keeps what may pass of some bytes: how many, and whether the connection is cut after them.
    fn keep(&self, way: Way, bytes: &[u8]) -> (usize, bool) {
        let mut kept = lock(&self.kept);
        let passes = usize::try_from(kept.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        if kept.left != NEVER {
            kept.left -= passes as u64;
            kept.connection.is_cut = kept.left == 0;
        }
        let record = match way {
            Way::There => &mut kept.connection.asked,
            Way::Back => &mut kept.connection.answered,
        };
        record.extend_from_slice(&bytes[..passes]);
        (passes, kept.connection.is_cut)
    }

    fn hang_up(&self) {
        for socket in [&self.client, &self.server] {
            // One that is gone already needs no end.
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}

/// A server that answers each connection with what came, in capitals, once it is all there.
#[cfg(test)]
fn shouting() -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let server = thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("it comes");
            let mut text = Vec::new();
            // Of a connection that was cut, what came of it counts.
            drop(stream.read_to_end(&mut text));
            if text == b"bye" {
                return;
            }
            drop(stream.write_all(&text.to_ascii_uppercase()));
        }
    });
    (port, server)
}

#[cfg(test)]
fn ask(port: u16, text: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    drop(stream.write_all(text));
    drop(stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    answer
}

#[test]
fn everything_that_passes_is_kept_by_connection_and_way() {
    let (port, server) = shouting();
    let recorder = Recorder::before(port);
    let long = b"long ".repeat(READ_BYTES);
    assert_eq!(ask(recorder.port(), b"hello"), b"HELLO");
    assert_eq!(ask(recorder.port(), &long), long.to_ascii_uppercase());
    let kept = |asked: &[u8], answered: &[u8]| Connection {
        asked: asked.into(),
        answered: answered.into(),
        is_cut: false,
    };
    let expected = [
        kept(b"hello", b"HELLO"),
        kept(&long, &long.to_ascii_uppercase()),
    ];
    assert!(recorder.connections() == expected);
    ask(port, b"bye");
    server.join().expect("it ended");
}

#[test]
fn a_connection_is_cut_after_so_many_bytes_and_the_next_one_where_it_should_be() {
    let (port, server) = shouting();
    let recorder = Recorder::before(port);
    for (after, asked, answered) in [
        (0, "", ""),
        (3, "hel", ""),
        (5, "hello", ""),
        (8, "hello", "HEL"),
    ] {
        recorder.cut_after(after);
        assert_eq!(ask(recorder.port(), b"hello"), answered.as_bytes());
        let last = recorder.connections().pop().expect("it was let in");
        assert_eq!(
            (last.asked.as_slice(), last.answered.as_slice()),
            (asked.as_bytes(), answered.as_bytes())
        );
        assert!(last.is_cut, "{after}");
    }
    // Who neither ends nor reads further learns of the cut as well; without it this would wait.
    recorder.cut_after(3);
    let mut open = TcpStream::connect((Ipv4Addr::LOCALHOST, recorder.port())).unwrap();
    let patience = std::time::Duration::from_secs(60);
    open.set_read_timeout(Some(patience)).unwrap();
    open.write_all(b"hello").unwrap();
    assert_eq!(open.read_to_end(&mut Vec::new()).unwrap(), 0);
    recorder.cut_no_more();
    assert_eq!(ask(recorder.port(), b"hello"), b"HELLO");
    let whole = recorder.connections().pop().expect("it was let in");
    assert!(!whole.is_cut);
    assert_eq!(recorder.connections().len(), 6);
    ask(port, b"bye");
    server.join().expect("it ended");
}

#[test]
fn nobody_is_let_in_after_the_end_and_what_is_open_goes_on_until_then() {
    let (port, server) = shouting();
    let mut recorder = Recorder::before(port);
    let own = recorder.port();
    let mut open = TcpStream::connect((Ipv4Addr::LOCALHOST, own)).unwrap();
    // Whoever is let in second shows that the first was.
    let second = TcpStream::connect((Ipv4Addr::LOCALHOST, own)).unwrap();
    while recorder.connections().len() < 2 {
        thread::yield_now();
    }
    recorder.stop_accepting();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, own)).is_err());
    open.write_all(b"still here").unwrap();
    open.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    open.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"STILL HERE");
    drop(recorder);
    // The second is open on this side only.
    let mut rest = Vec::new();
    assert_eq!((&second).read_to_end(&mut rest).unwrap_or(0), 0);
    ask(port, b"bye");
    server.join().expect("it ended");
}

#[test]
fn where_nobody_listens_behind_nothing_is_answered() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let recorder = Recorder::before(port);
    assert_eq!(ask(recorder.port(), b"hello"), b"");
    assert_eq!(recorder.connections(), []);
}
