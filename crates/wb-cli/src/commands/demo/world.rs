//! The hub and the communities of the demonstration, each with a folder of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::runtime::Handle;
use tokio::sync::watch;
use wb_core::id::InstanceId;
use wb_core::sync::Policy;
use wb_hub::StoreLimits;
use wb_net::Front;
use wb_node::command::follow::{accept_all, find_peer};
use wb_node::command::hub_register::{Asking, find_hub, hub_register};
use wb_node::command::init::{Init, init};
use wb_node::command::sync::{SyncInput, Synced, sync};
use wb_node::starter::{Community, Filled, fill};
use wb_node::{Actor, Node};
use wb_store::Home;

use super::super::hub_up;
use super::super::serve::listen;
use super::bytes::LookedInto;
use crate::context::tell;
use crate::output::clean;

/// The name of the hub.
pub const HUB_NAME: &str = "Harbour";

/// One community.
pub struct Side {
    /// Its node.
    pub node: Node,
    /// What was written in it.
    pub filled: Filled,
    /// Its folder.
    pub dir: PathBuf,
}

/// Everything.
pub struct World {
    /// The folder of the hub.
    pub hub_dir: PathBuf,
    /// Where it answers.
    pub hub_address: SocketAddr,
    /// Its id.
    pub hub_id: InstanceId,
    /// North, South and East.
    pub sides: [Side; 3],
    /// What runs in the background.
    pub handle: Handle,
    /// Told to stop at the end.
    pub stop: watch::Sender<bool>,
    serving: Option<tokio::task::JoinHandle<()>>,
    /// After everything that has databases open.
    pub looked_into: LookedInto,
}

/// Waits until it is told to stop.
pub async fn told(mut stop: watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

impl World {
    /// Founds and fills the communities, and starts the hub on a free port.
    pub fn new(folder: &Path, handle: Handle) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let hub_dir = folder.join("hub");
        let hub = found(&hub_dir, HUB_NAME, "admin")?;
        let quiet: wb_hub::Report = Arc::new(|text| tell(&format!("hub: {}\n", clean(text))));
        let limits = StoreLimits::default();
        let preparing = hub_up::prepare(&hub, None, Policy::Open, None, limits, quiet);
        let prepared = handle.block_on(preparing)?;
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let (listener, hub_address) = handle.block_on(listen(free))?;
        let (stop, stopping) = watch::channel(false);
        let serving = handle.spawn(async move {
            let front = Front::default();
            prepared
                .serve((listener, hub_address), front, &[], told(stopping))
                .await;
        });
        let side = |which: Community| -> Result<Side> {
            let dir = folder.join(which.name().to_lowercase().replace(' ', "-"));
            let mut node = found(&dir, which.name(), which.admin())?;
            let filled = fill(&mut node, which)?;
            Ok(Side { node, filled, dir })
        };
        Ok(Self {
            hub_dir,
            hub_address,
            hub_id: hub.own_id(),
            sides: [
                side(Community::North)?,
                side(Community::South)?,
                side(Community::East)?,
            ],
            handle,
            stop,
            serving: Some(serving),
            looked_into: LookedInto::default(),
        })
    }

    /// Where the hub answers, as it is typed.
    pub fn hub_base(&self) -> String {
        format!("http://{}", self.hub_address)
    }

    /// Lets a community join: it registers and follows everybody, the others accepted by name.
    pub fn join(&mut self, side: usize) -> Result<()> {
        let base = self.hub_base();
        let others: std::collections::BTreeSet<InstanceId> = self
            .sides
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != side)
            .map(|(_, other)| other.node.own_id())
            .collect();
        let (handle, id) = (self.handle.clone(), self.hub_id);
        let side = &mut self.sides[side];
        let actor = side.actor()?;
        let found = handle.block_on(find_hub(&base, false, Some(id)))?;
        let peer = handle.block_on(hub_register(
            &mut side.node,
            &actor,
            &found,
            &Asking::default(),
        ))?;
        accept_all(&mut side.node, &actor, peer, &others)?;
        Ok(())
    }

    /// Syncs a community with the hub.
    pub fn sync(&mut self, side: usize) -> Result<Synced> {
        let handle = self.handle.clone();
        let side = &mut self.sides[side];
        let actor = side.actor()?;
        let peer = find_peer(&side.node, HUB_NAME)?;
        let input = SyncInput {
            pull: true,
            push: true,
            dry_run: false,
            wait: Duration::ZERO,
        };
        let mut silent = |_, _| {};
        let synced = handle.block_on(sync(&mut side.node, &actor, peer, input, &mut silent))?;
        if let Some((cause, detail)) = &synced.end {
            ensure!(false, "{}: {detail}", cause.about(HUB_NAME));
        }
        Ok(synced)
    }

    /// Stops what runs in the background.
    pub fn stop(&mut self) {
        // Nobody listening any more is just as good.
        let _ = self.stop.send(true);
        if let Some(serving) = self.serving.take() {
            let _ = self.handle.block_on(serving);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

impl Side {
    /// The founder.
    pub fn actor(&self) -> Result<Actor> {
        Ok(self.node.actor(None)?)
    }
}

fn found(dir: &Path, name: &str, admin: &str) -> Result<Node> {
    let input = Init {
        name,
        admin,
        words_file: None,
    };
    Ok(init(&Home::new(dir), &input)?.node)
}
