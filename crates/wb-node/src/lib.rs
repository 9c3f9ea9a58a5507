//! The use cases of a node: one file per command, one per query, and the work in the background.
//!
//! The place where the clock is read and entropy is drawn, to be handed to `wb-core`. Leaves SQL to
//! `wb-store`, and everything that prints or renders to the crates above.

#![deny(clippy::print_stderr, clippy::print_stdout)]
