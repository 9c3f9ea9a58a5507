//! Sealing what is owed: to each member of the audience what it lacks, and a want to whoever sealed something to us.
//!
//! What is sealed waits in the database until somebody has it, so a crash loses nothing and seals nothing twice
//! that was given already.

use std::collections::BTreeMap;

use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sealed::{Contents, Envelope, Purpose};
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{AudienceRow, Belongs, NewEnvelope, Write};

use super::content::{Given, lacking};
use super::crypt;
use super::keys::{LASTS_MS, Reachable, follow_card, key_of, own_key};
use super::want::want_for;
use crate::error::Result;
use crate::node::Node;

/// What was sealed, and what could not be.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// Envelopes sealed.
    pub sealed: u64,
    /// Members that nothing is sealed to for now, and why.
    pub blocked: Vec<(InstanceId, Reachable)>,
    /// Members for whom all of the trusted feed is more than an envelope holds.
    pub too_large: Vec<InstanceId>,
}

/// Seals what is owed now, in one transaction. What is in the feed was sealed into it before, by publishing; here it is
/// only wrapped.
///
/// # Errors
/// What the store reports, or that the signing key cannot be used. Nothing changes then.
pub fn prepare(node: &Node, now: Timestamp) -> Result<Prepared> {
    let mut done = Prepared::default();
    let (audience, wants) = (node.store.audience()?, node.store.wants_owed()?);
    if audience.is_empty() && wants.is_empty() {
        return Ok(done);
    }
    let write = node.store.write_in_sight()?;
    write.tidy_envelopes(now)?;
    let own = (node.own_id(), FeedScope::TrustedPeers);
    let head = node.store.served().head(&own.0, own.1)?;
    let forked = node.store.forked_feeds()?;
    let is_forked = forked.iter().any(|feed| (feed.origin, feed.scope) == own);
    let members: Vec<InstanceId> = audience
        .iter()
        .filter(|row| row.belongs == Belongs::In)
        .map(|row| row.member)
        .collect();
    let groups = group(node, &write, audience, &mut done, now)?;
    if let Some(head) = head.filter(|_| !is_forked) {
        for group in groups.into_values() {
            seal_rest(node, &write, &head, (&members, group), &mut done, now)?;
        }
    }
    for origin in wants {
        done.sealed += u64::from(seal_want(node, &write, origin, now)?);
    }
    write.commit()?;
    Ok(done)
}

/// Who stands at one head with one from-date is given one envelope.
type Groups = BTreeMap<(Option<String>, Option<Timestamp>), Vec<AudienceRow>>;

/// Groups those who can be sealed to; notes which keys changed, and who cannot.
fn group(
    node: &Node,
    write: &Write<'_>,
    audience: Vec<AudienceRow>,
    done: &mut Prepared,
    now: Timestamp,
) -> Result<Groups> {
    let mut groups = Groups::new();
    for mut row in audience {
        let (reachable, changed) = follow_card(node, &mut row, now)?;
        if changed {
            write.put_audience(&row)?;
        }
        if row.belongs != Belongs::In {
            continue;
        }
        if reachable != Reachable::Yes {
            done.blocked.push((row.member, reachable));
            continue;
        }
        let from = stands_at(&row, now).map(Held::to_query);
        groups.entry((from, since(&row))).or_default().push(row);
    }
    Ok(groups)
}

/// Of records before it a member gets no lines: before its from-date, and before its key changed.
fn since(row: &AudienceRow) -> Option<Timestamp> {
    row.since.max(row.rekeyed_at)
}

/// Seals what a group lacks of the trusted feed.
fn seal_rest(
    node: &Node,
    write: &Write<'_>,
    head: &Held,
    (members, group): (&[InstanceId], Vec<AudienceRow>),
    done: &mut Prepared,
    now: Timestamp,
) -> Result<()> {
    let (from, since) = (stands_at(&group[0], now), since(&group[0]));
    let pieces = match lacking(node.store.served(), head, from, since)? {
        Given::Nothing => return Ok(()),
        Given::TooLarge => {
            done.too_large.extend(group.iter().map(|row| row.member));
            return Ok(());
        }
        Given::Pieces(pieces) => pieces,
    };
    let signer = node.signer()?;
    let to = Recipients {
        audience: members,
        ids: group.iter().map(|row| row.member).collect(),
        keys: group.iter().map(|row| row.sealing_key.clone()).collect(),
    };
    for piece in &pieces {
        let what = (Purpose::Feed, since, piece.content.as_slice());
        seal_to(node, write, &signer, &to, what, now)?;
        done.sealed += 1;
    }
    let given = pieces.last().map(|piece| piece.head.clone());
    for row in group {
        write.put_audience(&AudienceRow {
            given: given.clone(),
            given_at: Some(now),
            whole: false,
            ..row
        })?;
    }
    Ok(())
}

/// Seals a want to whoever sealed something to this instance; false while its card with a key is not here.
fn seal_want(node: &Node, write: &Write<'_>, origin: InstanceId, now: Timestamp) -> Result<bool> {
    let Some((key, _)) = key_of(&node.store, &origin)? else {
        return Ok(false);
    };
    let signer = node.signer()?;
    let to = Recipients {
        audience: &[origin],
        ids: vec![origin],
        keys: vec![key],
    };
    let want = want_for(node, &origin, &signer)?;
    write.outdone_for(&origin, Purpose::Want.as_str())?;
    seal_to(node, write, &signer, &to, (Purpose::Want, None, &want), now)?;
    write.owe_want(&origin, false)?;
    Ok(true)
}

/// The head from which a member is given the rest: the last one sealed to it, or what it confirmed where that never
/// came in the time that an envelope lasts.
fn stands_at(row: &AudienceRow, now: Timestamp) -> Option<&Held> {
    if row.whole {
        return None;
    }
    let is_over = row
        .given_at
        .is_some_and(|at| now.unix_ms().saturating_sub(at.unix_ms()) > LASTS_MS);
    if is_over {
        row.held.as_ref()
    } else {
        row.given.as_ref()
    }
}

/// To whom something is sealed.
pub(super) struct Recipients<'a> {
    /// Everybody who may read it.
    pub audience: &'a [InstanceId],
    /// Who gets this envelope, strictly rising.
    pub ids: Vec<InstanceId>,
    /// Their keys.
    pub keys: Vec<String>,
}

/// Seals something and lets it wait.
pub(super) fn seal_to(
    node: &Node,
    write: &Write<'_>,
    signer: &Signer,
    to: &Recipients<'_>,
    (purpose, since, content): (Purpose, Option<Timestamp>, &[u8]),
    now: Timestamp,
) -> Result<()> {
    let expires = now.plus_ms(LASTS_MS);
    let contents = Contents {
        purpose,
        audience: to.audience,
        since,
        expires,
        content,
    };
    let plain = contents.plaintext(node.identity(), signer);
    let mut keys = to.keys.clone();
    // Also to its origin, which may lose everything and be given it back.
    keys.push(own_key(&node.store, now)?);
    let body = crypt::seal(&plain, &keys)?;
    let envelope = Envelope::new(node.identity(), to.ids.clone(), expires, &body);
    let line = envelope.sign(signer);
    Ok(write.put_envelope(
        &NewEnvelope {
            hash: hash::sha256(&body),
            line: &line,
            body: &body,
            purpose: purpose.as_str(),
            recipients: &to.ids,
            expires,
        },
        now,
    )?)
}
