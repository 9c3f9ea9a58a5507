//! A simulated community: the shipped commands over files of its own, and its ledger beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::pairing::PairLink;
use wb_core::scope::Scope;
use wb_core::sync::PeerCause;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, Imported, bundle_import};
use wb_node::command::bundle_want::bundle_want;
use wb_node::command::comment_add::comment_add;
use wb_node::command::follow::{Target, accept_all, follow, unfollow};
use wb_node::command::hub_register::{Asking, find_hub_over, hub_register};
use wb_node::command::init::{Init, init};
use wb_node::command::peer_accept::{look, peer_accept, peer_confirm};
use wb_node::command::peer_invite::{INVITE_MINUTES, peer_invite};
use wb_node::command::publish::publish;
use wb_node::command::record_share::{record_share, record_unshare};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::request_complete::request_complete;
use wb_node::command::request_edit::request_edit;
use wb_node::command::restore::{Restore, restore};
use wb_node::command::sync::{SyncInput, Synced, sync};
use wb_node::{Actor, Node, NodeError, service};
use wb_store::Home;

use crate::error::{SimError, files};
use crate::files::{copy_database, remove_database};
use crate::hub::SimHub;
use crate::ledger::{Follows, Ledger, What, Written};
use crate::look::Marks;
use crate::machine::Machine;
use crate::network::{Net, NodeNetwork, address_of_member};

/// What is kept of a member when its databases are copied.
struct Copied {
    ledger: Ledger,
    /// Whether something was sealed since.
    is_behind: bool,
}

/// A community.
pub struct Member {
    pub name: String,
    pub id: InstanceId,
    pub machine: Arc<Machine>,
    pub ledger: Ledger,
    /// Its databases are an older copy: it seals nothing any more.
    pub is_suspect: bool,
    /// It was an older copy, and took its own history back.
    pub is_settled: bool,
    /// What whomever it could ask knew of its records when it took them back.
    pub told: Marks,
    /// Its key signed what contradicts itself: at two places, or in a delta made by hand.
    pub is_two_faced: bool,
    /// It took its key back since.
    pub has_recovered: bool,
    /// Somebody else's copy of a key that was taken back: it acts no more.
    pub is_out: bool,
    /// Its recovery words.
    pub words: String,
    network: Arc<NodeNetwork>,
    home: Home,
    node: Option<Node>,
    copied: Option<Copied>,
}

/// What came of a sync with one hub.
#[derive(Debug)]
pub struct Exchange {
    pub hub: InstanceId,
    /// Why it ended early, as the peer's state says.
    pub end: Option<(PeerCause, String)>,
    pub synced: Synced,
}

impl Member {
    /// Founds a community.
    pub fn found(
        number: usize,
        dir: &Path,
        net: &Arc<Net>,
        machine: Arc<Machine>,
    ) -> Result<Self, SimError> {
        let name = format!("Node {}", number + 1);
        let home = Home::new(dir.join(format!("node-{}", number + 1)));
        let input = Init {
            name: &name,
            admin: "alice",
            words_file: None,
        };
        let network = NodeNetwork::new(Arc::clone(net), number);
        let founded = machine.run(|| init(&home, &input))?;
        let (node, words) = (founded.node, founded.words.to_string());
        Ok(Self {
            name,
            id: node.own_id(),
            machine,
            ledger: Ledger::default(),
            is_suspect: false,
            is_settled: false,
            told: Marks::new(),
            is_two_faced: false,
            has_recovered: false,
            is_out: false,
            words,
            node: Some(node.with_network(Arc::clone(&network) as _)),
            network,
            home,
            copied: None,
        })
    }

