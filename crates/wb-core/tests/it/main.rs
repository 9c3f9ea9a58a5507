//! Integration tests of `wb-core`: the rules against an oracle that shares no code with them.

mod histories;
mod naive;
mod vectors;
