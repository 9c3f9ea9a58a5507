//! Receipts: what is taken was signed by the newest key of the follower it names, and says what was signed.

use std::sync::LazyLock;

use wb_core::identity::IdentityLog;
use wb_core::receipt::Receipt;

use crate::input::mode;
use crate::keys::{payload, sign_again};
use crate::vectors::{cases, file, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "receipt",
    run,
    seeds,
    memory: Memory::TEXT,
};

/// The logs of the followers in the vectors.
static LOGS: LazyLock<Vec<IdentityLog>> = LazyLock::new(|| {
    let vectors = file("sync/receipts.json");
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
        .filter_map(|log| Some((log, Receipt::verify(line, log).ok()?)));
    for (log, receipt) in taken {
        let newest = log.newest();
        assert_eq!(receipt.follower, log.id(), "a receipt of its follower");
        assert_eq!(receipt.identity, newest.hash, "under the newest key");
        assert_ne!(receipt.origin, receipt.follower, "of another's feed");
        assert!(receipt.erased_to.is_none_or(|to| to <= receipt.seq));
        let says: serde_json::Value =
            serde_json::from_slice(payload(line).expect("it was read")).expect("it was read");
        assert_eq!(says["n"], receipt.n, "what was signed is what is read");
        assert_eq!(says["seq"], receipt.seq);
        assert_eq!(
            Receipt::kept(line).as_ref(),
            Ok(&receipt),
            "kept as it came"
        );
        assert_eq!(Receipt::kept_under(line, log).as_ref(), Ok(&receipt));
        let mut forged = line.to_vec();
        // The first digit of the signature.
        forged[14] = if forged[14] == b'0' { b'1' } else { b'0' };
        assert!(
            Receipt::verify(&forged, log).is_err(),
            "another signature is none"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("sync/receipts.json");
    let lines = cases(&vectors)
        .iter()
        .filter_map(|case| case["receipt"].as_str());
    lines
        .flat_map(|line| [0, 1].map(|mode| [&[mode], line.as_bytes()].concat()))
        .collect()
}
