//! The store agrees with the vectors of feeds and, on random histories, with the naive follower.
//!
//! `WB_STORE_HISTORIES=n` sets how many are run, `WB_SEED=n` replays one. After each, the doctor finds
//! nothing and making what is shown again changes nothing (when the subject is dropped).

use crate::histories::{NEITHER_HELD, number, run_all};
use crate::subject::InStore;
use crate::vectors::{run_feeds, run_feeds_named};

const HISTORIES: u64 = 100;

#[test]
fn the_store_agrees_with_the_vectors_of_feeds() {
    run_feeds(|scopes| Box::new(InStore::new(scopes)));
}

#[test]
fn of_two_logs_of_one_place_neither_is_taken_by_who_saw_both() {
    run_feeds_named("fork_of_two_logs", |scopes| Box::new(InStore::new(scopes)));
}

#[test]
fn random_histories_agree() {
    let histories = number("WB_STORE_HISTORIES").unwrap_or(HISTORIES);
    let outcomes = run_all(histories, Some(|scopes| Box::new(InStore::new(scopes))));
    let forks = outcomes.get(NEITHER_HELD).copied().unwrap_or_default();
    println!("{forks} times a log was not taken beside another that was not held either");
}
