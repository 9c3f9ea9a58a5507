//! `sync/`: cursors, the running hash of arrivals, and follow lists.

use serde_json::{Value, json};
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::identity::IdentityLog;
use wb_core::kinds::ProtocolRange;
use wb_core::protocol::Upgrade;
use wb_core::receipt::Receipt;
use wb_core::reply::Reply;
use wb_core::sync::{Arrival, Cursor, FollowList, read_message};

use crate::vectors::{cases, file, report, texts};

fn parsed<T: std::str::FromStr>(value: &Value) -> T
where
    T::Err: std::fmt::Debug,
{
    value.as_str().expect("a text").parse().expect("its form")
}

#[test]
fn wb_core_agrees_with_the_vectors_of_cursors() {
    let vectors = file("sync/cursors.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let text = case["text"].as_str().expect("a text");
        let read = text.parse::<Cursor>();
        let value = read.as_ref().map_or(Value::Null, |cursor| {
            let running = data_encoding::HEXLOWER.encode(&cursor.running);
            json!({"log": cursor.log.to_string(), "n": cursor.n, "running": running})
        });
        if read.is_ok() != case["ok"] || value != case["value"] {
            findings.push(format!("{name}: expected {}, got {value}", case["value"]));
        }
        if read.is_ok_and(|cursor| cursor.to_string() != text) {
            findings.push(format!("{name}: written in another form"));
        }
        // In a message as well as in a query.
        let in_json = serde_json::from_value::<Cursor>(case["text"].clone());
        if in_json.is_ok() != case["ok"] {
            findings.push(format!("{name}: JSON {in_json:?}"));
        }
    }
    report(&findings);
}

fn arrival(kind: &Value) -> Arrival {
    match kind.as_str() {
        Some("identity") => Arrival::Identity,
        Some("delta") => Arrival::Delta,
        Some("again") => Arrival::Again,
        other => panic!("unknown arrival {other:?}"),
    }
}

#[test]
fn wb_core_agrees_with_the_vectors_of_arrivals() {
    let vectors = file("sync/arrivals.json");
    let log: LogId = parsed(&vectors["log"]);
    let zeros = Hash([0; 32]);
    assert_eq!(Cursor::new(log, 0, &zeros).to_string(), vectors["first"]);
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let (mut running, mut n) = (zeros, 0);
        for given in case["arrivals"].as_array().expect("arrivals") {
            let before = running;
            let origin: InstanceId = parsed(&given["origin"]);
            running = arrival(&given["kind"]).running(&before, &origin, &parsed(&given["hash"]));
            n += 1;
            let cursor: Cursor = parsed(&given["cursor"]);
            if given["running"] != running.to_string()
                || cursor != Cursor::new(log, n, &running)
                || !cursor.agrees(&running)
                || cursor.agrees(&before)
            {
                findings.push(format!("{name}: {n}: got {running}"));
            }
        }
    }
    report(&findings);
}

/// The list as a hub takes it: its hash, or none when it is refused.
fn hash(text: &str) -> Option<String> {
    let list: FollowList = read_message(text.as_bytes()).ok()?;
    list.check().ok()?;
    Some(list.hash().to_string())
}

#[test]
fn wb_core_agrees_with_the_vectors_of_follow_lists() {
    let vectors = file("sync/follows.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let answer = json!(hash(case["list"].as_str().expect("a text")));
        if answer != case["hash"] || answer.is_string() != case["ok"] {
            findings.push(format!("{name}: expected {}, got {answer}", case["hash"]));
        }
    }
    for case in vectors["many"].as_array().expect("long lists") {
        let number = |name: &str| case[name].as_u64().expect("a number");
        let ids = |from: u64, count: u64| -> Vec<String> {
            (from..from + count).map(|n| format!("{n:064x}")).collect()
        };
        let (follow, except) = (number("follow"), number("except"));
        let list = json!({
            "schema_version": 1, "counter": case["counter"], "all": case["all"],
            "follow": ids(0, follow), "except": ids(follow, except),
        });
        let answer = json!(hash(&list.to_string()));
        if answer != case["hash"] || answer.is_string() != case["ok"] {
            findings.push(format!(
                "{}: expected {}, got {answer}",
                case["name"], case["hash"]
            ));
        }
    }
    report(&findings);
}

#[test]
fn wb_core_agrees_with_the_vectors_of_receipts() {
    let vectors = file("sync/receipts.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let known = IdentityLog::verify(None, &texts(&case["known"])).expect("a log");
        let line = case["receipt"].as_str().expect("a text");
        let rule = Receipt::verify(line.as_bytes(), &known).err();
        let answer = json!(rule.map(wb_core::rule::Rule::as_str));
        if answer != case["rule"] || answer.is_null() != case["ok"] {
            findings.push(format!("{name}: expected {}, got {answer}", case["rule"]));
        }
    }
    report(&findings);
}

#[test]
fn wb_core_agrees_with_the_vectors_of_replies() {
    let vectors = file("sync/replies.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let known = IdentityLog::verify(None, &texts(&case["known"])).expect("a log");
        let line = case["reply"].as_str().expect("a text");
        let rule = Reply::verify(line.as_bytes(), &known).err();
        let answer = json!(rule.map(wb_core::rule::Rule::as_str));
        if answer != case["rule"] || answer.is_null() != case["ok"] {
            findings.push(format!("{name}: expected {}, got {answer}", case["rule"]));
        }
    }
    report(&findings);
}

#[test]
fn wb_core_agrees_with_the_vectors_of_protocols() {
    let vectors = file("sync/protocols.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let [ours, theirs] = ["ours", "theirs"].map(|side| -> ProtocolRange {
            serde_json::from_value(case[side].clone()).expect("a range")
        });
        let (upgrade, to) = match ours.upgrade(theirs) {
            Some(Upgrade::Us(to)) => (json!("ours"), json!(to)),
            Some(Upgrade::Them(to)) => (json!("theirs"), json!(to)),
            None => (Value::Null, Value::Null),
        };
        let common = json!(ours.newest_common(theirs));
        let answer = json!({"common": common, "upgrade": upgrade, "to": to});
        for member in ["common", "upgrade", "to"] {
            if answer[member] != case[member] {
                findings.push(format!(
                    "{name}: {member}: expected {}, got {}",
                    case[member], answer[member]
                ));
            }
        }
    }
    report(&findings);
}
