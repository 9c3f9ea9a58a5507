//! `wb inbox`: everything that was set aside or needs a person, by name.
//!
//! The list is made from what the store keeps each time it is asked for, so it cannot say anything else
//! than the store does. What is only news stays away once it was dismissed, until more of it comes.

mod things;
mod words;

pub use things::void_said;

use std::collections::{BTreeMap, BTreeSet};

use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::kinds::Vouch;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{PeerCause, Phase};
use wb_core::time::Timestamp;
use wb_store::{
    Belongs, Contradiction, Doubt, DoubtKind, Fallen, ForkedFeed, GuardStanding, HeldGroup, Peer,
    Recovered, Standing, VoidEntry,
};

use super::doubts::{self, is_told};
use super::hub_notices::{NoticeView, notices, that_only_speak};
use super::letters;
use super::peers::label;
use crate::command::hub_register::state_of;
use crate::error::{NodeError, Result};
use crate::heeding::Heeding;
use crate::levels::{ending, may_be_trusted, still_shown};
use crate::node::Node;
use crate::view::{InboxThing, InboxView, SCHEMA_VERSION};

/// Hex digits of a key: enough to tell apart what a person has to look at.
const KEY_DIGITS: usize = 8;

/// What the inbox can hold.
#[derive(Debug, Clone)]
enum Item {
    /// This database is an older copy of itself.
    OlderCopy,
    /// This copy was restored, and whom it trusted has to be said again.
    Audience(Vec<InstanceId>),
    /// A hub or peer whose state a person has to look at.
    Peer(Box<Peer>, PeerCause),
    /// A feed that contradicts itself.
    Fork(ForkedFeed),
    /// Keys of an instance that contradict each other.
    Keys(InstanceId, bool, Vec<Contradiction>),
    /// Logs of a feed of which none is taken, because each contradicts another.
    Rivals(InstanceId, FeedScope, Vec<HeldGroup>),
    /// Deltas that were set aside.
    Held(HeldGroup),
    /// Live records without their lines.
    Missing(InstanceId, FeedScope, Vec<(Kind, u64)>),
    /// What a hub does not give although its origin signed it.
    Doubt(Box<Doubt>),
    /// A notice of a hub that hides nothing until somebody here says so.
    Notice(Box<NoticeView>),
    /// An instance that nobody here has decided about.
    Waiting(InstanceId, u64),
    /// A community that was shown by what others vouch, and fell: whether what was shown stays.
    Fell(Fallen),
    /// A member of the trusted audience that is not trusted that far any more.
    AudienceFell(InstanceId),
    /// A vouch of this instance that ends soon, or is over.
    VouchEnds(Box<Vouch>),
    /// What was published in this instance's name with a key that is void: to keep or drop.
    Void(Vec<VoidEntry>),
    /// What was taken back after the last good publication, by its owner or by somebody else, and stays so here.
    TakenBack(Vec<VoidEntry>),
    /// Another instance that recovered its key.
    Recovered(Recovered),
    /// Letters that nobody here sees, because who wrote them is not accepted.
    LettersWait(InstanceId, u64),
    /// Letters that wait because so many of that instance are kept.
    LettersFull(InstanceId, u64),
    /// Letters of which nobody here can tell who wrote them.
    LettersUnproved(u64),
    /// Letters that did not arrive, and when that was told last.
    LettersLost(InstanceId, u64, Timestamp),
}

/// What the items are looked at with.
struct Inbox<'n> {
    node: &'n Node,
    names: BTreeMap<InstanceId, String>,
    forked: Vec<ForkedFeed>,
    /// Instances whose keys contradict each other.
    held_keys: BTreeSet<InstanceId>,
}

/// Everything in the inbox that was not dismissed, what contradicts first.
///
/// # Errors
/// What the store reports.
pub fn inbox(node: &Node) -> Result<Vec<InboxView>> {
    let inbox = Inbox::open(node)?;
    inbox.told(inbox.items()?)
}

/// Of the inbox, own vouches that end soon or are over.
///
/// # Errors
/// What the store reports.
pub fn vouches_ending(node: &Node) -> Result<Vec<InboxView>> {
    let inbox = Inbox::open(node)?;
    inbox.told(inbox.ending()?)
}

/// How many things are in the inbox.
///
/// # Errors
/// What the store reports.
pub fn inbox_count(node: &Node) -> Result<u64> {
    Ok(inbox(node)?.len() as u64)
}

