//! A hub on an embedded SQLite file: one writer, and readers beside it.
//!
//! SQLite blocks, so every call runs on a thread for such work, unless it is asked to run in place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wb_core::bundle::Driver;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::identity::IdentityLog;
use wb_core::limits::{HEADS_PAGE_MAX, PAGE_BYTES_TARGET, VOUCHES_PAGE_MAX};
use wb_core::ndjson;
use wb_core::receipt::{RECEIPTS_PAGE_MAX, Receipt};
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::sync::{
    Cursor, Directory, EnvelopesPage, FollowList, Follows, Heads, Policy, Pushed, PushedFeed,
    Receipts, StaleReceipt, Standing, Standings, TurnAnswer, TurnCall, Visibility, VouchesAsk,
    VouchesPage,
};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::StoreError;
use wb_store::relay::{
    CursorRefused, LinesAsk, Member, PageLimits, PushError, Relay, RelayFile, RelaySink,
    RelayWrite, SnapshotAsk as RelaySnapshotAsk, SnapshotRefused,
};

use crate::entering::register;
use crate::listings::{
    CommentsAsk, Community, CommunityPlace, HubListings, ListedComment, ListedRequest, RequestsAsk,
    RequestsPage,
};
use crate::notices::NoticeRow;
use crate::quota::{Bounds, Quota};
use crate::store::{
    ChangesPage, Decision, EnvelopeRefused, HubStore, Keeping, KeepingLetter, Kept, LetterRefused,
    LinesPage, MemberRow, PageRefused, PushRefused, RegisterRefused, Registering, RoomRow,
    SnapshotAsk, SnapshotStamp, StoreProblem, Watched,
};
use crate::traces::Traces;

/// A member's place is noted at least this often while it asks; it moves with every page anyway.
const SEEN_EVERY_MS: i64 = 60_000;

/// A hub's file.
#[derive(Clone)]
pub struct SqliteHub {
    shared: Arc<Shared>,
    page_bytes: usize,
    limits: StoreLimits,
    runs: Runs,
}

/// Where a call runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// On a thread for work that blocks.
    Aside,
    /// Where it was made.
    InPlace,
}

/// Registrations that wait for approval at once; protects the disk, and an operator's patience.
pub const WAITING_MAX: u64 = 1_000;

/// What a hub's file keeps at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// Of one member.
    pub member: Quota,
    /// Registrations that wait for approval.
    pub waiting: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            member: Quota::default(),
            waiting: WAITING_MAX,
        }
    }
}

struct Shared {
    file: RelayFile,
    writer: Mutex<Relay>,
    traces: Traces,
    readers: Mutex<Vec<Relay>>,
    bounds: Bounds,
    /// How often something was decided that no call of a member tells of.
    decided: AtomicU64,
}

impl Shared {
    fn note_decided(&self) {
        self.decided.fetch_add(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for SqliteHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteHub")
    }
}

impl SqliteHub {
    /// Serves what is in a file.
    #[must_use]
    pub fn new(relay: Relay) -> Self {
        Self {
            shared: Arc::new(Shared {
                file: relay.file(),
                traces: Traces::all_owed(),
                writer: Mutex::new(relay),
                readers: Mutex::default(),
                bounds: Bounds::default(),
                decided: AtomicU64::new(0),
            }),
            page_bytes: PAGE_BYTES_TARGET,
            limits: StoreLimits::default(),
            runs: Runs::Aside,
        }
    }

    /// Runs each call where it is made, on a thread that may block: in a simulation no thread decides
    /// what happens first.
    #[must_use]
    pub fn in_place(self) -> Self {
        Self {
            runs: Runs::InPlace,
            ..self
        }
    }

    /// Ends pages after so many bytes. The protocol names a target; a hub may stay below it.
    #[must_use]
    pub fn with_page_bytes(self, page_bytes: usize) -> Self {
        Self { page_bytes, ..self }
    }

    /// Keeps no more than that.
    #[must_use]
    pub fn with_limits(self, limits: StoreLimits) -> Self {
        Self { limits, ..self }
    }

    /// Reads on a connection of the pool, which grows as far as calls run at once.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Relay) -> wb_store::Result<T> + Send + 'static,
    ) -> Kept<T> {
        let shared = Arc::clone(&self.shared);
        self.runs
            .run(move || {
                let pooled = lock(&shared.readers).pop();
                let reader = match pooled {
                    Some(reader) => reader,
                    // Never under the writer's lock: who reads must not wait for who writes.
                    None => shared.file.reader()?,
                };
                let done = work(&reader);
                lock(&shared.readers).push(reader);
                done
            })
            .await
    }

