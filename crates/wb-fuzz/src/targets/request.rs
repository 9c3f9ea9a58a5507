//! Signed requests: whatever the fields say, what is accepted is what somebody signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::sync::Cause;
use wb_core::sync::signature::{ReceivedRequest, read_request};

use crate::vectors::{cases, file, texts};
use crate::{Memory, Target, naive};

pub const TARGET: Target = Target {
    name: "request",
    run,
    seeds,
    memory: Memory::TEXT,
};

/// The files with requests, all to one recipient that holds the same logs.
const FILES: [&str; 4] = ["accepted", "beside_others", "refused", "first_cause"];

/// What a request says, as its lines: time, method, path, query, recipient, digest, input, signature. An
/// empty line is a field that is not there. What is left is the body.
const LINES: usize = 8;

/// What signed requests of the vectors say: method, path, query and body.
type Signed = BTreeSet<(String, String, String, Vec<u8>)>;

struct World {
    own: InstanceId,
    known: BTreeMap<InstanceId, IdentityLog>,
    signed: Signed,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let accepted = file("requests/accepted.json");
    let own = accepted["recipient"].as_str().expect("an id");
    let logs = accepted["known"].as_object().into_iter().flatten();
    let known = logs.map(|(id, lines)| {
        let log = IdentityLog::verify(None, &texts(lines)).expect("a sound log");
        (id.parse().expect("an id"), log)
    });
    let mut world = World {
        own: own.parse().expect("an id"),
        known: known.collect(),
        signed: Signed::new(),
    };
    for seed in seeds() {
        let request = Request::read(&seed);
        // Refused for its time alone is signed nevertheless.
        let time = request.created().unwrap_or(request.now);
        if request.verify(&world, time).is_ok()
            || request.verify(&world, time).err() == Some(Cause::Clock)
        {
            world.signed.insert(request.says());
        }
    }
    world
});

struct Request {
    now: u64,
    fields: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(input: &[u8]) -> Self {
        let mut parts = input.splitn(LINES + 1, |byte| *byte == b'\n');
        let mut fields: Vec<String> = (&mut parts)
            .take(LINES)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        fields.resize(LINES, String::new());
        Self {
            now: fields.remove(0).parse().unwrap_or_default(),
            fields,
            body: parts.next().unwrap_or_default().to_vec(),
        }
    }

    fn field(&self, place: usize) -> Option<&str> {
        Some(self.fields[place].as_str()).filter(|field| !field.is_empty())
    }

    fn says(&self) -> (String, String, String, Vec<u8>) {
        let [method, path, query] = [0, 1, 2].map(|place| self.fields[place].clone());
        (method, path, query, self.body.clone())
    }

    fn created(&self) -> Option<u64> {
        let (_, rest) = self.fields[5].split_once("created=")?;
        rest.split(';').next()?.parse().ok()
    }

    fn verify(&self, world: &World, now: u64) -> Result<InstanceId, Cause> {
        let received = ReceivedRequest {
            method: &self.fields[0],
            path: &self.fields[1],
            query: self.field(2),
            to: self.field(3),
            content_digest: self.field(4),
            signature_input: self.field(5),
            signature: self.field(6),
            body: &self.body,
        };
        let read = read_request(&received, world.own)?;
        let unknown = read.verify(None, now).err();
        assert_eq!(
            unknown,
            Some(Cause::KeyUnknown),
            "nobody unknown is believed"
        );
        let verified = read.verify(world.known.get(&read.key().instance), now)?;
        assert_eq!(verified.sender, read.key().instance);
        Ok(verified.sender)
    }
}

fn run(input: &[u8]) {
    let request = Request::read(input);
    if request.verify(&WORLD, request.now).is_ok() {
        assert!(WORLD.signed.contains(&request.says()), "nobody signed this");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let files = FILES.map(|name| file(&format!("requests/{name}.json")));
    files
        .iter()
        .flat_map(|file| cases(file).iter().map(seed))
        .collect()
}

fn seed(case: &Value) -> Vec<u8> {
    let request = &case["request"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = &request["fields"];
    let mut lines = vec![case["now"].to_string()];
    lines.extend(["method", "path", "query"].map(|name| text(&request[name])));
    let named = ["wb-to", "content-digest", "signature-input", "signature"];
    lines.extend(named.map(|name| text(&fields[name])));
    let mut bytes = lines.join("\n").into_bytes();
    bytes.push(b'\n');
    bytes.extend(naive::unhex(&text(&request["body"])));
    bytes
}
