//! Who is in the trusted audience, and how far each member is.

use wb_core::scope::FeedScope;
use wb_core::want::Held;
use wb_store::{AudienceRow, Belongs, Instance};

use crate::error::Result;
use crate::levels::may_be_trusted;
use crate::node::Node;
use crate::sealed::keys::{Reachable, follow_card, key_of};
use crate::view::AudienceView;

/// The trusted audience, by id.
///
/// # Errors
/// What the store reports.
pub fn audience(node: &Node) -> Result<Vec<AudienceView>> {
    let head = node
        .store
        .served()
        .head(&node.own_id(), FeedScope::TrustedPeers)?;
    let known = node.store.instances()?;
    let mut views = Vec::new();
    for row in node.store.audience()? {
        let name = known.iter().find(|known| known.id == row.member);
        let (state, sentence) = state(node, &row, head.as_ref())?;
        views.push(AudienceView {
            schema_version: 1,
            id: row.member,
            name: name.and_then(|known| known.name.clone()),
            since: row.since,
            added_at: row.added_at,
            state,
            sentence,
            confirmed_at: row.held_at,
        });
    }
    Ok(views)
}

/// How many instances read what is shared with trusted peers.
///
/// # Errors
/// What the store reports.
pub fn readers(node: &Node) -> Result<usize> {
    let audience = node.store.audience()?.into_iter();
    Ok(audience.filter(|row| row.belongs == Belongs::In).count())
}

/// Instances that can be added: accepted by hand, with a card that names a sealing key, and in no standing with the
/// audience yet.
///
/// # Errors
/// What the store reports.
pub fn could_be_trusted(node: &Node) -> Result<Vec<Instance>> {
    let audience = node.store.audience()?;
    let mut found = Vec::new();
    for known in node.store.instances()? {
        let is_new = !audience.iter().any(|row| row.member == known.id);
        if is_new && may_be_trusted(node, &known.id)? && key_of(&node.store, &known.id)?.is_some() {
            found.push(known);
        }
    }
    Ok(found)
}

/// Where a member stands, as a word and in words.
fn state(
    node: &Node,
    row: &AudienceRow,
    head: Option<&Held>,
) -> Result<(&'static str, &'static str)> {
    if row.belongs == Belongs::Leaving {
        return Ok((
            "leaving",
            "removed; with the next publish or sync it is asked to erase what it has",
        ));
    }
    if row.belongs == Belongs::Parted {
        return Ok((
            "parted",
            "removed and asked to erase what it has; it has not said yet that it did",
        ));
    }
    if row.belongs == Belongs::Unsure {
        return Ok((
            "unsure",
            "it was trusted when this copy was made; nothing is sealed to it until `wb peer trust` says so again, and \
             `wb peer untrust` asks it to erase what it has",
        ));
    }
    let (reachable, changed) = follow_card(node, &mut row.clone(), node.now())?;
    Ok(match reachable {
        Reachable::NotAccepted => (
            "not_accepted",
            "nothing is sealed to it, because it is not accepted here any more",
        ),
        Reachable::NoCard => (
            "no_key",
            "nothing is sealed to it, because its card with a sealing key is not shown here",
        ),
        Reachable::KeyFromBeforeRecovery => (
            "key_in_doubt",
            "it recovered its key, and nothing is sealed to it until its card names another sealing key",
        ),
        Reachable::Yes if changed || row.rekeyed_at.is_some() => (
            "new_key",
            "its sealing key changed; it gets nothing of what was before until `wb peer trust` confirms it",
        ),
        Reachable::Yes if head.is_none() => ("nothing_yet", "nothing was sealed for anybody yet"),
        Reachable::Yes if row.whole || row.given.is_none() => {
            ("waits", "what it lacks is sealed with the next sync")
        }
        Reachable::Yes if row.held.as_ref() == head => ("has_all", "it has everything, as it said"),
        Reachable::Yes => (
            "given",
            "it was given what there is, and has not said yet that it has all of it",
        ),
    })
}
