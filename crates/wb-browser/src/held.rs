//! A process that ends with whoever started it, however that ends: by returning, by a panic, or killed.
//!
//! It runs in a process group of its own beside a shell that reads from a pipe. The other end of the pipe is
//! here; when it closes, which the system does for a killed process as well, the shell kills the group, and
//! with it whatever the process has started itself.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long something that must come is waited for. It ends a test that would hang, and says nothing
/// about how fast anything is.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long to rest before looking again.
const REST: Duration = Duration::from_millis(50);

const KEEPER: &str = "\"$@\" </dev/null & read -r _; kill -KILL 0";

/// A process that is held.
#[derive(Debug)]
pub struct Held {
    keeper: Child,
    lines: Receiver<String>,
    said: Arc<Mutex<String>>,
}

impl Held {
    /// Starts a command, with its environment and folder. What it writes is kept.
    ///
    /// # Panics
    ///
    /// Where there is no shell.
    #[must_use]
    pub fn start(command: &Command) -> Self {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", KEEPER, "sh"])
            .arg(command.get_program())
            .args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let mut keeper = shell
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let said = Arc::new(Mutex::default());
        let (sender, lines) = channel();
        let (out, err) = (keeper.stdout.take(), keeper.stderr.take());
        // Whoever waits for no more lines is not told of them.
        keep(out.expect("it is piped"), &said, move |line| {
            drop(sender.send(line));
        });
        keep(err.expect("it is piped"), &said, drop);
        Self {
            keeper,
            lines,
            said,
        }
    }

    /// The next line of standard output that holds `part`; those before it are skipped.
    ///
    /// # Panics
    ///
    /// Where none comes.
    #[must_use]
    pub fn line(&self, part: &str) -> String {
        self.try_line(part)
            .unwrap_or_else(|| panic!("no line had {part:?}; it said:\n{}", self.said()))
    }

    /// The same, or none where none comes.
    #[must_use]
    pub fn try_line(&self, part: &str) -> Option<String> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).ok()?;
            if line.contains(part) {
                return Some(line);
            }
        }
    }

    /// Everything it wrote so far.
    #[must_use]
    pub fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }

    /// The number of the process group.
    #[must_use]
    pub fn group(&self) -> u32 {
        self.keeper.id()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // The shell ends by the signal that it sends to all of them.
        drop(self.keeper.wait());
    }
}

fn keep(
    from: impl Read + Send + 'static,
    said: &Arc<Mutex<String>>,
    mut tell: impl FnMut(String) + Send + 'static,
) {
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
    });
}

/// Looks again and again until there is something.
///
/// # Panics
///
/// Where there is nothing in the end.
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() / REST.as_millis() {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(REST);
    }
    panic!("in vain: {what}");
}
