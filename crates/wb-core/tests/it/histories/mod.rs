//! Seeded random histories, and what must hold in every one of them.
//!
//! `WB_HISTORIES=n` sets how many are run (10,000 unless told), `WB_SEED=n` replays one and prints
//! it. A failure names its seed.

mod agree;
mod rng;
mod seal;
mod world;

pub use agree::Subject;
