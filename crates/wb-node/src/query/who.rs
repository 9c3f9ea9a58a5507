//! Who has a record of this instance: every known holder, and what it confirmed (spec: receipts).
//!
//! Known of the public feed are hubs it was given to, peers, and followers that signed a receipt; of the trusted feed it
//! is its audience, because nobody else can read what carries it. What was not confirmed is told as
//! pending, however likely it is; readers without a name are told as such.

use std::collections::BTreeMap;

use wb_core::id::{Hash, InstanceId, RecordRef};
use wb_core::identity::IdentityLog;
use wb_core::ndjson;
use wb_core::receipt::{Move, Receipt, SILENT_AFTER_MS, Says, Stand};
use wb_core::scope::FeedScope;
use wb_core::sync::{Phase, Role};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{AudienceRow, Belongs, LocalRecord, Peer, ReceiptHeld, SealedMove};

use super::own_any;
use super::peers::label;
use crate::command::hub_register::state_of;
use crate::command::peer_block::is_blocked;
use crate::error::Result;
use crate::node::Node;
use crate::sync::receipts::newest_log;

/// Who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoView {
    /// The move that counts now, in the order of feeds; none where it never left.
    pub moves: Vec<MoveView>,
}

/// What a feed says of the record last, and who confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveView {
    /// The feed.
    pub scope: FeedScope,
    /// Number of the delta.
    pub seq: u64,
    /// When it was sealed.
    pub at: Timestamp,
    /// Whether it was put there; else it was taken back.
    pub is_put: bool,
    /// Everybody known to carry the feed: hubs, peers, then followers, by name.
    pub holders: Vec<HolderView>,
    /// Hubs where more instances follow than gave a receipt, with how many more.
    pub nameless: Vec<(String, u64)>,
}

/// What a holder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HolderRole {
    /// A hub that this instance pushes to.
    Hub,
    /// A node that it syncs with directly or through a folder.
    Peer,
    /// An instance that follows it at a hub.
    Follower,
}

impl HolderRole {
    /// The word for programs and people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Peer => "peer",
            Self::Follower => "follower",
        }
    }
}

/// Where a holder stands with the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderState {
    /// It has the record.
    Holds,
    /// It takes no text of this kind.
    Stubs,
    /// It did not confirm the last move.
    Pending,
    /// It hides the record and erases it later.
    Hidden,
    /// It did not confirm it, and nothing was heard of it for long.
    Unreachable,
    /// One of both sides does not want the other.
    Refused,
    /// Its text is gone there.
    Erased,
}

impl HolderState {
    /// The word for programs; hidden is pending, told apart by a flag of its own.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Stubs => "stubs",
            Self::Pending | Self::Hidden => "pending",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Erased => "erased",
        }
    }

    /// Whether there is nothing to wait for after a retraction.
    #[must_use]
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Erased | Self::Stubs)
    }
}

/// Somebody who carries a feed of this instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderView {
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: HolderRole,
    /// Where it stands.
    pub state: HolderState,
    /// Whether the last move was a put.
    pub of_put: bool,
    /// When it was last heard of.
    pub at: Option<Timestamp>,
    /// The hub that handed its receipt on.
    pub by: Option<String>,
}

impl HolderView {
    /// What is known of it, in words.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match (self.state, self.of_put) {
            (HolderState::Holds, _) => "has confirmed that it holds it",
            (HolderState::Stubs, _) => "takes no text of this kind, only that there is something",
            (HolderState::Pending, true) => "has not confirmed it yet",
            (HolderState::Pending, false) => "has not confirmed yet that it is gone",
            (HolderState::Hidden, _) => {
                "hides it, and erases it within 72 hours, because much was taken back at once"
            }
            (HolderState::Unreachable, true) => "is silent, and did not confirm it",
            (HolderState::Unreachable, false) => "is silent, and may still have it",
            (HolderState::Refused, true) => "is refused, or refuses this instance",
            (HolderState::Refused, false) => {
                "is refused, or refuses this instance, and may still have it"
            }
            (HolderState::Erased, _) => "says that it is erased there",
        }
    }
}

