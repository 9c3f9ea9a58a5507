//! `feeds/`: deltas, snapshots, lines, and what is shown after them.

use crate::naive::Follower;
use crate::subject::InMemory;
use crate::vectors::{run_feeds, run_feeds_named};

#[test]
fn the_naive_follower_agrees_with_the_vectors_of_feeds() {
    run_feeds(|scopes| Box::new(Follower::new(scopes)));
}

#[test]
fn wb_core_agrees_with_the_vectors_of_feeds() {
    run_feeds(|scopes| Box::new(InMemory::new(scopes)));
}

/// Seed 35728 of the executable model: two logs of one place, of which the follower holds neither.
#[test]
fn of_two_logs_of_one_place_neither_is_taken_by_who_saw_both() {
    run_feeds_named("fork_of_two_logs", |scopes| Box::new(InMemory::new(scopes)));
}
