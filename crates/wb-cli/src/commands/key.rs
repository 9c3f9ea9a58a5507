//! `wb key`: the key that speaks for this instance, another one in its place, and taking it back.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;
use wb_core::words::RecoveryWords;
use wb_node::command::key_recover::{
    Gathered, Publication, Recover, RecoveredKey, check_words, fresh_words, gather, key_recover,
    two_places, words_on, write_new_sheet,
};
use wb_node::command::key_rotate::{Rotate, Rotated, key_rotate};
use wb_node::query::key::{fingerprint, key};
use wb_node::{ErrorKind, Node, NodeError};
use zeroize::Zeroizing;

use super::init::show_words;
use super::serve::runtime;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, count, short};
use crate::passphrase::behind;

/// Tries for words that are typed in.
const TRIES: usize = 3;
/// Digits of a publication's hash that tell it apart for people.
const HASH_DIGITS: usize = 12;
/// Digits of a hash that must be given at least; fewer are a number.
const HASH_DIGITS_MIN: usize = 8;

/// The keys that speak for this instance
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Show which key speaks, where it lies, and every change of it
    Show,
    /// Put another signing key in the place of this one
    Rotate(RotateArgs),
    /// Take the instance back with the recovery words, after a theft of the key
    Recover(RecoverArgs),
}

/// What the next key is put behind; without either, what the key before is behind.
#[derive(Debug, Clone, Copy, Args)]
pub struct BehindArgs {
    /// Put the new key behind a passphrase (WB_KEY_NEW_PASSPHRASE, or asked at a terminal)
    #[arg(long, conflicts_with = "no_passphrase")]
    passphrase: bool,
    /// Put the new key behind nothing but the rights of its file
    #[arg(long)]
    no_passphrase: bool,
}

/// What rotating takes.
#[derive(Debug, Clone, Copy, Args)]
pub struct RotateArgs {
    #[command(flatten)]
    behind: BehindArgs,
    /// Go on although nobody can be asked whether this is the newest copy
    #[arg(long)]
    offline: bool,
}

/// What recovering takes.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// List everything that was published in the name of this instance, and change nothing
    #[arg(long, conflicts_with_all = ["words_file", "last_good", "new_words_file"])]
    list: bool,
    /// Read the recovery words from the sheet in this file instead of asking
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
    /// The last publication that was good: its number, enough of its hash, or `none`
    #[arg(long, value_name = "SEQ|HASH")]
    last_good: Option<String>,
    /// Put the new recovery words on a sheet in this new file instead of showing them
    #[arg(long, value_name = "FILE")]
    new_words_file: Option<PathBuf>,
    #[command(flatten)]
    behind: BehindArgs,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Key) -> Result<()> {
    match command {
        Key::Show => show(context),
        Key::Rotate(args) => rotate(context, *args),
        Key::Recover(args) if args.list => list(context),
        Key::Recover(args) => recover(context, args),
    }
}

fn show(context: &Context) -> Result<()> {
    let node = context.node()?;
    let view = key(&node)?;
    if context.json() {
        return output::json(&view);
    }
    output::line(format!("{}  {}", clean(&view.name), view.id))?;
    output::line(format!("key         {}", view.fingerprint))?;
    output::line(format!(
        "position    {} after {}",
        view.n,
        count(view.era, "recovery", "recoveries")
    ))?;
    let form = match view.form {
        "passphrase" => "behind a passphrase",
        _ => "readable by its owner only, without a passphrase",
    };
    output::line(format!("file        {} ({form})", clean(&view.file)))?;
    output::line(format!("recovery    {}", view.recovery))?;
    for entry in &view.history {
        let at = entry.at.to_string();
        output::line(format!(
            "{:>3}  {at}  {:<8} {}  {}",
            entry.n, entry.op, entry.fingerprint, entry.did
        ))?;
    }
    if let Some(why) = &view.new_log_due {
        context.say(format!("The next publish opens a new log: {}.", clean(why)));
    }
    if view.void_waiting > 0 {
        context.say(format!(
            "{} by somebody else: `wb inbox` lists them to keep or drop.",
            count(
                view.void_waiting,
                "record was published",
                "records were published"
            )
        ));
    }
    Ok(())
}

