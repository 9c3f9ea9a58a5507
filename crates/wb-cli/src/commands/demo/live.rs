//! Staying up: the hub, a server for each community, and each of them syncing by itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use wb_net::ServerLimits;
use wb_node::service::{AutoSync, auto_sync, router};

use super::super::serve::{listen, stopped};
use super::world::{World, told};
use crate::context::{Context, tell};
use crate::output::{self, heading};

/// How often what is marked goes out; what others publish comes at once.
const SYNC_EVERY: Duration = Duration::from_secs(5);

/// Serves until Ctrl-C, and shows what to try.
pub async fn stay(context: &Context, world: &mut World) -> Result<()> {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let (mut addresses, mut running) = (Vec::new(), Vec::new());
    for side in &world.sides {
        let (listener, address) = listen(free).await?;
        let serving = wb_net::serve(
            listener,
            router(side.node.store().home()),
            ServerLimits::default(),
            told(world.stop.subscribe()),
        );
        running.push(tokio::spawn(serving));
        addresses.push(address);
        let settings = AutoSync {
            home: side.node.store().home().clone(),
            every: Some(SYNC_EVERY),
            kinds: None,
        };
        let stop = world.stop.subscribe();
        running.push(tokio::task::spawn_blocking(move || {
            let trouble = |error: &wb_node::NodeError| tell(&format!("sync: {error}\n"));
            if let Err(error) = auto_sync(&settings, stop, &|_| {}, &trouble) {
                tell(&format!("sync: {error}\n"));
            }
        }));
    }
    if !context.json() {
        show(context, world, &addresses)?;
    }
    stopped().await;
    let _ = world.stop.send(true);
    for task in running {
        task.await?;
    }
    Ok(())
}

fn show(context: &Context, world: &World, addresses: &[SocketAddr]) -> Result<()> {
    let program =
        std::env::current_exe().map_or_else(|_| "wb".to_owned(), |path| path.display().to_string());
    output::line(format!("\n{}", heading(context, "Everything stays up")))?;
    output::line(format!("   {:<14} {}", "hub", world.hub_base()))?;
    for (side, address) in world.sides.iter().zip(addresses) {
        output::line(format!("   {:<14} http://{address}", side.node.name()))?;
    }
    output::line("   The hub's address shows in a browser what is shared with everybody.")?;
    output::line(
        "   Each community syncs by itself: what one shares, the others have within seconds.",
    )?;
    output::line(format!(
        "\n{}",
        heading(context, "Try next, in another terminal")
    ))?;
    output::line(format!("   alias wb={program}"))?;
    let [north, south, east] = &world.sides;
    let commands = [
        (
            &north.dir,
            "request add --title \"A lamp\" --description \"For the stairs\" --scope public",
        ),
        (&south.dir, "request list"),
        (&east.dir, "peer show Harbour"),
        (&north.dir, "record list --staying"),
        (&north.dir, "sync log"),
        (&world.hub_dir, "hub list"),
        (&world.hub_dir, "hub show South"),
        (&world.hub_dir, "hub login-link"),
    ];
    for (dir, command) in commands {
        output::line(format!("   wb --home {} {command}", dir.display()))?;
    }
    output::line("\nCtrl-C stops everything and removes the folder.")
}
