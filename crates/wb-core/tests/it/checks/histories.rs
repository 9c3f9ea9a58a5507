//! Random histories through `wb_core` and the naive follower.
//!
//! `WB_HISTORIES=n` sets how many are run.

use crate::histories::{NEITHER_HELD, number, run_all};
use crate::naive::Follower;
use crate::subject::InMemory;

const HISTORIES: u64 = 2_000;

#[test]
fn random_histories_agree_and_keep_their_promises() {
    let histories = number("WB_HISTORIES").unwrap_or(HISTORIES);
    let outcomes = run_all(histories, Some(|scopes| Box::new(InMemory::new(scopes))));
    assert!(
        histories < HISTORIES || number("WB_SEED").is_some() || outcomes.contains_key(NEITHER_HELD),
        "no history of {histories} came to a fork of two logs of which neither is held"
    );
}

#[test]
fn the_naive_follower_agrees_with_itself() {
    run_all(20, Some(|scopes| Box::new(Follower::new(scopes))));
}
