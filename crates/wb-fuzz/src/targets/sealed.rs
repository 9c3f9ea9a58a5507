//! What stands inside an envelope: nobody reads it but who is named inside, whatever is named outside.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::sealed::{Envelope, Sealed, padded};
use wb_core::time::Timestamp;

use crate::input::mode;
use crate::keys::sign_again;
use crate::vectors::{bytes, cases, file, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "sealed",
    run,
    seeds,
    memory: Memory {
        // A case of the vectors is padded to 4,096 bytes, and the longest input to an eighth more.
        base_bytes: 4 * 1_024 * 1_024,
        per_byte: 256,
    },
};

/// The origin of the vectors, and the envelopes and readers that occur there.
struct Known {
    log: IdentityLog,
    envelopes: Vec<Envelope>,
    readers: Vec<InstanceId>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let vectors = file("sealed/sealed.json");
    let log = IdentityLog::verify(None, &texts(&vectors["identity"])).expect("a log");
    let mut envelopes: Vec<Envelope> = Vec::new();
    let mut readers = vec![InstanceId([7; 32])];
    for case in cases(&vectors) {
        let recipients: Vec<InstanceId> =
            serde_json::from_value(case["recipients"].clone()).expect("ids");
        let expires: Timestamp = serde_json::from_value(case["expires"].clone()).expect("a time");
        let envelope = Envelope::new(&log, recipients, expires, b"a body");
        if !envelopes.contains(&envelope) {
            envelopes.push(envelope);
        }
        readers.push(serde_json::from_value(case["reader"].clone()).expect("an id"));
    }
    readers.sort();
    readers.dedup();
    Known {
        log,
        envelopes,
        readers,
    }
});

/// The plaintext as it is, or with a signature made good and the zero bytes that its length asks for.
fn plaintext(mode: u8, rest: &[u8]) -> Vec<u8> {
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
    let signed = if mode & 1 != 0 {
        sign_again(line)
    } else {
        None
    };
    let mut plain = signed.unwrap_or_else(|| line.to_vec());
    plain.extend_from_slice(after);
    if mode & 2 != 0 {
        let used = plain
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        plain.truncate(used);
        plain.resize(padded(used), 0);
    }
    plain
}

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let plain = plaintext(mode, rest);
    for envelope in &KNOWN.envelopes {
        for reader in &KNOWN.readers {
            let opened = Sealed::open(&plain, envelope, &KNOWN.log, reader);
            let Ok((sealed, _, content)) = opened else {
                continue;
            };
            assert!(sealed.audience.contains(reader), "for who is named inside");
            assert_eq!(sealed.origin, KNOWN.log.id());
            assert_eq!(sealed.expires, envelope.expires, "as on the outside");
            let mut recipients = envelope.recipients.iter();
            assert!(recipients.all(|one| sealed.audience.contains(one)));
            assert_eq!(sealed.bytes, content.len() as u64);
            assert_eq!(sealed.sha256.0, <[u8; 32]>::from(Sha256::digest(content)));
            assert_eq!(plain.len() % 128, 0, "padded");
            let outsider = InstanceId([8; 32]);
            assert!(Sealed::open(&plain, envelope, &KNOWN.log, &outsider).is_err());
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("sealed/sealed.json");
    let mut seeds = Vec::new();
    for case in cases(&vectors) {
        let plain = bytes(&case["plain"]);
        let used = plain
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        seeds.push([&[0], plain.as_slice()].concat());
        seeds.push([&[3], &plain[..used]].concat());
    }
    seeds
}
