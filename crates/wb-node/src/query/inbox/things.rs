//! What an item of the inbox stands for: every number opens to its list.

use wb_core::feed::Header;
use wb_core::line::Line;
use wb_core::want::Held;
use wb_store::{ForkedFeed, HeldGroup, VoidEntry};

use super::{Inbox, Item};
use crate::command::hub_register::state_of;
use crate::error::Result;
use crate::plan::headline;
use crate::view::{InboxThing, SCHEMA_VERSION};

/// What stands at the head that is kept.
const KEPT: &str = "kept here";
/// What stands at a header of a log that is not taken because of another.
const NOT_TAKEN: &str = "not taken";
/// What stands at a header that contradicts it.
const CONTRADICTS: &str = "contradicts it";

/// What a void publication says.
#[must_use]
pub fn void_said(entry: &VoidEntry) -> String {
    let line = entry.line.as_deref().and_then(|line| Line::read(line).ok());
    line.map_or_else(
        || "its text is not there any more".to_owned(),
        |line| headline(entry.kind.as_str(), line.body()),
    )
}

/// The same, and whether it changed a record that is here.
fn void_note(entry: &VoidEntry, is_known: bool) -> String {
    let said = void_said(entry);
    if is_known {
        format!("{said} (a record of yours was changed to this)")
    } else {
        said
    }
}

