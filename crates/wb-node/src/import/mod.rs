//! Reading files from elsewhere: bundles, and the database of the Python program.

mod ahead;
pub mod apart;
pub(crate) mod hashing;
pub mod lines;
pub mod sink;
pub mod whiteballoon;