    /// Does something in one transaction.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&RelayWrite<'_>) -> wb_store::Result<T> + Send + 'static,
    ) -> Kept<T> {
        let shared = Arc::clone(&self.shared);
        self.runs
            .run(move || {
                let mut relay = lock(&shared.writer);
                let write = relay.write()?;
                let done = work(&write)?;
                write.commit()?;
                Ok(done)
            })
            .await
    }
}

impl SqliteHub {
    /// Does something in one transaction that counts only where it succeeds, and lets go of the traces of what was
    /// taken back by it.
    pub(crate) async fn write_or_drop<T: Send + 'static, E: Send + 'static>(
        &self,
        work: impl FnOnce(&RelayWrite<'_>) -> wb_store::Result<Result<T, E>> + Send + 'static,
    ) -> Kept<Result<T, E>> {
        let shared = Arc::clone(&self.shared);
        self.runs
            .run(move || {
                let mut relay = lock(&shared.writer);
                let write = relay.write()?;
                let done = work(&write)?;
                if done.is_ok() {
                    write.commit()?;
                    shared.traces.empty_log(&relay);
                    shared.note_decided();
                }
                Ok(done)
            })
            .await
    }
}

/// A panic elsewhere leaves a connection as SQLite left it: its transaction was dropped.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runs {
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> wb_store::Result<T> + Send + 'static,
    ) -> Kept<T> {
        if self == Self::InPlace {
            return work().map_err(|error| of_error(&error));
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|error| of_error(&error)),
            Err(error) => Err(StoreProblem::Failed(error.to_string())),
        }
    }
}

fn of_error(error: &StoreError) -> StoreProblem {
    if error.is_busy() {
        StoreProblem::Busy
    } else if error.is_full() {
        StoreProblem::Full
    } else {
        StoreProblem::Failed(error.to_string())
    }
}

impl HubStore for SqliteHub {
    async fn identity(&self, id: InstanceId) -> Kept<Option<IdentityLog>> {
        self.read(move |relay| relay.identity_log(&id)).await
    }

    async fn register(
        &self,
        registering: Registering,
        policy: Policy,
        now: Timestamp,
    ) -> Kept<Result<Standings, RegisterRefused>> {
        let waiting_max = self.limits.waiting;
        self.write(move |write| register(write, &registering, policy, waiting_max, now))
            .await
    }

