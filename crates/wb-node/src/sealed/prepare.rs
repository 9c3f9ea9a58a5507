//! Sealing what is owed: to each member of the audience what it lacks, and a want to whoever sealed something to us.
//!
//! What is sealed waits in the database until somebody has it, so a crash loses nothing and seals nothing twice
//! that was given already.

use std::collections::BTreeMap;

use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::limits::{ENVELOPE_AGAIN_MS, ENVELOPES_PER_PAIR_MAX};
use wb_core::scope::FeedScope;
use wb_core::sealed::{Contents, Envelope, Purpose};
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{AudienceRow, Belongs, NewEnvelope, Write};

use super::content::{Given, lacking};
use super::crypt;
use super::keys::{LASTS_MS, Reachable, follow_card, forget_old_keys, key_of, own_key};
use super::part::{ask_again, is_due as is_due_to_part};
use super::want::want_for;
use crate::error::Result;
use crate::node::Node;

/// The word of envelopes that wait with what takes everything back from who was removed.
pub(crate) const PART: &str = "part";
/// Envelopes with the trusted feed that wait here for one member; more are thrown away, and one takes their place.
const WAITING_MAX: u64 = ENVELOPES_PER_PAIR_MAX / 2;

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

/// A member with what is sealed to it.
struct Owed {
    row: AudienceRow,
    key: String,
}

/// Seals what is owed now, in one transaction. What the own head confirmed by the guard says may be sealed was sealed
/// before, by publishing; here it is only wrapped.
///
/// # Errors
/// What the store reports, or that the signing key cannot be used. Nothing changes then.
pub fn prepare(node: &Node, now: Timestamp) -> Result<Prepared> {
    let mut done = Prepared::default();
    forget_old_keys(&node.store, now)?;
    if node.store.audience()?.is_empty() && node.store.wants_owed()?.is_empty() {
        return Ok(done);
    }
    let write = node.store.write_in_sight()?;
    // Read inside: whoever was removed while this waited is in no audience.
    let (audience, wants) = (node.store.audience()?, node.store.wants_owed()?);
    write.tidy_envelopes(now)?;
    let served = node.store.served();
    let head = served.head(&node.own_id(), FeedScope::TrustedPeers)?;
    let is_forked = node
        .store
        .forked_feeds()?
        .iter()
        .any(|feed| (feed.origin, feed.scope) == (node.own_id(), FeedScope::TrustedPeers));
    // What stands in a log that is closed by the next sealing would be given for nothing.
    let is_due = node
        .store
        .new_logs_due()?
        .iter()
        .any(|due| due.scope == FeedScope::TrustedPeers);
    let mut parted = Vec::new();
    let members: Vec<InstanceId> = audience
        .iter()
        .filter(|row| row.belongs == Belongs::In)
        .map(|row| row.member)
        .collect();
    // Who stands at one head with one from-date is given one envelope.
    let mut groups: BTreeMap<(Option<String>, Option<Timestamp>), Vec<Owed>> = BTreeMap::new();
    for mut row in audience {
        let (reachable, changed) = follow_card(node, &mut row, now)?;
        if changed {
            write.put_audience(&row)?;
        }
        if row.belongs != Belongs::In {
            let waits = write.waiting_for(&row.member, PART)? > 0;
            if is_due_to_part(&row, waits, now) {
                parted.push(row);
            }
            continue;
        }
        if reachable != Reachable::Yes {
            done.blocked.push((row.member, reachable));
            continue;
        }
        let waiting = write.waiting_for(&row.member, Purpose::Feed.as_str())?;
        if waiting > WAITING_MAX {
            write.outdone_for(&row.member, Purpose::Feed.as_str())?;
            row.given = row.held.clone();
        } else if waiting == 0 && is_over(&row, now) {
            // Somebody said that it has what was given last, and no want came of it.
            row.given = row.held.clone();
        }
        let from = stands_at(&row).map(Held::to_query);
        let since = row.since.max(row.rekeyed_at);
        let key = row.sealing_key.clone();
        let group = groups.entry((from, since)).or_default();
        group.push(Owed { row, key });
    }
    if !parted.is_empty() {
        done.sealed += ask_again(node, &write, &node.signer()?, parted, now)?;
    }
    if let Some(head) = head.filter(|_| !is_forked && !is_due) {
        let mut signer = None;
        for ((_, since), group) in groups {
            let from = stands_at(&group[0].row).cloned();
            let pieces = match lacking(served, &head, from.as_ref(), since)? {
                Given::Nothing => continue,
                Given::TooLarge => {
                    // What was not given before cannot be given now; what comes goes on from what it has, from the next
                    // time on.
                    for owed in group.iter().filter(|owed| owed.row.whole) {
                        write.put_audience(&AudienceRow {
                            whole: false,
                            ..owed.row.clone()
                        })?;
                    }
                    done.too_large
                        .extend(group.iter().map(|owed| owed.row.member));
                    continue;
                }
                Given::Pieces(pieces) => pieces,
            };
            let signer = match &signer {
                Some(signer) => signer,
                None => signer.insert(node.signer()?),
            };
            let to = Recipients {
                audience: &members,
                ids: group.iter().map(|owed| owed.row.member).collect(),
                keys: group.iter().map(|owed| owed.key.clone()).collect(),
                waits_as: Purpose::Feed.as_str(),
            };
            for piece in &pieces {
                let what = (Purpose::Feed, since, piece.content.as_slice());
                seal_to(node, &write, signer, &to, what, now)?;
                done.sealed += 1;
            }
            let last = pieces.last().map(|piece| piece.head.clone());
            for owed in group {
                write.put_audience(&AudienceRow {
                    given: last.clone(),
                    given_at: Some(now),
                    whole: false,
                    had: true,
                    ..owed.row
                })?;
            }
        }
    }
    for origin in wants {
        let Some(card) = key_of(&node.store, &origin)?.filter(|card| !card.is_old) else {
            continue;
        };
        let signer = node.signer()?;
        let audience = [origin];
        let to = Recipients {
            audience: &audience,
            ids: vec![origin],
            keys: vec![card.key],
            waits_as: Purpose::Want.as_str(),
        };
        let want = want_for(node, &origin, &signer)?;
        write.outdone_for(&origin, Purpose::Want.as_str())?;
        seal_to(
            node,
            &write,
            &signer,
            &to,
            (Purpose::Want, None, &want),
            now,
        )?;
        write.owe_want(&origin, false)?;
        done.sealed += 1;
    }
    write.commit()?;
    Ok(done)
}

