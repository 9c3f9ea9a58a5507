//! Pulling from a hub: the session says what to ask, the answers go into the store.

mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wb_core::id::{Hash, InstanceId};
use wb_core::limits::NUMBER_MAX;
use wb_core::ndjson::{lines, split_first};
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{
    Cause, ChangesSection, FeedHead, FollowList, Follows, Notice, PeerCause, Session, Step,
    heads_are_due,
};
use wb_core::want::Held;
use wb_net::HubClient;
use wb_net::signed::CallError;
use wb_store::{Peer, Road, RunStart, Seen, Standing, Write};

use super::apply::{Applied, SetAside, Taking, Tally, apply};
use super::compare::compare;
use super::fill::lines_page;
use super::source::{Fetched, Source, Unanswered, Want};
use super::{OnProgress, SyncEnd, bad_answer};
use crate::heeding::Heeding;
use crate::node::Node;

/// Kinds named in a question; with more, everything is asked for. Keeps a feed that invents kinds from
/// making questions that no server takes.
const KINDS_ASKED_MAX: usize = 32;

/// What is pulled, and how.
pub struct PullInput<'n> {
    /// The hub, as it is known.
    pub peer: Peer,
    /// A transaction that is dropped: then nothing counts, and everything is listed.
    pub rehearsal: Option<&'n Write<'n>>,
    /// How long the hub may hold the answer back until there is something new.
    pub wait: Duration,
}

/// What came of pulling.
#[derive(Debug)]
pub struct Pulled {
    /// The hub as it is known now.
    pub peer: Peer,
    /// What changed.
    pub tally: Tally,
    /// What a person should know.
    pub notices: BTreeSet<Notice>,
    /// Heads that the hub holds of own feeds, as it said.
    pub own: Option<Vec<Held>>,
    /// How many sealed envelopes wait there for this instance; none where that was not said.
    pub envelopes: Option<u64>,
    /// How many letters wait there for this instance; none where that was not said.
    pub letters: Option<u64>,
    /// The run, when something came.
    pub run_no: Option<i64>,
    /// What was wrong with single feeds; the others were taken.
    pub trouble: Option<SyncEnd>,
    /// The number of the newest receipt that the hub holds for this instance; none where it takes none.
    pub receipts: Option<u64>,
}

/// What came of rehearsing a pull with what was fetched so far.
pub enum Rehearsed {
    /// It came to its end, or to why it ended early.
    Ended(Box<Pulled>, Option<SyncEnd>),
    /// Something has to be fetched first; what was done until then is to be dropped.
    Lacks(Wants),
}

/// What has to be fetched before a rehearsal can go on.
pub struct Wants(Vec<Want>);

/// Rehearses a pull in a transaction, without asking anybody.
pub async fn rehearse(node: &Node, fetched: &mut Fetched, input: PullInput<'_>) -> Rehearsed {
    fetched.begin();
    let mut pull = Pull::new(node, input);
    let ended = pull
        .run(&mut Source::Fetched(fetched), &mut |_, _| {})
        .await;
    match ended {
        Err(SyncEnd::NotFetched) => match pull.wants() {
            Ok(wants) => Rehearsed::Lacks(Wants(wants)),
            Err(end) => Rehearsed::Ended(Box::new(pull.into_pulled()), Some(end)),
        },
        ended => Rehearsed::Ended(Box::new(pull.into_pulled()), ended.err()),
    }
}

/// Fetches what a rehearsal lacks, with nothing locked.
///
/// # Errors
/// What is wrong here. What is wrong with the hub the rehearsal meets.
pub async fn fetch_for_rehearsal(
    node: &Node,
    hub: &mut HubClient,
    fetched: &mut Fetched,
    peer: &Peer,
    wants: Wants,
    progress: OnProgress<'_>,
) -> Result<(), SyncEnd> {
    fetched
        .fetch(node, hub, &peer.follows, wants.0, progress)
        .await
}

/// Pulls until nothing more is there.
///
/// # Errors
/// Why it ended early. What was taken until then counts, and the next pull goes on from there.
pub async fn pull(
    node: &Node,
    hub: &mut HubClient,
    input: PullInput<'_>,
    progress: OnProgress<'_>,
) -> Result<Pulled, (Box<Pulled>, SyncEnd)> {
    let mut pull = Pull::new(node, input);
    let mut ended = pull.run(&mut Source::Hub(hub), progress).await;
    if ended.is_ok() {
        ended = compare(node, hub, &pull.input.peer).await;
    }
    let pulled = pull.into_pulled();
    match ended {
        Ok(()) => Ok(pulled),
        Err(end) => Err((Box::new(pulled), end)),
    }
}

