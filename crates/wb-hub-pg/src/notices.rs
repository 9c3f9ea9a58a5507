//! A hub's own notices: its feed among those that it relays, and what follows from it (spec: notices).
//!
//! What a hub left out or let in again is a fold over the notices that are live in its feed. [`heed`] makes everything
//! what they say; doing it again changes nothing, so whoever was interrupted just does it again. A line that is withheld
//! lies beside the feed in its own row, where nothing that is served reads it.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, NoticeAct, Subject};
use wb_core::line::Line;
use wb_core::notice::{Book, Said};
use wb_core::sync::{Policy, Standing, Visibility};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_hub::{
    CarryRefused, Effect, HubNotices, Kept, NoticeRow, PushRefused, Quota, RecordFace, Registering,
};

use crate::changes::pending;
use crate::error::{PgError, Result};
use crate::feed::Feed;
use crate::follow::followers;
use crate::hub::PgHub;
use crate::listing::{list, touch_what_was_said_by};
use crate::member::{self, Member, arrive_again, list_from_now, note_decided, set_standing};
use crate::tx::{Columns as _, Tx};
use crate::write::Write;
use crate::{envelopes, heads, mail, push};

/// What is withheld of a record: one line, or every revision.
type Withheld = BTreeMap<RecordRef, Option<Hash>>;

/// What a hub says has no quota.
const WITHOUT_LIMIT: Quota = Quota {
    bytes: u64::MAX,
    records: u64::MAX,
};

impl HubNotices for PgHub {
    async fn own_heads(&self, id: InstanceId) -> Kept<Vec<Held>> {
        self.read(move |tx| heads::own(tx, &id)).await
    }

    async fn carry(
        &self,
        hub: Registering,
        pages: Vec<Vec<u8>>,
        now: Timestamp,
    ) -> Kept<std::result::Result<(), CarryRefused>> {
        self.change(now, move |write| carry(write, &hub, &pages))
            .await
    }

    async fn notices(&self, now: Timestamp) -> Kept<Vec<NoticeRow>> {
        self.read(move |tx| all(tx, now)).await
    }

    async fn effect(&self, subject: Subject, now: Timestamp) -> Kept<Option<Effect>> {
        self.read(move |tx| effect(tx, &subject, now)).await
    }
}

/// Takes what the hub's own instance sealed, and makes everything as its notices say.
fn carry(
    write: &Write<'_, '_>,
    hub: &Registering,
    pages: &[Vec<u8>],
) -> Result<std::result::Result<(), CarryRefused>> {
    let id = hub.identity.id();
    let held = member::lock(write.tx, &id)?;
    let registering = Registering {
        visibility: Visibility::Unlisted,
        counter: held.map_or(1, |held| held.counter + 1),
        ..hub.clone()
    };
    let registered = member::register(write, &registering, Policy::Open, (u64::MAX, write.now))?;
    if let Err(refused) = registered {
        return Ok(Err(CarryRefused(format!("{refused:?}"))));
    }
    // Its feed goes to every member, and it is in no list.
    write.tx.execute(
        "UPDATE members SET is_hub = true, listed = false, standing = 'member', asks_listed = NULL WHERE id = $1",
        &[&&id.0[..]],
    )?;
    for page in pages {
        let pushed = match push::push(write, id, page, &WITHOUT_LIMIT)? {
            Ok(pushed) => pushed,
            Err(PushRefused::Body(error)) => return Ok(Err(CarryRefused(error.to_string()))),
            Err(_) => return Ok(Err(CarryRefused("it is of another instance".to_owned()))),
        };
        let good = ["append", "duplicate", "take"];
        let mut feeds = pushed.feeds.iter();
        if let Some(feed) = feeds.find(|feed| !good.contains(&feed.outcome.as_str())) {
            return Ok(Err(CarryRefused(feed.outcome.clone())));
        }
    }
    heed(write)?;
    Ok(Ok(()))
}

/// What a member is to be by the notice that stands about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As if nothing had been said.
    Free,
    Delisted,
    Suspended,
    Revoked,
}

impl Place {
    fn of(said: &Said, now: Timestamp) -> Self {
        match said.notice.act {
            _ if !said.notice.is_in_force(now) => Self::Free,
            NoticeAct::Delist => Self::Delisted,
            NoticeAct::Suspend => Self::Suspended,
            NoticeAct::Revoke => Self::Revoked,
            NoticeAct::Withhold | NoticeAct::Reinstate => Self::Free,
        }
    }
}

