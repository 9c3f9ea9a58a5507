//! Pulling a snapshot: fetching its pages, and taking them in one transaction.

use tokio::time::Instant;
use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sync::Cause;
use wb_store::Write;

use super::Pull;
use crate::sync::apply::{Applied, Tally, apply_spooled};
use crate::sync::coming::{FIRST_PAGE_MAX, Untaken, take_while_it_comes};
use crate::sync::fetch::{Fetch, Pages};
use crate::sync::source::Source;
use crate::sync::spool::Spool;
use crate::sync::{OnProgress, SyncEnd, bad_answer};

impl Pull<'_> {
    /// Takes the snapshot of a feed, and goes on where it is not to be had.
    pub(super) async fn snapshot(
        &mut self,
        source: &mut Source<'_>,
        origin: InstanceId,
        scope: FeedScope,
        progress: OnProgress<'_>,
    ) -> Result<(), SyncEnd> {
        // A snapshot has more lines than records: what counts towards the total is what was announced.
        let announced = self.announced.get(&(origin, scope)).cloned();
        let live = announced.as_ref().map(|(_, live)| *live);
        let (done, total) = (self.done, self.total);
        let tell = |lines: u64| {
            let items = live.map_or(lines, |live| lines.min(live));
            progress(done + items, total.max(done + items));
        };
        let (mut tally, live) = match self.take_snapshot(source, (origin, scope), tell).await {
            Ok(taken) => taken,
            Err(Fetch::Gone) => return Ok(self.session.refused(Cause::HeadGone)?),
            // The feed is not there any more, or not for us: nothing to take.
            Err(Fetch::NotFound) => {
                self.session.snapshot_done();
                return Ok(());
            }
            Err(Fetch::End(end)) => return self.feed_failed((origin, scope), end),
        };
        tally.snapshots += 1;
        self.tally = tally;
        self.done += live;
        progress(self.done, self.total.max(self.done));
        // A fork stops at what both branches have, whatever the hub announces: that is its origin's doing.
        let stopped = self.tally.set_aside.iter();
        let is_stopped = stopped
            .filter(|aside| aside.is_set_by_origin())
            .any(|aside| (aside.origin, aside.scope) == (origin, scope));
        if let Some((head, _)) = announced.filter(|_| !is_stopped) {
            let held = self.held(origin, scope)?;
            if held.is_some_and(|held| held.log == head.log && held.seq < head.seq) {
                let stale = bad_answer("a snapshot older than the head that was announced");
                return self.feed_failed((origin, scope), stale);
            }
        }
        self.session.snapshot_done();
        self.keep_cursor()?;
        self.erase_traces()
    }

    /// Takes a snapshot, while it comes or once it is here: what it changed, and how many records its feed has.
    async fn take_snapshot(
        &mut self,
        source: &mut Source<'_>,
        feed: (InstanceId, FeedScope),
        mut tell: impl FnMut(u64),
    ) -> Result<(Tally, u64), Fetch> {
        let mut spool = Spool::new(self.node.store.home().dir())?;
        let mut pages = Pages::new(feed, self.node.kinds());
        let begun = Instant::now();
        let first = pages.next(source).await?;
        spool.put(&first)?;
        tell(pages.items());
        let is_fast = begun.elapsed() <= FIRST_PAGE_MAX;
        if pages.goes_on() && is_fast && self.input.rehearsal.is_none() {
            self.start_run()?;
            let coming = self.take_coming(source, (&mut pages, first), &mut spool, feed, &mut tell);
            match coming.await {
                Ok(taken) => return Ok(taken),
                Err(Untaken::Slow) => {}
                Err(Untaken::Ended(end)) => return Err(end),
            }
        }
        pages.rest(source, &mut spool, tell).await?;
        self.start_run()?;
        let mut tally = self.tally.clone();
        let live = self.write_page(|write| {
            let is_new = self.begin_snapshot(write, feed, &mut tally)?;
            let applied = apply_spooled(write, &self.taking(), spool, &mut tally)?;
            self.end_snapshot(write, feed, &applied, is_new, &mut tally)
        })?;
        Ok((tally, live))
    }

    /// The same in one transaction while its pages come.
    async fn take_coming(
        &self,
        source: &mut Source<'_>,
        (pages, first): (&mut Pages<'_>, Vec<u8>),
        spool: &mut Spool,
        feed: (InstanceId, FeedScope),
        tell: impl FnMut(u64),
    ) -> Result<(Tally, u64), Untaken> {
        let mut tally = self.tally.clone();
        let write = self.node.store.write_in_sight()?;
        let is_new = self.begin_snapshot(&write, feed, &mut tally)?;
        let mut sink = self.taking().sink(&write);
        let coming = take_while_it_comes(source, pages, first, spool, &mut sink, tell);
        let applied = coming.await?.end(&mut sink, &mut tally)?;
        let live = self.end_snapshot(&write, feed, &applied, is_new, &mut tally)?;
        crate::levels::settle_in(self.node, &write)?;
        write.commit()?;
        Ok((tally, live))
    }

    /// Gets ready for a snapshot; whether nothing of its feed was here before.
    fn begin_snapshot(
        &self,
        write: &Write<'_>,
        (origin, scope): (InstanceId, FeedScope),
        tally: &mut Tally,
    ) -> Result<bool, SyncEnd> {
        // A feed that is new brings only what is new, and so much of it that it is counted otherwise.
        let is_new = self.held(origin, scope)?.is_none();
        if !is_new && self.input.rehearsal.is_none() {
            write.remember_shown()?;
        }
        tally.forgive(origin, scope);
        Ok(is_new)
    }

    /// Looks at what came of a snapshot, and counts; how many records its feed has.
    fn end_snapshot(
        &self,
        write: &Write<'_>,
        (origin, scope): (InstanceId, FeedScope),
        applied: &Applied,
        is_new: bool,
        tally: &mut Tally,
    ) -> Result<u64, SyncEnd> {
        applied.check_snapshot((origin, scope))?;
        let live = write.live_in_feed(&origin, scope)?;
        match (self.input.rehearsal, is_new) {
            (Some(_), _) => {}
            (None, true) => tally.new += live,
            (None, false) => tally.count(&write.changed_since()?),
        }
        Ok(live)
    }
}
