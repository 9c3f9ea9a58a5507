//! `bundles/`: whole bundles, good and refused, read by who holds nothing.

use serde_json::{Value, json};
use wb_core::bundle::{Driver, Memory};
use wb_core::feed::{Live, LiveSum};
use wb_core::id::RecordId;
use wb_core::live::LiveHash;

use crate::vectors::{files, report, texts};

/// Adds up what is live outside of the reader.
#[derive(Debug, Default)]
struct Outside(LiveHash);

impl LiveSum for Outside {
    fn add(&mut self, id: RecordId, live: Live) {
        self.0.add(&live.element(&id));
    }

    fn sum(&mut self) -> LiveHash {
        self.0.clone()
    }
}

fn read(lines: &[String]) -> Value {
    read_by(Driver::default(), lines)
}

fn read_by(mut driver: Driver, lines: &[String]) -> Value {
    let mut memory = Memory::default();
    for line in lines {
        let Ok(()) = driver.push(line.as_bytes(), &mut memory);
    }
    match driver.finish() {
        Err(error) => {
            let cut = error.rule == wb_core::rule::Rule::Truncated;
            json!({
                "outcome": "refused", "stage": error.stage.as_str(), "rule": error.rule.as_str(),
                "line": if cut { Value::Null } else { error.line.into() }, "feeds": [],
            })
        }
        Ok(()) => {
            let feeds: Vec<Value> = driver
                .feeds()
                .iter()
                .map(|feed| {
                    json!({
                        "origin": feed.origin, "scope": feed.scope, "form": feed.form,
                        "items": feed.items, "outcome": feed.outcome,
                    })
                })
                .collect();
            json!({"outcome": "ok", "stage": null, "rule": null, "line": null, "feeds": feeds})
        }
    }
}

#[test]
fn wb_core_agrees_with_the_vectors_of_bundles() {
    let mut findings = Vec::new();
    for (name, vector) in files("bundles") {
        let lines = texts(&vector["lines"]);
        let answer = read(&lines);
        let outside = Driver::default().add_up_by(|_| Some(Box::new(Outside::default())));
        if read_by(outside, &lines) != answer {
            findings.push(format!("{name}: not the same where it is added up outside"));
        }
        for member in ["outcome", "stage", "rule", "line", "feeds"] {
            if answer[member] != vector[member] {
                findings.push(format!(
                    "{name}: {member}: expected {}, got {}",
                    vector[member], answer[member]
                ));
            }
        }
    }
    report(&findings);
}

/// Found by fuzzing: the error of an empty file named its line 0, which no file has.
#[test]
fn an_empty_file_is_refused_at_its_first_line() {
    let answer = read(&[]);
    assert_eq!(
        (&answer["rule"], &answer["line"]),
        (&json!("not_a_bundle"), &json!(1))
    );
}
