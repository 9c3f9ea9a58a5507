//! `wb bundle`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_core::bundle::{BundleHead, Contents, FeedOutcome, Form};
use wb_core::identity::Merge;
use wb_node::ErrorKind;
use wb_node::command::bundle_export::{BundleExport, Exported, bundle_export};
use wb_node::command::bundle_import::{BundleImport, Imported, OriginPreview, bundle_import};
use wb_node::command::bundle_sealed::{
    CarriedFile, CarriedFor, bundle_look, bundle_seal, check_sealed, is_sealed_file, sealed_beside,
};
use wb_node::command::bundle_verify::bundle_verify;
use wb_node::command::bundle_want::bundle_want;
use wb_node::command::peer_block::find_instance;
use wb_store::Changed;

mod sealed;

use super::publish;
use crate::context::Context;
use crate::output::{self, clean, count, heading};

/// Exchange feeds in a file
#[derive(Debug, Subcommand)]
pub enum Bundle {
    /// Seal what is marked, then write every feed that may go on into one file
    Export {
        /// The file
        file: PathBuf,
        /// Only what the author of this want file lacks
        #[arg(long, value_name = "FILE")]
        want: Option<PathBuf>,
        /// Compress
        #[arg(long)]
        zstd: bool,
        /// Beside it, in a file that ends in .wbs, what is for trusted peers only, sealed for this one of them
        #[arg(long = "for", value_name = "PEER")]
        sealed_for: Vec<String>,
        /// Seal without asking a hub whether this is the newest copy of the folder
        #[arg(long)]
        offline: bool,
    },
    /// Write a signed list of what is held here, so that the next bundle brings only the rest
    Want {
        /// The file
        file: PathBuf,
    },
    /// Check a bundle without an instance and without a network
    Verify {
        /// The file
        file: PathBuf,
    },
    /// Take a bundle; a new origin stops at a preview first
    Import {
        /// The file
        file: PathBuf,
        /// Show record by record what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Take the feeds that verify although the file is damaged
        #[arg(long)]
        partial: bool,
    },
}

#[derive(Serialize)]
pub struct FeedRow {
    origin: String,
    scope: &'static str,
    form: &'static str,
    items: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

#[derive(Serialize)]
struct ExportView {
    schema_version: u32,
    file: String,
    sealed: u64,
    taken_back: u64,
    stays: std::collections::BTreeMap<&'static str, u64>,
    feeds: Vec<FeedRow>,
    plain_bytes: u64,
    bytes: u64,
    sha256: String,
    left_out: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed_file: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sealed_for: Vec<sealed::ForView>,
}

#[derive(Serialize)]
struct VerifyView {
    schema_version: u32,
    ok: bool,
    exporter: String,
    software: String,
    feeds: Vec<FeedRow>,
    records: std::collections::BTreeMap<String, u64>,
    plain_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelopes: Option<sealed::FileView>,
}

#[derive(Serialize)]
struct ImportView {
    schema_version: u32,
    imported: bool,
    exporter: String,
    software: String,
    waiting: Vec<String>,
    origins: Vec<OriginView>,
    feeds: Vec<FeedRow>,
    evidence: Vec<String>,
    own_is_ahead: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
    changes: Vec<ChangeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelopes: Option<sealed::FileView>,
}

#[derive(Serialize)]
struct OriginView {
    id: String,
    name: Option<String>,
    standing: Option<&'static str>,
    counts: Vec<CountView>,
}

#[derive(Serialize)]
struct CountView {
    kind: String,
    difference: &'static str,
    records: u64,
}

#[derive(Serialize)]
struct ChangeView {
    origin: String,
    id: String,
    kind: String,
    difference: &'static str,
    headline: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<String>,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Bundle) -> Result<ExitCode> {
    match command {
        Bundle::Export {
            file,
            want,
            zstd,
            sealed_for,
            offline,
        } => {
            let asked = Asked {
                file: &file,
                want: want.as_deref(),
                zstd,
                sealed_for: &sealed_for,
                offline,
            };
            export(context, &asked)
        }
        Bundle::Want { file } => want_file(context, &file),
        Bundle::Verify { file } => verify(context, &file),
        Bundle::Import {
            file,
            dry_run,
            partial,
        } => import(context, &file, dry_run, partial),
    }
}

/// What is to be exported, and how.
struct Asked<'a> {
    file: &'a Path,
    want: Option<&'a Path>,
    zstd: bool,
    sealed_for: &'a [String],
    offline: bool,
}

