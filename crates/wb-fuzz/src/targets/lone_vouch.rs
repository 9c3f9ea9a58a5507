//! Vouches alone: what verifies was signed by its issuer, says what stands beside it, and is proved by no other path.

use serde_json::Value;
use wb_core::id::InstanceId;
use wb_core::limits::PATH_HASHES_MAX;
use wb_core::trust::{LoneVouch, VerifiedVouch};

use crate::input::mode;
use crate::keys::sign_again;
use crate::vectors::{cases, file};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "lone_vouch",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let Ok(mut vouch) = LoneVouch::read(rest) else {
        return;
    };
    assert!(vouch.signature.path.len() <= PATH_HASHES_MAX);
    if mode & 1 != 0
        && let Some(header) = sign_again(vouch.signature.header.as_bytes())
        && let Ok(header) = String::from_utf8(header)
    {
        vouch.signature.header = header;
    }
    if let Ok(verified) = vouch.verify() {
        holds(&vouch, &verified);
    }
}

fn holds(vouch: &LoneVouch, verified: &VerifiedVouch) {
    let says = &verified.vouch;
    assert_eq!(says.issuer, vouch.issuer, "of its issuer");
    assert_eq!((says.subject, says.level), (vouch.subject, vouch.level));
    assert_eq!(says.expires_at, vouch.expires_at);
    let line: Value = serde_json::from_str(&vouch.line).expect("it was read");
    assert_eq!(line["origin"], vouch.issuer.to_string());
    assert_eq!(line["kind"], "vouch");
    assert_eq!(line["id"], verified.id.to_string());
    let again = LoneVouch::read(vouch.to_text().as_bytes()).expect("it is written as it is read");
    assert_eq!(again.verify().as_ref(), Ok(verified));
    let spoil = |change: &dyn Fn(&mut LoneVouch)| {
        let mut other = vouch.clone();
        change(&mut other);
        assert!(other.verify().is_err(), "another thing is not proved by it");
    };
    spoil(&|other| other.issuer = InstanceId([8; 32]));
    spoil(&|other| other.subject = InstanceId([8; 32]));
    spoil(&|other| other.signature.index += 1);
    spoil(&|other| {
        // The only one of its delta has no path to shorten.
        if other.signature.path.pop().is_none() {
            other.line.push(' ');
        }
    });
    spoil(&|other| other.signature.identity.clear());
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("lone_vouches.json");
    let texts = cases(&vectors)
        .iter()
        .filter_map(|case| case["text"].as_str());
    texts
        .flat_map(|text| [0, 1].map(|mode| [&[mode], text.as_bytes()].concat()))
        .collect()
}
