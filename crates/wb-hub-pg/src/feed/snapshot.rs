//! Taking in a snapshot, line by line.

use wb_core::entry::{Entry, Op, Reason};
use wb_core::feed::{Item, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{Hash, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::sync::Arrival;

use super::delta::Place;
use super::{Feed, NewHeader};
use crate::error::Result;
use crate::tx::{Columns as _, int};
use crate::write::Arriving;

/// A snapshot being taken: its feed already points to the new head, and the transaction makes it all count or
/// nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    log_no: i64,
    seq: u64,
    hash: Hash,
}

/// Bytes that a reader is sent of a head.
const HEAD_BYTES: u64 = 512;

const LIVE_BEFORE: &str =
    "UPDATE lines SET live = 2, ended = $2 WHERE instance_no = $1 AND live = 1";
/// A line that was here before stays here.
const KEEP_LINES: &str = "UPDATE lines SET line = o.line, withheld = o.withheld FROM lines o
    WHERE lines.instance_no = $1 AND lines.live = 1 AND lines.line IS NULL AND lines.withheld IS NULL
      AND o.instance_no = $1 AND o.id = lines.id AND o.live = 2 AND o.line_hash = lines.line_hash";
/// One mark for each revision and log is enough: the oldest, which outlives every recovery that the later ones
/// outlive. Without this each snapshot would leave a row a record.
const DROP_DOUBLES: &str =
    "DELETE FROM lines WHERE instance_no = $1 AND live = 2 AND idx IS NULL AND EXISTS (
    SELECT 1 FROM lines o WHERE o.instance_no = $1 AND o.id = lines.id AND o.log_no = lines.log_no
      AND o.rev = lines.rev AND o.put AND o.aside_no IS NULL AND o.line_no < lines.line_no)";
const END: &str =
    "UPDATE lines SET live = 0, line = NULL, withheld = NULL WHERE instance_no = $1 AND live = 2";

impl Feed<'_, '_, '_> {
    /// Places a snapshot whose head and chain have come. With [`SnapshotOutcome::Take`] its items are wanted.
    pub fn place(
        &self,
        reader: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<std::result::Result<(SnapshotOutcome, Option<Taken>), Refusal>> {
        let state = self.now.borrow().state.clone();
        let outcome = match reader.place(identity, state.as_ref(), self)? {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (head, head_line, head_hash) = reader.head().expect("a placed snapshot has a head");
        let first = reader
            .first()
            .expect("a placed snapshot has a first header");
        let (log, generation) = (&head.log, head.generation);
        if !matches!(outcome, SnapshotOutcome::Early | SnapshotOutcome::Void) {
            self.log_no(log, generation, Some(first))?;
        }
        if outcome == SnapshotOutcome::Fork {
            self.note_fork();
            self.hold_head(head, head_line, head_hash)?;
        }
        if outcome != SnapshotOutcome::Take {
            return Ok(Ok((outcome, None)));
        }
        let opened = reader.chain().next().expect("a chain is not empty");
        let log_no = self.open_log(log, generation, (first, &opened.0))?;
        // The digest is checked when all items have come; until then the transaction is not whole.
        self.move_to(&reader.state(), log_no);
        for (seq, (body_hash, hash)) in (0..).zip(reader.chain()) {
            let line = match seq {
                0 => Some(first.to_vec()),
                seq if seq == head.seq => Some(head_line.to_vec()),
                _ => None,
            };
            self.put_header(NewHeader {
                log_no,
                seq,
                hash,
                body_hash,
                line,
            });
        }
        self.flush()?;
        let last_line = self.now.borrow().last_line;
        self.tx().execute(LIVE_BEFORE, &[&self.no, &last_line])?;
        self.kept.borrow_mut().live.clear();
        let taken = Taken {
            log_no,
            seq: head.seq,
            hash: head_hash,
        };
        Ok(Ok((outcome, Some(taken))))
    }

    /// Takes one item of a snapshot being taken.
    pub fn snapshot_item(&self, taken: Taken, item: &Item<'_>) -> Result<()> {
        let at = Place {
            log_no: taken.log_no,
            seq: taken.seq,
            aside_no: None,
            index: None,
            applied: true,
        };
        self.put_entry(at, &item.entry, item.line.as_ref());
        // Nothing is asked of it any more, and there may be very many.
        self.kept.borrow_mut().live.clear();
        self.flush_if_full()
    }

    /// Takes retracted pairs of a snapshot being taken, as marks at its head.
    pub fn snapshot_retracted(&self, taken: Taken, pairs: &[(RecordId, u64)]) -> Result<()> {
        // An earlier mark of the same log outlives every recovery that this one outlives.
        let ids: Vec<&[u8]> = pairs.iter().map(|(id, _)| &id.as_bytes()[..]).collect();
        let revs: Vec<i64> = pairs.iter().map(|(_, rev)| int(*rev)).collect();
        let rows = self.tx().rows(
            "SELECT p.id FROM unnest($3::bytea[], $4::bigint[]) AS p (id, rev) WHERE NOT EXISTS (
               SELECT 1 FROM lines l WHERE l.instance_no = $1 AND l.log_no = $2 AND l.id = p.id AND NOT l.put
                 AND l.rev >= p.rev AND NOT l.void AND l.aside_no IS NULL)",
            &[&self.no, &taken.log_no, &ids, &revs],
        )?;
        let unknown: std::collections::BTreeSet<RecordId> = rows
            .iter()
            .map(|row| row.record(0))
            .collect::<Result<_>>()?;
        let at = Place {
            log_no: taken.log_no,
            seq: taken.seq,
            aside_no: None,
            index: None,
            applied: false,
        };
        for (id, rev) in pairs {
            self.to_list.borrow_mut().insert(*id);
            if unknown.contains(id) {
                let entry = Entry {
                    op: Op::Retract {
                        reason: Reason::Scope,
                    },
                    id: *id,
                    rev: *rev,
                    kind: "unknown".parse().expect("a kind"),
                    drops: None,
                };
                self.put_entry(at, &entry, None);
            }
        }
        self.flush_if_full()
    }

    /// Ends a snapshot being taken: checks the whole, ends what it no longer lists, and tries again what waited for
    /// it. Inside, the rule broken: then undo the part.
    pub fn finish_snapshot(
        &self,
        reader: &SnapshotReader,
        taken: Taken,
    ) -> Result<std::result::Result<(), Refusal>> {
        if let Err(refusal) = reader.finish() {
            return Ok(Err(refusal));
        }
        self.move_to(&reader.state(), taken.log_no);
        self.flush()?;
        self.tx().execute(KEEP_LINES, &[&self.no])?;
        let all = self.tx().rows(
            "SELECT id FROM lines WHERE instance_no = $1 AND live = 2",
            &[&self.no],
        )?;
        self.tx().execute(DROP_DOUBLES, &[&self.no])?;
        self.tx().execute(END, &[&self.no])?;
        let gone: Vec<RecordId> = all.iter().map(|row| row.record(0)).collect::<Result<_>>()?;
        self.to_list.borrow_mut().extend(gone);
        self.write.arrive(Arriving {
            arrival: Arrival::Again,
            instance_no: self.no,
            header: Some((taken.log_no, taken.seq)),
            hash: taken.hash,
            bytes: HEAD_BYTES,
        });
        self.retry_early()?;
        Ok(Ok(()))
    }
}
