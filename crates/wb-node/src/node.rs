//! A node that is open: its files, its key, and who acts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::leave::NodeSecret;
use wb_core::scope::Kind;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_net::network::{Internet, Network};
use wb_store::{AccountState, AuditRow, GuardStanding, Home, Role, Store, StoreError};
use zeroize::Zeroizing;

use crate::entropy;
use crate::erasing;
use crate::error::{NodeError, Result};
use crate::{keys, levels};

/// A process that gives nothing takes a turn this often, so that it hears of another copy.
const TURN_EVERY_MS: i64 = 10 * 60 * 1_000;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user record.
    pub user: RecordId,
    /// The handle.
    pub handle: String,
    /// What the account may do.
    pub role: Role,
}

impl Actor {
    /// Whether this is a steward or an admin, who may narrow what others wrote.
    #[must_use]
    pub fn is_steward(&self) -> bool {
        self.role >= Role::Steward
    }
}

/// A node that is open.
pub struct Node {
    pub(crate) store: Store,
    pub(crate) own: InstanceId,
    name: String,
    identity: IdentityLog,
    secret: NodeSecret,
    network: Arc<dyn Network>,
    kinds: Option<BTreeSet<Kind>>,
    machine: String,
    /// When a turn was taken last at each peer, since this was opened.
    turns: RefCell<BTreeMap<InstanceId, Timestamp>>,
    /// Whether the own history is being taken back.
    restores: Restores,
}

/// Whether the own history is being taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restores {
    /// It is not.
    No,
    /// What follows on what is here.
    After,
    /// All of it, to be compared: somebody stands at a head to which nothing here leads.
    All,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} {})", self.name, self.own)
    }
}

