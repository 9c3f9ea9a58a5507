//! One request, as the function that answers it sees it.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::scope::Scope;
use wb_node::node::Actor;
use wb_node::query::address::address;
use wb_node::query::default_scope::default_scope;
use wb_node::{Node, NodeError};
use wb_store::Role;

use crate::browser::Caller;
use crate::form::Form;
use crate::routes::Access;
use crate::shell::Shell;
use crate::site::Site;

/// Everything a page is made from.
pub struct Visit<'v> {
    pub(crate) site: &'v Site,
    /// The open node; none before there is one.
    pub(crate) node: Option<&'v mut Node>,
    pub(crate) caller: Caller,
    pub(crate) path: &'v str,
    pub(crate) params: &'v [(String, String)],
    pub(crate) query: Form,
    pub(crate) form: Form,
    /// The browser in words, as it describes itself.
    pub(crate) label: String,
    /// Whether it asks for what is new, for as long as it listens; and the id of what it knows.
    pub(crate) wants_events: bool,
    pub(crate) known_event: Option<String>,
    /// The address under which this was asked, for links.
    pub(crate) base: String,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Nothing is there, or it is not for this browser.
    #[error("there is no such page")]
    NotFound,
    /// This browser may not.
    #[error("this needs {}", .0.who())]
    Forbidden(Access),
    /// It was asked for too often; after so many seconds it is granted again.
    #[error("this was asked for very often")]
    TooOften(u64),
    /// What was typed cannot be taken; the words are for whoever typed it.
    #[error("{0}")]
    Refused(String),
    /// The node reports something.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A template failed, which is a fault of the program.
    #[error("the page could not be written: {0}")]
    Template(#[from] askama::Error),
}

impl From<wb_store::StoreError> for Trouble {
    fn from(error: wb_store::StoreError) -> Self {
        Self::Node(error.into())
    }
}

impl Visit<'_> {
    /// The node. Only what founds is reached without one.
    pub(crate) fn node(&mut self) -> Result<&mut Node, Trouble> {
        self.node.as_deref_mut().ok_or(Trouble::NotFound)
    }

    /// Who acts.
    pub(crate) fn actor(&self) -> Result<Actor, Trouble> {
        let account = self
            .caller
            .member()
            .ok_or(Trouble::Forbidden(Access::Member))?;
        Ok(Actor {
            user: account.user,
            handle: account.handle.clone(),
            role: account.role,
        })
    }

    /// How far something new goes: as the form says, else as its author chose, else nowhere.
    pub(crate) fn default_scope(&mut self) -> Result<Scope, Trouble> {
        if let Ok(scope) = self.form.text("scope").parse() {
            return Ok(scope);
        }
        let actor = self.actor()?;
        let chosen = default_scope(self.node()?, &actor)?;
        Ok(chosen.unwrap_or(Scope::Private))
    }

    /// The address that links for others begin with: as the card says, else as this was asked.
    pub(crate) fn address(&mut self) -> Result<String, Trouble> {
        let told = address(self.node()?)?;
        Ok(told.unwrap_or_else(|| self.base.clone()))
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.caller
            .member()
            .is_some_and(|account| account.role == Role::Admin)
    }

    pub(crate) fn is_steward(&self) -> bool {
        self.caller
            .member()
            .is_some_and(|account| account.role >= Role::Steward)
    }

    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The record that the path names by `{home}` and `{id}`.
    pub(crate) fn record(&self) -> Result<RecordRef, Trouble> {
        let origin: InstanceId = self.param("home").parse().map_err(|_| Trouble::NotFound)?;
        Ok(RecordRef {
            origin,
            id: self.own_record()?,
        })
    }

    /// The record of this instance that the path names by `{id}`.
    pub(crate) fn own_record(&self) -> Result<RecordId, Trouble> {
        self.param("id").parse().map_err(|_| Trouble::NotFound)
    }

    /// What is around a page.
    pub(crate) fn shell(&self, title: impl Into<String>) -> Shell {
        Shell::of(self, title.into())
    }
}
