//! What a hub keeps, as its service asks for it. Each call is one transaction.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::bundle::BundleError;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::letter::Mail;
use wb_core::receipt::Receipt;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sealed::Envelope;
use wb_core::sync::{
    Cursor, Directory, EnvelopesPage, FeedHead, FollowList, Follows, Heads, Policy, Pushed,
    Receipts, StaleReceipt, Standing, Standings, TurnAnswer, TurnCall, Visibility, VouchesAsk,
    VouchesPage,
};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::quota::{Counted, Quota};

/// Why the place where a hub keeps things could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreProblem {
    /// Another process is writing.
    #[error("another process is writing")]
    Busy,
    /// There is no room left.
    #[error("no room is left")]
    Full,
    /// The database cannot be reached just now, and what was asked may have been done; the words are for the operator's
    /// log only.
    #[error("the database is away: {0}")]
    Away(String),
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
    /// To whom it asks to be shown.
    pub visibility: Visibility,
    /// The hash of the code of an invitation that it brings.
    pub code: Option<Hash>,
    /// Counts what it said when it registered.
    pub counter: u64,
}

/// A page of changes.
#[derive(Debug, Clone)]
pub struct ChangesPage {
    /// Its lines.
    pub body: Vec<u8>,
    /// Whether something follows the first line.
    pub has_news: bool,
    /// Whom the member follows, for when it waits.
    pub follows: FollowList,
}

/// How a hub stands, for whoever watches over it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watched {
    /// Registrations, by standing.
    pub standings: BTreeMap<&'static str, u64>,
    /// The number of the newest arrival.
    pub newest_n: u64,
    /// Members that asked before and did not say that they have it.
    pub behind: u64,
    /// Arrivals after the one that the member furthest behind said to have.
    pub lag: u64,
    /// Sealed envelopes that are kept for somebody.
    pub envelopes: u64,
    /// Letters that are kept for somebody.
    pub letters: u64,
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
    /// This line alone, where it is there.
    pub only: Option<RecordId>,
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
    /// A section of a feed that is not public.
    NotPublic,
    /// The body is not well formed.
    Body(BundleError),
    /// There would be more of the sender than a hub keeps of one member.
    OverQuota {
        /// What there would be too much of.
        counted: Counted,
        /// How much of it there may be.
        limit: u64,
        /// How much there would be.
        used: u64,
    },
}

/// An envelope that was verified.
#[derive(Debug, Clone)]
pub struct Keeping {
    /// What its line says.
    pub envelope: Envelope,
    /// The line, as it came.
    pub line: Vec<u8>,
    /// What is sealed.
    pub body: Vec<u8>,
}

/// A letter whose outside was verified.
#[derive(Debug, Clone)]
pub struct KeepingLetter {
    /// What its line says.
    pub mail: Mail,
    /// The line, as it came.
    pub line: Vec<u8>,
    /// What is sealed.
    pub body: Vec<u8>,
}

use crate::notices::NoticeRow;
pub use wb_store::relay::{EnvelopeRefused, InviteRefused, LetterRefused};

/// Why a registration does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterRefused {
    /// One that is newer is held, of this counter.
    Stale(u64),
    /// So many wait for approval already, and none of them makes room.
    QueueFull(u64),
    /// The hub takes only whom it invited, and no code came.
    InviteNeeded,
    /// The code that came lets nobody in.
    Invite(InviteRefused),
}

/// What a page of a snapshot was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotStamp {
    /// As one text: whatever would change a page changes it, in the transaction that does.
    pub text: String,
    /// Whether everybody may see what its member published: else no cache on the way keeps it.
    pub for_everybody: bool,
}

/// What is kept of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomRow {
    /// Bytes, with what is looked up by them.
    pub bytes: u64,
    /// Live records.
    pub records: u64,
    /// What may be kept.
    pub quota: Quota,
}

