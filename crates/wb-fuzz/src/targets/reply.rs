//! Replies to notices: what is taken was signed by the newest key of whoever replies, is about somebody else's notice, and
//! says what was signed.

use std::sync::LazyLock;

use wb_core::identity::IdentityLog;
use wb_core::reply::Reply;

use crate::input::mode;
use crate::keys::{payload, sign_again};
use crate::vectors::{cases, file, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "reply",
    run,
    seeds,
    memory: Memory::TEXT,
};

const VECTORS: &str = "sync/replies.json";

/// The logs of those who reply in the vectors.
static LOGS: LazyLock<Vec<IdentityLog>> = LazyLock::new(|| {
    let vectors = file(VECTORS);
    let logs = cases(&vectors).iter().map(|case| texts(&case["known"]));
    let mut logs: Vec<Vec<String>> = logs.collect();
    logs.sort();
    logs.dedup();
    let verified = logs.iter().map(|log| IdentityLog::verify(None, log));
    verified.filter_map(Result::ok).collect()
});

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let signed = if mode & 1 != 0 {
        sign_again(rest)
    } else {
        None
    };
    let line = signed.as_deref().unwrap_or(rest);
    let taken = LOGS
        .iter()
        .filter_map(|log| Some((log, Reply::verify(line, log).ok()?)));
    for (log, reply) in taken {
        assert_eq!(reply.origin, log.id(), "a reply of its origin");
        assert_eq!(reply.identity, log.newest().hash, "under the newest key");
        assert_ne!(reply.hub, reply.origin, "about another's notice");
        assert!(!reply.text.trim().is_empty(), "it says something");
        // What a terminal obeys would be shown to whoever reads the notice.
        let is_plain = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        assert!(reply.text.chars().all(is_plain), "{:?}", reply.text);
        let says: serde_json::Value =
            serde_json::from_slice(payload(line).expect("it was read")).expect("it was read");
        assert_eq!(says["text"], reply.text, "what was signed is what is read");
        assert_eq!(says["notice"], reply.notice.to_string());
        assert_eq!(says["line"], reply.line.to_string());
        assert_eq!(Reply::kept(line).as_ref(), Ok(&reply), "kept as it came");
        let mut forged = line.to_vec();
        // The first digit of the signature.
        forged[14] = if forged[14] == b'0' { b'1' } else { b'0' };
        assert!(
            Reply::verify(&forged, log).is_err(),
            "another signature is none"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file(VECTORS);
    let lines = cases(&vectors)
        .iter()
        .filter_map(|case| case["reply"].as_str());
    lines
        .flat_map(|line| [0, 1].map(|mode| [&[mode], line.as_bytes()].concat()))
        .collect()
}
