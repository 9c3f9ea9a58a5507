//! `wb hub bundle`: the feeds that a hub relays, in one file.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use wb_core::id::{Hash, InstanceId};
use wb_core::scope::FeedScope;
use wb_core::want::Want;
use wb_hub::HubStore as _;
use wb_hub::bundle::{Part, part, write};
use wb_node::command::bundle_export::{bundle_head, digest_file, read_want, temporary_beside};
use wb_node::entropy;

use super::bundle::{FeedRow, contents_row, form, items};
use super::hub_admin::Operator;
use crate::context::Context;
use crate::hub_store::StoreArg;
use crate::output;

/// Members read from the directory at once.
const PAGE_MEMBERS: usize = 100;

/// Write the public feeds that the hub of this folder relays into one file
#[derive(Debug, Args)]
pub struct Bundle {
    /// The file
    file: PathBuf,
    /// Only what the author of this want file lacks
    #[arg(long, value_name = "FILE")]
    want: Option<PathBuf>,
    /// Only the feed of this member, whoever may see it; more may be named. Without: of all whom everybody may see
    #[arg(long = "of", value_name = "MEMBER")]
    of: Vec<String>,
    /// Compress
    #[arg(long)]
    zstd: bool,
    #[command(flatten)]
    store: StoreArg,
}

#[derive(Serialize)]
struct View {
    schema_version: u32,
    file: String,
    feeds: Vec<FeedRow>,
    plain_bytes: u64,
    bytes: u64,
    sha256: String,
}

/// Makes the file.
pub fn run(context: &Context, args: &Bundle) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    let want = args.want.as_deref().map(read_want).transpose()?;
    let members = members(&operator, &args.of)?;
    let temporary = temporary_beside(&args.file);
    let level = args.zstd.then_some(context.settings()?.zstd_level);
    let made = make(
        context,
        &operator,
        &members,
        want.as_ref(),
        level,
        &temporary,
    );
    let (parts, plain_bytes) = match made {
        Ok(made) => made,
        Err(error) => {
            // Half a bundle helps nobody.
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
    };
    std::fs::rename(&temporary, &args.file).with_context(|| args.file.display().to_string())?;
    let (bytes, sha256) = digest_file(&args.file)?;
    operator.note("hub bundle", &args.file.display(), format!("{bytes} bytes"))?;
    let rows = parts.iter().map(|part| contents_row(&part.contents));
    if context.json() {
        return output::json(&View {
            schema_version: 1,
            file: args.file.display().to_string(),
            feeds: rows.collect(),
            plain_bytes,
            bytes,
            sha256: sha256.to_string(),
        });
    }
    for part in &parts {
        let contents = &part.contents;
        output::line(format!(
            "{}  {} ({})",
            contents.origin.short(),
            items(contents.items),
            form(contents.form)
        ))?;
    }
    if parts.is_empty() {
        output::line("The bundle holds no feeds: there is nothing the receiver lacks.")?;
    }
    output::line(format!("{}  {bytes} bytes", args.file.display()))?;
    output::line(format!("sha256  {sha256}"))
}

/// Whose feeds, by id.
fn members(operator: &Operator, named: &[String]) -> Result<Vec<InstanceId>> {
    let mut ids = Vec::new();
    for name in named {
        ids.push(operator.find(name)?.id);
    }
    let mut after = None;
    while named.is_empty() {
        let asked = operator
            .store
            .directory(after, PAGE_MEMBERS, entropy::now());
        let page = operator.runtime.block_on(asked)?;
        // A bundle is for whoever has the file, so what only members may see is in it where it is named alone.
        let public = page.members.iter();
        let public = public.filter(|member| member.visibility.is_none());
        ids.extend(public.map(|member| member.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Writes the feeds aside, then all of it in its order.
fn make(
    context: &Context,
    operator: &Operator,
    members: &[InstanceId],
    want: Option<&(Want, Hash)>,
    level: Option<i32>,
    path: &Path,
) -> Result<(Vec<Part>, u64)> {
    let mut aside = tempfile::tempfile_in(
        path.parent()
            .filter(|dir| dir.is_dir())
            .unwrap_or(Path::new(".")),
    )
    .with_context(|| path.display().to_string())?;
    let bar = context.progress("reading");
    bar.set_length(members.len() as u64);
    let mut parts = Vec::new();
    {
        let mut out = BufWriter::new(&mut aside);
        for id in members {
            let held = want.and_then(|(want, _)| {
                let mut feeds = want.feeds.iter();
                feeds.find(|held| held.origin == *id && held.scope == FeedScope::Public)
            });
            let part = part(
                &operator.store,
                *id,
                held.cloned(),
                entropy::now(),
                &mut out,
            );
            parts.extend(operator.runtime.block_on(part)?);
            bar.inc(1);
        }
        out.flush()?;
    }
    bar.finish_and_clear();
    aside.rewind()?;
    let mut aside = BufReader::new(aside);
    let contents: Vec<_> = parts.iter().map(|part| part.contents.clone()).collect();
    let head = bundle_head(&operator.node, want.map(|(_, hash)| *hash), &contents)?;
    let own = operator.node.identity();
    let file = File::create_new(path).with_context(|| path.display().to_string())?;
    let mut out = BufWriter::new(file);
    let plain = match level {
        None => write(&mut out, own, &head, &parts, &mut aside)?,
        Some(level) => {
            let mut encoder = zstd::stream::write::Encoder::new(&mut out, level)?;
            let plain = write(&mut encoder, own, &head, &parts, &mut aside)?;
            encoder.finish()?;
            plain
        }
    };
    let file = out
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok((parts, plain))
}
