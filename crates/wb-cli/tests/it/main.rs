//! The integration tests of `wb`: one binary, one module per subject. All but `supply_chain` run the
//! real program and read its files with SQL of their own.

mod canary;
mod cli;
mod damage;
mod deaths;
mod hub_ends;
mod hub_words;
mod kinds;
#[cfg(feature = "next-schema")]
mod next_schema;
mod peers;
#[cfg(feature = "next-schema")]
mod skew;
mod stays_up;
mod supply_chain;
mod support;
mod walkthrough;
