//! What stands between a hub and its file in these tests: it holds a call back, or makes the hub lie.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::receipt::Receipt;
use wb_core::scope::FeedScope;
use wb_core::sync::{
    Cursor, Directory, FollowList, Follows, Heads, Policy, Pushed, Receipts, StaleReceipt,
    Standing, Standings,
};
use wb_core::sync::{EnvelopesPage, TurnAnswer, TurnCall, VouchesAsk, VouchesPage};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_hub::{
    ChangesPage, Decision, EnvelopeRefused, HubStore, Keeping, KeepingLetter, LetterRefused,
    LinesPage, MemberRow, NoticeRow, PageRefused, PushRefused, RegisterRefused, Registering,
    RoomRow, SnapshotAsk, SnapshotStamp, SqliteHub, StoreProblem, Watched,
};

type Kept<T> = Result<T, StoreProblem>;

/// Changes an answer on its way out of the store.
type Lie<T> = Mutex<Option<Box<dyn FnMut(T) -> T + Send>>>;

/// A snapshot page that somebody asked for and that waits to be let through; dropped, it is too.
pub struct Waiting(
    #[expect(dead_code, reason = "its end is what lets the page through")] oneshot::Sender<()>,
);

/// What the tests turn.
#[derive(Default)]
pub struct Seam {
    gate: Mutex<Option<Sender<Waiting>>>,
    changes: Lie<ChangesPage>,
    snapshot: Lie<Vec<u8>>,
    heads: Lie<Heads>,
    directory: Lie<Directory>,
    vouches: Lie<VouchesPage>,
    /// Whether nobody is given a line alone.
    keeps_lines: AtomicBool,
    hides_lines: AtomicBool,
    /// Refusals that the next asks for a snapshot page get instead.
    refusals: Mutex<VecDeque<PageRefused>>,
    /// Whether pages of snapshots are kept: one that is kept is neither a lie nor refused.
    keeps_pages: AtomicBool,
    asked_changes: AtomicU64,
    arrivals: Mutex<Option<Sender<Cursor>>>,
    turns: Mutex<Vec<TurnCall>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn told<T>(lie: &Lie<T>, truth: T) -> T {
    match lock(lie).as_mut() {
        Some(lie) => lie(truth),
        None => truth,
    }
}

impl Seam {
    /// From now on every page of a snapshot waits until the test lets it through.
    pub fn gate(&self) -> Receiver<Waiting> {
        let (sender, receiver) = channel();
        *lock(&self.gate) = Some(sender);
        receiver
    }

    /// Tells each cursor with which somebody asks for changes, before it is answered.
    pub fn listen(&self) -> Receiver<Cursor> {
        let (sender, receiver) = channel();
        *lock(&self.arrivals) = Some(sender);
        receiver
    }

    /// Every turn that was taken so far.
    pub fn turns(&self) -> Vec<TurnCall> {
        lock(&self.turns).clone()
    }

    pub fn lie_in_changes(&self, lie: impl FnMut(ChangesPage) -> ChangesPage + Send + 'static) {
        *lock(&self.changes) = Some(Box::new(lie));
    }

    pub fn lie_in_snapshots(&self, lie: impl FnMut(Vec<u8>) -> Vec<u8> + Send + 'static) {
        *lock(&self.snapshot) = Some(Box::new(lie));
    }

    pub fn lie_in_heads(&self, lie: impl FnMut(Heads) -> Heads + Send + 'static) {
        *lock(&self.heads) = Some(Box::new(lie));
    }

    pub fn lie_in_directory(&self, lie: impl FnMut(Directory) -> Directory + Send + 'static) {
        *lock(&self.directory) = Some(Box::new(lie));
    }

    pub fn lie_in_vouches(&self, lie: impl FnMut(VouchesPage) -> VouchesPage + Send + 'static) {
        *lock(&self.vouches) = Some(Box::new(lie));
    }

    /// From now on it has no line that somebody asks for alone.
    pub fn keep_lines(&self) {
        self.keeps_lines.store(true, Ordering::SeqCst);
    }

    /// Answers every question for lines with a page that has none.
    pub fn hide_lines(&self) {
        self.hides_lines.store(true, Ordering::SeqCst);
    }

    /// Refuses the next page of a snapshot.
    pub fn refuse_a_page(&self, refused: PageRefused) {
        lock(&self.refusals).push_back(refused);
    }

