//! What queries answer, in the form that `--json` prints (docs/json.md). Pages use the same values.

use std::collections::BTreeMap;

use serde::Serialize;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef, Token};
use wb_core::kinds::{Personalisation, To};
use wb_core::leave::ProfileShares;
use wb_core::scope::{Kind, Scope};
use wb_core::sync::{Proof, Role, Visibility};
use wb_core::time::Timestamp;

use crate::query::invited::InvitedView;

mod audience;
mod backups;
mod keys;
mod letters;
mod offers;

pub use audience::{AudienceView, EnvelopesView};
pub use backups::{
    BackupPart, BackupRowView, BackupState, BackupView, FileUpgradeView, RestoredView, UpgradeView,
};
pub use keys::{KeyEntryView, KeyView};
pub use letters::{LetterState, LetterView, LettersView};
pub use offers::{OfferView, WaysView};

/// Version of the JSON that commands print.
pub const SCHEMA_VERSION: u32 = 1;

/// What every record in a list has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Version of this form.
    pub schema_version: u32,
    /// The record's id at its origin.
    pub id: RecordId,
    /// The instance that writes it.
    pub origin: InstanceId,
    /// The name of that instance, or the first digits of its id.
    pub home: String,
    /// Whether that is this instance.
    pub local: bool,
    /// Its kind.
    pub kind: Kind,
    /// How far it may go: the narrowest of its own and its parent's scope.
    pub scope: Scope,
    /// Its revision; 0 for what never left.
    pub rev: u64,
    /// Who wrote it, for people.
    pub author: String,
    /// Who wrote it, as its line says.
    pub by: Option<String>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When this revision was written.
    pub at: Timestamp,
    /// Why it is not shown; absent when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<String>,
}

/// A record of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordView {
    /// What every record has.
    #[serde(flatten)]
    pub base: Base,
    /// Its title, or the start of its text.
    pub headline: String,
    /// The request it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<RecordRef>,
}

/// One record with everything that is known of it.
#[derive(Debug, Clone, Serialize)]
pub struct RecordDetail {
    /// The record.
    #[serde(flatten)]
    pub record: RecordView,
    /// Its body.
    pub body: serde_json::Value,
    /// For a local record: whether it leaves with the next publish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<bool>,
    /// For a local record that stays home: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stays: Option<&'static str>,
    /// For a local record: the feeds it is in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Vec<String>>,
    /// For an own profile: which fields its owner shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<ProfileShares>,
    /// Where a hub hides it or holds its line back: which, why and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_by: Option<String>,
    /// For a record of another instance: by which road it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub road: Option<RoadView>,
    /// Others that were seen to have the same bytes, or a later head of their feed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoView>,
}

/// Another road of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlsoView {
    /// `hub`, `direct`, `folder` or `bundle`.
    pub road: String,
    /// The peer's name, or that of the file.
    pub name: String,
    /// When it was seen last.
    pub at: Timestamp,
}

/// By which road a record came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoadView {
    /// `hub` or `bundle`.
    pub road: &'static str,
    /// The hub's name, or that of the file.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// The run in `wb sync log`.
    pub run: i64,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestView {
    /// What every record has.
    #[serde(flatten)]
    pub base: Base,
    /// In a few words.
    pub title: String,
    /// In full.
    pub description: String,
    /// What it is now.
    pub status: To,
    /// Whether home and helpers disagree.
    pub contested: bool,
    /// Where it is contested: what it is shown as and why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contest: Option<String>,
    /// Who says what of where it stands: home's latest word, then the latest of each other instance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<SaidView>,
    /// Since when its home does not confirm it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed_since: Option<Timestamp>,
    /// Whether that is so for so long that lists leave it out unless asked for everything.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
    /// Comments shown.
    pub comments: u64,
    /// Whether its author's account was erased, and its words with it: only the answers are left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// The latest that one instance says of where a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidView {
    /// Its record.
    pub id: RecordId,
    /// The instance.
    pub instance: InstanceId,
    /// Its name, or the first digits of its id.
    pub home: String,
    /// Whether that is this instance.
    pub local: bool,
    /// Who said it there, for people.
    pub author: String,
    /// `home`, `helper` (home named it: its word counts) or `claim` (nothing follows from it).
    pub voice: &'static str,
    /// What it says.
    pub to: To,
    /// Counted by whoever says it.
    pub n: u64,
    /// Of a helper: whether home has not heard it.
    pub pending: bool,
    /// Of others than home: whether home's latest word had been seen.
    pub answers: bool,
    /// A word along with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was said, by the clock of whoever said it.
    pub at: Timestamp,
    /// All that in words.
    pub sentence: String,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommentView {
    /// What every record has.
    #[serde(flatten)]
    pub base: Base,
    /// The request.
    pub request: RecordRef,
    /// What it says.
    pub body: String,
    /// Whether its author's account was erased, and its words with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// Where it stands as a letter; absent where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<LetterState>,
}

/// A member, of this instance or another: of others what they share, of own members everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserView {
    /// What every record has.
    #[serde(flatten)]
    pub base: Base,
    /// The handle.
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
    /// Who invited the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inviter: Option<RecordRef>,
    /// How the member came, as far as it is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited: Option<InvitedView>,
    /// Attributes that the member shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    /// Own members: which fields they share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<ProfileShares>,
    /// Own members: what the account may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// Own members: what became of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// Own members, only for themselves and admins: contacts, which stay home.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
}

