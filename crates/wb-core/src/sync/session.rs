//! What a node asks a hub next while it pulls: a state machine without network.
//!
//! The caller does what [`Session::step`] says and tells what came of it; then it asks again. A session
//! ends with [`Step::Done`], and never asks for the same thing for ever.

use std::collections::{BTreeSet, VecDeque};

use super::cause::Cause;
use super::cursor::Cursor;
use super::messages::{ChangesSection, Follows, Heads};
use crate::id::InstanceId;
use crate::limits::HEADS_READ_MAX;
use crate::scope::FeedScope;
use crate::want::Held;

/// How often a session begins anew because the hub is not what it was; more means that the hub
/// contradicts itself.
const RESTARTS_MAX: u32 = 3;
/// Pages of changes in one session; the next one goes on from there.
const PAGES_MAX: u32 = 10_000;

/// Pages of heads in one comparison; a hub of this program has 100 for as many feeds as are read.
const HEADS_PAGES_MAX: usize = 1_000;

/// What to ask for next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send the follow list.
    PutFollows,
    /// Ask for heads, from this origin on.
    Heads(Option<InstanceId>),
    /// Ask for changes since here.
    Changes(Cursor),
    /// Take a snapshot of a feed.
    Snapshot(InstanceId, FeedScope),
    /// Nothing more.
    Done,
}

/// What a person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// The hub is not the one that gave the cursor: it was restored from an older copy, or made anew.
    /// Heads were compared.
    HubChanged,
    /// The hub does not keep deltas for as long as this node was away. Heads were compared.
    AwayTooLong,
    /// The hub did not have our follow list; it was sent again.
    FollowsSent,
    /// The hub no longer holds what it had confirmed of our own feed; it was sent again.
    HubLostOurs,
    /// A peer moved to the address on its own card.
    PeerMoved,
}

impl Notice {
    /// The word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HubChanged => "hub_changed",
            Self::AwayTooLong => "away_too_long",
            Self::FollowsSent => "follows_sent",
            Self::HubLostOurs => "hub_lost_ours",
            Self::PeerMoved => "peer_moved",
        }
    }
}

/// Whether a hub holds less of some feed than it had confirmed.
#[must_use]
pub fn lost_what_it_confirmed(confirmed: &[Held], holds: &[Held]) -> bool {
    confirmed.iter().any(|before| {
        let now = holds
            .iter()
            .find(|now| (now.origin, now.scope) == (before.origin, before.scope));
        now.is_none_or(|now| now.log == before.log && now.seq < before.seq)
    })
}

/// Why a session cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The hub contradicts itself.
    #[error("the hub contradicts itself: what it answers does not lead to an end")]
    Restless,
    /// The hub refuses.
    #[error("{0}")]
    Refused(Cause),
    /// The hub names more feeds than are read.
    #[error(
        "the hub names more than {HEADS_READ_MAX} feeds to follow; follow instances by name instead"
    )]
    TooManyFeeds,
}

/// Pulling from one hub.
#[derive(Debug, Clone)]
pub struct Session {
    follows: Follows,
    cursor: Option<Cursor>,
    /// The cursor that came with the first page of heads; it counts when all snapshots are taken.
    ahead: Option<Cursor>,
    next_heads: Option<Option<InstanceId>>,
    snapshots: VecDeque<(InstanceId, FeedScope)>,
    /// Feeds a snapshot was asked of in this session.
    tried: BTreeSet<(InstanceId, FeedScope)>,
    put_follows: bool,
    restarts: u32,
    changes_done: bool,
    pages: u32,
    gave_up: bool,
    notices: BTreeSet<Notice>,
    own: Option<Vec<Held>>,
    /// Pages of heads of this comparison, and the feeds on them.
    heads_read: (usize, usize),
}

impl Session {
    /// Starts from the cursor held, where there is one, with the follow list that should hold.
    #[must_use]
    pub fn new(cursor: Option<Cursor>, follows: Follows) -> Self {
        Self {
            follows,
            cursor,
            ahead: None,
            next_heads: if cursor.is_none() { Some(None) } else { None },
            snapshots: VecDeque::new(),
            tried: BTreeSet::new(),
            put_follows: false,
            restarts: 0,
            changes_done: false,
            pages: 0,
            gave_up: false,
            notices: BTreeSet::new(),
            own: None,
            heads_read: (0, 0),
        }
    }