impl MoveView {
    /// The feed, as a word in a sentence.
    #[must_use]
    pub fn feed(&self) -> &'static str {
        match self.scope {
            FeedScope::Public => "public",
            FeedScope::TrustedPeers => "trusted",
        }
    }

    /// Whether everybody known confirmed: that it is there, or that it is gone.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.holders.iter().all(|holder| {
            if self.is_put {
                matches!(holder.state, HolderState::Holds | HolderState::Stubs)
            } else {
                holder.state.is_gone()
            }
        })
    }

    /// How things stand, in one sentence that promises no more than is known.
    #[must_use]
    pub fn summary(&self) -> String {
        let total = self.holders.len();
        let confirmed = self.holders.iter().filter(|holder| match self.is_put {
            true => matches!(holder.state, HolderState::Holds | HolderState::Stubs),
            false => holder.state.is_gone(),
        });
        let confirmed = confirmed.count();
        if total == 0 {
            return match self.scope {
                FeedScope::Public => {
                    "Nobody is known to have it; readers without a name cannot be counted."
                }
                FeedScope::TrustedPeers => "Nobody is trusted with it now.",
            }
            .to_owned();
        }
        let what = if self.is_put {
            "say that they have it"
        } else {
            "say that they erased it, backups there up to 30 days or longer"
        };
        let silent = |holder: &&HolderView| holder.state == HolderState::Unreachable;
        let silent = match self.holders.iter().filter(silent).count() {
            0 => String::new(),
            1 => "; 1 is silent".to_owned(),
            count => format!("; {count} are silent"),
        };
        let uncounted = match self.scope {
            FeedScope::Public => "; readers without a name cannot be counted",
            // What carries it is sealed for each of them.
            FeedScope::TrustedPeers => "",
        };
        format!("{confirmed} of {total} {what}{silent}{uncounted}.")
    }
}

/// Who has a record.
///
/// # Errors
/// That it is another instance's, or not here.
pub fn who(node: &Node, key: &RecordRef) -> Result<WhoView> {
    let record = own_any(node, key)?;
    if node.store.sealed_moves(&record.id)?.is_empty() {
        return Ok(WhoView { moves: Vec::new() });
    }
    Known::gather(node)?.who(node, &record)
}

/// A holder, and what it said of each own feed.
struct Holder {
    id: InstanceId,
    name: String,
    role: HolderRole,
    phase: Option<Phase>,
    refused: bool,
    /// From its receipt, where there is one that counts.
    receipt: Option<(Stand, Timestamp, String)>,
    /// From what it confirmed directly.
    confirmed: Vec<Stand>,
    heard_at: Option<Timestamp>,
    /// Of records before it this holder is given no text.
    since: Option<Timestamp>,
}

/// Everybody known, gathered once for any number of records.
pub(crate) struct Known {
    now: Timestamp,
    /// Who carries the public feed.
    holders: Vec<Holder>,
    /// Who is trusted.
    audience: Vec<Holder>,
    nameless: Vec<(String, u64)>,
}

impl Known {
    /// Who has a record of this instance.
    pub(crate) fn who(&self, node: &Node, record: &LocalRecord) -> Result<WhoView> {
        let moves = node.store.sealed_moves(&record.id)?;
        let moves = moves.iter().map(|last| self.view(last, record.at));
        Ok(WhoView {
            moves: moves.collect(),
        })
    }

