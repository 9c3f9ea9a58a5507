//! Seeded random histories, and what must hold in every one of them.
//!
//! `WB_SEED=n` replays one and prints it. A failure names its seed. The tests are in `checks`, so that
//! another crate can run them against a subject of its own.

mod agree;
pub mod rng;
mod seal;
mod world;

pub use agree::{Subject, number, run_all};
pub use world::NEITHER_HELD;
