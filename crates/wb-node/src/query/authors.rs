//! Who wrote a record, in words for people.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::Body;
use wb_core::scope::By;
use wb_store::{AccountState, Filter, RecordRow, Standing};

use crate::error::Result;
use crate::node::Node;
use crate::plan::SPEAKS_ITSELF;
use crate::query::tombstones::is_tombstone;
use crate::view::{Base, SCHEMA_VERSION};

/// Stands for whoever is here no more.
pub(crate) const FORMER: &str = "a former member";

/// Stands for a member of another instance who shares no name.
fn nameless(home: &str) -> String {
    format!("a member of {home}")
}

/// Whether the words for an author are those for somebody of an instance who shares no name.
pub(crate) fn is_nameless(author: &str, home: &str) -> bool {
    author == home || author.starts_with(&nameless(home))
}

/// Names of the authors known here.
pub(crate) struct Authors<'n> {
    own: BTreeMap<RecordId, String>,
    others: Others<'n>,
    /// Names that more than one instance has.
    shared: BTreeSet<String>,
    /// The name of each instance.
    labels: BTreeMap<InstanceId, String>,
}

/// Names from the profiles of other instances, by origin and id.
enum Others<'n> {
    /// All of them, for lists of everything.
    All(BTreeMap<(InstanceId, RecordId), String>),
    /// Looked up when one is asked for, with what was found.
    AsAsked(
        &'n Node,
        RefCell<BTreeMap<(InstanceId, RecordId), Option<String>>>,
    ),
}

impl Others<'_> {
    fn all(node: &Node) -> Result<Self> {
        let filter = Filter {
            kind: Some("user".parse().expect("a kind")),
            ..Filter::default()
        };
        let mut others = BTreeMap::new();
        for row in node.store.records(&filter)? {
            if let Some(name) = profile_name(&row) {
                others.insert((row.key.origin, row.key.id), name);
            }
        }
        Ok(Self::All(others))
    }

    fn name(&self, origin: InstanceId, id: RecordId) -> Option<String> {
        match self {
            Self::All(others) => others.get(&(origin, id)).cloned(),
            Self::AsAsked(node, found) => {
                let mut found = found.borrow_mut();
                let name = found.entry((origin, id)).or_insert_with(|| {
                    let filter = Filter {
                        origin: Some(origin),
                        id: Some(id),
                        ..Filter::default()
                    };
                    // A page without a name is worth more than no page.
                    let rows = node.store.records(&filter).unwrap_or_default();
                    rows.iter().find_map(profile_name)
                });
                name.clone()
            }
        }
    }
}

/// What somebody of another instance calls themselves, in the row of their profile.
fn profile_name(row: &RecordRow) -> Option<String> {
    if row.standing == Standing::Own || row.kind.as_str() != "user" {
        return None;
    }
    let body = row.body.as_deref().unwrap_or_default();
    match Body::read(&row.kind, 1, row.key.origin, body) {
        Ok(Body::User(user)) => user.display_name.or(user.handle),
        _ => None,
    }
}

impl<'n> Authors<'n> {
    /// For a list of everything: all names are read at once.
    pub fn load(node: &Node) -> Result<Authors<'static>> {
        Authors::with(node, Others::all(node)?)
    }

    /// For a page: names are looked up as they are asked for.
    pub fn of_page(node: &'n Node) -> Result<Self> {
        Self::with(node, Others::AsAsked(node, RefCell::default()))
    }

    fn with<'o>(node: &Node, others: Others<'o>) -> Result<Authors<'o>> {
        let accounts = node.store.private().accounts()?;
        let own = accounts
            .into_iter()
            .filter(|account| account.state != AccountState::Gone)
            .map(|account| (account.user, account.handle))
            .collect();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut labels = BTreeMap::new();
        for instance in node.store.instances()? {
            *names.entry(instance.label()).or_default() += 1;
            labels.insert(instance.id, instance.label());
        }
        labels.insert(node.own_id(), node.name().to_owned());
        let shared = names
            .into_iter()
            .filter(|(_, count)| *count > 1)
            .map(|(name, _)| name);
        Ok(Authors {
            own,
            others,
            shared: shared.collect(),
            labels,
        })
    }

    /// The name of an instance, or the first digits of its id. Nobody is taken for somebody else by taking the same
    /// name.
    pub fn label(&self, instance: &InstanceId) -> String {
        match self.labels.get(instance) {
            None => instance.short(),
            Some(name) if self.shared.contains(name) => format!("{name} ({})", instance.short()),
            Some(name) => name.clone(),
        }
    }

    /// Who says where a request stands, for people. Of an instance that was not accepted no name of a member is shown.
    pub fn speaker(&self, origin: InstanceId, standing: Standing, by: Option<By>) -> String {
        let home = self.label(&origin);
        match (standing, by) {
            (Standing::Own, Some(By::User(id))) => self.own_name(&id),
            (standing, Some(By::User(id))) if standing.is_accepted() => {
                self.other_name(origin, id, &home)
            }
            (_, Some(By::Instance) | None) => home,
            (_, Some(By::User(_) | By::Pseudonym(_))) => nameless(&home),
        }
    }

    fn own_name(&self, id: &RecordId) -> String {
        let name = self.own.get(id).cloned();
        name.unwrap_or_else(|| FORMER.to_owned())
    }

    fn other_name(&self, origin: InstanceId, id: RecordId, home: &str) -> String {
        let name = self.others.name(origin, id);
        name.unwrap_or_else(|| nameless(home))
    }

    /// The name of a member, here or elsewhere, as far as it is known.
    pub fn of_user(&self, key: &RecordRef, own: InstanceId) -> Option<String> {
        if key.origin == own {
            return self.own.get(&key.id).cloned();
        }
        self.others.name(key.origin, key.id)
    }

    fn name(&self, row: &RecordRow, home: &str) -> String {
        match row.by {
            _ if is_tombstone(row) => FORMER.to_owned(),
            Some(By::User(id)) if row.standing == Standing::Own => self.own_name(&id),
            Some(By::User(id)) => self.other_name(row.key.origin, id, home),
            Some(By::Pseudonym(token)) => {
                format!("{} ({})", nameless(home), &token.to_string()[..4])
            }
            // Such a record was moved over from a database that did not say who wrote it.
            Some(By::Instance)
                if row.standing == Standing::Own && !SPEAKS_ITSELF.contains(&row.kind.as_str()) =>
            {
                "an unknown author".to_owned()
            }
            Some(By::Instance) | None => home.to_owned(),
        }
    }

    /// What every record in a list has.
    pub fn base(&self, row: &RecordRow) -> Base {
        let mut home = row.home.clone().unwrap_or_else(|| row.key.origin.short());
        if self.shared.contains(&home) {
            // Nobody is taken for somebody else by taking the same name.
            home = format!("{home} ({})", row.key.origin.short());
        }
        Base {
            schema_version: SCHEMA_VERSION,
            id: row.key.id,
            origin: row.key.origin,
            local: row.standing == Standing::Own,
            kind: row.kind.clone(),
            scope: row.scope,
            rev: row.rev,
            author: self.name(row, &home),
            by: row.by.map(|by| by.to_string()),
            created_at: row.created_at,
            at: row.at,
            hidden: row.hidden.clone(),
            home,
        }
    }
}
