//! The PostgreSQL server that a hub under load keeps its data in: with the settings that it comes with, so that a commit is
//! on the disk, as it is in a file.

use tempfile::TempDir;
use wb_throwaway::{Server, hand_over};

use crate::error::Result;
use crate::usage::below;

/// A server with an empty database.
pub struct Database {
    server: Server,
    /// The address of the database.
    pub address: String,
    /// Ends after the server that works in it.
    _folder: TempDir,
}

impl Database {
    /// Starts one in a folder.
    pub fn start(folder: TempDir) -> Result<Self> {
        hand_over(folder.path())?;
        let server = Server::start_in(&folder.path().join("data"), &[])?;
        let address = server.database("hub")?;
        Ok(Self {
            server,
            address,
            _folder: folder,
        })
    }

    /// Seconds of CPU that its processes used so far.
    pub fn cpu_s(&self) -> Result<f64> {
        below(self.server.pid())
    }
}
