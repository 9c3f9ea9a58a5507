//! Which record a row of the file is: one id for ever, kept in `legacy_map`.
//!
//! SQLite gives the number of a deleted last row to the next one. An id carries the time its row was
//! made, so such a row is told from the one that was imported under its number, and never taken for it.

use wb_core::id::{Hash, RecordId};
use wb_core::time::Timestamp;
use wb_store::{Private, StoreError};

use crate::entropy;

/// Bytes of an id that hold its time.
const TIME_BYTES: usize = 6;

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Seen for the first time; the id is noted.
    New(RecordId),
    /// An earlier import noted this id.
    Here(RecordId),
    /// An earlier import brought another row of this number.
    Another,
}

impl Known {
    /// The record, if it is this row's.
    pub(super) fn id(self) -> Option<RecordId> {
        match self {
            Self::New(id) | Self::Here(id) => Some(id),
            Self::Another => None,
        }
    }
}

/// The ids of one source.
pub(super) struct Ids<'a> {
    private: &'a Private,
    source: Hash,
}

impl<'a> Ids<'a> {
    pub(super) fn new(private: &'a Private, source: Hash) -> Self {
        Self { private, source }
    }

    /// The id of a row, noted now if it is new.
    pub(super) fn of(
        &self,
        table: &str,
        row: &str,
        created_at: Timestamp,
    ) -> Result<Known, StoreError> {
        let Some(id) = self.find(table, row)? else {
            let id = entropy::record_id(created_at);
            self.private.put_legacy_id(&self.source, table, row, &id)?;
            return Ok(Known::New(id));
        };
        let same_time = RecordId::new(created_at, [0; 10]);
        let is_same = id.as_bytes()[..TIME_BYTES] == same_time.as_bytes()[..TIME_BYTES];
        Ok(if is_same {
            Known::Here(id)
        } else {
            Known::Another
        })
    }

    /// The id of something that goes with a row, noted now if it is new.
    pub(super) fn beside(
        &self,
        mark: &str,
        row: &str,
        at: Timestamp,
    ) -> Result<RecordId, StoreError> {
        match self.find(mark, row)? {
            Some(id) => Ok(id),
            None => self.mark(mark, row, &entropy::record_id(at)),
        }
    }

    /// Notes something about a row.
    pub(super) fn mark(
        &self,
        mark: &str,
        row: &str,
        id: &RecordId,
    ) -> Result<RecordId, StoreError> {
        self.private.put_legacy_id(&self.source, mark, row, id)?;
        Ok(*id)
    }

    /// What was noted of a row, under the name of its table or of a mark.
    pub(super) fn find(&self, table: &str, row: &str) -> Result<Option<RecordId>, StoreError> {
        self.private.legacy_id(&self.source, table, row)
    }
}