/// A member as its hub's operator sees it.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// Its id.
    pub id: InstanceId,
    /// The name on its card.
    pub name: String,
    /// The body of that card, as it came.
    pub card: String,
    /// Whether everybody may see it.
    pub listed: bool,
    /// To whom it is shown.
    pub visibility: Visibility,
    /// To whom it asks to be shown.
    pub asks: Visibility,
    /// The invitation by which it came.
    pub invite: Option<u64>,
    /// Whether a notice keeps it out of lists.
    pub delisted: bool,
    /// Whether a notice leaves it out for good.
    pub revoked: bool,
    /// Where its registration stands.
    pub standings: Standings,
    /// When it registered.
    pub since: Timestamp,
    /// When it last asked for changes.
    pub seen_at: Option<Timestamp>,
    /// The arrival it last said to have.
    pub seen_n: u64,
    /// Its feeds.
    pub feeds: Vec<FeedHead>,
    /// Members that follow it.
    pub followers: u64,
    /// Whom it follows.
    pub follows: FollowList,
    /// Arrivals of feeds it follows that it does not have yet: its outbox here.
    pub pending: u64,
}

/// What an operator decides about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is a member from now on.
    Approve,
    /// It is left out, for a reason, until a time or for good.
    Suspend {
        /// Why; the member reads it.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// It is a member again.
    Reinstate,
}

/// What a call gives.
pub type Kept<T> = Result<T, StoreProblem>;

