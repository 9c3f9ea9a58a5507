//! The bodies, one type a kind. What has no member here cannot leave in a record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::notice::Notice;
use super::text::{BadText, check_address, check_name, check_text, check_title};
use super::{BodyError, known_version};
use crate::id::{Hash, InstanceId, RecordId, RecordRef, Token};
use crate::json::{object_only, text_only};
use crate::limits::{HEARD_MAX, LIST_ITEMS_MAX, NUMBER_MAX};
use crate::line::Line;
use crate::scope::{By, Kind};
use crate::time::Timestamp;

/// A body of a known kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// A member's public profile.
    User(User),
    /// A request for help.
    Request(Request),
    /// A comment on a request.
    Comment(Comment),
    /// A step in a request's history.
    Status(Status),
    /// An instance whose word counts for one request.
    Helper(Helper),
    /// An invite's public face.
    Invite(Invite),
    /// A vouch of one instance for another.
    Vouch(Vouch),
    /// What a hub decides about an instance or a record.
    Notice(Notice),
    /// The instance's own card.
    Card(Card),
    /// What somebody can do; known to the next version only.
    #[cfg(feature = "next-schema")]
    Skill(Skill),
}

/// A member's profile; each member is there only if its owner shares it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    /// The name used to log in at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The name shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// About the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// The home instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<InstanceId>,
    /// Who invited the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inviter: Option<RecordRef>,
    /// Attributes of the member's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// A request for help. Its state is told by [`Status`] records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// In a few words.
    pub title: String,
    /// In full.
    pub description: String,
    /// When it was first written.
    pub created_at: Timestamp,
    /// How soon; known to the next version only.
    #[cfg(feature = "next-schema")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
}

/// A comment on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The request.
    pub request: RecordRef,
    /// What it says.
    pub body: String,
    /// When it was first written.
    pub created_at: Timestamp,
}

/// What a status event says a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum To {
    /// Help is still needed.
    Open,
    /// Help was given.
    Completed,
    /// Help is not needed any more.
    Cancelled,
}

impl To {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One status event; revision 1 for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The request.
    pub request: RecordRef,
    /// What it is now.
    pub to: To,
    /// Counted by its writer for this request.
    pub n: u64,
    /// A word along with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// From the request's home: the last event heard of each helper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<BTreeMap<InstanceId, u64>>,
    /// From a helper: line hash of the home event it had seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Hash>,
}

/// An instance whose word counts for one request of this origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    /// The request.
    pub request: RecordId,
    /// The instance.
    pub instance: InstanceId,
}

/// An invite's public face. The link used at home and its suggested bio have no member here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Admits only elsewhere, by asking home.
    pub share_code: Token,
    /// How many people it admits; no limit when null.
    #[serde(deserialize_with = "crate::json::present")]
    pub max_uses: Option<u64>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether who uses it is a member at once.
    pub auto_approve: bool,
    /// A name offered to the newcomer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_handle: Option<String>,
    /// A personal page for the newcomer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personalisation: Option<Personalisation>,
}

/// What makes an invite personal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Personalisation {
    /// Full address of a photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<String>,
    /// Thanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gratitude: Option<String>,
    /// What the inviter can help with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<String>,
    /// Examples of help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples: Option<Vec<String>>,
    /// Something nice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fun: Option<String>,
}

/// How far an issuer trusts a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Level {
    /// Known.
    Known,
    /// Trusted.
    Trusted,
    /// A steward.
    Steward,
}

/// A vouch of one instance for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouch {
    /// Who vouches; always the origin.
    pub issuer: InstanceId,
    /// For whom.
    pub subject: InstanceId,
    /// How far.
    pub level: Level,
    /// Why, in words.
    pub basis: String,
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// A root member of the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_user: Option<RecordRef>,
    /// A root member of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_user: Option<RecordRef>,
}

