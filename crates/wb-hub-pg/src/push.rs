//! Taking in what a member pushes: deltas of its own feed, each of which arrives once, and a snapshot where nothing
//! else leads on (spec: sync, push).

use std::collections::BTreeSet;

use wb_core::bundle::{Driver, Sink};
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};
use wb_core::ndjson;
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::sync::{Pushed, PushedFeed};
use wb_hub::{PushRefused, Quota, Room};

use crate::error::{PgError, Result};
use crate::feed::{Feed, Part, Taken};
use crate::member::{self, Member};
use crate::room;
use crate::write::Write;

/// Why a push stops.
#[derive(Debug)]
enum Stop {
    /// The database.
    Store(PgError),
    /// Nothing of it counts.
    Refused(PushRefused),
}

impl From<PgError> for Stop {
    fn from(error: PgError) -> Self {
        Self::Store(error)
    }
}

type Taking<T> = std::result::Result<T, Stop>;

/// Takes a push. Inside, why nothing of it counts: then drop the transaction.
pub(crate) fn push(
    write: &Write<'_, '_>,
    id: InstanceId,
    body: &[u8],
    quota: &Quota,
) -> Result<std::result::Result<Pushed, PushRefused>> {
    // Its caller asked a moment ago, and nobody who was let in is ever forgotten.
    let member = member::lock(write.tx, &id)?
        .ok_or_else(|| PgError::damaged("who pushes is not registered"))?;
    let member = member::end_if_over(write, &member)?;
    let feed = Feed::load(write, id, member.no, &named(body))?;
    let (bound, before) = begin(write, &feed, body, quota)?;
    let mut sink = PushSink {
        write,
        member,
        feed: &feed,
        part: None,
        taken: None,
    };
    let pushed = match drive(&mut sink, body) {
        Ok(pushed) => pushed,
        Err(Stop::Store(error)) => return Err(error),
        Err(Stop::Refused(refused)) => return Ok(Err(refused)),
    };
    feed.end()?;
    let (bound, after) = match bound {
        Some(bound) => (bound, records_only(feed.records())),
        None => {
            let room = room::room(write.tx, feed.no, feed.records())?;
            (room.bytes, room)
        }
    };
    if let Err(refused) = quota.check(&before, &after) {
        return Ok(Err(refused));
    }
    feed.put_bound(bound);
    feed.flush()?;
    Ok(Ok(pushed))
}

fn records_only(records: u64) -> Room {
    Room {
        records,
        ..Room::default()
    }
}

/// Looks before a push is taken: the bound after it, unless it has to be counted, and what there is now.
fn begin(
    write: &Write<'_, '_>,
    feed: &Feed<'_, '_, '_>,
    body: &[u8],
    quota: &Quota,
) -> Result<(Option<u64>, Room)> {
    let grows = Quota::grows(body);
    if let Some(bound) = feed.bound().map(|bound| bound.saturating_add(grows))
        && bound <= quota.bytes
    {
        return Ok((Some(bound), records_only(feed.records())));
    }
    let room = room::room(write.tx, feed.no, feed.records())?;
    let bound = room.bytes.saturating_add(grows);
    if bound <= quota.bytes {
        return Ok((Some(bound), records_only(feed.records())));
    }
    Ok((None, room))
}

/// Ids that lines of a body seem to name, to be read at once. Nothing depends on it: what is missing here is read
/// when it is asked for.
fn named(body: &[u8]) -> BTreeSet<RecordId> {
    const MEMBER: &[u8] = b"\"id\":\"";
    const LEN: usize = 36;
    let id = |line: &[u8]| {
        let at = line.windows(MEMBER.len()).position(|part| part == MEMBER)? + MEMBER.len();
        let text = std::str::from_utf8(line.get(at..at + LEN)?).ok()?;
        text.parse().ok()
    };
    ndjson::lines(body).filter_map(id).collect()
}

