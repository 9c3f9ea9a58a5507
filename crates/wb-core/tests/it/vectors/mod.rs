//! Reading the vectors of `docs/spec/vectors`, and running those of feeds through a [`Subject`].
//!
//! They were made by a script that shares no code with what they judge; where two of vectors, naive
//! follower and subject disagree, the third says who is wrong.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::histories::Subject;
use crate::naive::{self, Outcome};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/vectors")
}

fn load(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a vector file");
    serde_json::from_str(&text).expect("a vector file is JSON")
}

/// One file by its name, such as `words.json`.
pub fn file(name: &str) -> Value {
    load(&folder().join(name))
}

/// The cases of a file, with their names.
pub fn cases(file: &Value) -> Vec<(&str, &Value)> {
    let cases = file["cases"].as_array().expect("cases");
    assert!(!cases.is_empty(), "no cases");
    cases
        .iter()
        .map(|case| (case["name"].as_str().unwrap_or("without a name"), case))
        .collect()
}

/// Every file of a folder, by name.
pub fn files(folder_name: &str) -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder().join(folder_name))
        .expect("a folder of vectors")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no vectors in {folder_name}");
    let stem = |path: &Path| path.file_stem().expect("a name").display().to_string();
    paths.iter().map(|path| (stem(path), load(path))).collect()
}

/// Fails with all findings, where there are any.
pub fn report(findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

pub fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("a list");
    items
        .iter()
        .map(|v| v.as_str().expect("a text").to_owned())
        .collect()
}

/// The outcome a step or a case expects.
pub fn outcome_of(value: &Value) -> Outcome {
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
pub fn run_feeds(make: impl Fn(&[&str]) -> Box<dyn Subject>) {
    run_feeds_named("", make);
}

/// Runs the files of `feeds/` whose names start so.
pub fn run_feeds_named(start: &str, make: impl Fn(&[&str]) -> Box<dyn Subject>) {
    let mut findings = Vec::new();
    let mut vectors = files("feeds");
    vectors.retain(|(name, _)| name.starts_with(start));
    assert!(!vectors.is_empty(), "no vectors {start}…");
    for (name, vector) in vectors {
        naive::forget();
        let scopes = texts(&vector["follows"]);
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        for finding in run_feed(&vector, &mut *make(&scopes)) {
            findings.push(format!("{name}: {finding}"));
        }
    }
    report(&findings);
}
