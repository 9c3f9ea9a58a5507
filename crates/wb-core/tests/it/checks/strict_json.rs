//! `strict_json.json`: which lines may be read at all.

use serde_json::Value;

use crate::naive::{read_json, unhex};
use crate::vectors::{cases, file, report};

fn bytes(value: &Value) -> Vec<u8> {
    unhex(value.as_str().expect("hexadecimal"))
}

fn line(case: &Value) -> Vec<u8> {
    if let Some(hex) = case.get("hex") {
        return bytes(hex);
    }
    let repeat = &case["repeat"];
    let count = repeat["count"].as_u64().expect("a count");
    let mut line = bytes(&repeat["prefix_hex"]);
    for _ in 0..count {
        line.extend(bytes(&repeat["fill_hex"]));
    }
    line.extend(bytes(&repeat["suffix_hex"]));
    line
}

fn run(rule: impl Fn(&[u8]) -> Option<&'static str>) {
    let vectors = file("strict_json.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let (rule, expected) = (rule(&line(case)), case["rule"].as_str());
        if rule != expected {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}

#[test]
fn the_naive_reader_agrees_with_the_vectors_of_strict_json() {
    run(|line| read_json(line).err());
}

#[test]
fn wb_core_agrees_with_the_vectors_of_strict_json() {
    run(|line| {
        wb_core::json::check(line)
            .err()
            .map(wb_core::rule::Rule::as_str)
    });
}