/// The instance's own card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its name.
    pub name: String,
    /// About it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where it can be reached.
    pub addresses: Vec<String>,
    /// Hubs it can be reached through.
    pub hubs: Vec<String>,
    /// The key to seal to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealing_key: Option<String>,
    /// How often it syncs.
    pub sync: SyncRhythm,
    /// Protocol versions it speaks.
    pub protocol: ProtocolRange,
    /// Kinds it knows.
    pub kinds: BTreeMap<Kind, u32>,
    /// The program.
    pub software: String,
    /// When the instance was closed: nothing but this card is shared any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
}

/// How often an instance syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncRhythm {
    /// When somebody asks for it.
    ByHand(bool),
    /// By itself.
    EveryHours(u32),
}

/// Protocol versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ProtocolRange {
    /// The oldest spoken.
    pub min: u32,
    /// The newest spoken.
    pub max: u32,
}

text_only!(To, Level);
object_only!(Personalisation, ProtocolRange);

/// What somebody can do; a kind of the next version.
#[cfg(feature = "next-schema")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// In a few words.
    pub title: String,
    /// When it was first written.
    pub created_at: Timestamp,
}

impl Body {
    /// Reads the body of a line.
    ///
    /// # Errors
    /// Why it cannot be shown.
    pub fn read(
        kind: &Kind,
        schema_version: u32,
        origin: InstanceId,
        body: &str,
    ) -> Result<Self, BodyError> {
        if known_version(kind.as_str()).is_none_or(|known| schema_version > known) {
            return Err(BodyError::NeedsNewerVersion);
        }
        let read = Self::parse(kind, body).ok_or(BodyError::Invalid)?;
        read.check(origin).map_err(|_| BodyError::Invalid)?;
        Ok(read)
    }

    /// Reads the body of a line, and checks that its author may write it: a profile speaks for its own
    /// member, a card, a vouch and a notice for the instance.
    ///
    /// # Errors
    /// Why it cannot be shown.
    pub fn of_line(line: &Line<'_>) -> Result<Self, BodyError> {
        let body = Self::read(&line.kind, line.schema_version, line.origin, line.body())?;
        let author_fits = match &body {
            Self::User(_) => line.by == By::User(line.id),
            Self::Card(_) | Self::Vouch(_) | Self::Notice(_) => line.by == By::Instance,
            _ => true,
        };
        if author_fits {
            Ok(body)
        } else {
            Err(BodyError::Invalid)
        }
    }

    fn parse(kind: &Kind, body: &str) -> Option<Self> {
        match kind.as_str() {
            "user" => serde_json::from_str(body).ok().map(Self::User),
            "request" => serde_json::from_str(body).ok().map(Self::Request),
            "comment" => serde_json::from_str(body).ok().map(Self::Comment),
            "status" => serde_json::from_str(body).ok().map(Self::Status),
            "helper" => serde_json::from_str(body).ok().map(Self::Helper),
            "invite" => serde_json::from_str(body).ok().map(Self::Invite),
            "vouch" => serde_json::from_str(body).ok().map(Self::Vouch),
            "notice" => serde_json::from_str(body).ok().map(Self::Notice),
            "card" => serde_json::from_str(body).ok().map(Self::Card),
            #[cfg(feature = "next-schema")]
            "skill" => serde_json::from_str(body).ok().map(Self::Skill),
            _ => None,
        }
    }

    /// The kind of this body.
    ///
    /// # Panics
    /// Never: every name is a kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let name = match self {
            Self::User(_) => "user",
            Self::Request(_) => "request",
            Self::Comment(_) => "comment",
            Self::Status(_) => "status",
            Self::Helper(_) => "helper",
            Self::Invite(_) => "invite",
            Self::Vouch(_) => "vouch",
            Self::Notice(_) => "notice",
            Self::Card(_) => "card",
            #[cfg(feature = "next-schema")]
            Self::Skill(_) => "skill",
        };
        name.parse().expect("every name is a kind")
    }

    /// The request this body belongs to; `origin` is the body's own.
    #[must_use]
    pub fn parent(&self, origin: InstanceId) -> Option<RecordRef> {
        match self {
            Self::Comment(comment) => Some(comment.request),
            Self::Status(status) => Some(status.request),
            Self::Helper(helper) => Some(RecordRef {
                origin,
                id: helper.request,
            }),
            _ => None,
        }
    }

    /// Checks what types cannot say: lengths, addresses, ranges.
    ///
    /// # Errors
    /// The first text that is wrong; ranges that are wrong count as too long.
    pub fn check(&self, origin: InstanceId) -> Result<(), BadText> {
        match self {
            Self::User(user) => user.check(),
            Self::Request(request) => {
                check_title(&request.title)?;
                check_text(&request.description)
            }
            Self::Comment(comment) => check_text(&comment.body),
            Self::Status(status) => status.check(origin),
            Self::Helper(_) => Ok(()),
            Self::Invite(invite) => invite.check(),
            Self::Vouch(vouch) => {
                check_text(&vouch.basis)?;
                if vouch.issuer == origin {
                    Ok(())
                } else {
                    Err(BadText::Empty)
                }
            }
            Self::Notice(notice) => notice.check(origin),
            Self::Card(card) => card.check(),
            #[cfg(feature = "next-schema")]
            Self::Skill(skill) => check_title(&skill.title),
        }
    }
}