/// The notices live in the hub's feed, in no order; none where the hub said nothing yet.
fn said(tx: &Tx<'_>) -> Result<Option<Vec<Said>>> {
    let [hub, rows] = tx.all([
        ("SELECT 1 FROM members WHERE is_hub", &[]),
        (
            "SELECT l.id, x.line_hash, x.line FROM members m JOIN listings l ON l.instance_no = m.instance_no
             JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no
             WHERE m.is_hub AND l.kind = 'notice' AND x.line IS NOT NULL",
            &[],
        ),
    ])?;
    if hub.is_empty() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for row in &rows {
        let line = Line::read(row.value(2)?)
            .map_err(|rule| PgError::damaged(format!("a stored line breaks {rule}")))?;
        if let Ok(Body::Notice(notice)) = Body::of_line(&line) {
            all.push(Said {
                id: row.record(0)?,
                line_hash: row.hash(1)?,
                notice,
            });
        }
    }
    Ok(Some(all))
}

/// Makes everything as the notices say that are live in the hub's own feed. Whether anything had to be changed.
pub(crate) fn heed(write: &Write<'_, '_>) -> Result<bool> {
    let tx = write.tx;
    // Of two that heed at once the second sees what the first did.
    tx.rows("SELECT 1 FROM members WHERE is_hub FOR UPDATE", &[])?;
    let Some(said) = said(tx)? else {
        return Ok(false);
    };
    let book = Book::of(said);
    let mut changed = false;
    let applied = tx.rows(
        "SELECT id FROM members WHERE notice IS NOT NULL ORDER BY id",
        &[],
    )?;
    for row in applied {
        let id = row.instance(0)?;
        // What was taken back, and nothing stands in its place.
        let is_named = book
            .iter()
            .any(|(subject, _)| *subject == Subject::Instance(id));
        if !is_named && let Some(member) = member::lock(tx, &id)? {
            place(write, &member, Place::Free, None)?;
            changed = true;
        }
    }
    for (subject, said) in book.iter() {
        if let Subject::Instance(id) = subject {
            changed |= heed_one(write, id, said)?;
        }
    }
    let wanted = book.iter().filter_map(|(subject, said)| match subject {
        Subject::Record(key) if said.notice.is_in_force(write.now) => {
            Some((*key, said.notice.line))
        }
        _ => None,
    });
    changed |= withhold(write, &wanted.collect())?;
    if changed {
        note_decided(tx)?;
    }
    Ok(changed)
}

fn heed_one(write: &Write<'_, '_>, id: &InstanceId, said: &Said) -> Result<bool> {
    let Some(member) = member::lock(write.tx, id)? else {
        return Ok(false);
    };
    let wanted = Place::of(said, write.now);
    // What is over by itself is over though no notice came.
    let is_over = wanted == Place::Free && member.delisted;
    if member.notice == Some(said.line_hash) && !is_over {
        return Ok(false);
    }
    place(write, &member, wanted, Some(said))?;
    Ok(true)
}

/// Puts a member where a notice wants it.
fn place(write: &Write<'_, '_>, member: &Member, place: Place, said: Option<&Said>) -> Result<()> {
    let notice = said.map(|said| said.line_hash.0.to_vec());
    write.tx.execute(
        "UPDATE members SET revoked = $2, notice = $3 WHERE instance_no = $1",
        &[&member.no, &(place == Place::Revoked), &notice],
    )?;
    set_delisted(write, member, place == Place::Delisted)?;
    let is_out = member.standings(write.now).standing == Standing::Suspended;
    match (place, said) {
        (Place::Suspended | Place::Revoked, Some(said)) => {
            let (reason, until) = (said.notice.reason.as_str(), said.notice.until);
            set_standing(write, member.id, Standing::Suspended, Some(reason), until)?;
        }
        _ if is_out => {
            set_standing(write, member.id, Standing::Member, None, None)?;
        }
        _ => {}
    }
    Ok(())
}

