//! `trust.json`: the level of each instance, and why it has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wb_core::id::InstanceId;
use wb_core::kinds::Level;
use wb_core::time::Timestamp;
use wb_core::trust::{Ground, Vouched, Why};

use crate::vectors::{cases, file, report};

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("a value of the vectors")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn secret(value: &Value) -> [u8; 32] {
    let digits = value.as_str().expect("digits");
    let pair = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("digits");
    std::array::from_fn(pair)
}

fn ground(case: &Value) -> Ground {
    let vouch = |vouch: &Value| Vouched {
        id: read(&vouch["id"]),
        issuer: read(&vouch["issuer"]),
        subject: read(&vouch["subject"]),
        level: read(&vouch["level"]),
        issued_at: read(&vouch["issued_at"]),
        expires_at: read(&vouch["expires_at"]),
        feed_valid_until: read(&vouch["feed_valid_until"]),
    };
    let approved = |one: &Value| (read(&one["instance"]), read(&one["level"]));
    Ground {
        me: read(&case["me"]),
        approved: list(&case["approved"]).map(approved).collect(),
        refused: list(&case["refused"]).map(read).collect(),
        vouches: list(&case["vouches"]).map(vouch).collect(),
        secret: secret(&case["secret"]),
    }
}

fn told(why: &Why) -> Value {
    let step = |step: &wb_core::trust::Step| {
        let vouch = step.vouch.map(|id| id.to_string());
        json!({"from": step.from, "to": step.to, "vouch": vouch})
    };
    let hangs_on: Vec<String> = why.hangs_on.iter().map(|(_, id)| id.to_string()).collect();
    json!({
        "level": why.level,
        "by_hand": why.by_hand,
        "way": why.way.iter().map(step).collect::<Vec<_>>(),
        "disjoint_ways": why.disjoint_ways,
        "until": why.until,
        "hangs_on": hangs_on,
    })
}

#[test]
fn wb_core_trusts_as_the_vectors_do() {
    let vectors = file("trust.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let (ground, now): (_, Timestamp) = (ground(case), read(&case["now"]));
        let levels = ground.levels(now);
        let expected: BTreeMap<InstanceId, Level> = list(&case["levels"])
            .map(|one| (read(&one["instance"]), read(&one["level"])))
            .collect();
        if levels != expected {
            findings.push(format!("{name}: expected {expected:?}, got {levels:?}"));
        }
        for expected in case["why"].as_array().into_iter().flatten() {
            let id: InstanceId = read(&expected["instance"]);
            let mut got = ground.why(id, now).as_ref().map_or(Value::Null, told);
            got["instance"] = json!(id);
            if got != *expected {
                findings.push(format!("{name}: expected {expected}, got {got}"));
            }
        }
    }
    report(&findings);
}
