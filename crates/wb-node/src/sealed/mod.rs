//! What is shared with trusted peers only: sealing it, giving it, and taking what others sealed (spec: sealed
//! envelopes).
//!
//! Keys and encryption are here, and which part of the trusted feed each member of the audience lacks; the form of
//! envelopes and every rule are those of `wb-core`.

pub(crate) mod carry;
mod content;
mod crypt;
mod exchange;
pub(crate) mod keys;
mod part;
mod prepare;
pub(crate) mod serve;
mod take;
mod want;

pub(crate) use crypt::{open, seal};
pub(crate) use exchange::{Exchanged, Gave, To, give, take_waiting};
pub(crate) use part::part;
pub(crate) use prepare::{PART, prepare};
pub(crate) use take::{Coming, Taken, take};
