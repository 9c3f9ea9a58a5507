//! The calls of a hub's service.

use std::collections::BTreeMap;
use std::convert::Infallible;

use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::limits::{HEADS_PAGE_MAX, VOUCHES_PAGE_MAX};
use wb_core::ndjson;
use wb_core::receipt::{RECEIPTS_PAGE_MAX, Receipt};
use wb_core::scope::FeedScope;
use wb_core::sync::{
    Cursor, Directory, EnvelopesPage, FollowList, Follows, Heads, Policy, Pushed, Receipts,
    StaleReceipt, Standing, Standings, TurnAnswer, TurnCall, Visibility, VouchesAsk, VouchesPage,
};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_hub::{
    ChangesPage, Decision, EnvelopeRefused, HubStore, Keeping, KeepingLetter, Kept, LetterRefused,
    LinesPage, MemberRow, NoticeRow, PageRefused, PushRefused, RegisterRefused, Registering,
    RoomRow, SnapshotAsk, SnapshotStamp, Watched,
};

use crate::hub::PgHub;
use crate::tx::Columns as _;
use crate::write::Write;
use crate::{
    arrivals, changes, counts, envelopes, follow, forget, heads, history, identity, lines, listen,
    mail, member, notices, own, push, receipts, room, snapshot, turns, vouches,
};

/// A member's place is noted at least this often while it asks; it moves with every page anyway.
const SEEN_EVERY_MS: i64 = 60_000;
/// How long a registration that waits is kept in any case.
const WAITING_KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Whether it is time to note where a member stands.
fn is_stale(seen: (u64, Option<Timestamp>), n: u64, now: Timestamp) -> bool {
    let at = seen.1.map_or(i64::MIN, Timestamp::unix_ms);
    seen.0 != n || at.saturating_add(SEEN_EVERY_MS) < now.unix_ms()
}

/// What a transaction that never refuses gave.
fn always<T>(kept: Result<T, Infallible>) -> T {
    match kept {
        Ok(kept) => kept,
        Err(never) => match never {},
    }
}

impl HubStore for PgHub {
    async fn identity(&self, id: InstanceId) -> Kept<Option<IdentityLog>> {
        self.read(move |tx| identity::load(tx, &id)).await
    }

    async fn register(
        &self,
        registering: Registering,
        policy: Policy,
        now: Timestamp,
    ) -> Kept<Result<Standings, RegisterRefused>> {
        let limits = (self.limits.waiting, now.plus_ms(-WAITING_KEPT_MS));
        // Of one that is stale the identity log counts.
        let register = move |write: &Write<'_, '_>| {
            member::register(write, &registering, policy, limits).map(Ok::<_, Infallible>)
        };
        self.change(now, register).await.map(always)
    }

