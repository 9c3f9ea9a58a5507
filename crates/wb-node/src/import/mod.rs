//! Reading files from elsewhere: bundles, and the database of the Python program.

pub mod lines;
pub mod sink;
pub mod whiteballoon;
