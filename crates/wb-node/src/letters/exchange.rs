//! Exchanging letters with a hub or a node: first what waits there is taken, then what waits here is given.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{Hash, InstanceId};
use wb_core::rule::Rule;
use wb_core::sync::{Cause, EnvelopeBody, EnvelopesTaken, GivenEnvelope};
use wb_core::time::Timestamp;
use wb_net::HubClient;
use wb_net::signed::CallError;

use super::take::{Taken, take};
use crate::error::NodeError;
use crate::node::Node;
use crate::sealed::{Gave, To};
use crate::sync::SyncEnd;

/// Pages of letters that are asked for in one sync; ends whoever always has more.
const PAGES_MAX: usize = 1_000;
/// Bytes of letters that are taken from one place in one sync, the rest with the next; bounds how long one sync lasts.
const TAKEN_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// Bytes of letters that stay there, of which no more are looked at in one sync; bounds what somebody costs who fills a
/// place with what nobody here takes.
const LEFT_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// Milliseconds after which letters that were left at a hub are asked for once more.
const LEFT_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was taken.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// Letters that said something new.
    pub taken: u64,
    /// Letters that wait for somebody here to accept who wrote them.
    pub left: u64,
    /// Letters that break a rule.
    pub refused: Vec<Rule>,
}

impl Exchanged {
    /// Counts what came of one letter.
    pub(crate) fn note(&mut self, taken: Taken) {
        match taken {
            Taken::New => self.taken += 1,
            Taken::Known => {}
            Taken::Left(_) | Taken::LeftUnproved(_) | Taken::Full(_) | Taken::Waits => {
                self.left += 1;
            }
            Taken::Refused(rule) => self.refused.push(rule),
        }
    }
}

/// Takes the letters that wait there for this instance, and says which it has.
pub(crate) async fn take_waiting(
    node: &Node,
    client: &mut HubClient,
    place: InstanceId,
    started: Timestamp,
) -> Result<Exchanged, SyncEnd> {
    let mut done = Exchanged::default();
    // What nobody here accepts is looked at once, and again when somebody decided something.
    let passed_before = node
        .store
        .mail_passed(&place, started.plus_ms(-LEFT_MS))
        .map_err(NodeError::from)?;
    let mut after = passed_before;
    let (mut passed, mut may_pass) = (None, true);
    // By origin where that is proved; what anybody may have made up is one number.
    let mut left: BTreeMap<Option<InstanceId>, u64> = BTreeMap::new();
    let mut origins = BTreeSet::new();
    let (mut bytes, mut left_bytes) = (0, 0);
    for _ in 0..PAGES_MAX {
        let page = match client.mail(after).await {
            Ok(page) => page,
            Err(error) if is_older(&error) => return Ok(done),
            Err(error) => return Err(error.into()),
        };
        let mut hashes: Vec<Hash> = Vec::new();
        for waiting in &page.envelopes {
            let taken = take(node, waiting.envelope.as_bytes(), &waiting.body.0)?;
            done.note(taken);
            let size = waiting.envelope.len() + waiting.body.0.len();
            bytes += size;
            left_bytes += if taken.stays() { size } else { 0 };
            // Nothing behind one that is only early may be passed over; it comes again, and is counted then.
            may_pass &= taken != Taken::Waits;
            origins.extend(taken.origin());
            if may_pass && taken.stays() {
                passed = Some(waiting.n);
                *left.entry(taken.proved_origin()).or_default() += 1;
            }
            if !taken.stays() {
                hashes.push(wb_core::hash::sha256(&waiting.body.0));
            }
        }
        for taken in EnvelopesTaken::calls(&hashes) {
            client.mail_taken(&taken).await?;
        }
        match page.next {
            // As with envelopes: it goes on from there the next time.
            _ if bytes > TAKEN_BYTES_MAX || left_bytes > LEFT_BYTES_MAX => {
                passed = page.envelopes.last().map(|last| last.n).or(passed);
                break;
            }
            // A place that does not go on would be asked for again and again.
            Some(next) if after.is_none_or(|after| next > after) => after = Some(next),
            _ => break,
        }
    }
    let left: Vec<(Option<InstanceId>, u64)> = left.into_iter().collect();
    let goes_on = passed_before.is_some();
    if passed.is_some() || !goes_on && node.store.has_mail_left(&place)? {
        let write = node.store.write_in_sight()?;
        write
            .note_mail_left(&place, goes_on, &left, started)
            .map_err(NodeError::from)?;
        if let Some(n) = passed {
            write
                .note_mail_passed(&node.store, &place, n, (&origins, goes_on), started)
                .map_err(NodeError::from)?;
        }
        write.commit().map_err(NodeError::from)?;
    }
    Ok(done)
}

/// Gives what waits here.
pub(crate) async fn give(node: &Node, client: &mut HubClient, to: To) -> Result<Gave, SyncEnd> {
    let (mut gave, now) = (Gave::default(), node.now());
    let (place, recipient) = match to {
        To::Hub(hub) => (hub, None),
        To::Node(id) => (id, Some(id)),
    };
    let private = node.store.private();
    let due = private.letters_due(&place, recipient.as_ref(), now);
    for no in due.map_err(NodeError::from)? {
        let Some(letter) = private.letter_sealed(no).map_err(NodeError::from)? else {
            continue;
        };
        let call = GivenEnvelope {
            schema_version: 1,
            envelope: String::from_utf8_lossy(&letter.line).into_owned(),
            body: EnvelopeBody(letter.body),
        };
        let is_kept = match client.give_letter(&call).await {
            Ok(kept) => !kept.kept_for.is_empty(),
            Err(error) if is_older(&error) => return Ok(gave),
            // One that is refused must not keep letters for others from going on.
            Err(error) => {
                gave.refused(error)?;
                false
            }
        };
        gave.kept += u64::from(is_kept);
        private
            .letter_given(&letter.hash, &place, is_kept, now)
            .map_err(NodeError::from)?;
    }
    Ok(gave)
}

/// Whether who answered is a program from before there were letters.
fn is_older(error: &CallError) -> bool {
    error.refusal() == Some(Cause::NotFound)
}
