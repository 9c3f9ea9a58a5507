//! `wb demo`: two communities in a temporary folder share, preview, exchange and take back.
//!
//! Everything is done by the same use cases as by hand, on real files; what is claimed at the end (what
//! moved, what stayed home) is looked up in the bytes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde::Serialize;
use wb_core::bundle::Contents;
use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, Imported, bundle_import};
use wb_node::command::bundle_want::bundle_want;
use wb_node::command::comment_add::comment_add;
use wb_node::command::init::{Init, init};
use wb_node::command::record_share::record_unshare;
use wb_node::plan::{count_stays, plan};
use wb_node::query::requests;
use wb_node::starter::{Community, Filled, fill};
use wb_node::{Node, entropy};
use wb_store::Home;

use crate::context::Context;
use crate::output::{self, count, heading};

/// Try it: two communities in a temporary folder share, preview and exchange
#[derive(Debug, Args)]
pub struct Demo {
    /// Do everything once, remove the folder and end
    #[arg(long)]
    once: bool,
}

#[derive(Serialize)]
struct Summary {
    schema_version: u32,
    folder: String,
    kept: bool,
    north_published: u64,
    north_stayed_home: u64,
    south_received: usize,
    north_received: usize,
    taken_back: bool,
    private_words_found_elsewhere: usize,
    public_words_found_elsewhere: usize,
}

/// One of the two communities.
struct Side {
    node: Node,
    filled: Filled,
    dir: PathBuf,
}

