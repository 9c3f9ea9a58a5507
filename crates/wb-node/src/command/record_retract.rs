//! `wb record retract`: takes a record of this instance back for a reason that everybody is told.
//!
//! It is marked here and sealed by publishing. Its author chooses the reason; a steward keeps home what others
//! wrote, and erases nothing of it: narrowing is theirs, the text is its author's.

use wb_core::entry::Reason;
use wb_core::id::{RecordId, RecordRef};
use wb_core::leave::Life;
use wb_core::scope::{FeedScope, Kind, Scope};
use wb_store::{LocalRecord, NO_WORDS};

use super::record_share::{is_author, note_for_author, withdraw_question};
use super::status_say::{before_taking_back, put};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::headline;
use crate::query::letters::letters_of_record;
use crate::query::own_any;

/// Kinds of which the text goes with something else: an account, the instance, an invitation.
const NOT_ERASED_ALONE: [&str; 4] = ["user", "card", "invite", "vouch"];

/// What taking a record back will do, asked before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retracting {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its title, or the start of its text.
    pub headline: String,
    /// The feeds that it is in.
    pub published: Vec<FeedScope>,
    /// Records of this instance that belong to it, and stay home with it.
    pub children: usize,
    /// What is done, and what nobody can promise.
    pub words: String,
}

/// What was marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retracted {
    /// The record.
    pub id: RecordId,
    /// The feeds that it is in, until the next sealing.
    pub published: Vec<FeedScope>,
}

/// What taking a record back would do, in words.
///
/// # Errors
/// That it is another instance's, that it is of no kind that is erased alone, or that the actor may not.
pub fn retracting(
    node: &Node,
    actor: &Actor,
    key: &RecordRef,
    reason: Reason,
) -> Result<Retracting> {
    let record = own_any(node, key)?;
    check(actor, &record, reason)?;
    let published = feeds_of(node, &record.id)?;
    let children = node.store.local_children(key)?.len();
    let told: Vec<String> = letters_of_record(node, &record.id)?
        .into_iter()
        .map(|(_, name, _)| name)
        .collect();
    let words = if told.is_empty() {
        words(reason, &published, record.rev > 0)
    } else {
        words_of_letter(reason, &told)
    };
    Ok(Retracting {
        id: record.id,
        headline: headline(record.kind.as_str(), &record.body),
        words,
        published,
        children,
        kind: record.kind,
    })
}

/// Takes a record back: it leaves the feed with the next sealing. Erased, its text is gone from this node at once.
///
/// # Errors
/// As [`retracting`].
pub fn record_retract(
    node: &Node,
    actor: &Actor,
    key: &RecordRef,
    reason: Reason,
) -> Result<Retracted> {
    let now = node.now();
    let write = node.store.write_in_sight()?;
    let mut record = own_any(node, key)?;
    check(actor, &record, reason)?;
    let published = feeds_of(node, &record.id)?;
    if is_author(actor, &record) {
        record.scope = Scope::Private;
    } else {
        record.ceiling = Scope::Private;
    }
    withdraw_question(node, &record.id, Scope::Private)?;
    if let Some(event) = before_taking_back(node, &record)? {
        put(node, &write, event, None, now)?;
    }
    if reason == Reason::Erase {
        NO_WORDS.clone_into(&mut record.body);
        record.life = Life::Deleted;
        write.erase_void(&record.id)?;
        // First, because a crash after the text went would leave them with nobody to ask for it.
        let private = node.store.private();
        private.together(|private| private.forget_records(&[record.id]))?;
    }
    record.at = now;
    record.edit += 1;
    write.put_local(&record)?;
    if !published.is_empty() {
        write.put_retract_reason(&record.id, reason)?;
    }
    write.commit()?;
    // What was told to one instance alone is asked back from there, whatever the reason.
    crate::letters::take_back(node, &record.id, now)?;
    if reason == Reason::Erase {
        node.store.empty_logs()?;
    }
    let detail = format!("reason {}", reason.as_str());
    node.audit(now, actor, "record retract", &record.id, detail.as_str())?;
    note_for_author(node, actor, &record, "record retract", &detail, now)?;
    Ok(Retracted {
        id: record.id,
        published,
    })
}

/// Whether a record of a kind is erased by itself.
#[must_use]
pub fn can_be_erased(kind: &Kind) -> bool {
    !NOT_ERASED_ALONE.contains(&kind.as_str())
}

fn feeds_of(node: &Node, id: &RecordId) -> Result<Vec<FeedScope>> {
    let sealed = node.store.sealed(id)?;
    Ok(sealed.iter().map(|line| line.scope).collect())
}

fn check(actor: &Actor, record: &LocalRecord, reason: Reason) -> Result<()> {
    let is_author = is_author(actor, record);
    if !is_author && !actor.is_steward() {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "take this record back",
            why: "its author does that, and a steward can keep it here",
        });
    }
    if !is_author && reason != Reason::Scope {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "take this record back for that reason",
            why: "a steward keeps home what others wrote (--reason scope); its author alone erases it or calls it a mistake",
        });
    }
    if reason == Reason::Erase && !can_be_erased(&record.kind) {
        return Err(NodeError::Refused(format!(
            "a {} is not erased by itself; `--reason scope` takes it back from everybody and keeps it here. Nothing was \
             changed",
            record.kind
        )));
    }
    Ok(())
}

/// What is done, and what cannot be promised: read before, because nothing after it can be undone elsewhere.
/// What is said of files, which nothing here reaches.
const FILES: &str = "Files that `wb bundle export` wrote before still hold it, sealed ones for those whom they name: whoever \
                     has one deletes it by hand.";

/// What becomes of the text here.
fn here(reason: Reason) -> &'static str {
    match reason {
        Reason::Scope => "It stays here, for members of this community only.",
        Reason::Mistake => {
            "It stays here as a private record, and others are told that it was a mistake."
        }
        Reason::Erase => {
            "Its text is removed from this node as well, and cannot be brought back. Backups made before still hold it until \
             they are deleted."
        }
    }
}

/// Of what was told to one community alone.
fn words_of_letter(reason: Reason, told: &[String]) -> String {
    let (to, here) = (told.join(" and "), here(reason));
    format!(
        "It went as a letter to {to} alone, which is asked to erase it, and what it published of it, with the next sync; \
         `wb inbox letters` says when it did. {here} Nobody can promise what people read, wrote down or photographed, what a \
         dishonest node keeps, and what stands in backups of others (up to 30 days and more)."
    )
}

fn words(reason: Reason, published: &[FeedScope], has_left: bool) -> String {
    let here = here(reason);
    if published.is_empty() && has_left {
        return format!("It left once, and is taken back already. {here}");
    }
    if published.is_empty() {
        return format!("It is in no feed: nobody got it from here. {here}");
    }
    if !published.contains(&FeedScope::Public) {
        return format!(
            "Text and salt leave the trusted feed, and each community that this one trusts hides it at once and erases it when \
             it syncs; `wb peer trust` shows who confirmed that. Envelopes that wait here are thrown away; a hub may keep sealed \
             copies for up to 30 days, which only those trusted can open. {FILES} {here} Nobody can promise what people read, wrote \
             down or photographed, what a dishonest node keeps, and what stands in backups of others (up to 30 days and more)."
        );
    }
    format!(
        "Text and salt leave the feed, and each community that follows this one hides it at once and erases it when it \
         syncs; `wb record who` shows who confirmed that. {FILES} {here} Nobody can promise what people read, wrote down or \
         photographed, what a dishonest node keeps, and what stands in backups of others (up to 30 days and more); readers \
         without a name cannot be counted."
    )
}