    /// Refuses no page any more that was not asked for yet.
    pub fn forget_refusals(&self) {
        lock(&self.refusals).clear();
    }

    /// From now on pages of snapshots are kept as a hub keeps them.
    pub fn keep_pages(&self) {
        self.keeps_pages.store(true, Ordering::SeqCst);
    }

    /// From now on everything goes through as it is.
    pub fn be_honest(&self) {
        *lock(&self.gate) = None;
        *lock(&self.changes) = None;
        *lock(&self.snapshot) = None;
        *lock(&self.heads) = None;
        *lock(&self.directory) = None;
        *lock(&self.vouches) = None;
        self.keeps_lines.store(false, Ordering::SeqCst);
        self.hides_lines.store(false, Ordering::SeqCst);
        lock(&self.refusals).clear();
    }

    /// How often somebody asked for changes.
    pub fn asked_changes(&self) -> u64 {
        self.asked_changes.load(Ordering::SeqCst)
    }
}

/// A hub's file with the seam in front.
#[derive(Clone)]
pub struct Seamed {
    pub file: SqliteHub,
    pub seam: Arc<Seam>,
}

impl HubStore for Seamed {
    async fn identity(&self, id: InstanceId) -> Kept<Option<IdentityLog>> {
        self.file.identity(id).await
    }

    async fn register(
        &self,
        registering: Registering,
        policy: Policy,
        now: Timestamp,
    ) -> Kept<Result<Standings, RegisterRefused>> {
        self.file.register(registering, policy, now).await
    }

    async fn asked(&self, id: InstanceId, now: Timestamp) -> Kept<()> {
        self.file.asked(id, now).await
    }

    async fn find(
        &self,
        name: String,
        id_start: Option<String>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<MemberRow>> {
        self.file.find(name, id_start, limit, now).await
    }

    async fn room(&self, id: InstanceId) -> Kept<RoomRow> {
        self.file.room(id).await
    }

    async fn let_go(&self) -> Kept<u64> {
        self.file.let_go().await
    }

    async fn standings(&self, now: Timestamp) -> Kept<BTreeMap<&'static str, u64>> {
        self.file.standings(now).await
    }

    async fn standing(&self, id: InstanceId, now: Timestamp) -> Kept<Option<Standings>> {
        self.file.standing(id, now).await
    }

