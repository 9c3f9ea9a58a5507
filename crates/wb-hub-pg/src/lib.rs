//! A hub whose data is in PostgreSQL (decision 0074): several processes on one database share one relay log.
//!
//! Round trips decide here, so this is no copy of the SQLite code over another driver: a push reads the state of its
//! feed and the entries it needs in one go, is judged by the rules of `wb-core` in memory, and is written with a few
//! statements for however many entries. Numbers of arrivals are given to what is committed (`arrivals`).
//!
//! The SQL is that of PostgreSQL 15 and of engines that speak its protocol faithfully: row locks and no advisory
//! ones, no trigger, no procedure, no extension. `LISTEN` and `NOTIFY` only make it faster.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod address;
mod arrivals;
mod as_of;
mod changes;
mod counts;
mod envelopes;
mod error;
mod feed;
mod follow;
mod forget;
mod heads;
mod history;
mod hub;
mod identity;
mod invites;
mod items;
mod lines;
mod listed;
mod listen;
mod listing;
mod mail;
mod member;
pub mod moving;
mod notices;
mod own;
mod pool;
mod push;
mod receipts;
mod room;
mod schema;
mod snapshot;
mod store;
mod tell;
mod tls;
mod turns;
mod tx;
mod vouches;
mod write;

pub use address::Address;
pub use error::PgError;
pub use hub::PgHub;
pub use listen::Heard;
pub use pool::CONNECTIONS;
