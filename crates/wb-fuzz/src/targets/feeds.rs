//! Headers, deltas, snapshots and filling lines, offered to `wb-core` and to the naive follower: the same
//! outcome at every step, and the same records held, shown and hidden at the end.

use crate::steps::{self, of_feed};
use crate::vectors::files;
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "feeds",
    run: steps::run,
    seeds,
    memory: Memory {
        base_bytes: 16 * 1_024 * 1_024,
        per_byte: 1_024,
    },
};

fn seeds() -> Vec<Vec<u8>> {
    let vectors = files("feeds");
    let seeds = vectors
        .iter()
        .flat_map(|feed| [0, 1, 3].map(|mode| of_feed(mode, feed)));
    seeds.filter(|seed| seed.len() < 64 * 1_024).collect()
}
