//! What this node does with the notices of the hubs where it is registered, kept as a projection (spec: notices).
//!
//! It is worked out anew wherever something may have changed it, together with how far instances are trusted: with
//! every page that a sync takes, every bundle and delivery, every decision, and whenever a node is opened, because a
//! notice ends without anybody's act. Where no notice hides anything it costs one look at the notices.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{NoticeAct, Subject};
use wb_core::notice::{Answer, Book, Heeds, Said, Verdict, verdict};
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::Role;
use wb_core::time::Timestamp;
use wb_store::{MissingLines, Peer, Standing, WithheldBy, WithheldHere, Write};

use crate::error::Result;
use crate::node::Node;

/// What hubs say, and what is set and said here about it.
pub(crate) struct Heeding {
    now: Timestamp,
    hubs: BTreeMap<InstanceId, Peer>,
    books: BTreeMap<InstanceId, Book>,
    heeds: BTreeMap<InstanceId, Heeds>,
    answers: BTreeMap<(InstanceId, Hash), Answer>,
    /// Instances that somebody here approved.
    by_hand: BTreeSet<InstanceId>,
}

/// A notice that hides, or would, with what follows from it here.
#[derive(Debug, Clone)]
pub(crate) struct Heeded {
    pub said: Said,
    pub verdict: Verdict,
    /// What somebody here said about it.
    pub answer: Option<Answer>,
}

impl Heeding {
    /// Reads all of it.
    pub fn of(node: &Node) -> Result<Self> {
        let store = &node.store;
        let peers = store.peers()?.into_iter();
        let hubs: BTreeMap<InstanceId, Peer> = peers
            .filter(|peer| peer.role == Role::Hub)
            .map(|peer| (peer.id, peer))
            .collect();
        let mut said: BTreeMap<InstanceId, Vec<Said>> = BTreeMap::new();
        if !hubs.is_empty() {
            for (hub, one) in store.notices_of_all()? {
                if hubs.contains_key(&hub) {
                    said.entry(hub).or_default().push(one);
                }
            }
        }
        let by_hand = if said.is_empty() {
            BTreeSet::new()
        } else {
            let known = store.instances()?.into_iter();
            known
                .filter(|one| one.standing == Standing::Approved)
                .map(|one| one.id)
                .collect()
        };
        Ok(Self {
            now: node.now(),
            hubs,
            books: said
                .into_iter()
                .map(|(hub, said)| (hub, Book::of(said)))
                .collect(),
            heeds: store.heeds()?,
            answers: store.notice_answers()?,
            by_hand,
        })
    }

    /// The hubs where this instance is registered.
    pub fn hubs(&self) -> impl Iterator<Item = &Peer> {
        self.hubs.values()
    }

    /// What is set for a hub.
    pub fn set_for(&self, hub: &InstanceId) -> Option<Heeds> {
        self.heeds.get(hub).copied()
    }

    /// The notices of a hub.
    pub fn book(&self, hub: &InstanceId) -> Option<&Book> {
        self.books.get(hub)
    }

    /// What follows from a notice here, where it is one that hides and is in force.
    pub fn heeded(&self, hub: &InstanceId, said: &Said) -> Option<Heeded> {
        let hides = matches!(said.notice.act, NoticeAct::Revoke | NoticeAct::Withhold);
        if !hides || !said.notice.is_in_force(self.now) {
            return None;
        }
        let answer = self.answers.get(&(*hub, said.line_hash)).copied();
        let by_hand = self.by_hand.contains(&said.notice.subject);
        Some(Heeded {
            verdict: verdict(self.set_for(hub), by_hand, answer),
            said: said.clone(),
            answer,
        })
    }

    /// Every notice in force that hides, or would.
    pub fn all_heeded(&self) -> Vec<Heeded> {
        let books = self.books.iter();
        books
            .flat_map(|(hub, book)| book.iter().map(move |(_, said)| (hub, said)))
            .filter_map(|(hub, said)| self.heeded(hub, said))
            .collect()
    }

    /// The notice of a hub that hides a line here, where that follows.
    fn hides(&self, hub: &InstanceId, key: &RecordRef, line: &Hash) -> Option<RecordId> {
        let book = self.books.get(hub)?;
        // Of the two that may hide it, a notice about the record is asked first.
        let of_origin = book.in_force(&Subject::Instance(key.origin), self.now);
        let found = [book.withholds(key, line, self.now), of_origin];
        let mut found = found.into_iter().flatten();
        let found = found.find(|said| {
            let heeded = self.heeded(hub, said);
            heeded.is_some_and(|heeded| heeded.verdict == Verdict::Hides)
        });
        found.map(|said| said.id)
    }

