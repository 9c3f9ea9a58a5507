//! How far instances are trusted, kept as a projection: what is shown reads it and looks at no vouch.
//!
//! It is worked out anew wherever something may have changed it: with every page that a sync takes, every bundle and
//! delivery, every decision, whenever a node is opened, and by itself while one runs, because vouches end without
//! anybody's act. The same vouches, decisions and time give the same rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::{Level, Vouch};
use wb_core::trust::Step;
use wb_store::{LevelRow, SHOWN_LEVEL, Standing, Write};

use crate::error::Result;
use crate::heeding;
use crate::node::Node;
use crate::query::trust::{Trust, number};

/// One arrow of the way by which an instance is trusted, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    from: InstanceId,
    to: InstanceId,
    vouch: Option<RecordId>,
}

/// What becomes of what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Becomes {
    /// What it is.
    Same,
    /// It was shown and is not trusted that far any more: what was shown stays until somebody decides.
    Falls(String),
    /// Whatever was asked about it is over.
    Settled,
}

struct Change {
    id: InstanceId,
    row: LevelRow,
    becomes: Becomes,
}

/// Works the levels out, and keeps what changed.
///
/// # Errors
/// What the store reports; then nothing was changed.
pub(crate) fn settle(node: &Node) -> Result<()> {
    if changes(node)?.is_empty() && !heeding::is_due(node)? {
        return Ok(());
    }
    let write = node.store.write_in_sight()?;
    settle_in(node, &write)?;
    Ok(write.commit()?)
}

/// The same where a node is opened: who only reads is kept from it by nothing.
pub(crate) fn settle_at_opening(node: &Node) -> Result<()> {
    if node.store.unwritable().is_some() {
        return Ok(());
    }
    match settle(node) {
        Err(error) if error.is_full() || error.is_read_only() || error.is_busy() => Ok(()),
        done => done,
    }
}

/// The same within a transaction that is open.
pub(crate) fn settle_in(node: &Node, write: &Write<'_>) -> Result<()> {
    for change in changes(node)? {
        // What is shown is noted before the level says otherwise, and forgotten after it says so again: at no moment
        // between is nothing of it shown.
        if let Becomes::Falls(why) = &change.becomes {
            write.put_fallen(&change.id, why, node.now())?;
        }
        write.put_level(&change.id, &change.row)?;
        if change.becomes == Becomes::Settled {
            write.forget_fallen(&change.id)?;
        }
    }
    heeding::settle_in(node, write)
}

fn changes(node: &Node) -> Result<Vec<Change>> {
    // Of a copy that was restored nothing of others is shown until heads are compared: nothing of it has to fall.
    if node.store.hides_others()? {
        return Ok(Vec::new());
    }
    let trust = Trust::of(node)?;
    let (levels, before) = (trust.levels(), node.store.levels()?);
    let fallen: BTreeSet<InstanceId> = node.store.fallen()?.iter().map(|one| one.id).collect();
    let shown: BTreeSet<InstanceId> = levels
        .iter()
        .filter(|(_, level)| **level >= Level::Trusted)
        .map(|(id, _)| *id)
        .collect();
    let ways = trust.ways(&shown);
    let mut changes = Vec::new();
    for instance in node.store.instances()? {
        let Some(held) = before.get(&instance.id) else {
            continue;
        };
        let is_decided = matches!(instance.standing, Standing::Approved | Standing::Blocked);
        // Where somebody here decided nothing is kept: a decision that ends leaves no vouch behind that had no say.
        let level = levels.get(&instance.id).filter(|_| !is_decided);
        let way = ways.get(&instance.id).filter(|_| !is_decided);
        let row = LevelRow {
            level: number(level.copied()),
            way: way.map(|way| kept(way)).unwrap_or_default(),
        };
        let has_fallen = fallen.contains(&instance.id);
        let becomes = if is_decided || row.level >= SHOWN_LEVEL {
            if has_fallen {
                Becomes::Settled
            } else {
                Becomes::Same
            }
        } else if held.level >= SHOWN_LEVEL {
            Becomes::Falls(why(&trust, &instance.id, &held.way))
        } else {
            Becomes::Same
        };
        if row != *held || becomes != Becomes::Same {
            changes.push(Change {
                id: instance.id,
                row,
                becomes,
            });
        }
    }
    Ok(changes)
}

fn kept(way: &[Step]) -> String {
    let steps: Vec<Kept> = way
        .iter()
        .map(|step| Kept {
            from: step.from,
            to: step.to,
            vouch: step.vouch,
        })
        .collect();
    serde_json::to_string(&steps).unwrap_or_default()
}

/// Why an instance fell: the first arrow of the way it had that does not count any more.
fn why(trust: &Trust, id: &InstanceId, way: &str) -> String {
    let name = trust.name(id);
    let steps: Vec<Kept> = serde_json::from_str(way).unwrap_or_default();
    let broken = steps
        .iter()
        .find_map(|step| trust.broken(&step.from, &step.to, step.vouch.as_ref()));
    let level = number(trust.levels().get(id).copied());
    let why = broken
        .unwrap_or_else(|| "instances that are nearer took the places that there were".to_owned());
    format!("{name} fell to level {level}, because {why}")
}

/// Who may read what is for trusted peers only, where somebody here says so: who was approved by hand, and stewards by
/// what others vouch.
pub(crate) fn may_be_trusted(node: &Node, id: &InstanceId) -> Result<bool> {
    Ok(match node.store.standing(id)? {
        Some(Standing::Approved) => true,
        Some(Standing::Vouched) => {
            let levels: BTreeMap<InstanceId, LevelRow> = node.store.levels()?;
            levels
                .get(id)
                .is_some_and(|row| row.level >= number(Some(Level::Steward)))
        }
        _ => false,
    })
}

/// Whether an instance is accepted here: by hand, or by what others vouch.
pub(crate) fn is_accepted(node: &Node, id: &InstanceId) -> Result<bool> {
    let standing = node.store.standing(id)?;
    Ok(standing.is_some_and(Standing::is_accepted))
}

/// Whether what an instance says is read here: it is accepted, or was and nobody decided that it is hidden.
pub(crate) fn is_read(node: &Node, id: &InstanceId) -> Result<bool> {
    Ok(is_accepted(node, id)? || node.store.has_fallen(id)?)
}

/// How many records are shown of each instance that fell.
pub(crate) fn still_shown(node: &Node) -> Result<BTreeMap<InstanceId, u64>> {
    let fallen = node.store.fallen()?.into_iter();
    Ok(fallen.map(|one| (one.id, one.records)).collect())
}

/// How long before a vouch of this instance ends that is told.
const RENEW_WITHIN_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Own vouches that end soon or are over, of each instance the one that lasts longest.
pub(crate) fn ending(node: &Node) -> Result<Vec<Vouch>> {
    let trust = Trust::of(node)?;
    let mut last: BTreeMap<InstanceId, &Vouch> = BTreeMap::new();
    for vouch in trust.own_all() {
        let known = last.entry(vouch.subject).or_insert(vouch);
        if vouch.expires_at > known.expires_at {
            *known = vouch;
        }
    }
    let soon = node.now().plus_ms(RENEW_WITHIN_MS);
    let ending = last.into_values().filter(|vouch| vouch.expires_at <= soon);
    Ok(ending.cloned().collect())
}
