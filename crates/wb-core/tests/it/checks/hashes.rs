//! `hashes.json`: the hashes of page 01, and pseudonyms and sessions of page 03.

use serde_json::Value;
use wb_core::hash;
use wb_core::id::RecordId;
use wb_core::leave::NodeSecret;
use wb_core::live::LiveHash;
use wb_core::merkle;
use zeroize::Zeroizing;

use crate::naive::unhex;
use crate::vectors::{cases, file, report};

fn parsed<T: std::str::FromStr>(value: &Value) -> T
where
    T::Err: std::fmt::Debug,
{
    value.as_str().expect("a text").parse().expect("its form")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn element(record: &Value) -> wb_core::id::Hash {
    let kind = record["kind"].as_str().expect("a kind");
    let id: RecordId = parsed(&record["id"]);
    hash::live_element(
        &id,
        number(&record["rev"]),
        kind,
        &parsed(&record["line_hash"]),
    )
}

fn secret(given: &Value) -> NodeSecret {
    let bytes = unhex(given["secret"].as_str().expect("hexadecimal"));
    NodeSecret::new(Zeroizing::new(bytes.try_into().expect("32 bytes")))
}

fn out(what: &str, given: &Value) -> String {
    let text = |name: &str| given[name].as_str().expect("a text").as_bytes();
    let elements = |name: &str| {
        let records = given[name].as_array().expect("records");
        records.iter().map(element).collect::<Vec<_>>()
    };
    let hash = match what {
        "line_hash" => hash::line(text("line")),
        "live_element" => element(given),
        "header_hash" => {
            let prev = given["prev"]
                .as_str()
                .map(|prev| prev.parse().expect("a hash"));
            hash::header(prev.as_ref(), &hash::sha256(text("header")))
        }
        "identity_entry_hash" => hash::identity_entry(text("entry")),
        "recovery_commitment" => hash::recovery_commitment(&parsed(&given["recovery_key"])),
        "trusted_head" => hash::trusted_head(
            &parsed(&given["salt"]),
            &parsed(&given["log"]),
            number(&given["generation"]),
            number(&given["seq"]),
            &parsed(&given["hash"]),
        ),
        "live_digest" => {
            let mut live = LiveHash::default();
            elements("add").iter().for_each(|element| live.add(element));
            elements("subtract")
                .iter()
                .for_each(|element| live.remove(element));
            live.digest()
        }
        "root" => {
            let leaves = given["leaves"].as_array().expect("leaves");
            let leaves: Vec<&str> = leaves.iter().filter_map(Value::as_str).collect();
            merkle::root(&leaves)
        }
        "pseudonym" => {
            let token = secret(given).pseudonym(parsed(&given["scope"]), &parsed(&given["user"]));
            return token.to_string();
        }
        "session" => {
            let session = given["session_id"].as_str().expect("a text");
            let (scope, by) = (parsed(&given["scope"]), parsed(&given["by"]));
            return secret(given).session(scope, &by, session).to_string();
        }
        other => panic!("nothing is known of {other}"),
    };
    hash.to_string()
}

#[test]
fn wb_core_agrees_with_the_vectors_of_hashes() {
    let vectors = file("hashes.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let what = case["what"].as_str().expect("what is hashed");
        let (out, expected) = (out(what, &case["in"]), case["out"].as_str());
        if Some(out.as_str()) != expected {
            findings.push(format!("{what} {name}: expected {expected:?}, got {out}"));
        }
    }
    report(&findings);
}
