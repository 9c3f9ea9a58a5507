//! Printing results: tables and sentences for people, JSON for programs.
//!
//! Text from records is somebody else's: what could move a cursor or turn a line around is made
//! visible before it reaches a terminal.

use std::io::Write as _;

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::context::Context;

/// Prints a line on standard output. A reader that went away (`| head`) ends the program quietly.
pub fn line(text: impl std::fmt::Display) -> Result<()> {
    let mut out = std::io::stdout().lock();
    Ok(writeln!(out, "{text}")?)
}

/// Prints one value as a line of JSON.
pub fn json<T: Serialize>(value: &T) -> Result<()> {
    line(serde_json::to_string(value)?)
}

/// Prints a list: JSON lines, or a table with a row for each value and a sentence when there is none.
pub fn list<T: Serialize>(
    context: &Context,
    values: &[T],
    columns: &[&str],
    empty: &str,
    row: impl Fn(&T) -> Vec<String>,
) -> Result<()> {
    if context.json() {
        return values.iter().try_for_each(json);
    }
    if values.is_empty() {
        context.say(empty);
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| heading(context, column)));
    for value in values {
        table.add_row(row(value).iter().map(|cell| clean(cell)));
    }
    line(trim_lines(&table.to_string()))
}

/// A heading, bold where colour is wanted.
pub fn heading(context: &Context, text: &str) -> String {
    if context.colors() {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// Makes text from elsewhere harmless in a terminal.
pub fn clean(text: &str) -> String {
    let harmless = |c: char| match c {
        '\n' => ' ',
        c if c.is_control() || is_bidi(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// Like [`clean`], for a text of several lines.
pub fn clean_lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// Marks that reorder what is shown.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
}

fn trim_lines(text: &str) -> String {
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Shortens a cell.
pub fn short(text: &str, chars: usize) -> String {
    let first = text.lines().next().unwrap_or_default();
    if first.chars().count() <= chars {
        return first.to_owned();
    }
    first
        .chars()
        .take(chars.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// A number with its noun.
pub fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_bidi_marks_do_not_reach_the_terminal() {
        assert_eq!(
            clean("a\u{1b}[31mb\u{202e}c\nd"),
            "a\u{fffd}[31mb\u{fffd}c d"
        );
    }
}
