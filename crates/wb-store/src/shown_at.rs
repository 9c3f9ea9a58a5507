//! To whom a hub was asked to show this instance, and what it said to that (spec: sync, registration).

use wb_core::id::InstanceId;
use wb_core::sync::Visibility;

use crate::error::Result;
use crate::store::{Store, Write, put_meta};

/// What was asked for at a hub. Versions that know only of lists read everything but `yes` as not listed.
fn asked_key(hub: &InstanceId) -> String {
    format!("listed {hub}")
}

/// What that hub said to it.
fn shown_key(hub: &InstanceId) -> String {
    format!("shown {hub}")
}

impl Store {
    /// To whom the last registration at a hub asked to be shown; none where that was not noted.
    ///
    /// # Errors
    /// What the database reports.
    pub fn asked_visibility(&self, hub: &InstanceId) -> Result<Option<Visibility>> {
        let word = self.meta(&asked_key(hub))?;
        Ok(word.map(|word| match word.as_str() {
            "yes" => Visibility::Public,
            "members" => Visibility::Members,
            _ => Visibility::Unlisted,
        }))
    }

    /// To whom a hub said that it shows this instance; none where it did not say.
    ///
    /// # Errors
    /// What the database reports.
    pub fn shown_visibility(&self, hub: &InstanceId) -> Result<Option<Visibility>> {
        let word = self.meta(&shown_key(hub))?;
        Ok(word.and_then(|word| word.parse().ok()))
    }
}

impl Write<'_> {
    /// Notes to whom a registration at a hub asked to be shown, and what the hub said to it, where it did.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_visibility(
        &self,
        hub: &InstanceId,
        asked: Visibility,
        shown: Option<Visibility>,
    ) -> Result<()> {
        let word = match asked {
            Visibility::Public => "yes",
            Visibility::Members => "members",
            Visibility::Unlisted => "no",
        };
        put_meta(&self.transaction, &asked_key(hub), word)?;
        self.note_shown(hub, shown)
    }

    /// Notes to whom a hub says that it shows this instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_shown(&self, hub: &InstanceId, shown: Option<Visibility>) -> Result<()> {
        let word = shown.map_or("", Visibility::as_str);
        put_meta(&self.transaction, &shown_key(hub), word)
    }
}