fn set_delisted(write: &Write<'_, '_>, member: &Member, delisted: bool) -> Result<()> {
    if member.delisted == delisted {
        return Ok(());
    }
    let sql = if delisted {
        "UPDATE members SET asks_listed = listed, listed = false, delisted = true WHERE instance_no = $1
         RETURNING listed"
    } else {
        "UPDATE members SET listed = coalesce(asks_listed, listed), asks_listed = NULL, delisted = false
         WHERE instance_no = $1 RETURNING listed"
    };
    let after = Member {
        listed: write.tx.one(sql, &[&member.no])?.value(0)?,
        delisted,
        ..member.clone()
    };
    if after.visibility().is_in_directory() {
        let feed = Feed::load(write, member.id, member.no, &BTreeSet::new())?;
        list_from_now(write, &after, &feed, write.arriving_n())?;
        feed.end()?;
    }
    touch_what_was_said_by(write, (member.id, member.no))
}

/// What is withheld, with the numbers of those that it is of.
fn withheld(tx: &Tx<'_>) -> Result<(Withheld, BTreeMap<InstanceId, i64>)> {
    let rows = tx.rows(
        "SELECT m.id, w.id, w.line_hash, m.instance_no FROM withheld w JOIN members m USING (instance_no)",
        &[],
    )?;
    let (mut held, mut nos) = (Withheld::new(), BTreeMap::new());
    for row in &rows {
        let key = RecordRef {
            origin: row.instance(0)?,
            id: row.record(1)?,
        };
        held.insert(key, row.hash_or(2)?);
        nos.insert(key.origin, row.value(3)?);
    }
    Ok((held, nos))
}

/// Withholds what is wanted and nothing else. Of whom a line is served again, everything arrives again.
fn withhold(write: &Write<'_, '_>, wanted: &Withheld) -> Result<bool> {
    let (held, _) = withheld(write.tx)?;
    if held == *wanted {
        return Ok(false);
    }
    for (key, line) in &held {
        if wanted.get(key) != Some(line) {
            give_back(write, key)?;
        }
    }
    for (key, line) in wanted {
        if held.get(key) != Some(line) {
            take_out(write, key, line.as_ref())?;
        }
    }
    let freed = held.keys().filter(|key| !wanted.contains_key(key));
    let served: BTreeSet<InstanceId> = freed.map(|key| key.origin).collect();
    for origin in served {
        if let Some(member) = member::lock(write.tx, &origin)? {
            arrive_again(write, &member)?;
        }
    }
    Ok(true)
}

fn take_out(write: &Write<'_, '_>, key: &RecordRef, line: Option<&Hash>) -> Result<()> {
    let Some(member) = member::lock(write.tx, &key.origin)? else {
        return Ok(());
    };
    let (id, only) = (&key.id.as_bytes()[..], line.map(|line| &line.0[..]));
    write.tx.execute(
        "INSERT INTO withheld (instance_no, id, line_hash) VALUES ($1, $2, $3)
         ON CONFLICT (instance_no, id) DO UPDATE SET line_hash = excluded.line_hash",
        &[&member.no, &id, &only],
    )?;
    write.tx.execute(
        "UPDATE lines SET withheld = line, line = NULL WHERE instance_no = $1 AND id = $2 AND line IS NOT NULL
           AND ($3::bytea IS NULL OR line_hash = $3)",
        &[&member.no, &id, &only],
    )?;
    note_served(write, member.no)?;
    list(write, (member.id, member.no), [key.id])
}

/// Pages of snapshots that were made of a feed before are not served any more.
fn note_served(write: &Write<'_, '_>, no: i64) -> Result<()> {
    write.tx.execute(
        "UPDATE feeds SET served = served + 1 WHERE instance_no = $1",
        &[&no],
    )?;
    Ok(())
}

fn give_back(write: &Write<'_, '_>, key: &RecordRef) -> Result<()> {
    let Some(member) = member::lock(write.tx, &key.origin)? else {
        return Ok(());
    };
    let id = &key.id.as_bytes()[..];
    write.tx.execute(
        "DELETE FROM withheld WHERE instance_no = $1 AND id = $2",
        &[&member.no, &id],
    )?;
    write.tx.execute(
        "UPDATE lines SET line = withheld, withheld = NULL WHERE instance_no = $1 AND id = $2 AND withheld IS NOT NULL",
        &[&member.no, &id],
    )?;
    note_served(write, member.no)?;
    list(write, (member.id, member.no), [key.id])
}