fn drive(sink: &mut PushSink<'_, '_, '_, '_>, body: &[u8]) -> Taking<Pushed> {
    let mut driver = Driver::sections();
    for line in ndjson::lines(body) {
        driver.push(line, sink)?;
    }
    driver.cut_off(sink)?;
    driver
        .finish()
        .map_err(|error| Stop::Refused(PushRefused::Body(error)))?;
    Ok(answer(&driver, sink.feed.heads()))
}

fn answer(driver: &Driver, own: Vec<wb_core::want::Held>) -> Pushed {
    let feeds = driver.feeds().iter().map(|feed| PushedFeed {
        scope: feed.scope,
        outcome: feed.outcome.to_owned(),
        rule: feed.rule.map(Rule::as_str).map(str::to_owned),
    });
    Pushed {
        schema_version: 1,
        feeds: feeds.collect(),
        own,
    }
}

/// Takes the sections of a push.
struct PushSink<'f, 'w, 't, 'c> {
    write: &'w Write<'t, 'c>,
    member: Member,
    feed: &'f Feed<'w, 't, 'c>,
    /// The part that a snapshot being taken is.
    part: Option<Part>,
    taken: Option<Taken>,
}

impl PushSink<'_, '_, '_, '_> {
    fn check(&self, origin: InstanceId) -> Taking<()> {
        check_own(self.feed.id, origin)
    }

    fn taken(&self) -> Taken {
        self.taken
            .expect("items come only for a snapshot that is taken")
    }
}

fn check_own(pusher: InstanceId, origin: InstanceId) -> Taking<()> {
    if origin == pusher {
        Ok(())
    } else {
        Err(Stop::Refused(PushRefused::NotYours(origin)))
    }
}

fn check_public(scope: FeedScope) -> Taking<()> {
    if scope == FeedScope::Public {
        Ok(())
    } else {
        Err(Stop::Refused(PushRefused::NotPublic))
    }
}

impl Sink for PushSink<'_, '_, '_, '_> {
    type Error = Stop;

    /// A refused delta leaves what came before it, so only a snapshot is a part of its own.
    fn keep_section(&mut self) -> Taking<()> {
        match self.part.take() {
            Some(_) => Ok(self.feed.keep_part()?),
            None => Ok(()),
        }
    }

    /// Without a part the body itself is at fault, and nothing of it will count.
    fn undo_section(&mut self) -> Taking<()> {
        match self.part.take() {
            Some(part) => Ok(self.feed.undo_part(part)?),
            None => Ok(()),
        }
    }

    fn known_identity(&mut self, id: &InstanceId) -> Taking<Option<IdentityLog>> {
        self.check(*id)?;
        Ok(self.feed.identity().as_deref().cloned())
    }

    fn identity(&mut self, log: IdentityLog) -> Taking<(Merge, IdentityLog)> {
        self.check(log.id())?;
        let place = self.write.arriving_n();
        let merge = self.feed.put_identity(&log)?;
        let told = member::tell_identity(self.write, &self.member, self.feed, place)?;
        self.member.told = told.or(self.member.told);
        let held = self.feed.identity();
        Ok((merge, held.as_deref().cloned().unwrap_or(log)))
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Taking<std::result::Result<SnapshotOutcome, Refusal>> {
        let totals = *snapshot.totals();
        self.check(totals.origin)?;
        check_public(totals.scope)?;
        self.part = Some(self.feed.begin_part()?);
        let placed = self.feed.place(snapshot, identity)?;
        Ok(placed.map(|(outcome, taken)| {
            self.taken = taken;
            outcome
        }))
    }

    fn item(&mut self, item: &Item<'_>) -> Taking<()> {
        Ok(self.feed.snapshot_item(self.taken(), item)?)
    }

    fn fill(&mut self, item: &Item<'_>) -> Taking<()> {
        Ok(self.feed.fill_item(item)?)
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Taking<()> {
        Ok(self.feed.snapshot_retracted(self.taken(), pairs)?)
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Taking<std::result::Result<(), Refusal>> {
        let finished = self.feed.finish_snapshot(snapshot, self.taken())?;
        self.taken = None;
        Ok(finished)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> Taking<Outcome> {
        self.check(delta.header.origin)?;
        check_public(delta.header.scope)?;
        Ok(self.feed.delta(delta)?)
    }
}
