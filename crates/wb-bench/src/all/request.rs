//! The limit of a call that finds nothing: one request, over a connection that is made for it, to a plain server.

use std::path::Path;
use std::time::Duration;

use crate::client::Client;
use crate::clock::timed;
use crate::error::{BenchError, Result};

/// The file that it gives: about what an answer with nothing in it has.
const NAME: &str = "small";
const BYTES: [u8; 500] = [b'x'; 500];
/// Longest wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Puts the file into the folder that the server gives files from.
pub(super) fn prepare(dir: &Path) -> Result<()> {
    let small = dir.join(NAME);
    std::fs::write(&small, BYTES).map_err(BenchError::file(&small))
}

/// Asks once; milliseconds.
pub(super) fn one(files: &str) -> Result<f64> {
    let (asked, took) = timed(|| Client::connect(files, "", PATIENCE)?.get(&format!("/{NAME}")));
    let answer = asked?;
    if answer.status != 200 {
        return Err(BenchError::Wrong(format!(
            "{NAME}: status {}",
            answer.status
        )));
    }
    Ok(took.as_secs_f64() * 1_000.0)
}
