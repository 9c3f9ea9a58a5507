//! A hub on a free port and members with folders of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use wb_core::id::{InstanceId, PublicKey, RecordRef};
use wb_core::scope::{FeedScope, Scope};
use wb_core::signed::Signer;
use wb_core::sync::signature::KeyId;
use wb_core::sync::{Heads, Policy, Visibility};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_hub::{Decision, Hub, HubInfo, HubLimits, HubStore as _, MemberRow, SqliteHub, StoreLimits};
use wb_net::signed::{Clock, Responder};
use wb_net::{HubClient, ServerLimits};
use wb_node::command::follow::{Target, accept_all, unfollow};
use wb_node::command::hub_register::{Asking, find_hub, hub_register};
use wb_node::command::init::{Init, init};
use wb_node::command::join::{Offers, offers};
use wb_node::command::publish::publish;
use wb_node::command::record_share::record_unshare;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::request_edit::request_edit;
use wb_node::command::sync::{SyncInput, Synced, sync};
use wb_node::query::requests;
use wb_node::sync::{connect, key_of};
use wb_node::{Actor, Node, entropy, service};
use wb_store::relay::Relay;
use wb_store::{Home, Peer};
use zeroize::Zeroizing;

use super::seam::{Seam, Seamed};

/// Pulls and pushes.
pub const BOTH_WAYS: SyncInput = SyncInput {
    pull: true,
    push: true,
    dry_run: false,
    wait: Duration::ZERO,
};

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
    runtime: Option<Runtime>,
    store: Seamed,
    /// Seconds that its clock is ahead of everybody's.
    clock_ahead: i64,
    limits: HubLimits,
    reports: Arc<Mutex<Vec<String>>>,
    stop: Option<(oneshot::Sender<()>, tokio::task::JoinHandle<()>)>,
}

impl HubUp {
    pub fn start(name: &str, policy: Policy) -> Self {
        Self::with(name, policy, 0)
    }

    /// A hub whose clock is ahead by so many seconds.
    pub fn with_clock(name: &str, clock_ahead: i64) -> Self {
        Self::with(name, Policy::Open, clock_ahead)
    }

    fn with(name: &str, policy: Policy, clock_ahead: i64) -> Self {
        let (dir, node) = found(name);
        let store = Seamed {
            file: open(&node),
            seam: Arc::default(),
        };
        let mut hub = Self {
            dir,
            node,
            policy,
            address: "127.0.0.1:0".parse().expect("an address"),
            runtime: None,
            store,
            clock_ahead,
            limits: HubLimits::default(),
            reports: Arc::default(),
            stop: None,
        };
        hub.up();
        hub
    }

