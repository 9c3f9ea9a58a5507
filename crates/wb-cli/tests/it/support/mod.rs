//! What the tests of the program share: running it, reading its files, and chance with a seed.
//!
//! Nothing here uses a crate of WhiteBalloon, so that no test can agree with the program by sharing a
//! mistake with it.

pub mod balancer;
pub mod chance;
pub mod database;
pub mod document;
pub mod help;
pub mod hub;
pub mod instance;
pub mod left_out;
pub mod much;
pub mod process;
pub mod several;
pub mod wire;
