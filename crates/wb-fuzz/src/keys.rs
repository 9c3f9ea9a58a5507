//! Signing anew what an input changed, with the keys of the vectors.
//!
//! A signature ends almost every input at its first changed byte. So a target may ask for the signatures to
//! be made good again, and the rules behind them are reached. The keys of the vectors are public knowledge:
//! each comes from the name in `make_vectors.py`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};
use wb_core::signed::{BUNDLE, HEADER, IDENTITY, Signer, Type, WANT};
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

/// Where the payload of a signed line begins.
const PAYLOAD_START: usize = 153;

/// The key of a name, as the vectors make it.
pub fn key(name: &str) -> Signer {
    let seed: [u8; 32] = Sha256::digest(format!("wb vectors key {name}")).into();
    Signer::from_seed(&Zeroizing::new(seed))
}

/// The name of the key that each identity entry of the vectors brings, by the entry's hash.
static BY_ENTRY: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let by_key: BTreeMap<String, &str> = NAMES
        .iter()
        .map(|name| (key(name).public_key().to_string(), *name))
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
    let mut by_entry = BTreeMap::new();
    for line in lines {
        let Some(payload) = payload(line.as_bytes()) else {
            continue;
        };
        let Ok(entry) = serde_json::from_slice::<serde_json::Value>(payload) else {
            continue;
        };
        let name = entry["signing_key"]
            .as_str()
            .and_then(|key| by_key.get(key));
        if let Some(name) = name {
            let hash = wb_core::hash::identity_entry(payload);
            by_entry.insert(hash.to_string(), *name);
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
    let kind: Type = [IDENTITY, HEADER, BUNDLE, WANT]
        .into_iter()
        .find(|kind| says["type"] == kind.0)?;
    let entry = if kind == IDENTITY {
        &says["prev"]
    } else {
        &says["identity"]
    };
    let name = match entry.as_str() {
        Some(hash) => BY_ENTRY.get(hash)?,
        None => "alice",
    };
    Some(key(name).sign(kind, payload))
}