    pub fn up(&mut self) {
        let info = HubInfo {
            name: self.node.name().to_owned(),
            identity: self.node.identity().clone(),
            policy: self.policy,
        };
        let reports = Arc::clone(&self.reports);
        let report: wb_hub::Report = Arc::new(move |text| {
            let mut reports = reports.lock().expect("nobody panics with it");
            reports.push(text.to_owned());
        });
        let (key, signer) = key(&self.node);
        let (clock, ahead) = (service::clock(), self.clock_ahead);
        let clock: Clock = Arc::new(move || clock().saturating_add_signed(ahead));
        let responder = Responder::new(key, signer, clock);
        let times = Arc::new(entropy::now);
        let store = self.store.clone();
        let hub = Hub::with_limits(store, responder, info, times, report, self.limits);
        let runtime = self.runtime.get_or_insert_with(runtime);
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(self.address))
            .expect("a port");
        self.address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let serving = wb_net::serve(listener, hub.router(), ServerLimits::default(), async {
            let _ = stopped.await;
        });
        self.stop = Some((stop, runtime.spawn(serving)));
    }

    /// Stops it, when every answer that runs is over.
    pub fn down(&mut self) {
        if let Some((stop, serving)) = self.stop.take() {
            let _ = stop.send(());
            self.on(serving).expect("it ends");
        }
    }

    /// Ends it at once, in the midst of whatever it answers.
    pub fn cut_off(&mut self) {
        self.stop = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }

    fn on<T>(&self, work: impl Future<Output = T>) -> T {
        let runtime = self.runtime.as_ref().expect("it was started");
        runtime.block_on(work)
    }

    pub fn socket(&self) -> SocketAddr {
        self.address
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn id(&self) -> InstanceId {
        self.node.own_id()
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    pub fn store(&self) -> &Seamed {
        &self.store
    }

    pub fn seam(&self) -> &Seam {
        &self.store.seam
    }

    /// From now on it grants other things.
    pub fn limit(&mut self, limits: HubLimits) {
        self.down();
        self.limits = limits;
        self.up();
    }

    /// From now on it keeps no more than that.
    pub fn keep(&mut self, limits: StoreLimits) {
        self.down();
        self.store.file = self.store.file.clone().with_limits(limits);
        self.up();
    }

    /// From now on a page holds little.
    pub fn page_bytes(&mut self, bytes: usize) {
        self.down();
        self.store.file = self.store.file.clone().with_page_bytes(bytes);
        self.up();
    }

    /// What it told its operator so far.
    pub fn reports(&self) -> Vec<String> {
        std::mem::take(&mut *self.reports.lock().expect("nobody panics with it"))
    }

    pub fn decide(&self, id: InstanceId, decision: Decision) {
        let decided = self.store.decide(id, decision, entropy::now());
        assert!(self.on(decided).expect("a store"));
    }

    pub fn approve(&self, id: InstanceId) {
        self.decide(id, Decision::Approve);
    }

    pub fn member(&self, id: InstanceId) -> Option<MemberRow> {
        self.on(self.store.member(id, entropy::now()))
            .expect("a store")
    }

    /// What a member would be told of its own feeds and of those it follows.
    pub fn heads(&self, id: InstanceId) -> Heads {
        self.on(self.store.file.heads(id, None, entropy::now()))
            .expect("a store")
    }

    /// Forgets every delta that has arrived.
    pub fn forget_all(&self) -> u64 {
        let later = entropy::now().unix_ms() + 1_000;
        let later = Timestamp::from_unix_ms(later).expect("a time");
        self.on(self.store.forget_before(later)).expect("a store")
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
        self.without_file(|file| {
            std::fs::copy(copy, file).expect("a copy");
        });
    }

    /// Goes on with an empty database.
    pub fn forget_everything(&mut self) {
        self.without_file(|_| {});
    }

    fn without_file(&mut self, put: impl FnOnce(&Path)) {
        self.down();
        // The connections to the file as it was must not write into the one that takes its place.
        let parked = self.dir.path().join("parked.db");
        self.store.file =
            SqliteHub::new(Relay::open(&parked, entropy::log_id()).expect("it opens"));
        let file = self.file();
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&file, suffix));
        }
        put(&file);
        self.store.file = open(&self.node);
        self.up();
    }

    pub fn file(&self) -> PathBuf {
        self.node.store().home().dir().join("hub.db")
    }

    /// Every byte of its database, with what is still in its log.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for suffix in ["", "-wal", "-shm"] {
            bytes.extend(std::fs::read(beside(&self.file(), suffix)).unwrap_or_default());
        }
        bytes
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

