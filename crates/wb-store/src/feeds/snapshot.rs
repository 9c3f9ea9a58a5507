//! Taking in a snapshot, line by line, inside one transaction.

use rusqlite::{OptionalExtension as _, params};
use wb_core::entry::{Entry, Op, Reason};
use wb_core::feed::{Item, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{Hash, RecordId};
use wb_core::identity::IdentityLog;

use super::ingest::{Ingest, Place};
use super::view::{FeedNos, load_feed};
use crate::error::Result;
use crate::project::project_record;
use crate::sql::Sql;

/// A snapshot being taken: its feed already points to the new head, and the transaction makes it all
/// count or nothing.
#[derive(Debug)]
pub struct Taken {
    instance_no: i64,
    nos: FeedNos,
    seq: u64,
    live_retracted: bool,
}

impl Ingest<'_> {
    /// Places a snapshot whose head and chain have come. With [`SnapshotOutcome::Take`] its items are
    /// wanted.
    ///
    /// # Errors
    /// What the database reports; inside, the rule broken.
    #[expect(
        clippy::type_complexity,
        reason = "an outcome, or a refusal, or the database's error"
    )]
    pub fn place_snapshot(
        &self,
        reader: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<std::result::Result<(SnapshotOutcome, Option<Taken>), Refusal>> {
        let totals = *reader.totals();
        let Some(feed) = load_feed(self.connection, &totals.origin, totals.scope)? else {
            return Ok(Ok((SnapshotOutcome::Early, None)));
        };
        let outcome = match reader.place(identity, feed.state.as_ref(), &feed)? {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if outcome == SnapshotOutcome::Fork
            && let Some(nos) = feed.row
        {
            self.connection.execute(
                "UPDATE feeds SET forked = 1 WHERE feed_no = ?1",
                [nos.feed_no],
            )?;
        }
        if outcome != SnapshotOutcome::Take {
            return Ok(Ok((outcome, None)));
        }
        let (head, head_line, _) = reader.head().expect("a placed snapshot has a head");
        let log_no = self.log_no(
            feed.instance_no,
            totals.scope,
            &head.log,
            head.generation,
            reader.first(),
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
                0 => reader.first(),
                seq if seq == head_seq => Some(head_line),
                _ => None,
            };
            self.put_header(log_no, seq, hash, body_hash, line)?;
        }
        self.connection.execute(
            "UPDATE feed_lines SET live = 2 WHERE feed_no = ?1 AND live = 1",
            [nos.feed_no],
        )?;
        let taken = Taken {
            instance_no: feed.instance_no,
            nos,
            seq: head_seq,
            live_retracted: false,
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
        let line = item.line.as_ref().map(|line| line.bytes.as_ref());
        let before: Option<(i64, Option<Sql<Hash>>)> = self
            .connection
            .prepare_cached("SELECT line_no, line_hash FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND live = 2")?
            .query_row(params![taken.nos.feed_no, Sql(id)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match before {
            Some((line_no, Some(Sql(known)))) if known == hash => {
                self.connection
                    .prepare_cached("UPDATE feed_lines SET live = 1, line = COALESCE(line, ?2), void = 0 WHERE line_no = ?1")?
                    .execute(params![line_no, line])?;
            }
            _ => {
                let at = Place {
                    seq: taken.seq,
                    index: None,
                    applied: true,
                };
                self.put_entry(taken.nos, at, &item.entry, line)?;
            }
        }
        project_record(self.connection, taken.instance_no, &id)
    }

    /// Takes retracted pairs of a snapshot being taken, as marks at its head.
    ///
    /// # Errors
    /// What the database reports.
    pub fn snapshot_retracted(&self, taken: &mut Taken, pairs: &[(RecordId, u64)]) -> Result<()> {
        for (id, rev) in pairs {
            let live = "SELECT 1 FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND live = 1";
            let live: Option<i64> = self
                .connection
                .prepare_cached(live)?
                .query_row(params![taken.nos.feed_no, Sql(id)], |row| row.get(0))
                .optional()?;
            taken.live_retracted |= live.is_some();
            let known = "SELECT 1 FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND op = 'retract' AND rev >= ?3 AND void = 0";
            let known: Option<i64> = self
                .connection
                .prepare_cached(known)?
                .query_row(params![taken.nos.feed_no, Sql(id), Sql(*rev)], |row| {
                    row.get(0)
                })
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
                    index: None,
                    applied: false,
                };
                self.put_entry(taken.nos, at, &entry, None)?;
            }
            project_record(self.connection, taken.instance_no, id)?;
        }
        Ok(())
    }

    /// Ends a snapshot being taken: checks the whole, ends what it no longer lists.
    ///
    /// # Errors
    /// What the database reports; inside, the rule broken: then drop the transaction.
    pub fn finish_snapshot(
        &self,
        reader: &SnapshotReader,
        taken: &Taken,
    ) -> Result<std::result::Result<(), Refusal>> {
        if let Err(refusal) = reader.finish(taken.live_retracted) {
            return Ok(Err(refusal));
        }
        let state = reader.state();
        self.connection.execute(
            "UPDATE feeds SET live = ?2, live_n = ?3 WHERE feed_no = ?1",
            params![taken.nos.feed_no, state.live.to_bytes(), Sql(state.live_n)],
        )?;
        let gone: Vec<Sql<RecordId>> = self
            .connection
            .prepare_cached("SELECT id FROM feed_lines WHERE feed_no = ?1 AND live = 2")?
            .query_map([taken.nos.feed_no], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        self.connection.execute(
            "UPDATE feed_lines SET live = 0, line = NULL WHERE feed_no = ?1 AND live = 2",
            [taken.nos.feed_no],
        )?;
        for Sql(id) in gone {
            project_record(self.connection, taken.instance_no, &id)?;
        }
        Ok(Ok(()))
    }
}
