//! A process in a role: started, heard, looked at while it waits, and ended.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::error::{BenchError, Result};
use crate::role::Report;
use crate::usage::Usage;

/// A process in a role.
pub struct Running {
    role: String,
    child: Child,
}

impl Running {
    /// Starts one, and waits for what it has to say.
    pub fn start(arguments: &[&str]) -> Result<(Self, Report)> {
        let mut running = Self::begin(arguments)?;
        let report = running.hear()?;
        Ok((running, report))
    }

    /// Starts one, and goes on with something else.
    pub fn begin(arguments: &[&str]) -> Result<Self> {
        let program = std::env::current_exe().map_err(BenchError::io("finding this program"))?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(BenchError::io("starting a role"))?;
        let role = arguments.first().copied().unwrap_or_default().to_owned();
        Ok(Self { role, child })
    }

    /// Waits for what it has to say; it says it once.
    pub fn hear(&mut self) -> Result<Report> {
        let mut line = String::new();
        if let Some(stdout) = self.child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(BenchError::io("listening to a role"))?;
        }
        serde_json::from_str(&line).map_err(|error| self.wrong(format!("said `{line}`: {error}")))
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it used until now.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.pid())
    }

    /// Lets it end, and waits until it did.
    pub fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self
            .child
            .wait()
            .map_err(BenchError::io("waiting for a role"))?;
        if status.success() {
            Ok(())
        } else {
            Err(self.wrong(format!("ended with {status}")))
        }
    }

    fn wrong(&self, what: String) -> BenchError {
        BenchError::Role {
            role: self.role.clone(),
            what,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whatever went wrong: no process outlives the run. One that ended is reaped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets a role do its work from start to end.
pub fn play(arguments: &[&str]) -> Result<(Report, Usage)> {
    let (running, report) = Running::start(arguments)?;
    let usage = running.usage()?;
    running.end()?;
    Ok((report, usage))
}
