//! Taking in one delta: accept, note what it changes. What waited for it is tried again in [`super::retry`].

use std::collections::BTreeMap;

use wb_core::entry::{Entry, Op};
use wb_core::feed::{self, Applied, Delta, Early, Item, Outcome};
use wb_core::id::RecordId;
use wb_core::line::Line;
use wb_core::rule::Rule;
use wb_core::sync::Arrival;

use super::{Feed, LiveRow, NewHeader, NewLine};
use crate::error::Result;
use crate::write::Arriving;

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub log_no: i64,
    pub seq: u64,
    /// The delta set aside that it is of.
    pub aside_no: Option<i64>,
    /// Place in its delta; none from a snapshot.
    pub index: Option<i32>,
    /// Whether a put becomes live.
    pub applied: bool,
}

impl Feed<'_, '_, '_> {
    /// Takes in a delta whose bytes were read. Every delta that is applied by it, also one that waited for it,
    /// arrives.
    pub fn delta(&self, delta: &Delta<'_>) -> Result<Outcome> {
        let outcome = self.take(delta)?;
        if matches!(outcome, Outcome::Append(_)) {
            self.retry_early()?;
        }
        Ok(outcome)
    }

    pub(super) fn take(&self, delta: &Delta<'_>) -> Result<Outcome> {
        let header = &delta.header;
        let (identity, state) = {
            let now = self.now.borrow();
            (now.identity.clone(), now.state.clone())
        };
        let outcome = feed::accept(delta, identity.as_deref(), state.as_ref(), self)?;
        if header.seq == 0 && outcome.is_proved() {
            self.log_no(&header.log, header.generation, Some(delta.header_line))?;
        }
        match &outcome {
            Outcome::Append(applied) => self.apply(delta, applied)?,
            Outcome::Duplicate => {
                self.drop_held(delta)?;
                for line in delta.items.iter().filter_map(|item| item.line.as_ref()) {
                    self.fill_line(line)?;
                }
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
                self.set_aside(delta)?;
                if matches!(outcome, Outcome::Fork) {
                    self.note_fork();
                }
            }
        }
        Ok(outcome)
    }

    /// Evidence is held that the origin contradicts itself.
    pub(super) fn note_fork(&self) {
        let mut now = self.now.borrow_mut();
        if let Some(state) = &mut now.state {
            state.forked = true;
            now.moved = true;
        }
    }

    fn apply(&self, delta: &Delta<'_>, applied: &Applied) -> Result<()> {
        let header = &delta.header;
        let log_no = if applied.opens_log {
            let first = (delta.header_line, &delta.body_hash);
            self.open_log(&header.log, header.generation, first)?
        } else {
            self.log_no(&header.log, header.generation, None)?
        };
        self.move_to(&applied.state, log_no);
        self.put_header(NewHeader {
            log_no,
            seq: header.seq,
            hash: delta.hash,
            body_hash: delta.body_hash,
            line: Some(delta.header_line.to_vec()),
        });
        let mut bytes = delta.header_line.len();
        for (index, item) in delta.items.iter().enumerate() {
            if applied.changes[index].dropped.is_some() {
                self.end_live(&item.entry.id)?;
            }
            let at = Place {
                log_no,
                seq: header.seq,
                aside_no: None,
                index: Some(i32::try_from(index).expect("a delta has few entries")),
                applied: true,
            };
            bytes += self.put_entry(at, &item.entry, item.line.as_ref());
        }
        let gone: BTreeMap<RecordId, u64> = delta
            .items
            .iter()
            .filter(|item| matches!(item.entry.op, Op::Retract { .. }))
            .map(|item| (item.entry.id, item.entry.rev))
            .collect();
        self.strip_held(&gone)?;
        self.write.arrive(Arriving {
            arrival: Arrival::Delta,
            instance_no: self.no,
            header: Some((log_no, header.seq)),
            hash: delta.hash,
            bytes: bytes as u64,
        });
        self.drop_held(delta)
    }

    /// Moves the feed to a new head.
    pub(super) fn move_to(&self, state: &feed::FeedState, log_no: i64) {
        let mut now = self.now.borrow_mut();
        now.state = Some(state.clone());
        now.log_no = Some(log_no);
        now.moved = true;
    }

    pub(super) fn put_header(&self, header: NewHeader) {
        let key = (header.log_no, header.seq);
        self.kept
            .borrow_mut()
            .headers
            .insert(key, Some(header.hash));
        self.pending.borrow_mut().headers.push(header);
    }

    /// Ends the live row of an id: its line and salt go, the mark stays.
    fn end_live(&self, id: &RecordId) -> Result<()> {
        let Some(live) = self.live_row(id)? else {
            return Ok(());
        };
        let next = self.now.borrow().last_line + 1;
        let mut pending = self.pending.borrow_mut();
        match pending
            .lines
            .binary_search_by_key(&live.line_no, |line| line.line_no)
        {
            Ok(index) => {
                let line = &mut pending.lines[index];
                (line.live, line.line, line.ended) = (false, None, Some(next));
            }
            Err(_) => {
                pending
                    .filled
                    .retain(|(line_no, _)| *line_no != live.line_no);
                pending.ended.push((live.line_no, next));
            }
        }
        drop(pending);
        self.kept.borrow_mut().live.insert(*id, None);
        Ok(())
    }

    /// Adds the row of an entry; about how many bytes a reader is sent of it.
    pub(super) fn put_entry(&self, at: Place, entry: &Entry, line: Option<&Line<'_>>) -> usize {
        let (line_hash, reason) = match entry.op {
            Op::Put { line_hash } => (Some(line_hash), None),
            Op::Retract { reason } => (None, Some(reason.as_str())),
        };
        let live = at.applied && line_hash.is_some();
        let line_no = self.next_line();
        let mut kept = self.kept.borrow_mut();
        if let (true, Some(line_hash)) = (live, line_hash) {
            let row = LiveRow {
                line_no,
                rev: entry.rev,
                kind: entry.kind.clone(),
                line_hash,
                has_line: line.is_some(),
            };
            kept.live.insert(entry.id, Some(row));
        }
        self.to_list.borrow_mut().insert(entry.id);
        let line = line.map(|line| line.bytes.to_vec());
        // An entry alone is about as long as a short line.
        let bytes = line.as_ref().map_or(ENTRY_BYTES, Vec::len);
        self.pending.borrow_mut().lines.push(NewLine {
            line_no,
            log_no: at.log_no,
            seq: at.seq,
            aside_no: at.aside_no,
            index: at.index,
            line_hash,
            id: entry.id,
            rev: entry.rev,
            kind: entry.kind.clone(),
            drops: entry.drops,
            reason,
            line,
            withheld: line_hash.is_some_and(|hash| self.is_withheld(&entry.id, &hash)),
            live,
            ended: None,
        });
        bytes
    }

    /// Takes an item of a snapshot that is a duplicate: its line may fill a stub.
    pub fn fill_item(&self, item: &Item<'_>) -> Result<()> {
        match &item.line {
            Some(line) => self.fill_line(line),
            None => Ok(()),
        }
    }

    /// Fills the stub that is live for the record of a line, where it is that line's.
    fn fill_line(&self, line: &Line<'_>) -> Result<()> {
        let Some(live) = self.live_row(&line.id)? else {
            return Ok(());
        };
        let fits = (live.line_hash, live.rev, &live.kind) == (line.hash, line.rev, &line.kind);
        if !fits || live.has_line {
            return Ok(());
        }
        let mut pending = self.pending.borrow_mut();
        let bytes = line.bytes.to_vec();
        match pending
            .lines
            .binary_search_by_key(&live.line_no, |line| line.line_no)
        {
            Ok(index) => pending.lines[index].line = Some(bytes),
            Err(_) => pending.filled.push((live.line_no, bytes)),
        }
        let filled = LiveRow {
            has_line: true,
            ..live
        };
        self.kept.borrow_mut().live.insert(line.id, Some(filled));
        self.to_list.borrow_mut().insert(line.id);
        Ok(())
    }
}

/// Bytes of an entry that stands alone.
const ENTRY_BYTES: usize = 256;
