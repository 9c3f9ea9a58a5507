//! Bundles, line by line into memory: a bundle that is whole is whole in parts as well, and one that is
//! not gives a line and a rule.
//!
//! With bit 0 of the mode signatures are made good again, with bit 1 the end line.

use wb_core::bundle::{Driver, Writer};

use crate::collect::drive;
use crate::input::{lines, mode, seed};
use crate::keys::sign_again;
use crate::vectors::{files, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "bundle",
    run,
    seeds,
    memory: Memory {
        base_bytes: 4 * 1_024 * 1_024,
        per_byte: 512,
    },
};

/// Signatures are made good again.
const SIGN: u8 = 1;
/// The end line is.
const END: u8 = 2;

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let lines = mended(mode, lines(rest));
    let (driver, place) = drive(Driver::default(), &lines);
    let (partial, parts) = drive(Driver::partial(), &lines);
    match driver.finish() {
        Ok(()) => {
            assert!(driver.head().is_some(), "a bundle has a head");
            assert_eq!(partial.finish(), Ok(()), "what is whole is whole in parts");
            assert_eq!(driver.feeds(), partial.feeds());
            assert_eq!(place.kept(), parts.kept());
        }
        Err(error) => {
            let last = lines.len() as u64 + 1;
            assert!(
                (1..=last).contains(&error.line),
                "line {} of {last}",
                error.line
            );
            assert!(
                partial.finish().is_err(),
                "what is not whole is not whole in parts"
            );
        }
    }
}

/// Makes good again what the mode asks for.
pub fn mended(mode: u8, mut lines: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if mode & SIGN != 0 {
        for line in &mut lines {
            if let Some(signed) = sign_again(line) {
                *line = signed;
            }
        }
    }
    if mode & END != 0 {
        lines.pop();
        let mut writer = Writer::default();
        for line in &lines {
            writer.note(line);
        }
        lines.push(writer.end());
    }
    lines
}

fn seeds() -> Vec<Vec<u8>> {
    let bundles = files("bundles");
    let lines = bundles.iter().map(|bundle| texts(&bundle["lines"]));
    let seeds = lines.flat_map(|lines| [0, SIGN, SIGN | END].map(|mode| seed(mode, &lines)));
    seeds.filter(|seed| seed.len() < 64 * 1_024).collect()
}
