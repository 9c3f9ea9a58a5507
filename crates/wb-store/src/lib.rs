//! What a node keeps on disk, in SQLite.
//!
//! Two files: the main one holds feeds, local records and what is shown of them; the private one holds
//! accounts, contacts, drafts, invites and secrets. A hub has a third, for what it relays ([`relay`]).
//! One named transaction appends, folds projections and moves heads together or not at all. What is
//! accepted or shown is decided by `wb-core`.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod audit;
mod diff;
mod doctor;
mod error;
mod feed_links;
mod feeds;
mod guard;
mod hidden;
mod home;
mod inbox;
mod instances;
pub mod legacy;
mod local;
mod notices;
mod open;
mod peers;
mod private;
mod project;
mod query;
mod rehearse;
pub mod relay;
mod runs;
mod sessions;
mod sql;
mod store;
mod turns;
mod unwritable;

pub use audit::AuditLine;
pub use diff::{Changed, Difference};
pub use doctor::{Finding, Findings};
pub use error::{Result, StoreError, is_io_full, is_io_read_only};
pub use feed_links::FeedLink;
pub use feeds::{
    FeedRow, Ingest, LogDue, NewLog, SealDelta, SealItem, Served, SnapshotRows, StoredHeader, Taken,
};
pub use guard::{Guard, Standing as GuardStanding};
pub use hidden::HiddenLine;
pub use home::{Home, write_private_file};
pub use inbox::{Contradiction, ForkedFeed, HeldDelta, HeldGroup, MissingLines};
pub use instances::{Instance, Standing};
pub use local::{LastRetract, LocalRecord, Sealed, SealedMove};
pub use notices::NoticeRow;
pub use peers::Peer;
pub use private::{
    AUDIT_ROWS_MAX, AUDIT_ROWS_PER_ACTOR_MAX, Account, AccountState, AuditRow, Draft, InviteRow,
    Private, Role,
};
pub use project::rebuild;
pub use query::{Filter, HEADS_NOT_COMPARED, HeldCount, RecordCount, RecordRow, StatusRow};
pub use runs::{RUNS_MAX, Road, Run, RunCounts, RunEnd, RunRecord, RunStart};
pub use sessions::{SessionRow, WaitingDraft};
pub use store::{Founding, Store, Write};
pub use turns::OwnCopy;
pub use unwritable::Unwritable;
