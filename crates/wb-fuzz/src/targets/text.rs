//! Values with one text form: cursors, key ids, ids, hashes, times, scopes, kinds, authors.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::de::DeserializeOwned;
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::scope::{By, FeedScope, Kind, Scope};
use wb_core::sync::Cursor;
use wb_core::sync::signature::KeyId;
use wb_core::time::Timestamp;

use crate::input::mode;
use crate::vectors::{cases, file};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "text",
    run,
    seeds,
    memory: Memory::TEXT,
};

/// Readers, by the mode of an input.
const READERS: [fn(&str); 10] = [
    in_json::<Cursor>,
    one_form::<KeyId>,
    in_json::<InstanceId>,
    in_json::<Hash>,
    in_json::<LogId>,
    in_json::<RecordId>,
    in_json::<Timestamp>,
    in_json::<Scope>,
    in_json::<FeedScope>,
    kind_or_author,
];

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    if let Ok(text) = std::str::from_utf8(rest) {
        READERS[usize::from(mode) % READERS.len()](text);
    }
}

fn one_form<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text, "a value has one text");
    }
}

fn in_json<T: FromStr + Display + DeserializeOwned + PartialEq + Debug>(text: &str) {
    one_form::<T>(text);
    let quoted = serde_json::Value::from(text);
    assert_eq!(
        serde_json::from_value::<T>(quoted).ok(),
        text.parse().ok(),
        "JSON reads what a text reads"
    );
}

fn kind_or_author(text: &str) {
    in_json::<Kind>(text);
    in_json::<By>(text);
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("sync/cursors.json");
    let mut seeds: Vec<Vec<u8>> = cases(&vectors)
        .iter()
        .filter_map(|case| Some([b"\0", case["text"].as_str()?.as_bytes()].concat()))
        .collect();
    let hex = "deaeba2f200df9e02c66448aea86213e".repeat(2);
    let others = [
        (1, format!("{hex}:{hex}")),
        (2, hex.clone()),
        (3, hex.clone()),
        (4, hex[..32].to_owned()),
        (5, "0196f3c4-0000-7000-8000-00000000abcd".to_owned()),
        (6, "2026-11-22T10:23:59.123Z".to_owned()),
        (7, "trusted_peers".to_owned()),
        (8, "public".to_owned()),
        (9, "instance".to_owned()),
        (9, "user:0196f3c4-0000-7000-8000-00000000abcd".to_owned()),
    ];
    seeds.extend(others.map(|(mode, text)| [&[mode], text.as_bytes()].concat()));
    seeds
}