/// A way to reach somebody; never leaves but in a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// `email` or `phone`.
    pub kind: String,
    /// The address or number.
    pub value: String,
}

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InviteView {
    /// What every record has.
    #[serde(flatten)]
    pub base: Base,
    /// Own invites: the secret of the link at home. It never leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The code that admits elsewhere, once the invite is shared.
    pub share_code: Token,
    /// Own invites: whether it still admits anyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// How many people it admits; null for no limit.
    pub max_uses: Option<u64>,
    /// Own invites: how many it admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Own invites: whether it was switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Own invites: what was decided about newcomers elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<UseView>,
    /// Whether who uses it is a member at once.
    pub auto_approve: bool,
    /// A name offered to the newcomer.
    pub suggested_handle: Option<String>,
    /// Own invites: a text offered for the newcomer's profile; stays home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_bio: Option<String>,
    /// What makes it personal.
    pub personalisation: Option<Personalisation>,
}

/// What was decided about somebody who came to another instance by an own invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UseView {
    /// The other instance.
    pub origin: InstanceId,
    /// Its name.
    pub name: String,
    /// When it was decided.
    pub at: Timestamp,
    /// `counted` or `refused`.
    pub state: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The same for people.
    pub sentence: String,
}

/// A draft; only its author sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DraftView {
    /// Version of this form.
    pub schema_version: u32,
    /// The id that the record will have.
    pub id: RecordId,
    /// This instance.
    pub origin: InstanceId,
    /// Its name.
    pub home: String,
    /// In a few words.
    pub title: String,
    /// In full.
    pub description: String,
    /// The scope it will have.
    pub scope: Scope,
    /// When it was last written.
    pub at: Timestamp,
}

/// An instance known here.
#[derive(Debug, Clone, Serialize)]
pub struct InstanceView {
    /// Its id.
    pub id: InstanceId,
    /// Its name, from its card.
    pub name: Option<String>,
    /// What was decided about it.
    pub standing: &'static str,
    /// Records by kind: shown.
    pub shown: BTreeMap<String, u64>,
    /// Records by cause: not shown.
    pub hidden: BTreeMap<String, u64>,
    /// Its feeds held here.
    pub feeds: Vec<FeedView>,
    /// Hubs at which it is followed and that were synced with: by one alone nobody can tell what it
    /// leaves out.
    pub seen_through: Vec<String>,
}

/// A feed held here.
#[derive(Debug, Clone, Serialize)]
pub struct FeedView {
    /// Its scope.
    pub scope: &'static str,
    /// Number of the head in its log.
    pub seq: u64,
    /// Hash of the head.
    pub head: String,
    /// Records live.
    pub live: u64,
    /// Live records whose line is not here.
    pub stubs: u64,
    /// Whether evidence of a fork is held.
    pub forked: bool,
}

/// `wb status`.
#[derive(Debug, Clone, Serialize)]
pub struct StatusView {
    /// Version of this form.
    pub schema_version: u32,
    /// This instance.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Its folder.
    pub home_dir: String,
    /// Whether the database is an older copy that publishes nothing.
    pub suspect: bool,
    /// Own records by kind.
    pub records: BTreeMap<String, u64>,
    /// Drafts; they are no records yet.
    pub drafts: u64,
    /// Records in the own feeds, unchanged.
    pub published: u64,
    /// Records that the next publish seals.
    pub to_publish: u64,
    /// Records that the next publish takes back.
    pub to_retract: u64,
    /// Own records that stay home, by cause.
    pub stays: BTreeMap<&'static str, u64>,
    /// Hubs and peers that this instance talks to.
    pub peers: Vec<PeerState>,
    /// Other instances known here.
    pub instances: Vec<InstanceView>,
    /// Records of others that a newer version would show.
    pub needs_newer_version: u64,
    /// Records of others whose lines were not asked for (`sync.kinds`).
    pub not_asked_for: u64,
    /// Records of others whose lines were asked for and are not here.
    pub lines_missing: u64,
    /// Deltas set aside, by name.
    pub held: Vec<HeldView>,
    /// Items of `wb inbox`.
    pub inbox: u64,
    /// Requests of `wb conflict list`.
    pub contested: u64,
    /// From when on the next publish closes this instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// Since when it is closed: nothing leaves any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// Where it stands with a hub or peer, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerState {
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// The state.
    pub phase: &'static str,
    /// Why it is in it.
    pub cause: &'static str,
    /// That in words.
    pub sentence: String,
    /// The next thing to do.
    pub action: &'static str,
    /// How often it is synced with by itself, and when next, in words.
    pub by_itself: String,
}

