//! What keeps a simulation from going on; that is the simulator's trouble, never a finding.

use std::path::{Path, PathBuf};

/// Why a simulation could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A command that nothing stands in the way of failed.
    #[error("a command failed: {0}")]
    Node(#[from] wb_node::NodeError),
    /// A store could not be opened.
    #[error("a store failed: {0}")]
    Store(#[from] wb_store::StoreError),
    /// A hub's store did not answer.
    #[error("the store of a hub failed: {0}")]
    Hub(#[from] wb_hub::StoreProblem),
    /// A check could not read a file.
    #[error("a file could not be read for checking: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The disk.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Says which file it was.
pub fn files(path: &Path) -> impl FnOnce(std::io::Error) -> SimError {
    let path = path.to_owned();
    move |source| SimError::File { path, source }
}
