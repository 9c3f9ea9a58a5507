//! The simulator: the shipped nodes and hubs under a seeded scheduler, with faults.
//!
//! A seed makes a small world: communities with files of their own, hubs, a network in memory, clocks. The
//! scheduler draws what members write and share, who syncs when, and what goes wrong. Beside the programs
//! stands a ledger of what each member wrote, shared and took back; after every step, and once faults have
//! stopped, plain SQL over the files is held against it. Nothing is modelled twice: what runs is
//! `wb_node` and `wb_hub`, over real SQLite files in a folder on memory.
//!
//! Time is paused, chance comes from the seed, and one thread runs a world, so a seed replays exactly.
//! What it does not cover: power loss under the files, and threads.
//!
//! ```
//! let outcome = wb_sim::run(1, 5);
//! assert!(outcome.is_clean(), "{:?}", outcome.failures);
//! ```

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod allowed;
mod always;
mod chance;
mod coverage;
mod crowd;
mod error;
mod files;
mod finally;
mod hub;
mod keys;
mod ledger;
mod liar;
mod lie;
mod look;
mod machine;
mod many;
mod member;
mod network;
mod play;
mod rogue;
mod run;
mod scheduler;
mod step;
mod wire;
mod world;

pub use coverage::{Count, Coverage, FAULTS};
pub use many::{Outcomes, run_many};
pub use run::{Outcome, STEPS, STEPS_MAX, Told, run};
pub use world::Failure;
