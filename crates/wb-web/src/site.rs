//! What all requests share: where the node is, under which names it is asked, and open nodes.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::time::Timestamp;
use wb_net::fetch::Web;
use wb_node::command::key_recover::Gathered;
use wb_node::{Node, NodeError, entropy, secret};
use wb_store::Home;
use zeroize::Zeroizing;

use crate::jobs::Jobs;
use crate::limits::{NODES_KEPT_MAX, SETUP_MINUTES};
use crate::live::Live;
use crate::pictures::Pictures;
use crate::rates::{Charges, SiteLimits};

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

/// Tells the operator something; made by whoever may print.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// A node as browsers see it.
pub struct Site {
    pub(crate) config: SiteConfig,
    pub(crate) charges: Charges,
    report: Report,
    /// Whether the operator was told of a proxy that is not named.
    told_of_proxy: AtomicBool,
    nodes: Mutex<Vec<Node>>,
    founding: Mutex<Option<Founding>>,
    recovering: Mutex<Option<(Timestamp, Recovering)>>,
    pub(crate) jobs: Jobs,
    pub(crate) live: Live,
    pub(crate) pictures: Pictures,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Site({})", self.config.home.dir().display())
    }
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

/// A recovery of the key that is under way: the words are right, and nothing was signed yet.
pub(crate) struct Recovering {
    /// Who typed the words: nobody else goes on with it.
    pub by: RecordId,
    /// The words that were typed.
    pub words: Zeroizing<String>,
    /// The words that take their place.
    pub new_words: Words,
    /// What was published, from here and from hubs.
    pub gathered: Gathered,
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
        let jobs = Jobs::default();
        Self {
            live: Live::new(config.home.clone(), jobs.clone()),
            config,
            charges: Charges::new(SiteLimits::default()),
            report: Arc::new(|_| {}),
            told_of_proxy: AtomicBool::new(false),
            nodes: Mutex::default(),
            founding: Mutex::default(),
            recovering: Mutex::default(),
            jobs,
            pictures: Pictures::default(),
        }
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: SiteLimits) -> Self {
        self.charges = Charges::new(limits);
        self
    }

    /// Reaches pictures otherwise than over this machine's network.
    #[must_use]
    pub fn with_web(mut self, web: Web) -> Self {
        self.pictures = Pictures::over(web);
        self
    }

    /// With somebody who tells the operator.
    #[must_use]
    pub fn with_report(mut self, report: Report) -> Self {
        self.report = report;
        self
    }

    /// Tells the operator once of a proxy that speaks for others and was not named: until it is, everybody
    /// behind it counts as one.
    pub(crate) fn tell_of_proxy(&self, address: IpAddr) {
        if !self.told_of_proxy.swap(true, Ordering::Relaxed) {
            (self.report)(&format!(
                "requests come by a proxy at {address} that is not named, so all its browsers count as one; if it is yours, \
                 set node.behind_proxy = \"{address}\" and start again"
            ));
        }
    }

    /// Ends what would go on for ever, so that the server can stop.
    pub fn close(&self) {
        self.live.close();
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

    /// Keeps a recovery that was begun, for half an hour; one before it is over.
    pub(crate) fn begin_recovery(&self, recovering: Recovering) {
        let until = entropy::now().plus_ms(SETUP_MS);
        *lock(&self.recovering) = Some((until, recovering));
    }

    /// Does something with the recovery that somebody began; none where there is none (any more).
    pub(crate) fn recovering<T>(
        &self,
        by: &RecordId,
        work: impl FnOnce(&Recovering) -> T,
    ) -> Option<T> {
        let mut kept = lock(&self.recovering);
        // Words that were typed do not stay in memory for ever.
        if kept
            .as_ref()
            .is_some_and(|(until, _)| *until <= entropy::now())
        {
            *kept = None;
        }
        let (_, recovering) = kept.as_ref().filter(|(_, one)| one.by == *by)?;
        Some(work(recovering))
    }

    /// Takes the recovery that somebody began.
    pub(crate) fn end_recovery(&self, by: &RecordId) -> Option<Recovering> {
        let mut kept = lock(&self.recovering);
        let taken = kept.take_if(|(until, one)| one.by == *by && *until > entropy::now());
        taken.map(|(_, recovering)| recovering)
    }

    /// An open node, from those kept or opened now.
    pub(crate) fn node(&self) -> Result<Node, NodeError> {
        let kept = lock(&self.nodes).pop();
        match kept {
            // Another process may have put another key in place.
            Some(mut node) => node.refresh().map(|()| node),
            None => Node::open(&self.config.home),
        }
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
