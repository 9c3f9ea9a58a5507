//! A node that stays up: who it is, for whoever asks, and syncing by itself when it was told to.

mod auto;
mod backups;
mod direct;
mod metrics;
mod routes;
mod running;

pub use auto::{AutoSync, auto_sync};
pub use backups::{AutoBackup, Made, auto_backup};
pub use routes::{router, router_in_place};
pub use running::runs_every;

use std::sync::Arc;

use wb_net::signed::{Clock, Responder};

use crate::entropy;
use crate::error::Result;
use crate::node::Node;
use crate::sync::key_of;

/// Seconds since 1970, by the clock of this computer.
#[must_use]
pub fn clock() -> Clock {
    Arc::new(|| entropy::now().unix_ms_clamped() / 1_000)
}

/// Signs answers as this instance. The signing key stays in memory for as long as it is served.
///
/// # Errors
/// That the key is missing or damaged.
pub fn responder(node: &Node) -> Result<Responder> {
    let signer = Arc::new(node.signer()?);
    Ok(Responder::new(key_of(node.identity()), signer, clock()))
}
