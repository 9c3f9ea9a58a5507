//! `wb user list` and `show`.

use wb_core::id::RecordRef;
use wb_core::kinds::{Body, User};
use wb_store::{Filter, RecordRow, Role, Standing};

use super::authors::Authors;
use super::invited::Invitations;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::view::{Contact, UserView};

/// Members: own ones, and those of other instances who share a profile.
///
/// # Errors
/// What the store reports.
pub fn users(node: &Node, actor: &Actor) -> Result<Vec<UserView>> {
    let authors = Authors::load(node)?;
    let invitations = Invitations::load(node)?;
    let accounts = node.store.private().accounts()?;
    let filter = Filter {
        kind: Some("user".parse().expect("a kind")),
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    rows.iter()
        .map(|row| {
            let user = view(node, actor, &authors, &accounts, row)?;
            let invited = invitations.of(&row.key, user.inviter);
            Ok(UserView { invited, ..user })
        })
        .collect()
}

/// One member: by handle for own members, or by the id of the user record.
///
/// # Errors
/// That nobody fits.
pub fn user(node: &Node, actor: &Actor, name: &str) -> Result<UserView> {
    let key = match node.store.private().account(name)? {
        Some(account) => RecordRef {
            origin: node.own_id(),
            id: account.user,
        },
        None => super::find_record(node, name).map_err(|_| NodeError::unknown("user", name))?,
    };
    let found = users(node, actor)?
        .into_iter()
        .find(|user| (user.base.origin, user.base.id) == (key.origin, key.id));
    found.ok_or_else(|| NodeError::unknown("user", name))
}

fn view(
    node: &Node,
    actor: &Actor,
    authors: &Authors<'_>,
    accounts: &[wb_store::Account],
    row: &RecordRow,
) -> Result<UserView> {
    let body = row.body.as_deref().unwrap_or_default();
    let profile = match Body::read(&row.kind, 1, row.key.origin, body) {
        Ok(Body::User(profile)) => profile,
        _ => User::default(),
    };
    let own = row.standing == Standing::Own;
    let account = accounts
        .iter()
        .find(|account| own && account.user == row.key.id);
    let may_see = own && (actor.role == Role::Admin || actor.user == row.key.id);
    let contacts = if may_see {
        node.store.private().contacts(&row.key.id)?
    } else {
        Vec::new()
    };
    let local = if own {
        node.store.local(&row.key.id)?
    } else {
        None
    };
    Ok(UserView {
        base: authors.base(row),
        handle: profile.handle,
        display_name: profile.display_name,
        bio: profile.bio,
        avatar: profile.avatar,
        inviter: profile.inviter,
        invited: None,
        attributes: profile.attributes,
        shares: local.and_then(|record| record.shares),
        role: account.map(|account| account.role.as_str()),
        state: account.map(|account| account.state.as_str()),
        contacts: contacts
            .into_iter()
            .map(|(kind, value)| Contact { kind, value })
            .collect(),
    })
}
