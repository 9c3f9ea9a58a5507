//! The use cases of a node: one file per command, one per query.
//!
//! Commands change something and write it to the audit log; queries only read. Rules are in `wb-core`,
//! SQL in `wb-store`; here is what a person asked for, in their words, and what may be answered.

#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod backup;
pub mod call_log;
mod card;
pub mod command;
mod direct;
pub mod entropy;
mod erasing;
pub mod error;
mod heeding;
pub mod import;
pub mod keys;
mod letters;
mod levels;
pub mod machine;
pub mod node;
mod offers;
mod packing;
pub mod picture;
pub mod plan;
mod promise;
pub mod query;
mod sealed;
pub mod secret;
pub mod service;
pub mod settings;
pub mod starter;
pub mod sync;
pub mod view;

pub use error::{ErrorKind, FULL, NodeError, READ_ONLY, Result};
pub use node::{Actor, Node};
