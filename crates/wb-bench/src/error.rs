//! Why a benchmark gave up.

use std::path::{Path, PathBuf};

/// What is returned everywhere here.
pub type Result<T> = std::result::Result<T, BenchError>;

/// Why a benchmark gave up.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A use case of a node.
    #[error(transparent)]
    Node(#[from] wb_node::NodeError),
    /// A store.
    #[error(transparent)]
    Store(#[from] wb_store::StoreError),
    /// The plain SQLite file.
    #[error("the plain SQLite file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A server of PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] wb_throwaway::ThrowawayError),
    /// The hub's data in PostgreSQL.
    #[error("the hub's data: {0}")]
    HubStore(#[from] wb_hub_pg::PgError),
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A process, a socket or a pipe.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: &'static str,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A process that did not say what it should.
    #[error("the process `{role}` {what}")]
    Role {
        /// Its role.
        role: String,
        /// What it did instead.
        what: String,
    },
    /// A hub that was called by somebody who is no node.
    #[error("calling a hub: {0}")]
    Call(#[from] wb_net::signed::CallError),
    /// A sync that did not do what is measured.
    #[error("{0}")]
    Wrong(String),
}

impl BenchError {
    /// Says which file.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// Says what was done.
    pub fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
