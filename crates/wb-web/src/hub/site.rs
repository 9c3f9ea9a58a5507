//! What all requests to a hub's pages share.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use wb_core::id::InstanceId;
use wb_core::sync::Policy;
use wb_core::time::Timestamp;
use wb_hub::{Buckets, HubListings, HubStore};
use wb_node::{Node, NodeError};
use wb_store::Home;

use super::caches::Seen;
use crate::limits::{HUB_PAGE_KEYS_MAX, HUB_PAGE_RATE, NODES_KEPT_MAX};

/// How a hub's pages are served.
#[derive(Debug, Clone)]
pub struct HubSiteConfig {
    /// The folder of the hub's own instance.
    pub home: Home,
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Since when it is who it is.
    pub since: Timestamp,
    /// Who may become a member.
    pub policy: Policy,
    /// Names under which it may be asked, with their ports where they have one.
    pub hosts: Vec<String>,
    /// Whether browsers reach it over TLS: cookies then say so.
    pub secure: bool,
    /// Whether there is a way in for moderators on which nobody could read along. Even then, who comes by
    /// another is not let in.
    pub moderated: bool,
}

/// A hub as browsers see it.
pub struct HubSite<S> {
    pub(crate) config: HubSiteConfig,
    pub(crate) store: S,
    pub(super) rates: Buckets<IpAddr>,
    pub(super) seen: Mutex<Seen>,
    nodes: Mutex<Vec<Node>>,
}

impl<S> std::fmt::Debug for HubSite<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HubSite({})", self.config.name)
    }
}

impl<S: HubStore + HubListings> HubSite<S> {
    /// A site over what a hub keeps.
    #[must_use]
    pub fn new(config: HubSiteConfig, store: S) -> Self {
        Self {
            config,
            store,
            rates: Buckets::new(HUB_PAGE_RATE, HUB_PAGE_KEYS_MAX),
            seen: Mutex::default(),
            nodes: Mutex::default(),
        }
    }

    /// The hub's own instance, from those kept open or opened now: accounts and the log are there.
    pub(super) fn node(&self) -> Result<Node, NodeError> {
        let kept = self.lock().pop();
        kept.map_or_else(|| Node::open(&self.config.home), Ok)
    }

    /// Keeps an instance for the next request.
    pub(super) fn keep(&self, node: Node) {
        let mut nodes = self.lock();
        if nodes.len() < NODES_KEPT_MAX {
            nodes.push(node);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Node>> {
        // A panic elsewhere leaves the list whole.
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
