//! What must hold for any bytes that come from outside: one target for each decoder.
//!
//! A target takes bytes and panics where a promise does not hold: that a reader does not panic, that what
//! it takes has one form, that two implementations answer alike, that nothing forged or damaged is taken.
//! The same targets are run by libFuzzer (`fuzz/`, `scripts/fuzz`) and replayed by the tests of this crate
//! over the vectors and the kept corpus, without libFuzzer. How much memory a target may ask for is
//! counted in `fuzz/` only, because an allocator belongs to a program.

mod collect;
mod input;
mod keys;
mod steps;
mod targets;
mod vectors;

/// What a reader of feeds can be asked, as the subject of `wb-core` answers it.
mod histories {
    use crate::naive::{FeedView, HiddenView, Outcome, ShownView};

    pub trait Subject {
        fn identity(&mut self, lines: &[String]) -> Outcome;
        fn delta(&mut self, header: &str, items: &[String]) -> Outcome;
        fn snapshot(&mut self, lines: &[String]) -> Outcome;
        fn fill(&mut self, line: &str) -> Outcome;
        fn feeds(&self) -> Vec<FeedView>;
        fn shown(&self) -> Vec<ShownView>;
        fn hidden(&self) -> Vec<HiddenView>;
    }
}
#[path = "../../wb-core/tests/it/naive/mod.rs"]
#[expect(dead_code, unused_imports, reason = "histories ask for more of it")]
mod naive;
#[path = "../../wb-core/tests/it/subject.rs"]
mod subject;

pub use targets::ALL;

/// One decoder with what must hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub run: fn(&[u8]),
    /// Inputs to begin with, made from the vectors.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Memory it may ask for, whatever the input says.
    pub memory: Memory,
}

/// How much memory a target may hold at once.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Bytes for an empty input.
    pub base_bytes: usize,
    /// Bytes more for each byte of input.
    pub per_byte: usize,
}

impl Memory {
    /// What a decoder of text and JSON needs: the parts it read, some of them twice. Names of members and
    /// numbers of one digit become nodes of many bytes, hence the factor.
    pub const TEXT: Self = Self {
        base_bytes: 1_024 * 1_024,
        per_byte: 256,
    };

    /// Bytes for an input of this length.
    #[must_use]
    pub fn allowed(self, input_bytes: usize) -> usize {
        self.base_bytes + self.per_byte * input_bytes
    }
}

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}