/// Deltas of one instance that wait, contradict or were refused.
#[derive(Debug, Clone, Serialize)]
pub struct HeldView {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: String,
    /// What came of them.
    pub outcome: String,
    /// The rule broken, or what they wait for.
    pub rule: Option<String>,
    /// How many.
    pub count: u64,
}

/// What two nodes agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairInfo {
    /// `asked`: a person here has to confirm; `offered`: agreed to here, and not known to be there; `paired`: both.
    pub state: &'static str,
    /// The eight words that both sides compare.
    pub words: String,
    /// Since when.
    pub since: Timestamp,
}

/// A hub or peer: where it stands with it, and how far each side is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerView {
    /// Version of this form.
    pub schema_version: u32,
    /// Its id.
    pub id: InstanceId,
    /// Its name, or the first digits of its id.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// With another node: what was agreed to.
    pub pair: Option<PairInfo>,
    /// The address everything is asked under.
    pub address: String,
    /// Whether the address may be one of the own network.
    pub lan: bool,
    /// Whether syncing with it is paused.
    pub paused: bool,
    /// Whether it is refused here, for good.
    pub blocked: bool,
    /// How often it is synced with by itself.
    pub auto: AutoView,
    /// The state.
    pub phase: &'static str,
    /// Why it is in it.
    pub cause: &'static str,
    /// Whether it is `syncing` only because the last sync was cut off.
    pub cut_off: bool,
    /// State and cause in words.
    pub sentence: String,
    /// The next thing to do.
    pub action: &'static str,
    /// Details of the last end that was not good.
    pub detail: Option<String>,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// The last sync that went well.
    pub last_synced: Option<Timestamp>,
    /// Failures since then.
    pub failures: u32,
    /// Before this the program does not try by itself.
    pub next_try: Option<Timestamp>,
    /// Where the registration stands, as it said last.
    pub registration: Option<RegistrationView>,
    /// Whom this instance follows there.
    pub follows: FollowsView,
    /// Up to where its arrivals are held here.
    pub cursor: Option<String>,
    /// What of this instance it holds, as it confirmed.
    pub confirmed: ConfirmedView,
    /// What the last sync that went well brought.
    pub taken: Option<TakenView>,
    /// What it does not give although its origin signed it.
    pub doubts: Vec<DoubtView>,
}

/// Something that a hub does not give although its origin signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoubtView {
    /// Version of this form.
    pub schema_version: u32,
    /// Who does not give it.
    pub peer: InstanceId,
    /// Its name.
    pub peer_name: String,
    /// Whose it is.
    pub origin: InstanceId,
    /// Its name.
    pub origin_name: String,
    /// The feed.
    pub scope: &'static str,
    /// `stale` or `withheld`.
    pub kind: &'static str,
    /// The log.
    pub log: String,
    /// The number that was here, and not there, when it was first noticed.
    pub seq: u64,
    /// Since when it is known.
    pub since: Timestamp,
    /// When it was looked at last.
    pub at: Timestamp,
    /// Whether it lasts long enough to be told of by itself.
    pub told: bool,
    /// Whether both signatures verify and say so.
    pub proved: bool,
    /// That in words.
    pub sentence: String,
    /// The next thing to do.
    pub action: String,
    /// The two signatures with all that is needed to check them.
    pub proof: Option<Proof>,
}

/// How often a peer is synced with by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AutoView {
    /// What was chosen for it, in minutes; 0: by hand only. Null: as `wb up` was started.
    pub chosen_minutes: Option<u64>,
    /// Minutes between two syncs; null: by hand.
    pub every_minutes: Option<u64>,
    /// When next; null where nothing is done by itself now.
    pub next: Option<Timestamp>,
    /// All that in words.
    pub sentence: String,
}

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistrationView {
    /// `member`, `waiting` or `suspended`.
    pub standing: &'static str,
    /// Why it is suspended.
    pub reason: Option<String>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// To whom this instance asked to be shown there: `public`, `members` or `unlisted`; null where that is not known.
    pub asked: Option<Visibility>,
    /// To whom the hub said that it shows it; null where it is of a version that does not say.
    pub shown: Option<Visibility>,
}

