//! The only door out: what may leave, and why the rest stays (spec: records, what may leave).
//!
//! [`may_leave`] alone makes a [`Leaving`], and a [`Leaving`] is the only thing a line can be composed
//! from. So feeds, bundles, the relay and the preview cannot disagree, and a new way out has to pass
//! here. What is private has no member in a body: it cannot be forgotten, because it cannot be said.

mod tell;

pub use tell::{About, Helping, OwnersAct, Teller, Telling, Untelling, Untold, may_tell};

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::id::{Hash, InstanceId, RecordId, Salt, Token};
use crate::kinds::{Body, User, known_version};
use crate::limits::BODY_BYTES_MAX;
use crate::line::Compose;
use crate::scope::{By, FeedScope, Kind, Scope};
use crate::time::Timestamp;

/// Why a record stays home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::enum_variant_names,
    reason = "two of the causes stay because something else does"
)]
pub enum Stays {
    /// Records of this kind never leave.
    KindStays,
    /// Its scope, or the ceiling a steward set, is private.
    ScopePrivate,
    /// It is deleted.
    Deleted,
    /// It waits for its author's approval.
    NotApproved,
    /// Its author's account is erased.
    AuthorGone,
    /// Its author's account is not approved.
    AuthorPending,
    /// Its author came by an invite of another instance, which did not count it yet.
    AuthorProvisional,
    /// Its text is too long, or holds what a record cannot.
    BodyUnfit,
    /// The invite is disabled, used up or expired.
    InviteClosed,
    /// The request it belongs to stays home.
    ParentStays,
    /// The request it belongs to is not known here.
    ParentUnknown,
    /// It answers a record that another instance shared with its own audience.
    ParentTrustedElsewhere,
    /// Nobody is in the trusted audience.
    NoAudience,
    /// No revision is left that would stand above one that others saw.
    NumbersUsedUp,
    /// The instance was closed.
    Retired,
}

impl Stays {
    /// Every cause.
    pub const ALL: [Self; 15] = [
        Self::KindStays,
        Self::ScopePrivate,
        Self::Deleted,
        Self::NotApproved,
        Self::AuthorGone,
        Self::AuthorPending,
        Self::AuthorProvisional,
        Self::BodyUnfit,
        Self::InviteClosed,
        Self::ParentStays,
        Self::ParentUnknown,
        Self::ParentTrustedElsewhere,
        Self::NoAudience,
        Self::NumbersUsedUp,
        Self::Retired,
    ];

    /// The name in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KindStays => "kind_stays",
            Self::ScopePrivate => "scope_private",
            Self::Deleted => "deleted",
            Self::NotApproved => "not_approved",
            Self::AuthorGone => "author_gone",
            Self::AuthorPending => "author_pending",
            Self::AuthorProvisional => "author_provisional",
            Self::BodyUnfit => "body_unfit",
            Self::InviteClosed => "invite_closed",
            Self::ParentStays => "parent_stays",
            Self::ParentUnknown => "parent_unknown",
            Self::ParentTrustedElsewhere => "parent_trusted_elsewhere",
            Self::NoAudience => "no_audience",
            Self::NumbersUsedUp => "numbers_used_up",
            Self::Retired => "retired",
        }
    }

    /// The reason in words, after "stays home: ".
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::KindStays => "records of this kind never leave",
            Self::ScopePrivate => "it is private",
            Self::Deleted => "it is deleted",
            Self::NotApproved => "it waits for approval",
            Self::AuthorGone => "its author's account is erased",
            Self::AuthorPending => "its author is not approved yet",
            Self::AuthorProvisional => {
                "its author came by an invitation of another community, which did not count it yet"
            }
            Self::BodyUnfit => "its text is too long, or holds what a record cannot",
            Self::InviteClosed => "the invite is disabled, used up or expired",
            Self::ParentStays => "the request it belongs to stays home",
            Self::ParentUnknown => "the request it belongs to is not known here",
            Self::ParentTrustedElsewhere => {
                "it answers what another community shared with its trusted peers only, so it is in no feed; it goes \
                 there as a letter where its author sends it"
            }
            Self::NoAudience => {
                "it is for trusted peers, and you trust nobody yet; `wb peer trust` adds an instance"
            }
            Self::NumbersUsedUp => {
                "somebody who had the key used up its revision numbers; write it anew as another record"
            }
            Self::Retired => "this instance was closed",
        }
    }
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a local record stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Life {
    /// It counts.
    Active,
    /// It waits for approval: written by somebody who is not a member yet.
    Pending,
    /// It is deleted.
    Deleted,
}

impl Life {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Deleted => "deleted",
        }
    }
}

/// Says that a word is none of the stages of a record's life.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stage of a record's life")]
pub struct UnknownLife(String);

impl std::str::FromStr for Life {
    type Err = UnknownLife;

    fn from_str(text: &str) -> Result<Self, UnknownLife> {
        match text {
            "active" => Ok(Self::Active),
            "pending" => Ok(Self::Pending),
            "deleted" => Ok(Self::Deleted),
            _ => Err(UnknownLife(text.to_owned())),
        }
    }
}

