//! A hub on an embedded SQLite file.

/// Stands here until the relay's tables do.
#[derive(Debug, Clone)]
pub struct SqliteHub;
