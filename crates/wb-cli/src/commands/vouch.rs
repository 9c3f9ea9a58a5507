//! `wb vouch`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::Level;
use wb_core::time::Timestamp;
use wb_core::trust::VOUCH_MONTHS_MAX;
use wb_node::ErrorKind;
use wb_node::command::peer_block::find_instance;
use wb_node::command::vouch::{VOUCH_MONTHS, VouchAdd, vouch_add, vouch_revoke, would_fall};
use wb_node::query::trust::{MovedView, TrustView, list, roots, why, word};
use wb_node::view::NamedView;

mod alone;

use super::registration::NAME_CHARS;
use crate::context::Context;
use crate::output::{self, clean, short};

/// Characters of a reason in a table.
const BASIS_CHARS: usize = 40;

/// What instances say about each other, and how far each is trusted here
#[derive(Debug, Subcommand)]
pub enum Vouch {
    /// Vouch for an instance, for everybody who follows this one; once more renews it
    Add(Add),
    /// Take back what this instance vouched for another, and name who falls by it
    Revoke(Revoke),
    /// List what instances vouch for, or those by and for one
    List {
        /// The instance: its name, enough of its id, or the whole id
        instance: Option<String>,
        /// Ask hubs who vouches for it, also of whom nothing is followed here; a name asks that hub alone
        #[arg(long, value_name = "HUB", num_args = 0..=1, default_missing_value = "")]
        hub: Option<String>,
    },
    /// Say how far an instance is trusted here, and by whose word
    Why {
        /// The instance: its name, enough of its id, or the whole id
        instance: String,
    },
    /// List the instances from which trust starts, and who hangs on each
    Roots,
    /// Write one vouch with what signs it into a file, or to standard output
    Export {
        /// Whom this instance vouches for, or the id of any vouch that is carried here
        which: String,
        /// The file; it must not be there yet
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Check a vouch that came alone, without an instance and without a network
    Verify {
        /// The file
        file: PathBuf,
    },
}

/// How far.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum How {
    /// It exists and is what it says
    Known,
    /// What it shares may be shown, and whom it invites may come
    Trusted,
    /// It may be offered what is for trusted peers
    Steward,
}

/// For whom, and how far
#[derive(Debug, Args)]
pub struct Add {
    /// The instance: its name, enough of its id, or the whole id
    instance: String,
    /// How far
    #[arg(long, value_enum)]
    level: How,
    /// Why, in words that everybody reads: how you know each other
    #[arg(long)]
    basis: String,
    /// Months that it lasts
    #[arg(long, default_value_t = VOUCH_MONTHS, value_parser = clap::value_parser!(i64).range(1..=VOUCH_MONTHS_MAX))]
    months: i64,
}

