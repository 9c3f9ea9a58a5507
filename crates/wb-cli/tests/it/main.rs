//! The integration tests of `wb`: one binary, one module per subject. All but `supply_chain` run the
//! real program and read its files with SQL of their own. Three ask Linux itself: which locks a killed process
//! held, what it wrote, and for a disk that can be filled.

mod attacks;
mod backup;
mod canary;
mod cli;
mod conflicts;
mod damage;
mod deaths;
mod direct_peers;
#[cfg(target_os = "linux")]
mod disk;
mod front;
mod hub_bundle;
mod hub_caches;
mod hub_crowd;
mod hub_ends;
mod hub_move;
mod hub_notices;
mod hub_pages;
mod hub_policies;
mod hub_postgres;
mod hub_watch;
mod hub_words;
mod inbox;
mod invites;
mod keys;
#[cfg(target_os = "linux")]
mod kills;
mod kinds;
mod letters;
#[cfg(feature = "next-schema")]
mod next_schema;
mod offers;
mod pages;
mod peer_acts;
mod peers;
mod pictures;
#[cfg(target_os = "linux")]
mod power;
mod restoring;
mod retracting;
mod rights;
mod sealed;
#[cfg(feature = "next-schema")]
mod skew;
mod stays_up;
mod supply_chain;
mod support;
mod vouches;
mod walkthrough;
#[cfg(target_os = "linux")]
mod world;
