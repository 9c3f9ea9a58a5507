//! Everything this instance holds about one member, for that member: `wb user export` and the page *Your data*.
//!
//! Secrets that open something (sessions, links, addresses of feed readers) are named and not given: who finds the file
//! must not get in by it.

use std::collections::BTreeMap;

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::leave::{Life, ProfileShares};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState, LocalRecord, Role};

use super::drafts;
use super::invited::{InvitedView, invited_of};
use super::invites::uses_elsewhere;
use super::letters::own_letters;
use super::offers::offers_of;
use super::sessions::SessionView;
use super::who::Known;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::{Reaches, headline};
use crate::view::{Contact, DraftView, LetterView, OfferView, SCHEMA_VERSION, UseView};

/// Rows of the audit log that are read at a time.
const AUDIT_ROWS: usize = 1_000;

/// The member of an invitation by which whoever has it is let in elsewhere.
const SHARE_CODE: &str = "share_code";

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub struct MemberData {
    /// Version of this form.
    pub schema_version: u32,
    /// When it was put together.
    pub made_at: Timestamp,
    /// The instance that holds it.
    pub instance: InstanceId,
    /// Its name.
    pub home: String,
    /// The account.
    pub account: AccountData,
    /// The profile; none where it is missing.
    pub profile: Option<RecordData>,
    /// Which of its fields others see, once it is shared.
    pub shares: Option<ProfileShares>,
    /// Requests, comments and everything else the member wrote.
    pub records: Vec<RecordData>,
    /// What was begun and not sent.
    pub drafts: Vec<DraftView>,
    /// Invitations the member made.
    pub invites: Vec<InviteData>,
    /// Browsers that are in or wait.
    pub sessions: Vec<SessionView>,
    /// The address for a feed reader.
    pub feed_reader: Option<FeedReaderData>,
    /// What the member was told on pages.
    pub notices: Vec<NoticeData>,
    /// What the member was asked to share more widely.
    pub agreements: Vec<AgreementData>,
    /// Letters that the member sent, and those about their requests.
    pub letters: Vec<LetterView>,
    /// Help that the member offered, or was offered.
    pub offers: Vec<OfferView>,
    /// What was done by the member, and about the member.
    pub log: Vec<LogData>,
}

/// The account.
#[derive(Debug, Clone, Serialize)]
pub struct AccountData {
    /// The id of the profile.
    pub id: RecordId,
    /// The handle.
    pub handle: String,
    /// What it may do.
    pub role: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// Since when.
    pub created_at: Timestamp,
    /// How the member came, where that is known.
    pub invited: Option<InvitedView>,
    /// Ways to reach the member; they never leave but in a letter.
    pub contacts: Vec<Contact>,
    /// Attributes that are not shared.
    pub attributes: BTreeMap<String, String>,
    /// How far what the member writes goes unless it is said otherwise; null where that was never chosen.
    pub default_scope: Option<Scope>,
}

/// One record.
#[derive(Debug, Clone, Serialize)]
pub struct RecordData {
    /// Its id.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// Its title, or the start of its text.
    pub headline: String,
    /// Its body.
    pub body: serde_json::Value,
    /// The request it belongs to.
    pub parent: Option<RecordRef>,
    /// `active`, `pending` or `deleted`.
    pub life: &'static str,
    /// How far its author lets it go.
    pub scope: Scope,
    /// The widest scope that a steward allows.
    pub ceiling: Scope,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub at: Timestamp,
    /// Why it stays home; null when it leaves.
    pub stays: Option<&'static str>,
    /// Ways to reach somebody about it; they stay home.
    pub contacts: Vec<Contact>,
    /// What each feed says of it last; empty when it never left.
    pub shared: Vec<SharedData>,
}

/// What a feed says of a record last, and who confirmed that.
#[derive(Debug, Clone, Serialize)]
pub struct SharedData {
    /// The feed.
    pub feed: &'static str,
    /// Whether it is in it; else it was taken back.
    pub is_in: bool,
    /// Since when.
    pub at: Timestamp,
    /// Everybody known to carry the feed, and where each stands with the record.
    pub with: Vec<WithData>,
}

