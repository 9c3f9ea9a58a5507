//! What comes to a follower, step by step, offered to `wb-core` and to the naive follower alike.
//!
//! An input is lines. A line that begins with `!` names what the lines after it are, up to the next such
//! line: `!identity`, `!delta` (its header, then its items), `!snapshot`, `!fill`. With bit 0 of the mode
//! signatures are made good again, with bit 1 also the counts and the root of each header.

use serde_json::{Value, json};
use wb_core::entry::Entry;
use wb_core::line::Line;

use crate::histories::Subject as _;
use crate::input::{lines, mode, seed};
use crate::keys::{payload, sign_again};
use crate::naive::{self, Follower, Outcome};
use crate::subject::InMemory;
use crate::vectors::texts;

/// Steps of one input; more only take longer, because the naive follower folds everything anew each time.
const STEPS_MAX: usize = 24;

/// Signatures are made good again.
const SIGN: u8 = 1;
/// Counts and roots are, too.
const COUNT: u8 = 2;

const SCOPES: &[&str] = &["public", "trusted_peers"];

/// Offers every step to both, and asserts that they answer alike and end alike.
pub fn run(input: &[u8]) {
    naive::forget();
    let (mode, rest) = mode(input);
    // Lines reach both as text; that others are refused is another target's.
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let (mut ours, mut naive) = (InMemory::new(SCOPES), Follower::new(SCOPES));
    for (what, lines) in steps(text).into_iter().take(STEPS_MAX) {
        let lines = mend(mode, &what, lines);
        let (ours, naive) = match (what.as_str(), lines.split_first()) {
            ("!identity", _) => (ours.identity(&lines), naive.identity(&lines)),
            ("!delta", Some((header, items))) => {
                (ours.delta(header, items), naive.delta(header, items))
            }
            // A section has its first line, or it is none.
            ("!snapshot", Some(_)) => (ours.snapshot(&lines), naive.snapshot(&lines)),
            ("!fill", Some((line, _))) => (ours.fill(line), naive.fill(line)),
            _ => continue,
        };
        agree(&what, &ours, &naive);
    }
    assert_eq!(sorted(ours.feeds()), sorted(naive.feeds()), "feeds");
    assert_eq!(sorted(ours.shown()), sorted(naive.shown()), "what is shown");
    assert_eq!(
        sorted(ours.hidden()),
        sorted(naive.hidden()),
        "what is hidden"
    );
}

fn agree(what: &str, ours: &Outcome, naive: &Outcome) {
    assert_eq!(
        ours, naive,
        "wb-core and the naive follower differ on a step `{what}`"
    );
}

fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort();
    rows
}

fn steps(text: &str) -> Vec<(String, Vec<String>)> {
    let mut steps: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines(text.as_bytes()) {
        let line = String::from_utf8(line).expect("a part of a text between line feeds");
        if line.starts_with('!') {
            steps.push((line, Vec::new()));
        } else if let Some((_, lines)) = steps.last_mut() {
            lines.push(line);
        }
    }
    steps
}

fn mend(mode: u8, what: &str, mut lines: Vec<String>) -> Vec<String> {
    if mode & COUNT != 0
        && what == "!delta"
        && let Some((header, items)) = lines.split_first_mut()
    {
        *header = count_again(header, items).unwrap_or_else(|| header.clone());
    }
    if mode & (SIGN | COUNT) != 0 {
        for line in &mut lines {
            if let Some(signed) = sign_again(line.as_bytes()) {
                *line = String::from_utf8(signed).expect("text was signed");
            }
        }
    }
    lines
}

/// The header with the number, the bytes and the root of its items.
fn count_again(header: &str, items: &[String]) -> Option<String> {
    let payload = payload(header.as_bytes())?;
    let mut says: Value = serde_json::from_slice(payload).ok()?;
    let entries = items.iter().map(|item| {
        let read = Line::read(item.as_bytes());
        read.map_or_else(
            |_| item.clone().into_bytes(),
            |line| Entry::of_line(&line).to_bytes(),
        )
    });
    let entries: Vec<Vec<u8>> = entries.collect();
    let lines = items.iter().filter(|item| !Entry::starts(item.as_bytes()));
    let members = says.as_object_mut()?;
    members.insert("entries".to_owned(), json!(entries.len()));
    members.insert(
        "bytes".to_owned(),
        json!(lines.map(|line| line.len() + 1).sum::<usize>()),
    );
    members.insert(
        "root".to_owned(),
        json!(wb_core::merkle::root(&entries).to_string()),
    );
    let start = header.get(..header.len() - payload.len() - 1)?;
    Some(format!("{start}{says}}}"))
}

/// The steps of a vector of `feeds/`.
pub fn of_feed(mode: u8, vector: &Value) -> Vec<u8> {
    let mut text = Vec::new();
    for step in vector["steps"].as_array().into_iter().flatten() {
        text.push(format!("!{}", step["do"].as_str().unwrap_or_default()));
        text.extend(step["header"].as_str().map(str::to_owned));
        text.extend(step["line"].as_str().map(str::to_owned));
        text.extend(texts(&step["items"]));
        text.extend(texts(&step["lines"]));
    }
    seed(mode, text)
}

/// Two logs of one id, one offered after the other.
pub fn of_logs(mode: u8, known: &[String], offered: &[String]) -> Vec<u8> {
    let mut text = Vec::new();
    for log in [known, offered] {
        if !log.is_empty() {
            text.push("!identity".to_owned());
            text.extend_from_slice(log);
        }
    }
    seed(mode, text)
}
