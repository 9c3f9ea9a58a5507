//! Who wrote a record, in words for people.

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
pub(crate) struct Authors {
    own: BTreeMap<RecordId, String>,
    /// Profiles of other instances, by origin and id.
    others: BTreeMap<(InstanceId, RecordId), String>,
    /// Names that more than one instance has.
    shared: BTreeSet<String>,
    /// The name of each instance.
    labels: BTreeMap<InstanceId, String>,
}

impl Authors {
    pub fn load(node: &Node) -> Result<Self> {
        let accounts = node.store.private().accounts()?;
        let own = accounts
            .into_iter()
            .filter(|account| account.state != AccountState::Gone)
            .map(|account| (account.user, account.handle))
            .collect();
        let filter = Filter {
            kind: Some("user".parse().expect("a kind")),
            ..Filter::default()
        };
        let mut others = BTreeMap::new();
        for row in node.store.records(&filter)? {
            if row.standing == Standing::Own {
                continue;
            }
            let body = row.body.as_deref().unwrap_or_default();
            if let Ok(Body::User(user)) = Body::read(&row.kind, 1, row.key.origin, body)
                && let Some(name) = user.display_name.or(user.handle)
            {
                others.insert((row.key.origin, row.key.id), name);
            }
        }
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
        Ok(Self {
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
        let name = self.others.get(&(origin, id)).cloned();
        name.unwrap_or_else(|| nameless(home))
    }

    /// The name of a member, here or elsewhere, as far as it is known.
    pub fn of_user(&self, key: &RecordRef, own: InstanceId) -> Option<String> {
        if key.origin == own {
            return self.own.get(&key.id).cloned();
        }
        self.others.get(&(key.origin, key.id)).cloned()
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