/// For whom no more
#[derive(Debug, Args)]
pub struct Revoke {
    /// The instance: its name, enough of its id, or the whole id
    instance: String,
    /// Only say who would fall
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct AddedView {
    schema_version: u32,
    id: RecordId,
    subject: InstanceId,
    expires_at: Timestamp,
    renewed: bool,
    moved: Vec<MovedView>,
}

#[derive(Serialize)]
struct RevokedView {
    schema_version: u32,
    subject: InstanceId,
    done: bool,
    moved: Vec<MovedView>,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Vouch) -> Result<ExitCode> {
    match command {
        Vouch::Add(input) => add(context, input),
        Vouch::Revoke(input) => revoke(context, input),
        Vouch::List {
            instance,
            hub: Some(hub),
        } => alone::list_at_hubs(context, instance.as_deref(), hub),
        Vouch::List { instance, .. } => show_list(context, instance.as_deref()),
        Vouch::Why { instance } => show_why(context, instance),
        Vouch::Roots => show_roots(context),
        Vouch::Export { which, to } => alone::export(context, which, to.as_deref()),
        Vouch::Verify { file } => alone::verify(context, file),
    }
}

fn add(context: &Context, input: &Add) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let subject = find_instance(&node, &input.instance)?;
    let done = vouch_add(
        &node,
        &actor,
        &VouchAdd {
            subject,
            level: match input.level {
                How::Known => Level::Known,
                How::Trusted => Level::Trusted,
                How::Steward => Level::Steward,
            },
            basis: &input.basis,
            months: input.months,
        },
        None,
    )?;
    if context.json() {
        output::json(&AddedView {
            schema_version: 1,
            id: done.id,
            subject,
            expires_at: done.expires_at,
            renewed: done.renewed,
            moved: done.moved,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let word = if done.renewed {
        "Vouched anew"
    } else {
        "Vouched"
    };
    context.say(format!(
        "{word} for {} until {}; it leaves with the next publish, sync or export, and everybody who follows this instance reads it.",
        clean(&done.name),
        done.expires_at
    ));
    say_moved(context, &done.moved, "changes");
    output::line(done.id)?;
    Ok(ExitCode::SUCCESS)
}

fn revoke(context: &Context, input: &Revoke) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let subject = find_instance(&node, &input.instance)?;
    let falls = would_fall(&node, subject)?.moved;
    let mut code = ExitCode::SUCCESS;
    let mut done = false;
    if input.dry_run {
        say_moved(context, &falls, "would change");
        context.say("Nothing was changed: this was a preview. Others work out their own levels.");
    } else {
        say_moved(context, &falls, "changes");
        if context.confirm(&format!(
            "Take back what is vouched for {}?",
            clean(&input.instance)
        ))? {
            vouch_revoke(&node, &actor, subject, None)?;
            done = true;
            context.say(
                "Taken back; with the next publish, sync or export nobody counts it any more.",
            );
        } else {
            context.say("Nothing was changed; --yes answers that with yes.");
            code = ExitCode::from(ErrorKind::Pending.exit_code());
        }
    }
    if context.json() {
        output::json(&RevokedView {
            schema_version: 1,
            subject,
            done,
            moved: falls,
        })?;
    }
    Ok(code)
}

fn say_moved(context: &Context, moved: &[MovedView], word: &str) {
    if moved.is_empty() {
        context.say(format!("No level here {word}."));
    }
    for one in moved {
        let why = one.why.map_or_else(String::new, |why| format!(": {why}"));
        context.say(format!(
            "{} {word} from level {} to {} here{why}.",
            clean(&one.name),
            one.before,
            one.after
        ));
    }
}

fn called(one: &NamedView) -> String {
    let name = one.name.clone().unwrap_or_else(|| one.id.short());
    short(&clean(&name), NAME_CHARS)
}

fn show_list(context: &Context, instance: Option<&str>) -> Result<ExitCode> {
    let node = context.node()?;
    let of = instance
        .map(|name| find_instance(&node, name))
        .transpose()?;
    let rows = list(&node, of)?;
    let columns = ["issuer", "subject", "level", "why", "until", "counts"];
    output::list(
        context,
        &rows,
        &columns,
        "Nobody vouches for anybody.",
        |row| {
            vec![
                called(&row.issuer),
                called(&row.subject),
                word(row.level).to_owned(),
                short(&clean(&row.basis), BASIS_CHARS),
                row.expires_at.to_string(),
                row.counts_not
                    .map_or_else(|| "yes".to_owned(), |why| format!("no: {why}")),
            ]
        },
    )?;
    Ok(ExitCode::SUCCESS)
}

fn show_why(context: &Context, instance: &str) -> Result<ExitCode> {
    let node = context.node()?;
    let view: TrustView = why(&node, find_instance(&node, instance)?)?;
    if context.json() {
        output::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(clean(&view.sentence))?;
    for step in &view.way {
        let basis = match (&step.basis, step.vouch) {
            (Some(basis), _) => format!("vouched for: {}", short(&clean(basis), BASIS_CHARS)),
            (None, Some(_)) => "vouched for".to_owned(),
            (None, None) => "approved here by hand".to_owned(),
        };
        output::line(format!("  {}  {basis}", called(&step.to)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show_roots(context: &Context) -> Result<ExitCode> {
    let node = context.node()?;
    let rows = roots(&node)?;
    let columns = ["name", "level", "vouches", "hang on it", "id"];
    let empty = "Nobody was approved by hand yet, so trust starts nowhere.";
    output::list(context, &rows, &columns, empty, |row| {
        let names: Vec<String> = row.hang_on_it.iter().map(called).collect();
        vec![
            short(&clean(&row.name), NAME_CHARS),
            row.level.to_string(),
            row.vouches.to_string(),
            names.join(", "),
            row.id.short(),
        ]
    })?;
    Ok(ExitCode::SUCCESS)
}
