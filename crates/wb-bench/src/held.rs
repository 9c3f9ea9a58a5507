//! Another program, which ends with this one, however this one ends: by returning, or killed.
//!
//! It runs in a process group of its own beside a shell that reads from a pipe. The other end of the pipe is
//! here; when it closes, which the system does for a killed process as well, the shell kills the group.

use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::error::{BenchError, Result};

const KEEPER: &str = "\"$@\" </dev/null & read -r _; kill -KILL 0";

/// A program that is held.
#[derive(Debug)]
pub struct Held {
    keeper: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Held {
    /// Starts a program.
    pub fn start(program: &str, arguments: &[&str]) -> Result<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "sh", program]).args(arguments);
        let started = shell
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut keeper = started.map_err(BenchError::io("starting a program"))?;
        let stdout = keeper.stdout.take().expect("it is piped");
        Ok(Self {
            keeper,
            lines: BufReader::new(stdout).lines(),
        })
    }

    /// The next line that it writes.
    pub fn line(&mut self) -> Result<String> {
        let line = self
            .lines
            .next()
            .ok_or_else(|| BenchError::Wrong("a program ended and said nothing".to_owned()))?;
        line.map_err(BenchError::io("listening to a program"))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // The shell ends by the signal that it sends to all of them.
        let _ = self.keeper.wait();
    }
}
