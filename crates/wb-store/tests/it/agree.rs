//! The store agrees with the vectors of feeds and, on random histories, with the naive follower.
//!
//! `WB_STORE_HISTORIES=n` sets how many are run, `WB_SEED=n` replays one. After each, the doctor finds
//! nothing and making what is shown again changes nothing (when the subject is dropped).

use crate::histories::{number, run_all};
use crate::subject::InStore;
use crate::vectors::run_feeds;

const HISTORIES: u64 = 100;

#[test]
fn the_store_agrees_with_the_vectors_of_feeds() {
    run_feeds(|scopes| Box::new(InStore::new(scopes)));
}

#[test]
fn random_histories_agree() {
    let histories = number("WB_STORE_HISTORIES").unwrap_or(HISTORIES);
    run_all(histories, Some(|scopes| Box::new(InStore::new(scopes))));
}
