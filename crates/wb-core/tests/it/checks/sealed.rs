//! `sealed/`: envelopes, what stands inside them, and lengths. That bodies open is looked at where they are opened.

use serde_json::Value;
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::rule::Rule;
use wb_core::sealed::{Envelope, Sealed, padded};
use wb_core::time::Timestamp;

use crate::vectors::{cases, file, report, texts};

fn identity(vectors: &Value) -> IdentityLog {
    IdentityLog::verify(None, &texts(&vectors["identity"])).expect("the log of the vectors")
}

fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("digits");
    let pair = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(pair).collect()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("a value of the vectors")
}

#[test]
fn wb_core_pads_as_the_vectors_do() {
    let vectors = file("sealed/padding.json");
    for (name, case) in cases(&vectors) {
        let n: usize = read(&case["bytes"]);
        assert_eq!(padded(n), read::<usize>(&case["padded"]), "{name}");
    }
}

#[test]
fn wb_core_agrees_with_the_vectors_of_envelopes() {
    let vectors = file("sealed/envelopes.json");
    let (identity, now): (_, Timestamp) = (identity(&vectors), read(&vectors["now"]));
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let line = case["line"].as_str().expect("a line");
        let verified = Envelope::verify(line.as_bytes(), &bytes(&case["body"]), &identity, now);
        let rule = verified.err().map(Rule::as_str);
        let expected = case["rule"].as_str();
        if rule != expected {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}

#[test]
fn wb_core_agrees_with_the_vectors_of_what_is_inside() {
    let vectors = file("sealed/sealed.json");
    let identity = identity(&vectors);
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let recipients: Vec<InstanceId> = read(&case["recipients"]);
        let envelope = Envelope::new(&identity, recipients, read(&case["expires"]), b"a body");
        let reader: InstanceId = read(&case["reader"]);
        let plain = bytes(&case["plain"]);
        let opened = Sealed::open(&plain, &envelope, &identity, &reader);
        let rule = opened.as_ref().err().map(|rule| rule.as_str());
        let expected = case["rule"].as_str();
        let content = opened.ok().map(|(_, _, content)| content);
        if rule != expected || content != case["content"].as_str().map(str::as_bytes) {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}
