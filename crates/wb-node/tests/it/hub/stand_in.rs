//! Somebody else who answers under the address of a hub: nobody's program, or one in the middle.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::raw::{exchange, fields, head_len};

/// A request as it came.
pub struct Asked {
    head: String,
    body: Vec<u8>,
}

impl Asked {
    fn read(socket: &mut TcpStream) -> Option<Self> {
        let (mut bytes, mut part) = (Vec::new(), [0; 16_384]);
        loop {
            if let Some(end) = head_len(&bytes) {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let asked = Self {
                    body: bytes[end..].to_vec(),
                    head,
                };
                let wanted = asked.field("content-length");
                let wanted: usize = wanted.map_or(0, |text| text.parse().expect("a length"));
                if asked.body.len() >= wanted {
                    return Some(asked);
                }
            }
            match socket.read(&mut part) {
                Ok(0) | Err(_) => return None,
                Ok(read) => bytes.extend_from_slice(&part[..read]),
            }
        }
    }

    /// The path with its query.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub fn field(&self, name: &str) -> Option<String> {
        let mut all = fields(&self.head).into_iter();
        all.find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// Hands it on as it is, and gives the answer as it came.
    pub fn hand_on(&self, to: SocketAddr) -> Vec<u8> {
        let head = self.head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        exchange(to, &[head.as_bytes(), &self.body].concat())
    }
}

/// An answer of plain bytes.
pub fn answer(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{fields}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Listens on a free port until it is dropped.
pub struct StandIn {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    pub fn start(mut answer: impl FnMut(&Asked) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for socket in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut socket) = socket else { continue };
                let _ = socket.set_read_timeout(Some(Duration::from_secs(60)));
                if let Some(asked) = Asked::read(&mut socket) {
                    // Who has gone does not want it any more.
                    let _ = socket.write_all(&answer(&asked));
                }
            }
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Only to wake it.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the stand-in failed");
        }
    }
}