    /// Another copy of all its files, guard and key with them, on another computer.
    pub fn cloned(
        &mut self,
        twin: usize,
        dir: &Path,
        net: &Arc<Net>,
        machine: Arc<Machine>,
    ) -> Result<Self, SimError> {
        let home = Home::new(dir.join(format!("node-{}", twin + 1)));
        home.create()?;
        self.node = None;
        for (from, to) in [
            (self.home.main(), home.main()),
            (self.home.private(), home.private()),
        ] {
            copy_database(&from, &to)?;
        }
        for (from, to) in [
            (self.home.signing_key(), home.signing_key()),
            (self.home.guard(), home.guard()),
        ] {
            std::fs::copy(&from, &to).map_err(files(&to))?;
        }
        if self.home.turn().exists() {
            let to = home.turn();
            std::fs::copy(self.home.turn(), &to).map_err(files(&to))?;
        }
        self.reopen()?;
        self.is_two_faced = true;
        self.has_recovered = false;
        let mut cloned = Self {
            name: format!("Node {} (twin of {})", twin + 1, self.name),
            id: self.id,
            machine,
            ledger: self.ledger.clone(),
            is_suspect: self.is_suspect,
            is_settled: self.is_settled,
            told: self.told.clone(),
            is_two_faced: true,
            has_recovered: false,
            is_out: false,
            words: self.words.clone(),
            network: NodeNetwork::new(Arc::clone(net), twin),
            home,
            node: None,
            copied: None,
        };
        cloned.reopen()?;
        Ok(cloned)
    }

    /// Its main file.
    pub fn file(&self) -> PathBuf {
        self.home.main()
    }

    pub fn home(&self) -> &Home {
        &self.home
    }

    pub fn node(&self) -> &Node {
        self.node.as_ref().expect("it is open between two steps")
    }

    pub fn node_mut(&mut self) -> &mut Node {
        self.node.as_mut().expect("it is open between two steps")
    }

    /// Whether its key has contradicted itself, and was not taken back since.
    pub fn is_untrue(&self) -> bool {
        self.is_two_faced && !self.has_recovered
    }

    /// The copy of its databases is worth nothing any more.
    pub fn forget_copy(&mut self) {
        self.copied = None;
    }

    /// Does something as the founder, on this computer.
    fn act<T>(&mut self, work: impl FnOnce(&mut Node, &Actor) -> T) -> T {
        let node = self.node.as_mut().expect("it is open between two steps");
        self.machine.run(|| {
            let actor = node.actor(None).expect("the founder has an account");
            work(node, &actor)
        })
    }

    /// Opens its files anew, as after a crash.
    pub fn reopen(&mut self) -> Result<(), SimError> {
        self.node = None;
        let node = self.machine.run(|| Node::open(&self.home))?;
        self.node = Some(node.with_network(Arc::clone(&self.network) as _));
        Ok(())
    }

    pub fn key_of(&self, id: RecordId) -> RecordRef {
        RecordRef {
            origin: self.id,
            id,
        }
    }

    pub fn ask(&mut self, mark: &str, scope: Scope) -> Result<RecordId, NodeError> {
        let input = RequestAdd {
            title: mark,
            description: "Please.",
            scope,
        };
        let id = self.act(|node, actor| request_add(node, actor, &input))?;
        self.wrote(id, What::Request, scope, mark);
        Ok(id)
    }

    pub fn comment(
        &mut self,
        on: &RecordRef,
        mark: &str,
        scope: Scope,
    ) -> Result<RecordId, NodeError> {
        let id = self.act(|node, actor| comment_add(node, actor, on, mark, scope))?;
        self.wrote(id, What::Comment(*on), scope, mark);
        Ok(id)
    }

    pub fn complete(&mut self, request: RecordId, mark: &str) -> Result<RecordId, NodeError> {
        let key = self.key_of(request);
        let id = self.act(|node, actor| request_complete(node, actor, &key, Some(mark)))?;
        self.wrote(id, What::Status(request), Scope::Public, mark);
        Ok(id)
    }

    fn wrote(&mut self, id: RecordId, what: What, scope: Scope, mark: &str) {
        let mark = mark.to_owned();
        self.ledger
            .written
            .insert(id, Written { what, scope, mark });
    }

    pub fn edit(&mut self, id: RecordId, mark: &str) -> Result<(), NodeError> {
        let key = self.key_of(id);
        self.act(|node, actor| request_edit(node, actor, &key, Some(mark), None))?;
        if let Some(written) = self.ledger.written.get_mut(&id) {
            mark.clone_into(&mut written.mark);
        }
        Ok(())
    }

