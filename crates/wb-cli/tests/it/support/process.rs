//! A program that stays up. It ends with what holds it, also when a test fails half-way.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long something that must come is waited for. It ends a test that would hang; nothing is told
/// about how fast anything is.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How long to rest before looking again.
const REST: Duration = Duration::from_millis(50);

/// A process that runs.
pub struct Up {
    child: Child,
    said: Arc<Mutex<String>>,
    lines: Receiver<String>,
    readers: Vec<JoinHandle<()>>,
}

impl Up {
    /// Starts a command. What it writes is kept, both streams together.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let said = Arc::new(Mutex::default());
        let (sender, lines) = channel();
        let out = child.stdout.take().expect("it is piped");
        let err = child.stderr.take().expect("it is piped");
        let readers = vec![
            // Whoever waits for no more lines is not told of them.
            keep(out, &said, move |line| drop(sender.send(line))),
            keep(err, &said, drop),
        ];
        Self {
            child,
            said,
            lines,
            readers,
        }
    }

    /// The next line of standard output that begins with `start`; those before it are skipped.
    #[track_caller]
    pub fn line(&self, start: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("no line began with {start:?}; it said:\n{}", self.said())
            });
            if line.starts_with(start) {
                return line;
            }
        }
    }

    /// Everything it wrote so far.
    pub fn said(&self) -> String {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.stop();
    }

    /// The same, and what it said can still be asked for.
    pub fn end_it(&mut self) {
        self.stop();
    }

    /// Sends a signal, waits for the end, and gives the exit code and everything that was written.
    #[track_caller]
    pub fn signal(mut self, name: &str) -> (Option<i32>, String) {
        self.send(name);
        self.end()
    }

    /// Sends a signal.
    #[track_caller]
    pub fn send(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.pid())])
            .status()
            .expect("sh runs");
        assert!(
            sent.success(),
            "no process {} to send {name} to",
            self.pid()
        );
    }

    /// Waits for the end; gives the exit code and everything that was written.
    #[track_caller]
    pub fn end(&mut self) -> (Option<i32>, String) {
        let mut code = None;
        wait_until("the process ends", || {
            let ended = self.child.try_wait().expect("it is our child");
            code = ended.and_then(|status| status.code());
            ended.is_some()
        });
        self.join();
        (code, self.said())
    }

    fn join(&mut self) {
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
    }

    fn stop(&mut self) {
        // One that has ended already needs no end.
        drop(self.child.kill());
        drop(self.child.wait());
        self.join();
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.stop();
    }
}

fn keep(
    from: impl Read + Send + 'static,
    said: &Arc<Mutex<String>>,
    mut tell: impl FnMut(String) + Send + 'static,
) -> JoinHandle<()> {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
            drop(said);
            tell(line);
        }
    })
}

/// Looks again and again until something holds.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let looks = PATIENCE.as_millis() / REST.as_millis();
    for _ in 0..looks {
        if holds() {
            return;
        }
        std::thread::sleep(REST);
    }
    panic!("in vain: {what}");
}

#[test]
fn what_a_process_says_is_kept_and_its_end_is_told() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo one; echo two >&2; echo three; exit 7"]);
    let mut up = Up::start(&mut command);
    assert_eq!(up.line("th"), "three");
    let (code, said) = up.end();
    assert_eq!(code, Some(7));
    for word in ["one", "two", "three"] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn a_process_ends_with_what_holds_it() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo up; exec sleep 600"]);
    let up = Up::start(&mut command);
    up.line("up");
    let alive = format!("kill -0 {}", up.pid());
    let is_alive = || {
        let shell = Command::new("sh").args(["-c", &alive]).output();
        shell.expect("sh runs").status.success()
    };
    assert!(is_alive());
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _up = up;
        panic!("as a test does");
    }));
    assert!(failed.is_err() && !is_alive());
}
