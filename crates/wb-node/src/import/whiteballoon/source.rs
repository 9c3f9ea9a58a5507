//! Whether a file that seems to be new is one that was imported under another fingerprint.
//!
//! The fingerprint is that of the first user, and changes when that user is renamed or deleted. Then
//! everything would come a second time; so most of the members being here already stops the import.

use std::collections::BTreeSet;

use wb_store::Private;
use wb_store::legacy::Dump;

use crate::error::{NodeError, Result};

/// Refuses a source that is new here while more than half of its users have an account here with
/// their name and time of joining.
pub(super) fn check(private: &Private, dump: &Dump) -> Result<()> {
    for user in &dump.users {
        let known = private.legacy_id(&dump.source.0, "users", &user.id.to_string())?;
        if known.is_some() {
            return Ok(());
        }
    }
    let accounts = private.accounts()?;
    let here: BTreeSet<_> = accounts
        .iter()
        .map(|account| (account.handle.to_lowercase(), account.created_at))
        .collect();
    let is_here = |handle: &str, at| here.contains(&(handle.to_owned(), at));
    let users = dump.users.iter();
    let found = users
        .filter(|user| is_here(&user.handle, user.created_at))
        .count();
    if found * 2 > dump.users.len() {
        return Err(NodeError::Refused(format!(
            "{found} of the {} members in this file are here already, from a file with another first \
             member. Importing it as a new one would bring everything a second time; nothing was \
             changed. If it really is another community, say so with --another",
            dump.users.len()
        )));
    }
    Ok(())
}
