//! `status.json`: what a request is, from what home and helpers say.

use std::collections::BTreeMap;

use serde_json::Value;
use wb_core::id::{Hash, InstanceId};
use wb_core::kinds::To;
use wb_core::status::{HelperEvent, HomeEvent, merge};

use crate::vectors::{cases, file, report};

fn hash(value: &Value) -> Option<Hash> {
    value.as_str().map(|text| text.parse().expect("a hash"))
}

fn instance(text: &str) -> InstanceId {
    text.parse().expect("an instance id")
}

fn to(value: &Value) -> To {
    serde_json::from_value(value.clone()).expect("a word")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn home_event(event: &Value) -> HomeEvent {
    let heard = event["heard"].as_object().expect("an object");
    HomeEvent {
        n: number(&event["n"]),
        to: to(&event["to"]),
        heard: heard
            .iter()
            .map(|(id, n)| (instance(id), number(n)))
            .collect(),
        line_hash: hash(&event["hash"]).expect("a hash"),
    }
}

fn helper_event(event: &Value) -> HelperEvent {
    HelperEvent {
        n: number(&event["n"]),
        to: to(&event["to"]),
        after: hash(&event["after"]),
        line_hash: hash(&event["hash"]).expect("a hash"),
    }
}

#[test]
fn wb_core_agrees_with_the_vectors_of_status() {
    let vectors = file("status.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let home: Vec<HomeEvent> = list(&case["home"]).iter().map(home_event).collect();
        let helpers = case["helpers"].as_object().expect("helpers");
        let helpers: BTreeMap<InstanceId, Vec<HelperEvent>> = helpers
            .iter()
            .map(|(id, said)| (instance(id), list(said).iter().map(helper_event).collect()))
            .collect();
        let named = list(&case["named"]);
        let named = named
            .iter()
            .filter_map(Value::as_str)
            .map(instance)
            .collect();
        let shown = merge(&home, &helpers, &named);
        let expected = (to(&case["value"]), case["contested"].as_bool());
        if (shown.value, Some(shown.contested)) != expected {
            findings.push(format!("{name}: expected {expected:?}, got {shown:?}"));
        }
    }
    report(&findings);
}