/// Who a local record is by, and what became of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The instance itself.
    Instance,
    /// A member.
    Member {
        /// The member's user record.
        user: RecordId,
        /// The account.
        account: Account,
        /// How far the member's profile leaves; private when it stays.
        profile: Scope,
    },
    /// A member that is not known here any more: the record left under this name before, and came back so.
    Known(By),
}

/// What became of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// A member.
    Approved,
    /// Not a member yet.
    Pending,
    /// Let in by an invite of another instance that did not count it yet.
    Provisional,
    /// Erased.
    Gone,
}

/// The request a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// It belongs to none.
    None,
    /// It leaves, or came from elsewhere, in this scope; private when it stays.
    Scope(Scope),
    /// Another instance shared it with its own audience, which is not the one here.
    TrustedElsewhere,
    /// It is not known here.
    Unknown,
}

/// What a local record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A profile, with the fields its owner shares.
    Profile {
        /// Everything in it.
        profile: User,
        /// What may leave.
        shares: ProfileShares,
    },
    /// An invite, and whether it still admits anyone.
    Invite {
        /// Its public face.
        body: Body,
        /// False when disabled, used up or expired.
        open: bool,
    },
    /// Any other kind that can leave.
    Record(Body),
    /// A text that may stand at home and not in a record.
    Unfit,
    /// A kind that never leaves.
    HomeOnly,
}

/// The profile fields that their owner shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one switch a field, as its owner sees them"
)]
pub struct ProfileShares {
    /// The handle.
    pub handle: bool,
    /// The name shown.
    pub display_name: bool,
    /// The text about the member.
    pub bio: bool,
    /// The address of the picture.
    pub avatar: bool,
    /// The home instance.
    pub home: bool,
    /// Who invited the member.
    pub inviter: bool,
    /// The member's own attributes.
    pub attributes: bool,
}

impl ProfileShares {
    /// The profile with nothing in it that is not shared.
    #[must_use]
    pub fn face(self, profile: &User) -> User {
        fn keep<T: Clone>(shared: bool, value: Option<&T>) -> Option<T> {
            value.filter(|_| shared).cloned()
        }
        User {
            handle: keep(self.handle, profile.handle.as_ref()),
            display_name: keep(self.display_name, profile.display_name.as_ref()),
            bio: keep(self.bio, profile.bio.as_ref()),
            avatar: keep(self.avatar, profile.avatar.as_ref()),
            home: keep(self.home, profile.home.as_ref()),
            inviter: keep(self.inviter, profile.inviter.as_ref()),
            attributes: keep(self.attributes, profile.attributes.as_ref()),
        }
    }
}

/// A local record with everything that decides whether it may leave.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// What it holds.
    pub content: Content,
    /// The scope its author chose.
    pub scope: Scope,
    /// The widest scope a steward allows.
    pub ceiling: Scope,
    /// Where it stands in its life.
    pub life: Life,
    /// Who it is by.
    pub author: Author,
    /// The request it belongs to.
    pub parent: Parent,
    /// Whether anybody is in the trusted audience.
    pub has_audience: bool,
    /// When this revision was written.
    pub at: Timestamp,
    /// The `by` it left with, kept until its author changes that by an act of its own.
    pub left_by: Option<By>,
    /// The session it was written in.
    pub session: Option<Token>,
}

/// A record that may leave, in the form in which it leaves.
#[derive(Debug, Clone)]
pub struct Leaving {
    id: RecordId,
    kind: Kind,
    schema_version: u32,
    scope: FeedScope,
    by: By,
    session: Option<Token>,
    at: Timestamp,
    body: Box<RawValue>,
}

impl Leaving {
    /// The record.
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.id
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The feed it leaves in.
    #[must_use]
    pub fn scope(&self) -> FeedScope {
        self.scope
    }

    /// The author it leaves with.
    #[must_use]
    pub fn by(&self) -> By {
        self.by
    }

    /// The body as it leaves, for the preview.
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.get()
    }

    /// Composes the record's line.
    #[must_use]
    pub fn line(&self, origin: InstanceId, rev: u64, drops: Option<Hash>, salt: Salt) -> Vec<u8> {
        let line = Compose {
            origin,
            kind: &self.kind,
            schema_version: self.schema_version,
            id: self.id,
            rev,
            drops,
            by: self.by,
            session: self.session,
            at: self.at,
            scope: self.scope,
            salt,
            body: &self.body,
        };
        line.to_bytes()
    }
}

/// The node's secret behind pseudonyms and session attributions.
pub struct NodeSecret(Zeroizing<[u8; 32]>);

impl fmt::Debug for NodeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeSecret(secret)")
    }
}

impl NodeSecret {
    /// Takes 32 random bytes.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// The name a member has in one scope when the profile does not go that far.
    #[must_use]
    pub fn pseudonym(&self, scope: FeedScope, user: &RecordId) -> Token {
        self.derive(&[
            b"wb/pseudonym/v1\n",
            scope.as_str().as_bytes(),
            b"\n",
            user.as_bytes(),
        ])
    }