/// Waits at a hub until something new is there, or until the time is over; takes nothing.
///
/// # Errors
/// Why it ended early.
pub async fn watch(hub: &mut HubClient, peer: &Peer, wait: Duration) -> Result<bool, SyncEnd> {
    let Some(cursor) = peer.cursor else {
        return Ok(true);
    };
    let body = match hub.changes(&cursor, wait, None).await {
        Ok(body) => body,
        // Whatever it is: a pull finds out.
        Err(CallError::Refused(_)) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    Ok(lines(&body).nth(1).is_some())
}

struct Pull<'n> {
    node: &'n Node,
    input: PullInput<'n>,
    session: Session,
    approved: BTreeSet<InstanceId>,
    tally: Tally,
    trouble: Option<SyncEnd>,
    envelopes: Option<u64>,
    letters: Option<u64>,
    run_no: Option<i64>,
    /// The head of each feed as it was announced, and how many records are live at it.
    announced: BTreeMap<(InstanceId, FeedScope), (Held, u64)>,
    done: u64,
    total: u64,
    receipts: Option<u64>,
}

impl<'n> Pull<'n> {
    fn new(node: &'n Node, input: PullInput<'n>) -> Self {
        // Begun without a cursor it compares heads first; what is stored stays until it has.
        let is_due = heads_are_due(input.peer.heads_at, node.now());
        let cursor = input.peer.cursor.filter(|_| !is_due);
        let session = Session::new(cursor, named(&input.peer.follows));
        Self {
            node,
            input,
            session,
            approved: BTreeSet::new(),
            tally: Tally::default(),
            trouble: None,
            envelopes: None,
            letters: None,
            run_no: None,
            announced: BTreeMap::new(),
            done: 0,
            total: 0,
            receipts: None,
        }
    }

    fn into_pulled(self) -> Pulled {
        Pulled {
            peer: self.input.peer,
            tally: self.tally,
            trouble: self.trouble,
            notices: self.session.notices().clone(),
            own: self.session.own().map(<[Held]>::to_vec),
            envelopes: self.envelopes,
            letters: self.letters,
            run_no: self.run_no,
            receipts: self.receipts,
        }
    }

    /// Whom somebody here follows by name, at whatever hub: approved by hand, also where another hub is
    /// the first to bring them.
    fn find_approved(&mut self) -> Result<(), SyncEnd> {
        for peer in self.node.store.peers()? {
            self.approved.extend(peer.follows.follow);
        }
        Ok(())
    }

    async fn run(
        &mut self,
        source: &mut Source<'_>,
        progress: OnProgress<'_>,
    ) -> Result<(), SyncEnd> {
        self.find_approved()?;
        loop {
            match self.session.step() {
                Step::PutFollows => self.put_follows(source).await?,
                Step::Heads(after) => self.heads(source, after).await?,
                Step::Snapshot(origin, scope) => {
                    self.snapshot(source, origin, scope, progress).await?;
                }
                Step::Changes(since) => self.changes(source, since, progress).await?,
                Step::Done => break,
            }
        }
        if self.input.rehearsal.is_none() && self.tally.gone > 0 {
            // Before a receipt says that it is gone.
            self.node.store.forget_erased()?;
        }
        if self.tally.refused().is_some() {
            self.forget_cursor()?;
        } else {
            self.keep_cursor()?;
            self.note_compared()?;
        }
        self.fill_stubs(source, progress).await
    }

    /// What has to be fetched for the next step, and what will be asked for after it as far as that is known.
    fn wants(&self) -> Result<Vec<Want>, SyncEnd> {
        Ok(match self.session.step() {
            Step::PutFollows => vec![Want::PutFollows],
            Step::Heads(after) => vec![Want::Heads(after)],
            Step::Changes(since) => vec![Want::Changes(since)],
            Step::Snapshot(origin, scope) => {
                let next = (origin, scope);
                let others =
                    self.announced.keys().copied().filter(|feed| {
                        *feed != next && self.session.wants_snapshot(feed.0, feed.1)
                    });
                std::iter::once(next)
                    .chain(others)
                    .map(|feed| Want::Snapshot(feed, self.node.kinds().cloned()))
                    .collect()
            }
            Step::Done => {
                let unfilled = self.unfilled()?.into_iter();
                unfilled
                    .map(|(feed, kinds, _)| Want::Lines(feed, some_kinds(kinds)))
                    .collect()
            }
        })
    }