    /// What to do now.
    #[must_use]
    pub fn step(&self) -> Step {
        if self.put_follows {
            return Step::PutFollows;
        }
        if let Some(after) = self.next_heads {
            return Step::Heads(after);
        }
        if let Some((origin, scope)) = self.snapshots.front() {
            return Step::Snapshot(*origin, *scope);
        }
        match self.cursor {
            Some(cursor) if !self.changes_done => Step::Changes(cursor),
            _ => Step::Done,
        }
    }

    /// Where this node stands now: it has everything up to here, but for the snapshots left to take. None
    /// where a feed was given up: then heads are to be compared again.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor.filter(|_| !self.gave_up)
    }

    /// Whether snapshots are left to take: until then the cursor claims more than is held.
    #[must_use]
    pub fn has_snapshots(&self) -> bool {
        !self.snapshots.is_empty()
    }

    /// Whether a snapshot of a feed is left to take.
    #[must_use]
    pub fn wants_snapshot(&self, origin: InstanceId, scope: FeedScope) -> bool {
        self.snapshots.contains(&(origin, scope))
    }

    /// Whether all heads of the hub were compared in this session, and it stands on that.
    #[must_use]
    pub fn has_compared(&self) -> bool {
        self.heads_read.0 > 0 && !self.compares_heads()
    }

    /// Whether heads are being compared: until then there is no cursor that counts.
    #[must_use]
    pub fn compares_heads(&self) -> bool {
        self.next_heads.is_some() || self.put_follows
    }

    /// Whether the cursor claims no more than is held: no snapshot is left to take, and no heads to
    /// compare. A feed that was given up leaves none.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.has_snapshots() && !self.compares_heads()
    }

    /// The follow list changed: the hub should hold this one.
    ///
    /// # Errors
    /// `Restless` when that keeps happening.
    pub fn expect_follows(&mut self, follows: Follows) -> Result<(), SessionError> {
        self.follows = follows;
        self.restarts += 1;
        if self.restarts > RESTARTS_MAX {
            return Err(SessionError::Restless);
        }
        Ok(())
    }

    /// What a person should know.
    #[must_use]
    pub fn notices(&self) -> &BTreeSet<Notice> {
        &self.notices
    }

    /// Heads that the hub holds of our own feeds, as it said last.
    #[must_use]
    pub fn own(&self) -> Option<&[Held]> {
        self.own.as_deref()
    }

    /// The follow list was taken.
    ///
    /// # Errors
    /// `Restless` when that keeps happening.
    pub fn follows_put(&mut self) -> Result<(), SessionError> {
        self.put_follows = false;
        self.notices.insert(Notice::FollowsSent);
        // What is followed now may stand anywhere: compare heads.
        self.restart()
    }

    fn restart(&mut self) -> Result<(), SessionError> {
        self.restarts += 1;
        if self.restarts > RESTARTS_MAX {
            return Err(SessionError::Restless);
        }
        self.next_heads = Some(None);
        self.heads_read = (0, 0);
        self.ahead = None;
        self.snapshots.clear();
        self.tried.clear();
        self.changes_done = false;
        Ok(())
    }

    /// A page of heads came. `held` gives the head held here of a feed.
    ///
    /// # Errors
    /// `TooManyFeeds`, and what `held` gives.
    pub fn heads<E: From<SessionError>>(
        &mut self,
        page: &Heads,
        mut held: impl FnMut(InstanceId, FeedScope) -> Result<Option<Held>, E>,
    ) -> Result<(), E> {
        self.heads_read.0 += 1;
        self.heads_read.1 += page.feeds.len();
        if self.heads_read.0 > HEADS_PAGES_MAX || self.heads_read.1 > HEADS_READ_MAX {
            return Err(SessionError::TooManyFeeds.into());
        }
        if page.follows != self.follows {
            self.put_follows = true;
            return Ok(());
        }
        let cursor = *self.ahead.get_or_insert(page.cursor);
        self.own = Some(page.own.clone());
        for feed in &page.feeds {
            let (origin, scope) = (feed.head.origin, feed.head.scope);
            if lacks(&feed.head, held(origin, scope)?.as_ref()) {
                self.want_snapshot(origin, scope);
            }
        }
        // An origin is named once, so a page that does not go on would never end.
        let goes_on = page.next.filter(|next| {
            self.next_heads
                .flatten()
                .is_none_or(|before| before < *next)
        });
        self.next_heads = goes_on.map(Some);
        if self.next_heads.is_none() {
            self.cursor = Some(cursor);
            self.ahead = None;
        }
        Ok(())
    }

    /// Asks for a snapshot of a feed, once in a session.
    pub fn want_snapshot(&mut self, origin: InstanceId, scope: FeedScope) {
        if self.tried.insert((origin, scope)) {
            self.snapshots.push_back((origin, scope));
        }
    }

    /// The snapshot asked for was taken, or there is none.
    pub fn snapshot_done(&mut self) {
        self.snapshots.pop_front();
    }

    /// A feed is left as it is although the hub has more of it.
    pub fn snapshot_failed(&mut self) {
        self.snapshots.pop_front();
        self.gave_up = true;
    }

    /// A page of changes was taken. One that brings nothing is the last, whatever it says, and so is one
    /// that does not move on.
    pub fn changes(&mut self, page: &ChangesSection, has_sections: bool) {
        self.own = Some(page.own.clone());
        let moves = has_sections && self.cursor.is_none_or(|cursor| page.cursor.n > cursor.n);
        self.cursor = Some(page.cursor);
        self.pages += 1;
        self.changes_done = !(page.more && moves) || self.pages >= PAGES_MAX;
        if page.follows != self.follows {
            self.put_follows = true;
        }
    }

    /// The hub refused.
    ///
    /// # Errors
    /// What the session cannot mend.
    pub fn refused(&mut self, cause: Cause) -> Result<(), SessionError> {
        let notice = match cause {
            Cause::CursorUnknown => Notice::HubChanged,
            Cause::CursorTooOld => Notice::AwayTooLong,
            Cause::HeadGone => return self.restart_snapshot(),
            cause => return Err(SessionError::Refused(cause)),
        };
        self.notices.insert(notice);
        self.cursor = None;
        self.restart()
    }

    /// The pages of a snapshot are gone: it begins anew.
    fn restart_snapshot(&mut self) -> Result<(), SessionError> {
        self.restarts += 1;
        if self.restarts > RESTARTS_MAX {
            return Err(SessionError::Restless);
        }
        Ok(())
    }
}