#[derive(Serialize)]
struct RotatedView {
    schema_version: u32,
    entry: String,
    n: u64,
    era: u64,
    key: String,
    last_seq: Option<u64>,
    asked: Vec<String>,
    unasked: Vec<String>,
}

fn rotate(context: &Context, args: RotateArgs) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let behind = behind(args.behind.passphrase, args.behind.no_passphrase)?;
    let agreed = context.confirm(
        "Make another signing key? The one before is worth nothing afterwards, and backups of this folder made before keep the old one.",
    )?;
    if !agreed {
        return Err(unconfirmed("nothing was changed; say yes, or give --yes"));
    }
    let rotated = runtime()?.block_on(key_rotate(
        &mut node,
        &actor,
        Rotate {
            behind: &behind,
            offline: args.offline,
        },
    ))?;
    for warning in &rotated.warnings {
        context.say(format!(
            "The key is changed, but this went wrong after it: {}.",
            clean(warning)
        ));
    }
    print_rotated(context, &rotated)
}

fn print_rotated(context: &Context, rotated: &Rotated) -> Result<()> {
    if context.json() {
        return output::json(&RotatedView {
            schema_version: 1,
            entry: rotated.entry.to_string(),
            n: rotated.position.n,
            era: rotated.position.era,
            key: rotated.key.to_string(),
            last_seq: rotated.last_head.map(|head| head.seq),
            asked: rotated.asked.clone(),
            unasked: rotated
                .unasked
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
        });
    }
    output::line(format!("new key     {}", fingerprint(&rotated.key)))?;
    for (name, why) in &rotated.unasked {
        context.say(format!(
            "{} was not asked whether it holds more of this instance: {}.",
            clean(name),
            clean(why)
        ));
    }
    context.say("The old key is gone from this folder. Hubs and followers learn of the new one with the next `wb sync`; nobody there has to do anything.");
    Ok(())
}

fn unconfirmed(hint: &str) -> anyhow::Error {
    Failure {
        message: "nobody agreed".to_owned(),
        kind: ErrorKind::Pending,
        hint: Some(hint.to_owned()),
    }
    .into()
}

#[derive(Serialize)]
struct PublicationView {
    schema_version: u32,
    number: usize,
    log: String,
    generation: u64,
    seq: u64,
    hash: String,
    at: String,
    records: u64,
    taken_back: u64,
    here: bool,
    sealed_here: bool,
    machine: Option<String>,
    hubs: Vec<String>,
}

fn view(number: usize, one: &Publication) -> PublicationView {
    PublicationView {
        schema_version: 1,
        number,
        log: one.log.to_string(),
        generation: one.generation,
        seq: one.seq,
        hash: one.hash.to_string(),
        at: one.at.to_string(),
        records: one.puts,
        taken_back: one.retracts,
        here: one.is_here,
        sealed_here: one.machine.is_some(),
        machine: one.machine.clone().filter(|machine| !machine.is_empty()),
        hubs: one.hubs.clone(),
    }
}

fn list(context: &Context) -> Result<()> {
    let (mut node, _) = context.acting()?;
    let gathered = runtime()?.block_on(gather(&mut node))?;
    print_list(context, &gathered)
}

fn print_list(context: &Context, gathered: &Gathered) -> Result<()> {
    let views: Vec<PublicationView> = (1..)
        .zip(&gathered.publications)
        .map(|(number, one)| view(number, one))
        .collect();
    let columns = [
        "",
        "sealed",
        "records",
        "taken back",
        "number",
        "hash",
        "sealed on",
        "held by",
    ];
    output::list(
        context,
        &views,
        &columns,
        "Nothing was published yet.",
        |one| {
            let mut held: Vec<String> = one
                .here
                .then(|| "this folder".to_owned())
                .into_iter()
                .collect();
            held.extend(one.hubs.iter().cloned());
            let sealed_on = match (&one.machine, one.sealed_here) {
                (Some(machine), _) => machine.clone(),
                (None, true) => "this folder".to_owned(),
                (None, false) => "not from this folder".to_owned(),
            };
            vec![
                one.number.to_string(),
                one.at.clone(),
                one.records.to_string(),
                one.taken_back.to_string(),
                one.seq.to_string(),
                short(&one.hash, HASH_DIGITS + 1),
                sealed_on,
                held.join(", "),
            ]
        },
    )?;
    for (name, why) in &gathered.unasked {
        context.say(format!("{} was not asked: {}.", clean(name), clean(why)));
    }
    for entry in &gathered.other_keys {
        context.say(format!(
            "Another key was put in the place of this instance's on {}, and not from this folder.",
            entry.at
        ));
    }
    Ok(())
}