    pub fn share(&mut self, id: RecordId, scope: Scope) -> Result<(), NodeError> {
        let key = self.key_of(id);
        self.act(|node, actor| record_share(node, actor, &key, scope, None))?;
        self.scoped(id, scope);
        Ok(())
    }

    pub fn unshare(&mut self, id: RecordId) -> Result<(), NodeError> {
        let key = self.key_of(id);
        self.act(|node, actor| record_unshare(node, actor, &key))?;
        self.scoped(id, Scope::Private);
        Ok(())
    }

    fn scoped(&mut self, id: RecordId, scope: Scope) {
        if let Some(written) = self.ledger.written.get_mut(&id) {
            written.scope = scope;
        }
    }

    pub fn publish(&mut self) -> Result<(), NodeError> {
        self.act(publish).map(|_| ())
    }

    /// Becomes a member of a hub and follows whom it offers.
    pub async fn register(&mut self, hub: &SimHub) -> Result<(), NodeError> {
        let machine = Arc::clone(&self.machine);
        let (network, address) = (Arc::clone(&self.network), hub.address().to_string());
        let id = hub.id();
        let node = self.node.as_mut().expect("it is open between two steps");
        let registering = async {
            let actor = node.actor(None)?;
            let address = format!("http://{address}");
            let found = find_hub_over(network, &address, false, Some(id)).await?;
            hub_register(node, &actor, &found, &Asking::default()).await?;
            Ok(())
        };
        machine.drive(registering).await
    }

    /// Answers its peers from now on.
    pub fn open_door(&self, net: &Net, number: usize) {
        let router = service::router_in_place(&self.home);
        let machine = Arc::clone(&self.machine);
        net.open_door(address_of_member(number), router, machine);
    }

    /// Makes a link that leads to its door.
    pub fn invite(&mut self, number: usize) -> Result<PairLink, NodeError> {
        let at = [format!("http://{}", address_of_member(number))];
        let invited = self.act(|node, actor| peer_invite(node, actor, INVITE_MINUTES, &at))?;
        Ok(invited.link)
    }

    /// Agrees to a link.
    pub async fn accept_link(&mut self, link: &PairLink) -> Result<(), NodeError> {
        let machine = Arc::clone(&self.machine);
        let node = self.node.as_mut().expect("it is open between two steps");
        let accepting = async {
            let actor = node.actor(None)?;
            let inviter = look(node, &actor, link, true).await?;
            peer_accept(node, &actor, &inviter, &[]).await
        };
        machine.drive(accepting).await.map(|_| ())
    }

    /// Confirms who used its link.
    pub fn confirm(&mut self, other: InstanceId) -> Result<(), NodeError> {
        let confirmed = self.act(|node, actor| peer_confirm(node, actor, other, true));
        confirmed.map(|_| ())
    }

    /// Follows everybody a hub lists, and accepts some by name.
    pub fn accept(&mut self, hub: InstanceId, accepted: &[InstanceId]) -> Result<(), NodeError> {
        let named = accepted.iter().copied().collect();
        self.act(|node, actor| {
            let peer = node.store().peer(&hub)?;
            let peer = peer.expect("it is registered there");
            accept_all(node, actor, peer, &named)
        })?;
        let list = self.ledger.follows.entry(hub).or_default();
        list.all = true;
        list.named.extend(accepted);
        Ok(())
    }

    pub fn follow(&mut self, origin: InstanceId) -> Result<(), NodeError> {
        self.act(|node, actor| follow(node, actor, None, &Target::Instance(origin)))?;
        for list in self.ledger.follows.values_mut() {
            list.except.remove(&origin);
            list.named.insert(origin);
        }
        Ok(())
    }

    pub fn unfollow(&mut self, origin: InstanceId) -> Result<(), NodeError> {
        self.act(|node, actor| unfollow(node, actor, None, &Target::Instance(origin)))?;
        for list in self.ledger.follows.values_mut() {
            list.named.remove(&origin);
            if list.all {
                list.except.insert(origin);
            }
        }
        Ok(())
    }

