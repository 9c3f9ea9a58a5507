//! The values of a row as typed values; what does not fit is reported on the way.

use rusqlite::types::ValueRef;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;

use super::Cells;
use crate::legacy::problem::{Consequence, What};
use crate::legacy::text::clean;
use crate::legacy::times;

/// How long a text may be, and in how many lines.
#[derive(Debug, Clone, Copy)]
pub(in crate::legacy) enum Shape {
    /// One line of so many characters.
    Line(usize),
    /// Lines of so many characters.
    Lines(usize),
    /// One line that is in no record, so of any length.
    PrivateLine,
    /// Lines that are in no record, so of any length.
    PrivateLines,
}

impl Cells<'_> {
    /// A text; `None` for null.
    pub(in crate::legacy) fn text(&mut self, column: &'static str, shape: Shape) -> Option<String> {
        let one_line = matches!(shape, Shape::Line(_) | Shape::PrivateLine);
        let text = match self.value(column) {
            ValueRef::Null => return None,
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                let cleaned = clean(bytes, one_line);
                if cleaned.replaced {
                    self.problem(What::NotUtf8 { column }, Consequence::Replaced);
                }
                if cleaned.controls_n > 0 {
                    let what = What::ControlCharacters {
                        column,
                        count: cleaned.controls_n,
                    };
                    self.problem(what, Consequence::Removed);
                }
                cleaned.text
            }
        };
        if let Shape::Line(max) | Shape::Lines(max) = shape {
            let chars = text.chars().count();
            if chars > max {
                self.unshareable(What::TooLong { column, chars, max });
            }
        }
        Some(text)
    }

    /// A text of one line without a word about it; empty for null.
    pub(in crate::legacy) fn peek_text(&self, column: &str) -> String {
        match self.value(column) {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => clean(bytes, true).text,
            _ => self.shown(column),
        }
    }

    /// Marks the row as one that no record can hold.
    pub(in crate::legacy) fn unshareable(&mut self, what: What) {
        self.too_long = true;
        self.problem(what, Consequence::KeptUnshareable);
    }

    /// A whole number, also one written as text.
    pub(in crate::legacy) fn number(&self, column: &str) -> Option<i64> {
        match self.value(column) {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
            _ => None,
        }
    }

    /// A number of at least `min`. Null or a missing column is `default`, anything else `odd`.
    pub(in crate::legacy) fn count(
        &mut self,
        column: &'static str,
        min: u64,
        default: u64,
        odd: u64,
    ) -> u64 {
        if self.is_null(column) {
            return default;
        }
        let number = self
            .number(column)
            .and_then(|number| u64::try_from(number).ok());
        number.filter(|number| *number >= min).unwrap_or_else(|| {
            let what = What::BadNumber {
                column,
                found: self.shown(column),
            };
            self.problem(what, Consequence::UsedNumber { number: odd });
            odd
        })
    }

    /// Yes or no. Null is no, as it was in Python; what is neither is `odd`.
    pub(in crate::legacy) fn boolean(&mut self, column: &'static str, odd: bool) -> bool {
        match self.value(column) {
            ValueRef::Null => false,
            ValueRef::Integer(number @ (0 | 1)) => number == 1,
            _ => match self.shown(column).trim().to_ascii_lowercase().as_str() {
                "1" | "true" | "t" | "yes" => true,
                "0" | "false" | "f" | "no" => false,
                _ => {
                    let what = What::BadBoolean {
                        column,
                        found: self.shown(column),
                    };
                    self.problem(what, Consequence::UsedBoolean { answer: odd });
                    odd
                }
            },
        }
    }

    /// A time that must be there; `fallback` stands in for what is unreadable.
    pub(in crate::legacy) fn time(
        &mut self,
        column: &'static str,
        fallback: Timestamp,
    ) -> Timestamp {
        self.peek_time(column).unwrap_or_else(|| {
            if self.has(column) {
                let what = What::BadTime {
                    column,
                    found: self.shown(column),
                };
                self.problem(what, Consequence::UsedTime { time: fallback });
            }
            fallback
        })
    }

    /// A time that may be null; `fallback` stands in for what is unreadable.
    pub(in crate::legacy) fn maybe_time(
        &mut self,
        column: &'static str,
        fallback: Timestamp,
    ) -> Option<Timestamp> {
        match self.value(column) {
            ValueRef::Null => None,
            _ => Some(self.time(column, fallback)),
        }
    }

    /// A time if it can be read, without a word if not.
    pub(in crate::legacy) fn peek_time(&self, column: &str) -> Option<Timestamp> {
        match self.value(column) {
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().and_then(times::read),
            _ => None,
        }
    }

    /// Exactly the text `public` is public; everything else is private, odd words with a problem.
    pub(in crate::legacy) fn scope(&mut self) -> Scope {
        match self.value("sync_scope") {
            ValueRef::Text(b"public") => Scope::Public,
            ValueRef::Text(b"private") => Scope::Private,
            _ => {
                if self.has("sync_scope") {
                    let what = What::UnknownScope {
                        found: self.shown("sync_scope"),
                    };
                    self.problem(what, Consequence::KeptPrivate);
                }
                Scope::Private
            }
        }
    }

    /// Exactly one of the words, or `None`.
    pub(in crate::legacy) fn word<T: std::marker::Copy>(
        &self,
        column: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let ValueRef::Text(bytes) = self.value(column) else {
            return None;
        };
        words
            .iter()
            .find(|(word, _)| word.as_bytes() == bytes)
            .map(|(_, meaning)| *meaning)
    }

    /// Reports an unknown status; a file without the column was reported as a whole.
    pub(in crate::legacy) fn unknown_status(&mut self) {
        if self.has("status") {
            let what = What::UnknownStatus {
                found: self.shown("status"),
            };
            self.problem(what, Consequence::KeptPending);
        }
    }
}