fn check_len(len: usize, max: usize) -> Result<(), BadText> {
    if len > max {
        Err(BadText::TooLong { chars: len, max })
    } else {
        Ok(())
    }
}

fn check_some(
    text: Option<&String>,
    check: impl Fn(&str) -> Result<(), BadText>,
) -> Result<(), BadText> {
    text.map_or(Ok(()), |text| check(text))
}

impl User {
    fn check(&self) -> Result<(), BadText> {
        check_some(self.handle.as_ref(), check_name)?;
        check_some(self.display_name.as_ref(), check_name)?;
        check_some(self.bio.as_ref(), check_text)?;
        check_some(self.avatar.as_ref(), check_address)?;
        let attributes = self.attributes.iter().flatten();
        check_len(attributes.clone().count(), LIST_ITEMS_MAX)?;
        attributes
            .into_iter()
            .try_for_each(|(key, value)| check_name(key).and_then(|()| check_text(value)))
    }
}

impl Status {
    /// Only home says what it heard and that a request is cancelled; only a helper says what it had
    /// seen.
    fn check(&self, origin: InstanceId) -> Result<(), BadText> {
        check_some(self.note.as_ref(), check_text)?;
        check_len(self.heard.as_ref().map_or(0, BTreeMap::len), HEARD_MAX)?;
        let at_home = self.request.origin == origin;
        let members_fit = if at_home {
            self.after.is_none()
        } else {
            self.heard.is_none()
        };
        let counted = (1..=NUMBER_MAX).contains(&self.n)
            && self.heard.iter().flatten().all(|(_, n)| *n <= NUMBER_MAX);
        if members_fit && counted && (at_home || self.to != To::Cancelled) {
            Ok(())
        } else {
            Err(BadText::Empty)
        }
    }
}

impl Invite {
    fn check(&self) -> Result<(), BadText> {
        check_some(self.suggested_handle.as_ref(), check_name)?;
        if self
            .max_uses
            .is_some_and(|uses| uses == 0 || uses > NUMBER_MAX)
        {
            return Err(BadText::Empty);
        }
        let Some(personal) = &self.personalisation else {
            return Ok(());
        };
        check_some(personal.photo.as_ref(), check_address)?;
        check_some(personal.gratitude.as_ref(), check_text)?;
        check_some(personal.support.as_ref(), check_text)?;
        check_some(personal.fun.as_ref(), check_text)?;
        let examples = personal.examples.as_deref().unwrap_or_default();
        check_len(examples.len(), LIST_ITEMS_MAX)?;
        examples.iter().try_for_each(|example| check_text(example))
    }
}

impl Card {
    fn check(&self) -> Result<(), BadText> {
        check_name(&self.name)?;
        check_some(self.about.as_ref(), check_text)?;
        check_some(self.sealing_key.as_ref(), check_name)?;
        check_name(&self.software)?;
        check_len(self.kinds.len(), LIST_ITEMS_MAX)?;
        check_len(self.addresses.len().max(self.hubs.len()), LIST_ITEMS_MAX)?;
        self.addresses
            .iter()
            .chain(&self.hubs)
            .try_for_each(|address| check_address(address))
    }
}