/// One item, by its number in the list (from 1) or by enough of its key, with everything it stands for.
///
/// # Errors
/// That there is none of that name, or what the store reports.
pub fn inbox_item(node: &Node, name: &str) -> Result<(InboxView, Vec<InboxThing>)> {
    let inbox = Inbox::open(node)?;
    let (view, item) = inbox.find(name)?;
    let things = inbox.things(&item, &view.key)?;
    Ok((view, things))
}

/// What has to be noted to dismiss an item: its key, and up to where it goes now.
///
/// # Errors
/// That there is none of that name, or that it is more than news.
pub(crate) fn to_dismiss(node: &Node, name: &str) -> Result<(InboxView, String)> {
    let (view, item) = Inbox::open(node)?.find(name)?;
    if !view.news {
        return Err(NodeError::Refused(format!(
            "{}: this stays until it is over; next: {}",
            view.happened, view.action
        )));
    }
    Ok((view, item.up_to()))
}

impl<'n> Inbox<'n> {
    fn open(node: &'n Node) -> Result<Self> {
        let known = node.store.instances()?.into_iter();
        let contradictions = node.store.contradictions()?.into_iter();
        Ok(Self {
            node,
            names: known
                .map(|instance| (instance.id, instance.label()))
                .collect(),
            forked: node.store.forked_feeds()?,
            held_keys: contradictions
                .filter(|entry| !entry.is_recover)
                .map(|entry| entry.origin)
                .collect(),
        })
    }

    fn name(&self, origin: &InstanceId) -> String {
        let known = self.names.get(origin);
        known.cloned().unwrap_or_else(|| origin.short())
    }

    fn find(&self, name: &str) -> Result<(InboxView, Item)> {
        let listed: Vec<InboxView> = inbox(self.node)?;
        let number: Option<usize> = name.parse().ok();
        let by_number = number
            .and_then(|number| number.checked_sub(1))
            .and_then(|index| listed.get(index))
            .map(|view| view.key.clone());
        let mut fits = Vec::new();
        for item in self.items()? {
            let view = self.view(&item)?;
            let is_named = match &by_number {
                Some(key) => view.key == *key,
                None => name.len() >= 4 && view.key.starts_with(name),
            };
            if is_named {
                fits.push((view, item));
            }
        }
        match fits.len() {
            1 => Ok(fits.remove(0)),
            0 => Err(NodeError::unknown("item of the inbox", name)),
            count => Err(NodeError::Ambiguous {
                what: "items of the inbox",
                name: name.to_owned(),
                count,
            }),
        }
    }

    fn items(&self) -> Result<Vec<Item>> {
        let store = &self.node.store;
        let mut items = Vec::new();
        if store.guard() == GuardStanding::Suspect {
            items.push(Item::OlderCopy);
        }
        let mut audience = store.audience()?;
        audience.retain(|row| row.belongs == Belongs::Unsure);
        if !audience.is_empty() {
            let members = audience.iter().map(|row| row.member).collect();
            items.push(Item::Audience(members));
        }
        for peer in store.peers()? {
            let cause = state_of(&peer, self.node.now()).cause;
            if needs_a_person(cause) {
                items.push(Item::Peer(Box::new(peer), cause));
            }
        }
        let void = store.void_publications()?;
        if !void.is_empty() {
            items.push(Item::Void(void));
        }
        let taken_back = store.void_taken_back()?;
        if !taken_back.is_empty() {
            items.push(Item::TakenBack(taken_back));
        }
        let recovered = store.recoveries()?.into_iter();
        // Where nothing is hidden for it and nothing comes back, there is nothing to tell.
        let recovered =
            recovered.filter(|one| one.id != self.node.own_id() && one.hidden + one.returned > 0);
        items.extend(recovered.map(Item::Recovered));
        let doubts = store.doubts()?.into_iter();
        // What is withheld is told of where the lines that are missing are, by everybody who was asked.
        let told = doubts
            .filter(|doubt| doubt.kind == DoubtKind::Stale && is_told(doubt, self.node.now()));
        items.extend(told.map(|doubt| Item::Doubt(Box::new(doubt))));
        items.extend(self.keys()?);
        items.extend(self.forked.iter().cloned().map(Item::Fork));
        let mut rivals: BTreeMap<(InstanceId, FeedScope), Vec<HeldGroup>> = BTreeMap::new();
        for group in store.held_groups()? {
            let feed = (group.origin, group.scope);
            if group.outcome != "fork" {
                items.push(Item::Held(group));
            } else if store.served().head(&feed.0, feed.1)?.is_none() {
                rivals.entry(feed).or_default().push(group);
            } else if !self.is_forked(&group) {
                items.push(Item::Held(group));
            }
            // The headers of a fork are listed with the fork.
        }
        let rivals = rivals.into_iter();
        items.extend(rivals.map(|((origin, scope), groups)| Item::Rivals(origin, scope, groups)));
        items.extend(self.missing()?);
        items.extend(self.waiting()?);
        let notices = notices(self.node)?.into_iter();
        let asking = notices.filter(|notice| notice.follows == Some("waits"));
        items.extend(asking.map(|notice| Item::Notice(Box::new(notice))));
        let fallen = store.fallen()?.into_iter().filter(|one| !one.kept);
        items.extend(fallen.map(Item::Fell));
        for row in store.audience()? {
            // Who was shown by hand and is not, was refused or left: that was somebody's act.
            let standing = store.standing(&row.member)?;
            let by_vouches = matches!(standing, Some(Standing::Vouched | Standing::Waiting));
            if row.belongs == Belongs::In && by_vouches && !may_be_trusted(self.node, &row.member)?
            {
                items.push(Item::AudienceFell(row.member));
            }
        }
        items.extend(self.ending()?);
        let unseen = letters::unseen(self.node)?.into_iter();
        items.extend(unseen.map(|(origin, count)| Item::LettersWait(origin, count)));
        let full = letters::full(self.node)?.into_iter();
        items.extend(full.map(|(origin, count)| Item::LettersFull(origin, count)));
        let unproved = store.mail_left_unproved()?;
        if unproved > 0 {
            items.push(Item::LettersUnproved(unproved));
        }
        let lost = letters::lost(self.node)?.into_iter();
        items.extend(lost.map(|(to, (count, at))| Item::LettersLost(to, count, at)));
        items.retain(|item| !self.is_blocked(item));
        Ok(items)
    }

