//! Communities with folders of their own, some of which answer on a port.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use wb_core::id::{InstanceId, PublicKey, RecordRef};
use wb_core::identity::{Heads, LastHead, rotate};
use wb_core::kinds::Body;
use wb_core::pairing::PairLink;
use wb_core::scope::{FeedScope, Kind, Scope};
use wb_core::signed::Signer;
use wb_core::want::Held;
use wb_core::words::RecoveryWords;
use wb_net::ServerLimits;
use wb_node::command::init::{Init, init};
use wb_node::command::key_recover::{Recover, fresh_words, gather, key_recover};
use wb_node::command::key_rotate::{Rotate, key_rotate};
use wb_node::command::peer_accept::{Accepted, look, peer_accept, peer_confirm};
use wb_node::command::peer_invite::{INVITE_MINUTES, Invited, peer_invite};
use wb_node::command::publish::publish;
use wb_node::command::record_share::record_unshare;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::review::{Decision, review_origin};
use wb_node::command::sync::{SyncInput, Synced, sync};
use wb_node::keys::Behind;
use wb_node::query::requests;
use wb_node::{Actor, Node, service};
use wb_store::{Filter, Home, Pair, Peer};
use zeroize::Zeroizing;

pub const BOTH_WAYS: SyncInput = SyncInput {
    pull: true,
    push: true,
    dry_run: false,
    wait: Duration::ZERO,
};

/// A node that answers.
struct Up {
    address: SocketAddr,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
}

/// A community.
pub struct House {
    dir: TempDir,
    pub node: Node,
    words: String,
    runtime: Runtime,
    up: Option<Up>,
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

impl House {
    /// One that never listens: behind a router.
    pub fn quiet(name: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let input = Init {
            name,
            admin: "alice",
            words_file: None,
        };
        let home = Home::new(dir.path().join("home"));
        let founded = init(&home, &input).expect("it is founded");
        let (node, words) = (founded.node, founded.words.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            dir,
            node,
            words,
            runtime,
            up: None,
        }
    }

    /// The same, with its recovery words.
    pub fn quiet_with_words(name: &str) -> (Self, String) {
        let house = Self::quiet(name);
        let words = house.words.clone();
        (house, words)
    }

    /// All its files at another place, key and guard and all: both go on, and neither knows.
    pub fn twin(&self) -> Self {
        let dir = self.copy();
        let node = Node::open(&Home::new(dir.path())).expect("it opens");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            dir,
            node,
            words: self.words.clone(),
            runtime,
            up: None,
        }
    }

    /// Changes the key, as `wb key rotate` does.
    pub fn rotate_by_command(&mut self) {
        let actor = self.actor();
        let rotating = key_rotate(
            &mut self.node,
            &actor,
            Rotate {
                behind: &Behind::AsBefore,
                offline: false,
            },
        );
        self.runtime.block_on(rotating).expect("it rotates");
    }

    /// Takes the instance back, to the newest publication of this folder.
    pub fn recover(&mut self) {
        let actor = self.actor();
        let gathered = self.runtime.block_on(gather(&mut self.node));
        let gathered = gathered.expect("it gathers");
        let (words, new_words) = (
            RecoveryWords::parse(&self.words).expect("its own words"),
            fresh_words(),
        );
        let input = Recover {
            words: &words,
            new_words: &new_words,
            last_good: gathered.suggested().map(|one| one.hash),
            gathered: &gathered,
            behind: Behind::AsBefore,
        };
        key_recover(&mut self.node, &actor, &input).expect("it recovers");
        self.words = new_words.text().to_string();
    }

    /// One that answers on a free port.
    pub fn open(name: &str) -> Self {
        let mut house = Self::quiet(name);
        house.listen("127.0.0.1:0".parse().expect("an address"));
        house
    }

