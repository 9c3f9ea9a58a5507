//! Collects, while a file is read, what is odd about it, what stays, and how much was read.

use std::collections::BTreeMap;

use super::left::LeftBehind;
use super::{LegacyError, Problem};

/// Collects what is found while reading.
#[derive(Default)]
pub(super) struct Report {
    problems: Vec<Problem>,
    skipped: BTreeMap<(&'static str, &'static str), u64>,
    text_bytes: u64,
}

impl Report {
    /// Adds a problem.
    pub(super) fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Counts a row that does not move, with the reason in words.
    pub(super) fn skip(&mut self, table: &'static str, why: &'static str) {
        *self.skipped.entry((table, why)).or_default() += 1;
    }

    /// Problems so far.
    pub(super) fn problems_n(&self) -> usize {
        self.problems.len()
    }

    /// Adds bytes of text that are read; the sum so far.
    pub(super) fn count_text(&mut self, bytes: u64) -> u64 {
        self.text_bytes = self.text_bytes.saturating_add(bytes);
        self.text_bytes
    }

    /// The problems, by table as read, and the rows left behind.
    pub(super) fn finish(self) -> Result<(Vec<Problem>, Vec<LeftBehind>), LegacyError> {
        if self.problems.len() > super::PROBLEMS_MAX {
            return Err(LegacyError::TooManyProblems(super::PROBLEMS_MAX));
        }
        let skipped = self.skipped.into_iter();
        let skipped = skipped.map(|((table, why), rows)| LeftBehind::new(table, Some(rows), why));
        Ok((self.problems, skipped.collect()))
    }
}