/// Whom this instance follows at a hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FollowsView {
    /// Everybody it lists, now and later, but those in `except`.
    pub all: bool,
    /// Followed by name.
    pub follow: Vec<NamedView>,
    /// Left out of `all`.
    pub except: Vec<NamedView>,
}

/// An instance with its name, where one is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedView {
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: Option<String>,
}

/// What a peer holds of this instance's public feed, as it confirmed, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ConfirmedView {
    /// Records it holds as they are now.
    pub records: u64,
    /// Deltas it holds.
    pub deltas: u64,
    /// Records put since then.
    pub lacks_records: u64,
    /// Records taken back since then.
    pub lacks_retracts: u64,
    /// Deltas it lacks.
    pub lacks_deltas: u64,
    /// It confirmed something that this database does not hold, so that the two cannot be compared.
    pub other_history: bool,
}

/// What a sync brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenView {
    /// The run in `wb sync log`; none when nothing came.
    pub run: Option<i64>,
    /// Records new here.
    pub new: u64,
    /// Records with another revision.
    pub changed: u64,
    /// Records gone.
    pub gone: u64,
    /// Deltas.
    pub deltas: u64,
}

/// An exchange that moved something or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// Version of this form.
    pub schema_version: u32,
    /// Its number.
    pub run: i64,
    /// `hub` or `bundle`.
    pub road: &'static str,
    /// With whom; none for a bundle.
    pub peer: Option<InstanceId>,
    /// The peer's name, or that of the file.
    pub name: String,
    /// The address, or the file.
    pub detail: String,
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// `done`, `ended early`, `runs`, or `cut off`.
    pub outcome: String,
    /// Why it ended early.
    pub cause: Option<String>,
    /// That in words.
    pub sentence: Option<String>,
    /// What came.
    pub pulled: PulledView,
    /// What went.
    pub pushed: PushedView,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes that came.
    pub bytes_received: u64,
    /// Requests made.
    pub round_trips: u64,
}

/// What came by a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PulledView {
    /// Records new here.
    pub new: u64,
    /// Records with another revision.
    pub changed: u64,
    /// Records gone.
    pub gone: u64,
    /// Deltas.
    pub deltas: u64,
}

/// What went by a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushedView {
    /// Records, new or revised.
    pub records: u64,
    /// Records taken back.
    pub retracts: u64,
    /// Deltas.
    pub deltas: u64,
}

/// A line or a mark that came by a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRecordView {
    /// Version of this form.
    pub schema_version: u32,
    /// The run.
    pub run: i64,
    /// The record's id at its origin.
    pub id: RecordId,
    /// The instance that writes it.
    pub origin: InstanceId,
    /// The name of that instance, or the first digits of its id.
    pub home: String,
    /// Its kind.
    pub kind: Kind,
    /// The feed it is in.
    pub scope: &'static str,
    /// Its revision.
    pub rev: u64,
    /// Whether it `came` or `went`.
    pub way: &'static str,
    /// `put` or `take back`.
    pub action: &'static str,
    /// Whether it stands still: not replaced and not taken back since.
    pub live: bool,
    /// Its title, or the start of its text, where its line is here.
    pub headline: String,
}

/// Something in the inbox: it was set aside, contradicts, is missing, or waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InboxView {
    /// Version of this form.
    pub schema_version: u32,
    /// Names it for as long as it is there.
    pub key: String,
    /// What it is, in one word.
    pub cause: &'static str,
    /// The instance it is about; none for this one.
    pub origin: Option<InstanceId>,
    /// The name of that instance or peer.
    pub name: String,
    /// The feed.
    pub scope: Option<&'static str>,
    /// The rule broken, or what is waited for.
    pub rule: Option<String>,
    /// How many things it stands for; `wb inbox show` lists them.
    pub count: u64,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What happened.
    pub happened: String,
    /// What stayed as it was.
    pub safe: String,
    /// The next thing to do, and who has to.
    pub action: String,
    /// Whether it only tells, so that it can be dismissed.
    pub news: bool,
}

/// One of the things that an item of the inbox stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct InboxThing {
    /// Version of this form.
    pub schema_version: u32,
    /// The item.
    pub item: String,
    /// `header`, `identity_entry`, `record`, `peer` or `instance`.
    pub thing: &'static str,
    /// The log, in hex.
    pub log: Option<String>,
    /// Number in its log.
    pub seq: Option<u64>,
    /// Hash of the header, of the entry, or of the line that is missing.
    pub hash: Option<Hash>,
    /// The record.
    pub id: Option<RecordId>,
    /// Its kind.
    pub kind: Option<Kind>,
    /// When it came.
    pub at: Option<Timestamp>,
    /// What else is to be said of it.
    pub note: String,
}

impl InboxThing {
    /// What it is, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let kind = self.kind.as_ref();
        kind.map_or_else(|| self.thing.replace('_', " "), ToString::to_string)
    }
}
