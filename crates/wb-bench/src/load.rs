//! Asks for pages at a steady rate, whether the answers come or not, as people do.
//!
//! What counts is the time from when somebody wanted the page, so that a server which falls behind cannot look fast
//! by being asked less.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::client::Client;
use crate::clock::Stopwatch;
use crate::error::{BenchError, Result};

/// Pages a second.
pub const RATE: u32 = 100;
/// Connections: more than a browser has, fewer than a server would mind.
const CONNECTIONS: u32 = 8;
/// Longest wait for one answer; one that takes longer is not answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long people waited.
#[derive(Debug)]
pub struct Waits {
    /// Milliseconds, the shortest first; who got no answer waited until the end.
    sorted_ms: Vec<f64>,
    /// Pages that did not come in time.
    pub unanswered: usize,
}

impl Waits {
    /// The wait within which such a share of people had their page, in milliseconds.
    pub fn within(&self, share: f64) -> f64 {
        within(&self.sorted_ms, share)
    }
}

/// Of values, the least first, the one that such a share of them does not exceed.
pub fn within(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is a place in it"
    )]
    let place = (share * last as f64).ceil() as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// Asks for the paths in turn for so long; gives up at twice that.
pub fn ask(address: &str, cookie: &str, paths: &[String], length: Duration) -> Result<Waits> {
    let wanted = (length.as_secs_f64() * f64::from(RATE)).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some hundreds"
    )]
    let wanted = wanted as u32;
    let (next, answered) = (AtomicU32::new(0), Mutex::new(Vec::new()));
    let watch = Stopwatch::start();
    let one = || -> Result<()> {
        let mut client = Client::connect(address, cookie, PATIENCE)?;
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            if nth >= wanted || watch.elapsed() > 2 * length {
                return Ok(());
            }
            let at = Duration::from_secs(1) * nth / RATE;
            std::thread::sleep(at.saturating_sub(watch.elapsed()));
            let path = &paths[nth as usize % paths.len()];
            match client.get(path) {
                Ok(answer) if answer.status == 200 => {}
                Ok(answer) => {
                    return Err(BenchError::Wrong(format!(
                        "{path}: status {}",
                        answer.status
                    )));
                }
                // Too slow. The connection is of no use any more: the answer may still come.
                Err(_) => {
                    client = Client::connect(address, cookie, PATIENCE)?;
                    continue;
                }
            }
            let wait = watch.elapsed().saturating_sub(at);
            let mut answered = answered
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            answered.push(wait.as_secs_f64() * 1_000.0);
        }
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
        all.into_iter()
            .try_for_each(|one| one.join().expect("a browser does not panic"))
    })?;
    let ended_ms = watch.elapsed().as_secs_f64() * 1_000.0;
    let mut sorted_ms = answered
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let unanswered = (wanted as usize).saturating_sub(sorted_ms.len());
    sorted_ms.extend(std::iter::repeat_n(ended_ms, unanswered));
    sorted_ms.sort_by(f64::total_cmp);
    Ok(Waits {
        sorted_ms,
        unanswered,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::{Waits, ask};

    /// What the slow server needs for each answer.
    const SLOW: Duration = Duration::from_millis(150);

    fn answer_slowly(stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line == "\r\n" {
                std::thread::sleep(SLOW);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                if stream.get_mut().write_all(answer).is_err() {
                    return;
                }
            }
            line.clear();
        }
    }

    /// Eight connections with 150 ms an answer are 53 pages a second, and 100 are wanted: the last of 40 comes after
    /// 750 ms and was wanted at 390. Whoever counted from when each was sent would find 150 ms for everybody. What is
    /// slow here only makes the waits longer.
    #[test]
    fn a_server_that_falls_behind_lets_people_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has one").to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer_slowly(stream));
            }
        });
        let paths = ["/".to_owned()];
        let waits = ask(&address, "", &paths, Duration::from_millis(400)).expect("it answers");
        assert!(waits.within(1.0) > 2.0 * SLOW.as_secs_f64() * 1_000.0);
    }

    #[test]
    fn the_wait_of_99_of_100_is_the_longest_but_one() {
        let waits = Waits {
            sorted_ms: (1..=101).map(f64::from).collect(),
            unanswered: 0,
        };
        let is = |share, expected: f64| (waits.within(share) - expected).abs() < 1e-9;
        assert!(is(0.5, 51.0) && is(0.99, 100.0) && is(1.0, 101.0));
    }
}