    /// The list with which it starts at a hub.
    pub fn starts_at(&mut self, hub: InstanceId) {
        self.ledger.follows.insert(hub, Follows::default());
    }

    /// The hubs it is registered at.
    pub fn hubs(&self) -> Vec<InstanceId> {
        self.ledger.follows.keys().copied().collect()
    }

    /// Syncs with one hub.
    pub async fn sync(
        &mut self,
        hub: InstanceId,
        pull: bool,
        push: bool,
    ) -> Result<Exchange, NodeError> {
        let machine = Arc::clone(&self.machine);
        let node = self.node.as_mut().expect("it is open between two steps");
        let syncing = async {
            let actor = node.actor(None)?;
            let peer = node.store().peer(&hub)?.expect("it is registered there");
            let input = SyncInput {
                pull,
                push,
                dry_run: false,
                wait: Duration::ZERO,
            };
            sync(node, &actor, peer, input, &mut |_, _| {}).await
        };
        let synced = machine.drive(syncing).await?;
        Ok(Exchange {
            hub,
            end: synced.end.clone(),
            synced,
        })
    }

    /// Settles it, where it is an older copy: everything it published comes back. Returns whether somebody
    /// answered.
    pub async fn settle(&mut self) -> Result<bool, NodeError> {
        let machine = Arc::clone(&self.machine);
        let node = self.node.as_mut().expect("it is open between two steps");
        let settling = async {
            let actor = node.actor(None)?;
            restore(node, &actor, Restore::default()).await
        };
        match machine.drive(settling).await {
            Ok(_) => {
                self.is_suspect = false;
                self.is_settled = true;
                Ok(true)
            }
            Err(NodeError::Unconfirmed(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes what it holds into a file; with a want file only what its author lacks.
    pub fn export(&mut self, file: &Path, want: Option<&Path>) -> Result<(), NodeError> {
        let input = BundleExport {
            file,
            want,
            zstd_level: None,
        };
        let exported = self.act(|node, actor| bundle_export(node, actor, &input, &mut |_, _| {}));
        exported.map(|_| ())
    }

    /// Says in a file what it holds.
    pub fn want(&mut self, file: &Path) -> Result<(), NodeError> {
        self.act(|node, _| bundle_want(node, file)).map(|_| ())
    }

    /// Takes a file.
    pub fn import(&mut self, file: &Path) -> Result<Imported, NodeError> {
        let input = BundleImport {
            dry_run: false,
            accept: true,
            partial: false,
            lists: true,
        };
        self.act(|node, actor| bundle_import(node, actor, file, input, &mut |_| {}))
    }

    fn copies(&self) -> [(PathBuf, PathBuf); 2] {
        let dir = self.home.dir();
        [
            (self.home.main(), dir.join("copy-main.db")),
            (self.home.private(), dir.join("copy-private.db")),
        ]
    }

    /// Copies its databases, as a backup does.
    pub fn copy(&mut self) -> Result<(), SimError> {
        self.node = None;
        for (file, copy) in self.copies() {
            copy_database(&file, &copy)?;
        }
        self.copied = Some(Copied {
            ledger: self.ledger.clone(),
            is_behind: false,
        });
        self.reopen()
    }

    pub fn has_copy(&self) -> bool {
        self.copied.is_some()
    }

    /// Something was sealed: a copy made before is behind from now on.
    pub fn sealed(&mut self) {
        if let Some(copied) = &mut self.copied {
            copied.is_behind = true;
        }
    }

    /// Goes on with the copy of its databases; what stands outside of them stays. Returns whether it is
    /// an older copy of what it published.
    pub fn restore(&mut self) -> Result<bool, SimError> {
        let Some(copied) = &self.copied else {
            return Ok(false);
        };
        self.node = None;
        for (file, copy) in self.copies() {
            remove_database(&file);
            std::fs::copy(&copy, &file).map_err(files(&file))?;
        }
        self.ledger = copied.ledger.clone();
        self.is_suspect |= copied.is_behind;
        let is_behind = copied.is_behind;
        self.reopen()?;
        Ok(is_behind)
    }
}
