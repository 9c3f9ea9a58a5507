//! Exchanging envelopes with a hub or a node: first what waits there is taken, then what waits here is given.

use std::collections::BTreeSet;

use wb_core::id::{Hash, InstanceId};
use wb_core::rule::Rule;
use wb_core::sync::{Cause, EnvelopeBody, EnvelopesTaken, GivenEnvelope};
use wb_net::HubClient;
use wb_net::signed::CallError;
use wb_store::Changed;

use super::take::{Coming, Taken, name_of, take};
use crate::error::NodeError;
use crate::node::Node;
use crate::sync::SyncEnd;

/// Pages of envelopes that are asked for in one sync; ends whoever always has more.
const PAGES_MAX: usize = 1_000;

/// Bytes of envelopes that are taken from one place in one sync, the rest with the next; bounds how long one sync lasts,
/// and what a place that makes envelopes up costs.
const TAKEN_BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// Milliseconds after which envelopes that were left at a hub are asked for once more.
const LEFT_MS: i64 = 24 * 60 * 60 * 1_000;

/// To whom envelopes are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// A hub, which keeps them for others.
    Hub(InstanceId),
    /// A node, which gets what is for it.
    Node(InstanceId),
}

impl To {
    /// Those of whom it counts that something is kept for them there. A node has what it was given itself; what it says
    /// of others would take theirs from them.
    fn believed(self, kept_for: &[InstanceId]) -> impl Iterator<Item = &InstanceId> {
        kept_for.iter().filter(move |id| match self {
            Self::Hub(_) => true,
            Self::Node(own) => **id == own,
        })
    }
}

/// What was exchanged.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// Envelopes that were taken.
    pub taken: u64,
    /// What they changed here.
    pub changed: Vec<Changed>,
    /// Envelopes that wait for somebody here to accept their origin.
    pub left: u64,
    /// Envelopes that break a rule.
    pub refused: Vec<Rule>,
    /// The run by which something came.
    pub run_no: Option<i64>,
    /// Sections of feeds among them.
    pub feeds: u64,
}

impl Exchanged {
    /// Counts what came of one envelope; true where it stays where it is.
    pub(crate) fn note(&mut self, taken: Taken) -> bool {
        match taken {
            Taken::New {
                changed,
                run_no,
                is_feed,
            } => {
                self.taken += 1;
                self.feeds += u64::from(is_feed);
                self.changed.extend(changed);
                self.run_no = run_no;
            }
            Taken::Known => {}
            Taken::Left(_) | Taken::Waits => {
                self.left += 1;
                return true;
            }
            Taken::Refused(rule) => self.refused.push(rule),
        }
        false
    }
}

/// Takes what waits there for this instance, and says what it has.
pub(crate) async fn take_waiting(
    node: &Node,
    client: &mut HubClient,
    coming: Coming<'_>,
) -> Result<Exchanged, SyncEnd> {
    let mut done = Exchanged {
        run_no: coming.run_no,
        ..Exchanged::default()
    };
    let hub = coming.peer;
    // What nobody here accepts is looked at once, and again when somebody decided something.
    let left_before = node
        .store
        .left_up_to(&hub, coming.started.plus_ms(-LEFT_MS))
        .map_err(NodeError::from)?;
    let mut after = left_before;
    let (mut passed, mut may_pass) = (None, true);
    let mut origins = BTreeSet::new();
    let mut bytes = 0;
    for _ in 0..PAGES_MAX {
        let page = match client.envelopes(after).await {
            Ok(page) => page,
            Err(error) if is_older(&error) => return Ok(done),
            Err(error) => return Err(error.into()),
        };
        let mut hashes: Vec<Hash> = Vec::new();
        for waiting in &page.envelopes {
            let coming = Coming {
                run_no: done.run_no,
                ..coming
            };
            let line = waiting.envelope.as_bytes();
            bytes += line.len() + waiting.body.0.len();
            let taken = take(node, line, &waiting.body.0, coming)?;
            may_pass &= !matches!(taken, Taken::Waits);
            if let Taken::Left(origin) = taken {
                origins.insert(origin);
                if may_pass {
                    passed = Some(waiting.n);
                }
            }
            if !done.note(taken) {
                hashes.push(name_of(&waiting.body.0));
            }
        }
        for taken in EnvelopesTaken::calls(&hashes) {
            client.envelopes_taken(&taken).await?;
        }
        match page.next {
            // It goes on from there the next time, also past what waits: otherwise two senders keep all others from
            // coming. What stays is looked at again once its origin changes, or after a day.
            _ if bytes > TAKEN_BYTES_MAX => {
                passed = page.envelopes.last().map(|last| last.n).or(passed);
                break;
            }
            // A place that does not go on would be asked for again and again.
            Some(next) if after.is_none_or(|after| next > after) => after = Some(next),
            _ => break,
        }
    }
    if let Some(n) = passed {
        let write = node.store.write_in_sight()?;
        write
            .note_left(
                &node.store,
                &hub,
                n,
                (&origins, left_before.is_some()),
                coming.started,
            )
            .map_err(NodeError::from)?;
        write.commit().map_err(NodeError::from)?;
    }
    Ok(done)
}

