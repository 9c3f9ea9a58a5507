//! What is said in JSON between a node and a hub (spec: sync).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::cursor::Cursor;
use super::registration::{Policy, Visibility, known_visibility};
use crate::id::{Hash, InstanceId, PublicKey};
use crate::identity::{IdentityError, IdentityLog};
use crate::json::{self, object_only, text_only};
use crate::kinds::ProtocolRange;
use crate::limits::SYNC_BODY_BYTES_MAX;
use crate::rule::Rule;
use crate::scope::{FeedScope, Kind};
use crate::time::Timestamp;
use crate::want::Held;

/// What answers under an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Role {
    /// A hub.
    Hub,
    /// A community's node.
    Node,
}

text_only!(Role);

/// Who answers under an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct WhoIsThis {
    /// 1.
    pub schema_version: u32,
    /// What it is.
    pub role: Role,
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Its identity log: signed lines.
    pub identity: Vec<String>,
    /// Protocol versions it speaks.
    pub protocol: ProtocolRange,
    /// Kinds it knows.
    pub kinds: BTreeMap<Kind, u32>,
    /// The program.
    pub software: String,
    /// Of a hub: who may become a member, in a word that every version knows; [`WhoIsThis::takes`] says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// Of a hub: whether it takes only whom it invited. `policy` says `approval` then, to those who do not know this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invite: bool,
}

impl WhoIsThis {
    /// Of a hub: whom it takes.
    #[must_use]
    pub fn takes(&self) -> Option<Policy> {
        if self.invite {
            Some(Policy::Invite)
        } else {
            self.policy
        }
    }

    /// Says whom a hub takes.
    #[must_use]
    pub fn taking(self, policy: Policy) -> Self {
        let is_invite = policy == Policy::Invite;
        Self {
            policy: Some(if is_invite { Policy::Approval } else { policy }),
            invite: is_invite,
            ..self
        }
    }

    /// The identity log, verified against the id.
    ///
    /// # Errors
    /// The entry and the rule it breaks.
    pub fn identity(&self) -> Result<IdentityLog, IdentityError> {
        IdentityLog::verify(Some(self.id), &self.identity)
    }
}

/// Counter and hash of the follow list held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Follows {
    /// Its counter.
    pub counter: u64,
    /// Its hash.
    pub hash: Hash,
}

/// A feed at its head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct FeedHead {
    /// The head.
    pub head: Held,
    /// Records live.
    pub live: u64,
    /// Records live, by kind.
    pub kinds: BTreeMap<Kind, u64>,
}

/// Heads of the feeds followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Heads {
    /// 1.
    pub schema_version: u32,
    /// Where a client stands that has these heads.
    pub cursor: Cursor,
    /// The `after` of the next page.
    pub next: Option<InstanceId>,
    /// The follow list held.
    pub follows: Follows,
    /// Heads held of the client's own feeds.
    pub own: Vec<Held>,
    /// The feeds followed.
    pub feeds: Vec<FeedHead>,
}

/// A member in the directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct DirectoryRow {
    /// Its id.
    pub id: InstanceId,
    /// The body of its card, as it registered.
    pub card: Box<RawValue>,
    /// When it registered.
    pub since: Timestamp,
    /// `members`, where only members of the hub may see it; absent where everybody may.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "known_visibility"
    )]
    pub visibility: Option<Visibility>,
    /// Its feeds.
    pub feeds: Vec<FeedHead>,
}

/// A page of the directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Directory {
    /// 1.
    pub schema_version: u32,
    /// The `after` of the next page.
    pub next: Option<InstanceId>,
    /// Members, by id.
    pub members: Vec<DirectoryRow>,
}

/// The first line of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ChangesSection {
    section: String,
    schema_version: u32,
    /// Where the client stands when it has taken what follows.
    pub cursor: Cursor,
    /// Whether another page waits.
    pub more: bool,
    /// Deltas that follow.
    pub deltas: u64,
    /// Items in them.
    pub items: u64,
    /// The follow list held.
    pub follows: Follows,
    /// Heads held of the client's own feeds.
    pub own: Vec<Held>,
    /// The number of the newest receipt held for the client's own feeds, 0 for none; a hub that takes no
    /// receipts leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts: Option<u64>,
    /// Sealed envelopes that wait for the client; absent where none does.
    #[serde(default, skip_serializing_if = "is_none_waiting")]
    pub envelopes: u64,
    /// Letters that wait for the client; absent where none does.
    #[serde(default, skip_serializing_if = "is_none_waiting")]
    pub letters: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it asks about by reference"
)]
pub(super) fn is_none_waiting(envelopes: &u64) -> bool {
    *envelopes == 0
}

impl ChangesSection {
    /// Tells the number of the newest receipt as well.
    #[must_use]
    pub fn with_receipts(mut self, newest: u64) -> Self {
        self.receipts = Some(newest);
        self
    }

    /// Says what follows.
    #[must_use]
    pub fn new(
        cursor: Cursor,
        more: bool,
        totals: (u64, u64),
        follows: Follows,
        own: Vec<Held>,
    ) -> Self {
        Self {
            section: Self::NAME.to_owned(),
            schema_version: 1,
            cursor,
            more,
            deltas: totals.0,
            items: totals.1,
            follows,
            own,
            receipts: None,
            envelopes: 0,
            letters: 0,
        }
    }