    pub(crate) fn gather(node: &Node) -> Result<Self> {
        let now = node.now();
        let mut holders = BTreeMap::new();
        let mut hubs = BTreeMap::new();
        let known = node.store.instances()?.into_iter();
        // What its own card says, before what somebody else calls it.
        let cards: BTreeMap<InstanceId, String> = known
            .filter(|known| known.id != node.own_id())
            .filter_map(|known| Some((known.id, known.name?)))
            .collect();
        let named_by = |id: &InstanceId, other: &str| match cards.get(id) {
            Some(name) => label(name, id),
            None => label(other, id),
        };
        let peers = node.store.peers()?;
        let mut audience = Vec::new();
        for row in node.store.audience()? {
            let peer = peers.iter().find(|peer| peer.id == row.member);
            let name = named_by(&row.member, peer.map_or("", |peer| &peer.name));
            audience.push(of_audience(node, &row, peer, name, now)?);
        }
        for peer in peers {
            let name = named_by(&peer.id, &peer.name);
            if peer.role == Role::Hub {
                hubs.insert(peer.id, name.clone());
            }
            holders.insert(peer.id, of_peer(node, &peer, name, now)?);
        }
        let mut named: BTreeMap<InstanceId, u64> = BTreeMap::new();
        for held in node.store.receipts()? {
            let by = hubs
                .get(&held.hub)
                .cloned()
                .unwrap_or_else(|| held.hub.short());
            *named.entry(held.hub).or_default() += 1;
            let receipt = counting(node, &held)?;
            let stand = match receipt {
                Some(receipt) if node.store.is_own_head(&receipt.head())? => Some(receipt.stand()),
                _ => None,
            };
            let holder = holders.entry(held.follower).or_insert_with(|| Holder {
                id: held.follower,
                name: named_by(&held.follower, &held.name),
                role: HolderRole::Follower,
                phase: None,
                refused: false,
                receipt: None,
                confirmed: Vec::new(),
                heard_at: None,
                since: None,
            });
            holder.refused |= is_blocked(node, &held.follower)?;
            holder.heard_at = holder.heard_at.max(Some(held.at));
            holder.receipt = stand.map(|stand| (stand, held.at, by));
        }
        let mut nameless = Vec::new();
        for (id, name) in &hubs {
            let Some(read) = node.store.receipts_read(id)? else {
                continue;
            };
            let more = read
                .followers
                .saturating_sub(named.get(id).copied().unwrap_or(0));
            if more > 0 {
                nameless.push((name.clone(), more));
            }
        }
        let mut holders: Vec<Holder> = holders.into_values().collect();
        for list in [&mut holders, &mut audience] {
            list.sort_by(|a, b| (a.role, &a.name, a.id).cmp(&(b.role, &b.name, b.id)));
        }
        Ok(Self {
            now,
            holders,
            audience,
            nameless,
        })
    }

    fn view(&self, last: &SealedMove, written_at: Timestamp) -> MoveView {
        let place = Move {
            log: last.log,
            generation: last.generation,
            seq: last.seq,
            is_put: last.is_put,
            kind: &last.kind,
        };
        let (holders, nameless) = match last.scope {
            FeedScope::Public => (&self.holders, self.nameless.clone()),
            FeedScope::TrustedPeers => (&self.audience, Vec::new()),
        };
        let holders = holders
            .iter()
            .map(|holder| holder.view(&place, last.scope, written_at, self.now));
        MoveView {
            scope: last.scope,
            seq: last.seq,
            at: last.at,
            is_put: last.is_put,
            holders: holders.collect(),
            nameless,
        }
    }
}

impl Holder {
    fn view(
        &self,
        last: &Move<'_>,
        scope: FeedScope,
        written_at: Timestamp,
        now: Timestamp,
    ) -> HolderView {
        let receipt = self.receipt.as_ref();
        let receipt = receipt.filter(|(stand, ..)| stand.head.scope == scope);
        let by_receipt = receipt.map(|(stand, ..)| stand.says(last));
        let confirmed = self.confirmed.iter();
        let confirmed = confirmed
            .filter(|stand| stand.head.scope == scope)
            .map(|stand| stand.says(last))
            .find(|says| *says != Says::Pending);
        // A receipt says more than a head that was confirmed, once it reaches the move.
        let says = match by_receipt {
            Some(says) if says != Says::Pending => says,
            _ => confirmed.unwrap_or(Says::Pending),
        };
        let is_before = self.since.is_some_and(|since| written_at < since);
        let says = match says {
            Says::Holds if is_before => Says::Stubs,
            says => says,
        };
        HolderView {
            id: self.id,
            name: self.name.clone(),
            role: self.role,
            state: self.state(says, now),
            of_put: last.is_put,
            at: self.heard_at,
            by: receipt.map(|(_, _, by)| by.clone()),
        }
    }