/// The head from which a member is given the rest: the last one sealed to it, from the beginning where all is due.
fn stands_at(row: &AudienceRow) -> Option<&Held> {
    row.given.as_ref().filter(|_| !row.whole)
}

/// Whether what was given to a member last should have come by now.
pub(super) fn is_over(row: &AudienceRow, now: Timestamp) -> bool {
    row.given_at
        .is_some_and(|at| now.unix_ms().saturating_sub(at.unix_ms()) > ENVELOPE_AGAIN_MS)
}

/// To whom something is sealed.
pub(super) struct Recipients<'a> {
    /// Everybody who may read it.
    pub audience: &'a [InstanceId],
    /// Who gets this envelope, strictly rising.
    pub ids: Vec<InstanceId>,
    /// Their keys.
    pub keys: Vec<String>,
    /// The word under which it waits here.
    pub waits_as: &'a str,
}

/// Something sealed.
pub(super) struct SealedUp {
    /// The signed line.
    pub line: Vec<u8>,
    /// What is sealed.
    pub body: Vec<u8>,
    /// After which nobody takes it.
    expires: Timestamp,
}

/// Seals something.
pub(super) fn seal(
    node: &Node,
    signer: &Signer,
    to: &Recipients<'_>,
    (purpose, since, content): (Purpose, Option<Timestamp>, &[u8]),
    now: Timestamp,
) -> Result<SealedUp> {
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
    // Also to its origin, which may look at what it gave.
    keys.push(own_key(&node.store, now)?);
    let body = crypt::seal(&plain, &keys)?;
    let envelope = Envelope::new(node.identity(), to.ids.clone(), expires, &body);
    Ok(SealedUp {
        line: envelope.sign(signer),
        body,
        expires,
    })
}

/// Seals something and lets it wait.
pub(super) fn seal_to(
    node: &Node,
    write: &Write<'_>,
    signer: &Signer,
    to: &Recipients<'_>,
    what: (Purpose, Option<Timestamp>, &[u8]),
    now: Timestamp,
) -> Result<()> {
    let sealed = seal(node, signer, to, what, now)?;
    Ok(write.put_envelope(
        &NewEnvelope {
            hash: hash::sha256(&sealed.body),
            line: &sealed.line,
            body: &sealed.body,
            purpose: to.waits_as,
            recipients: &to.ids,
            expires: sealed.expires,
        },
        now,
    )?)
}
