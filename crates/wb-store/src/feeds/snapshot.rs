//! Taking in a snapshot, line by line, inside one transaction.

use std::rc::Rc;

use rusqlite::{OptionalExtension as _, params};
use wb_core::entry::{Entry, Op, Reason};
use wb_core::feed::{Item, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{Hash, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::scope::FeedScope;

use super::ingest::{Ingest, Place};
use super::view::{FeedNos, load_feed};
use crate::diff::{look_again, look_away};
use crate::error::Result;
use crate::project::{project_first, was_heard_of, was_seen};
use crate::sql::Sql;

/// A snapshot being taken: its feed already points to the new head, and the transaction makes it all
/// count or nothing.
#[derive(Debug)]
pub struct Taken {
    pub(super) instance_no: i64,
    pub(super) nos: FeedNos,
    pub(super) scope: FeedScope,
    seq: u64,
    /// Whether rows of what is shown are made from its lines.
    shows: bool,
    /// Whether they are, and nothing of its instance was here before: then there is nothing to look up.
    pub(super) is_first: bool,
    /// Whether what is shown is not remembered meanwhile.
    looks_away: bool,
}

impl Taken {
    /// The row of the log that its feed is in now.
    pub(crate) fn log_no(&self) -> i64 {
        self.nos.log_no
    }

    /// Where its items stand.
    pub(super) fn place(&self, run_no: Option<i64>) -> Place {
        Place {
            seq: self.seq,
            aside_no: None,
            index: None,
            applied: true,
            run_no,
        }
    }
}

impl Ingest<'_> {
    /// Places a snapshot whose head and chain have come. With [`SnapshotOutcome::Take`] its items are
    /// wanted.
    ///
    /// # Errors
    /// What the database reports; inside, the rule broken.
    pub fn place_snapshot(
        &self,
        reader: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<std::result::Result<(SnapshotOutcome, Option<Taken>), Refusal>> {
        let totals = *reader.totals();
        let Some(mut feed) = load_feed(self.connection, &totals.origin, totals.scope)? else {
            return Ok(Ok((SnapshotOutcome::Early, None)));
        };
        feed.identity = identity.cloned().map(Rc::new);
        let outcome = match reader.place(identity, feed.state.as_ref(), &feed)? {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (head, head_line, head_hash) = reader.head().expect("a placed snapshot has a head");
        let first = reader
            .first()
            .expect("a placed snapshot has a first header");
        let is_proved = !matches!(outcome, SnapshotOutcome::Early | SnapshotOutcome::Void);
        let remember = || {
            let (log, generation) = (&head.log, head.generation);
            self.log_no(feed.instance_no, totals.scope, log, generation, Some(first))
        };
        if is_proved {
            remember()?;
        }
        if outcome == SnapshotOutcome::Fork {
            if let Some(nos) = feed.row {
                let fork = "UPDATE feeds SET forked = 1 WHERE feed_no = ?1";
                self.connection.execute(fork, [nos.feed_no])?;
            }
            self.hold_head(head, head_line, head_hash)?;
        }
        if outcome != SnapshotOutcome::Take {
            return Ok(Ok((outcome, None)));
        }
        let opened = reader.chain().next().expect("a chain is not empty");
        let log_no = self.open_log(
            feed.instance_no,
            totals.scope,
            &head.log,
            head.generation,
            (first, &opened.0),
        )?;
        // The digest is checked when all items have come; until then the transaction is not whole.
        let state = reader.state();
        let nos = self.put_state(
            feed.instance_no,
            totals.scope,
            log_no,
            &state,
            head.valid_until,
        )?;
        let head_seq = head.seq;
        for (seq, (body_hash, hash)) in (0..).zip(reader.chain()) {
            let line = match seq {
                0 => Some(first),
                seq if seq == head_seq => Some(head_line),
                _ => None,
            };
            self.put_header(log_no, seq, &hash, &body_hash, line)?;
        }
        self.connection.execute(
            "UPDATE feed_lines SET live = 2, ended = (SELECT max(line_no) FROM feed_lines)
             WHERE feed_no = ?1 AND live = 1",
            [nos.feed_no],
        )?;
        let shows = self.shows_lines_of(feed.instance_no)?;
        let is_first = shows && !was_heard_of(self.connection, feed.instance_no)?;
        let looks_away = is_first && look_away(self.connection, feed.instance_no, totals.live)?;
        let taken = Taken {
            instance_no: feed.instance_no,
            nos,
            scope: totals.scope,
            seq: head_seq,
            shows,
            is_first,
            looks_away,
        };
        Ok(Ok((outcome, Some(taken))))
    }

    /// Takes one item of a snapshot being taken.
    ///
    /// # Errors
    /// What the database reports.
    pub fn snapshot_item(&self, taken: &Taken, item: &Item<'_>) -> Result<()> {
        let id = item.entry.id;
        let hash = item.entry.line_hash().expect("snapshots hold puts only");
        let (connection, instance_no) = (self.connection, taken.instance_no);
        // Ids rise in a snapshot: of an instance that is new none comes twice.
        if taken.is_first || (taken.shows && !was_seen(connection, instance_no, &id)?) {
            let line = item.line.as_ref();
            let bytes = line.map(|line| line.bytes.as_ref());
            self.put_entry(taken.nos, taken.place(self.run_no()), &item.entry, bytes)?;
            return project_first(connection, instance_no, taken.scope, &item.entry, line);
        }
        let line = item.line.as_ref().map(|line| line.bytes.to_vec());
        // A line that was here before came by the run that brought it then.
        let (line, run_no) = match (line, self.line_before(taken, &id, &hash)?) {
            (_, Some((before, run_no))) => (Some(before), run_no),
            (line, None) => (line, self.run_no()),
        };
        self.put_entry(taken.nos, taken.place(run_no), &item.entry, line.as_deref())?;
        self.project(taken.instance_no, &id)
    }

    /// The line of a record that was live before, where it is here, and the run that brought it.
    fn line_before(
        &self,
        taken: &Taken,
        id: &RecordId,
        hash: &Hash,
    ) -> Result<Option<(Vec<u8>, Option<i64>)>> {
        let sql = "SELECT line, run_no FROM feed_lines
                   WHERE feed_no = ?1 AND id = ?2 AND live = 2 AND line_hash = ?3 AND line IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let before = statement.query_row(params![taken.nos.feed_no, Sql(id), Sql(hash)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        Ok(before.optional()?)
    }

    /// Takes retracted pairs of a snapshot being taken, as marks at its head.
    ///
    /// # Errors
    /// What the database reports.
    pub fn snapshot_retracted(&self, taken: &Taken, pairs: &[(RecordId, u64)]) -> Result<()> {
        for (id, rev) in pairs {
            // An earlier mark of the same log outlives every recovery that this one outlives.
            let known = "SELECT 1 FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND log_no = ?3 AND op = 'retract'
                           AND rev >= ?4 AND void = 0 AND aside_no IS NULL";
            let known: Option<i64> = self
                .connection
                .prepare_cached(known)?
                .query_row(
                    params![taken.nos.feed_no, Sql(id), taken.nos.log_no, Sql(*rev)],
                    |row| row.get(0),
                )
                .optional()?;
            if known.is_none() {
                let entry = Entry {
                    op: Op::Retract {
                        reason: Reason::Scope,
                    },
                    id: *id,
                    rev: *rev,
                    kind: "unknown".parse().expect("a kind"),
                    drops: None,
                };
                let at = Place {
                    seq: taken.seq,
                    aside_no: None,
                    index: None,
                    applied: false,
                    run_no: self.run_no(),
                };
                self.put_entry(taken.nos, at, &entry, None)?;
            }
            self.project(taken.instance_no, id)?;
        }
        Ok(())
    }

    /// Ends a snapshot being taken: checks the whole, ends what it no longer lists, and tries again
    /// what waited for it.
    ///
    /// # Errors
    /// What the database reports; inside, the rule broken: then drop the transaction.
    pub fn finish_snapshot(
        &self,
        reader: &SnapshotReader,
        taken: &Taken,
    ) -> Result<std::result::Result<(), Refusal>> {
        if let Err(refusal) = reader.finish() {
            return Ok(Err(refusal));
        }
        let state = reader.state();
        self.connection.execute(
            "UPDATE feeds SET live = ?2, live_n = ?3 WHERE feed_no = ?1",
            params![taken.nos.feed_no, state.live.to_bytes(), Sql(state.live_n)],
        )?;
        if !taken.is_first {
            self.end_unlisted(taken, state.live_n)?;
        }
        if taken.looks_away {
            look_again(self.connection)?;
        }
        self.bring_back()?;
        let totals = reader.totals();
        self.retry_early(&totals.origin, totals.scope)?;
        Ok(Ok(()))
    }

    /// Ends what was live before and is not listed any more.
    fn end_unlisted(&self, taken: &Taken, live_n: u64) -> Result<()> {
        let gone: Vec<Sql<RecordId>> = self
            .connection
            .prepare_cached("SELECT id FROM feed_lines WHERE feed_no = ?1 AND live = 2")?
            .query_map([taken.nos.feed_no], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let dropped = "SELECT id FROM feed_lines g WHERE feed_no = ?1 AND live = 2 AND line IS NOT NULL AND void = 0
                         AND NOT EXISTS (SELECT 1 FROM feed_lines o WHERE o.feed_no = ?1 AND o.id = g.id AND o.live = 1)";
        let dropped: Vec<Sql<RecordId>> = self
            .connection
            .prepare_cached(dropped)?
            .query_map([taken.nos.feed_no], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let live_before = live_n + dropped.len() as u64;
        let dropping = self.dropping(taken.nos, live_before, dropped.len() as u64)?;
        for Sql(id) in &dropped {
            self.keep_line(taken.nos, id, taken.seq, dropping)?;
        }
        // One mark for each revision and log is enough: the oldest, which outlives every recovery
        // that the later ones outlive. Without this each snapshot would leave a row a record.
        self.connection.execute(
            "DELETE FROM feed_lines WHERE feed_no = ?1 AND live = 2 AND idx IS NULL AND EXISTS (
               SELECT 1 FROM feed_lines o
               WHERE o.id = feed_lines.id AND o.feed_no = feed_lines.feed_no AND o.log_no = feed_lines.log_no
                 AND o.rev = feed_lines.rev AND o.op = 'put' AND o.aside_no IS NULL
                 AND o.line_no < feed_lines.line_no)",
            [taken.nos.feed_no],
        )?;
        self.connection.execute(
            "UPDATE feed_lines SET live = 0, line = NULL WHERE feed_no = ?1 AND live = 2",
            [taken.nos.feed_no],
        )?;
        for Sql(id) in gone {
            self.project(taken.instance_no, &id)?;
        }
        Ok(())
    }
}
