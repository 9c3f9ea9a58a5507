//! `wb import`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;
use wb_core::leave::Stays;
use wb_node::import::whiteballoon::{ImportWhiteballoon, Report, import_whiteballoon};

use crate::context::Context;
use crate::output::{self, clean, count};

/// Move over from another program
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Take the database of the Python program of the same name; it is only read
    Whiteballoon {
        /// Its app.db
        file: PathBuf,
        /// Report what would move, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// The file is of another community than the one imported before, although many members match
        #[arg(long)]
        another: bool,
    },
}

/// Problems told in full to a person; `--json` and `--verbose` tell all.
const PROBLEMS_SHOWN: usize = 20;

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Import) -> Result<()> {
    let Import::Whiteballoon {
        file,
        dry_run,
        another,
    } = command;
    let (mut node, actor) = context.acting()?;
    let bar = context.progress("moving over");
    let input = ImportWhiteballoon {
        dry_run: *dry_run,
        another: *another,
    };
    let report = import_whiteballoon(&mut node, &actor, file, input, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if context.json() {
        return output::json(&report);
    }
    show(context, file, &report)
}

fn show(context: &Context, file: &Path, report: &Report) -> Result<()> {
    output::line(format!(
        "{:<24} {:>8} {:>8} {:>8} {:>8}",
        "", "in file", "new", "here", "stays"
    ))?;
    for table in &report.tables {
        output::line(format!(
            "{:<24} {:>8} {:>8} {:>8} {:>8}",
            table.table, table.in_file, table.new, table.already_here, table.not_moved
        ))?;
    }
    show_notes(report)?;
    show_sharing(report)?;
    show_left_behind(report)?;
    show_problems(context, report)?;
    end(context, file, report)
}

fn show_notes(report: &Report) -> Result<()> {
    let notes = [
        (
            report.drafts,
            "of the requests are drafts; each member sees their own: `wb --as HANDLE request list --drafts`",
        ),
        (
            report.titles_made,
            "titles were made of the first words of a description",
        ),
        (
            report.deleted_now,
            "comments were deleted in the old program since, and are deleted here now",
        ),
        (
            report.narrowed_now,
            "records became private in the old program since, and are private here now",
        ),
    ];
    for (n, what) in notes.iter().filter(|(n, _)| *n > 0) {
        output::line(format!("{n} {what}"))?;
    }
    if report.admins.is_empty() {
        return Ok(());
    }
    let admins: Vec<String> = report.admins.iter().map(|handle| clean(handle)).collect();
    output::line(format!("Admins here now: {}", admins.join(", ")))
}

fn show_sharing(report: &Report) -> Result<()> {
    if report.sharing.is_empty() {
        return Ok(());
    }
    output::line("\nMarked public in the file:")?;
    for kind in &report.sharing {
        output::line(format!(
            "  {:<10} {:>6}, of which {} may leave with the next publish",
            kind.kind, kind.public_in_file, kind.leaves
        ))?;
        for (cause, n) in &kind.stays {
            let why = Stays::ALL
                .iter()
                .find(|stays| stays.as_str() == *cause)
                .map_or(*cause, |stays| stays.sentence());
            output::line(format!("  {:<10} {n:>6} stay home: {why}", ""))?;
        }
    }
    Ok(())
}

fn show_left_behind(report: &Report) -> Result<()> {
    if report.left_behind.is_empty() {
        return Ok(());
    }
    output::line("\nDoes not move:")?;
    for left in &report.left_behind {
        let rows = left
            .rows
            .map_or_else(|| "?".to_owned(), |rows| rows.to_string());
        output::line(format!(
            "  {rows:>6} {:<24} {}",
            clean(&left.table),
            left.why
        ))?;
    }
    Ok(())
}

fn show_problems(context: &Context, report: &Report) -> Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    output::line(format!(
        "\n{}:",
        count(
            report.problems.len() as u64,
            "thing was odd",
            "things were odd"
        )
    ))?;
    let shown = if context.verbose() {
        report.problems.len()
    } else {
        PROBLEMS_SHOWN
    };
    for problem in report.problems.iter().take(shown) {
        output::line(format!("  {}", clean(&problem.to_string())))?;
    }
    let more = report.problems.len().saturating_sub(shown);
    if more > 0 {
        output::line(format!(
            "  and {more} more; --verbose or --json lists them all"
        ))?;
    }
    Ok(())
}

fn end(context: &Context, file: &Path, report: &Report) -> Result<()> {
    if report.dry_run {
        output::line("\nNothing was changed: this was a preview.")?;
    } else if report.changes() == 0 {
        output::line("\nNothing was new.")?;
    } else {
        output::line(format!(
            "\nMoved over: {}.",
            count(report.changes(), "row", "rows")
        ))?;
        context.say("Nothing has left this node. `wb publish --dry-run` lists what would; `wb record unshare ID` keeps one home.");
    }
    context.say(format!("{} was only read.", file.display()));
    Ok(())
}