    fn state(&self, says: Says, now: Timestamp) -> HolderState {
        let is_silent = |at: Timestamp| now.unix_ms() - at.unix_ms() > SILENT_AFTER_MS;
        match says {
            Says::Erased => HolderState::Erased,
            Says::Hidden => HolderState::Hidden,
            Says::Holds => HolderState::Holds,
            Says::Stubs => HolderState::Stubs,
            Says::Pending if self.refused || self.phase == Some(Phase::Blocked) => {
                HolderState::Refused
            }
            Says::Pending
                if self.phase == Some(Phase::Failing) || self.heard_at.is_some_and(is_silent) =>
            {
                HolderState::Unreachable
            }
            Says::Pending => HolderState::Pending,
        }
    }
}

fn of_peer(node: &Node, peer: &Peer, name: String, now: Timestamp) -> Result<Holder> {
    let mut confirmed = Vec::new();
    for head in &peer.acked {
        if node.store.is_own_head(head)? {
            confirmed.push(stand_at(head));
        }
    }
    Ok(Holder {
        id: peer.id,
        name,
        role: match peer.role {
            Role::Hub => HolderRole::Hub,
            Role::Node => HolderRole::Peer,
        },
        phase: Some(state_of(peer, now).phase()),
        refused: is_blocked(node, &peer.id)?,
        receipt: None,
        confirmed,
        heard_at: peer.last_ok,
        since: None,
    })
}

/// A member of the trusted audience: what it holds is the head that its last want named.
fn of_audience(
    node: &Node,
    row: &AudienceRow,
    peer: Option<&Peer>,
    name: String,
    now: Timestamp,
) -> Result<Holder> {
    let mut confirmed = Vec::new();
    if let Some(held) = &row.held
        && node.store.is_own_head(held)?
    {
        confirmed.push(stand_at(held));
    }
    Ok(Holder {
        id: row.member,
        name,
        role: match peer {
            Some(_) => HolderRole::Peer,
            None => HolderRole::Follower,
        },
        phase: peer.map(|peer| state_of(peer, now).phase()),
        // Who is leaving is given nothing more, and may not have erased what it had.
        refused: row.belongs == Belongs::Leaving || is_blocked(node, &row.member)?,
        receipt: None,
        confirmed,
        heard_at: row.held_at,
        since: row.since,
    })
}

/// A receipt that was verified when it came, where its key is the newest known still.
fn counting(node: &Node, held: &ReceiptHeld) -> Result<Option<Receipt>> {
    let newest = match node.store.identity_log(&held.follower)? {
        Some(known) if known.newest().position < held.position => {
            let log: Vec<&[u8]> = ndjson::lines(&held.identity).collect();
            match IdentityLog::verify(Some(held.follower), &log) {
                Ok(log) => newest_log(node, log)?,
                Err(_) => return Ok(None),
            }
        }
        // Nothing came since that could take its place: it need not be verified for everybody who looks.
        None => return Ok(Receipt::kept(&held.line).ok()),
        known => known,
    };
    let receipt = newest.and_then(|log| Receipt::kept_under(&held.line, &log).ok());
    Ok(receipt)
}

/// What a head that was confirmed says: everything up to there is held, and what was dropped is gone.
fn stand_at(head: &Held) -> Stand {
    Stand {
        head: head.clone(),
        live: Hash([0; 32]),
        erased_to: Some(head.seq),
        stubs: Vec::new(),
    }
}
