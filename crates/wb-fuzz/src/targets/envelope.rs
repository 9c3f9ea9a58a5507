//! Envelopes, outside: whoever carries one takes it only from its origin, with the bytes that it was signed over.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};
use wb_core::identity::IdentityLog;
use wb_core::limits::ENVELOPE_RECIPIENTS_MAX;
use wb_core::sealed::Envelope;
use wb_core::time::Timestamp;

use crate::input::mode;
use crate::keys::sign_again;
use crate::vectors::{bytes, cases, file, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "envelope",
    run,
    seeds,
    memory: Memory::TEXT,
};

/// The origin of the vectors, and when they are read.
static AT: LazyLock<(IdentityLog, Timestamp)> = LazyLock::new(|| {
    let vectors = file("sealed/envelopes.json");
    let log = IdentityLog::verify(None, &texts(&vectors["identity"])).expect("a log");
    let now = serde_json::from_value(vectors["now"].clone()).expect("a time");
    (log, now)
});

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let (line, body) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &rest[..0]),
    };
    let signed = if mode & 1 != 0 {
        sign_again(line)
    } else {
        None
    };
    let line = signed.as_deref().unwrap_or(line);
    let (log, now) = &*AT;
    let Ok(envelope) = Envelope::verify(line, body, log, *now) else {
        return;
    };
    assert_eq!(envelope.origin, log.id(), "it is of its origin");
    assert_eq!(envelope.size, body.len() as u64);
    assert_eq!(envelope.hash.0, <[u8; 32]>::from(Sha256::digest(body)));
    let others = &envelope.recipients;
    assert!(!others.is_empty() && others.len() <= ENVELOPE_RECIPIENTS_MAX);
    assert!(others.windows(2).all(|pair| pair[0] < pair[1]), "each once");
    assert!(!others.contains(&log.id()), "for others");
    assert!(envelope.expires > *now, "it is not over");
    let longer = [body, b"!"].concat();
    assert!(
        Envelope::verify(line, &longer, log, *now).is_err(),
        "other bytes are not taken"
    );
    let over = Envelope::verify(line, body, log, envelope.expires);
    assert!(over.is_err(), "it is not taken when it is over");
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("sealed/envelopes.json");
    let inputs = cases(&vectors).iter().map(|case| {
        let line = case["line"].as_str().expect("a line");
        [line.as_bytes(), b"\n", &bytes(&case["body"])].concat()
    });
    inputs
        .flat_map(|input| [0, 1].map(|mode| [&[mode], input.as_slice()].concat()))
        .collect()
}
