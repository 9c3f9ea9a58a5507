//! `wb up`

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tokio::sync::watch;
use wb_node::NodeError;
use wb_node::command::sync::Synced;
use wb_node::service::{AutoSync, auto_sync, router};
use wb_node::settings::Settings;
use wb_web::{Site, SiteConfig};

use super::serve::{Backups, front, in_use, known_hosts, listen, renew, runtime, scheme, stopped};
use crate::context::{Context, tell};
use crate::failure::Failure;
use crate::output::{self, clean, count};

/// The port that browsers take where an address with TLS names none.
const HTTPS_PORT: u16 = 443;

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
    let is_founded = context.home().main().exists();
    let _in_use = in_use(context)?;
    let node = is_founded.then(|| context.node()).transpose()?;
    if let Some(node) = &node {
        node.unlock()?;
    }
    let every = args
        .sync_every
        .map(|minutes| Duration::from_secs(minutes * 60))
        .or(settings.sync_every);
    let wanted = args.listen.unwrap_or(settings.node_listen);
    check_reach(wanted, &settings)?;
    let front = front(&settings.node_front)?;
    let (stop, stopping) = watch::channel(false);
    let runtime = runtime()?;
    runtime.block_on(async {
        let (listener, address) = listen(wanted).await?;
        let config = SiteConfig {
            home: context.home().clone(),
            hosts: hosts(address, &settings),
            secure: settings.node_front.is_tls(),
        };
        let report = |text: &str| tell(&format!("{}\n", clean(text)));
        let site = Arc::new(Site::new(config).with_report(Arc::new(report)));
        let base = base(scheme(&front), address, &settings);
        match &node {
            Some(node) => announce(context, node, base, every)?,
            None => announce_founding(context, &site, base, address.port())?,
        }
        let router = wb_web::router(&site).merge(router(context.home()));
        let syncing = is_founded.then(|| {
            let settings = AutoSync {
                home: context.home().clone(),
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
        let backups = Backups::start(context, &settings);
        tokio::spawn(renew(front.clone()));
        let stopping_site = Arc::clone(&site);
        let stopped = async move {
            stopped().await;
            stopping_site.close();
        };
        let serving = wb_net::serve_with(listener, router, front, stopped);
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
        backups.end().await;
        context.say("Stopped.");
        Ok(())
    })
}

/// Pages hold what is private: they are not served to a network in the clear.
fn check_reach(address: SocketAddr, settings: &Settings) -> Result<(), Failure> {
    if address.ip().is_loopback() || settings.node_front.is_tls() {
        return Ok(());
    }
    Err(Failure {
        message: format!(
            "{address} can be reached from other computers, and without TLS everybody on the way could read along; nothing was started"
        ),
        kind: wb_node::ErrorKind::Usage,
        hint: Some(format!(
            "there are two ways out: set node.tls_cert, node.tls_key and node.hosts = \"your.name\"; or put a proxy with TLS in \
             front and set node.behind_proxy to its address and node.hosts = \"your.name\" (a proxy on this computer \
             finds 127.0.0.1:{} without --listen)",
            address.port()
        )),
    })
}

/// The names under which the pages may be asked for, with the port where browsers say it.
fn hosts(address: SocketAddr, settings: &Settings) -> Vec<String> {
    let mut hosts = known_hosts(address, &settings.node_hosts);
    if settings.node_front.tls.is_some() {
        let names = settings.node_hosts.iter();
        hosts.extend(names.map(|name| format!("{name}:{}", address.port())));
    }
    hosts
}

/// The address to open: with TLS that of a name, as certificates are made for names.
fn base(scheme: &str, address: SocketAddr, settings: &Settings) -> String {
    let name = settings.node_hosts.first();
    match name.filter(|_| settings.node_front.tls.is_some()) {
        Some(name) if address.port() == HTTPS_PORT => format!("{scheme}://{name}"),
        Some(name) => format!("{scheme}://{name}:{}", address.port()),
        None => format!("{scheme}://{address}"),
    }
}

#[derive(Serialize)]
struct Founding<'a> {
    schema_version: u32,
    address: String,
    setup_link: &'a str,
    minutes: i64,
}

/// Nothing is here yet: a link under which it can be founded.
fn announce_founding(context: &Context, site: &Site, base: String, port: u16) -> Result<()> {
    let secret = site.open_founding();
    let link = zeroize::Zeroizing::new(format!("{base}/setup/{}", secret.as_str()));
    if context.json() {
        return output::json(&Founding {
            schema_version: 1,
            address: base,
            setup_link: &link,
            minutes: wb_web::SETUP_MINUTES,
        });
    }
    output::line(format!("listening   {base}"))?;
    output::line(format!("to found    {}", link.as_str()))?;
    context.say(format!(
        "Nothing is founded in this folder yet. Open the link in a browser within {} minutes; it works once.\n\
         From another computer, first: ssh -L {port}:127.0.0.1:{port} THIS-COMPUTER\n\
         Ctrl-C stops it.",
        wb_web::SETUP_MINUTES,
    ));
    Ok(())
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
    base: String,
    every: Option<Duration>,
) -> Result<()> {
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
    let chosen = node.store().intervals().map_err(NodeError::from)?;
    let chosen = chosen.values().filter(|minutes| **minutes > 0).count();
    let how = match (minutes, chosen) {
        (Some(minutes), _) => {
            format!("by itself every {minutes} minutes, and at once when a hub has something new")
        }
        (None, 0) => "by hand: `wb sync` (or start with --sync-every MINUTES)".to_owned(),
        (None, _) => format!(
            "by itself with {}, as was chosen for each (`wb peer list`); by hand with others",
            count(chosen as u64, "peer", "peers")
        ),
    };
    output::line(format!("syncing     {how}"))?;
    context.say("Open that address in a browser. Ctrl-C stops it.");
    Ok(())
}