    pub fn listen(&mut self, address: SocketAddr) {
        let runtime = runtime();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(address))
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let router = service::router(&self.home());
        let serving = wb_net::serve(listener, router, ServerLimits::default(), async {
            let _ = stopped.await;
        });
        runtime.spawn(serving);
        self.up = Some(Up {
            address,
            runtime,
            stop: Some(stop),
        });
    }

    /// Ends at once, in the midst of whatever it answers.
    pub fn cut_off(&mut self) {
        if let Some(up) = self.up.take() {
            up.runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }

    pub fn socket(&self) -> SocketAddr {
        self.up.as_ref().expect("it answers").address
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.socket())
    }

    pub fn home(&self) -> Home {
        self.node.store().home().clone()
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn id(&self) -> InstanceId {
        self.node.own_id()
    }

    pub fn actor(&self) -> Actor {
        self.node.actor(None).expect("the founder")
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn reopen(&mut self) {
        self.node = Node::open(&self.home()).expect("it opens");
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

    pub fn take_back(&mut self, request: &RecordRef) {
        record_unshare(&self.node, &self.actor(), request).expect("its own");
    }

    pub fn seal(&mut self) {
        let actor = self.actor();
        publish(&mut self.node, &actor).expect("it seals");
    }

    /// Writes an address on the own card, as its admin would.
    pub fn move_card(&mut self, address: &str) {
        let filter = Filter {
            kind: Some("card".parse().expect("a kind")),
            origin: Some(self.id()),
            ..Filter::default()
        };
        let cards = self.node.store().records(&filter).expect("a store");
        let home = self.home();
        let mut store = wb_store::Store::open(&home).expect("it opens");
        for row in cards {
            let record = store.local(&row.key.id).expect("a store");
            let mut record = record.expect("a card is local");
            let body = Body::read(&record.kind, 1, self.id(), &record.body);
            let Ok(Body::Card(mut card)) = body else {
                panic!("a card that cannot be read");
            };
            card.addresses = vec![address.to_owned()];
            record.body = serde_json::to_string(&Body::Card(card)).expect("it serialises");
            record.edit += 1;
            let write = store.write().expect("a transaction");
            write.put_local(&record).expect("it is stored");
            write.commit().expect("it counts");
        }
    }

    pub fn invite(&mut self) -> Invited {
        let actor = self.actor();
        let addresses: Vec<String> = self
            .up
            .iter()
            .map(|up| format!("http://{}", up.address))
            .collect();
        peer_invite(&mut self.node, &actor, INVITE_MINUTES, &addresses).expect("a link")
    }

    pub fn accept(&mut self, link: &PairLink) -> wb_node::Result<Accepted> {
        self.accept_with(link, &[])
    }

    pub fn accept_with(&mut self, link: &PairLink, own: &[String]) -> wb_node::Result<Accepted> {
        let actor = self.actor();
        let inviter = self
            .runtime
            .block_on(look(&self.node, &actor, link, true))?;
        let accepting = peer_accept(&mut self.node, &actor, &inviter, own);
        self.runtime.block_on(accepting)
    }

    pub fn confirm(&mut self, other: InstanceId) {
        let actor = self.actor();
        peer_confirm(&mut self.node, &actor, other, true).expect("it asked");
    }

    /// Pairs with one that answers, from both sides.
    pub fn pair_with(&mut self, other: &mut Self) {
        let link = other.invite().link;
        self.accept(&link).expect("it is accepted");
        other.confirm(self.id());
    }

    /// Shows what another publishes.
    pub fn show(&mut self, other: InstanceId) {
        let actor = self.actor();
        review_origin(&mut self.node, &actor, other, Decision::Accept).expect("it is known");
    }

    pub fn peer(&self, id: InstanceId) -> Peer {
        let peer = self.node.store().peer(&id).expect("a store");
        peer.expect("it is a peer")
    }

    pub fn edit_peer(&mut self, id: InstanceId, edit: impl FnOnce(&mut Peer)) {
        let mut peer = self.peer(id);
        edit(&mut peer);
        let mut store = wb_store::Store::open(&self.home()).expect("it opens");
        let write = store.write().expect("a transaction");
        write.put_peer(&peer).expect("it is stored");
        write.commit().expect("it counts");
    }

    pub fn pair(&self, id: InstanceId) -> Option<Pair> {
        self.node.store().pair(&id).expect("a store")
    }

    pub fn sync(&mut self, with: InstanceId) -> Synced {
        self.sync_as(with, BOTH_WAYS)
    }

    pub fn sync_as(&mut self, with: InstanceId, input: SyncInput) -> Synced {
        let (actor, peer) = (self.actor(), self.peer(with));
        let mut progress = |_, _| {};
        let synced = sync(&mut self.node, &actor, peer, input, &mut progress);
        self.runtime.block_on(synced).expect("nothing fails here")
    }

    pub fn head(&self, origin: InstanceId) -> Option<Held> {
        let served = self.node.store().served();
        served.head(&origin, FeedScope::Public).expect("a store")
    }

    /// The lines live in a feed, as they are held here.
    pub fn lines(&self, origin: InstanceId) -> Vec<Vec<u8>> {
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

    /// Asserts that the feed of another is here as it is there, byte for byte.
    pub fn assert_has(&self, other: &Self) {
        assert!(other.head(other.id()).is_some(), "nothing was sealed");
        assert_eq!(self.head(other.id()), other.head(other.id()));
        assert_eq!(self.lines(other.id()), other.lines(other.id()));
    }

    pub fn assert_sound(&self) {
        let mut store = wb_store::Store::open(&self.home()).expect("it opens");
        for finding in store.check().expect("a check") {
            assert_eq!(finding.problems, Vec::<String>::new(), "{}", finding.check);
        }
    }

    /// Every byte of its databases.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(self.home().dir()).expect("a folder") {
            let path = file.expect("a file").path();
            bytes.extend(std::fs::read(path).unwrap_or_default());
        }
        bytes
    }

    /// The key in its file.
    pub fn signer(&self) -> Signer {
        let text = std::fs::read_to_string(self.home().signing_key()).expect("a key");
        let seed: PublicKey = text.trim().parse().expect("64 hex digits");
        Signer::from_seed(&Zeroizing::new(seed.0))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(mut up) = self.up.take() {
            if let Some(stop) = up.stop.take() {
                let _ = stop.send(());
            }
            up.runtime.shutdown_timeout(Duration::from_secs(10));
        }
    }
}

/// Titles of the requests that are shown.
pub fn titles(house: &House) -> Vec<String> {
    let list = requests::requests(&house.node).expect("a store");
    let mut titles: Vec<String> = list.into_iter().map(|request| request.title).collect();
    titles.sort();
    titles
}

pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// A kind by its name.
pub fn kind(name: &str) -> Kind {
    name.parse().expect("a kind")
}

impl House {
    pub fn ask_with(&mut self, title: &str, description: &str) {
        let actor = self.actor();
        let input = RequestAdd {
            title,
            description,
            scope: Scope::Public,
        };
        request_add(&mut self.node, &actor, &input).expect("a request");
    }

    /// Changes the key as its owner would: the head stands in the entry, the file has the new key.
    pub fn rotate(&mut self) {
        let (before, now) = (self.node.identity().clone(), wb_node::entropy::now());
        let seed = *wb_node::entropy::bytes::<32>();
        let next = Signer::from_seed(&Zeroizing::new(seed));
        let head = self.head(self.id()).map(|held| LastHead {
            log: held.log,
            generation: held.generation,
            seq: held.seq,
            hash: held.hash,
        });
        let heads = Heads {
            public: head,
            trusted_peers: None,
        };
        let log = rotate(&before, &self.signer(), next.public_key(), heads, now);
        let log = log.expect("its own key signs");
        let mut store = wb_store::Store::open(&self.home()).expect("it opens");
        let write = store.write().expect("a transaction");
        write
            .put_identity(&log, wb_store::Standing::Own, now)
            .expect("it continues");
        write.commit().expect("it counts");
        let text = PublicKey(seed).to_string();
        std::fs::write(self.home().signing_key(), text).expect("a key");
        self.reopen();
    }

    /// Forgets how its feed came to be: what a node has that got it back as a snapshot.
    pub fn forget_deltas(&mut self) {
        let connection = rusqlite::Connection::open(self.home().main()).expect("the file");
        let forgotten = connection.execute(
            "UPDATE headers SET line = NULL WHERE seq > 0 AND seq < (SELECT max(seq) FROM headers)",
            [],
        );
        assert!(forgotten.expect("a table") > 0);
    }

    /// Copies the files as they are now.
    pub fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        for file in std::fs::read_dir(self.home().dir()).expect("a folder") {
            let file = file.expect("a file");
            std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("a copy");
        }
        copy
    }

    /// Goes on with an older copy, while what guards against that is as it is now where something was sealed since.
    pub fn become_copy(&mut self, copy: &TempDir) {
        let guard = self.home().guard();
        let name = guard.file_name().expect("a file has a name");
        std::fs::copy(&guard, copy.path().join(name)).expect("a copy");
        self.node = Node::open(&Home::new(copy.path())).expect("it opens");
    }
}
