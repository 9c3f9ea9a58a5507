//! The processes of a measurement. Each does one thing, prints one line and waits for its input to end.

mod bundle;
mod count;
mod crowd;
mod found;
mod hub;
mod join;
mod one;
pub mod serve;
mod serving;
mod site;
mod sync;
mod trust;

pub use crowd::EACH as EACH_OF_A_CROWD;

use std::io::{Read as _, Write as _};

use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::cli::{Role, Serving};
use crate::error::{BenchError, Result};
use crate::limit::{files, lines, sqlite, tables};

/// What a role says. Each fills in what it knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The instance.
    pub id: String,
    /// A hub's link.
    pub link: String,
    /// Seconds by the clock on the wall.
    pub wall_s: f64,
    /// Seconds of CPU of what was measured, where the process did other things too.
    pub cpu_s: f64,
    /// Seconds that writing local records took, before anything was sealed.
    pub written_s: f64,
    /// Records.
    pub records: u64,
    /// Deltas.
    pub deltas: u64,
    /// Bytes of headers and lines that were sealed.
    pub bytes_sealed: u64,
    /// Bytes on the socket.
    pub bytes_sent: u64,
    /// Bytes on the socket.
    pub bytes_received: u64,
    /// Requests.
    pub round_trips: u64,
    /// Bytes of what was made.
    pub bytes: u64,
    /// Seconds of each of several times.
    pub samples_s: Vec<f64>,
    /// Seconds that the limit beside each of them took.
    pub beside_s: Vec<f64>,
    /// What a browser that is in shows.
    pub cookie: String,
}

/// Plays a role.
pub fn run(role: &Role) -> Result<()> {
    match role {
        // Everything is no part; whoever plays parts does not come here with it.
        Role::All(_) | Role::Many(_) => return Ok(()),
        Role::Found(input) => tell(&found::found(input)?),
        Role::Change(input) => tell(&found::change(input)?),
        Role::Join(input) => tell(&join::join(input)?),
        Role::Crowd(input) => tell(&crowd::crowd(input)?),
        Role::Push(input) => tell(&sync::push(&input.home)?),
        Role::Pull(input) => tell(&sync::pull(&input.home)?),
        Role::Count(input) => tell(&count::count(&input.home)?),
        Role::Limit(input) => tell(&sqlite::measure(&input.home)?),
        Role::Tables(input) => tell(&tables::measure(&input.home)?),
        Role::Lines(input) => tell(&lines::measure(&input.home, &input.file)?),
        Role::Changed(input) => tell(&found::changed(input)?),
        Role::Export(input) => tell(&bundle::export(&input.home, &input.file)?),
        Role::Import(input) => tell(&bundle::import(&input.home, &input.file)?),
        Role::Verify(input) => tell(&bundle::verify(&input.file)?),
        Role::One(input) => tell(&one::one(&input.home, input.times)?),
        Role::Serving(input) => {
            let Serving {
                home,
                files,
                dir,
                times,
            } = input;
            tell(&serving::serving(home, files, dir, *times)?);
        }
        Role::Trust(input) => tell(&trust::trust(input.n, input.times)?),
        Role::Hub(input) => return hub::run(input),
        Role::Site(input) => return site::run(&input.home),
        Role::Files(input) => return files::run(&input.home),
    }
    wait_for_the_end();
    Ok(())
}

/// Says what came of it.
pub fn tell(report: &Report) {
    let line = serde_json::to_string(report).expect("a report has string keys and serialises");
    let mut stdout = std::io::stdout();
    // Whoever does not listen any more does not want to know.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Waits until whoever started this closes its input, or is gone.
pub fn wait_for_the_end() {
    let _ = std::io::stdin().read(&mut [0]);
}

/// A runtime as the command line of a node has it: everything on this thread.
fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::io("starting the runtime"))
}
