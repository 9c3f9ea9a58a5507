//! `feeds/`: deltas, snapshots, lines, and what is shown after them.

use crate::naive::Follower;
use crate::subject::InMemory;
use crate::vectors::run_feeds;

#[test]
fn the_naive_follower_agrees_with_the_vectors_of_feeds() {
    run_feeds(|scopes| Box::new(Follower::new(scopes)));
}

#[test]
fn wb_core_agrees_with_the_vectors_of_feeds() {
    run_feeds(|scopes| Box::new(InMemory::new(scopes)));
}
