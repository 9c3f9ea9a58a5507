//! Sealing what this instance shares into its own feeds.
//!
//! Lines are composed from [`Leaving`] alone, which only `may_leave` makes; so nothing else in the
//! main or the private file can get into `feed_lines` of this instance.

use wb_core::entry::{Entry, Op, Reason};
use wb_core::feed::{Delta, FeedView as _, Outcome, Seal, seal};
use wb_core::id::{Hash, InstanceId, LogId, RecordId, Salt};
use wb_core::identity::Position;
use wb_core::leave::Leaving;
use wb_core::line::Line;
use wb_core::scope::FeedScope;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;

use super::new_log::NewLog;
use super::view::load_feed;
use crate::error::{Result, StoreError};
use crate::store::Write;

/// One thing to seal.
#[derive(Debug)]
pub enum SealItem<'a> {
    /// A revision of a record that may leave.
    Put {
        /// What leaves.
        leaving: &'a Leaving,
        /// Its revision, above every one sealed before.
        rev: u64,
        /// Fresh random bytes.
        salt: Salt,
    },
    /// A record that is taken back.
    Retract {
        /// The record.
        id: RecordId,
        /// Why.
        reason: Reason,
    },
}

/// What a delta of this instance is sealed from.
#[derive(Debug)]
pub struct SealDelta<'a> {
    /// This instance.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// The newest key.
    pub signer: &'a Signer,
    /// Position and hash of its identity entry.
    pub identity: (Position, Hash),
    /// 16 random bytes, used when the feed has no log yet or opens another.
    pub new_log: LogId,
    /// Opens another log with this delta.
    pub open: Option<NewLog>,
    /// What to seal, in order.
    pub items: &'a [SealItem<'a>],
    /// Now.
    pub at: Timestamp,
    /// Until when a newer header is promised.
    pub valid_until: Option<Timestamp>,
}

impl Write<'_> {
    /// Seals one delta, verifies it as any follower would, and stores it. Returns its bytes on the
    /// wire.
    ///
    /// # Errors
    /// What the database reports, and `Damaged` when the own verifier refuses it: then nothing of it
    /// may count.
    pub fn seal(&self, request: &SealDelta<'_>) -> Result<u64> {
        let mut feed = load_feed(&self.transaction, &request.origin, request.scope)?
            .ok_or_else(|| StoreError::damaged("this instance has no identity log"))?;
        feed.identity = self.known.log(&self.transaction, &request.origin)?;
        let opens = request.open.is_some() || feed.state.is_none();
        let open = if opens {
            Some(self.next_log(&feed, request.new_log)?)
        } else {
            None
        };
        if request.open == Some(NewLog::Afresh) {
            self.let_go_of_head(&mut feed)?;
        }
        let (mut items, mut entries) = (Vec::new(), Vec::new());
        for item in request.items {
            match item {
                SealItem::Put { leaving, rev, salt } => {
                    let drops = feed.live(&leaving.id())?.map(|live| live.line_hash);
                    let bytes = leaving.line(request.origin, *rev, drops, *salt);
                    let line = Line::read(&bytes).map_err(|rule| {
                        StoreError::damaged(format!("record {} breaks {rule}", leaving.id()))
                    })?;
                    entries.push(Entry::of_line(&line));
                    items.push(bytes);
                }
                SealItem::Retract { id, reason } => {
                    let live = feed
                        .live(id)?
                        .ok_or_else(|| StoreError::damaged(format!("record {id} is not live")))?;
                    let entry = Entry {
                        op: Op::Retract { reason: *reason },
                        id: *id,
                        rev: live.rev,
                        kind: live.kind,
                        drops: Some(live.line_hash),
                    };
                    items.push(entry.to_bytes());
                    entries.push(entry);
                }
            }
        }
        let lines = items.iter().filter(|item| !Entry::starts(item));
        let bytes = lines.map(|line| line.len() as u64 + 1).sum();
        let header = seal(
            &Seal {
                signer: request.signer,
                origin: request.origin,
                scope: request.scope,
                identity: request.identity,
                state: feed.state.as_ref(),
                open,
                entries: &entries,
                bytes,
                at: request.at,
                valid_until: request.valid_until,
            },
            &feed,
        )?
        .map_err(|refusal| StoreError::damaged(format!("a delta of this instance {refusal}")))?;
        let delta = Delta::read(&header, &items).map_err(|refusal| {
            StoreError::damaged(format!("a delta of this instance {refusal}"))
        })?;
        match self.ingest(request.at).delta(&delta)? {
            Outcome::Append(_) => Ok(header.len() as u64 + bytes),
            other => Err(StoreError::damaged(format!(
                "a delta of this instance is {}",
                other.as_str()
            ))),
        }
    }
}
