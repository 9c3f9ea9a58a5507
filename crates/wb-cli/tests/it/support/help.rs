//! Reading what `--help` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::instance::{run, wb};

/// A command as its help describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Described {
    /// The line about it.
    pub about: String,
    /// Its own options.
    pub options: BTreeSet<String>,
}

/// The help of a command, given as the words after `wb`.
pub fn help(words: &[&str]) -> String {
    let mut command = wb(Path::new("/"));
    command.env("COLUMNS", "100").args(words).arg("--help");
    run(&mut command).ends(0).stdout
}

/// Every command that does something, by its whole name.
pub fn commands() -> BTreeMap<String, Described> {
    let mut found = BTreeMap::new();
    collect(&[], "", &mut found);
    found
}

fn collect(words: &[&str], about: &str, found: &mut BTreeMap<String, Described>) {
    let help = help(words);
    let below = section(&help, "Commands:");
    // A command with commands below it that also does something by itself says so in its usage.
    let usage = help.lines().find(|line| line.starts_with("Usage:"));
    let is_group = usage.is_some_and(|usage| usage.ends_with("<COMMAND>"));
    if !is_group {
        let options = ["Options:", "Arguments:"]
            .iter()
            .flat_map(|title| option_names(&help, title));
        let described = Described {
            about: about.to_owned(),
            options: options.collect(),
        };
        let name = format!("wb {}", words.join(" "));
        assert!(found.insert(name, described).is_none());
    }
    for (name, about) in below.iter().filter(|(name, _)| name != "help") {
        collect(&[words, &[name]].concat(), about, found);
    }
}

/// The entries of a list under a title: what stands first, and the words about it.
pub fn section(help: &str, title: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let lines = help.lines().skip_while(|line| *line != title).skip(1);
    for line in lines.take_while(|line| !line.is_empty()) {
        let words = line.trim_start();
        if line.len() - words.len() > 2 {
            let (_, about) = entries.last_mut().expect("a line goes on after another");
            about.push(' ');
            about.push_str(words.trim_end());
        } else {
            let (name, about) = words.split_once(' ').unwrap_or((words, ""));
            entries.push((name.to_owned(), about.trim().to_owned()));
        }
    }
    entries
}

/// The long options under a title, without those that every program has.
pub fn option_names(help: &str, title: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| *line != title).skip(1);
    let own = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    own.filter_map(|line| {
        let line = line.trim_start();
        let words = line.strip_prefix("--").or_else(|| {
            // A short form stands before the long one.
            let (short, long) = line.split_once(", --")?;
            (short.len() == 2 && short.starts_with('-')).then_some(long)
        })?;
        let name = words.split([' ', '.', '[']).next()?;
        (!["help", "version"].contains(&name)).then(|| format!("--{name}"))
    })
    .collect()
}