    /// Does something in one transaction, or in the rehearsal's.
    fn write<T>(&self, work: impl FnOnce(&Write<'_>) -> Result<T, SyncEnd>) -> Result<T, SyncEnd> {
        if let Some(write) = self.input.rehearsal {
            return work(write);
        }
        let write = self.node.store.write_in_sight()?;
        let done = work(&write)?;
        write.commit()?;
        Ok(done)
    }

    /// The same for what a page brings: whom it lets fall is shown no record of the pages after it.
    fn write_page<T>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<T, SyncEnd>,
    ) -> Result<T, SyncEnd> {
        self.write(|write| {
            let done = work(write)?;
            if self.input.rehearsal.is_none() {
                crate::levels::settle_in(self.node, write)?;
            }
            Ok(done)
        })
    }

    fn taking(&self) -> Taking<'_> {
        Taking {
            own: self.node.own_id(),
            now: self.node.now(),
            run_no: self.run_no,
            // Its changes have none of it; a restore asks for it by itself.
            takes_own: false,
            approved: &self.approved,
        }
    }

    /// Starts the run with the first thing that comes.
    fn start_run(&mut self) -> Result<(), SyncEnd> {
        if self.run_no.is_some() || self.input.rehearsal.is_some() {
            return Ok(());
        }
        let (id, address) = (self.input.peer.id, self.input.peer.address.clone());
        let at = self.node.now();
        let started = self.write(|write| {
            Ok(write.start_run(&RunStart {
                peer: Some(id),
                road: Road::Hub,
                detail: &address,
                at,
            })?)
        })?;
        self.run_no = Some(started);
        Ok(())
    }

    async fn put_follows(&mut self, source: &mut Source<'_>) -> Result<(), SyncEnd> {
        // Until heads were compared under the new list, there is no cursor: a connection that breaks here
        // must not let what arrived meanwhile go by.
        self.forget_cursor()?;
        let list = self.input.peer.follows.clone();
        match source.put_follows(&list).await {
            Ok(_) => Ok(self.session.follows_put()?),
            Err(Unanswered::Refused(problem))
                if problem.cause() == Some(Cause::FollowsStale)
                    && self.input.rehearsal.is_none() =>
            {
                // Another copy of this list was there, or the own one was restored: ours goes above it.
                let held = problem.counter.unwrap_or(0).max(list.counter);
                let counter = held.checked_add(1).filter(|next| *next <= NUMBER_MAX);
                self.input.peer.follows.counter =
                    counter.ok_or_else(|| bad_answer("a counter beyond every number"))?;
                self.keep_peer()?;
                Ok(self
                    .session
                    .expect_follows(named(&self.input.peer.follows))?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn held(&self, origin: InstanceId, scope: FeedScope) -> Result<Option<Held>, SyncEnd> {
        Ok(self.node.store.served().head(&origin, scope)?)
    }

    async fn heads(
        &mut self,
        source: &mut Source<'_>,
        after: Option<InstanceId>,
    ) -> Result<(), SyncEnd> {
        let page = source.heads(after).await?;
        for feed in &page.feeds {
            let (origin, scope) = (feed.head.origin, feed.head.scope);
            self.announced
                .insert((origin, scope), (feed.head.clone(), feed.live));
        }
        self.note_heads(&page.feeds)?;
        let served = self.node.store.served();
        self.session.heads(&page, |origin, scope| {
            served.head(&origin, scope).map_err(SyncEnd::from)
        })?;
        // What is fetched is known before the first of it comes.
        let lacking = page.feeds.iter().filter(|feed| {
            self.session
                .wants_snapshot(feed.head.origin, feed.head.scope)
        });
        self.total += lacking.map(|feed| feed.live).sum::<u64>();
        Ok(())
    }

    /// Notes which heads a hub named: what it has of feeds that come by other roads as well.
    fn note_heads(&self, feeds: &[FeedHead]) -> Result<(), SyncEnd> {
        if self.input.rehearsal.is_some() || feeds.is_empty() {
            return Ok(());
        }
        let (peer, at) = (&self.input.peer, self.node.now());
        self.write(|write| {
            let seen = Seen {
                peer: Some(peer.id),
                road: Road::Hub.as_str(),
                detail: &peer.address,
                at,
            };
            for feed in feeds {
                write.note_head(&seen, &feed.head)?;
            }
            Ok(())
        })
    }

    async fn changes(
        &mut self,
        source: &mut Source<'_>,
        since: wb_core::sync::Cursor,
        progress: OnProgress<'_>,
    ) -> Result<(), SyncEnd> {
        let asked = source.changes(&since, self.input.wait, self.node.kinds());
        let body = match asked.await {
            Ok(body) => body,
            Err(Unanswered::Refused(problem)) => {
                let Some(cause) = problem.cause() else {
                    return Err(Unanswered::Refused(problem).into());
                };
                return match self.session.refused(cause) {
                    Ok(()) => Ok(()),
                    // The words of the hub say more than the cause alone.
                    Err(_) => Err(Unanswered::Refused(problem).into()),
                };
            }
            Err(error) => return Err(error.into()),
        };
        let (first, rest) = split_first(&body);
        let section = ChangesSection::read(first).map_err(|rule| bad_answer(rule.as_str()))?;
        self.receipts = section.receipts;
        self.envelopes = Some(section.envelopes);
        self.letters = Some(section.letters);
        if rest.is_empty() {
            self.session.changes(&section, false);
            return Ok(());
        }
        self.start_run()?;
        self.total += section.items;
        let mut tally = self.tally.clone();
        let mut session = self.session.clone();
        let rehearses = self.input.rehearsal.is_some();
        let mut peer = self.input.peer.clone();
        let applied = self.write_page(|write| {
            if !rehearses {
                write.remember_shown()?;
            }
            let applied = apply(write, &self.taking(), lines(rest), &mut tally)?;
            want_snapshots(&mut session, &applied, |origin, scope| {
                self.held(origin, scope)
            })?;
            session.changes(&section, true);
            if !rehearses {
                let changed = write.changed_since()?;
                tally.count(&changed);
                // With the lines, so that what was taken is never asked for again.
                if session.is_settled() && peer.cursor != session.cursor() {
                    peer.cursor = session.cursor();
                    write.put_peer(&peer)?;
                }
            }
            Ok(())
        });
        if let Err(SyncEnd::Peer(..)) = &applied {
            // A page that cannot be taken would come again and again: heads are compared next time.
            self.forget_cursor()?;
        }
        // What was dropped with the transaction was not taken.
        applied?;
        tally.deltas += section.deltas;
        self.tally = tally;
        self.session = session;
        self.input.peer = peer;
        self.done += section.items;
        progress(self.done, self.total);
        self.erase_traces()
    }

    /// Lines that were taken back must not stay behind in the log file.
    fn erase_traces(&self) -> Result<(), SyncEnd> {
        if self.input.rehearsal.is_none() && self.tally.changed + self.tally.gone > 0 {
            self.node.store.checkpoint()?;
        }
        Ok(())
    }

    /// Leaves one feed as it is and goes on with the others; the next sync compares heads again. What is
    /// wrong with the connection, the hub as a whole, or this computer ends the pull.
    fn feed_failed(
        &mut self,
        (origin, scope): (InstanceId, FeedScope),
        end: SyncEnd,
    ) -> Result<(), SyncEnd> {
        let SyncEnd::Peer(cause, detail) = end else {
            return Err(end);
        };
        if !concerns_one_feed(cause) {
            return Err(SyncEnd::Peer(cause, detail));
        }
        self.tally.set_aside.push(SetAside {
            origin,
            scope,
            outcome: "not_taken",
            rule: None,
        });
        let detail = format!("the {scope} feed of {origin}: {detail}");
        self.trouble.get_or_insert(SyncEnd::Peer(cause, detail));
        self.session.snapshot_failed();
        self.keep_cursor()
    }

    /// Keeps the cursor once every snapshot it needs is taken.
    fn keep_cursor(&mut self) -> Result<(), SyncEnd> {
        let cursor = self.session.cursor();
        if !self.session.is_settled() || self.input.peer.cursor == cursor {
            return Ok(());
        }
        self.input.peer.cursor = cursor;
        self.keep_peer()
    }

    /// Notes that heads were compared, and nothing of them is left to take.
    fn note_compared(&mut self) -> Result<(), SyncEnd> {
        if !self.session.has_compared() || self.session.cursor().is_none() {
            return Ok(());
        }
        self.input.peer.heads_at = Some(self.node.now());
        self.keep_peer()
    }

    /// The next sync compares heads: what this one could not take as changes, it takes as snapshots,
    /// and nothing that the hub gives wrongly now is passed over for good.
    fn forget_cursor(&mut self) -> Result<(), SyncEnd> {
        if self.input.peer.cursor.take().is_none() {
            return Ok(());
        }
        self.keep_peer()
    }

    fn keep_peer(&self) -> Result<(), SyncEnd> {
        self.write(|write| Ok(write.put_peer(&self.input.peer)?))
    }

    /// Asks for the lines that are missing of feeds followed: those left for later, and those that did
    /// not come for another reason.
    async fn fill_stubs(
        &mut self,
        source: &mut Source<'_>,
        progress: OnProgress<'_>,
    ) -> Result<(), SyncEnd> {
        for ((origin, scope), kinds, head) in self.unfilled()? {
            self.start_run()?;
            let wanted = some_kinds(kinds.clone());
            match self
                .fill(source, (origin, scope), wanted.as_ref(), progress)
                .await
            {
                Ok(filled) => self.tally.filled += filled,
                Err(end) => {
                    // It is asked again with the next sync.
                    self.feed_failed((origin, scope), end)?;
                    continue;
                }
            }
            let asked = (self.input.peer.id, origin, scope);
            self.write(|write| Ok(write.note_unfilled(&asked, &head, &kinds)?))?;
        }
        Ok(())
    }

    /// Feeds followed of which lines are missing that this hub was not asked for at their head, with the kinds
    /// of those lines.
    fn unfilled(&self) -> Result<Vec<Unfilled>, SyncEnd> {
        let store = &self.node.store;
        let mut unfilled = Vec::new();
        let missing = store.served().missing_lines()?;
        if missing.is_empty() {
            return Ok(unfilled);
        }
        let heeding = Heeding::of(self.node)?;
        for (origin, scope, mut kinds) in missing {
            kinds.retain(|kind| self.node.asks_for(kind));
            heeding.asked_for(self.node, &self.input.peer.id, (origin, scope), &mut kinds)?;
            let standing = store.standing(&origin)?;
            let is_followed = standing.is_some_and(|standing| standing != Standing::Blocked)
                && self.input.peer.follows.follows(&origin, true);
            if !is_followed || kinds.is_empty() {
                continue;
            }
            let Some(head) = self.held(origin, scope)?.map(|held| held.hash) else {
                continue;
            };
            // Otherwise this hub did not have them at this head.
            let asked = (self.input.peer.id, origin, scope);
            if !store.was_unfilled(&asked, &head, &kinds)? {
                unfilled.push(((origin, scope), kinds, head));
            }
        }
        Ok(unfilled)
    }

    /// Fetches lines of some kinds, page by page, and fills what waits for them. Returns how many were
    /// filled.
    async fn fill(
        &self,
        source: &mut Source<'_>,
        feed: (InstanceId, FeedScope),
        kinds: Option<&BTreeSet<Kind>>,
        progress: OnProgress<'_>,
    ) -> Result<u64, SyncEnd> {
        let (mut after, mut filled) = (None, 0);
        loop {
            let Some(page) = lines_page(source, feed, after, kinds).await? else {
                return Ok(filled);
            };
            filled += self.write_page(|write| {
                let ingest = write.ingest(self.node.now()).of_run(self.run_no);
                let mut count = 0;
                for line in page.lines() {
                    // A line that nobody waits for, or that contradicts its entry, is left out by itself.
                    count += u64::from(ingest.fill(line)?.unwrap_or(false));
                }
                Ok(count)
            })?;
            progress(filled, filled);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(filled),
            }
        }
    }
}

/// A feed of which lines are missing, their kinds, and its head.
type Unfilled = ((InstanceId, FeedScope), BTreeSet<Kind>, Hash);

/// The kinds to name in a question; none where everything is asked for.
fn some_kinds(kinds: BTreeSet<Kind>) -> Option<BTreeSet<Kind>> {
    Some(kinds).filter(|kinds| kinds.len() <= KINDS_ASKED_MAX)
}

/// Whether what is wrong is wrong with one feed, and others may be fine.
pub(super) fn concerns_one_feed(cause: PeerCause) -> bool {
    matches!(
        cause,
        PeerCause::BadAnswer | PeerCause::NotProved | PeerCause::TooLarge
    )
}

/// What a follow list is known by.
fn named(list: &FollowList) -> Follows {
    Follows {
        counter: list.counter,
        hash: list.hash(),
    }
}

fn want_snapshots(
    session: &mut Session,
    applied: &Applied,
    held: impl Fn(InstanceId, FeedScope) -> Result<Option<Held>, SyncEnd>,
) -> Result<(), SyncEnd> {
    for (origin, scope) in &applied.want_snapshot {
        session.want_snapshot(*origin, *scope);
    }
    for head in &applied.again {
        if held(head.origin, head.scope)?.as_ref() != Some(head) {
            session.want_snapshot(head.origin, head.scope);
        }
    }
    Ok(())
}
