//! The vectors of `docs/spec/vectors` through the naive follower and through a [`Subject`].
//!
//! They were made by a script that shares no code with either; where two of the three disagree, the
//! third says who is wrong.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::histories::Subject;
use crate::naive::{self, Follower, Outcome};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/vectors")
}

fn load(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a vector file");
    serde_json::from_str(&text).expect("a vector file is JSON")
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("a list");
    items
        .iter()
        .map(|v| v.as_str().expect("a text").to_owned())
        .collect()
}

fn outcome_of(value: &Value) -> Outcome {
    Outcome {
        name: value["outcome"].as_str().expect("an outcome").to_owned(),
        rule: value["rule"].as_str().map(str::to_owned),
    }
}

/// Runs one file of `feeds/`; the findings name the step.
fn run_feed(vector: &Value, subject: &mut dyn Subject) -> Vec<String> {
    let mut findings = Vec::new();
    for (n, step) in vector["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .enumerate()
    {
        let text = |name: &str| step[name].as_str().expect("a text").to_owned();
        let answer = match step["do"].as_str().expect("what to do") {
            "identity" => subject.identity(&texts(&step["lines"])),
            "delta" => subject.delta(&text("header"), &texts(&step["items"])),
            "snapshot" => subject.snapshot(&texts(&step["lines"])),
            "fill" => subject.fill(&text("line")),
            other => panic!("unknown step {other}"),
        };
        let expected = outcome_of(step);
        if answer != expected {
            findings.push(format!("step {n}: expected {expected:?}, got {answer:?}"));
        }
    }
    let end = &vector["end"];
    let feeds: Vec<Value> = subject
        .feeds()
        .into_iter()
        .map(|f| {
            serde_json::json!({
                "origin": f.origin, "scope": f.scope, "log": f.log, "generation": f.generation,
                "seq": f.seq, "head": f.head, "live": f.live, "live_n": f.live_n,
                "forked": f.forked,
            })
        })
        .collect();
    let shown: Vec<Value> = subject
        .shown()
        .into_iter()
        .map(|s| {
            serde_json::json!({
                "origin": s.origin, "id": s.id, "rev": s.rev, "scope": s.scope,
                "line_hash": s.line_hash,
            })
        })
        .collect();
    let hidden: Vec<Value> = subject
        .hidden()
        .into_iter()
        .map(|h| {
            serde_json::json!({
                "origin": h.origin, "id": h.id, "scope": h.scope, "cause": h.cause,
            })
        })
        .collect();
    for (name, got) in [("feeds", feeds), ("shown", shown), ("hidden", hidden)] {
        if sorted(end[name].as_array().expect("a list")) != sorted(&got) {
            findings.push(format!(
                "{name}: expected {:#}, got {:#}",
                end[name],
                Value::Array(got)
            ));
        }
    }
    findings
}

fn sorted(values: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

/// Runs every file of `feeds/` against subjects made by `make`; panics with all findings.
fn run_feeds(make: impl Fn(&[&str]) -> Box<dyn Subject>) {
    let mut findings = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join("feeds"))
        .expect("the vectors of feeds")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no vectors of feeds");
    for file in files {
        naive::forget();
        let vector = load(&file);
        let scopes = texts(&vector["follows"]);
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        for finding in run_feed(&vector, &mut *make(&scopes)) {
            findings.push(format!(
                "{}: {finding}",
                file.file_stem().expect("a name").display()
            ));
        }
    }
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn the_naive_follower_agrees_with_the_vectors_of_feeds() {
    run_feeds(|scopes| Box::new(Follower::new(scopes)));
}

#[test]
fn the_naive_follower_agrees_with_the_vectors_of_identity() {
    let vectors = load(&folder().join("identity.json"));
    let mut findings = Vec::new();
    for case in vectors["cases"].as_array().expect("cases") {
        let mut follower = Follower::new(&["public"]);
        if !case["known"].is_null() {
            follower.identity(&texts(&case["known"]));
        }
        let answer = follower.identity_of(&texts(&case["offered"]), case["id"].as_str());
        let expected = outcome_of(case);
        if answer != expected {
            findings.push(format!(
                "{}: expected {expected:?}, got {answer:?}",
                case["name"]
            ));
        }
    }
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn the_naive_follower_agrees_with_the_vectors_of_strict_json() {
    let vectors = load(&folder().join("strict_json.json"));
    for case in vectors["cases"].as_array().expect("cases") {
        let bytes = |value: &Value| naive::unhex(value.as_str().expect("hexadecimal"));
        let line = match case.get("hex") {
            Some(hex) => bytes(hex),
            None => {
                let repeat = &case["repeat"];
                let count = repeat["count"].as_u64().expect("a count");
                let mut line = bytes(&repeat["prefix_hex"]);
                for _ in 0..count {
                    line.extend(bytes(&repeat["fill_hex"]));
                }
                line.extend(bytes(&repeat["suffix_hex"]));
                line
            }
        };
        let rule = naive::read_json(&line).err();
        assert_eq!(rule, case["rule"].as_str(), "{}", case["name"]);
    }
}
