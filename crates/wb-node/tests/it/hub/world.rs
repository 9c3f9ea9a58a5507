//! A hub on a free port and members with folders of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::Policy;
use wb_hub::{Decision, Hub, HubInfo, HubStore as _, SqliteHub};
use wb_net::ServerLimits;
use wb_node::command::follow::accept_all;
use wb_node::command::hub_register::{find_hub, hub_register};
use wb_node::command::init::{Init, init};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::sync::{SyncInput, Synced, sync};
use wb_node::query::requests;
use wb_node::{Actor, Node, entropy, service};
use wb_store::relay::Relay;
use wb_store::{Home, Peer};

/// Makes an instance in a folder of its own.
fn found(name: &str) -> (TempDir, Node) {
    let dir = tempfile::tempdir().expect("a folder");
    let input = Init {
        name,
        admin: "alice",
        words_file: None,
    };
    let node = init(&Home::new(dir.path().join("home")), &input).expect("it is founded");
    (dir, node.node)
}

/// A hub that answers.
pub struct HubUp {
    dir: TempDir,
    node: Node,
    policy: Policy,
    address: SocketAddr,
    runtime: Runtime,
    store: SqliteHub,
    stop: Option<(oneshot::Sender<()>, tokio::task::JoinHandle<()>)>,
}

impl HubUp {
    pub fn start(name: &str, policy: Policy) -> Self {
        let (dir, node) = found(name);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let store = open(&node);
        let mut hub = Self {
            dir,
            node,
            policy,
            address: "127.0.0.1:0".parse().expect("an address"),
            runtime,
            store,
            stop: None,
        };
        hub.up();
        hub
    }

    fn up(&mut self) {
        let info = HubInfo {
            name: self.node.name().to_owned(),
            identity: self.node.identity().clone(),
            policy: self.policy,
        };
        let report: wb_hub::Report = Arc::new(|text| panic!("the hub reports: {text}"));
        let responder = service::responder(&self.node).expect("a key");
        let times = Arc::new(entropy::now);
        let hub = Hub::new(self.store.clone(), responder, info, times, report);
        let listener = self
            .runtime
            .block_on(tokio::net::TcpListener::bind(self.address))
            .expect("a port");
        self.address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let serving = wb_net::serve(listener, hub.router(), ServerLimits::default(), async {
            let _ = stopped.await;
        });
        self.stop = Some((stop, self.runtime.spawn(serving)));
    }

    pub fn down(&mut self) {
        if let Some((stop, serving)) = self.stop.take() {
            let _ = stop.send(());
            self.runtime.block_on(serving).expect("it ends");
        }
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn id(&self) -> InstanceId {
        self.node.own_id()
    }

    pub fn approve(&self, id: InstanceId) {
        let decided = self.store.decide(id, Decision::Approve, entropy::now());
        assert!(self.runtime.block_on(decided).expect("a store"));
    }

    /// Copies the hub's file as it is now, with the hub stopped meanwhile.
    pub fn copy(&mut self) -> PathBuf {
        self.down();
        let file = self.file();
        Relay::open(&file, entropy::log_id())
            .expect("it opens")
            .checkpoint()
            .expect("its log is empty");
        let copy = self.dir.path().join("copy.db");
        std::fs::copy(&file, &copy).expect("a copy");
        self.up();
        copy
    }

    /// Puts an older copy back.
    pub fn restore(&mut self, copy: &Path) {
        self.down();
        // The connections to the file as it was must not write into the one that takes its place.
        let parked = self.dir.path().join("parked.db");
        self.store = SqliteHub::new(Relay::open(&parked, entropy::log_id()).expect("it opens"));
        let file = self.file();
        for suffix in ["-wal", "-shm"] {
            let beside = PathBuf::from(format!("{}{suffix}", file.display()));
            let _ = std::fs::remove_file(beside);
        }
        std::fs::copy(copy, &file).expect("a copy");
        self.store = open(&self.node);
        self.up();
    }

    fn file(&self) -> PathBuf {
        self.node.store().home().dir().join("hub.db")
    }
}

impl Drop for HubUp {
    fn drop(&mut self) {
        self.down();
    }
}

fn open(node: &Node) -> SqliteHub {
    let path = node.store().home().dir().join("hub.db");
    SqliteHub::new(Relay::open(&path, entropy::log_id()).expect("it opens"))
}

/// A community.
pub struct Member {
    _dir: TempDir,
    pub node: Node,
    runtime: Runtime,
}

impl Member {
    pub fn found(name: &str) -> Self {
        let (dir, node) = found(name);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            _dir: dir,
            node,
            runtime,
        }
    }