    async fn directory(
        &self,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Directory> {
        let page = self.file.directory(after, limit, now).await?;
        Ok(told(&self.seam.directory, page))
    }

    async fn vouches(&self, ask: VouchesAsk, now: Timestamp) -> Kept<VouchesPage> {
        let page = self.file.vouches(ask, now).await?;
        Ok(told(&self.seam.vouches, page))
    }

    async fn put_follows(&self, id: InstanceId, list: FollowList) -> Kept<Result<Follows, u64>> {
        self.file.put_follows(id, list).await
    }

    async fn heads(
        &self,
        id: InstanceId,
        after: Option<InstanceId>,
        now: Timestamp,
    ) -> Kept<Heads> {
        let heads = self.file.heads(id, after, now).await?;
        Ok(told(&self.seam.heads, heads))
    }

    async fn changes(
        &self,
        id: InstanceId,
        since: Cursor,
        now: Timestamp,
    ) -> Kept<Result<ChangesPage, PageRefused>> {
        self.seam.asked_changes.fetch_add(1, Ordering::SeqCst);
        let page = self.file.changes(id, since, now).await?;
        if let Some(sender) = &*lock(&self.seam.arrivals) {
            // Who listens no more has heard enough.
            let _ = sender.send(since);
        }
        Ok(page.map(|page| told(&self.seam.changes, page)))
    }

    async fn snapshot(
        &self,
        ask: SnapshotAsk,
        now: Timestamp,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        let gate = lock(&self.seam.gate).clone();
        if let Some(gate) = gate {
            let (go, gone) = oneshot::channel();
            if gate.send(Waiting(go)).is_ok() {
                let _ = gone.await;
            }
        }
        if let Some(refused) = lock(&self.seam.refusals).pop_front() {
            return Ok(Err(refused));
        }
        let page = self.file.snapshot(ask, now).await?;
        Ok(page.map(|page| told(&self.seam.snapshot, page)))
    }

    async fn snapshot_stamp(
        &self,
        origin: InstanceId,
        scope: FeedScope,
        now: Timestamp,
    ) -> Kept<Option<SnapshotStamp>> {
        if !self.seam.keeps_pages.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.file.snapshot_stamp(origin, scope, now).await
    }

    async fn lines(&self, ask: LinesPage, now: Timestamp) -> Kept<Result<Vec<u8>, PageRefused>> {
        if self.seam.keeps_lines.load(Ordering::SeqCst) {
            return Ok(Err(PageRefused::NotFound));
        }
        let page = self.file.lines(ask, now).await?;
        if !self.seam.hides_lines.load(Ordering::SeqCst) {
            return Ok(page);
        }
        let last = |body: Vec<u8>| {
            let mut lines = body.split_inclusive(|byte| *byte == b'\n');
            lines.next_back().unwrap_or_default().to_vec()
        };
        Ok(page.map(last))
    }

    async fn own(
        &self,
        id: InstanceId,
        scope: FeedScope,
        after: Option<Held>,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        self.file.own(id, scope, after).await
    }

    async fn own_head(&self, id: InstanceId) -> Kept<Option<Vec<u8>>> {
        self.file.own_head(id).await
    }

    async fn turn(&self, id: InstanceId, call: TurnCall, now: Timestamp) -> Kept<TurnAnswer> {
        lock(&self.seam.turns).push(call.clone());
        self.file.turn(id, call, now).await
    }

    async fn put_receipts(
        &self,
        receipts: Vec<(Receipt, Vec<u8>)>,
        now: Timestamp,
    ) -> Kept<Vec<StaleReceipt>> {
        self.file.put_receipts(receipts, now).await
    }

    async fn receipts(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<Receipts> {
        self.file.receipts(id, after, now).await
    }

    async fn keep_envelope(
        &self,
        keeping: Keeping,
    ) -> Kept<Result<Vec<InstanceId>, EnvelopeRefused>> {
        self.file.keep_envelope(keeping).await
    }

    async fn envelopes(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<EnvelopesPage> {
        self.file.envelopes(id, after, now).await
    }

    async fn envelopes_taken(&self, id: InstanceId, hashes: Vec<Hash>) -> Kept<()> {
        self.file.envelopes_taken(id, hashes).await
    }

    async fn keep_letter(&self, keeping: KeepingLetter) -> Kept<Result<bool, LetterRefused>> {
        self.file.keep_letter(keeping).await
    }

    async fn mail(&self, id: InstanceId, after: u64, now: Timestamp) -> Kept<EnvelopesPage> {
        self.file.mail(id, after, now).await
    }

    async fn mail_taken(&self, id: InstanceId, hashes: Vec<Hash>) -> Kept<()> {
        self.file.mail_taken(id, hashes).await
    }

    async fn history(
        &self,
        id: InstanceId,
        after: Option<String>,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        self.file.history(id, after).await
    }

    async fn push(
        &self,
        id: InstanceId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Kept<Result<Pushed, PushRefused>> {
        self.file.push(id, body, now).await
    }

    async fn members(
        &self,
        standing: Option<Standing>,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<MemberRow>> {
        self.file.members(standing, after, limit, now).await
    }

    async fn member(&self, id: InstanceId, now: Timestamp) -> Kept<Option<MemberRow>> {
        self.file.member(id, now).await
    }

    async fn decide(&self, id: InstanceId, decision: Decision, now: Timestamp) -> Kept<bool> {
        self.file.decide(id, decision, now).await
    }

    async fn forget_before(&self, time: Timestamp) -> Kept<u64> {
        self.file.forget_before(time).await
    }

    async fn end_suspensions(&self, now: Timestamp) -> Kept<u64> {
        self.file.end_suspensions(now).await
    }

    async fn notices_about(&self, id: InstanceId, now: Timestamp) -> Kept<Vec<NoticeRow>> {
        self.file.notices_about(id, now).await
    }

    async fn put_reply(
        &self,
        notice: RecordId,
        origin: InstanceId,
        line: Vec<u8>,
        now: Timestamp,
    ) -> Kept<bool> {
        self.file.put_reply(notice, origin, line, now).await
    }

    async fn watched(&self, now: Timestamp) -> Kept<Watched> {
        self.file.watched(now).await
    }

    async fn written_elsewhere(&self) -> Kept<u64> {
        self.file.written_elsewhere().await
    }

    async fn check(&self) -> Kept<()> {
        self.file.check().await
    }
}
