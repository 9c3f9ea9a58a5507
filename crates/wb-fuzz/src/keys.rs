//! Signing anew what an input changed, with the keys of the vectors.
//!
//! A signature ends almost every input at its first changed byte. So a target may ask for the signatures to
//! be made good again, and the rules behind them are reached. The keys of the vectors are public knowledge:
//! each comes from the name in `make_vectors.py`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};
use wb_core::signed::{
    BUNDLE, ENVELOPE, HEADER, IDENTITY, LETTER, MAIL, RECEIPT, REPLY, SEALED, Signer, Type, WANT,
};
use zeroize::Zeroizing;

use crate::vectors::{cases, file, files, texts};

/// The names of keys in the vectors.
const NAMES: &[&str] = &[
    "alice",
    "alice 2",
    "alice 3",
    "alice 5",
    "alice new",
    "alice new 2",
    "alice newer",
    "bob",
    "bob 2",
    "eve",
    "eve 2",
    "eve 3",
    "eve 4",
    "eve new",
    "alice words",
];

/// Who signs in the vectors of sync and of envelopes, with how many keys at most.
const INSTANCES: &[&str] = &["North", "South", "Harbour", "Stranger", "Sealed North"];
const KEYS_OF_AN_INSTANCE: usize = 4;

/// Where the payload of a signed line begins.
const PAYLOAD_START: usize = 153;

/// The key of a name, as the vectors make it.
pub fn key(name: &str) -> Signer {
    of_seed(&format!("wb vectors key {name}"))
}

/// The key of which the seed is the hash of a text.
fn of_seed(text: &str) -> Signer {
    let seed: [u8; 32] = Sha256::digest(text).into();
    Signer::from_seed(&Zeroizing::new(seed))
}

/// The seed of the key that each identity entry of the vectors brings, by the entry's hash.
static BY_ENTRY: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let names = NAMES.iter().map(|name| format!("wb vectors key {name}"));
    let instances = INSTANCES.iter().flat_map(|name| {
        (0..KEYS_OF_AN_INSTANCE).map(move |n| format!("wb sync vectors {name} {n}"))
    });
    let by_key: BTreeMap<String, String> = names
        .chain(instances)
        .map(|seed| (of_seed(&seed).public_key().to_string(), seed))
        .collect();
    let mut lines = Vec::new();
    for case in cases(&file("identity.json")) {
        lines.extend(texts(&case["offered"]));
    }
    for vector in files("feeds") {
        for step in vector["steps"].as_array().into_iter().flatten() {
            lines.extend(texts(&step["lines"]));
        }
    }
    for vector in files("bundles") {
        lines.extend(texts(&vector["lines"]));
    }
    for name in [
        "sealed/envelopes.json",
        "sealed/sealed.json",
        "letters/mail.json",
    ] {
        lines.extend(texts(&file(name)["identity"]));
    }
    for name in ["sync/receipts.json", "sync/replies.json"] {
        for case in cases(&file(name)) {
            lines.extend(texts(&case["known"]));
        }
    }
    let mut by_entry = BTreeMap::new();
    for line in lines {
        let Some(payload) = payload(line.as_bytes()) else {
            continue;
        };
        let Ok(entry) = serde_json::from_slice::<serde_json::Value>(payload) else {
            continue;
        };
        let seed = entry["signing_key"]
            .as_str()
            .and_then(|key| by_key.get(key));
        if let Some(seed) = seed {
            let hash = wb_core::hash::identity_entry(payload);
            by_entry.insert(hash.to_string(), seed.clone());
        }
    }
    by_entry
});

/// The bytes that a signed line signs.
pub fn payload(line: &[u8]) -> Option<&[u8]> {
    line.get(PAYLOAD_START..line.len().checked_sub(1)?)
}

/// Makes the signature of a line good again, where the vectors have the key that it needs: that of the
/// identity entry it names, or of the key that an entry founds with.
pub fn sign_again(line: &[u8]) -> Option<Vec<u8>> {
    let payload = payload(line)?;
    let says: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let kind: Type = [
        IDENTITY, HEADER, BUNDLE, WANT, ENVELOPE, SEALED, RECEIPT, REPLY, MAIL, LETTER,
    ]
    .into_iter()
    .find(|kind| says["type"] == kind.0)?;
    let entry = if kind == IDENTITY {
        &says["prev"]
    } else {
        &says["identity"]
    };
    let signer = match entry.as_str() {
        Some(hash) => of_seed(BY_ENTRY.get(hash)?),
        None => key("alice"),
    };
    Some(signer.sign(kind, payload))
}
