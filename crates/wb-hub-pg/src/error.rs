//! Why the database could not answer, in words for the operator's log: never with what a row holds, nor a password.

use tokio_postgres::error::SqlState;
use wb_core::id::InstanceId;
use wb_hub::StoreProblem;

/// What is returned everywhere here.
pub(crate) type Result<T> = std::result::Result<T, PgError>;

/// Why the database could not answer.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// The database reports something, or cannot be reached.
    #[error("{}", words(.0))]
    Database(#[from] tokio_postgres::Error),
    /// Every connection is in use.
    #[error("no connection to the database came free")]
    NoConnection,
    /// A newer program has changed the tables.
    #[error(
        "the database has format {found}, and this program knows formats up to {known}: \
         the program of this process has to be upgraded"
    )]
    Newer {
        /// The format that programs have to know.
        found: i64,
        /// The one that this program knows.
        known: i64,
    },
    /// No hub is there, or one of an earlier format.
    #[error("there is no hub in this database, or one of an earlier format")]
    Absent,
    /// Another instance's hub is there.
    #[error("the database is that of the hub of another instance, {0}")]
    OfAnother(InstanceId),
    /// The hub is being moved, or was: nothing is written here.
    #[error(
        "the hub of this database is being moved to another store, or was moved; nothing is written here"
    )]
    Fenced,
    /// A command that moves it is at work.
    #[error("a `wb hub move` is at work on this database")]
    Moving,
    /// It was begun to be filled from elsewhere, and not ended.
    #[error("a hub was begun to be moved into this database, from {0}, and that did not end")]
    Unfinished(String),
    /// It was moved elsewhere.
    #[error("the hub of this database was moved to {0}")]
    Left(String),
    /// Something is there already.
    #[error("there is a hub in this database already")]
    NotEmpty,
    /// Processes of the hub use it.
    #[error("{0} connections of a running hub use this database")]
    InUse(i64),
    /// What is stored cannot be.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A thread ended early.
    #[error("a call was given up: {0}")]
    Thread(String),
    /// The address of the database cannot be used.
    #[error("{0}")]
    Address(String),
}

impl PgError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Database(error) => error.code(),
            _ => None,
        }
    }

    fn is(&self, states: &[SqlState]) -> bool {
        self.state().is_some_and(|state| states.contains(state))
    }

    /// Whether another transaction was in the way: tried again, the same may go through.
    pub(crate) fn is_in_the_way(&self) -> bool {
        self.is(&[
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ])
    }

    /// Whether the connection was lost or none can be made. What was on its way may count or not; tried again it may go
    /// through, and every call may come twice.
    pub(crate) fn is_away(&self) -> bool {
        // What cannot be read of a row is none: it would be the same each time.
        let is_lost = match self {
            Self::Database(error) => {
                let source = std::error::Error::source(error);
                error.is_closed() || source.is_some_and(is_of_the_network)
            }
            _ => false,
        };
        is_lost
            || self.is(&[
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
            ])
    }
}

/// Whether the system says that a connection ended or cannot be made.
fn is_of_the_network(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<std::io::Error>()
}

/// The message of the server without its details, which name values of rows.
fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!(
            "the database said: {} ({})",
            said.message(),
            said.code().code()
        ),
        None => {
            let source = std::error::Error::source(error).map(ToString::to_string);
            let more = source.map(|source| format!(": {source}"));
            format!(
                "the database cannot be used: {error}{}",
                more.unwrap_or_default()
            )
        }
    }
}

impl From<PgError> for StoreProblem {
    fn from(error: PgError) -> Self {
        let busy = [SqlState::LOCK_NOT_AVAILABLE, SqlState::TOO_MANY_CONNECTIONS];
        if matches!(error, PgError::NoConnection) || error.is_in_the_way() || error.is(&busy) {
            Self::Busy
        } else if error.is_away() {
            Self::Away(error.to_string())
        } else if error.is(&[SqlState::DISK_FULL, SqlState::OUT_OF_MEMORY]) {
            Self::Full
        } else {
            Self::Failed(error.to_string())
        }
    }
}