    /// The notice that explains why a line does not come from a hub, or is asked for nowhere.
    pub fn leaves_out(&self, hub: &InstanceId, key: &RecordRef, line: &Hash) -> bool {
        let by_itself = self
            .books
            .get(hub)
            .is_some_and(|book| book.withholds(key, line, self.now).is_some());
        by_itself || self.is_left_missing(key, line)
    }

    /// Whether a missing line is asked for nowhere, because a notice that is followed withholds it.
    pub fn is_left_missing(&self, key: &RecordRef, line: &Hash) -> bool {
        self.books.iter().any(|(hub, book)| {
            let said = book.withholds(key, line, self.now);
            let heeded = said.and_then(|said| self.heeded(hub, said));
            heeded.is_some_and(|heeded| heeded.verdict == Verdict::Hides)
        })
    }

    /// The kinds of the lines missing of a feed that a hub may be asked for.
    pub fn asked_for(
        &self,
        node: &Node,
        hub: &InstanceId,
        (origin, scope): (InstanceId, FeedScope),
        kinds: &mut BTreeSet<Kind>,
    ) -> Result<()> {
        if self.books.is_empty() || kinds.is_empty() {
            return Ok(());
        }
        let missing = node.store.missing_records(&origin, scope)?;
        kinds.retain(|kind| {
            missing.iter().any(|(of, id, line)| {
                let key = RecordRef { origin, id: *id };
                of == kind && !self.leaves_out(hub, &key, line)
            })
        });
        Ok(())
    }

    /// Whether somebody is told of a missing line by the notice that withholds it.
    fn is_told(&self, key: &RecordRef, line: &Hash) -> bool {
        self.books.iter().any(|(hub, book)| {
            let said = book.withholds(key, line, self.now);
            let heeded = said.and_then(|said| self.heeded(hub, said));
            heeded.is_some_and(|heeded| heeded.verdict != Verdict::Nothing)
        })
    }

    /// Of missing lines, how many no notice explains that is followed or waits for a word.
    pub fn unexplained(&self, node: &Node, missing: &MissingLines) -> Result<u64> {
        if self.books.is_empty() {
            return Ok(missing.lines);
        }
        let records = node
            .store
            .missing_records(&missing.origin, missing.scope)?
            .into_iter();
        let unexplained = records.filter(|(kind, id, line)| {
            let key = RecordRef {
                origin: missing.origin,
                id: *id,
            };
            *kind == missing.kind && !self.is_told(&key, line)
        });
        Ok(unexplained.count() as u64)
    }

    /// How many records a notice would hide here: those that its hub alone brought.
    pub fn would_hide(&self, node: &Node, hub: &InstanceId, said: &Said) -> Result<u64> {
        let notice = &said.notice;
        let records = node
            .store
            .roads_of_all(&notice.subject, notice.record.as_ref())?
            .into_iter();
        let hidden = records.filter(|record| {
            let is_named = notice.line.is_none_or(|line| line == record.line_hash);
            is_named && record.hubs.iter().all(|road| *road == Some(*hub))
        });
        Ok(hidden.count() as u64)
    }

    /// The records that are hidden.
    fn withheld(&self, node: &Node) -> Result<WithheldHere> {
        let mut about: BTreeSet<(InstanceId, Option<RecordId>)> = BTreeSet::new();
        for heeded in self.all_heeded() {
            if heeded.verdict == Verdict::Hides {
                about.insert((heeded.said.notice.subject, heeded.said.notice.record));
            }
        }
        let mut withheld = WithheldHere::new();
        for (origin, only) in about {
            for record in node.store.roads_of_all(&origin, only.as_ref())? {
                let key = RecordRef {
                    origin,
                    id: record.id,
                };
                // By each of its roads it has to be hidden: whoever else carries it shows it.
                let by: Option<Vec<WithheldBy>> = record
                    .hubs
                    .iter()
                    .map(|hub| {
                        let hub = (*hub)?;
                        let notice = self.hides(&hub, &key, &record.line_hash)?;
                        Some(WithheldBy { hub, notice })
                    })
                    .collect();
                if let Some(first) = by.and_then(|by| by.into_iter().next()) {
                    withheld.insert(key, first);
                }
            }
        }
        Ok(withheld)
    }
}

/// Whether what is hidden is not what should be.
pub(crate) fn is_due(node: &Node) -> Result<bool> {
    Ok(Heeding::of(node)?.withheld(node)? != node.store.withheld_here()?)
}

/// Hides what is to be hidden, and shows the rest, within a transaction that is open.
pub(crate) fn settle_in(node: &Node, write: &Write<'_>) -> Result<()> {
    let wanted = Heeding::of(node)?.withheld(node)?;
    if wanted != node.store.withheld_here()? {
        write.put_withheld(&wanted)?;
    }
    Ok(())
}