/// What was given, and what somebody refused of it.
#[derive(Debug, Default)]
pub(crate) struct Gave {
    /// How many are kept there.
    pub kept: u64,
    /// The first that was refused for what it is. The others went on all the same.
    pub trouble: Option<SyncEnd>,
}

impl Gave {
    /// Takes a refusal that is about the one thing that was given, so that the next is given all the same.
    ///
    /// # Errors
    /// Any other, which ends the giving.
    pub(crate) fn refused(&mut self, error: CallError) -> Result<(), SyncEnd> {
        match error.refusal() {
            // What is full there empties by itself.
            Some(Cause::OverQuota) => Ok(()),
            Some(Cause::BadRequest | Cause::TooLarge) => {
                self.trouble.get_or_insert(error.into());
                Ok(())
            }
            _ => Err(error.into()),
        }
    }
}

/// Gives what waits here.
pub(crate) async fn give(node: &mut Node, client: &mut HubClient, to: To) -> Result<Gave, SyncEnd> {
    let (mut gave, now) = (Gave::default(), node.now());
    let waiting = match to {
        To::Hub(hub) => node.store.envelopes_for_hub(&hub, now),
        To::Node(id) => node.store.envelopes_waiting(Some(&id)),
    };
    for n in waiting.map_err(NodeError::from)? {
        let Some(envelope) = node.store.envelope_waiting(n)? else {
            continue;
        };
        let call = GivenEnvelope {
            schema_version: 1,
            envelope: String::from_utf8_lossy(&envelope.line).into_owned(),
            body: EnvelopeBody(envelope.body),
        };
        let kept_for = match client.give_envelope(&call).await {
            Ok(kept) => kept.kept_for,
            Err(error) if is_older(&error) => return Ok(gave),
            Err(error) => {
                gave.refused(error)?;
                Vec::new()
            }
        };
        gave.kept += u64::from(!kept_for.is_empty());
        let write = node.store.write().map_err(NodeError::from)?;
        match to {
            To::Hub(hub) => {
                // A hub is one more place: what it keeps may be lost there, so it waits here until its reader says by a
                // want what it has.
                for recipient in to.believed(&kept_for) {
                    write.envelope_kept(n, recipient, &hub, now)?;
                }
                // Where somebody is left, the hub has nobody of that name, or no room for it.
                write.nobody_there(n, &hub, now)?;
            }
            To::Node(_) => {
                for reader in to.believed(&kept_for) {
                    write.envelope_given(&envelope.hash, reader)?;
                }
            }
        }
        write.commit()?;
    }
    Ok(gave)
}

/// Whether who answered is a program from before there were envelopes.
fn is_older(error: &CallError) -> bool {
    error.refusal() == Some(Cause::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer answered that it keeps it for somebody else as well, and that one was given nothing any more.
    #[test]
    fn what_a_peer_says_of_others_is_not_believed() {
        let [oak, elm] = [1, 2].map(|byte| InstanceId([byte; 32]));
        let believed = |to: To, kept_for: &[InstanceId]| -> Vec<InstanceId> {
            to.believed(kept_for).copied().collect()
        };
        assert_eq!(believed(To::Node(oak), &[elm, oak]), [oak]);
        assert_eq!(believed(To::Node(oak), &[elm]), []);
        assert_eq!(believed(To::Hub(oak), &[elm]), [elm]);
    }
}
