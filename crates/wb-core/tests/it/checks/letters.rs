//! `letters/`: mail, the letter inside, and what it says. That bodies open is looked at where they are opened.

use serde_json::Value;
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::letter::{Letter, LetterBody, Mail};
use wb_core::rule::Rule;
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
fn wb_core_agrees_with_the_vectors_of_mail() {
    let vectors = file("letters/mail.json");
    let (identity, now): (_, Timestamp) = (identity(&vectors), read(&vectors["now"]));
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let line = case["line"].as_str().expect("a line");
        let verified = Mail::verify(line.as_bytes(), &bytes(&case["body"]), &identity, now);
        let rule = verified.err().map(Rule::as_str);
        let expected = case["rule"].as_str();
        if rule != expected {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}

#[test]
fn wb_core_agrees_with_the_vectors_of_letters() {
    let vectors = file("letters/letters.json");
    let identity = identity(&vectors);
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let recipient: InstanceId = read(&case["recipient"]);
        let mail = Mail::new(&identity, recipient, read(&case["expires"]), b"a body");
        let reader: InstanceId = read(&case["reader"]);
        let opened = Letter::open(&bytes(&case["plain"]), &mail, &identity, &reader);
        let rule = opened.as_ref().err().map(|rule| rule.as_str());
        let expected = case["rule"].as_str();
        let found = opened.ok().map(|letter| {
            serde_json::json!({"thread": letter.thread.to_string(), "n": letter.n, "kind": letter.kind.as_str(),
                "body": letter.body.get()})
        });
        if rule != expected || found.unwrap_or_default() != case["letter"] {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}

#[test]
fn wb_core_agrees_with_the_vectors_of_what_letters_say() {
    let vectors = file("letters/bodies.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let body = case["body"].as_str().expect("a body");
        let version: u32 = read(&case["schema_version"]);
        let found = LetterBody::read(&read(&case["kind"]), version, body);
        let rule = found.as_ref().err().map(|rule| rule.as_str());
        let expected = case["rule"].as_str();
        let is_known = matches!(found, Ok(Some(_)));
        if rule != expected || is_known != read::<bool>(&case["known"]) {
            findings.push(format!("{name}: expected {expected:?}, got {rule:?}"));
        }
    }
    report(&findings);
}