    /// Reads the line.
    ///
    /// # Errors
    /// A strict JSON rule, or `unknown_section`.
    pub fn read(line: &[u8]) -> Result<Self, Rule> {
        read_section(line)
    }
}

/// Says that a feed stands at a head to which no deltas of this answer lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct AgainSection {
    section: String,
    schema_version: u32,
    /// The head.
    pub head: Held,
}

impl AgainSection {
    /// How its line begins.
    pub const START: &'static [u8] = b"{\"section\":\"again\"";

    /// Names the head.
    #[must_use]
    pub fn new(head: Held) -> Self {
        Self {
            section: Self::NAME.to_owned(),
            schema_version: 1,
            head,
        }
    }

    /// Reads the line.
    ///
    /// # Errors
    /// A strict JSON rule, or `unknown_section`.
    pub fn read(line: &[u8]) -> Result<Self, Rule> {
        read_section(line)
    }
}

/// The first line of a page of a snapshot, and the last of a page of lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PageSection {
    section: String,
    schema_version: u32,
    /// The head that the pages are of.
    pub head: Hash,
    /// What to ask for next; none when this was all.
    pub next: Option<String>,
}

impl PageSection {
    /// How its line begins.
    pub const START: &'static [u8] = b"{\"section\":\"page\"";

    /// Names head and next page.
    #[must_use]
    pub fn new(head: Hash, next: Option<String>) -> Self {
        Self {
            section: Self::NAME.to_owned(),
            schema_version: 1,
            head,
            next,
        }
    }

    /// Reads the line.
    ///
    /// # Errors
    /// A strict JSON rule, or `unknown_section`.
    pub fn read(line: &[u8]) -> Result<Self, Rule> {
        read_section(line)
    }
}

/// The first line of a page of an own history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct HistorySection {
    section: String,
    schema_version: u32,
    /// Lines of identity entries that follow first: of the log held and of every branch that left it.
    pub entries: u64,
    /// Deltas that follow them, each its header and its items.
    pub deltas: u64,
    /// Headers alone that follow those: of heads that came by a snapshot, without the entries of their delta.
    #[serde(default)]
    pub heads: u64,
    /// What to ask for next; none when this was all.
    pub next: Option<String>,
}

impl HistorySection {
    /// Says what follows.
    #[must_use]
    pub fn new(entries: u64, deltas: u64, heads: u64, next: Option<String>) -> Self {
        Self {
            section: Self::NAME.to_owned(),
            schema_version: 1,
            entries,
            deltas,
            heads,
            next,
        }
    }

    /// Reads the line.
    ///
    /// # Errors
    /// A strict JSON rule, or `unknown_section`.
    pub fn read(line: &[u8]) -> Result<Self, Rule> {
        read_section(line)
    }
}

/// What came of the deltas of one feed that were pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PushedFeed {
    /// The feed.
    pub scope: FeedScope,
    /// The outcome, by the names of the spec.
    pub outcome: String,
    /// The rule broken, when it was refused.
    pub rule: Option<String>,
}

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Pushed {
    /// 1.
    pub schema_version: u32,
    /// Each feed of the body.
    pub feeds: Vec<PushedFeed>,
    /// Heads held of the sender's feeds now.
    pub own: Vec<Held>,
}

/// What whoever holds the recovery words asks of a hub (spec: sync, recovery).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RecoveryAsk {
    /// 1.
    pub schema_version: u32,
    /// The instance.
    pub id: InstanceId,
    /// The public half of its recovery key: until it is used, only who has the words can name it.
    pub recovery_key: PublicKey,
}

/// What a hub holds of an instance, for who recovers it. Everything in it proves itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RecoveryAnswer {
    /// 1.
    pub schema_version: u32,
    /// The identity log: signed lines.
    pub identity: Vec<String>,
    /// The signed head of its public feed, where there is one.
    pub head: Option<String>,
}

object_only!(
    RecoveryAsk,
    RecoveryAnswer,
    WhoIsThis,
    Follows,
    FeedHead,
    Heads,
    DirectoryRow,
    Directory,
    ChangesSection,
    AgainSection,
    PageSection,
    HistorySection,
    PushedFeed,
    Pushed,
);

/// A line that says what a part of a stream is.
trait Section: for<'line> Deserialize<'line> {
    const NAME: &'static str;
    /// The name and the form that it carries.
    fn named(&self) -> (&str, u32);
}

macro_rules! sections {
    ($($section:ty: $name:literal),+ $(,)?) => {$(
        impl Section for $section {
            const NAME: &'static str = $name;
            fn named(&self) -> (&str, u32) {
                (&self.section, self.schema_version)
            }
        }
    )+};
}

sections!(ChangesSection: "changes", AgainSection: "again", PageSection: "page", HistorySection: "history");

fn read_section<S: Section>(line: &[u8]) -> Result<S, Rule> {
    let text = json::check(line)?;
    let section: S = serde_json::from_str(text).map_err(|_| Rule::UnknownSection)?;
    if section.named() == (S::NAME, 1) {
        Ok(section)
    } else {
        Err(Rule::UnknownSection)
    }
}

/// Reads a message strictly.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read_message<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    let text = json::check_document(bytes, SYNC_BODY_BYTES_MAX).map_err(|rule| rule.to_string())?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}
