//! `identity.json`: one log offered to a reader.

use serde_json::Value;

use crate::histories::Subject as _;
use crate::naive::{Follower, Outcome};
use crate::subject::InMemory;
use crate::vectors::{cases, file, outcome_of, report, texts};

fn run(answer: impl Fn(&Value) -> Outcome) {
    let vectors = file("identity.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let (answer, expected) = (answer(case), outcome_of(case));
        if answer != expected {
            findings.push(format!("{name}: expected {expected:?}, got {answer:?}"));
        }
    }
    report(&findings);
}

#[test]
fn the_naive_follower_agrees_with_the_vectors_of_identity() {
    run(|case| {
        let mut follower = Follower::new(&["public"]);
        if !case["known"].is_null() {
            follower.identity(&texts(&case["known"]));
        }
        follower.identity_of(&texts(&case["offered"]), case["id"].as_str())
    });
}

#[test]
fn wb_core_agrees_with_the_vectors_of_identity() {
    run(|case| {
        let mut reader = InMemory::new(&["public"]);
        if !case["known"].is_null() {
            reader.identity(&texts(&case["known"]));
        }
        let answer = reader.identity_of(&texts(&case["offered"]), case["id"].as_str());
        answer.unwrap_or_else(|error| {
            let at = case["entry"].as_u64().map(usize::try_from);
            assert_eq!(at, Some(Ok(error.entry)), "{}", case["name"]);
            Outcome::refused(error.rule.as_str())
        })
    });
}
