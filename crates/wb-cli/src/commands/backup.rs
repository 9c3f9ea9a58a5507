//! `wb backup`

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use wb_node::backup::Lock;
use wb_node::command::backup::{BackupInput, Step, backup, keep_recipient, usual_lock};
use wb_node::query::backups::backups;
use wb_node::view::{BackupRowView, BackupView};
use wb_node::{Actor, Node, NodeError};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean};
use crate::secret_input::{
    ask_new_passphrase, ask_words, check_new_passphrase, passphrase_from, words_from,
};

/// Backups that are listed.
const LISTED: usize = 50;

/// Put everything this instance is into one encrypted file
#[derive(Debug, Args)]
pub struct Backup {
    /// A new file, or a folder to make one in (default: the folder of the setting backup.dir)
    #[arg(value_name = "FILE")]
    to: Option<PathBuf>,
    /// Lock it with a passphrase that is asked for, instead of the recovery words
    #[arg(long, conflicts_with_all = ["passphrase_file", "words_file"])]
    passphrase: bool,
    /// Lock it with the passphrase in the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "words_file")]
    passphrase_file: Option<PathBuf>,
    /// Learn the key of backups from the recovery words in this file, where it is not known yet
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
    /// Leave out what a hub relays; its members send it again
    #[arg(long)]
    without_hub: bool,
    /// List backups that were made, and those that failed
    #[arg(long, conflicts_with_all = ["to", "passphrase", "passphrase_file", "words_file", "without_hub"])]
    list: bool,
}

/// Makes a backup, or lists those that were made.
pub fn run(context: &Context, args: &Backup) -> Result<()> {
    let (node, actor) = context.acting()?;
    if args.list {
        return list(context, &backups(&node, LISTED)?);
    }
    let to = match (&args.to, context.settings()?.backup_dir) {
        (Some(to), _) => to.clone(),
        (None, Some(dir)) => {
            std::fs::create_dir_all(&dir).map_err(|source| NodeError::File {
                path: dir.clone(),
                source,
            })?;
            dir
        }
        (None, None) => {
            return Err(Failure::usage(
                "a backup needs a file",
                "name a new file or a folder: `wb backup /media/disk/`; or set backup.dir",
            )
            .into());
        }
    };
    let input = BackupInput {
        to: &to,
        lock: lock(context, args, &node, &actor)?,
        hub: !args.without_hub,
        scheduled: false,
    };
    let bar = context.progress("copying");
    let made = backup(&node, &actor, &input, &mut shown(&bar));
    bar.finish_and_clear();
    show(context, &made?)
}

/// Shows where it is.
pub fn shown(bar: &ProgressBar) -> impl FnMut(Step, u64, u64) -> ControlFlow<()> {
    |step, done, all| {
        bar.set_message(match step {
            Step::Copying => "copying",
            Step::Writing => "writing",
            Step::Reading => "checking",
        });
        bar.set_length(all);
        bar.set_position(done);
        ControlFlow::Continue(())
    }
}

fn lock(context: &Context, args: &Backup, node: &Node, actor: &Actor) -> Result<Lock> {
    let passphrase = match &args.passphrase_file {
        Some(path) => Some(passphrase_from(path)?),
        None if args.passphrase => Some(ask_new_passphrase(context)?.ok_or_else(|| {
            Failure::usage(
                "nobody is at a terminal to type a passphrase",
                "put it into a file that only you can read, and name that with --passphrase-file",
            )
        })?),
        None => None,
    };
    if let Some(passphrase) = passphrase {
        check_new_passphrase(&passphrase)?;
        return Ok(Lock::Passphrase(passphrase));
    }
    if let Some(path) = &args.words_file {
        return Ok(keep_recipient(node, actor, &words_from(path)?)?);
    }
    match usual_lock(node.store()) {
        Err(NodeError::NeedsApproval(message)) => {
            context.say(format!(
                "{message}. From then on backups are made without the words."
            ));
            match ask_words(context)? {
                Some(words) => Ok(keep_recipient(node, actor, &words)?),
                None => Err(Failure {
                    message,
                    kind: wb_node::ErrorKind::Pending,
                    hint: Some(
                        "bring the recovery words once with --words-file FILE (the sheet will do), or lock it with \
                         --passphrase-file FILE; nothing was written"
                            .to_owned(),
                    ),
                }
                .into()),
            }
        }
        lock => Ok(lock?),
    }
}

fn show(context: &Context, made: &BackupView) -> Result<()> {
    if context.json() {
        return output::json(made);
    }
    let holds = made.holds.iter();
    let holds: Vec<String> = holds
        .map(|part| format!("{} {}", part.name, size(part.bytes)))
        .collect();
    let opened_by = match made.opened_by {
        "passphrase" => "the passphrase",
        _ => "the recovery words of today",
    };
    output::line(format!("backup     {}  {}", made.path, size(made.bytes)))?;
    output::line(format!("holds      {}", holds.join(", ")))?;
    output::line(format!("opened by  {opened_by}"))?;
    output::line("checked    read back to its end, every part as it was copied")?;
    context.say(format!(
        "To restore: wb --home EMPTY-FOLDER restore {}",
        quoted(Path::new(&made.path))
    ));
    Ok(())
}

fn list(context: &Context, rows: &[BackupRowView]) -> Result<()> {
    output::list(
        context,
        rows,
        &["when", "by", "size", "file", "problem"],
        "No backup was made yet: `wb backup FILE`, or the setting backup.dir.",
        |row| {
            vec![
                row.at.to_string(),
                if row.scheduled { "itself" } else { "hand" }.to_owned(),
                size(row.bytes),
                row.path.clone(),
                row.problem.as_deref().map(clean).unwrap_or_default(),
            ]
        },
    )
}

/// A size for people.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let (mut whole, mut tenths, mut unit) = (bytes, 0, 0);
    while whole >= 1_000 && unit + 1 < UNITS.len() {
        tenths = whole % 1_000 / 100;
        whole /= 1_000;
        unit += 1;
    }
    match unit {
        0 => format!("{whole} B"),
        _ => format!("{whole}.{tenths} {}", UNITS[unit]),
    }
}

/// A path as it stands in a command of a shell.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
