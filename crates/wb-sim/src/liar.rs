//! What stands between a hub and its file: it hears everything, and lies where it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

use crate::chance::Chance;
use crate::lie::{Answer, Lie, Memory, lie, lie_in_heads};

type Kept<T> = Result<T, StoreProblem>;

/// A liar lies in so many of 100 answers.
const LIES_PERCENT: u64 = 60;

/// What a hub hears and says.
#[derive(Debug)]
pub struct Tongue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    /// The lie it tells now.
    lie: Option<Lie>,
    memory: Memory,
    /// Bodies that came in, as they were before they travelled.
    heard: Vec<Vec<u8>>,
    /// Lies it told since this was asked last.
    told: Vec<Lie>,
}

impl Tongue {
    pub fn new(chance: Chance) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                chance,
                lie: None,
                memory: Memory::default(),
                heard: Vec::new(),
                told: Vec::new(),
            }),
        })
    }

    /// From now on the hub lies like this; none makes it honest again.
    pub fn set_lie(&self, lie: Option<Lie>) {
        self.state().lie = lie;
    }

    /// The lies it told since this was asked last.
    pub fn take_told(&self) -> Vec<Lie> {
        std::mem::take(&mut self.state().told)
    }

    /// What it says in place of a body.
    fn say(&self, answer: Answer, body: Vec<u8>) -> Vec<u8> {
        let State {
            chance,
            lie: told_now,
            memory,
            told,
            ..
        } = &mut *self.state();
        let lied = told_now
            .filter(|_| chance.percent(LIES_PERCENT))
            .and_then(|kind| Some((kind, lie(kind, answer, &body, memory, chance)?)));
        memory.keep(answer, &body);
        let Some((kind, lied)) = lied else {
            return body;
        };
        told.push(kind);
        lied
    }

    /// What it says in place of heads.
    fn say_heads(&self, heads: Heads) -> Heads {
        let State {
            chance,
            lie: told_now,
            memory,
            told,
            ..
        } = &mut *self.state();
        let lied = told_now
            .filter(|_| chance.percent(LIES_PERCENT))
            .and_then(|kind| Some((kind, lie_in_heads(kind, &heads, memory, chance)?)));
        memory.keep_heads(&heads);
        let Some((kind, lied)) = lied else {
            return heads;
        };
        told.push(kind);
        lied
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bodies that came in since this was asked last.
    pub fn take_heard(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.state().heard)
    }

    fn hear(&self, body: &[u8]) {
        self.state().heard.push(body.to_vec());
    }
}

/// The store of a hub, with a tongue.
#[derive(Clone)]
pub struct Liar {
    file: SqliteHub,
    tongue: Arc<Tongue>,
}

impl Liar {
    pub fn new(file: SqliteHub, tongue: Arc<Tongue>) -> Self {
        Self { file, tongue }
    }
}

impl HubStore for Liar {
    async fn identity(&self, id: InstanceId) -> Kept<Option<IdentityLog>> {
        self.file.identity(id).await
    }

    async fn register(
        &self,
        registering: Registering,
        policy: Policy,
        now: Timestamp,
    ) -> Kept<Result<Standings, RegisterRefused>> {
        self.tongue.hear(registering.card.as_bytes());
        self.file.register(registering, policy, now).await
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
        self.file.directory(after, limit, now).await
    }

    async fn vouches(&self, ask: VouchesAsk, now: Timestamp) -> Kept<VouchesPage> {
        self.file.vouches(ask, now).await
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
        Ok(self.tongue.say_heads(heads))
    }

    async fn changes(
        &self,
        id: InstanceId,
        since: Cursor,
        now: Timestamp,
    ) -> Kept<Result<ChangesPage, PageRefused>> {
        let page = self.file.changes(id, since, now).await?;
        Ok(page.map(|page| ChangesPage {
            body: self.tongue.say(Answer::Changes, page.body),
            ..page
        }))
    }

    async fn snapshot(
        &self,
        ask: SnapshotAsk,
        now: Timestamp,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        let page = self.file.snapshot(ask, now).await?;
        Ok(page.map(|body| self.tongue.say(Answer::Snapshot, body)))
    }

    async fn snapshot_stamp(
        &self,
        origin: InstanceId,
        scope: FeedScope,
        now: Timestamp,
    ) -> Kept<Option<SnapshotStamp>> {
        // What it says while it lies is no page that may be kept.
        if self.tongue.state().lie.is_some() {
            return Ok(None);
        }
        self.file.snapshot_stamp(origin, scope, now).await
    }

    async fn lines(&self, ask: LinesPage, now: Timestamp) -> Kept<Result<Vec<u8>, PageRefused>> {
        let page = self.file.lines(ask, now).await?;
        Ok(page.map(|body| self.tongue.say(Answer::Lines, body)))
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
        self.tongue.hear(&body);
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
