//! `signed_line.json`: layout, type and signature.

use wb_core::signed::{BUNDLE, HEADER, IDENTITY, Unverified, WANT};

use crate::vectors::{cases, file, report};

#[test]
fn wb_core_agrees_with_the_vectors_of_signed_lines() {
    let vectors = file("signed_line.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let text = |member: &str| case[member].as_str().expect("a text");
        let types = [IDENTITY, HEADER, BUNDLE, WANT];
        let expected_type = types
            .into_iter()
            .find(|t| t.0 == text("type"))
            .expect("a type");
        let key = text("key").parse().expect("a key");
        let read = Unverified::read(text("line").as_bytes(), expected_type);
        let rule = read.and_then(|line| line.verify(&key)).err();
        let (rule, expected) = (rule.map(wb_core::rule::Rule::as_str), case["rule"].as_str());
        if rule != expected {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}