impl Inbox<'_> {
    pub(super) fn things(&self, item: &Item, key: &str) -> Result<Vec<InboxThing>> {
        let thing = |thing| InboxThing {
            schema_version: SCHEMA_VERSION,
            item: key.to_owned(),
            thing,
            ..InboxThing::default()
        };
        Ok(match item {
            Item::OlderCopy => vec![InboxThing {
                note: self.node.store.home().dir().display().to_string(),
                ..thing("instance")
            }],
            Item::Audience(members) => members
                .iter()
                .map(|member| InboxThing {
                    note: format!("{} ({member})", self.name(member)),
                    ..thing("instance")
                })
                .collect(),
            Item::Peer(peer, _) => vec![InboxThing {
                note: state_of(peer, self.node.now()).detail.unwrap_or_default(),
                ..thing("peer")
            }],
            Item::Void(entries) => {
                let mut things = Vec::new();
                for entry in entries {
                    things.push(InboxThing {
                        id: Some(entry.id),
                        kind: Some(entry.kind.clone()),
                        seq: Some(entry.seq),
                        log: Some(entry.log.to_string()),
                        hash: Some(entry.hash),
                        at: Some(entry.at),
                        note: void_note(entry, self.node.store.local(&entry.id)?.is_some()),
                        ..thing("record")
                    });
                }
                things
            }
            Item::TakenBack(entries) => {
                let mut things = Vec::new();
                for entry in entries {
                    let local = self.node.store.local(&entry.id)?;
                    let said = local.map(|local| headline(local.kind.as_str(), &local.body));
                    things.push(InboxThing {
                        id: Some(entry.id),
                        kind: Some(entry.kind.clone()),
                        seq: Some(entry.seq),
                        log: Some(entry.log.to_string()),
                        hash: Some(entry.hash),
                        at: Some(entry.at),
                        note: said.unwrap_or_default(),
                        ..thing("record")
                    });
                }
                things
            }
            Item::Recovered(one) => vec![InboxThing {
                hash: Some(one.entry),
                at: Some(one.at),
                note: format!("{} hidden, {} back", one.hidden, one.returned),
                ..thing("identity_entry")
            }],
            Item::LettersWait(_, letters)
            | Item::LettersFull(_, letters)
            | Item::LettersUnproved(letters)
            | Item::LettersLost(_, letters, _) => vec![InboxThing {
                note: format!("{letters} letters"),
                ..thing("letters")
            }],
            Item::Notice(notice) => vec![InboxThing {
                id: notice.record,
                hash: Some(notice.line),
                at: Some(notice.issued_at),
                note: format!(
                    "it would hide {} records here",
                    notice.would_hide.unwrap_or(0)
                ),
                ..thing("notice")
            }],
            Item::Waiting(_, records) => vec![InboxThing {
                note: format!("{records} records held and not shown"),
                ..thing("instance")
            }],
            Item::Fell(one) => vec![InboxThing {
                note: format!("{} records stay shown until it is decided", one.records),
                ..thing("instance")
            }],
            Item::AudienceFell(member) => vec![InboxThing {
                note: format!("{} ({member})", self.name(member)),
                ..thing("instance")
            }],
            Item::VouchEnds(vouch) => vec![InboxThing {
                at: Some(vouch.expires_at),
                note: vouch.basis.clone(),
                ..thing("record")
            }],
            Item::Doubt(doubt) => {
                let view = crate::query::doubts::view(self.node, doubt)?;
                let stale = view.proof.as_ref().and_then(|proof| proof.stale().ok());
                let header = |head: &Held, note: &str| InboxThing {
                    log: Some(head.log.to_string()),
                    seq: Some(head.seq),
                    hash: Some(head.hash),
                    note: note.to_owned(),
                    ..thing("header")
                };
                stale.map_or_else(Vec::new, |stale| {
                    vec![
                        header(&stale.signed, "signed by its origin"),
                        header(&stale.named, "signed by the hub as the newest it has"),
                    ]
                })
            }
            Item::Keys(_, _, entries) => {
                let entries = entries.iter().map(|entry| InboxThing {
                    seq: Some(entry.n),
                    hash: Some(entry.hash),
                    note: CONTRADICTS.to_owned(),
                    ..thing("identity_entry")
                });
                entries.collect()
            }
            Item::Held(group) => self.held(group, key, "")?,
            Item::Rivals(_, _, groups) => {
                let mut things = Vec::new();
                for group in groups {
                    things.extend(self.held(group, key, NOT_TAKEN)?);
                }
                things
            }
            Item::Fork(feed) => self.fork(feed, key)?,
            Item::Missing(origin, scope, _) => {
                let missing = self.node.store.missing_records(origin, *scope)?;
                let missing = missing.into_iter().map(|(kind, id, hash)| InboxThing {
                    id: Some(id),
                    kind: Some(kind),
                    hash: Some(hash),
                    ..thing("record")
                });
                missing.collect()
            }
        })
    }

    fn held(&self, group: &HeldGroup, key: &str, note: &str) -> Result<Vec<InboxThing>> {
        let deltas = self.node.store.held_deltas(group)?.into_iter();
        let things = deltas.map(|delta| {
            let entries = Header::read(&delta.header).map(|(header, _)| header.entries);
            let said = entries.map(|entries| format!("{entries} entries"));
            let parts = [note.to_owned(), said.unwrap_or_default()];
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            InboxThing {
                schema_version: SCHEMA_VERSION,
                item: key.to_owned(),
                thing: "header",
                log: Some(group.log.to_string()),
                seq: Some(delta.seq),
                hash: Some(delta.hash),
                at: Some(delta.at),
                note: parts.join(", "),
                ..InboxThing::default()
            }
        });
        Ok(things.collect())
    }

    /// Both sides of a fork: what is kept at the places in question, and what contradicts it.
    fn fork(&self, feed: &ForkedFeed, key: &str) -> Result<Vec<InboxThing>> {
        let groups = self.node.store.held_groups()?.into_iter().filter(|group| {
            group.outcome == "fork" && (group.origin, group.scope) == (feed.origin, feed.scope)
        });
        let mut against = Vec::new();
        for group in groups {
            against.extend(self.held(&group, key, CONTRADICTS)?);
        }
        let kept = |seq, hash| InboxThing {
            schema_version: SCHEMA_VERSION,
            item: key.to_owned(),
            thing: "header",
            log: Some(feed.log.to_string()),
            seq: Some(seq),
            hash: Some(hash),
            note: KEPT.to_owned(),
            ..InboxThing::default()
        };
        let log = feed.log.to_string();
        let mut places: Vec<u64> = against
            .iter()
            .filter(|thing| thing.log.as_ref() == Some(&log))
            .filter_map(|thing| thing.seq.filter(|seq| *seq < feed.seq))
            .collect();
        places.dedup();
        let mut things = Vec::new();
        for seq in places {
            let hash = self.node.store.header_at(feed, seq)?;
            things.extend(hash.map(|hash| kept(seq, hash)));
        }
        things.push(kept(feed.seq, feed.hash));
        things.extend(against);
        Ok(things)
    }
}