    fn ending(&self) -> Result<Vec<Item>> {
        let ending = ending(self.node)?.into_iter();
        let ending = ending.map(|vouch| Item::VouchEnds(Box::new(vouch)));
        Ok(ending.filter(|item| !self.is_blocked(item)).collect())
    }

    /// What is told of these: no news that was dismissed.
    fn told(&self, items: Vec<Item>) -> Result<Vec<InboxView>> {
        let mut views = Vec::new();
        for item in items {
            let view = self.view(&item)?;
            let dismissed = self.node.store.dismissed(&view.key)?;
            if !view.news || dismissed != Some(item.up_to()) {
                views.push(view);
            }
        }
        Ok(views)
    }

    fn keys(&self) -> Result<Vec<Item>> {
        let mut by_instance: BTreeMap<(InstanceId, bool), Vec<Contradiction>> = BTreeMap::new();
        for entry in self.node.store.contradictions()? {
            let key = (entry.origin, entry.is_recover);
            by_instance.entry(key).or_default().push(entry);
        }
        let keys = by_instance.into_iter();
        Ok(keys
            .map(|((origin, is_recover), entries)| Item::Keys(origin, is_recover, entries))
            .collect())
    }

    fn missing(&self) -> Result<Vec<Item>> {
        let mut by_feed: BTreeMap<(InstanceId, FeedScope), Vec<(Kind, u64)>> = BTreeMap::new();
        let heeding = Heeding::of(self.node)?;
        for mut missing in self.node.store.missing_counts()? {
            // What a notice withholds that is followed or waits for a word is told of there.
            missing.lines = heeding.unexplained(self.node, &missing)?;
            if missing.lines == 0 {
                continue;
            }
            // What is not asked for is not missing.
            if !self.node.asks_for(&missing.kind) {
                continue;
            }
            let feed = (missing.origin, missing.scope);
            by_feed
                .entry(feed)
                .or_default()
                .push((missing.kind, missing.lines));
        }
        let followed = self.node.store.peers()?;
        let is_followed = |origin: &InstanceId| {
            let tells = |peer: &Peer| peer.follows.follows(origin, true) || peer.id == *origin;
            followed.is_empty() || followed.iter().any(tells)
        };
        let missing = by_feed.into_iter();
        // Nobody asks for lines of whom nobody follows: that they are missing was meant.
        let missing = missing.filter(|((origin, _), _)| is_followed(origin));
        Ok(missing
            .map(|((origin, scope), kinds)| Item::Missing(origin, scope, kinds))
            .collect())
    }

