//! Pulling from a hub: the session says what to ask, the answers go into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wb_core::id::{Hash, InstanceId};
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Cause, ChangesSection, Notice, PageSection, Session, Step};
use wb_core::want::Held;
use wb_net::signed::CallError;
use wb_net::{HubClient, SnapshotPage};
use wb_store::{Changed, Peer, Road, RunStart, Standing, Write};

use super::apply::{Applied, Applier, Taking, Tally, apply};
use super::spool::{Spool, lines, split_first};
use super::{OnProgress, SyncEnd, bad_answer};
use crate::node::Node;

/// Records above which a feed comes in two passes: first what is asked for in it (requests and who
/// asks), then what was said about it. People can look at the requests while the rest comes.
const TWO_PASSES_ABOVE: u64 = 10_000;
/// The kind that makes up most of a feed, and can wait.
const LATER_KIND: &str = "comment";

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
    /// In a rehearsal: record by record.
    pub changed: Vec<Changed>,
    /// What a person should know.
    pub notices: BTreeSet<Notice>,
    /// Heads that the hub holds of own feeds, as it said.
    pub own: Option<Vec<Held>>,
    /// The run, when something came.
    pub run_no: Option<i64>,
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
    let ended = pull.run(hub, progress).await;
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
    let body = match hub.changes(&cursor, wait).await {
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
    changed: Vec<Changed>,
    run_no: Option<i64>,
    /// Kinds of the feeds that come in two passes.
    first_kinds: BTreeMap<(InstanceId, FeedScope), BTreeSet<Kind>>,
    done: u64,
    total: u64,
}

impl<'n> Pull<'n> {
    fn new(node: &'n Node, input: PullInput<'n>) -> Self {
        let follows = &input.peer.follows;
        let expected = wb_core::sync::Follows {
            counter: follows.counter,
            hash: follows.hash(),
        };
        let session = Session::new(input.peer.cursor, expected);
        let approved = follows.follow.iter().copied().collect();
        Self {
            node,
            input,
            session,
            approved,
            tally: Tally::default(),
            changed: Vec::new(),
            run_no: None,
            first_kinds: BTreeMap::new(),
            done: 0,
            total: 0,
        }
    }

    fn into_pulled(self) -> Pulled {
        Pulled {
            peer: self.input.peer,
            tally: self.tally,
            changed: self.changed,
            notices: self.session.notices().clone(),
            own: self.session.own().map(<[Held]>::to_vec),
            run_no: self.run_no,
        }
    }

