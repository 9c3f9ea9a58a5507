//! Taking in one delta: accept, store, project, and try again what waited for it.

use rusqlite::params;
use wb_core::entry::{Entry, Op};
use wb_core::feed::FeedView as _;
use wb_core::feed::{self, Applied, Delta, Early, Outcome, check_fill};
use wb_core::rule::Rule;

use super::ingest::{Ingest, Place};
use super::view::{StoredFeed, load_feed};
use crate::error::Result;
use crate::instances::{identity_log, instance_no};
use crate::project::project_record;
use crate::sql::Sql;

impl Ingest<'_> {
    /// Takes in a delta whose bytes were read. What cannot be applied is kept by name, except
    /// duplicates and what only a snapshot leads to.
    ///
    /// # Errors
    /// What the database reports.
    pub fn delta(&self, delta: &Delta<'_>) -> Result<Outcome> {
        let outcome = self.take(delta)?;
        if matches!(outcome, Outcome::Append(_)) {
            self.retry_early(delta)?;
        }
        Ok(outcome)
    }

    fn take(&self, delta: &Delta<'_>) -> Result<Outcome> {
        let header = &delta.header;
        let identity = identity_log(self.connection, &header.origin)?;
        let Some(feed) = load_feed(self.connection, &header.origin, header.scope)? else {
            self.hold(delta, "early", Some("identity"))?;
            return Ok(Outcome::Early(Early::Identity));
        };
        let outcome = feed::accept(delta, identity.as_ref(), feed.state.as_ref(), &feed)?;
        match &outcome {
            Outcome::Append(applied) => self.apply(delta, &feed, applied)?,
            Outcome::Duplicate => self.fill_from(delta, &feed)?,
            Outcome::NeedSnapshot => {}
            Outcome::Early(Early::Gap) => self.hold(delta, "early", Some("gap"))?,
            Outcome::Early(Early::Identity) => self.hold(delta, "early", Some("identity"))?,
            Outcome::Refused(refusal) => {
                self.hold(delta, "refused", Some(refusal.rule.as_str()))?
            }
            Outcome::Void => self.hold(delta, "void", None)?,
            Outcome::Fork | Outcome::Closed | Outcome::Held => {
                self.hold(delta, outcome.as_str(), None)?;
                if let Some(nos) = feed.row {
                    let entries: Vec<Entry> =
                        delta.items.iter().map(|item| item.entry.clone()).collect();
                    self.mark_retracts(nos, feed.instance_no, header, &entries)?;
                    if matches!(outcome, Outcome::Fork) {
                        let fork = "UPDATE feeds SET forked = 1 WHERE feed_no = ?1";
                        self.connection.execute(fork, [nos.feed_no])?;
                    }
                }
            }
        }
        Ok(outcome)
    }

    fn apply(&self, delta: &Delta<'_>, feed: &StoredFeed<'_>, applied: &Applied) -> Result<()> {
        let header = &delta.header;
        let first = applied.opens_log.then_some(delta.header_line);
        let log_no = self.log_no(
            feed.instance_no,
            header.scope,
            &header.log,
            header.generation,
            first,
        )?;
        let nos = self.put_state(
            feed.instance_no,
            header.scope,
            log_no,
            &applied.state,
            header.valid_until,
        )?;
        self.put_header(
            log_no,
            header.seq,
            &delta.hash,
            &delta.body_hash,
            Some(delta.header_line),
        )?;
        for (index, item) in delta.items.iter().enumerate() {
            if applied.changes[index].dropped.is_some() {
                self.end_live(nos.feed_no, &item.entry.id)?;
            }
            let index = i64::try_from(index).expect("a delta has few entries");
            let at = Place {
                seq: header.seq,
                index: Some(index),
                applied: true,
            };
            let line = item.line.as_ref().map(|line| line.bytes.as_ref());
            self.put_entry(nos, at, &item.entry, line)?;
            project_record(self.connection, feed.instance_no, &item.entry.id)?;
        }
        self.drop_held(&header.origin, header.scope, &delta.hash)
    }

    /// Fills stubs of live entries from the lines of a delta that was applied before.
    fn fill_from(&self, delta: &Delta<'_>, feed: &StoredFeed<'_>) -> Result<()> {
        for item in &delta.items {
            if let (Some(line), Op::Put { .. }) = (&item.line, item.entry.op) {
                self.fill_line(feed, &line.bytes, &item.entry)?;
            }
        }
        Ok(())
    }

    fn fill_line(&self, feed: &StoredFeed<'_>, bytes: &[u8], entry: &Entry) -> Result<bool> {
        let Some(live) = feed.live(&entry.id)? else {
            return Ok(false);
        };
        let Some(nos) = feed.row else {
            return Ok(false);
        };
        if Some(live.line_hash) != entry.line_hash() {
            return Ok(false);
        }
        let changed = self.connection.prepare_cached(
            "UPDATE feed_lines SET line = ?3 WHERE feed_no = ?1 AND id = ?2 AND live = 1 AND line IS NULL",
        )?
        .execute(params![nos.feed_no, Sql(entry.id), bytes])?;
        if changed > 0 {
            project_record(self.connection, feed.instance_no, &entry.id)?;
        }
        Ok(changed > 0)
    }

    /// Takes a line for an entry that is live and has none. `Ok(Ok(false))`: nobody waits for it.
    ///
    /// # Errors
    /// What the database reports; inside, the rule the line breaks.
    pub fn fill(&self, bytes: &[u8]) -> Result<std::result::Result<bool, Rule>> {
        let line = match wb_core::line::Line::read(bytes) {
            Ok(line) => line,
            Err(rule) => return Ok(Err(rule)),
        };
        let Some(feed) = load_feed(self.connection, &line.origin, line.scope)? else {
            return Ok(Ok(false));
        };
        let Some(live) = feed.live(&line.id)? else {
            return Ok(Ok(false));
        };
        match check_fill(bytes, &line.id, &live, line.origin, line.scope) {
            Ok(line) => Ok(Ok(self.fill_line(&feed, bytes, &Entry::of_line(&line))?)),
            Err(rule) => Ok(Err(rule)),
        }
    }

    /// Tries again the delta that waited for this one, and those after it.
    fn retry_early(&self, applied: &Delta<'_>) -> Result<()> {
        let header = &applied.header;
        let mut seq = header.seq;
        loop {
            seq += 1;
            let Some((line, items)) = self.early(&header.origin, header.scope, &header.log, seq)?
            else {
                return Ok(());
            };
            let Ok(delta) = Delta::read(&line, &items) else {
                return Ok(());
            };
            if !matches!(self.take(&delta)?, Outcome::Append(_)) {
                return Ok(());
            }
        }
    }

    /// Tries again every delta of an instance that waited for its identity log.
    ///
    /// # Errors
    /// What the database reports.
    pub fn retry_after_identity(&self, origin: &wb_core::id::InstanceId) -> Result<()> {
        if instance_no(self.connection, origin)?.is_none() {
            return Ok(());
        }
        for (line, items) in self.waiting_for_identity(origin)? {
            if let Ok(delta) = Delta::read(&line, &items) {
                self.delta(&delta)?;
            }
        }
        Ok(())
    }
}
