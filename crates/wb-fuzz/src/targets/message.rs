//! Every message between a node and a hub: what is read is read from what is written of it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wb_core::rule::Rule;
use wb_core::sync::{
    AgainSection, ChangesSection, Directory, Heads, PageSection, Problem, Pushed, Receipts,
    ReceiptsGiven, ReceiptsTaken, Registration, Standings, WhoIsThis, read_message,
};

use crate::input::mode;
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "message",
    run,
    seeds,
    memory: Memory::TEXT,
};

/// Readers, by the mode of an input.
const READERS: [fn(&[u8]); 13] = [
    who,
    message::<Registration>,
    message::<Standings>,
    message::<Heads>,
    message::<Directory>,
    message::<Pushed>,
    message::<Problem>,
    |line| section(line, ChangesSection::read),
    |line| section(line, AgainSection::read),
    |line| section(line, PageSection::read),
    message::<ReceiptsGiven>,
    message::<ReceiptsTaken>,
    message::<Receipts>,
];

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    READERS[usize::from(mode) % READERS.len()](rest);
}

fn message<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(read) = read_message::<T>(bytes) else {
        return;
    };
    let written = serde_json::to_vec(&read).expect("a message is written");
    let again: T = read_message(&written).expect("a message is read from what is written of it");
    assert_eq!(
        serde_json::to_vec(&again).expect("a message is written"),
        written
    );
}

fn who(bytes: &[u8]) {
    message::<WhoIsThis>(bytes);
    if let Ok(who) = read_message::<WhoIsThis>(bytes)
        && let Ok(log) = who.identity()
    {
        assert_eq!(log.id(), who.id, "a log is of the id that was named");
    }
}

fn section<'a, T: Serialize>(line: &'a [u8], read: impl Fn(&'a [u8]) -> Result<T, Rule>) {
    if let Ok(section) = read(line) {
        let written = serde_json::to_vec(&section).expect("a section is written");
        assert!(
            written.starts_with(b"{\"section\":"),
            "a section line is known by its first bytes"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let id = "deaeba2f200df9e02c66448aea86213e".repeat(2);
    let log = &id[..32];
    let head = format!(
        r#"{{"origin":"{id}","scope":"public","log":"{log}","generation":0,"seq":4,"hash":"{id}"}}"#
    );
    let follows = format!(r#"{{"counter":3,"hash":"{id}"}}"#);
    let cursor = format!("{log}.7.0123456789abcdef");
    let feed = format!(r#"{{"head":{head},"live":120,"kinds":{{"request":97,"comment":23}}}}"#);
    let card = r#"{"name":"North","addresses":["https://north.example.org"],"sync":"hand"}"#;
    let messages = [
        format!(
            r#"{{"schema_version":1,"role":"hub","id":"{id}","name":"Harbour","identity":[],"protocol":{{"min":1,"max":1}},"kinds":{{"request":1}},"software":"whiteballoon/0.1.0","policy":"open"}}"#
        ),
        format!(r#"{{"schema_version":1,"identity":["{{}}"],"card":{card},"listed":true,"counter":3}}"#),
        r#"{"schema_version":1,"standing":"suspended","reason":"why","until":"2026-11-22T10:23:59.123Z"}"#.to_owned(),
        format!(
            r#"{{"schema_version":1,"cursor":"{cursor}","next":null,"follows":{follows},"own":[{head}],"feeds":[{feed}]}}"#
        ),
        format!(
            r#"{{"schema_version":1,"next":"{id}","members":[{{"id":"{id}","card":{card},"since":"2026-11-22T10:23:59.123Z","feeds":[{feed}]}}]}}"#
        ),
        format!(
            r#"{{"schema_version":1,"feeds":[{{"scope":"public","outcome":"refused","rule":"wrong_live"}}],"own":[{head}]}}"#
        ),
        r#"{"type":"urn:wb:problem:version_skew","title":"t","status":409,"detail":"d","cause":"version_skew","action":"a","schema_version":1,"protocol":{"min":2,"max":3}}"#.to_owned(),
        format!(
            r#"{{"section":"changes","schema_version":1,"cursor":"{cursor}","more":false,"deltas":2,"items":31,"follows":{follows},"own":[{head}]}}"#
        ),
        format!(r#"{{"section":"again","schema_version":1,"head":{head}}}"#),
        format!(r#"{{"section":"page","schema_version":1,"head":"{id}","next":"live:0196f3c4-0000-7000-8000-00000000abcd"}}"#),
        r#"{"schema_version":1,"receipts":["{}"]}"#.to_owned(),
        format!(r#"{{"schema_version":1,"stale":[{{"origin":"{id}","scope":"public","n":7}}]}}"#),
        r#"{"schema_version":1,"receipts":[{"receipt":"{}","identity":["{}"],"name":"Oak"}],"next":12,"last":12,"followers":5}"#.to_owned(),
    ];
    let numbered = (0_u8..).zip(messages);
    numbered
        .map(|(mode, text)| [&[mode], text.as_bytes()].concat())
        .collect()
}