    async fn run(&mut self, hub: &mut HubClient, progress: OnProgress<'_>) -> Result<(), SyncEnd> {
        loop {
            match self.session.step() {
                Step::PutFollows => self.put_follows(hub).await?,
                Step::Heads(after) => self.heads(hub, after).await?,
                Step::Snapshot(origin, scope) => {
                    self.snapshot(hub, origin, scope, progress).await?;
                }
                Step::Changes(since) => self.changes(hub, since, progress).await?,
                Step::Done => break,
            }
        }
        self.keep_cursor()?;
        if self.tally.refused().is_some() {
            self.forget_cursor()?;
        }
        self.fill_stubs(hub, progress).await
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

    fn taking(&self) -> Taking<'_> {
        Taking {
            own: self.node.own_id(),
            now: self.node.now(),
            run_no: self.run_no,
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

    async fn put_follows(&mut self, hub: &mut HubClient) -> Result<(), SyncEnd> {
        let list = self.input.peer.follows.clone();
        match hub.put_follows(&list).await {
            Ok(_) => Ok(self.session.follows_put()?),
            Err(CallError::Refused(problem)) if problem.cause() == Some(Cause::FollowsStale) => {
                // Another copy of this list was there, or the own one was restored: ours goes above it.
                let held = problem.counter.unwrap_or(list.counter);
                self.input.peer.follows.counter = held.max(list.counter) + 1;
                let peer = self.input.peer.clone();
                self.write(|write| Ok(write.put_peer(&peer)?))?;
                let follows = &self.input.peer.follows;
                let expected = wb_core::sync::Follows {
                    counter: follows.counter,
                    hash: follows.hash(),
                };
                self.session.expect_follows(expected);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn held(&self, origin: InstanceId, scope: FeedScope) -> Result<Option<Held>, SyncEnd> {
        Ok(self.node.store.served().head(&origin, scope)?)
    }

    async fn heads(
        &mut self,
        hub: &mut HubClient,
        after: Option<InstanceId>,
    ) -> Result<(), SyncEnd> {
        let page = hub.heads(after).await?;
        for feed in &page.feeds {
            let (origin, scope) = (feed.head.origin, feed.head.scope);
            if feed.live > TWO_PASSES_ABOVE {
                let kinds = feed.kinds.keys().filter(|kind| kind.as_str() != LATER_KIND);
                self.first_kinds
                    .insert((origin, scope), kinds.cloned().collect());
            }
        }
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

    async fn changes(
        &mut self,
        hub: &mut HubClient,
        since: wb_core::sync::Cursor,
        progress: OnProgress<'_>,
    ) -> Result<(), SyncEnd> {
        let body = match hub.changes(&since, self.input.wait).await {
            Ok(body) => body,
            Err(CallError::Refused(problem)) => {
                let Some(cause) = problem.cause() else {
                    return Err(CallError::Refused(problem).into());
                };
                return match self.session.refused(cause) {
                    Ok(()) => Ok(()),
                    // The words of the hub say more than the cause alone.
                    Err(_) => Err(CallError::Refused(problem).into()),
                };
            }
            Err(error) => return Err(error.into()),
        };
        let (first, rest) = split_first(&body);
        let section = ChangesSection::read(first).map_err(|rule| bad_answer(rule.as_str()))?;
        if rest.is_empty() {
            self.session.changes(&section);
            return Ok(());
        }
        self.start_run()?;
        self.total += section.items;
        let mut tally = std::mem::take(&mut self.tally);
        let mut session = self.session.clone();
        let rehearses = self.input.rehearsal.is_some();
        let mut peer = self.input.peer.clone();
        let applied = self.write(|write| {
            if !rehearses {
                write.remember_shown()?;
            }
            let applied = apply(write, &self.taking(), lines(rest), &mut tally)?;
            want_snapshots(&mut session, &applied, |origin, scope| {
                self.held(origin, scope)
            })?;
            session.changes(&section);
            if !rehearses {
                let changed = write.changed_since()?;
                tally.count(&changed);
                // With the lines, so that what was taken is never asked for again.
                let is_whole = !session.has_snapshots() && tally.refused().is_none();
                if is_whole && peer.cursor != session.cursor() {
                    peer.cursor = session.cursor();
                    write.put_peer(&peer)?;
                }
            }
            Ok(applied)
        });
        tally.deltas += section.deltas;
        self.tally = tally;
        if let Err(SyncEnd::Peer(..)) = &applied {
            self.forget_cursor()?;
        }
        applied?;
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

    async fn snapshot(
        &mut self,
        hub: &mut HubClient,
        origin: InstanceId,
        scope: FeedScope,
        progress: OnProgress<'_>,
    ) -> Result<(), SyncEnd> {
        let kinds = self.first_kinds.get(&(origin, scope)).cloned();
        let fetched = fetch(hub, self.node, (origin, scope), kinds.as_ref(), |items| {
            progress(self.done + items, self.total.max(self.done + items));
        });
        let spool = match fetched.await {
            Ok(spool) => spool,
            Err(Fetch::Gone) => return Ok(self.session.refused(Cause::HeadGone)?),
            // The feed is not there any more, or not for us: nothing to take.
            Err(Fetch::NotFound) => {
                self.session.snapshot_done();
                return Ok(());
            }
            Err(Fetch::End(end)) => return Err(end),
        };
        self.start_run()?;
        let mut tally = std::mem::take(&mut self.tally);
        let before = self.held(origin, scope)?;
        let live = self.write(|write| {
            // A feed that is new brings only what is new, and so much of it that it is counted otherwise.
            let remembers = before.is_some() && self.input.rehearsal.is_none();
            if remembers {
                write.remember_shown()?;
            }
            let taking = self.taking();
            let mut applier = Applier::new(write, &taking);
            spool.each(|line| applier.push(line))?;
            tally.forgive(origin, scope);
            applier.finish(&mut tally)?;
            if remembers {
                tally.count(&write.changed_since()?);
            }
            Ok(write.live_in_feed(&origin, scope)?)
        });
        if before.is_none() && self.input.rehearsal.is_none() {
            tally.new += live.as_ref().copied().unwrap_or(0);
        }
        self.tally = tally;
        self.done += live?;
        progress(self.done, self.total.max(self.done));
        self.session.snapshot_done();
        self.keep_cursor()?;
        self.erase_traces()
    }

    /// Keeps the cursor once every snapshot it needs is taken.
    fn keep_cursor(&mut self) -> Result<(), SyncEnd> {
        let cursor = self.session.cursor();
        if self.session.has_snapshots()
            || self.session.compares_heads()
            || self.tally.refused().is_some()
            || self.input.peer.cursor == cursor
        {
            return Ok(());
        }
        self.input.peer.cursor = cursor;
        let peer = self.input.peer.clone();
        self.write(|write| Ok(write.put_peer(&peer)?))
    }

    /// The next sync compares heads: what this one could not take as changes, it takes as snapshots,
    /// and nothing that the hub gives wrongly now is passed over for good.
    fn forget_cursor(&mut self) -> Result<(), SyncEnd> {
        if self.input.peer.cursor.take().is_none() {
            return Ok(());
        }
        let peer = self.input.peer.clone();
        self.write(|write| Ok(write.put_peer(&peer)?))
    }

    /// Asks for the lines that are missing of feeds followed: those left for later, and those that did
    /// not come for another reason.
    async fn fill_stubs(
        &mut self,
        hub: &mut HubClient,
        progress: OnProgress<'_>,
    ) -> Result<(), SyncEnd> {
        for (origin, scope, kinds) in self.node.store.served().missing_lines()? {
            let is_followed = self
                .node
                .store
                .standing(&origin)?
                .is_some_and(|standing| standing != Standing::Blocked)
                && self.input.peer.follows.follows(&origin, true);
            if !is_followed {
                continue;
            }
            self.start_run()?;
            let filled = super::fill::fill(self, hub, (origin, scope), &kinds, progress).await?;
            self.tally.filled += filled;
        }
        Ok(())
    }

    pub(super) fn in_one<T>(
        &self,
        work: impl FnOnce(&Write<'_>, &Taking<'_>) -> Result<T, SyncEnd>,
    ) -> Result<T, SyncEnd> {
        self.write(|write| work(write, &self.taking()))
    }
}

impl super::fill::InOne for Pull<'_> {
    fn in_one<T>(
        &self,
        work: impl FnOnce(&Write<'_>, &Taking<'_>) -> Result<T, SyncEnd>,
    ) -> Result<T, SyncEnd> {
        Pull::in_one(self, work)
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

/// Why no snapshot was fetched.
enum Fetch {
    Gone,
    NotFound,
    End(SyncEnd),
}

impl<E: Into<SyncEnd>> From<E> for Fetch {
    fn from(error: E) -> Self {
        Self::End(error.into())
    }
}

/// Fetches all pages of a snapshot.
async fn fetch(
    hub: &mut HubClient,
    node: &Node,
    (origin, scope): (InstanceId, FeedScope),
    kinds: Option<&BTreeSet<Kind>>,
    mut progress: impl FnMut(u64),
) -> Result<Spool, Fetch> {
    let mut spool = Spool::new(node.store.home().dir())?;
    let (mut head, mut next): (Option<Hash>, Option<String>) = (None, None);
    let mut items = 0;
    loop {
        let page = SnapshotPage {
            head,
            after: next.as_deref(),
            kinds,
        };
        let body = match hub.snapshot(origin, scope, &page).await {
            Ok(body) => body,
            Err(error) => {
                return Err(match error.refusal() {
                    Some(Cause::HeadGone) => Fetch::Gone,
                    Some(Cause::NotFound) => Fetch::NotFound,
                    _ => error.into(),
                });
            }
        };
        let (first, rest) = split_first(&body);
        let section = PageSection::read(first).map_err(|rule| bad_answer(rule.as_str()))?;
        if head.is_some_and(|head| head != section.head) {
            return Err(Fetch::Gone);
        }
        // A page that names itself as next would never end.
        if section.next.is_some() && section.next == next {
            return Err(bad_answer("a page of a snapshot names itself as next").into());
        }
        head = Some(section.head);
        spool.put(rest)?;
        items += lines(rest).count() as u64;
        progress(items);
        match section.next {
            Some(after) => next = Some(after),
            None => return Ok(spool),
        }
    }
}