    /// The attribution of a session: fresh for each session, scope and author.
    #[must_use]
    pub fn session(&self, scope: FeedScope, by: &By, session: &str) -> Token {
        let by = by.to_string();
        self.derive(&[
            b"wb/session/v1\n",
            scope.as_str().as_bytes(),
            b"\n",
            by.as_bytes(),
            b"\n",
            session.as_bytes(),
        ])
    }

    /// The secret from which ties between instances are decided (spec: trust).
    #[must_use]
    pub fn ties(&self) -> [u8; 32] {
        self.mac(&[b"wb/ties/v1\n"])
    }

    fn derive(&self, parts: &[&[u8]]) -> Token {
        Token::from_slice(&self.mac(parts)[..Token::LEN]).expect("a MAC is longer than a token")
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any key length is valid");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

/// How far a record goes: the narrowest of its own scope, its ceiling and its parent's.
///
/// # Errors
/// Why it stays home.
pub fn leaving_scope(candidate: &Candidate) -> Result<FeedScope, Stays> {
    if matches!(candidate.content, Content::HomeOnly) {
        return Err(Stays::KindStays);
    }
    let own = candidate.scope.min(candidate.ceiling);
    if own == Scope::Private {
        return Err(Stays::ScopePrivate);
    }
    match candidate.life {
        Life::Active => {}
        Life::Deleted => return Err(Stays::Deleted),
        Life::Pending => return Err(Stays::NotApproved),
    }
    match candidate.author {
        Author::Member {
            account: Account::Gone,
            ..
        } => return Err(Stays::AuthorGone),
        Author::Member {
            account: Account::Pending,
            ..
        } => return Err(Stays::AuthorPending),
        Author::Member {
            account: Account::Provisional,
            ..
        } => return Err(Stays::AuthorProvisional),
        Author::Member { .. } | Author::Known(_) | Author::Instance => {}
    }
    if matches!(candidate.content, Content::Unfit) {
        return Err(Stays::BodyUnfit);
    }
    if matches!(candidate.content, Content::Invite { open: false, .. }) {
        return Err(Stays::InviteClosed);
    }
    let scope = match candidate.parent {
        Parent::None => own,
        Parent::Unknown => return Err(Stays::ParentUnknown),
        Parent::TrustedElsewhere => return Err(Stays::ParentTrustedElsewhere),
        Parent::Scope(Scope::Private) => return Err(Stays::ParentStays),
        Parent::Scope(parent) => own.min(parent),
    };
    match scope {
        Scope::Public => Ok(FeedScope::Public),
        Scope::TrustedPeers if candidate.has_audience => Ok(FeedScope::TrustedPeers),
        Scope::TrustedPeers => Err(Stays::NoAudience),
        Scope::Private => Err(Stays::ScopePrivate),
    }
}

/// Decides whether a local record may leave, and in which form.
///
/// # Errors
/// Why it stays home: the first cause in the order of the spec.
pub fn may_leave(candidate: &Candidate, secret: &NodeSecret) -> Result<Leaving, Stays> {
    let scope = leaving_scope(candidate)?;
    let body = match &candidate.content {
        Content::Profile { profile, shares } => Body::User(shares.face(profile)),
        Content::Invite { body, .. } | Content::Record(body) => body.clone(),
        Content::Unfit => return Err(Stays::BodyUnfit),
        Content::HomeOnly => return Err(Stays::KindStays),
    };
    let schema_version = known_version(candidate.kind.as_str()).ok_or(Stays::KindStays)?;
    if body.kind() != candidate.kind {
        return Err(Stays::KindStays);
    }
    let body =
        serde_json::value::to_raw_value(&body).expect("a body has string keys and serialises");
    if body.get().len() > BODY_BYTES_MAX {
        return Err(Stays::BodyUnfit);
    }
    Ok(Leaving {
        id: candidate.id,
        kind: candidate.kind.clone(),
        schema_version,
        scope,
        by: author_shown(candidate, scope, secret),
        session: candidate.session,
        at: candidate.at,
        body,
    })
}

/// The `by` of a record: what it left with, else the member if the profile goes as far, else the
/// pseudonym for this scope.
fn author_shown(candidate: &Candidate, scope: FeedScope, secret: &NodeSecret) -> By {
    let (user, profile) = match candidate.author {
        Author::Member { user, profile, .. } => (user, profile),
        Author::Known(by) => return by,
        Author::Instance => return By::Instance,
    };
    let fresh = if profile >= Scope::from(scope) {
        By::User(user)
    } else {
        By::Pseudonym(secret.pseudonym(scope, &user))
    };
    // A profile names itself; and a pseudonym of another scope must not travel.
    match candidate.left_by {
        _ if candidate.id == user => By::User(user),
        Some(kept @ By::User(_)) => kept,
        Some(kept @ By::Pseudonym(token)) if token == secret.pseudonym(scope, &user) => kept,
        _ => fresh,
    }
}
