//! Reading files from elsewhere: bundles, and the database of the Python program.

pub(crate) mod adding;
mod ahead;
pub mod apart;
mod beside;
pub(crate) mod hashing;
pub mod lines;
pub mod sink;
pub mod whiteballoon;