fn export(context: &Context, asked: &Asked<'_>) -> Result<ExitCode> {
    let level = context.settings()?.zstd_level;
    let (mut node, actor) = context.acting()?;
    let Asked { file, want, .. } = *asked;
    let mut peers = Vec::new();
    for name in asked.sealed_for {
        let id = find_instance(&node, name)?;
        if !peers.contains(&id) {
            peers.push(id);
        }
    }
    check_sealed(&node, file, &peers)?;
    if !publish::agreed(context, &node)? {
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    publish::confirmed(&node, asked.offline)?;
    let input = BundleExport {
        file,
        want,
        zstd_level: asked.zstd.then_some(level),
    };
    let bar = context.progress("writing");
    let exported = bundle_export(&mut node, &actor, &input, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let sealed = if peers.is_empty() {
        Vec::new()
    } else {
        bundle_seal(&node, &actor, file, &peers)?
    };
    if context.json() {
        output::json(&export_view(file, &exported, &sealed))?;
        return Ok(ExitCode::SUCCESS);
    }
    context.say(publish::sentence(exported.published));
    for contents in &exported.contents {
        output::line(format!(
            "{}  {} ({})",
            contents.origin.short(),
            items(contents.items),
            form(contents.form)
        ))?;
    }
    if exported.contents.is_empty() {
        output::line("The bundle holds no feeds: there is nothing the receiver lacks.")?;
    }
    for feed in &exported.left_out {
        context.say(format!(
            "left out: the feed of {}, because it is forked",
            feed.held.origin.short()
        ));
    }
    output::line(format!("{}  {} bytes", file.display(), exported.file_bytes))?;
    output::line(format!("sha256  {}", exported.sha256))?;
    sealed::show_written(context, file, &sealed)?;
    Ok(ExitCode::SUCCESS)
}

pub fn items(items: u64) -> String {
    count(items, "record", "records")
}

pub fn form(form: Form) -> &'static str {
    match form {
        Form::Snapshot => "snapshot",
        Form::Deltas => "deltas",
    }
}

fn export_view(file: &Path, exported: &Exported, sealed: &[CarriedFor]) -> ExportView {
    let stays = &exported.plan.tally.stays;
    ExportView {
        schema_version: 1,
        file: file.display().to_string(),
        sealed: exported.published.puts,
        taken_back: exported.published.retracts,
        stays: stays
            .iter()
            .map(|(cause, n)| (cause.as_str(), *n))
            .collect(),
        feeds: exported.contents.iter().map(contents_row).collect(),
        plain_bytes: exported.plain_bytes,
        bytes: exported.file_bytes,
        sha256: exported.sha256.to_string(),
        left_out: exported
            .left_out
            .iter()
            .map(|feed| feed.held.origin.to_string())
            .collect(),
        sealed_file: sealed
            .iter()
            .any(|one| one.envelopes > 0)
            .then(|| sealed_beside(file).display().to_string()),
        sealed_for: sealed.iter().map(sealed::for_view).collect(),
    }
}

pub fn contents_row(contents: &Contents) -> FeedRow {
    FeedRow {
        origin: contents.origin.to_string(),
        scope: contents.scope.as_str(),
        form: form(contents.form),
        items: contents.items,
        outcome: None,
    }
}

fn feed_row(feed: &FeedOutcome) -> FeedRow {
    FeedRow {
        origin: feed.origin.to_string(),
        scope: feed.scope.as_str(),
        form: form(feed.form),
        items: feed.items,
        outcome: Some(feed.outcome),
    }
}

#[derive(Serialize)]
struct WantView {
    schema_version: u32,
    file: String,
    feeds: usize,
}

fn want_file(context: &Context, file: &Path) -> Result<ExitCode> {
    let node = context.node()?;
    let feeds = bundle_want(&node, file)?;
    if context.json() {
        output::json(&WantView {
            schema_version: 1,
            file: file.display().to_string(),
            feeds,
        })?;
    } else {
        output::line(format!(
            "{}  lists {}",
            file.display(),
            count(feeds as u64, "feed", "feeds")
        ))?;
        context.say("Give it to whoever exports: `wb bundle export FILE --want THIS`.");
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(context: &Context, file: &Path) -> Result<ExitCode> {
    if is_sealed_file(file) {
        return sealed::look(context, file);
    }
    let bar = context.progress("verifying");
    let verified = bundle_verify(file, &mut |line| bar.set_position(line))?;
    bar.finish_and_clear();
    let beside = sealed_beside(file);
    let envelopes = if beside.is_file() {
        Some(bundle_look(&beside, None)?)
    } else {
        None
    };
    if context.json() {
        output::json(&VerifyView {
            schema_version: 1,
            ok: true,
            exporter: verified.head.exporter.to_string(),
            software: verified.head.software.clone(),
            feeds: verified.feeds.iter().map(feed_row).collect(),
            records: verified.kinds.clone(),
            plain_bytes: verified.plain_bytes,
            envelopes: envelopes.as_ref().map(sealed::file_view),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format!("Whole and signed. {}", made_by(&verified.head)))?;
    for feed in &verified.feeds {
        let note = match feed.outcome {
            "need_snapshot" => {
                "; goes on from what its receiver holds, checked as far as its bytes say"
            }
            _ => "",
        };
        output::line(format!(
            "{}  {} ({}){note}",
            feed.origin,
            items(feed.items),
            form(feed.form)
        ))?;
    }
    let kinds: Vec<String> = verified
        .kinds
        .iter()
        .map(|(kind, n)| format!("{n} {}", clean(kind)))
        .collect();
    output::line(format!(
        "records  {}",
        if kinds.is_empty() {
            "none".to_owned()
        } else {
            kinds.join(", ")
        }
    ))?;
    if let Some(envelopes) = envelopes {
        sealed::show(&beside, &envelopes, &|id| id.short())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn made_by(head: &BundleHead) -> String {
    format!(
        "Made by {} with {}.",
        head.exporter.short(),
        clean(&head.software)
    )
}

fn import(context: &Context, file: &Path, dry_run: bool, partial: bool) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    if is_sealed_file(file) {
        let opened = sealed::open(&node, &actor, file, !dry_run)?;
        if context.json() {
            output::json(&sealed::alone(&opened))?;
        } else {
            sealed::show_opened(context, &node, file, &opened)?;
        }
        return Ok(ExitCode::from(sealed::exit_code(&opened)));
    }
    let bar = context.progress("reading");
    let mut once = |accept: bool| {
        let input = BundleImport {
            dry_run,
            accept,
            partial,
            lists: dry_run || context.json() || context.verbose(),
        };
        let imported = bundle_import(&mut node, &actor, file, input, &mut |line| {
            bar.set_position(line);
        });
        bar.finish_and_clear();
        imported
    };
    let mut imported = once(context.yes())?;
    if !imported.done && !dry_run && context.can_ask() && !context.json() {
        show(context, &imported)?;
        if !context
            .confirm("Accept these new communities? Their records are shown here from now on.")?
        {
            context.say("Nothing was imported.");
            return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
        }
        imported = once(true)?;
    }
    let beside = sealed_beside(file);
    let opened = if beside.is_file() {
        Some(sealed::open(&node, &actor, &beside, imported.done)?)
    } else {
        None
    };
    if context.json() {
        output::json(&import_view(&imported, opened.as_ref()))?;
    } else {
        show(context, &imported)?;
        if dry_run || context.verbose() {
            list_changes(&imported)?;
        }
        end(context, &imported, dry_run)?;
        if let Some(opened) = &opened {
            sealed::show_opened(context, &node, &beside, opened)?;
        }
    }
    let of_bundle = exit_code(&imported, dry_run);
    let of_sealed = opened.as_ref().map_or(0, sealed::exit_code);
    Ok(ExitCode::from(if of_bundle == 0 {
        of_sealed
    } else {
        of_bundle
    }))
}

fn exit_code(imported: &Imported, dry_run: bool) -> u8 {
    let set_aside = imported
        .feeds
        .iter()
        .any(|feed| !feed.is_good() && feed.outcome != "closed");
    if imported.damage.is_some() {
        ErrorKind::Verification.exit_code()
    } else if !imported.done && !dry_run {
        ErrorKind::Pending.exit_code()
    } else if set_aside || imported.own_is_ahead || !imported.evidence.is_empty() {
        ErrorKind::Conflict.exit_code()
    } else {
        0
    }
}

/// What came of a feed that did not simply go on, to follow the feed's name.
pub fn outcome_words(outcome: &str) -> &'static str {
    match outcome {
        "refused" => "does not verify; it is as it was",
        "closed" => "is older than what is here; nothing of it was needed",
        "fork" => "contradicts what is here: set aside as evidence, its owner must open a new log",
        "early" => "waits for an identity entry that is not here yet",
        "held" => "is held until its owner ends a fork",
        "void" => "was made void by its owner's recovery",
        "need_snapshot" => {
            "goes on from something that is not here; ask for a bundle without a want file"
        }
        _ => "was not taken",
    }
}

fn show(context: &Context, imported: &Imported) -> Result<()> {
    context.say(made_by(&imported.head));
    for origin in &imported.origins {
        show_origin(context, imported, origin)?;
    }
    for feed in imported.feeds.iter().filter(|feed| !feed.is_good()) {
        let what = outcome_words(feed.outcome);
        output::line(format!(
            "the {} feed of {} {what}",
            feed.scope,
            feed.origin.short()
        ))?;
    }
    warn_ahead(imported)?;
    for (id, merge) in &imported.evidence {
        let what = match merge {
            Merge::TwoRecovers => "two recoveries by the same words",
            _ => "two key rotations of the same number",
        };
        output::line(format!(
            "evidence about {}: {what}; what is held stays",
            id.short()
        ))?;
    }
    Ok(())
}

/// Says that somebody has more of this instance's own feed than it has itself.
fn warn_ahead(imported: &Imported) -> Result<()> {
    if imported.own_is_ahead {
        output::line(
            "WARNING: the bundle holds more of this instance's own feed than this database. Either this folder \
             is an older copy, or another copy of the instance publishes. Nothing is published from here: use the \
             newest copy, or run `wb restore --from` with this bundle.",
        )?;
    }
    if imported.own_came_back && imported.done {
        output::line(
            "What this instance published after this copy was made came back with it. Next: `wb restore`.",
        )?;
    }
    Ok(())
}

fn show_origin(context: &Context, imported: &Imported, origin: &OriginPreview) -> Result<()> {
    let name = origin
        .name
        .as_deref()
        .map_or_else(|| origin.id.short(), clean);
    let is_new = imported.waiting.contains(&origin.id);
    let note = if is_new { "  NEW HERE" } else { "" };
    output::line(format!("{}  {}{note}", heading(context, &name), origin.id))?;
    for ((kind, difference), n) in &origin.counts {
        output::line(format!("  {n:>6} {} {difference}", clean(kind)))?;
    }
    if origin.counts.is_empty() {
        output::line("  nothing new")?;
    }
    if is_new {
        for sample in &origin.samples {
            output::line(format!("         “{}”", clean(sample)))?;
        }
    }
    Ok(())
}

fn headline(change: &Changed) -> Option<String> {
    let body = change.body.as_deref()?;
    Some(wb_node::plan::headline(change.kind.as_str(), body))
}

fn list_changes(imported: &Imported) -> Result<()> {
    for change in &imported.listed {
        let hidden = change
            .cause
            .as_deref()
            .map(|cause| format!("  (hidden: {cause})"))
            .unwrap_or_default();
        output::line(format!(
            "{:8} {:8} {}  {}{hidden}",
            change.difference.as_str(),
            clean(change.kind.as_str()),
            change.id,
            clean(&headline(change).unwrap_or_default())
        ))?;
    }
    Ok(())
}

fn end(context: &Context, imported: &Imported, dry_run: bool) -> Result<()> {
    if let Some(damage) = &imported.damage {
        context.say(format!(
            "The file is damaged ({damage}); feeds that verify were taken, others are as they were."
        ));
    }
    if imported.done {
        let records = count(imported.changed, "record", "records");
        output::line(format!("Imported: {records} changed here."))?;
    } else if dry_run {
        output::line("Nothing was changed: this was a preview.")?;
    } else {
        output::line("Nothing was imported: a community is new here.")?;
        context
            .say("Look at the preview above; `--yes` accepts it, `--dry-run` names each record.");
    }
    Ok(())
}

fn import_view(imported: &Imported, opened: Option<&CarriedFile>) -> ImportView {
    ImportView {
        schema_version: 1,
        imported: imported.done,
        exporter: imported.head.exporter.to_string(),
        software: imported.head.software.clone(),
        waiting: imported.waiting.iter().map(ToString::to_string).collect(),
        origins: imported.origins.iter().map(origin_view).collect(),
        feeds: imported.feeds.iter().map(feed_row).collect(),
        evidence: imported
            .evidence
            .iter()
            .map(|(id, merge)| format!("{id} {}", merge.as_str()))
            .collect(),
        own_is_ahead: imported.own_is_ahead,
        damage: imported.damage.as_ref().map(ToString::to_string),
        changes: imported.listed.iter().map(change_view).collect(),
        envelopes: opened.map(sealed::file_view),
    }
}

fn origin_view(origin: &OriginPreview) -> OriginView {
    let counts = origin
        .counts
        .iter()
        .map(|((kind, difference), records)| CountView {
            kind: kind.clone(),
            difference,
            records: *records,
        });
    OriginView {
        id: origin.id.to_string(),
        name: origin.name.clone(),
        standing: origin.standing.map(wb_store::Standing::as_str),
        counts: counts.collect(),
    }
}

fn change_view(change: &Changed) -> ChangeView {
    ChangeView {
        origin: change.origin.to_string(),
        id: change.id.to_string(),
        kind: change.kind.to_string(),
        difference: change.difference.as_str(),
        headline: headline(change).unwrap_or_default(),
        hidden: change.cause.clone(),
    }
}
