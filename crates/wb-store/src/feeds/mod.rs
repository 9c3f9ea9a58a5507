//! Feeds on disk: what is held of them, taking in what came, and reading what is served.

mod aside;
mod delta;
mod early;
mod empty;
mod first;
mod heads;
mod held;
mod ingest;
mod kept;
mod lone;
mod new_log;
mod own;
mod seal;
mod serve;
mod snapshot;
mod view;

pub(crate) use ingest::Appended;
pub use ingest::Ingest;
pub use lone::Lone;
pub use new_log::{LogDue, NewLog};
pub use seal::{SealDelta, SealItem};
pub use serve::{FeedRow, Served, SnapshotRows, StoredHeader};
pub(crate) use serve::{read_entry, read_item};
pub use snapshot::Taken;
