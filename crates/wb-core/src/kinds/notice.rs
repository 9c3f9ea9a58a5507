//! What a hub decides about an instance or a record, in its own feed (spec: notices).

use serde::{Deserialize, Serialize};

use super::text::{BadText, check_lines, check_words};
use crate::id::{Hash, InstanceId, RecordId, RecordRef};
use crate::json::text_only;
use crate::limits::{NOTICE_NOTE_CHARS_MAX, NOTICE_REASON_CHARS_MAX, NUMBER_MAX};
use crate::time::Timestamp;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum NoticeAct {
    /// An instance is not listed.
    Delist,
    /// An instance is left out, until a time or until it is undone.
    Suspend,
    /// An instance is left out for good, and what came of it by that hub is hidden.
    Revoke,
    /// A record is not handed on.
    Withhold,
    /// What was decided before is undone.
    Reinstate,
}

text_only!(NoticeAct);

impl NoticeAct {
    /// Every act.
    pub const ALL: [Self; 5] = [
        Self::Delist,
        Self::Suspend,
        Self::Revoke,
        Self::Withhold,
        Self::Reinstate,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delist => "delist",
            Self::Suspend => "suspend",
            Self::Revoke => "revoke",
            Self::Withhold => "withhold",
            Self::Reinstate => "reinstate",
        }
    }

    /// Whether it may say when it is over by itself.
    #[must_use]
    pub fn may_end(self) -> bool {
        matches!(self, Self::Delist | Self::Suspend | Self::Withhold)
    }
}

/// About whom or what a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An instance.
    Instance(InstanceId),
    /// One record.
    Record(RecordRef),
}

impl Subject {
    /// The instance, or the record's.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        match self {
            Self::Instance(id) => *id,
            Self::Record(key) => key.origin,
        }
    }
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What is decided.
    pub act: NoticeAct,
    /// About whom.
    pub subject: InstanceId,
    /// About which of its records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// About which line of that record alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<Hash>,
    /// Counted by the hub over all its notices.
    pub n: u64,
    /// Why, in one line.
    pub reason: String,
    /// When it is over by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// More words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was decided.
    pub issued_at: Timestamp,
}

impl Notice {
    /// About whom or what it is.
    #[must_use]
    pub fn about(&self) -> Subject {
        match self.record {
            Some(id) => Subject::Record(RecordRef {
                origin: self.subject,
                id,
            }),
            None => Subject::Instance(self.subject),
        }
    }

    /// Whether it holds at a time: it undoes nothing, and is not over.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.act != NoticeAct::Reinstate && self.until.is_none_or(|until| until > now)
    }

    pub(super) fn check(&self, origin: InstanceId) -> Result<(), BadText> {
        check_words(&self.reason, NOTICE_REASON_CHARS_MAX)?;
        if let Some(note) = &self.note {
            check_lines(note, NOTICE_NOTE_CHARS_MAX)?;
        }
        let is_of_a_record = self.act == NoticeAct::Withhold;
        let record_fits = match self.act {
            NoticeAct::Withhold => self.record.is_some(),
            NoticeAct::Reinstate => true,
            NoticeAct::Delist | NoticeAct::Suspend | NoticeAct::Revoke => self.record.is_none(),
        };
        let line_fits = self.line.is_none() || is_of_a_record;
        let end_fits = self.until.is_none() || self.act.may_end();
        let is_counted = (1..=NUMBER_MAX).contains(&self.n);
        if record_fits && line_fits && end_fits && is_counted && self.subject != origin {
            Ok(())
        } else {
            Err(BadText::Empty)
        }
    }
}
