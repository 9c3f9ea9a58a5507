//! One request to a hub's pages, as the function that answers it sees it.

use http::HeaderMap;
use tokio::runtime::Handle;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::notice::Deciding;
use wb_core::time::Timestamp;
use wb_hub::{CarryRefused, HubListings, HubStore, ModerateError, StoreProblem};
use wb_node::{Actor, Node, NodeError};
use wb_store::{Account, Role};

use super::deciding::{DecideError, decide};
use super::shell::Shell;
use super::site::HubSite;
use crate::browser::Caller;
use crate::form::Form;

/// Everything a page is made from.
pub(crate) struct Visit<'v, S> {
    pub site: &'v HubSite<S>,
    /// The hub's own instance and who asks; none where everybody is answered alike.
    pub inside: Option<Inside>,
    pub path: &'v str,
    pub params: &'v [(String, String)],
    pub headers: &'v HeaderMap,
    pub query: Form,
    pub form: Form,
    /// The browser in words, as it describes itself.
    pub label: String,
    /// The address under which this was asked, for links.
    pub base: String,
    pub now: Timestamp,
}

/// The hub's own instance, and who asks.
pub(crate) struct Inside {
    pub node: Node,
    pub caller: Caller,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nothing is there, or nobody may see it.
    #[error("there is no such page")]
    NotFound,
    /// Only moderators may.
    #[error("this is for moderators of this hub")]
    LogIn,
    /// Somebody on the way could read along.
    #[error(
        "this came from another computer without TLS, and nobody moderates this hub in a browser like that"
    )]
    NotHere,
    /// What was typed cannot be taken; the words are for whoever typed it.
    #[error("{0}")]
    Refused(String),
    /// Somebody at this address asks too often.
    #[error("somebody at your address asks for more pages than this hub gives at a time")]
    TooOften(u64),
    /// Nothing was decided.
    #[error(transparent)]
    Moderate(#[from] ModerateError),
    /// It is said, and does not hold here yet.
    #[error("the notice is sealed, and does not hold here yet: {0}")]
    NotHeeded(CarryRefused),
    /// The hub's file reports something.
    #[error("what this hub keeps cannot be read")]
    Store(#[from] StoreProblem),
    /// The hub's own instance reports something.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A template failed, which is a fault of the program.
    #[error("the page could not be written: {0}")]
    Template(#[from] askama::Error),
}

impl From<DecideError> for Trouble {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Moderate(error) => Self::Moderate(error),
            DecideError::Node(error) => Self::Node(error),
            DecideError::Store(error) => Self::Store(error),
            DecideError::Carry(error) => Self::NotHeeded(error),
        }
    }
}

impl From<wb_store::StoreError> for Trouble {
    fn from(error: wb_store::StoreError) -> Self {
        Self::Node(error.into())
    }
}

impl<S: HubStore + HubListings> Visit<'_, S> {
    /// Waits for what the store gives; pages are made on threads that may block.
    pub fn wait<T>(&self, kept: impl Future<Output = T>) -> T {
        Handle::current().block_on(kept)
    }

    /// The hub's own instance.
    pub fn node(&self) -> Result<&Node, Trouble> {
        self.inside().map(|inside| &inside.node)
    }

    pub fn inside(&self) -> Result<&Inside, Trouble> {
        self.inside.as_ref().ok_or(Trouble::LogIn)
    }

    /// The moderator whose browser this is.
    pub fn moderator(&self) -> Option<&Account> {
        let account = self.inside.as_ref()?.caller.member()?;
        (account.role >= Role::Steward).then_some(account)
    }

    /// A part of the path.
    pub fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The instance that the path names.
    pub fn home(&self) -> Result<InstanceId, Trouble> {
        self.param("home").parse().map_err(|_| Trouble::NotFound)
    }

    /// The request that the path names.
    pub fn request(&self) -> Result<RecordRef, Trouble> {
        let id: RecordId = self.param("id").parse().map_err(|_| Trouble::NotFound)?;
        Ok(RecordRef {
            origin: self.home()?,
            id,
        })
    }

    /// Decides something, as the moderator whose browser this is.
    pub fn decide(&mut self, deciding: &Deciding) -> Result<(), Trouble> {
        let account = self.moderator().ok_or(Trouble::LogIn)?;
        let actor = Actor {
            user: account.user,
            handle: account.handle.clone(),
            role: account.role,
        };
        let (store, now) = (&self.site.store, self.now);
        let inside = self.inside.as_mut().ok_or(Trouble::LogIn)?;
        let done = decide(store, &mut inside.node, &actor, deciding, now);
        Handle::current().block_on(done).map_err(Trouble::from)
    }

    /// What is around a page.
    pub fn shell(&self, title: impl Into<String>) -> Shell {
        Shell::of(self, title.into())
    }
}