/// A hub, a peer or a follower.
#[derive(Debug, Clone, Serialize)]
pub struct WithData {
    /// Its name.
    pub name: String,
    /// Which of the three.
    pub role: &'static str,
    /// Where it stands: `holds`, `pending`, `erased` and so on, as of `wb record who`.
    pub state: &'static str,
    /// The same for people.
    #[serde(skip)]
    pub words: &'static str,
    /// When it was last heard of.
    pub at: Option<Timestamp>,
}

/// An invitation, without the secret of its link.
#[derive(Debug, Clone, Serialize)]
pub struct InviteData {
    /// Its record.
    pub id: RecordId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// How many people it admits; null for no limit.
    pub max_uses: Option<u64>,
    /// How many it admitted.
    pub uses: u64,
    /// Whether it still admits anyone.
    pub open: bool,
    /// A text offered for the newcomer's profile.
    pub suggested_bio: Option<String>,
    /// What was decided about newcomers elsewhere.
    pub elsewhere: Vec<UseView>,
}

/// The address for a feed reader, without its secret.
#[derive(Debug, Clone, Serialize)]
pub struct FeedReaderData {
    /// Since when there is one.
    pub made_at: Timestamp,
    /// When a reader asked last.
    pub used_at: Option<Timestamp>,
}

/// Something told.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeData {
    /// When.
    pub at: Timestamp,
    /// About what, in a word.
    pub what: String,
    /// In words.
    pub detail: String,
    /// When it was put away.
    pub seen_at: Option<Timestamp>,
}

/// What the member was asked to share more widely.
#[derive(Debug, Clone, Serialize)]
pub struct AgreementData {
    /// The record.
    pub record: RecordId,
    /// How far.
    pub scope: Scope,
    /// When.
    pub asked_at: Timestamp,
    /// `agreed` or `declined`; null while it waits.
    pub answer: Option<&'static str>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}

/// A line of the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct LogData {
    /// When.
    pub at: Timestamp,
    /// Whether the member did it; else it was done about the member.
    pub by_member: bool,
    /// What.
    pub act: String,
    /// To what.
    pub target: String,
    /// In words.
    pub detail: String,
}

impl MemberData {
    /// As a file for programs.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("data has string keys and serialises")
    }
}

/// Everything about one account: one's own, or as an admin anybody's. That it was looked at is for the caller to
/// note.
///
/// # Errors
/// That the actor may not, or that there is no such account.
pub fn member_data(node: &Node, actor: &Actor, handle: &str) -> Result<MemberData> {
    let account = account(node, actor, handle)?;
    let (now, user) = (node.now(), account.user);
    let private = node.store.private();
    let (reaches, known) = (Reaches::new(node, now)?, Known::gather(node)?);
    let mut profile = None;
    let mut records = Vec::new();
    let mut shares = None;
    for id in node.store.written_by(&user)? {
        let Some(record) = node.store.local(&id)? else {
            continue;
        };
        let data = record_data(node, &reaches, &known, &record)?;
        if id == user {
            shares = record.shares;
            profile = Some(data);
        } else {
            records.push(data);
        }
    }
    let drafts = private.drafts()?.into_iter();
    let drafts = drafts.filter(|draft| draft.author == Some(user));
    let mut elsewhere = uses_elsewhere(node)?;
    let invites = private.invites()?.into_iter();
    let invites = invites.filter(|invite| invite.created_by == Some(user));
    let waiting = private.sessions_waiting(Some(&account.handle), now)?;
    let sessions = private.sessions_of(&user, now)?.into_iter().chain(waiting);
    let feed_reader = private.feed_link_of(&user)?;
    let notices = private.all_notices(&user)?.into_iter();
    let agreements = private.agreements_of(&user)?.into_iter();
    Ok(MemberData {
        schema_version: SCHEMA_VERSION,
        made_at: now,
        instance: node.own_id(),
        home: node.name().to_owned(),
        profile,
        shares,
        records,
        drafts: drafts.map(|draft| drafts::view(node, draft)).collect(),
        invites: invites
            .map(|invite| InviteData {
                id: invite.record,
                created_at: invite.created_at,
                expires_at: invite.expires_at,
                max_uses: invite.max_uses,
                uses: invite.uses,
                open: invite.is_open(now),
                suggested_bio: invite.suggested_bio,
                elsewhere: elsewhere.remove(&invite.record).unwrap_or_default(),
            })
            .collect(),
        sessions: sessions.map(SessionView::of).collect(),
        feed_reader: feed_reader.map(|link| FeedReaderData {
            made_at: link.made_at,
            used_at: link.used_at,
        }),
        notices: notices
            .map(|(notice, seen_at)| NoticeData {
                at: notice.at,
                what: notice.what,
                detail: notice.detail,
                seen_at,
            })
            .collect(),
        letters: own_letters(node, &user)?,
        offers: offers_of(node, &user)?,
        agreements: agreements
            .map(|row| AgreementData {
                record: row.record,
                scope: row.scope,
                asked_at: row.asked_at,
                answer: row.answer.map(wb_store::AgreementAnswer::as_str),
                answered_at: row.answered_at,
            })
            .collect(),
        log: log(node, &user)?,
        account: account_data(node, account)?,
    })
}

