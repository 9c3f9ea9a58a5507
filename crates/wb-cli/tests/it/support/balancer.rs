//! A balancer as an operator puts one before several processes of a hub: each connection goes to the next process that
//! answers, and ends with it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a process has to accept a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes that are passed on at once.
const PIECE: usize = 1 << 16;

/// Listens until it is dropped.
pub struct Balancer {
    port: u16,
    is_closed: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Balancer {
    /// Listens at a place, for processes at these ports of this machine.
    pub fn start(place: &str, ports: Vec<u16>) -> Self {
        let listener = TcpListener::bind(place).expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let is_closed = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&is_closed);
        let (ports, turn) = (Arc::new(ports), Arc::new(AtomicUsize::new(0)));
        let acceptor = std::thread::spawn(move || {
            for client in listener.incoming() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                let (ports, first) = (Arc::clone(&ports), turn.fetch_add(1, Ordering::SeqCst));
                std::thread::spawn(move || pass_on(client, &ports, first));
            }
        });
        Self {
            port,
            is_closed,
            acceptor: Some(acceptor),
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Balancer {
    /// Whoever connects from here on is refused; what is open ends with the process behind it.
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
        // It waits for a connection, so it gets one.
        let woken = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            drop(acceptor.join());
        }
    }
}

/// Passes a connection to the first that accepts it, beginning with the one whose turn it is. Where none does, it ends.
fn pass_on(client: TcpStream, ports: &[u16], first: usize) {
    let turns = (0..ports.len()).map(|n| ports[(first + n) % ports.len()]);
    let mut places = turns.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let server = places.find_map(|place| TcpStream::connect_timeout(&place, CONNECT).ok());
    let Some(server) = server else { return };
    let (Ok(asked), Ok(asking)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    std::thread::spawn(move || pass(asked, asking, Shutdown::Write));
    pass(server, client, Shutdown::Both);
}

/// Passes bytes one way until it ends.
fn pass(mut from: TcpStream, mut to: TcpStream, end: Shutdown) {
    let mut piece = vec![0; PIECE];
    while let Ok(read) = from.read(&mut piece) {
        if read == 0 || to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    // One that is gone already needs no end.
    drop(to.shutdown(end));
    drop(from.shutdown(if end == Shutdown::Both {
        end
    } else {
        Shutdown::Read
    }));
}
