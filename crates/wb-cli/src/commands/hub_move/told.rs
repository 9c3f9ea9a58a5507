//! What is told of a move: how far it is, what was held against each other, and what to do next.

use anyhow::Result;
use serde::Serialize;
use wb_hub::moving::{Compared, Progress, TableSum};

use super::LEFT;
use crate::context::Context;
use crate::output::{self, count};

/// Rows of a table after which it is said how far it is, where nobody watches a terminal.
const TOLD_EVERY: u64 = 100_000;
/// Characters of a hash that are shown to people.
const HASH_CHARS: usize = 19;

/// How far it is, on standard error.
pub struct Telling<'c> {
    context: &'c Context,
    what: &'static str,
    bar: indicatif::ProgressBar,
    told: u64,
}

impl<'c> Telling<'c> {
    pub fn new(context: &'c Context, what: &'static str) -> Self {
        let style = indicatif::ProgressStyle::with_template("{msg} {human_pos}");
        let style = style.expect("the template is well formed");
        Self {
            context,
            what,
            bar: context.progress(what).with_style(style),
            told: 0,
        }
    }

    pub fn tell(&mut self, progress: Progress) {
        let name = progress.table.name();
        self.bar.set_message(format!("{} {name}", self.what));
        self.bar.set_position(progress.rows);
        let steps = progress.rows / TOLD_EVERY;
        if self.bar.is_hidden() && steps > self.told && !self.context.json() {
            self.context
                .say(format!("{} {name}: {} rows", self.what, progress.rows));
        }
        self.told = steps;
    }

    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}

/// What was done, for programs.
#[derive(Serialize)]
struct View<'a> {
    schema_version: u32,
    from: &'a str,
    to: &'a str,
    /// Whether the hub is there now.
    moved: bool,
    /// Feeds whose live records, as they are there, make the digest of their head.
    feeds: u64,
    tables: Vec<TableView>,
}

#[derive(Serialize)]
struct TableView {
    table: &'static str,
    rows: u64,
    hash: String,
    rows_there: u64,
    hash_there: String,
}

impl From<&TableSum> for TableView {
    fn from(sum: &TableSum) -> Self {
        let [rows, rows_there] = sum.rows;
        let [hash, hash_there] = &sum.hashes;
        Self {
            table: sum.table.name(),
            rows,
            hash: hash.to_string(),
            rows_there,
            hash_there: hash_there.to_string(),
        }
    }
}

/// Shows what both stores hold.
pub fn show(
    context: &Context,
    (from, to): (&str, &str),
    compared: &Compared,
    moved: bool,
) -> Result<()> {
    let tables: Vec<TableView> = compared.tables.iter().map(TableView::from).collect();
    if context.json() {
        return output::json(&View {
            schema_version: 1,
            from,
            to,
            moved,
            feeds: compared.feeds,
            tables,
        });
    }
    let columns = ["table", "rows", "hash", "rows there", "hash there"];
    output::list(context, &tables, &columns, "", |table| {
        let start = |hash: &str| hash.chars().take(HASH_CHARS).collect();
        vec![
            table.table.to_owned(),
            table.rows.to_string(),
            start(&table.hash),
            table.rows_there.to_string(),
            start(&table.hash_there),
        ]
    })?;
    let feeds = count(compared.feeds, "feed", "feeds");
    output::line(format!(
        "{feeds} whose records there make the digest that the head is signed with"
    ))
}

/// Says what the operator does next. Settings are theirs: none is changed.
pub fn next(context: &Context, to: &str, is_file: bool) {
    context.say(format!(
        "The hub's data are now {} {to}. Before you start it:",
        if is_file { "in" } else { "at" }
    ));
    if is_file {
        context.say(
            "  take hub.store out of config.toml, or WB_STORE or WB_STORE_FILE out of what starts it (`wb config show` says where it is set);\n  \
             `wb hub up` refuses the database that was left, from wherever it is started.\n\
             Delete that database once you are sure: what members take back from now on stays in it.",
        );
        return;
    }
    context.say(format!(
        "  put the address, with its password, into a file that only the hub's user may read, and set WB_STORE_FILE to its name\n  \
         (or, without a password, in config.toml: hub.store = \"{to}\"); without it the folder refuses to start another hub.\n\
         What was left stays as it was ({LEFT} in the folder, or the other database). Delete it once you are sure: what members take\n\
         back from now on stays in it.",
    ));
}
