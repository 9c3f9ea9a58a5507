//! Signed answers: whatever the fields say, what is taken is what the recipient signed for that request.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;
use wb_core::identity::IdentityLog;
use wb_core::sync::signature::{ReceivedAnswer, verify_answer};

use crate::vectors::{cases, file, texts};
use crate::{Memory, Target, naive};

pub const TARGET: Target = Target {
    name: "answer",
    run,
    seeds,
    memory: Memory::TEXT,
};

/// What an answer says, as its lines: status, signature of the request, digest, input, signature. An empty
/// line is a field that is not there. What is left is the body.
const LINES: usize = 5;

/// What was signed: status and body.
type Says = (u16, Vec<u8>);

struct World {
    known: IdentityLog,
    signed: BTreeSet<Says>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let vectors = file("requests/answers.json");
    let known = IdentityLog::verify(None, &texts(&vectors["known"])).expect("a sound log");
    let signed = seeds()
        .into_iter()
        .filter_map(|seed| Answer::read(&seed).taken(&known));
    World {
        signed: signed.collect(),
        known,
    }
});

struct Answer {
    fields: Vec<String>,
    body: Vec<u8>,
}

impl Answer {
    fn read(input: &[u8]) -> Self {
        let mut parts = input.splitn(LINES + 1, |byte| *byte == b'\n');
        let mut fields: Vec<String> = (&mut parts)
            .take(LINES)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        fields.resize(LINES, String::new());
        Self {
            fields,
            body: parts.next().unwrap_or_default().to_vec(),
        }
    }

    fn field(&self, place: usize) -> Option<&str> {
        Some(self.fields[place].as_str()).filter(|field| !field.is_empty())
    }

    /// What was signed, where the answer is taken.
    fn taken(&self, known: &IdentityLog) -> Option<Says> {
        let answer = ReceivedAnswer {
            status: self.fields[0].parse().unwrap_or_default(),
            body: &self.body,
            content_digest: self.field(2),
            signature_input: self.field(3),
            signature: self.field(4),
        };
        verify_answer(&answer, self.field(1), known).ok()?;
        Some((answer.status, self.body.clone()))
    }
}

fn run(input: &[u8]) {
    if let Some(says) = Answer::read(input).taken(&WORLD.known) {
        assert!(WORLD.signed.contains(&says), "nobody signed this");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("requests/answers.json");
    cases(&vectors).iter().map(seed).collect()
}

fn seed(case: &Value) -> Vec<u8> {
    let (answer, text) = (&case["answer"], |value: &Value| {
        value.as_str().unwrap_or_default().to_owned()
    });
    let fields = &answer["fields"];
    let mut lines = vec![
        answer["status"].to_string(),
        text(&case["request_signature"]),
    ];
    lines
        .extend(["content-digest", "signature-input", "signature"].map(|name| text(&fields[name])));
    let mut bytes = lines.join("\n").into_bytes();
    bytes.push(b'\n');
    bytes.extend(naive::unhex(&text(&answer["body"])));
    bytes
}
