//! What a hub keeps, as its service asks for it. Each call is one transaction.

use std::collections::BTreeSet;

use wb_core::bundle::BundleError;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Cursor, Directory, FollowList, Follows, Heads, Policy, Pushed, Standings};
use wb_core::time::Timestamp;

/// Why the place where a hub keeps things could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreProblem {
    /// Another process is writing.
    #[error("another process is writing")]
    Busy,
    /// There is no room left.
    #[error("no room is left")]
    Full,
    /// Anything else; the words are for the operator's log only.
    #[error("{0}")]
    Failed(String),
}

/// A registration that was verified.
#[derive(Debug, Clone)]
pub struct Registering {
    /// The identity log.
    pub identity: IdentityLog,
    /// The name on the card.
    pub name: String,
    /// The body of the card, as it came.
    pub card: String,
    /// Whether the directory lists it.
    pub listed: bool,
}

/// A page of changes.
#[derive(Debug, Clone)]
pub struct ChangesPage {
    /// Its lines.
    pub body: Vec<u8>,
    /// Whether something follows the first line.
    pub has_news: bool,
}

/// Which page of a snapshot is wanted.
#[derive(Debug, Clone)]
pub struct SnapshotAsk {
    /// The origin.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// The head of the first page; none for the first page.
    pub head: Option<Hash>,
    /// What the page before named as next.
    pub after: Option<String>,
    /// The kinds whose lines are wanted.
    pub kinds: Option<BTreeSet<Kind>>,
}

/// Which lines are wanted.
#[derive(Debug, Clone)]
pub struct LinesPage {
    /// The origin.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// Only ids above this.
    pub after: Option<RecordId>,
    /// The kinds wanted.
    pub kinds: Option<BTreeSet<Kind>>,
    /// The newest so many instead, newest first.
    pub newest: Option<usize>,
}

/// Why a page is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRefused {
    /// The cursor is not of this history.
    CursorUnknown,
    /// The deltas after the cursor are not kept.
    CursorTooOld,
    /// The pages of that head are gone.
    HeadGone,
    /// There is no such feed here, for this member.
    NotFound,
    /// What should say where to go on does not.
    BadToken,
}

/// Why a push counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushRefused {
    /// A section of another instance.
    NotYours(InstanceId),
    /// The body is not well formed.
    Body(BundleError),
}

/// What a call gives.
pub type Kept<T> = Result<T, StoreProblem>;

/// Where a hub keeps members, feeds and arrivals.
pub trait HubStore: Clone + Send + Sync + 'static {
    /// The identity log of an instance.
    fn identity(&self, id: InstanceId) -> impl Future<Output = Kept<Option<IdentityLog>>> + Send;

    /// Takes a registration: it may be the first, or bring something newer. Never changes a standing.
    fn register(
        &self,
        registering: Registering,
        policy: Policy,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Standings>> + Send;

    /// Where a registration stands; none when there is none.
    fn standing(
        &self,
        id: InstanceId,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Option<Standings>>> + Send;

    /// A page of the directory.
    fn directory(
        &self,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Directory>> + Send;

    /// Takes a follow list; inside, the counter held when that is above.
    fn put_follows(
        &self,
        id: InstanceId,
        list: FollowList,
    ) -> impl Future<Output = Kept<Result<Follows, u64>>> + Send;

    /// A page of heads of the feeds a member follows.
    fn heads(
        &self,
        id: InstanceId,
        after: Option<InstanceId>,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Heads>> + Send;

    /// A page of changes after a cursor, which is also the member's word that it has what came before.
    fn changes(
        &self,
        id: InstanceId,
        since: Cursor,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<ChangesPage, PageRefused>>> + Send;

    /// A page of a snapshot.
    fn snapshot(
        &self,
        ask: SnapshotAsk,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<Vec<u8>, PageRefused>>> + Send;

    /// A page of lines.
    fn lines(
        &self,
        ask: LinesPage,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<Vec<u8>, PageRefused>>> + Send;

    /// Takes sections of a member's own feeds.
    fn push(
        &self,
        id: InstanceId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<Pushed, PushRefused>>> + Send;

    /// Whether it can be read and written, for those who watch over the hub.
    fn check(&self) -> impl Future<Output = Kept<()>> + Send;
}
