//! What stands between a hub and its file: it hears everything, and changes what is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::sync::{
    Cursor, Directory, FollowList, Follows, Heads, Policy, Pushed, Standing, Standings,
};
use wb_core::time::Timestamp;
use wb_hub::{
    ChangesPage, Decision, HubStore, LinesPage, MemberRow, PageRefused, PushRefused,
    RegisterRefused, Registering, RoomRow, SnapshotAsk, SqliteHub, StoreProblem,
};

type Kept<T> = Result<T, StoreProblem>;

/// What a hub hears and says.
#[derive(Debug, Default)]
pub struct Tongue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bodies that came in, as they were before they travelled.
    heard: Vec<Vec<u8>>,
    /// Members that pushed.
    pushed: BTreeSet<InstanceId>,
}

impl Tongue {
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

    async fn put_follows(&self, id: InstanceId, list: FollowList) -> Kept<Result<Follows, u64>> {
        self.file.put_follows(id, list).await
    }

    async fn heads(
        &self,
        id: InstanceId,
        after: Option<InstanceId>,
        now: Timestamp,
    ) -> Kept<Heads> {
        self.file.heads(id, after, now).await
    }

    async fn changes(
        &self,
        id: InstanceId,
        since: Cursor,
        now: Timestamp,
    ) -> Kept<Result<ChangesPage, PageRefused>> {
        self.file.changes(id, since, now).await
    }

    async fn snapshot(
        &self,
        ask: SnapshotAsk,
        now: Timestamp,
    ) -> Kept<Result<Vec<u8>, PageRefused>> {
        self.file.snapshot(ask, now).await
    }

    async fn lines(&self, ask: LinesPage, now: Timestamp) -> Kept<Result<Vec<u8>, PageRefused>> {
        self.file.lines(ask, now).await
    }

    async fn push(
        &self,
        id: InstanceId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Kept<Result<Pushed, PushRefused>> {
        self.tongue.hear(&body);
        self.tongue.state().pushed.insert(id);
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

    async fn check(&self) -> Kept<()> {
        self.file.check().await
    }
}
