//! Sections as a stream, as pages of changes and of snapshots bring them: whatever comes, what is kept are
//! whole sections, and what came of them stays within its limit.

use wb_core::bundle::Driver;
use wb_core::limits::STREAM_SECTIONS_MAX;

use crate::collect::drive;
use crate::input::{lines, mode, seed};
use crate::keys::sign_again;
use crate::vectors::{files, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "sections",
    run,
    seeds,
    memory: Memory {
        base_bytes: 4 * 1_024 * 1_024,
        per_byte: 512,
    },
};

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let mut lines = lines(rest);
    if mode & 1 != 0 {
        for line in &mut lines {
            if let Some(signed) = sign_again(line) {
                *line = signed;
            }
        }
    }
    let (driver, place) = drive(Driver::sections(), &lines);
    assert!(driver.feeds().len() <= STREAM_SECTIONS_MAX);
    assert!(driver.identities().len() <= STREAM_SECTIONS_MAX);
    let sent: std::collections::BTreeSet<Vec<u8>> = lines.into_iter().collect();
    assert!(place.kept().is_subset(&sent), "what is kept was sent");
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for bundle in files("bundles") {
        let lines = texts(&bundle["lines"]);
        let Some(sections) = lines.get(1..lines.len().saturating_sub(1)) else {
            continue;
        };
        let size: usize = sections.iter().map(String::len).sum();
        if size < 64 * 1_024 {
            seeds.extend([0, 1].map(|mode| seed(mode, sections)));
        }
    }
    seeds
}
