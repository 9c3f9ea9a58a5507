//! What hubs say about instances and records, and what follows from it here (spec: notices).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{NoticeAct, Subject};
use wb_core::notice::{Answer, Heeds, Said, Verdict};
use wb_core::time::Timestamp;
use wb_store::Filter;

use super::peers::label;
use crate::error::{NodeError, Result};
use crate::heeding::Heeding;
use crate::node::Node;
use crate::plan::headline;
use crate::view::SCHEMA_VERSION;

/// What is set for a hub.
#[derive(Debug, Clone, Serialize)]
pub struct HubHeeds {
    /// Version of this form.
    pub schema_version: u32,
    /// The hub.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// What is set; none: the default.
    pub heeds: Option<Heeds>,
    /// Its notices in force.
    pub in_force: u64,
    /// Records hidden here by it.
    pub hidden: u64,
}

/// A notice of a hub.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeView {
    /// Version of this form.
    pub schema_version: u32,
    /// The hub.
    pub hub: InstanceId,
    /// Its name.
    pub hub_name: String,
    /// The record of the notice.
    pub id: RecordId,
    /// Hash of its line; an answer is about that.
    pub line: Hash,
    /// Counted by the hub.
    pub n: u64,
    /// What it decided.
    pub act: NoticeAct,
    /// About whom.
    pub subject: InstanceId,
    /// The name of that, as far as it is known here.
    pub subject_name: String,
    /// About which record.
    pub record: Option<RecordId>,
    /// What that record says, where it is here.
    pub headline: Option<String>,
    /// Why.
    pub reason: String,
    /// More words.
    pub note: Option<String>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// When it was decided.
    pub issued_at: Timestamp,
    /// Whether it is in force.
    pub in_force: bool,
    /// What follows from it here, where it would hide something: `hides`, `waits` or `nothing`.
    pub follows: Option<&'static str>,
    /// What somebody here said about it.
    pub answer: Option<Answer>,
    /// Records hidden here by it.
    pub hidden: u64,
    /// Where it waits for a word: how many records it would hide.
    pub would_hide: Option<u64>,
    /// All of it in one sentence.
    pub sentence: String,
}

/// Who says a thing, in words.
struct Names {
    known: BTreeMap<InstanceId, String>,
}

impl Names {
    fn of(node: &Node, heeding: &Heeding) -> Result<Self> {
        let instances = node.store.instances()?.into_iter();
        let mut known: BTreeMap<InstanceId, String> =
            instances.map(|one| (one.id, one.label())).collect();
        for peer in heeding.hubs() {
            known.insert(peer.id, label(&peer.name, &peer.id));
        }
        Ok(Self { known })
    }

    fn name(&self, id: &InstanceId) -> String {
        self.known.get(id).cloned().unwrap_or_else(|| id.short())
    }
}

/// What a hub decided, in one sentence.
fn sentence(hub: &str, subject: &str, said: &Said) -> String {
    let notice = &said.notice;
    let until = notice
        .until
        .map_or_else(String::new, |until| format!(" (until {until})"));
    let what = match (notice.act, notice.record.is_some()) {
        (NoticeAct::Delist, _) => format!("took {subject} out of its lists"),
        (NoticeAct::Suspend, _) => format!("suspended {subject}"),
        (NoticeAct::Revoke, _) => format!("revoked {subject}"),
        (NoticeAct::Withhold, _) => format!("withholds a record of {subject}"),
        (NoticeAct::Reinstate, true) => format!("hands a record of {subject} on again"),
        (NoticeAct::Reinstate, false) => format!("let {subject} in again"),
    };
    format!("{hub} {what}: {}{until}", notice.reason)
}

/// The hubs where this instance is registered, with what is done with their notices.
///
/// # Errors
/// What the store reports.
pub fn hubs(node: &Node) -> Result<Vec<HubHeeds>> {
    let heeding = Heeding::of(node)?;
    let hidden = hidden_by(node)?;
    let now = node.now();
    let hubs = heeding.hubs().map(|peer| HubHeeds {
        schema_version: SCHEMA_VERSION,
        id: peer.id,
        name: label(&peer.name, &peer.id),
        heeds: heeding.set_for(&peer.id),
        in_force: heeding.book(&peer.id).map_or(0, |book| {
            book.iter()
                .filter(|(_, said)| said.notice.is_in_force(now))
                .count() as u64
        }),
        hidden: hidden
            .iter()
            .filter(|((hub, _), _)| *hub == peer.id)
            .map(|(_, n)| n)
            .sum(),
    });
    Ok(hubs.collect())
}

/// How many records each notice hides here.
fn hidden_by(node: &Node) -> Result<BTreeMap<(InstanceId, RecordId), u64>> {
    let mut hidden = BTreeMap::new();
    for by in node.store.withheld_here()?.into_values() {
        *hidden.entry((by.hub, by.notice)).or_default() += 1;
    }
    Ok(hidden)
}