/// Whether a hub's head leads on from what is held here. One that is behind, or the same, does not.
fn lacks(head: &Held, held: Option<&Held>) -> bool {
    held.is_none_or(|held| {
        held.log != head.log
            || head.seq > held.seq
            || (head.seq == held.seq && head.hash != held.hash)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Hash, LogId};
    use crate::sync::messages::FeedHead;

    const LOG: LogId = LogId([1; 16]);

    fn cursor(n: u64) -> Cursor {
        Cursor::new(LOG, n, &Hash([u8::try_from(n).unwrap(); 32]))
    }

    fn follows() -> Follows {
        Follows {
            counter: 1,
            hash: Hash([7; 32]),
        }
    }

    fn head(origin: u8, seq: u64) -> Held {
        Held {
            origin: InstanceId([origin; 32]),
            scope: FeedScope::Public,
            log: LOG,
            generation: 0,
            seq,
            hash: Hash([u8::try_from(seq).unwrap(); 32]),
        }
    }

    fn heads(n: u64, feeds: &[Held], next: Option<InstanceId>) -> Heads {
        let feeds = feeds.iter().map(|head| FeedHead {
            head: head.clone(),
            live: 1,
            kinds: Default::default(),
        });
        Heads {
            schema_version: 1,
            cursor: cursor(n),
            next,
            follows: follows(),
            own: Vec::new(),
            feeds: feeds.collect(),
        }
    }

    fn changes(n: u64, more: bool) -> ChangesSection {
        ChangesSection::new(cursor(n), more, (0, 0), follows(), Vec::new())
    }

    fn nothing(_: InstanceId, _: FeedScope) -> Result<Option<Held>, SessionError> {
        Ok(None)
    }

    #[test]
    fn heads_without_end_are_not_read_without_end() {
        let mut session = Session::new(None, follows());
        let mut read = 0_u32;
        let ended = loop {
            read += 1;
            let mut next = [0; 32];
            next[..4].copy_from_slice(&read.to_be_bytes());
            let page = heads(9, &[head(1, 3)], Some(InstanceId(next)));
            if let Err(error) = session.heads(&page, nothing) {
                break error;
            }
        };
        assert_eq!((ended, read), (SessionError::TooManyFeeds, 1_001));
    }

    #[test]
    fn with_nothing_new_there_is_one_round_trip() {
        let mut session = Session::new(Some(cursor(4)), follows());
        assert_eq!(session.step(), Step::Changes(cursor(4)));
        session.changes(&changes(4, false), false);
        assert_eq!(session.step(), Step::Done);
    }

    #[test]
    fn a_newcomer_compares_heads_takes_snapshots_and_then_what_came_meanwhile() {
        let mut session = Session::new(None, follows());
        assert_eq!(session.step(), Step::Heads(None));
        let north = InstanceId([1; 32]);
        session
            .heads(&heads(9, &[head(1, 3)], Some(north)), nothing)
            .unwrap();
        assert_eq!(session.step(), Step::Heads(Some(north)));
        session
            .heads(&heads(11, &[head(2, 5)], None), nothing)
            .unwrap();
        for origin in [1, 2] {
            let step = Step::Snapshot(InstanceId([origin; 32]), FeedScope::Public);
            assert_eq!(session.step(), step);
            session.snapshot_done();
        }
        // The cursor is that of the first page: what came since is a duplicate at worst.
        assert_eq!(session.step(), Step::Changes(cursor(9)));
        session.changes(&changes(12, true), true);
        assert_eq!(session.step(), Step::Changes(cursor(12)));
        session.changes(&changes(12, true), true);
        assert_eq!(
            session.step(),
            Step::Done,
            "a page that does not move on ends it"
        );
    }

    #[test]
    fn a_restored_hub_leads_to_comparing_heads_and_what_it_lost_is_not_asked_for() {
        let mut session = Session::new(Some(cursor(9)), follows());
        session.refused(Cause::CursorUnknown).unwrap();
        assert_eq!(session.step(), Step::Heads(None));
        let held = |_, _| Ok::<_, SessionError>(Some(head(1, 6)));
        session.heads(&heads(4, &[head(1, 3)], None), held).unwrap();
        assert_eq!(session.step(), Step::Changes(cursor(4)));
        assert!(session.notices().contains(&Notice::HubChanged));
    }

    #[test]
    fn a_follow_list_the_hub_lost_is_sent_again() {
        let mut session = Session::new(Some(cursor(4)), follows());
        let other = Follows {
            counter: 0,
            hash: Hash([0; 32]),
        };
        session.changes(
            &ChangesSection::new(cursor(4), false, (0, 0), other, Vec::new()),
            false,
        );
        assert_eq!(session.step(), Step::PutFollows);
        session.follows_put().unwrap();
        assert_eq!(session.step(), Step::Heads(None));
    }

    #[test]
    fn a_hub_that_contradicts_itself_is_left() {
        let mut session = Session::new(Some(cursor(4)), follows());
        for _ in 0..RESTARTS_MAX {
            session.refused(Cause::CursorUnknown).unwrap();
        }
        assert_eq!(
            session.refused(Cause::CursorUnknown),
            Err(SessionError::Restless)
        );
        let mut session = Session::new(None, follows());
        let north = InstanceId([1; 32]);
        let page = heads(9, &[head(1, 3)], Some(north));
        let held = |_, _| Ok::<_, SessionError>(Some(head(1, 3)));
        session.heads(&page, held).unwrap();
        session.heads(&page, held).unwrap();
        assert_eq!(
            session.step(),
            Step::Changes(cursor(9)),
            "a page that does not go on is the last"
        );
    }
}