    pub fn id(&self) -> InstanceId {
        self.node.own_id()
    }

    pub fn actor(&self) -> Actor {
        self.node.actor(None).expect("the founder")
    }

    pub fn ask(&mut self, title: &str, scope: Scope) -> RecordRef {
        let actor = self.actor();
        let input = RequestAdd {
            title,
            description: "Please.",
            scope,
        };
        let id = request_add(&mut self.node, &actor, &input).expect("a request");
        RecordRef {
            origin: self.id(),
            id,
        }
    }

    /// Copies the databases as they are now.
    pub fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        for file in std::fs::read_dir(self.node.store().home().dir()).expect("a folder") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("a copy");
        }
        copy
    }

    /// Goes on with an older copy of the databases, while what guards against that is as it is now.
    pub fn become_copy(&mut self, copy: &TempDir) {
        let guard = self.node.store().home().guard();
        let name = guard.file_name().expect("a file has a name");
        std::fs::copy(&guard, copy.path().join(name)).expect("a copy");
        self.node = Node::open(&Home::new(copy.path())).expect("it opens");
    }

    pub fn register(&mut self, hub: &HubUp) {
        self.register_as(hub, true);
    }

    pub fn register_as(&mut self, hub: &HubUp, listed: bool) {
        let actor = self.actor();
        let found = self
            .runtime
            .block_on(find_hub(&hub.address(), false, Some(hub.id())))
            .expect("the hub answers");
        self.runtime
            .block_on(hub_register(&mut self.node, &actor, &found, listed))
            .expect("it registers");
    }

    pub fn follow_all(&mut self, hub: &HubUp, accepted: &[InstanceId]) {
        let actor = self.actor();
        let peer = self.peer(hub);
        let accepted = accepted.iter().copied().collect();
        accept_all(&mut self.node, &actor, peer, &accepted).expect("it follows");
    }

    pub fn peer(&self, hub: &HubUp) -> Peer {
        let peer = self.node.store().peer(&hub.id()).expect("a store");
        peer.expect("it is registered")
    }

    pub fn sync(&mut self, hub: &HubUp) -> Synced {
        let input = SyncInput {
            pull: true,
            push: true,
            dry_run: false,
            wait: Duration::ZERO,
        };
        self.sync_as(hub, input)
    }

    pub fn sync_as(&mut self, hub: &HubUp, input: SyncInput) -> Synced {
        let (actor, peer) = (self.actor(), self.peer(hub));
        let mut progress = |_, _| {};
        let synced = sync(&mut self.node, &actor, peer, input, &mut progress);
        self.runtime.block_on(synced).expect("nothing fails here")
    }

    /// What is told of the progress while everything is taken.
    pub fn progress(&mut self, hub: &HubUp) -> Vec<(u64, u64)> {
        let (actor, peer) = (self.actor(), self.peer(hub));
        let mut told = Vec::new();
        let mut progress = |done, total| told.push((done, total));
        let input = SyncInput {
            pull: true,
            push: false,
            dry_run: false,
            wait: Duration::ZERO,
        };
        let synced = sync(&mut self.node, &actor, peer, input, &mut progress);
        let synced = self.runtime.block_on(synced).expect("nothing fails here");
        assert_eq!(synced.end, None);
        told
    }

    /// The lines live in a feed of an instance, as they are held here.
    pub fn live_lines(&self, origin: InstanceId) -> Vec<Vec<u8>> {
        let served = self.node.store().served();
        let rows = served
            .snapshot(&origin, FeedScope::Public)
            .expect("a store");
        let mut lines = Vec::new();
        if let Some(rows) = rows {
            served
                .each_live(&rows, |line| -> Result<(), wb_store::StoreError> {
                    lines.push(line.to_vec());
                    Ok(())
                })
                .expect("a store");
        }
        lines
    }
}

/// Titles of the requests that are shown, by title.
pub fn titles(member: &Member) -> Vec<String> {
    let list = requests::requests(&member.node).expect("a store");
    let mut titles: Vec<String> = list.into_iter().map(|request| request.title).collect();
    titles.sort();
    titles
}
