//! Chance that can be repeated: every test prints its seed, and `WB_TEST_SEED` replays it.

use std::hash::{BuildHasher as _, RandomState};

/// SplitMix64; good enough to pick places and words, and the same on every machine.
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Takes the seed from `WB_TEST_SEED`, else from the machine, and prints it: the test harness
    /// shows it when the test fails.
    pub fn announced(test: &str) -> Self {
        let given = std::env::var("WB_TEST_SEED").ok();
        let seed = given.map_or_else(fresh, |text| text.parse().expect("a number"));
        println!("{test}: WB_TEST_SEED={seed}");
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        assert!(limit > 0, "nothing is below zero");
        usize::try_from(self.bits() % limit as u64).expect("below a usize")
    }

    /// One of `choices`.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// A word of `letters` lower-case letters; of fourteen or more, no two are alike by accident.
    pub fn word(&mut self, letters: usize) -> String {
        (0..letters)
            .map(|_| char::from(b'a' + u8::try_from(self.below(26)).expect("a letter")))
            .collect()
    }
}

fn fresh() -> u64 {
    // A seed of a few digits is easier to type again.
    RandomState::new().hash_one("seed") % 1_000_000_007
}
