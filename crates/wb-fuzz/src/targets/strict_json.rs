//! Strict JSON: two implementations answer alike by the same rule, and what is taken means the same to a
//! common JSON reader.

use serde_json::Value;
use wb_core::json;
use wb_core::limits::LINE_BYTES_MAX;
use wb_core::rule::Rule;

use crate::vectors::{cases, file};
use crate::{Memory, Target, naive};

pub const TARGET: Target = Target {
    name: "strict_json",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let ours = json::check(input).map_err(Rule::as_str);
    let theirs = naive::read_json(input).map(drop);
    assert_eq!(
        ours.map(drop),
        theirs,
        "wb-core and the naive reader differ"
    );
    let Ok(text) = ours else { return };
    let value: Value = serde_json::from_str(text).expect("what is strict is JSON");
    assert!(value.is_object(), "one object");
    // Written by a common library it is strict still, and means the same. Not so with fractions: that
    // library rounds the last digit otherwise. No kind has any.
    let written = value.to_string();
    if written.len() <= LINE_BYTES_MAX && !has_fraction(&value) {
        let again = json::check(written.as_bytes()).expect("what a library writes of it is strict");
        assert_eq!(serde_json::from_str::<Value>(again).ok(), Some(value));
    }
    assert_eq!(
        json::check_document(input, input.len().saturating_sub(1)).map_err(Rule::as_str),
        Err("line_too_long"),
    );
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("strict_json.json");
    let hex = cases(&vectors)
        .iter()
        .filter_map(|case| case["hex"].as_str());
    hex.map(naive::unhex).collect()
}