/// Keeps what somebody replied to a notice; false where it replied otherwise before.
pub(crate) fn put_reply(
    tx: &Tx<'_>,
    notice: &RecordId,
    origin: &InstanceId,
    line: &[u8],
    now: Timestamp,
) -> Result<bool> {
    let id = &notice.as_bytes()[..];
    tx.execute(
        "INSERT INTO replies (notice, origin, line, at) VALUES ($1, $2, $3, $4) ON CONFLICT (notice) DO NOTHING",
        &[&id, &&origin.0[..], &line, &now.unix_ms()],
    )?;
    let held = tx.one("SELECT line FROM replies WHERE notice = $1", &[&id])?;
    Ok(held.value::<&[u8]>(0)? == line)
}

/// The notices of this hub, the newest first: those that were undone as well, but not those that were taken back.
pub(crate) fn all(tx: &Tx<'_>, now: Timestamp) -> Result<Vec<NoticeRow>> {
    let said = said(tx)?.unwrap_or_default();
    let book = Book::of(said.clone());
    let mut rows = Vec::with_capacity(said.len());
    for said in said {
        let about = said.notice.about();
        let member = member::load(tx, &said.notice.subject)?;
        let stands = book
            .iter()
            .any(|(subject, standing)| *subject == about && standing.id == said.id);
        let reply = tx.row(
            "SELECT line FROM replies WHERE notice = $1",
            &[&&said.id.as_bytes()[..]],
        )?;
        rows.push(NoticeRow {
            stands,
            in_force: stands && said.notice.is_in_force(now),
            asks_listed: member
                .as_ref()
                .is_some_and(|member| member.asks == Visibility::Public),
            name: member.map(|member| member.name),
            reply: reply.map(|row| row.bytes(0)).transpose()?,
            said,
        });
    }
    rows.sort_by_key(|row| std::cmp::Reverse((row.said.notice.n, row.said.line_hash)));
    Ok(rows)
}

/// Whom a decision about an instance or a record would touch; none where nothing of it is here.
fn effect(tx: &Tx<'_>, subject: &Subject, now: Timestamp) -> Result<Option<Effect>> {
    let id = subject.instance();
    let Some(member) = member::load(tx, &id)? else {
        return Ok(None);
    };
    let record = match subject {
        Subject::Instance(_) => None,
        Subject::Record(key) => match face(tx, member.no, key)? {
            Some(face) => Some(face),
            None => return Ok(None),
        },
    };
    let mut kinds = BTreeMap::new();
    for head in heads::of(tx, &[id])?.into_values() {
        for (kind, n) in head.kinds {
            *kinds.entry(kind).or_default() += n;
        }
    }
    let (key, at) = (&id.0[..], now.unix_ms());
    let by_id = tx.one(
        "SELECT count(*) FROM members WHERE id <> $1 AND $1 = ANY (follows_ids)",
        &[&key],
    )?;
    let waits = pending(tx, &id, now)?
        + tx.one(envelopes::WAITING, &[&key, &at])?.number(0)?
        + tx.one(mail::WAITING, &[&key, &at])?.number(0)?;
    Ok(Some(Effect {
        followers: followers(tx, &id)?,
        by_id: by_id.number(0)?,
        kinds,
        waits,
        record,
    }))
}

fn face(tx: &Tx<'_>, no: i64, key: &RecordRef) -> Result<Option<RecordFace>> {
    let row = tx.row(
        "SELECT x.kind, x.line_hash, coalesce(x.line, x.withheld),
           (SELECT count(*) FROM listings l WHERE l.parent_id = x.id AND l.parent_origin = $3),
           EXISTS (SELECT 1 FROM withheld w WHERE w.instance_no = x.instance_no AND w.id = x.id
                   AND (w.line_hash IS NULL OR w.line_hash = x.line_hash))
         FROM lines x WHERE x.instance_no = $1 AND x.id = $2 AND x.live = 1",
        &[&no, &&key.id.as_bytes()[..], &&key.origin.0[..]],
    )?;
    let Some(row) = row else { return Ok(None) };
    let line: Option<&[u8]> = row.value(2)?;
    let body = line.and_then(|line| Line::read(line).ok().map(|line| line.body().to_owned()));
    Ok(Some(RecordFace {
        kind: row.word(0)?,
        line_hash: row.hash(1)?,
        body,
        is_withheld: row.value(4)?,
        children: row.number(3)?,
    }))
}
