//! `wb bundle verify`: checks a bundle without an instance and without a network.

use std::collections::BTreeMap;
use std::path::Path;

use wb_core::bundle::{BundleError, BundleHead, Driver, FeedOutcome, Memory, Stage};
use wb_core::protocol::Skew;
use wb_core::rule::Rule;

use crate::error::{NodeError, Result};
use crate::import::adding::adding;
use crate::import::hashing::Hashing;
use crate::import::lines::{Lines, Next};

/// What a bundle holds.
#[derive(Debug)]
pub struct Verified {
    /// What its head says.
    pub head: BundleHead,
    /// What came of each feed.
    pub feeds: Vec<FeedOutcome>,
    /// Records by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Bytes before compression.
    pub plain_bytes: u64,
}

/// Verifies a bundle whole.
///
/// # Errors
/// The stage and line of the first fault; what the disk reports.
pub fn bundle_verify(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Verified> {
    let mut lines = Lines::open(path)?;
    let mut driver = Driver::default()
        .digest_by(Box::new(Hashing::start()))
        .add_up_by(adding);
    let mut memory = Memory::default();
    let mut number = 0;
    loop {
        match lines.next(path)? {
            Next::Line(line) => {
                number += 1;
                match driver.push(line, &mut memory) {
                    Ok(()) => {}
                    Err(never) => match never {},
                }
            }
            Next::End => break,
            // What was wrong before the cut is the first thing to tell.
            Next::Cut if driver.has_failed() => break,
            Next::Cut => return Err(cut(path, number)),
        }
        progress(number);
    }
    driver
        .finish()
        .map_err(|source| refused(path, source, driver.head()))?;
    let head = driver.head().cloned().ok_or_else(|| cut(path, number))?;
    Ok(Verified {
        head,
        feeds: driver.feeds().to_vec(),
        kinds: memory.kinds(),
        plain_bytes: lines.plain_bytes(),
    })
}

/// The error of a file that ends within a line.
pub(crate) fn cut(path: &Path, lines: u64) -> NodeError {
    let source = BundleError {
        stage: Stage::Format,
        line: lines + 1,
        rule: Rule::Truncated,
    };
    refused(path, source, None)
}

/// The error of a bundle that is refused; without a protocol in common it says who has to be upgraded.
pub(crate) fn refused(path: &Path, source: BundleError, head: Option<&BundleHead>) -> NodeError {
    let head = head.filter(|_| source.rule == Rule::VersionSkew);
    let skew = head.map(|head| {
        let skew = Skew {
            name: "the bundle's maker",
            software: &head.software,
            theirs: head.protocol,
        };
        skew.to_string()
    });
    NodeError::Bundle {
        path: path.to_owned(),
        source,
        skew,
    }
}
