//! `wants.json`: what a reader holds and wants.

use wb_core::want::Want;

use crate::vectors::{cases, file, report, texts};

#[test]
fn wb_core_agrees_with_the_vectors_of_wants() {
    let vectors = file("wants.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let read = Want::read(&texts(&case["lines"]));
        let rule = read.err().map(|(_, rule)| rule.as_str());
        let expected = case["rule"].as_str();
        if rule != expected {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}