/// Runs the demonstration.
pub fn run(context: &Context, args: &Demo) -> Result<ExitCode> {
    let folder =
        std::env::temp_dir().join(format!("wb-demo-{}", &entropy::token().to_string()[..8]));
    let shown = Narrator {
        context,
        step: std::cell::Cell::new(0),
    };
    let told = tell(&shown, &folder);
    let mut summary = match told {
        Ok(summary) => summary,
        Err(error) => {
            // What went wrong is in the message; half a demonstration is of no use.
            let _ = std::fs::remove_dir_all(&folder);
            return Err(error);
        }
    };
    summary.kept = !args.once && !leave_to_try(context, &folder)?;
    if context.json() {
        output::json(&summary)?;
    }
    if !summary.kept {
        std::fs::remove_dir_all(&folder).context("removing the folder of the demonstration")?;
        context.say("The folder is removed.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints numbered steps.
struct Narrator<'c> {
    context: &'c Context,
    step: std::cell::Cell<u32>,
}

impl Narrator<'_> {
    fn step(&self, title: &str) -> Result<()> {
        self.step.set(self.step.get() + 1);
        self.line(&format!(
            "\n{}",
            heading(self.context, &format!("{}. {title}", self.step.get()))
        ))
    }

    fn line(&self, text: &str) -> Result<()> {
        if self.context.json() {
            Ok(())
        } else {
            output::line(text)
        }
    }
}

fn tell(shown: &Narrator<'_>, folder: &Path) -> Result<Summary> {
    shown.step("Two communities are founded and filled")?;
    let mut north = found(shown, folder, Community::North)?;
    let mut south = found(shown, folder, Community::South)?;

    shown.step("North looks at what would leave")?;
    let preview = plan(&north.node, entropy::now())?;
    let stays: u64 = count_stays(&preview.stays).values().sum();
    shown.line(&format!(
        "   {} would leave",
        count(preview.puts.len() as u64, "record", "records")
    ))?;
    for (cause, n) in count_stays(&preview.stays) {
        shown.line(&format!("   {n} stay home: {}", cause.sentence()))?;
    }

    shown.step("North exports, South looks and accepts")?;
    let bundle = folder.join("from-north.wbb");
    let (contents, published) = export(&mut north, &bundle, None)?;
    shown.line(&format!(
        "   {} in {}",
        count(published, "record", "records"),
        bundle.display()
    ))?;
    ensure!(
        contents.len() == 1,
        "north exports its own feed only, and wrote {}",
        contents.len()
    );
    let looked = import(&mut south, &bundle, true)?;
    shown.line(&format!(
        "   South sees {} from a community that is new to it, and accepts",
        count(looked.changed.len() as u64, "record", "records")
    ))?;
    let received = import(&mut south, &bundle, false)?.changed.len();

    shown.step("South answers, and North gets only what it lacks")?;
    let request = RecordRef {
        origin: north.node.own_id(),
        id: north.filled.public_request,
    };
    let actor = south.node.actor(None)?;
    comment_add(
        &mut south.node,
        &actor,
        &request,
        "We can help with this from across the canal.",
        Scope::Public,
    )?;
    let (want, answer) = (folder.join("north.want"), folder.join("from-south.wbb"));
    bundle_want(&north.node, &want)?;
    export(&mut south, &answer, Some(&want))?;
    let north_received = import(&mut north, &answer, false)?.changed.len();
    let title = requests::request(&north.node, &request)?;
    shown.line(&format!(
        "   {north_received} records came; “{}” has {}",
        title.title,
        count(title.comments, "comment", "comments")
    ))?;

    shown.step("What moved and what stayed home, by looking at the bytes")?;
    let elsewhere = [bundle.clone(), south.dir.clone()];
    let found_public = find(&elsewhere, north.filled.must_leave)?;
    let found_private =
        find(&elsewhere, north.filled.must_stay)? + find(&elsewhere, north.filled.unnamed_handle)?;
    shown.line(&format!(
        "   public words  “{}”: in {found_public} files away from North",
        north.filled.must_leave
    ))?;
    shown.line(&format!(
        "   private words “{}”: in {found_private} files away from North",
        north.filled.must_stay
    ))?;
    ensure!(
        found_private == 0,
        "private words left North: this must never happen, please report it"
    );
    ensure!(found_public > 0, "public words did not arrive at South");

    shown.step("North takes the request back")?;
    let taken_back = take_back(&mut north, &mut south, &request, folder)?;
    shown.line("   with the next bundle it is gone from South's pages and from its files")?;
    ensure!(taken_back, "the request is still shown at South");

    Ok(Summary {
        schema_version: 1,
        folder: folder.display().to_string(),
        kept: true,
        north_published: published,
        north_stayed_home: stays,
        south_received: received,
        north_received,
        taken_back,
        private_words_found_elsewhere: found_private,
        public_words_found_elsewhere: found_public,
    })
}

fn found(shown: &Narrator<'_>, folder: &Path, which: Community) -> Result<Side> {
    let dir = folder.join(which.name().to_lowercase().replace(' ', "-"));
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let input = Init {
        name: which.name(),
        admin: which.admin(),
        words_file: None,
    };
    let mut node = init(&Home::new(&dir), &input)?.node;
    let filled = fill(&mut node, which)?;
    shown.line(&format!(
        "   {:<12} {} members, {} requests, {} comments, {} invites",
        which.name(),
        filled.members,
        filled.requests,
        filled.comments,
        filled.invites
    ))?;
    Ok(Side { node, filled, dir })
}

fn export(side: &mut Side, file: &Path, want: Option<&Path>) -> Result<(Vec<Contents>, u64)> {
    let actor = side.node.actor(None)?;
    let input = BundleExport {
        file,
        want,
        zstd_level: None,
    };
    let exported = bundle_export(&mut side.node, &actor, &input, &mut |_, _| {})?;
    Ok((exported.contents, exported.published.puts))
}

fn import(side: &mut Side, file: &Path, dry_run: bool) -> Result<Imported> {
    let actor = side.node.actor(None)?;
    let input = BundleImport {
        dry_run,
        accept: true,
        partial: false,
    };
    Ok(bundle_import(
        &mut side.node,
        &actor,
        file,
        input,
        &mut |_| {},
    )?)
}

fn take_back(
    north: &mut Side,
    south: &mut Side,
    request: &RecordRef,
    folder: &Path,
) -> Result<bool> {
    let author = north
        .node
        .store()
        .local(&request.id)?
        .and_then(|record| record.author);
    let accounts = north.node.store().private().accounts()?;
    let handle = accounts
        .into_iter()
        .find(|account| Some(account.user) == author)
        .map(|account| account.handle);
    let actor = north.node.actor(handle.as_deref())?;
    record_unshare(&north.node, &actor, request)?;
    let bundle = folder.join("from-north-2.wbb");
    export(north, &bundle, None)?;
    import(south, &bundle, false)?;
    let gone = requests::request(&south.node, request).is_err();
    Ok(gone && find(&[south.dir.clone(), bundle], north.filled.must_leave)? == 0)
}

/// Counts the files that hold some words, as they are in the bytes.
fn find(places: &[PathBuf], words: &str) -> Result<usize> {
    let mut found = 0;
    for place in places {
        let files = if place.is_dir() {
            let entries = std::fs::read_dir(place)?.collect::<std::io::Result<Vec<_>>>()?;
            entries.into_iter().map(|entry| entry.path()).collect()
        } else {
            vec![place.clone()]
        };
        for file in files {
            let bytes = std::fs::read(&file)?;
            found += usize::from(
                bytes
                    .windows(words.len())
                    .any(|window| window == words.as_bytes()),
            );
        }
    }
    Ok(found)
}

/// Shows what to try next; true when the folder should go.
fn leave_to_try(context: &Context, folder: &Path) -> Result<bool> {
    if context.json() {
        return Ok(false);
    }
    let program =
        std::env::current_exe().map_or_else(|_| "wb".to_owned(), |path| path.display().to_string());
    let [north, south] = [Community::North, Community::South]
        .map(|which| folder.join(which.name().to_lowercase().replace(' ', "-")));
    output::line(format!(
        "\n{}",
        heading(context, "Try next, in another terminal")
    ))?;
    output::line(format!("   alias wb={program}"))?;
    for (dir, command) in [
        (&north, "status"),
        (&north, "record list --staying"),
        (&north, "publish --dry-run"),
        (&south, "request list"),
        (&south, "doctor"),
    ] {
        output::line(format!("   wb --home {} {command}", dir.display()))?;
    }
    if !context.can_ask() {
        output::line(format!(
            "\nThe folder {} stays; remove it when you are done.",
            folder.display()
        ))?;
        return Ok(false);
    }
    crate::context::tell("\nPress Enter to remove the folder and end (Ctrl-C keeps it). ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(true)
}