/// The new words as a line of JSON, before anything is signed.
#[derive(Serialize)]
struct NewWords<'a> {
    schema_version: u32,
    recovery_words: &'a str,
}

#[derive(Serialize)]
struct RecoveredView {
    schema_version: u32,
    entry: String,
    n: u64,
    era: u64,
    key: String,
    void: u64,
    listed: u64,
    afresh: bool,
    words_file: Option<String>,
}

fn recover(context: &Context, args: &RecoverArgs) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let shows = args.new_words_file.is_none() && !context.json();
    if (args.words_file.is_none() || args.last_good.is_none() || shows) && !context.can_ask() {
        return Err(Failure::usage(
            "the recovery words and the last good publication have to be given, and nobody is at a terminal",
            "give --words-file, --last-good (`wb key recover --list` names them) and --new-words-file or --json; nothing was changed",
        )
        .into());
    }
    let behind = behind(args.behind.passphrase, args.behind.no_passphrase)?;
    let words = old_words(context, args, &node)?;
    check_words(&node, &words)?;
    let gathered = runtime()?.block_on(gather(&mut node))?;
    let last_good = choose(context, args, &gathered)?;
    let new_words = fresh_words();
    hand_over(context, args, &node, &new_words)?;
    let input = Recover {
        words: &words,
        new_words: &new_words,
        last_good,
        gathered: &gathered,
        behind,
    };
    let before = node.identity().newest().hash;
    let recovered = match key_recover(&mut node, &actor, &input) {
        Ok(recovered) => recovered,
        Err(error) => {
            // Words for a key that does not speak would only mislead. Where that is not certain they stay.
            let is_unchanged =
                matches!(node.store().own_newest_entry(), Ok(Some(now)) if now == before);
            if let Some(path) = &args.new_words_file
                && is_unchanged
            {
                let _ = std::fs::remove_file(path);
            }
            return Err(error.into());
        }
    };
    for warning in &recovered.warnings {
        context.say(format!(
            "The key is recovered and the new words count, but this went wrong after it: {}.",
            clean(warning)
        ));
    }
    print_recovered(context, args, &recovered)
}

/// The words of the sheet: from a file, or typed in.
fn old_words(context: &Context, args: &RecoverArgs, node: &Node) -> Result<RecoveryWords> {
    if let Some(path) = &args.words_file {
        let sheet = std::fs::read_to_string(path).map_err(|source| NodeError::File {
            path: path.clone(),
            source,
        })?;
        return Ok(words_on(&Zeroizing::new(sheet))?);
    }
    context.say("The twelve recovery words are on the sheet that was made when this instance was founded, or recovered last.");
    for _ in 0..TRIES {
        let typed = Zeroizing::new(context.ask("words: ")?.unwrap_or_default());
        match words_on(&typed).and_then(|words| check_words(node, &words).map(|()| words)) {
            Ok(words) => return Ok(words),
            Err(error) => context.say(error),
        }
    }
    Err(unconfirmed(
        "nothing was changed; look for the newest sheet",
    ))
}