/// Whose data it is.
fn account(node: &Node, actor: &Actor, handle: &str) -> Result<Account> {
    let account = node.store.private().account(handle)?;
    let account = account.filter(|account| account.state != AccountState::Gone);
    match account {
        Some(account) if account.user == actor.user || actor.role == Role::Admin => Ok(account),
        None if actor.role == Role::Admin => Err(NodeError::unknown("user", handle)),
        _ => Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "export what is held about somebody else",
            why: "members export their own data, and only an admin somebody else's",
        }),
    }
}

fn account_data(node: &Node, account: Account) -> Result<AccountData> {
    let private = node.store.private();
    Ok(AccountData {
        id: account.user,
        role: account.role.as_str(),
        state: account.state.as_str(),
        created_at: account.created_at,
        invited: invited_of(node, &account.user)?,
        contacts: contacts(node, &account.user)?,
        attributes: private.attributes(&account.user)?,
        default_scope: private.default_scope(&account.user)?,
        handle: account.handle,
    })
}

fn contacts(node: &Node, owner: &RecordId) -> Result<Vec<Contact>> {
    let contacts = node.store.private().contacts(owner)?.into_iter();
    Ok(contacts
        .map(|(kind, value)| Contact { kind, value })
        .collect())
}

/// A body without what opens something. Where it cannot be read as members with values nothing of it is given.
fn body(record: &LocalRecord) -> serde_json::Value {
    let mut body: serde_json::Value = serde_json::from_str(&record.body).unwrap_or_default();
    if let (Some(members), "invite") = (body.as_object_mut(), record.kind.as_str()) {
        members.remove(SHARE_CODE);
    }
    body
}

fn record_data(
    node: &Node,
    reaches: &Reaches<'_>,
    known: &Known,
    record: &LocalRecord,
) -> Result<RecordData> {
    let moves = known.who(node, record)?.moves.into_iter();
    let shared = moves.map(|last| SharedData {
        feed: last.feed(),
        is_in: last.is_put,
        at: last.at,
        with: last
            .holders
            .into_iter()
            .map(|holder| WithData {
                role: holder.role.as_str(),
                state: holder.state.as_str(),
                words: holder.words(),
                at: holder.at,
                name: holder.name,
            })
            .collect(),
    });
    Ok(RecordData {
        id: record.id,
        kind: record.kind.to_string(),
        headline: headline(record.kind.as_str(), &record.body),
        body: body(record),
        parent: record.parent,
        life: Life::as_str(record.life),
        scope: record.scope,
        ceiling: record.ceiling,
        created_at: record.created_at,
        at: record.at,
        stays: reaches.of(record)?.err().map(wb_core::leave::Stays::as_str),
        contacts: if record.kind.as_str() == "user" {
            Vec::new()
        } else {
            contacts(node, &record.id)?
        },
        shared: shared.collect(),
    })
}

fn log(node: &Node, user: &RecordId) -> Result<Vec<LogData>> {
    let (mut log, mut before) = (Vec::new(), None);
    loop {
        let rows = node
            .store
            .private()
            .audit_rows(Some(user), before, AUDIT_ROWS)?;
        let Some((last, _)) = rows.last() else {
            return Ok(log);
        };
        before = Some(*last);
        log.extend(rows.into_iter().map(|(_, row)| LogData {
            at: row.at,
            by_member: row.actor == Some(*user),
            act: row.act,
            target: row.target,
            detail: row.detail,
        }));
    }
}
