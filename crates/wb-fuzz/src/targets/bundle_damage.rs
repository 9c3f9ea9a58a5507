//! Good bundles damaged anywhere: they never yield another record than the good one holds, as a whole, in
//! parts, or as a stream of sections.
//!
//! An input names a bundle, whether its end line is made good again, and the edits: five bytes each, what is
//! done, where (two bytes, as a share of the length), how much, and a value.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use wb_core::bundle::Driver;
use wb_core::line::Line;

use super::bundle::mended;
use crate::collect::drive;
use crate::input::lines;
use crate::vectors::{files, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "bundle_damage",
    run,
    seeds,
    // The bundle is no part of the input.
    memory: Memory {
        base_bytes: 32 * 1_024 * 1_024,
        per_byte: 4_096,
    },
};

/// Bytes of one edit.
const EDIT_BYTES: usize = 5;
/// Edits of one input.
const EDITS_MAX: usize = 64;
/// A bundle larger than this only takes longer.
const BUNDLE_BYTES_MAX: usize = 32 * 1_024;

struct Good {
    bytes: Vec<u8>,
    records: BTreeSet<Vec<u8>>,
}

static GOOD: LazyLock<Vec<Good>> = LazyLock::new(|| {
    let vectors = files("bundles");
    let good = vectors.iter().filter(|bundle| bundle["outcome"] == "ok");
    let good = good.map(|bundle| {
        let lines = texts(&bundle["lines"]);
        let records = lines
            .iter()
            .filter(|line| Line::read(line.as_bytes()).is_ok());
        Good {
            records: records.map(|line| line.clone().into_bytes()).collect(),
            bytes: lines
                .into_iter()
                .flat_map(|line| (line + "\n").into_bytes())
                .collect(),
        }
    });
    let good: Vec<Good> = good
        .filter(|good| good.bytes.len() < BUNDLE_BYTES_MAX)
        .collect();
    assert!(!good.is_empty(), "there are good bundles");
    good
});

fn run(input: &[u8]) {
    let [which, mode, edits @ ..] = input else {
        return;
    };
    let good = &GOOD[usize::from(*which) % GOOD.len()];
    let mut bytes = good.bytes.clone();
    for change in edits.chunks_exact(EDIT_BYTES).take(EDITS_MAX) {
        edit(&mut bytes, change);
    }
    // Never the signatures: whoever can sign can write records.
    let lines = mended(mode & 2, lines(&bytes));
    // A stream has neither head nor end line.
    let within = lines.get(1..lines.len().saturating_sub(1));
    let roads = [
        (Driver::default(), lines.as_slice()),
        (Driver::partial(), &lines),
        (Driver::sections(), within.unwrap_or_default()),
    ];
    for (driver, lines) in roads {
        let (driver, place) = drive(driver, lines);
        let kept = place.kept();
        let foreign = kept.difference(&good.records).next();
        assert!(
            foreign.is_none(),
            "another record: {:?}",
            foreign.map(|line| String::from_utf8_lossy(line))
        );
        if bytes == good.bytes {
            assert_eq!(driver.finish(), Ok(()), "undamaged it is taken");
        }
    }
}

fn edit(bytes: &mut Vec<u8>, change: &[u8]) {
    let &[what, high, low, amount, value] = change else {
        return;
    };
    let share = usize::from(u16::from_be_bytes([high, low]));
    let at = share * bytes.len() / (usize::from(u16::MAX) + 1);
    let end = (at + usize::from(amount)).min(bytes.len());
    let part = bytes[at..end].to_vec();
    match what % 6 {
        0 => bytes[at..end]
            .iter_mut()
            .take(1)
            .for_each(|byte| *byte = value),
        1 => bytes[at..end]
            .iter_mut()
            .take(1)
            .for_each(|byte| *byte ^= 1 << (value % 8)),
        2 => drop(bytes.drain(at..end)),
        3 => drop(bytes.splice(at..at, part)),
        4 => bytes.truncate(at),
        _ => swap_lines(bytes, at, usize::from(value)),
    }
}

/// Moves the line at a place further down.
fn swap_lines(bytes: &mut Vec<u8>, at: usize, distance: usize) {
    let mut all: Vec<Vec<u8>> = lines(bytes);
    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    if line < all.len() {
        let other = (line + distance) % all.len();
        all.swap(line, other);
    }
    *bytes = all
        .iter()
        .flat_map(|line| [line, &b"\n"[..]].concat())
        .collect();
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for which in 0..u8::try_from(GOOD.len()).unwrap_or(u8::MAX) {
        for mode in [0, 2] {
            seeds.push(vec![which, mode]);
            for what in 0..6 {
                seeds.push(vec![which, mode, what, 128, 7, 40, 3]);
            }
        }
        // One letter at many places: it may stand in text and in hexadecimal, so that lines stay lines.
        for place in (0..=u8::MAX).step_by(4) {
            seeds.push(vec![which, 0, 0, place, 0, 1, b'e']);
        }
    }
    seeds
}