    fn waiting(&self) -> Result<Vec<Item>> {
        let (shown, speak) = (still_shown(self.node)?, that_only_speak(self.node)?);
        let feeds = self.node.store.served().feeds()?;
        let mut items = Vec::new();
        for instance in self.node.store.instances()? {
            let own = feeds.iter().filter(|feed| feed.held.origin == instance.id);
            let records: u64 = own.map(|feed| feed.live_n).sum();
            // Of one that fell some are shown, and that is asked about by itself.
            let shown = shown.get(&instance.id).copied().unwrap_or_default();
            let records = records.saturating_sub(shown);
            let speaks = speak.contains(&instance.id);
            if instance.standing == Standing::Waiting && records > 0 && !speaks {
                items.push(Item::Waiting(instance.id, records));
            }
        }
        Ok(items)
    }

    /// A decision made here beats everything: of whom is blocked nothing is told.
    fn is_blocked(&self, item: &Item) -> bool {
        let standing = item
            .origin()
            .map(|origin| self.node.store.standing(&origin));
        matches!(standing, Some(Ok(Some(Standing::Blocked))))
    }

    fn is_forked(&self, group: &HeldGroup) -> bool {
        let mut forked = self.forked.iter();
        forked.any(|feed| (feed.origin, feed.scope) == (group.origin, group.scope))
    }

    /// Hubs that were asked for the missing lines of a feed as it stands, and did not have them.
    fn withheld_by(
        &self,
        origin: InstanceId,
        scope: FeedScope,
        kinds: &BTreeSet<Kind>,
    ) -> Result<Vec<String>> {
        let Some(head) = self.node.store.served().head(&origin, scope)? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for peer in self.node.store.peers()? {
            let asked = (peer.id, origin, scope);
            if self.node.store.was_unfilled(&asked, &head.hash, kinds)? {
                names.push(label(&peer.name, &peer.id));
            }
        }
        Ok(names)
    }

    fn view(&self, item: &Item) -> Result<InboxView> {
        let words = self.words(item)?;
        let (scope, rule, since) = match item {
            Item::Held(group) => (Some(group.scope), group.rule.clone(), Some(group.since)),
            Item::Fork(feed) => (Some(feed.scope), None, None),
            Item::Missing(_, scope, _) | Item::Rivals(_, scope, _) => (Some(*scope), None, None),
            Item::Peer(peer, _) => (None, None, Some(state_of(peer, self.node.now()).since)),
            Item::Void(entries) | Item::TakenBack(entries) => {
                (None, None, entries.first().map(|entry| entry.at))
            }
            Item::Recovered(one) => (None, None, Some(one.at)),
            Item::LettersLost(_, _, at) => (None, None, Some(*at)),
            Item::Fell(one) => (None, None, Some(one.at)),
            Item::VouchEnds(vouch) => (None, None, Some(vouch.issued_at)),
            Item::Doubt(doubt) => (Some(doubt.scope), None, Some(doubt.since)),
            Item::Notice(notice) => (None, None, Some(notice.issued_at)),
            Item::OlderCopy
            | Item::Audience(_)
            | Item::Keys(..)
            | Item::LettersWait(..)
            | Item::LettersFull(..)
            | Item::AudienceFell(_)
            | Item::LettersUnproved(_)
            | Item::Waiting(..) => (None, None, None),
        };
        Ok(InboxView {
            schema_version: SCHEMA_VERSION,
            key: item.key(),
            cause: item.cause(),
            origin: item.origin(),
            name: match item {
                Item::Peer(peer, _) => label(&peer.name, &peer.id),
                Item::OlderCopy | Item::Audience(_) | Item::Void(_) | Item::TakenBack(_) => {
                    self.node.name().to_owned()
                }
                Item::Doubt(doubt) => doubts::view(self.node, doubt)?.peer_name,
                _ => item
                    .origin()
                    .map_or_else(String::new, |origin| self.name(&origin)),
            },
            scope: scope.map(FeedScope::as_str),
            rule,
            count: self.things(item, "")?.len() as u64,
            since,
            happened: words.happened,
            safe: words.safe,
            action: words.action,
            news: self.is_news(item),
        })
    }

    /// Whether nothing is left to be done about it here.
    fn is_news(&self, item: &Item) -> bool {
        match item {
            Item::Held(group) => match group.outcome.as_str() {
                "refused" | "closed" | "fork" => true,
                "held" => !self.is_forked(group) && !self.held_keys.contains(&group.origin),
                _ => false,
            },
            Item::Keys(_, is_recover, _) => *is_recover,
            Item::Recovered(_) | Item::LettersLost(..) => true,
            _ => false,
        }
    }
}