/// Where a hub keeps members, feeds and arrivals.
pub trait HubStore: Clone + Send + Sync + 'static {
    /// The identity log of an instance.
    fn identity(&self, id: InstanceId) -> impl Future<Output = Kept<Option<IdentityLog>>> + Send;

    /// Takes a registration: it may be the first, or bring something newer. It changes the standing of nobody but of
    /// who comes by a code ([`crate::Entering`]), which is used in the same transaction. Of one that is stale only a longer
    /// identity log counts. One that would wait for approval while as many as may do takes the place of who waits
    /// longest and never asked again, or is refused.
    fn register(
        &self,
        registering: Registering,
        policy: Policy,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<Standings, RegisterRefused>>> + Send;

    /// Notes that somebody who waits for approval asked again: it is not one of those who make room.
    fn asked(&self, id: InstanceId, now: Timestamp) -> impl Future<Output = Kept<()>> + Send;

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

    /// A page of vouches, one by one.
    fn vouches(
        &self,
        ask: VouchesAsk,
        now: Timestamp,
    ) -> impl Future<Output = Kept<VouchesPage>> + Send;

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

    /// What the pages of a snapshot are made from. None where nothing is served, or a store does not say: then no page is kept.
    fn snapshot_stamp(
        &self,
        _origin: InstanceId,
        _scope: FeedScope,
        _now: Timestamp,
    ) -> impl Future<Output = Kept<Option<SnapshotStamp>>> + Send {
        async { Ok(None) }
    }

    /// A page of lines.
    fn lines(
        &self,
        ask: LinesPage,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<Vec<u8>, PageRefused>>> + Send;

    /// The identity log of a member and the deltas of its own feed after a head, up to a page.
    fn own(
        &self,
        id: InstanceId,
        scope: FeedScope,
        after: Option<Held>,
    ) -> impl Future<Output = Kept<Result<Vec<u8>, PageRefused>>> + Send;

    /// The signed head of a member's public feed.
    fn own_head(&self, id: InstanceId) -> impl Future<Output = Kept<Option<Vec<u8>>>> + Send;

    /// Takes a turn of a member.
    fn turn(
        &self,
        id: InstanceId,
        call: TurnCall,
        now: Timestamp,
    ) -> impl Future<Output = Kept<TurnAnswer>> + Send;

    /// Keeps receipts of a member that were verified, each with its bytes; returns those of which a later one is
    /// held.
    fn put_receipts(
        &self,
        receipts: Vec<(Receipt, Vec<u8>)>,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Vec<StaleReceipt>>> + Send;

    /// A page of receipts for the feeds of a member, after a number.
    fn receipts(
        &self,
        id: InstanceId,
        after: u64,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Receipts>> + Send;

    /// Keeps an envelope that was verified for those of its recipients that are members; who they are, or why not.
    fn keep_envelope(
        &self,
        keeping: Keeping,
    ) -> impl Future<Output = Kept<Result<Vec<InstanceId>, EnvelopeRefused>>> + Send;

    /// A page of the envelopes that wait for a member.
    fn envelopes(
        &self,
        id: InstanceId,
        after: u64,
        now: Timestamp,
    ) -> impl Future<Output = Kept<EnvelopesPage>> + Send;

    /// Notes which envelopes a member has.
    fn envelopes_taken(
        &self,
        id: InstanceId,
        hashes: Vec<Hash>,
    ) -> impl Future<Output = Kept<()>> + Send;

    /// Keeps a letter that was verified for its recipient, where that is a member. Whether it is kept, or why not.
    fn keep_letter(
        &self,
        keeping: KeepingLetter,
    ) -> impl Future<Output = Kept<Result<bool, LetterRefused>>> + Send;

    /// A page of the letters that wait for a member.
    fn mail(
        &self,
        id: InstanceId,
        after: u64,
        now: Timestamp,
    ) -> impl Future<Output = Kept<EnvelopesPage>> + Send;

    /// Notes which letters a member has.
    fn mail_taken(
        &self,
        id: InstanceId,
        hashes: Vec<Hash>,
    ) -> impl Future<Output = Kept<()>> + Send;

    /// A page of what is held of an instance's own public feed, with every identity entry: also what does
    /// not count any more.
    fn history(
        &self,
        id: InstanceId,
        after: Option<String>,
    ) -> impl Future<Output = Kept<Result<Vec<u8>, PageRefused>>> + Send;

    /// Takes sections of a member's own feeds.
    fn push(
        &self,
        id: InstanceId,
        body: Vec<u8>,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<Pushed, PushRefused>>> + Send;

    /// Members by id, for the operator.
    fn members(
        &self,
        standing: Option<Standing>,
        after: Option<InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Vec<MemberRow>>> + Send;

    /// The first members of a name, or whose id begins so where that is given, for the operator.
    fn find(
        &self,
        name: String,
        id_start: Option<String>,
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Vec<MemberRow>>> + Send;

    /// What is kept of a member, for the operator. Reads all of it.
    fn room(&self, id: InstanceId) -> impl Future<Output = Kept<RoomRow>> + Send;

    /// How many registrations that waited made room for later ones, for the operator.
    fn let_go(&self) -> impl Future<Output = Kept<u64>> + Send;

    /// How many members there are of each standing, for the operator.
    fn standings(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Kept<BTreeMap<&'static str, u64>>> + Send;

    /// One member, for the operator.
    fn member(
        &self,
        id: InstanceId,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Option<MemberRow>>> + Send;

    /// Decides about a member; false when there is none.
    fn decide(
        &self,
        id: InstanceId,
        decision: Decision,
        now: Timestamp,
    ) -> impl Future<Output = Kept<bool>> + Send;

    /// Forgets the deltas that arrived before a time; returns how many. Members that stood before that
    /// take snapshots.
    fn forget_before(&self, time: Timestamp) -> impl Future<Output = Kept<u64>> + Send;

    /// Tidies: lets members whose suspension has ended arrive again, and ends what a push had to leave;
    /// returns how many arrived.
    fn end_suspensions(&self, now: Timestamp) -> impl Future<Output = Kept<u64>> + Send;

    /// The notices about an instance that are live, the newest first.
    fn notices_about(
        &self,
        id: InstanceId,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Vec<NoticeRow>>> + Send;

    /// Keeps what whoever a notice is about replied; false where it replied otherwise before.
    fn put_reply(
        &self,
        notice: RecordId,
        origin: InstanceId,
        line: Vec<u8>,
        now: Timestamp,
    ) -> impl Future<Output = Kept<bool>> + Send;

    /// How it stands, for those who watch over the hub.
    fn watched(&self, now: Timestamp) -> impl Future<Output = Kept<Watched>> + Send;

    /// A number that is another after anything was written of which no call of this process tells: by another
    /// process, or decided by an operator.
    fn written_elsewhere(&self) -> impl Future<Output = Kept<u64>> + Send;

    /// Whether this process is told of its own arrivals as of those of others: then a call need not tell of them as well.
    fn hears_itself(&self) -> bool {
        false
    }

    /// Whether it can be read, for those who watch over the hub.
    fn check(&self) -> impl Future<Output = Kept<()>> + Send;
}
