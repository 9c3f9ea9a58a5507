//! Identity logs, offered to `wb-core` and to the naive follower: the same rule, the same branches kept.

use crate::steps::{self, of_logs};
use crate::vectors::{cases, file, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "identity",
    run: steps::run,
    seeds,
    memory: Memory {
        base_bytes: 4 * 1_024 * 1_024,
        per_byte: 256,
    },
};

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("identity.json");
    let mut seeds: Vec<Vec<u8>> = cases(&vectors)
        .iter()
        .flat_map(|case| {
            [0, 1].map(|mode| of_logs(mode, &texts(&case["known"]), &texts(&case["offered"])))
        })
        .collect();
    // The vectors of the longest logs say nothing that short ones do not.
    seeds.retain(|seed| seed.len() < 16 * 1_024);
    seeds
}
