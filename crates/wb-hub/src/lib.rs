//! A hub: registration, directory, and the relay of public feeds (spec: sync).
//!
//! [`Hub`] answers requests; where things are kept is behind [`HubStore`]. What is accepted of a feed is
//! decided by the rules of `wb-core`, as any follower would decide; a hub adds nothing and changes nothing.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod places;
mod problems;
mod routes;
mod service;
mod sqlite;
mod store;
mod subset;

pub use service::{Hub, HubInfo, Report, Times};
pub use sqlite::SqliteHub;
pub use store::{
    ChangesPage, Decision, HubStore, LinesPage, MemberRow, PageRefused, PushRefused, Registering,
    SnapshotAsk, StoreProblem,
};