/// The notices of hubs where this instance is registered that stand, the newest of each hub first.
///
/// # Errors
/// What the store reports.
pub fn notices(node: &Node) -> Result<Vec<NoticeView>> {
    let heeding = Heeding::of(node)?;
    let (names, hidden) = (Names::of(node, &heeding)?, hidden_by(node)?);
    let mut views = Vec::new();
    for peer in heeding.hubs() {
        let Some(book) = heeding.book(&peer.id) else {
            continue;
        };
        let mut said: Vec<&Said> = book.iter().map(|(_, said)| said).collect();
        said.sort_by_key(|said| std::cmp::Reverse((said.notice.n, said.line_hash)));
        for said in said {
            views.push(view(node, &heeding, &names, &hidden, &peer.id, said)?);
        }
    }
    Ok(views)
}

fn view(
    node: &Node,
    heeding: &Heeding,
    names: &Names,
    hidden: &BTreeMap<(InstanceId, RecordId), u64>,
    hub: &InstanceId,
    said: &Said,
) -> Result<NoticeView> {
    let notice = &said.notice;
    let heeded = heeding.heeded(hub, said);
    let follows = heeded.as_ref().map(|heeded| match heeded.verdict {
        Verdict::Hides => "hides",
        Verdict::Waits => "waits",
        Verdict::Nothing => "nothing",
    });
    let waits = follows == Some("waits");
    let would_hide = if waits {
        Some(heeding.would_hide(node, hub, said)?)
    } else {
        None
    };
    let (hub_name, subject_name) = (names.name(hub), names.name(&notice.subject));
    let headline = match notice.about() {
        Subject::Instance(_) => None,
        Subject::Record(key) => says(node, &key)?,
    };
    Ok(NoticeView {
        schema_version: SCHEMA_VERSION,
        hub: *hub,
        id: said.id,
        line: said.line_hash,
        n: notice.n,
        act: notice.act,
        subject: notice.subject,
        record: notice.record,
        headline,
        note: notice.note.clone(),
        until: notice.until,
        issued_at: notice.issued_at,
        in_force: notice.is_in_force(node.now()),
        follows,
        answer: heeded.and_then(|heeded| heeded.answer),
        hidden: hidden.get(&(*hub, said.id)).copied().unwrap_or(0),
        would_hide,
        sentence: sentence(&hub_name, &subject_name, said),
        reason: notice.reason.clone(),
        hub_name,
        subject_name,
    })
}

/// What a record says, where it is here.
fn says(node: &Node, key: &RecordRef) -> Result<Option<String>> {
    let filter = Filter {
        origin: Some(key.origin),
        id: Some(key.id),
        hidden_too: true,
        ..Filter::default()
    };
    let row = node.store.records(&filter)?.into_iter().next();
    Ok(row.and_then(|row| Some(headline(row.kind.as_str(), row.body.as_deref()?))))
}

/// Finds a notice by its number (with its hub's name before it where several hubs have one), or by enough of its id.
///
/// # Errors
/// That there is none, or several.
pub fn find_notice(node: &Node, text: &str) -> Result<NoticeView> {
    let (hub, name) = match text.rsplit_once('/') {
        Some((hub, name)) => (Some(hub), name),
        None => (None, text),
    };
    let number: Option<u64> = name.parse().ok();
    let mut fits = notices(node)?;
    fits.retain(|view| {
        let is_of_hub = hub.is_none_or(|hub| {
            view.hub_name.eq_ignore_ascii_case(hub) || view.hub.to_string().starts_with(hub)
        });
        let is_named =
            number == Some(view.n) || (name.len() >= 4 && view.id.to_string().starts_with(name));
        is_of_hub && is_named
    });
    match fits.len() {
        1 => Ok(fits.remove(0)),
        0 => Err(NodeError::unknown("notice", text)),
        count => Err(NodeError::Ambiguous {
            what: "notices",
            name: text.to_owned(),
            count,
        }),
    }
}

/// Why a record is hidden by a hub, or its line does not come: "withheld by HUB: REASON".
///
/// # Errors
/// What the store reports.
pub fn why_withheld(node: &Node, key: &RecordRef, line: Option<&Hash>) -> Result<Option<String>> {
    let heeding = Heeding::of(node)?;
    let names = Names::of(node, &heeding)?;
    let by = node.store.withheld_by(key)?;
    for peer in heeding.hubs() {
        let Some(book) = heeding.book(&peer.id) else {
            continue;
        };
        let found = match (by, line) {
            (Some(by), _) if by.hub == peer.id => book
                .iter()
                .map(|(_, said)| said)
                .find(|said| said.id == by.notice),
            (Some(_), _) | (None, None) => None,
            (None, Some(line)) => book.withholds(key, line, node.now()),
        };
        if let Some(said) = found {
            let until = said.notice.until;
            let until = until.map_or_else(String::new, |until| format!(" (until {until})"));
            return Ok(Some(format!(
                "withheld by {}: {}{until}",
                names.name(&peer.id),
                said.notice.reason
            )));
        }
    }
    Ok(None)
}

/// Hubs of which nothing is held but a card and notices: that one says something asks for nobody's approval.
///
/// # Errors
/// What the store reports.
pub(crate) fn that_only_speak(node: &Node) -> Result<BTreeSet<InstanceId>> {
    let peers = node.store.peers()?.into_iter();
    let mut hubs = BTreeSet::new();
    for peer in peers.filter(|peer| peer.role == wb_core::sync::Role::Hub) {
        if !node.store.has_more_than_it_says(&peer.id)? {
            hubs.insert(peer.id);
        }
    }
    Ok(hubs)
}