fn choose(
    context: &Context,
    args: &RecoverArgs,
    gathered: &Gathered,
) -> Result<Option<wb_core::id::Hash>> {
    if let Some(named) = &args.last_good {
        return Ok(named_publication(named, gathered)?);
    }
    print_list(context, gathered)?;
    if gathered.publications.is_empty() {
        return Ok(None);
    }
    let suggested = gathered.suggested().and_then(|suggested| {
        gathered
            .publications
            .iter()
            .position(|one| one.hash == suggested.hash)
    });
    let hint = suggested.map_or(String::new(), |index| format!(" [{}]", index + 1));
    context.say("Everything above the one you choose is void: it is hidden everywhere, and listed in `wb inbox` to keep or drop.");
    for _ in 0..TRIES {
        let answer = context.ask(&format!(
            "The last good one, by its number in the list{hint}: "
        ))?;
        let answer = answer.unwrap_or_default();
        let index = match (answer.as_str(), suggested) {
            ("", Some(index)) => Some(index),
            ("none", _) => return Ok(None),
            (text, _) => text
                .parse::<usize>()
                .ok()
                .and_then(|number| number.checked_sub(1)),
        };
        if let Some(one) = index.and_then(|index| gathered.publications.get(index)) {
            return Ok(Some(one.hash));
        }
        context.say("There is no such number in the list.");
    }
    Err(unconfirmed("nothing was changed"))
}

/// The publication of a number or of the start of a hash.
fn named_publication(
    named: &str,
    gathered: &Gathered,
) -> wb_node::Result<Option<wb_core::id::Hash>> {
    if named == "none" {
        return Ok(None);
    }
    let is_hash = named.len() >= HASH_DIGITS_MIN;
    let fits = gathered.publications.iter().filter(|one| {
        if is_hash {
            one.hash.to_string().starts_with(named)
        } else {
            one.is_here && one.seq.to_string() == named
        }
    });
    let fits: Vec<&Publication> = fits.collect();
    match fits.as_slice() {
        [one] => Ok(Some(one.hash)),
        [] => Err(NodeError::Unknown {
            what: "publication",
            name: named.to_owned(),
        }),
        more => Err(NodeError::Ambiguous {
            what: "publications",
            name: named.to_owned(),
            count: more.len(),
        }),
    }
}

/// Gives the new words to whoever asked, before anything is signed.
fn hand_over(
    context: &Context,
    args: &RecoverArgs,
    node: &Node,
    words: &RecoveryWords,
) -> Result<()> {
    if let Some(path) = &args.new_words_file {
        return Ok(write_new_sheet(node, path, words)?);
    }
    let text = words.text();
    if context.json() {
        return output::json(&NewWords {
            schema_version: 1,
            recovery_words: &text,
        });
    }
    show_words(&text)?;
    let all: Vec<&str> = text.split(' ').collect();
    for place in two_places() {
        let right = (0..TRIES).any(|_| {
            let answer = context.ask(&format!("Word {place} of the new sheet: "));
            answer.is_ok_and(|answer| answer.as_deref() == all.get(place - 1).copied())
        });
        if !right {
            return Err(unconfirmed(
                "nothing was changed, and these words are worth nothing; write the new ones down when you try again",
            ));
        }
    }
    Ok(())
}

fn print_recovered(context: &Context, args: &RecoverArgs, done: &RecoveredKey) -> Result<()> {
    if context.json() {
        return output::json(&RecoveredView {
            schema_version: 1,
            entry: done.entry.to_string(),
            n: done.position.n,
            era: done.position.era,
            key: done.key.to_string(),
            void: done.void,
            listed: done.listed,
            afresh: done.afresh,
            words_file: args
                .new_words_file
                .as_ref()
                .map(|path| path.display().to_string()),
        });
    }
    output::line(format!("recovered   {}", fingerprint(&done.key)))?;
    output::line(format!(
        "{} void; {} wait in `wb inbox` to keep or drop",
        count(done.void, "publication is", "publications are"),
        count(done.listed, "record", "records")
    ))?;
    if let Some(path) = &args.new_words_file {
        output::line(format!(
            "The new recovery words are in {}. Print it, keep it away from this computer, delete the file.",
            path.display()
        ))?;
    }
    context.say("The old words and every key before are worth nothing from here on. Run `wb sync`: it tells hubs, and opens the new log that everybody follows.");
    Ok(())
}