    async fn asked(&self, id: InstanceId, now: Timestamp) -> Kept<()> {
        let member = self.read(move |relay| relay.member(&id, now)).await?;
        match member {
            Some(member) if is_stale(&member, member.seen_n, now) => {
                self.write(move |write| write.note_seen(&id, member.seen_n, now))
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn standing(&self, id: InstanceId, now: Timestamp) -> Kept<Option<Standings>> {
        self.read(move |relay| Ok(relay.member(&id, now)?.map(|member| member.standings)))
            .await
    }

    async fn directory(
        &self,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Directory> {
        self.read(move |relay| relay.directory(after.as_ref(), limit, now))
            .await
    }

    async fn vouches(&self, ask: VouchesAsk, now: Timestamp) -> Kept<VouchesPage> {
        let bytes = self.page_bytes;
        self.read(move |relay| relay.vouches(&ask, VOUCHES_PAGE_MAX, bytes, now))
            .await
    }

    async fn put_follows(&self, id: InstanceId, list: FollowList) -> Kept<Result<Follows, u64>> {
        self.write(move |write| {
            let put = write.put_follows(&id, &list)?;
            Ok(put.map_err(|stale| stale.counter))
        })
        .await
    }

    async fn heads(
        &self,
        id: InstanceId,
        after: Option<InstanceId>,
        now: Timestamp,
    ) -> Kept<Heads> {
        self.read(move |relay| relay.heads(&id, after.as_ref(), HEADS_PAGE_MAX, now))
            .await
    }

    async fn changes(
        &self,
        id: InstanceId,
        since: Cursor,
        now: Timestamp,
    ) -> Kept<Result<ChangesPage, PageRefused>> {
        let limits = PageLimits {
            bytes: self.page_bytes,
            ..PageLimits::default()
        };
        let read = self
            .read(move |relay| {
                let changes = relay.changes(&id, &since, limits, now)?;
                let seen = relay.member(&id, now)?;
                Ok((changes, seen))
            })
            .await?;
        let (changes, seen) = read;
        let changes = match changes {
            Ok(changes) => changes,
            Err(CursorRefused::Unknown) => return Ok(Err(PageRefused::CursorUnknown)),
            Err(CursorRefused::TooOld) => return Ok(Err(PageRefused::CursorTooOld)),
        };
        if seen.is_some_and(|member| is_stale(&member, since.n, now)) {
            // As well as it goes: a full disk or another writer is no reason not to read.
            let _ = self
                .write(move |write| write.note_seen(&id, since.n, now))
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
        self.read(move |relay| {
            let ask = RelaySnapshotAsk {
                origin: ask.origin,
                scope: ask.scope,
                head: ask.head,
                after: ask.after.as_deref(),
                kinds: ask.kinds.as_ref(),
                bytes,
            };
            let page = relay.snapshot_page(&ask, now)?;
            Ok(page.map_err(|refused| match refused {
                SnapshotRefused::NotFound => PageRefused::NotFound,
                SnapshotRefused::HeadGone => PageRefused::HeadGone,
                SnapshotRefused::BadToken => PageRefused::BadToken,
            }))
        })
        .await
    }

    async fn snapshot_stamp(
        &self,
        origin: InstanceId,
        scope: FeedScope,
        now: Timestamp,
    ) -> Kept<Option<SnapshotStamp>> {
        self.read(move |relay| {
            let Some(text) = relay.snapshot_stamp(&origin, scope, now)? else {
                return Ok(None);
            };
            let member = relay.member(&origin, now)?;
            Ok(Some(SnapshotStamp {
                text,
                for_everybody: member
                    .is_some_and(|member| member.visibility() == Visibility::Public),
            }))
        })
        .await
    }

    async fn lines(&self, ask: LinesPage, now: Timestamp) -> Kept<Result<Vec<u8>, PageRefused>> {
        let bytes = self.page_bytes;
        self.read(move |relay| {
            let ask = LinesAsk {
                origin: ask.origin,
                scope: ask.scope,
                after: ask.after,
                kinds: ask.kinds.as_ref(),
                newest: ask.newest,
                only: ask.only,
                bytes,
            };
            let page = relay.lines_page(&ask, now)?;
            Ok(page.map_err(|_| PageRefused::NotFound))
        })
        .await
    }

    async fn own(
        &self,
        id: InstanceId,
        scope: FeedScope,
        after: Option<Held>,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        let bytes = self.page_bytes;
        self.read(move |relay| {
            let page = relay.own_page(&id, scope, after.as_ref(), bytes)?;
            Ok(page.map_err(|refused| match refused {
                SnapshotRefused::HeadGone => PageRefused::HeadGone,
                SnapshotRefused::NotFound | SnapshotRefused::BadToken => PageRefused::NotFound,
            }))
        })
        .await
    }

    async fn own_head(&self, id: InstanceId) -> Kept<Option<Vec<u8>>> {
        self.read(move |relay| relay.own_head(&id)).await
    }

    async fn turn(&self, id: InstanceId, call: TurnCall, now: Timestamp) -> Kept<TurnAnswer> {
        self.write(move |write| write.take_turn(&id, &call, now))
            .await
    }

    async fn put_receipts(
        &self,
        receipts: Vec<(Receipt, Vec<u8>)>,
        now: Timestamp,
    ) -> Kept<Vec<StaleReceipt>> {
        self.write(move |write| write.put_receipts(&receipts, now))
            .await
    }

    async fn receipts(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<Receipts> {
        self.read(move |relay| relay.receipts(&id, after, RECEIPTS_PAGE_MAX, now))
            .await
    }

    async fn keep_envelope(
        &self,
        keeping: Keeping,
    ) -> Kept<Result<Vec<InstanceId>, EnvelopeRefused>> {
        self.write(move |write| {
            write.keep_envelope(&keeping.envelope, &keeping.line, &keeping.body)
        })
        .await
    }

    async fn envelopes(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<EnvelopesPage> {
        self.read(move |relay| relay.envelopes(&id, after, now))
            .await
    }

    async fn envelopes_taken(&self, id: InstanceId, hashes: Vec<Hash>) -> Kept<()> {
        self.write(move |write| write.envelopes_taken(&id, &hashes))
            .await
    }

    async fn keep_letter(&self, keeping: KeepingLetter) -> Kept<Result<bool, LetterRefused>> {
        self.write(move |write| write.keep_letter(&keeping.mail, &keeping.line, &keeping.body))
            .await
    }

    async fn mail(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<EnvelopesPage> {
        self.read(move |relay| relay.mail(&id, after, now)).await
    }

    async fn mail_taken(&self, id: InstanceId, hashes: Vec<Hash>) -> Kept<()> {
        self.write(move |write| write.mail_taken(&id, &hashes))
            .await
    }

    async fn history(
        &self,
        id: InstanceId,
        after: Option<String>,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        let bytes = self.page_bytes;
        self.read(move |relay| {
            let page = relay.history_page(&id, after.as_deref(), bytes)?;
            Ok(page.map_err(|_| PageRefused::BadToken))
        })
        .await
    }

    async fn push(
        &self,
        id: InstanceId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Kept<Result<Pushed, PushRefused>> {
        let shared = Arc::clone(&self.shared);
        let quota = self.limits.member;
        self.runs
            .run(move || {
                let mut relay = lock(&shared.writer);
                let write = relay.write()?;
                let taking = shared.bounds.begin(&write, id, &body, &quota)?;
                let pushed = match take(&write, id, &body, now) {
                    Ok(pushed) => pushed,
                    Err(PushError::Store(error)) => return Err(error),
                    Err(PushError::NotYours(origin)) => {
                        return Ok(Err(PushRefused::NotYours(origin)));
                    }
                    Err(PushError::NotPublic) => return Ok(Err(PushRefused::NotPublic)),
                };
                if pushed.is_err() {
                    return Ok(pushed);
                }
                let bound = match Bounds::check(&taking, &write, &quota)? {
                    Ok(bound) => bound,
                    Err(refused) => return Ok(Err(refused)),
                };
                write.commit()?;
                shared.bounds.put(id, bound);
                // Who only adds takes nothing back, and need not wait for the disk twice more.
                if relay.has_let_go() {
                    shared.traces.empty_log(&relay);
                }
                Ok(pushed)
            })
            .await
    }

    async fn members(
        &self,
        standing: Option<Standing>,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<MemberRow>> {
        self.read(move |relay| {
            let members = relay.members(standing, after.as_ref(), limit, now)?;
            let rows = members.into_iter().map(|member| row(relay, member, now));
            rows.collect()
        })
        .await
    }

    async fn find(
        &self,
        name: String,
        id_start: Option<String>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<MemberRow>> {
        self.read(move |relay| {
            let members = relay.find_members(&name, id_start.as_deref(), limit, now)?;
            let rows = members.into_iter().map(|member| row(relay, member, now));
            rows.collect()
        })
        .await
    }

    async fn room(&self, id: InstanceId) -> Kept<RoomRow> {
        let quota = self.limits.member;
        let room = self.read(move |relay| relay.room(&id)).await?;
        Ok(RoomRow {
            bytes: room.bytes,
            records: room.records,
            quota,
        })
    }

    async fn let_go(&self) -> Kept<u64> {
        self.read(Relay::let_go).await
    }

    async fn standings(&self, now: Timestamp) -> Kept<BTreeMap<&'static str, u64>> {
        self.read(move |relay| relay.standings(now)).await
    }

    async fn member(&self, id: InstanceId, now: Timestamp) -> Kept<Option<MemberRow>> {
        self.read(move |relay| {
            let member = relay.member(&id, now)?;
            member.map(|member| row(relay, member, now)).transpose()
        })
        .await
    }

    async fn decide(&self, id: InstanceId, decision: Decision, now: Timestamp) -> Kept<bool> {
        let decided = self
            .write(move |write| match &decision {
                Decision::Approve | Decision::Reinstate => {
                    write.set_standing(&id, Standing::Member, None, None, now)
                }
                Decision::Suspend { reason, until } => {
                    write.set_standing(&id, Standing::Suspended, Some(reason), *until, now)
                }
            })
            .await?;
        self.shared.note_decided();
        Ok(decided)
    }

    async fn forget_before(&self, time: Timestamp) -> Kept<u64> {
        let n = self.read(move |relay| relay.arrivals_before(time)).await?;
        self.write(move |write| write.forget_before(n)).await
    }

    async fn end_suspensions(&self, now: Timestamp) -> Kept<u64> {
        let ended = self
            .write(move |write| {
                write.expire_envelopes(now)?;
                write.expire_mail(now)?;
                let ended = write.end_suspensions(now)?;
                // What a notice withholds may be over as well.
                let changed = write.heed(now)?;
                Ok(ended + u64::from(changed))
            })
            .await?;
        if ended > 0 {
            self.shared.note_decided();
        }
        let shared = Arc::clone(&self.shared);
        self.runs
            .run(move || shared.traces.tidy(&shared.file, &shared.writer, now))
            .await?;
        Ok(ended)
    }

    async fn notices_about(&self, id: InstanceId, now: Timestamp) -> Kept<Vec<NoticeRow>> {
        let mut rows = self.read(move |relay| relay.notices(now)).await?;
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
        self.write(move |write| write.put_reply(&notice, &origin, &line, now))
            .await
    }

    async fn watched(&self, now: Timestamp) -> Kept<Watched> {
        let lag = self.read(move |relay| relay.lag(now)).await?;
        Ok(Watched {
            standings: lag.standings,
            newest_n: lag.newest_n,
            behind: lag.behind,
            lag: lag.lag,
            envelopes: lag.envelopes,
            letters: lag.letters,
        })
    }

    async fn written_elsewhere(&self) -> Kept<u64> {
        let shared = Arc::clone(&self.shared);
        let others = self
            .runs
            .run(move || lock(&shared.writer).written_by_others())
            .await?;
        Ok(others.wrapping_add(self.shared.decided.load(Ordering::Relaxed)))
    }

    async fn check(&self) -> Kept<()> {
        self.read(|relay| relay.cursor().map(|_| ())).await
    }
}

impl HubListings for SqliteHub {
    async fn communities(
        &self,
        after: Option<CommunityPlace>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<Community>> {
        self.read(move |relay| relay.communities(after.as_ref(), limit, now))
            .await
    }

    async fn community(&self, id: InstanceId, now: Timestamp) -> Kept<Option<Community>> {
        self.read(move |relay| relay.community(&id, now)).await
    }

    async fn requests(&self, ask: RequestsAsk, now: Timestamp) -> Kept<RequestsPage> {
        self.read(move |relay| relay.listed_requests(&ask, now))
            .await
    }

    async fn request(&self, key: RecordRef, now: Timestamp) -> Kept<Option<ListedRequest>> {
        self.read(move |relay| relay.listed_request(&key, now))
            .await
    }

    async fn comments(&self, ask: CommentsAsk, now: Timestamp) -> Kept<Vec<ListedComment>> {
        self.read(move |relay| relay.listed_comments(&ask, now))
            .await
    }
}

/// Whether it is time to note where a member stands.
fn is_stale(member: &Member, n: u64, now: Timestamp) -> bool {
    let at = member.seen_at.map_or(i64::MIN, Timestamp::unix_ms);
    member.seen_n != n || at.saturating_add(SEEN_EVERY_MS) < now.unix_ms()
}

fn row(relay: &Relay, member: Member, now: Timestamp) -> wb_store::Result<MemberRow> {
    let counts = relay.member_counts(&member.id, now)?;
    Ok(MemberRow {
        visibility: member.visibility(),
        follows: relay.follows(&member.id)?,
        id: member.id,
        name: member.name,
        card: member.card,
        asks: member.asks,
        invite: member.invite,
        listed: member.listed,
        delisted: member.delisted,
        revoked: member.revoked,
        standings: member.standings,
        since: member.since,
        seen_at: member.seen_at,
        seen_n: member.seen_n,
        feeds: counts.feeds,
        followers: counts.followers,
        pending: counts.pending,
    })
}

/// Drives the sections of a push. What is wrong with the body is in the result, and then nothing counts.
pub(crate) fn take(
    write: &RelayWrite<'_>,
    id: InstanceId,
    body: &[u8],
    now: Timestamp,
) -> Result<Result<Pushed, PushRefused>, PushError> {
    let mut sink = RelaySink::new(write, id, now);
    let mut driver = Driver::sections();
    for line in ndjson::lines(body) {
        driver.push(line, &mut sink)?;
    }
    driver.cut_off(&mut sink)?;
    if let Err(error) = driver.finish() {
        return Ok(Err(PushRefused::Body(error)));
    }
    let feeds = driver.feeds().iter().map(|feed| PushedFeed {
        scope: feed.scope,
        outcome: feed.outcome.to_owned(),
        rule: feed.rule.map(Rule::as_str).map(str::to_owned),
    });
    Ok(Ok(Pushed {
        schema_version: 1,
        feeds: feeds.collect(),
        own: write.own_heads(&id)?,
    }))
}
