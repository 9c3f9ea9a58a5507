//! Where a request stands, from everything that is said of it (spec: status).

use std::collections::{BTreeMap, BTreeSet};

use wb_core::hash;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, To};
use wb_core::scope::By;
use wb_core::status::{Said, Voice, Word};
use wb_core::time::Timestamp;
use wb_store::{Standing, StatusRow};

use super::authors::Authors;
use crate::command::conflict_settle::SETTLE_AFTER_HOURS;
use crate::error::Result;
use crate::node::Node;
use crate::view::SaidView;

/// What a request is, and what its home or a helper would say next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStatus {
    /// What it is shown as.
    pub value: To,
    /// Whether home and helpers disagree.
    pub contested: bool,
    /// The number of its home's latest event.
    pub home_n: u64,
    /// Hash of the line of its home's latest event.
    pub home_event: Option<Hash>,
    /// The helpers whose word counts.
    pub helpers: BTreeSet<InstanceId>,
    /// What home's latest event heard.
    pub home_heard: BTreeMap<InstanceId, u64>,
    /// What home's next event hears.
    pub heard: BTreeMap<InstanceId, u64>,
    /// The number of the latest word of each other instance, also of those whose words are not shown.
    pub latest: BTreeMap<InstanceId, u64>,
    /// Who says what: home's latest event, then the latest of each other instance.
    pub words: Vec<Spoken>,
}

/// The latest that one instance says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// What the rules read of it.
    pub word: Word,
    /// Its record.
    pub id: RecordId,
    /// Counted by whoever said it.
    pub n: u64,
    /// A word along with it.
    pub note: Option<String>,
    /// When it was said, by the clock of whoever said it.
    pub at: Timestamp,
    by: Option<By>,
    standing: Standing,
}

impl RequestStatus {
    /// The latest that an instance says of it.
    #[must_use]
    pub fn word_of(&self, instance: &InstanceId) -> Option<&Spoken> {
        let mut words = self.words.iter();
        words.find(|spoken| spoken.word.instance == *instance)
    }
}

/// Merges everything said about the state of a request.
///
/// # Errors
/// What the store reports.
pub fn request_status(node: &Node, request: &RecordRef) -> Result<RequestStatus> {
    Ok(fold(request, &node.store.status_rows(Some(request))?))
}

/// Merges what the rows of one request say.
pub(super) fn fold(request: &RecordRef, rows: &[StatusRow]) -> RequestStatus {
    let mut said = Said::default();
    let mut events: BTreeMap<(InstanceId, Hash), (&StatusRow, u64, Option<String>)> =
        BTreeMap::new();
    for row in rows {
        // An event that was not sealed yet has no line to hash; its body stands in, so that it counts
        // here and nobody else can answer it.
        let line_hash = row
            .line_hash
            .unwrap_or_else(|| hash::sha256(row.body.as_bytes()));
        if let Ok(body) = Body::read(&row.kind, 1, row.origin, &row.body) {
            if let Body::Status(event) = &body {
                events.insert((row.origin, line_hash), (row, event.n, event.note.clone()));
            }
            said.add(request.origin, row.origin, body, line_hash);
        }
    }
    let shown = said.shown();
    let words: Vec<Word> = said.words(request.origin);
    let others = words.iter().filter(|word| word.voice != Voice::Home);
    let latest = others.filter_map(|word| {
        let (_, n, _) = events.get(&(word.instance, word.line_hash))?;
        Some((word.instance, *n))
    });
    let latest = latest.collect();
    let words = words.into_iter().filter_map(|word| {
        let (row, n, note) = events.get(&(word.instance, word.line_hash))?;
        let is_accepted = row.standing == Standing::Own || row.standing.is_accepted();
        // What home lets count is shown whoever says it, without their words; a claim of a stranger is not.
        if !is_accepted && word.voice == Voice::Claim {
            return None;
        }
        Some(Spoken {
            word,
            id: row.id,
            n: *n,
            note: note.clone().filter(|_| is_accepted),
            at: row.at,
            by: row.by,
            standing: row.standing,
        })
    });
    RequestStatus {
        value: shown.value,
        contested: shown.contested,
        home_n: said.standing().map_or(0, |event| event.n),
        home_event: said.standing().map(|event| event.line_hash),
        helpers: said.helpers().collect(),
        home_heard: said
            .standing()
            .map(|event| event.heard.clone())
            .unwrap_or_default(),
        heard: said.heard(),
        latest,
        words: words.collect(),
    }
}

/// Who says what, in words for people.
pub(super) fn said(
    authors: &Authors<'_>,
    request: &RecordRef,
    status: &RequestStatus,
) -> Vec<SaidView> {
    let home = authors.label(&request.origin);
    let words = status.words.iter();
    let view = words.map(|spoken| {
        let word = &spoken.word;
        let name = authors.label(&word.instance);
        SaidView {
            id: spoken.id,
            instance: word.instance,
            author: authors.speaker(word.instance, spoken.standing, spoken.by),
            local: spoken.standing == Standing::Own,
            voice: match word.voice {
                Voice::Home => "home",
                Voice::Helper => "helper",
                Voice::Claim => "claim",
            },
            to: word.to,
            n: spoken.n,
            pending: word.is_pending,
            answers: word.answers,
            note: spoken.note.clone(),
            at: spoken.at,
            sentence: sentence(spoken, &name, &home),
            home: name,
        }
    });
    view.collect()
}

fn sentence(spoken: &Spoken, name: &str, home: &str) -> String {
    let (word, to) = (&spoken.word, spoken.word.to.as_str());
    match (word.voice, word.is_pending, word.answers) {
        (Voice::Home, ..) => format!("{name}, where it was asked, says {to}."),
        (Voice::Helper, true, true) => {
            format!("{name}, which helps here, says {to}, and knew what {home} had said.")
        }
        (Voice::Helper, true, false) => {
            format!("{name}, which helps here, says {to}, and had not heard what {home} said last.")
        }
        (Voice::Helper, false, _) => {
            format!("{name}, which helps here, said {to}; {home} has heard that.")
        }
        (Voice::Claim, ..) => format!(
            "{name} says {to}. That is a claim: it changes nothing, because {home} has not named {name} as helping \
             here."
        ),
    }
}

/// One sentence for a contested request: what it is shown as, why, and until when.
pub(super) fn contest(
    authors: &Authors<'_>,
    request: &RecordRef,
    status: &RequestStatus,
) -> String {
    let home = authors.label(&request.origin);
    let value = status.value.as_str();
    let helpers = status.words.iter().filter(|spoken| spoken.word.is_pending);
    let all_answer = helpers.clone().all(|spoken| spoken.word.answers);
    let why = if all_answer {
        "because those who help do not agree: a need that is closed wrongly costs more than one that is open wrongly"
    } else {
        "because that is what its home said last"
    };
    format!(
        "Contested: {home} and those who help say different things. It is shown as {value}, {why}. {home} settles it, \
         and says by itself what is shown once that was so for {SETTLE_AFTER_HOURS} hours."
    )
}
