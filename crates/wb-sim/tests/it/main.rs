//! The simulator from outside: seeds replay, and are clean.

mod seeds;
