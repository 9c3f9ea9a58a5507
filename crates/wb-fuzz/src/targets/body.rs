//! Bodies over the network: what is unpacked keeps to its limit and its ratio, and what is packed is taken.

use wb_net::body::{
    BODY_RATIO_FREE_BYTES, BODY_RATIO_MAX, BodyLimit, ZSTD, decode, encode_for_readers, encode_zstd,
};

use crate::input::mode;
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "body",
    run,
    seeds,
    // What zstd keeps for its window, and a vector that doubles while it grows to its limit.
    memory: Memory {
        base_bytes: 24 * 1_024 * 1_024,
        per_byte: 2 * BODY_RATIO_MAX,
    },
};

/// Above what is free of the ratio, so that both limits are met.
const LIMIT: BodyLimit = BodyLimit::bytes(2 * BODY_RATIO_FREE_BYTES);

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let encoding = match mode % 4 {
        0 => Some(ZSTD),
        1 => None,
        2 => Some("gzip"),
        _ => {
            if let Some(packed) = encode_for_readers(3, rest) {
                assert!(packed.len() < rest.len(), "it gains something");
                let unpacked = decode(Some(ZSTD), packed, LIMIT).expect("what is packed is taken");
                assert_eq!(unpacked, rest);
            }
            return;
        }
    };
    let Ok(unpacked) = decode(encoding, rest.to_vec(), LIMIT) else {
        return;
    };
    assert!(encoding != Some("gzip"), "only zstd is spoken");
    assert!(unpacked.len() <= LIMIT.decoded);
    assert!(unpacked.len() <= (rest.len() * BODY_RATIO_MAX).max(BODY_RATIO_FREE_BYTES));
    let short = BodyLimit::bytes(unpacked.len().saturating_sub(1));
    if !unpacked.is_empty() {
        assert!(
            decode(encoding, rest.to_vec(), short).is_err(),
            "a limit holds to the byte"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let text = b"{\"section\":\"page\"}\n".repeat(40);
    let zeros = vec![0; 3 * BODY_RATIO_FREE_BYTES];
    let frames = [
        encode_zstd(3, b""),
        encode_zstd(3, &text),
        encode_zstd(19, &text),
        encode_zstd(1, &zeros),
        encode_zstd(3, &zeros[..BODY_RATIO_FREE_BYTES]),
        [encode_zstd(3, &text), encode_zstd(3, &text)].concat(),
    ];
    let mut seeds: Vec<Vec<u8>> = frames.map(|frame| [&[0], frame.as_slice()].concat()).into();
    seeds.extend([1, 2, 3].map(|mode| [&[mode], text.as_slice()].concat()));
    seeds
}