impl Node {
    /// Opens the instance in a folder.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn open(home: &Home) -> Result<Self> {
        let store = Store::open(home)?;
        let own = store.own_id()?;
        let name = store.own_name()?;
        let missing = || StoreError::Damaged("the own identity log is missing".to_owned());
        let identity = store.identity_log(&own)?.ok_or_else(missing)?;
        keys::settle(&store)?;
        let secret = NodeSecret::new(Zeroizing::new(store.private().secret("node")?));
        let node = Self {
            store,
            own,
            name,
            identity,
            secret,
            network: Arc::new(Internet),
            kinds: None,
            machine: crate::machine::label(),
            turns: RefCell::default(),
            restores: Restores::No,
        };
        // An older copy does not bring anybody back.
        erasing::finish(&node)?;
        // Vouches end while nobody looks.
        levels::settle_at_opening(&node)?;
        Ok(node)
    }

    /// Reads the own identity log anew where another process made it longer: a node that stays open speaks
    /// with the newest key.
    ///
    /// # Errors
    /// What the store reports.
    pub fn refresh(&mut self) -> Result<()> {
        if self.store.own_newest_entry()? != Some(self.identity.newest().hash) {
            let missing = || StoreError::Damaged("the own identity log is missing".to_owned());
            self.identity = self.store.identity_log(&self.own)?.ok_or_else(missing)?;
        }
        keys::settle(&self.store)
    }

    /// Reaches hubs over another network than this machine's.
    #[must_use]
    pub fn with_network(mut self, network: Arc<dyn Network>) -> Self {
        self.network = network;
        self
    }

    pub(crate) fn network(&self) -> Arc<dyn Network> {
        Arc::clone(&self.network)
    }

    /// Names the machine it runs on otherwise than the machine does.
    #[must_use]
    pub fn on_machine(mut self, machine: impl Into<String>) -> Self {
        self.machine = machine.into();
        self
    }

    /// The name of the machine it runs on, for people: peers tell it to another copy of this folder.
    #[must_use]
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// Whether the own feed is taken as any other: this is an older copy, or is being settled.
    pub(crate) fn takes_own(&self) -> bool {
        self.restores != Restores::No || self.store.guard() == GuardStanding::Suspect
    }

    /// Whether a peer is asked for all of the own feed, as if nothing of it was here.
    pub(crate) fn asks_for_all(&self) -> bool {
        self.restores == Restores::All
    }

    pub(crate) fn restores(&mut self, restores: Restores) {
        self.restores = restores;
    }

    /// Whether a turn was taken at a peer since this was opened, and not long ago.
    pub(crate) fn had_turn(&self, peer: &InstanceId) -> bool {
        let now = self.now().unix_ms();
        let last = self.turns.borrow().get(peer).map(|last| last.unix_ms());
        last.is_some_and(|last| now >= last && now - last < TURN_EVERY_MS)
    }

    pub(crate) fn note_turn(&self, peer: InstanceId) {
        self.turns.borrow_mut().insert(peer, self.now());
    }

    /// Asks hubs for the lines of these kinds only; none: of all.
    #[must_use]
    pub fn asking_for(mut self, kinds: Option<BTreeSet<Kind>>) -> Self {
        self.kinds = kinds;
        self
    }

    /// The kinds whose lines hubs are asked for; none: all.
    #[must_use]
    pub fn kinds(&self) -> Option<&BTreeSet<Kind>> {
        self.kinds.as_ref()
    }

    /// Whether hubs are asked for the lines of a kind.
    pub(crate) fn asks_for(&self, kind: &Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
    }

    /// This instance.
    #[must_use]
    pub fn own_id(&self) -> InstanceId {
        self.own
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its identity log.
    #[must_use]
    pub fn identity(&self) -> &IdentityLog {
        &self.identity
    }

    /// Reads the own identity log anew, after a longer one came.
    ///
    /// # Errors
    /// What the store reports.
    pub(crate) fn read_identity(&mut self) -> Result<()> {
        if let Some(log) = self.store.identity_log(&self.own)? {
            self.identity = log;
        }
        Ok(())
    }

    /// Its files.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn secret(&self) -> &NodeSecret {
        &self.secret
    }

    /// Asks now for the passphrase of the signing key, where there is one: who stays up must not have to ask later.
    ///
    /// # Errors
    /// That nobody said it, or that it does not fit.
    pub fn unlock(&self) -> Result<()> {
        match keys::form(self.store.home())? {
            keys::KeyForm::Plain => Ok(()),
            keys::KeyForm::Passphrase => self.signer().map(drop),
        }
    }

    /// The signing key of the newest identity entry, read from its file.
    ///
    /// # Errors
    /// That the file is missing, damaged, or not the key of this identity.
    pub(crate) fn signer(&self) -> Result<Signer> {
        let wanted = &self.identity.newest().signing_key;
        keys::signer(self.store.home(), wanted)
    }

    /// Who acts: the account of a handle, or the founder.
    ///
    /// # Errors
    /// That there is no such approved account.
    pub fn actor(&self, handle: Option<&str>) -> Result<Actor> {
        let founder = self.store.founder()?;
        let account = match handle {
            Some(handle) => self.store.private().account(handle)?,
            None => match &founder {
                Some(founder) => self.store.private().account_of(founder)?,
                None => None,
            },
        };
        let account =
            account.ok_or_else(|| NodeError::unknown("user", handle.unwrap_or("the founder")))?;
        if account.state != AccountState::Approved {
            return Err(NodeError::Forbidden {
                actor: account.handle,
                act: "act",
                why: "the account is not approved",
            });
        }
        Ok(Actor {
            user: account.user,
            handle: account.handle,
            role: account.role,
        })
    }

    /// Notes what was done, after it was done.
    ///
    /// # Errors
    /// `Unnoted`: what was done stays done.
    pub fn audit(
        &self,
        now: Timestamp,
        actor: &Actor,
        act: &str,
        target: &dyn std::fmt::Display,
        detail: impl Into<String>,
    ) -> Result<()> {
        let noted = self.audit_before(now, actor, act, target, detail);
        noted.map_err(|error| match error {
            NodeError::Store(source) => NodeError::Unnoted {
                act: act.to_owned(),
                source,
            },
            other => other,
        })
    }

    /// Notes what counts only with a commit that is still to come.
    pub(crate) fn audit_before(
        &self,
        now: Timestamp,
        actor: &Actor,
        act: &str,
        target: &dyn std::fmt::Display,
        detail: impl Into<String>,
    ) -> Result<()> {
        let row = AuditRow {
            at: now,
            actor: Some(actor.user),
            act: act.to_owned(),
            target: target.to_string(),
            detail: detail.into(),
        };
        Ok(self.store.private().audit(&row)?)
    }

    /// Now, by the clock that this node goes by.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        entropy::now()
    }
}
