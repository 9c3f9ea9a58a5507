//! What all requests share: where the node is, under which names it is asked, and open nodes.

use std::sync::{Mutex, PoisonError};

use wb_core::id::{Hash, InstanceId};
use wb_core::time::Timestamp;
use wb_node::{Node, NodeError, entropy, secret};
use wb_store::Home;
use zeroize::Zeroizing;

use crate::jobs::Jobs;
use crate::limits::{NODES_KEPT_MAX, SETUP_MINUTES};

const SETUP_MS: i64 = SETUP_MINUTES * 60 * 1_000;

/// How pages are served.
#[derive(Debug, Clone)]
pub struct SiteConfig {
    /// The node's folder.
    pub home: Home,
    /// Names under which it may be asked, with their ports where they have one. A request for another
    /// name is refused, so that no other site can be made to stand for this one.
    pub hosts: Vec<String>,
    /// Whether browsers reach it over TLS: cookies then say so.
    pub secure: bool,
}

/// A node as browsers see it.
#[derive(Debug)]
pub struct Site {
    pub(crate) config: SiteConfig,
    nodes: Mutex<Vec<Node>>,
    founding: Mutex<Option<Founding>>,
    pub(crate) jobs: Jobs,
}

/// A founding that is under way.
#[derive(Debug)]
pub(crate) struct Founding {
    /// The hash of the link's secret.
    link: Hash,
    until: Timestamp,
    /// The recovery words, until they were confirmed: a page that is loaded again shows them again.
    pub words: Option<Words>,
}

/// Recovery words that were made and not confirmed yet.
#[derive(Debug)]
pub(crate) struct Words {
    pub text: Zeroizing<String>,
    /// Which two are asked back, counted from one.
    pub asked: [usize; 2],
}

impl Site {
    /// A site; nothing is opened yet.
    #[must_use]
    pub fn new(config: SiteConfig) -> Self {
        Self {
            config,
            nodes: Mutex::default(),
            founding: Mutex::default(),
            jobs: Jobs::default(),
        }
    }

    /// Whether there is an instance here.
    #[must_use]
    pub fn is_founded(&self) -> bool {
        self.config.home.main().exists()
    }

    /// Makes the secret of a link under which an instance can be founded, once, within half an hour. A
    /// link made before is worth nothing any more.
    #[must_use]
    pub fn open_founding(&self) -> Zeroizing<String> {
        let now = entropy::now();
        let secret = secret::fresh();
        *lock(&self.founding) = Some(Founding {
            link: secret::name(&secret),
            until: now.plus_ms(SETUP_MS),
            words: None,
        });
        secret
    }

    /// Does something with the founding of a link; none where the link does not work (any more).
    pub(crate) fn founding<T>(
        &self,
        secret: &str,
        work: impl FnOnce(&mut Founding) -> T,
    ) -> Option<T> {
        let mut founding = lock(&self.founding);
        let open = founding.as_mut()?;
        let works = open.link == secret::name(secret) && entropy::now() < open.until;
        works.then(|| work(open))
    }

    /// Ends the founding: its link is worth nothing from here.
    pub(crate) fn close_founding(&self) {
        *lock(&self.founding) = None;
    }

    /// An open node, from those kept or opened now.
    pub(crate) fn node(&self) -> Result<Node, NodeError> {
        let kept = lock(&self.nodes).pop();
        kept.map_or_else(|| Node::open(&self.config.home), Ok)
    }

    /// Keeps a node for the next request.
    pub(crate) fn keep(&self, node: Node) {
        let mut nodes = lock(&self.nodes);
        if nodes.len() < NODES_KEPT_MAX {
            nodes.push(node);
        }
    }

    /// The name of a cookie. Cookies do not know ports, so that the names of two nodes on one computer
    /// have to differ.
    pub(crate) fn cookie(what: &str, instance: Option<InstanceId>) -> String {
        match instance {
            Some(instance) => format!("wb_{what}_{}", instance.short()),
            None => format!("wb_{what}"),
        }
    }
}

/// A panic elsewhere leaves the list whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