    async fn asked(&self, id: InstanceId, now: Timestamp) -> Kept<()> {
        let member = self.read(move |tx| member::load(tx, &id)).await?;
        match member {
            Some(member) if is_stale((member.seen_n, member.seen_at), member.seen_n, now) => {
                self.write(move |tx| member::note_seen(tx, member.no, member.seen_n, now))
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn standing(&self, id: InstanceId, now: Timestamp) -> Kept<Option<Standings>> {
        let member = self.read(move |tx| member::load(tx, &id)).await?;
        Ok(member.map(|member| member.standings(now)))
    }

    async fn directory(
        &self,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Directory> {
        self.read(move |tx| heads::directory(tx, after.as_ref(), limit, now))
            .await
    }

    async fn vouches(&self, ask: VouchesAsk, now: Timestamp) -> Kept<VouchesPage> {
        let bytes = self.page_bytes;
        self.read(move |tx| vouches::page(tx, &ask, VOUCHES_PAGE_MAX, bytes, now))
            .await
    }

    async fn put_follows(&self, id: InstanceId, list: FollowList) -> Kept<Result<Follows, u64>> {
        let can_notify = self.can_notify().await?;
        self.write(move |tx| {
            let put = follow::put(tx, &id, &list)?;
            if can_notify && put.is_ok() {
                listen::tell_follows(tx, &id)?;
            }
            Ok(put)
        })
        .await
    }

    async fn heads(
        &self,
        id: InstanceId,
        after: Option<InstanceId>,
        now: Timestamp,
    ) -> Kept<Heads> {
        self.read(move |tx| heads::heads(tx, &id, after.as_ref(), HEADS_PAGE_MAX, now))
            .await
    }

    async fn changes(
        &self,
        id: InstanceId,
        since: Cursor,
        now: Timestamp,
    ) -> Kept<Result<ChangesPage, PageRefused>> {
        let bytes = self.page_bytes;
        let changes = self
            .read(move |tx| changes::changes(tx, &id, &since, bytes, now))
            .await?;
        let changes = match changes {
            Ok(changes) => changes,
            Err(refused) => return Ok(Err(refused)),
        };
        if is_stale(changes.seen, since.n, now) {
            let no = changes.member_no;
            // As well as it goes: a full disk is no reason not to read.
            let _ = self
                .write(move |tx| member::note_seen(tx, no, since.n, now))
                .await;
        }
        let has_news = !changes.body.is_empty();
        let mut body = Vec::new();
        ndjson::put_line(&mut body, &wb_core::signed::payload(&changes.section));
        body.extend_from_slice(&changes.body);
        Ok(Ok(ChangesPage {
            body,
            has_news,
            follows: changes.follows,
        }))
    }

    async fn snapshot(
        &self,
        ask: SnapshotAsk,
        now: Timestamp,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        let bytes = self.page_bytes;
        self.read(move |tx| snapshot::page(tx, &ask, bytes, now))
            .await
    }

    async fn snapshot_stamp(
        &self,
        origin: InstanceId,
        scope: FeedScope,
        now: Timestamp,
    ) -> Kept<Option<SnapshotStamp>> {
        self.read(move |tx| {
            let Some(text) = snapshot::stamp(tx, &origin, scope, now)? else {
                return Ok(None);
            };
            let member = member::load(tx, &origin)?;
            let is_public = |member: member::Member| member.visibility() == Visibility::Public;
            Ok(Some(SnapshotStamp {
                text,
                for_everybody: member.is_some_and(is_public),
            }))
        })
        .await
    }

    async fn lines(&self, ask: LinesPage, now: Timestamp) -> Kept<Result<Vec<u8>, PageRefused>> {
        let bytes = self.page_bytes;
        self.read(move |tx| lines::page(tx, &ask, bytes, now)).await
    }

    async fn own(
        &self,
        id: InstanceId,
        scope: FeedScope,
        after: Option<Held>,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        let bytes = self.page_bytes;
        self.read(move |tx| own::page(tx, &id, scope, after.as_ref(), bytes))
            .await
    }

    async fn own_head(&self, id: InstanceId) -> Kept<Option<Vec<u8>>> {
        self.read(move |tx| own::head(tx, &id)).await
    }

    async fn turn(&self, id: InstanceId, call: TurnCall, now: Timestamp) -> Kept<TurnAnswer> {
        self.write(move |tx| turns::turn(tx, &id, &call, now)).await
    }

    async fn put_receipts(
        &self,
        receipts: Vec<(Receipt, Vec<u8>)>,
        _now: Timestamp,
    ) -> Kept<Vec<StaleReceipt>> {
        self.write(move |tx| receipts::put(tx, &receipts)).await
    }

    async fn receipts(&self, id: InstanceId, after: u64, _now: Timestamp) -> Kept<Receipts> {
        self.read(move |tx| receipts::page(tx, &id, after, RECEIPTS_PAGE_MAX))
            .await
    }

    async fn keep_envelope(
        &self,
        keeping: Keeping,
    ) -> Kept<Result<Vec<InstanceId>, EnvelopeRefused>> {
        self.write(move |tx| envelopes::keep(tx, &keeping)).await
    }

    async fn envelopes(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<EnvelopesPage> {
        self.read(move |tx| envelopes::page(tx, &id, after, now))
            .await
    }

    async fn envelopes_taken(&self, id: InstanceId, hashes: Vec<Hash>) -> Kept<()> {
        self.write(move |tx| envelopes::taken(tx, &id, &hashes))
            .await
    }

    async fn keep_letter(&self, keeping: KeepingLetter) -> Kept<Result<bool, LetterRefused>> {
        self.write(move |tx| mail::keep(tx, &keeping)).await
    }

    async fn mail(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<EnvelopesPage> {
        self.read(move |tx| mail::page(tx, &id, after, now)).await
    }

    async fn mail_taken(&self, id: InstanceId, hashes: Vec<Hash>) -> Kept<()> {
        self.write(move |tx| mail::taken(tx, &id, &hashes)).await
    }

    async fn history(
        &self,
        id: InstanceId,
        after: Option<String>,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        let bytes = self.page_bytes;
        self.read(move |tx| history::page(tx, &id, after.as_deref(), bytes))
            .await
    }

    async fn push(
        &self,
        id: InstanceId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Kept<Result<Pushed, PushRefused>> {
        let quota = self.limits.member;
        self.change_of_member(now, move |write| push::push(write, id, &body, &quota))
            .await
    }

    async fn members(
        &self,
        standing: Option<Standing>,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<MemberRow>> {
        self.read(move |tx| counts::members(tx, standing, after.as_ref(), limit, now))
            .await
    }

    async fn find(
        &self,
        name: String,
        id_start: Option<String>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<MemberRow>> {
        self.read(move |tx| counts::find(tx, &name, id_start.as_deref(), limit, now))
            .await
    }

    async fn room(&self, id: InstanceId) -> Kept<RoomRow> {
        let quota = self.limits.member;
        let room = self
            .read(move |tx| {
                let row = tx.row(
                    "SELECT m.instance_no, coalesce(f.live_n, 0) FROM members m LEFT JOIN feeds f USING (instance_no)
                     WHERE m.id = $1",
                    &[&&id.0[..]],
                )?;
                match row {
                    Some(row) => room::room(tx, row.value(0)?, row.number(1)?),
                    None => Ok(wb_hub::Room::default()),
                }
            })
            .await?;
        Ok(RoomRow {
            bytes: room.bytes,
            records: room.records,
            quota,
        })
    }

    async fn let_go(&self) -> Kept<u64> {
        self.read(|tx| tx.one("SELECT let_go FROM waiting", &[])?.number(0))
            .await
    }

    async fn standings(&self, now: Timestamp) -> Kept<BTreeMap<&'static str, u64>> {
        self.read(move |tx| counts::standings(tx, now)).await
    }

    async fn member(&self, id: InstanceId, now: Timestamp) -> Kept<Option<MemberRow>> {
        self.read(move |tx| {
            let member = member::load(tx, &id)?;
            member
                .map(|member| counts::as_row(tx, member, now))
                .transpose()
        })
        .await
    }

    async fn decide(&self, id: InstanceId, decision: Decision, now: Timestamp) -> Kept<bool> {
        let decide = move |write: &Write<'_, '_>| {
            let (standing, reason, until) = match &decision {
                Decision::Approve | Decision::Reinstate => (Standing::Member, None, None),
                Decision::Suspend { reason, until } => {
                    (Standing::Suspended, Some(reason.as_str()), *until)
                }
            };
            member::set_standing(write, id, standing, reason, until).map(Ok::<_, Infallible>)
        };
        self.change(now, decide).await.map(always)
    }

    async fn forget_before(&self, time: Timestamp) -> Kept<u64> {
        self.write(move |tx| forget::before(tx, time)).await
    }

    async fn end_suspensions(&self, now: Timestamp) -> Kept<u64> {
        self.write(move |tx| {
            envelopes::expire(tx, now)?;
            mail::expire(tx, now)
        })
        .await?;
        let ended = self
            .change(now, |write| {
                let ended = member::end_suspensions(write)?;
                // What a notice withholds may be over as well.
                let changed = notices::heed(write)?;
                Ok(Ok::<_, Infallible>(ended + u64::from(changed)))
            })
            .await
            .map(always)?;
        // What a process left that ended before it was done.
        self.number().await?;
        self.tell().await?;
        Ok(ended)
    }

    async fn notices_about(&self, id: InstanceId, now: Timestamp) -> Kept<Vec<NoticeRow>> {
        let mut rows = self.read(move |tx| notices::all(tx, now)).await?;
        rows.retain(|row| row.said.notice.subject == id);
        Ok(rows)
    }

    async fn put_reply(
        &self,
        notice: RecordId,
        origin: InstanceId,
        line: Vec<u8>,
        now: Timestamp,
    ) -> Kept<bool> {
        self.write(move |tx| notices::put_reply(tx, &notice, &origin, &line, now))
            .await
    }

    async fn watched(&self, now: Timestamp) -> Kept<Watched> {
        self.read(move |tx| counts::watched(tx, now)).await
    }

    /// Of arrivals it is told; while it is not, their number is a part of this.
    async fn written_elsewhere(&self) -> Kept<u64> {
        let hears = self.hears();
        self.read(move |tx| {
            let row = tx.one("SELECT d.n, r.n FROM decided d, relay r", &[])?;
            let arrivals = if hears { 0 } else { row.number(1)? };
            Ok(row.number(0)? + arrivals)
        })
        .await
    }

    fn hears_itself(&self) -> bool {
        self.hears()
    }

    async fn check(&self) -> Kept<()> {
        self.read(|tx| arrivals::Head::load(tx).map(|_| ())).await
    }
}
