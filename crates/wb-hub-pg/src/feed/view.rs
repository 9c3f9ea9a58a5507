//! The feed as the rules of `wb-core` see it.

use wb_core::feed::{FeedView, Header, Live, Opening, order};
use wb_core::hash;
use wb_core::id::{Hash, LogId, RecordId};

use super::{Feed, LIVE, LiveRow};
use crate::error::{PgError, Result};
use crate::tx::{Columns as _, int};

/// Header hashes that are read together: who sends one again often sends the next ones too.
const HEADERS_TOGETHER: i64 = 256;

/// Reads a stored first header, and takes its hash.
pub(super) fn first_of(first: Option<&[u8]>) -> Result<Option<(Header, Hash)>> {
    let Some(first) = first else { return Ok(None) };
    let (header, unverified) = Header::read(first)
        .map_err(|rule| PgError::damaged(format!("a first header breaks {rule}")))?;
    let body_hash = Header::body_hash(unverified.payload());
    let hash = hash::header(header.prev.as_ref(), &body_hash);
    Ok(Some((header, hash)))
}

impl Feed<'_, '_, '_> {
    /// What is live for an id.
    pub(super) fn live_row(&self, id: &RecordId) -> Result<Option<LiveRow>> {
        if let Some(known) = self.kept.borrow().live.get(id) {
            return Ok(known.clone());
        }
        // What was written since is known, so what the table says of another id is so still.
        let row = self
            .tx()
            .row(LIVE, &[&self.no, &vec![&id.as_bytes()[..]]])?;
        let row = row.as_ref().map(LiveRow::read).transpose()?;
        self.kept.borrow_mut().live.insert(*id, row.clone());
        Ok(row)
    }
}

impl FeedView for Feed<'_, '_, '_> {
    type Error = PgError;

    fn live(&self, id: &RecordId) -> Result<Option<Live>> {
        let row = self.live_row(id)?;
        Ok(row.map(|row| Live {
            rev: row.rev,
            kind: row.kind,
            line_hash: row.line_hash,
        }))
    }

    fn header_hash(&self, seq: u64) -> Result<Option<Hash>> {
        let Some(log_no) = self.now.borrow().log_no else {
            return Ok(None);
        };
        if let Some(known) = self.kept.borrow().headers.get(&(log_no, seq)) {
            return Ok(*known);
        }
        let rows = self.tx().rows(
            "SELECT seq, hash FROM headers WHERE instance_no = $1 AND log_no = $2 AND seq >= $3 AND seq < $3::bigint + $4::bigint",
            &[&self.no, &log_no, &int(seq), &HEADERS_TOGETHER],
        )?;
        let mut kept = self.kept.borrow_mut();
        kept.headers.insert((log_no, seq), None);
        for row in rows {
            let hash = row.hash(1)?;
            kept.headers.insert((log_no, row.number(0)?), Some(hash));
        }
        Ok(kept.headers[&(log_no, seq)])
    }

    fn opening(&self, log: &LogId) -> Result<Option<Opening>> {
        let now = self.now.borrow();
        let row = now.logs.iter().find(|row| !row.replaced && row.log == *log);
        let first = first_of(row.and_then(|row| row.first.as_deref()))?;
        let is_void = |(first, hash): &(Header, Hash)| {
            let identity = now.identity.as_deref();
            identity.is_some_and(|log| log.is_void(&first.identity, &first.placed(*hash)))
        };
        Ok(first
            .filter(|first| !is_void(first))
            .map(|(first, _)| Opening::of(&first)))
    }

    fn has_rival(&self, log: &LogId, opening: &Opening) -> Result<bool> {
        let now = self.now.borrow();
        let others = now
            .logs
            .iter()
            .filter(|row| !row.replaced && row.log != *log);
        for row in others {
            let Some((first, hash)) = first_of(row.first.as_deref())? else {
                continue;
            };
            let identity = now.identity.as_deref();
            let counts =
                identity.is_none_or(|log| log.counts(&first.identity, &first.placed(hash)));
            if order(&Opening::of(&first)) == order(opening) && counts {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