/// Whether a state of a peer is one that does not go away by trying again.
fn needs_a_person(cause: PeerCause) -> bool {
    matches!(cause.phase(), Phase::Held | Phase::Blocked)
        || matches!(
            cause,
            PeerCause::BadAnswer | PeerCause::NotProved | PeerCause::PairAsked
        )
}

impl Item {
    fn origin(&self) -> Option<InstanceId> {
        match self {
            Self::OlderCopy
            | Self::Audience(_)
            | Self::Void(_)
            | Self::TakenBack(_)
            | Self::LettersUnproved(_) => None,
            Self::Recovered(one) => Some(one.id),
            Self::Fell(one) => Some(one.id),
            Self::VouchEnds(vouch) => Some(vouch.subject),
            Self::Peer(peer, _) => Some(peer.id),
            Self::Doubt(doubt) => Some(doubt.peer),
            Self::Notice(notice) => Some(notice.hub),
            Self::Fork(feed) => Some(feed.origin),
            Self::Keys(origin, ..)
            | Self::Missing(origin, ..)
            | Self::Rivals(origin, ..)
            | Self::LettersWait(origin, _)
            | Self::LettersFull(origin, _)
            | Self::LettersLost(origin, ..)
            | Self::AudienceFell(origin)
            | Self::Waiting(origin, _) => Some(*origin),
            Self::Held(group) => Some(group.origin),
        }
    }

    /// What it is, in one word.
    fn cause(&self) -> &'static str {
        match self {
            Self::OlderCopy => "older_copy",
            Self::Audience(_) => "audience_unsure",
            Self::Peer(_, cause) => cause.as_str(),
            Self::Fork(_) | Self::Rivals(..) => "fork",
            Self::Keys(_, true, _) => "two_recovers",
            Self::Keys(_, false, _) => "two_rotates",
            Self::Held(group) => match group.outcome.as_str() {
                "early" => "early",
                "refused" => "refused",
                "closed" => "closed",
                "fork" => "fork_over",
                _ => "held",
            },
            Self::Doubt(doubt) => doubt.kind.as_str(),
            Self::Missing(..) => "missing_lines",
            Self::Notice(_) => "notice_asks",
            Self::Waiting(..) => "waiting",
            Self::Fell(_) => "fell",
            Self::AudienceFell(_) => "audience_fell",
            Self::VouchEnds(..) => "vouch_ends",
            Self::Void(_) => "void_publications",
            Self::TakenBack(_) => "void_retractions",
            Self::Recovered(_) => "recovered",
            Self::LettersWait(..) => "letters_wait",
            Self::LettersFull(..) => "letters_full",
            Self::LettersUnproved(_) => "letters_unknown",
            Self::LettersLost(..) => "letters_lost",
        }
    }

    /// Names the thing for as long as it is there, whatever else comes.
    fn key(&self) -> String {
        let origin = self.origin().map(|origin| origin.to_string());
        let more = match self {
            Self::Fork(feed) => feed.scope.as_str().to_owned(),
            Self::Held(group) => {
                let rule = group.rule.as_deref().unwrap_or_default();
                format!("{} {} {rule}", group.scope.as_str(), group.log)
            }
            Self::Missing(_, scope, _) | Self::Rivals(_, scope, _) => scope.as_str().to_owned(),
            Self::Doubt(doubt) => format!("{} {}", doubt.origin, doubt.scope),
            Self::Notice(notice) => notice.line.to_string(),
            _ => String::new(),
        };
        let named = format!("{} {} {more}", self.cause(), origin.unwrap_or_default());
        let mut digits = hash::sha256(named.as_bytes()).to_string();
        digits.truncate(KEY_DIGITS);
        digits
    }

    /// Up to where it goes now: when more of it comes, it is told again.
    fn up_to(&self) -> String {
        match self {
            Self::Held(group) => group.newest.to_string(),
            Self::LettersLost(_, count, at) => format!("{count} {at}"),
            Self::Recovered(one) => format!("{} {} {}", one.entry, one.hidden, one.returned),
            Self::Keys(_, _, entries) => entries
                .iter()
                .map(|entry| entry.hash.to_string())
                .collect::<Vec<_>>()
                .join(" "),
            _ => String::new(),
        }
    }
}
