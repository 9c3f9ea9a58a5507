//! Which notice of a hub stands, and what a reader does with it (spec: notices).
//!
//! Nothing here is stored or shown: [`Book`] is a fold over the notices that are live in one hub's public feed,
//! and [`verdict`] what follows from it where somebody follows, asks or ignores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Hash, RecordId, RecordRef};
use crate::json::text_only;
use crate::kinds::{Notice, NoticeAct, Subject};
use crate::time::Timestamp;

/// What a moderator decides, before it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// What.
    pub act: NoticeAct,
    /// About whom or what.
    pub subject: Subject,
    /// About which line of a record alone.
    pub line: Option<Hash>,
    /// Why; everybody reads it.
    pub reason: String,
    /// When it is over by itself.
    pub until: Option<Timestamp>,
    /// More words.
    pub note: Option<String>,
}

impl Deciding {
    /// The notice that says it, as the hub's `n`th.
    #[must_use]
    pub fn notice(&self, n: u64, issued_at: Timestamp) -> Notice {
        let record = match self.subject {
            Subject::Instance(_) => None,
            Subject::Record(key) => Some(key.id),
        };
        Notice {
            act: self.act,
            subject: self.subject.instance(),
            record,
            line: self.line,
            n,
            reason: self.reason.trim().to_owned(),
            until: self.until,
            note: self.note.clone(),
            issued_at,
        }
    }

    /// What a log names: the instance, or the record.
    #[must_use]
    pub fn target(&self) -> String {
        match self.subject {
            Subject::Instance(id) => id.to_string(),
            Subject::Record(key) => format!("{}/{}", key.origin, key.id),
        }
    }

    /// What a log says beside the act.
    #[must_use]
    pub fn detail(&self) -> String {
        match self.until {
            Some(until) => format!("{} (until {until})", self.reason),
            None => self.reason.clone(),
        }
    }
}

/// A notice with what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its record.
    pub id: RecordId,
    /// Hash of its line.
    pub line_hash: Hash,
    /// What it says.
    pub notice: Notice,
}

/// The notices of one hub that stand, by subject.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    standing: BTreeMap<Subject, Said>,
}

impl Book {
    /// Of the notices that are live, in any order: of each subject the one that stands.
    #[must_use]
    pub fn of(said: impl IntoIterator<Item = Said>) -> Self {
        let mut standing = BTreeMap::<Subject, Said>::new();
        for said in said {
            let rank = |said: &Said| (said.notice.n, said.line_hash);
            let subject = said.notice.about();
            let stands = standing.get(&subject);
            if stands.is_none_or(|before| rank(before) < rank(&said)) {
                standing.insert(subject, said);
            }
        }
        Self { standing }
    }

    /// What stands, in force or not.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, &Said)> {
        self.standing.iter()
    }

    /// The notice about a subject that stands and is in force.
    #[must_use]
    pub fn in_force(&self, subject: &Subject, now: Timestamp) -> Option<&Said> {
        let said = self.standing.get(subject)?;
        said.notice.is_in_force(now).then_some(said)
    }

    /// The notice by which a line of a record is not handed on.
    #[must_use]
    pub fn withholds(&self, key: &RecordRef, line: &Hash, now: Timestamp) -> Option<&Said> {
        let said = self.in_force(&Subject::Record(*key), now)?;
        let names_it = said.notice.line.is_none_or(|named| named == *line);
        names_it.then_some(said)
    }

    /// The notice by which a line of a record is hidden where this hub alone brought it.
    #[must_use]
    pub fn hides(&self, key: &RecordRef, line: &Hash, now: Timestamp) -> Option<&Said> {
        self.withholds(key, line, now).or_else(|| {
            let of_origin = self.in_force(&Subject::Instance(key.origin), now)?;
            (of_origin.notice.act == NoticeAct::Revoke).then_some(of_origin)
        })
    }

    /// The highest number given to a notice that stands.
    #[must_use]
    pub fn highest_n(&self) -> u64 {
        let numbers = self.standing.values().map(|said| said.notice.n);
        numbers.max().unwrap_or(0)
    }
}

/// What a reader does with the notices of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Heeds {
    /// They hide at once.
    Follow,
    /// They hide once somebody says so.
    Ask,
    /// They hide nothing.
    Ignore,
}

/// What somebody said about one notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Answer {
    /// It hides here.
    Hide,
    /// It hides nothing here.
    Keep,
}

text_only!(Heeds, Answer);

/// Says that a word is none of those that can be set or answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no such word")]
pub struct UnknownWord(String);

impl Heeds {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Ask => "ask",
            Self::Ignore => "ignore",
        }
    }
}

impl Answer {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hide => "hide",
            Self::Keep => "keep",
        }
    }
}

impl std::str::FromStr for Heeds {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let all = [Self::Follow, Self::Ask, Self::Ignore];
        let found = all.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl std::str::FromStr for Answer {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let all = [Self::Hide, Self::Keep];
        let found = all.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// What follows from a notice here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It hides what came by that hub alone.
    Hides,
    /// It waits for somebody's word, and hides nothing until then.
    Waits,
    /// It hides nothing.
    Nothing,
}

/// What follows from a notice that hides. What somebody here said about it stands before every setting; without a
/// setting an instance that somebody here approved is asked about, because people here know it better than a hub may.
#[must_use]
pub fn verdict(heeds: Option<Heeds>, is_approved_by_hand: bool, answer: Option<Answer>) -> Verdict {
    match (answer, heeds) {
        (Some(Answer::Hide), _) => Verdict::Hides,
        (Some(Answer::Keep), _) | (None, Some(Heeds::Ignore)) => Verdict::Nothing,
        (None, Some(Heeds::Ask)) => Verdict::Waits,
        (None, None) if is_approved_by_hand => Verdict::Waits,
        (None, Some(Heeds::Follow) | None) => Verdict::Hides,
    }
}
