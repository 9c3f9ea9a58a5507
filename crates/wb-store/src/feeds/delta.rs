//! Taking in one delta: accept, store, project. What waited for it is tried again in [`super::early`].

use std::collections::BTreeMap;

use rusqlite::{Row, params};
use wb_core::entry::Op;
use wb_core::feed::{self, Applied, Delta, Early, FeedView as _, Item, Live, Outcome, check_fill};
use wb_core::hash;
use wb_core::id::{InstanceId, RecordId};
use wb_core::line::Line;
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;

use super::ingest::{Appended, Ingest, Place};
use super::view::{FeedNos, StoredFeed, load_feed};
use crate::error::Result;
use crate::project::{project_first, was_seen};
use crate::sql::{Sql, word};

impl Ingest<'_> {
    /// Takes in a delta whose bytes were read. What cannot be applied is kept by name, except
    /// duplicates and what only a snapshot leads to.
    ///
    /// # Errors
    /// What the database reports.
    pub fn delta(&self, delta: &Delta<'_>) -> Result<Outcome> {
        let outcome = self.take(delta)?;
        if matches!(outcome, Outcome::Append(_)) {
            self.bring_back()?;
            self.retry_early(&delta.header.origin, delta.header.scope)?;
        }
        Ok(outcome)
    }

    pub(super) fn take(&self, delta: &Delta<'_>) -> Result<Outcome> {
        let header = &delta.header;
        let identity = self.known.log(self.connection, &header.origin)?;
        let Some(mut feed) = load_feed(self.connection, &header.origin, header.scope)? else {
            self.hold(delta, "early", Some("identity"))?;
            return Ok(Outcome::Early(Early::Identity));
        };
        feed.identity = identity;
        let outcome = feed::accept(delta, feed.identity.as_deref(), feed.state.as_ref(), &feed)?;
        if header.seq == 0 && outcome.is_proved() {
            self.log_no(
                feed.instance_no,
                header.scope,
                &header.log,
                header.generation,
                Some(delta.header_line),
            )?;
        }
        match &outcome {
            Outcome::Append(applied) => self.apply(delta, &feed, applied)?,
            Outcome::Duplicate => {
                self.drop_held(delta)?;
                self.fill_from(&delta.items, &feed)?;
            }
            Outcome::NeedSnapshot => self.drop_held(delta)?,
            Outcome::Early(Early::Gap) => self.hold(delta, "early", Some("gap"))?,
            Outcome::Early(Early::Identity) => self.hold(delta, "early", Some("identity"))?,
            // Whoever did not sign it proved nothing, and must not fill the shelf.
            Outcome::Refused(refusal)
                if matches!(refusal.rule, Rule::BadSignature | Rule::WrongKey) => {}
            Outcome::Refused(refusal) => {
                self.hold(delta, "refused", Some(refusal.rule.as_str()))?;
            }
            Outcome::Void => {}
            Outcome::Fork | Outcome::Closed | Outcome::Held => {
                self.hold(delta, outcome.as_str(), None)?;
                self.set_aside(delta, &feed)?;
                if let (Outcome::Fork, Some(nos)) = (&outcome, feed.row) {
                    let fork = "UPDATE feeds SET forked = 1 WHERE feed_no = ?1";
                    self.connection.execute(fork, [nos.feed_no])?;
                }
            }
        }
        Ok(outcome)
    }

    fn apply(&self, delta: &Delta<'_>, feed: &StoredFeed<'_>, applied: &Applied) -> Result<()> {
        let header = &delta.header;
        let (instance_no, generation) = (feed.instance_no, header.generation);
        let log_no = if applied.opens_log {
            let first = (delta.header_line, &delta.body_hash);
            self.open_log(instance_no, header.scope, &header.log, generation, first)?
        } else {
            self.log_no(instance_no, header.scope, &header.log, generation, None)?
        };
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
        let drops = |index: usize| applied.changes[index].dropped.is_some();
        let takes_back = |item: &Item<'_>| matches!(item.entry.op, Op::Retract { .. });
        let retracts = delta.items.iter().enumerate();
        let retracts = retracts.filter(|(index, item)| takes_back(item) && drops(*index));
        let live_before = feed.state.as_ref().map_or(0, |state| state.live_n);
        let dropping = self.dropping(nos, live_before, retracts.count() as u64)?;
        let shows = self.shows_lines_of(instance_no)?;
        for (index, item) in delta.items.iter().enumerate() {
            let may_be_first = shows && !drops(index) && matches!(item.entry.op, Op::Put { .. });
            let is_first = may_be_first && !was_seen(self.connection, instance_no, &item.entry.id)?;
            if drops(index) {
                if takes_back(item) {
                    self.keep_line(nos, &item.entry.id, header.seq, dropping)?;
                }
                self.end_live(nos.feed_no, &item.entry.id)?;
            }
            let index = i64::try_from(index).expect("a delta has few entries");
            let at = Place {
                seq: header.seq,
                aside_no: None,
                index: Some(index),
                applied: true,
                run_no: self.run_no(),
            };
            let line = item.line.as_ref().map(|line| line.bytes.as_ref());
            self.put_entry(nos, at, &item.entry, line)?;
            if is_first {
                let (connection, line) = (self.connection, item.line.as_ref());
                project_first(connection, instance_no, header.scope, &item.entry, line)?;
            } else {
                self.project(instance_no, &item.entry.id)?;
            }
        }
        let gone = delta.items.iter().filter(|item| takes_back(item));
        let gone: BTreeMap<_, _> = gone.map(|item| (item.entry.id, item.entry.rev)).collect();
        if !gone.is_empty() {
            self.strip_held(&header.origin, header.scope, &gone)?;
        }
        self.note_appended(Appended {
            origin: header.origin,
            scope: header.scope,
            log_no,
            seq: header.seq,
            hash: delta.hash,
        });
        self.drop_held(delta)
    }

    /// Fills stubs of live entries from the lines of items that were applied before.
    fn fill_from(&self, items: &[Item<'_>], feed: &StoredFeed<'_>) -> Result<()> {
        for item in items {
            if let Some(line) = &item.line {
                self.fill_line(feed, line)?;
            }
        }
        Ok(())
    }

    /// Fills the stub that is live for the record of a line, where it is that line's.
    fn fill_line(&self, feed: &StoredFeed<'_>, line: &Line<'_>) -> Result<bool> {
        let (Some(live), Some(nos)) = (feed.live(&line.id)?, feed.row) else {
            return Ok(false);
        };
        let fits = (live.line_hash, live.rev, &live.kind) == (line.hash, line.rev, &line.kind);
        Ok(fits && self.put_line(feed.instance_no, nos, line)?)
    }

    /// Stores the line of a stub that is live, which was held against it.
    fn put_line(&self, instance_no: i64, nos: FeedNos, line: &Line<'_>) -> Result<bool> {
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE feed_lines SET line = ?3, run_no = ?4
             WHERE feed_no = ?1 AND id = ?2 AND live = 1 AND line IS NULL",
            )?
            .execute(params![
                nos.feed_no,
                Sql(line.id),
                line.bytes,
                self.run_no()
            ])?;
        if changed > 0 {
            self.project_line(instance_no, line)?;
        }
        Ok(changed > 0)
    }

    /// Takes an item of a snapshot that is a duplicate: its line may fill a stub.
    ///
    /// # Errors
    /// What the database reports.
    pub fn fill_item(&self, item: &Item<'_>) -> Result<()> {
        let Some(line) = &item.line else {
            return Ok(());
        };
        if let Some(feed) = load_feed(self.connection, &line.origin, line.scope)? {
            self.fill_line(&feed, line)?;
        }
        Ok(())
    }

    /// Takes a line for the entry that is live under its hash and has none. `Ok(Ok(false))`: nobody
    /// waits for it.
    ///
    /// # Errors
    /// What the database reports; inside, the rule the line breaks.
    pub fn fill(&self, bytes: &[u8]) -> Result<std::result::Result<bool, Rule>> {
        let sql = "SELECT i.id, f.scope, x.id, f.instance_no, f.feed_no, f.log_no, x.rev, x.kind, x.line_hash
                   FROM feed_lines x JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                   WHERE x.line_hash = ?1 AND x.live = 1 AND x.line IS NULL";
        let stubs: Vec<Stub> = self
            .connection
            .prepare_cached(sql)?
            .query_map([Sql(hash::line(bytes))], Stub::read)?
            .collect::<rusqlite::Result<_>>()?;
        let (mut filled, mut broken) = (false, None);
        for stub in stubs {
            match check_fill(bytes, &stub.id, &stub.live, stub.origin, stub.scope) {
                Ok(line) => filled |= self.put_line(stub.instance_no, stub.nos, &line)?,
                Err(rule) => broken = Some(rule),
            }
        }
        Ok(match broken {
            Some(rule) if !filled => Err(rule),
            _ => Ok(filled),
        })
    }
}

/// A live entry whose line is not here.
struct Stub {
    origin: InstanceId,
    scope: FeedScope,
    id: RecordId,
    instance_no: i64,
    nos: FeedNos,
    live: Live,
}

impl Stub {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            origin: row.get::<_, Sql<_>>(0)?.0,
            scope: word(row, 1)?,
            id: row.get::<_, Sql<_>>(2)?.0,
            instance_no: row.get(3)?,
            nos: FeedNos {
                feed_no: row.get(4)?,
                log_no: row.get(5)?,
            },
            live: Live {
                rev: row.get::<_, Sql<_>>(6)?.0,
                kind: word(row, 7)?,
                line_hash: row.get::<_, Sql<_>>(8)?.0,
            },
        })
    }
}
