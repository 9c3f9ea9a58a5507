//! Signed lines: one layout, the payload is the exact bytes signed, and only its own key verifies it.

use wb_core::json;
use wb_core::signed::{BUNDLE, HEADER, IDENTITY, Type, Unverified, WANT};

use crate::input::mode;
use crate::keys::{key, payload};
use crate::vectors::{cases, file};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "signed_line",
    run,
    seeds,
    memory: Memory::TEXT,
};

const TYPES: [Type; 4] = [IDENTITY, HEADER, BUNDLE, WANT];

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let kind = TYPES[usize::from(mode) % TYPES.len()];
    read(rest, kind);
    // A payload of anybody's making under a good signature.
    let signed = key("alice").sign(kind, rest);
    let Ok(read) = Unverified::read(&signed, kind) else {
        let says = json::check(rest).map(serde_json::from_str::<serde_json::Value>);
        let is_ours = says.is_ok_and(|says| says.is_ok_and(|says| says["type"] == kind.0));
        // The line is a level deeper than its payload, and longer.
        let fits = json::check(&signed).is_ok();
        assert!(!(is_ours && fits), "a good line is refused");
        return;
    };
    assert_eq!(read.payload(), rest, "the payload is the bytes signed");
    assert_eq!(read.verify(&key("alice").public_key()), Ok(()));
    assert!(read.verify(&key("eve").public_key()).is_err());
    for other in TYPES.into_iter().filter(|other| *other != kind) {
        assert!(
            Unverified::read(&signed, other).is_err(),
            "a line has one type"
        );
    }
}

fn read(line: &[u8], kind: Type) {
    let Ok(read) = Unverified::read(line, kind) else {
        return;
    };
    assert_eq!(Some(read.payload()), payload(line), "one layout");
    assert!(
        json::check(read.payload()).is_ok(),
        "a strict line has a strict payload"
    );
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("signed_line.json");
    let mut seeds = Vec::new();
    for case in cases(&vectors) {
        let line = case["line"].as_str().expect("a line").as_bytes();
        let place = TYPES.iter().position(|kind| case["type"] == kind.0);
        let mode = u8::try_from(place.unwrap_or_default()).expect("four types");
        seeds.push([&[mode], line].concat());
        seeds.extend(payload(line).map(|payload| [&[mode], payload].concat()));
    }
    seeds
}
