//! What text in a record may be: limited in length, without control characters.

use crate::limits::{ADDRESS_CHARS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX};

/// Why a text cannot stand in a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing but white space where something is needed.
    #[error("it is empty")]
    Empty,
    /// Longer than its limit.
    #[error("it has {chars} characters, at most {max} are allowed")]
    TooLong {
        /// Characters it has.
        chars: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A control character other than line feed and tab.
    #[error("it holds a control character (U+{0:04X})")]
    Control(u32),
    /// An address that is not http or https.
    #[error("it is not a full http or https address")]
    NotAnAddress,
}

fn check(text: &str, max: usize, multi_line: bool) -> Result<(), BadText> {
    let chars = text.chars().count();
    if chars > max {
        return Err(BadText::TooLong { chars, max });
    }
    let is_bad = |c: &char| c.is_control() && !(multi_line && matches!(c, '\n' | '\t'));
    match text.chars().find(is_bad) {
        Some(c) => Err(BadText::Control(u32::from(c))),
        None => Ok(()),
    }
}

fn check_line(text: &str, max: usize) -> Result<(), BadText> {
    if text.trim().is_empty() {
        return Err(BadText::Empty);
    }
    check(text, max, false)
}

/// A handle, a display name or the name of an instance.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(text: &str) -> Result<(), BadText> {
    check_line(text, NAME_CHARS_MAX)
}

/// A title.
///
/// # Errors
/// What is wrong with it.
pub fn check_title(text: &str) -> Result<(), BadText> {
    check_line(text, TITLE_CHARS_MAX)
}

/// A description, comment or note; may be empty.
///
/// # Errors
/// What is wrong with it.
pub fn check_text(text: &str) -> Result<(), BadText> {
    check(text, TEXT_CHARS_MAX, true)
}

/// One line of a length of its own; not empty.
pub(super) fn check_words(text: &str, max: usize) -> Result<(), BadText> {
    if text.trim().is_empty() {
        return Err(BadText::Empty);
    }
    check(text, max, false)
}

/// Text of several lines of a length of its own; may be empty.
pub(crate) fn check_lines(text: &str, max: usize) -> Result<(), BadText> {
    check(text, max, true)
}

/// A full http or https address; never a path on some node.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(text: &str) -> Result<(), BadText> {
    check_line(text, ADDRESS_CHARS_MAX)?;
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let good = host.is_some_and(|host| !host.is_empty()) && !text.chars().any(char::is_whitespace);
    if good {
        Ok(())
    } else {
        Err(BadText::NotAnAddress)
    }
}