impl Drop for HubUp {
    fn drop(&mut self) {
        self.down();
        if !std::thread::panicking() {
            assert_eq!(self.reports(), Vec::<String>::new(), "nothing went wrong");
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn open(node: &Node) -> SqliteHub {
    let path = node.store().home().dir().join("hub.db");
    SqliteHub::new(Relay::open(&path, entropy::log_id()).expect("it opens"))
}

/// The key with which an instance signs, read from its file.
pub fn key(node: &Node) -> (KeyId, Arc<Signer>) {
    let text = std::fs::read_to_string(node.store().home().signing_key()).expect("a key file");
    // A seed has the form of a public key.
    let seed: PublicKey = text.trim().parse().expect("64 hex digits");
    let signer = Signer::from_seed(&Zeroizing::new(seed.0));
    (key_of(node.identity()), Arc::new(signer))
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

    /// Another process that works in the same folder.
    pub fn at_same_folder(&self) -> Self {
        let node = Node::open(&self.home()).expect("it opens");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            _dir: tempfile::tempdir().expect("a folder"),
            node,
            runtime,
        }
    }

    /// A community of which the recovery words are known.
    pub fn found_with_words(name: &str) -> (Self, String) {
        let dir = tempfile::tempdir().expect("a folder");
        let input = Init {
            name,
            admin: "alice",
            words_file: None,
        };
        let founded = init(&Home::new(dir.path().join("home")), &input).expect("it is founded");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let member = Self {
            _dir: dir,
            node: founded.node,
            runtime,
        };
        (member, founded.words.to_string())
    }

    pub fn id(&self) -> InstanceId {
        self.node.own_id()
    }

    /// Waits for something on the network.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
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

    /// The same files at another place, guard and key included: both go on, and neither knows.
    pub fn twin(&self) -> Self {
        let dir = self.copy();
        let node = Node::open(&Home::new(dir.path())).expect("it opens");
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

    /// Goes on with an older copy of the databases, while what guards against that is as it is now.
    pub fn become_copy(&mut self, copy: &TempDir) {
        let guard = self.node.store().home().guard();
        let name = guard.file_name().expect("a file has a name");
        std::fs::copy(&guard, copy.path().join(name)).expect("a copy");
        self.node = Node::open(&Home::new(copy.path())).expect("it opens");
    }

    /// Changes the title of a request of its own.
    pub fn reword(&mut self, request: &RecordRef, title: &str) {
        request_edit(&self.node, &self.actor(), request, Some(title), None).expect("its own");
    }

    pub fn take_back(&mut self, request: &RecordRef) {
        record_unshare(&self.node, &self.actor(), request).expect("its own");
    }

    /// Seals what is marked, and sends it nowhere.
    pub fn seal(&mut self) {
        let actor = self.actor();
        publish(&mut self.node, &actor).expect("it seals");
    }

    pub fn home(&self) -> Home {
        self.node.store().home().clone()
    }

    /// Its main file, beside the node.
    pub fn file(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.home().dir().join("wb.db")).expect("a file")
    }

    /// The time passes until which the newest header that it holds of an instance is valid.
    pub fn valid_until(&self, origin: InstanceId, until: Timestamp) {
        let sql = "UPDATE feeds SET valid_until = ?1
                   WHERE instance_no = (SELECT instance_no FROM instances WHERE id = ?2)";
        let changed = self.file().execute(sql, (until.unix_ms(), origin.0));
        assert_eq!(changed.expect("it is changed"), 1);
    }

    /// What its founder was told.
    pub fn told(&self) -> Vec<String> {
        let private = self.node.store().private();
        let all = private.all_notices(&self.actor().user).expect("a store");
        all.into_iter().map(|(notice, _)| notice.detail).collect()
    }

    /// Replaces its files by those of a folder.
    pub fn reopen_with(&mut self, change: impl FnOnce(&Path)) {
        let home = self.home();
        // The folder of another instance, so that no connection to the files is left.
        let (_aside, parked) = found("Aside");
        self.node = parked;
        change(home.dir());
        self.node = Node::open(&home).expect("it opens");
    }

    pub fn register(&mut self, hub: &HubUp) {
        self.register_as(hub, true);
    }

    pub fn register_as(&mut self, hub: &HubUp, listed: bool) {
        let actor = self.actor();
        let asking = Asking::shown_to(Visibility::of_listed(listed));
        let found = self
            .runtime
            .block_on(find_hub(&hub.address(), false, Some(hub.id())))
            .expect("the hub answers");
        self.runtime
            .block_on(hub_register(&mut self.node, &actor, &found, &asking))
            .expect("it registers");
    }

    /// Does something with a connection to a hub.
    pub fn with_client<T>(
        &self,
        hub: &HubUp,
        work: impl AsyncFnOnce(&mut HubClient, &Self) -> T,
    ) -> T {
        let mut client = connect(&self.node, &self.peer(hub)).expect("what it needs is here");
        self.runtime.block_on(work(&mut client, self))
    }

    /// What a hub offers to it.
    pub fn offers(&self, hub: &HubUp) -> wb_node::Result<Offers> {
        self.runtime.block_on(offers(&self.node, &self.peer(hub)))
    }

    pub fn follow_all(&mut self, hub: &HubUp, accepted: &[InstanceId]) {
        let actor = self.actor();
        let peer = self.peer(hub);
        let accepted = accepted.iter().copied().collect();
        accept_all(&mut self.node, &actor, peer, &accepted).expect("it follows");
    }

    pub fn unfollow(&mut self, origin: InstanceId) {
        let actor = self.actor();
        unfollow(&mut self.node, &actor, None, &Target::Instance(origin)).expect("it is followed");
    }

    pub fn peer(&self, hub: &HubUp) -> Peer {
        self.peer_of(hub.id())
    }

    fn peer_of(&self, hub: InstanceId) -> Peer {
        let peer = self.node.store().peer(&hub).expect("a store");
        peer.expect("it is registered")
    }

    /// Changes what is kept of a hub.
    pub fn edit_peer(&mut self, hub: &HubUp, edit: impl FnOnce(&mut Peer)) {
        edit_peer(&mut self.node, hub.id(), edit);
    }

    pub fn sync(&mut self, hub: &HubUp) -> Synced {
        self.sync_as(hub, BOTH_WAYS)
    }

    pub fn sync_as(&mut self, hub: &HubUp, input: SyncInput) -> Synced {
        self.sync_by_id(hub.id(), input)
    }

    /// Syncs with a hub that only its id is needed of, so that it may end meanwhile.
    pub fn sync_by_id(&mut self, hub: InstanceId, input: SyncInput) -> Synced {
        let (actor, peer) = (self.actor(), self.peer_of(hub));
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

impl Member {
    /// Asserts that nothing in its files contradicts anything else.
    pub fn assert_sound(&mut self) {
        let home = self.home();
        let mut store = wb_store::Store::open(&home).expect("it opens");
        for finding in store.check().expect("a check") {
            assert_eq!(finding.problems, Vec::<String>::new(), "{}", finding.check);
        }
    }

    /// Deltas set aside, by outcome.
    pub fn held_rows(&self) -> Vec<String> {
        let counts = self.node.store().held_counts().expect("a store");
        counts.iter().map(|count| format!("{count:?}")).collect()
    }

    /// The head held of an instance's public feed.
    pub fn head(&self, origin: InstanceId) -> Option<Held> {
        let served = self.node.store().served();
        served.head(&origin, FeedScope::Public).expect("a store")
    }

    /// Asserts that the public feed of another is held here as it is there, byte for byte.
    pub fn assert_equals(&self, other: &Self) {
        assert_eq!(self.head(other.id()), other.head(other.id()));
        assert_eq!(self.live_lines(other.id()), other.live_lines(other.id()));
    }
}

/// Changes what is kept of a hub.
pub fn edit_peer(node: &mut Node, hub: InstanceId, edit: impl FnOnce(&mut Peer)) {
    let home = node.store().home().clone();
    let mut store = wb_store::Store::open(&home).expect("it opens");
    let mut peer = store
        .peer(&hub)
        .expect("a store")
        .expect("it is registered");
    edit(&mut peer);
    let write = store.write().expect("a transaction");
    write.put_peer(&peer).expect("it is stored");
    write.commit().expect("it counts");
}

/// Titles of the requests that are shown, by title.
pub fn titles(member: &Member) -> Vec<String> {
    let list = requests::requests(&member.node).expect("a store");
    let mut titles: Vec<String> = list.into_iter().map(|request| request.title).collect();
    titles.sort();
    titles
}
