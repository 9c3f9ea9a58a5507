//! `wb up`

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tokio::sync::watch;
use wb_net::ServerLimits;
use wb_node::command::sync::Synced;
use wb_node::service::{AutoSync, auto_sync, router};

use super::serve::{listen, runtime, stopped};
use crate::context::{Context, tell};
use crate::output::{self, clean};

/// Run the node of this folder until Ctrl-C
#[derive(Debug, Args)]
pub struct Up {
    /// Address and port (default 127.0.0.1:8000; port 0 takes a free one)
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Sync by itself every so many minutes, and at once when a hub has something new
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    sync_every: Option<u64>,
}

#[derive(Serialize)]
struct Started<'a> {
    schema_version: u32,
    id: String,
    name: &'a str,
    address: String,
    sync_every_minutes: Option<u64>,
}

/// Runs the node.
pub fn run(context: &Context, args: &Up) -> Result<()> {
    let settings = context.settings()?;
    let node = context.node()?;
    let every = args
        .sync_every
        .map(|minutes| Duration::from_secs(minutes * 60))
        .or(settings.sync_every);
    let router = router(&node)?;
    let (stop, stopping) = watch::channel(false);
    let runtime = runtime()?;
    runtime.block_on(async {
        let (listener, address) = listen(args.listen.unwrap_or(settings.node_listen)).await?;
        announce(context, &node, address, every)?;
        let syncing = every.map(|every| {
            let settings = AutoSync {
                home: node.store().home().clone(),
                every,
                kinds: settings.sync_kinds.clone(),
            };
            let quiet = context.quiet();
            tokio::task::spawn_blocking(move || {
                let told = |synced: &Synced| {
                    if !quiet {
                        tell_synced(synced);
                    }
                };
                let trouble = |error: &wb_node::NodeError| tell(&format!("sync: {error}\n"));
                auto_sync(&settings, stopping, &told, &trouble)
            })
        });
        let serving = wb_net::serve(listener, router, ServerLimits::default(), stopped());
        match syncing {
            None => serving.await,
            Some(mut syncing) => {
                // Whoever asked for syncing by itself must learn at once that it does not any more.
                tokio::select! {
                    () = serving => {}
                    ended = &mut syncing => return Ok(ended??),
                }
                let _ = stop.send(true);
                syncing.await??;
            }
        }
        context.say("Stopped.");
        Ok(())
    })
}

/// One line for each sync that moved something or failed.
fn tell_synced(synced: &Synced) {
    let name = clean(&synced.peer.name);
    if let Some((cause, detail)) = &synced.end {
        tell(&format!(
            "sync: {} ({})\n",
            cause.about(&name),
            clean(detail)
        ));
        return;
    }
    let (tally, pushed) = (&synced.tally, &synced.pushed);
    if tally.is_empty() && pushed.deltas == 0 {
        return;
    }
    tell(&format!(
        "sync: {name}: {} new, {} changed, {} gone here; {} pushed, {} taken back there\n",
        tally.new, tally.changed, tally.gone, pushed.records, pushed.retracts
    ));
}

fn announce(
    context: &Context,
    node: &wb_node::Node,
    address: SocketAddr,
    every: Option<Duration>,
) -> Result<()> {
    let base = format!("http://{address}");
    let minutes = every.map(|every| every.as_secs() / 60);
    if context.json() {
        return output::json(&Started {
            schema_version: 1,
            id: node.own_id().to_string(),
            name: node.name(),
            address: base,
            sync_every_minutes: minutes,
        });
    }
    output::line(format!("{}  {}", clean(node.name()), node.own_id()))?;
    output::line(format!("listening   {base}"))?;
    let how = match minutes {
        Some(minutes) => {
            format!("by itself every {minutes} minutes, and at once when a hub has something new")
        }
        None => "by hand: `wb sync` (or start with --sync-every MINUTES)".to_owned(),
    };
    output::line(format!("syncing     {how}"))?;
    context.say("Pages come with a later version. Ctrl-C stops it.");
    Ok(())
}
