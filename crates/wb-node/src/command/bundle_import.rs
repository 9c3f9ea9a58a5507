//! `wb bundle import`: takes a bundle, after a preview when an origin is new.
//!
//! The preview is the import itself in a transaction that is dropped, so it cannot say anything else
//! than what then happens. Everything is verified before anything counts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wb_core::bundle::{BundleHead, Driver, FeedOutcome};
use wb_core::id::InstanceId;
use wb_core::identity::Merge;
use wb_core::rule::Rule;
use wb_core::time::Timestamp;
use wb_store::{
    Changed, Difference, GuardStanding, Road, RunCounts, RunEnd, RunStart, Standing, Write,
    sort_changed,
};

use super::bundle_verify::{cut, refused};
use super::sync::erase_kept;
use crate::error::Result;
use crate::import::apart::apart;
use crate::import::hashing::Hashing;
use crate::import::lines::{Lines, Next};
use crate::import::sink::StoreSink;
use crate::node::{Actor, Node};

/// How to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleImport {
    /// Show what would change, and change nothing.
    pub dry_run: bool,
    /// Accept origins that are new here: their records are shown from now on.
    pub accept: bool,
    /// Take feeds that verify although others do not.
    pub partial: bool,
    /// Name each record that changes, and not only how many there are: all of them are held in memory then.
    pub lists: bool,
}

/// First words of records that are shown of an origin that is new here.
const SAMPLES_MAX: usize = 5;

/// What one origin brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginPreview {
    /// The instance.
    pub id: InstanceId,
    /// Its name, where its card tells one.
    pub name: Option<String>,
    /// What was decided about it before.
    pub standing: Option<Standing>,
    /// Records new, changed and gone, by kind.
    pub counts: BTreeMap<(String, &'static str), u64>,
    /// The first words of some of them.
    pub samples: Vec<String>,
}

/// What an import changes of what is shown.
#[derive(Debug, Default)]
struct Changes {
    counts: RunCounts,
    most: Option<Difference>,
    origins: BTreeMap<InstanceId, OfOrigin>,
    listed: Vec<Changed>,
}

#[derive(Debug, Default)]
struct OfOrigin {
    counts: BTreeMap<(String, &'static str), u64>,
    samples: Vec<String>,
}

impl Changes {
    fn of(write: &Write<'_>, lists: bool) -> Result<Self> {
        let mut changes = Self::default();
        write.each_changed(|change| {
            changes.count(&change);
            if lists {
                changes.listed.push(change);
            }
        })?;
        sort_changed(&mut changes.listed);
        Ok(changes)
    }

    fn count(&mut self, change: &Changed) {
        match change.difference {
            Difference::New => self.counts.pulled_new += 1,
            Difference::Changed => self.counts.pulled_changed += 1,
            Difference::Gone => self.counts.pulled_gone += 1,
        }
        self.most = self.most.max(Some(change.difference));
        let of_it = self.origins.entry(change.origin).or_default();
        let key = (change.kind.to_string(), change.difference.as_str());
        *of_it.counts.entry(key).or_default() += 1;
        if of_it.samples.len() < SAMPLES_MAX {
            let body = change.body.as_deref().unwrap_or_default();
            let words = crate::plan::headline(change.kind.as_str(), body);
            of_it
                .samples
                .extend(Some(words).filter(|words| !words.is_empty()));
        }
    }

    fn total(&self) -> u64 {
        let counts = &self.counts;
        counts.pulled_new + counts.pulled_changed + counts.pulled_gone
    }
}

/// What an import did, or would do.
#[derive(Debug)]
pub struct Imported {
    /// What the bundle's head says.
    pub head: BundleHead,
    /// What came of each feed.
    pub feeds: Vec<FeedOutcome>,
    /// By origin, what changes.
    pub origins: Vec<OriginPreview>,
    /// How many records change.
    pub changed: u64,
    /// Record by record, what changes; nothing where that was not asked for.
    pub listed: Vec<Changed>,
    /// Identity logs that contradict what is held.
    pub evidence: Vec<(InstanceId, Merge)>,
    /// Whether it counts now.
    pub done: bool,
    /// Origins that are new and were not accepted: then nothing counts.
    pub waiting: Vec<InstanceId>,
    /// Whether the bundle holds more of this instance's own feed than is here: then this database is
    /// an older copy, or another copy of the instance publishes.
    pub own_is_ahead: bool,
    /// Whether something of this instance's own feed came back to this older copy.
    pub own_came_back: bool,
    /// With a partial import: what was wrong with the rest.
    pub damage: Option<wb_core::bundle::BundleError>,
}

/// Imports a bundle, or shows what importing it would do.
///
/// # Errors
/// The stage and line of the first fault; what store or disk report. Nothing counts then.
pub fn bundle_import(
    node: &mut Node,
    actor: &Actor,
    path: &Path,
    input: BundleImport,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported> {
    let now = node.now();
    if !input.dry_run {
        erase_kept(node)?;
    }
    let before: BTreeMap<InstanceId, Standing> = node
        .store
        .instances()?
        .into_iter()
        .map(|instance| (instance.id, instance.standing))
        .collect();
    let own = node.own_id();
    // What an older copy published comes back to it; nothing is sealed from it before it is settled.
    let takes_own = node.store.guard() == GuardStanding::Suspect;
    let write = node.store.write_in_sight()?;
    write.remember_shown()?;
    let run_no = write.start_run(&RunStart {
        peer: None,
        road: Road::Bundle,
        detail: &file_name(path),
        at: now,
    })?;
    let mut sink = StoreSink::new(&write, own, now);
    sink.run_no = Some(run_no);
    sink.takes_own = takes_own;
    let driver = drive(path, &mut sink, input.partial, progress)?;
    let (own_is_ahead, own_came_back) = (sink.own_is_ahead, sink.own_came_back);
    let damage = driver.finish().err();
    // Of a bundle in another protocol no part can be told to be whole.
    let is_skew = damage
        .as_ref()
        .is_some_and(|damage| damage.rule == Rule::VersionSkew);
    if let (Some(source), true) = (&damage, is_skew || !input.partial) {
        return Err(refused(path, source.clone(), driver.head()));
    }
    let Some(head) = driver.head().cloned() else {
        return Err(cut(path, 0));
    };
    let changes = Changes::of(&write, input.lists)?;
    // Whom those vouch for that are trusted here is shown without being asked about.
    crate::levels::settle_in(node, &write)?;
    let mut vouched = BTreeSet::new();
    for instance in node.store.instances()? {
        if instance.standing == Standing::Vouched {
            vouched.insert(instance.id);
        }
    }
    let with_feeds = driver
        .feeds()
        .iter()
        .map(|feed| feed.origin)
        .filter(|origin| *origin != own);
    let mut waiting: Vec<InstanceId> = with_feeds
        .filter(|id| matches!(before.get(id), None | Some(Standing::Waiting)))
        .filter(|id| !vouched.contains(id))
        .collect();
    waiting.sort_unstable();
    waiting.dedup();
    let origins = preview(&write, &driver, &before, &changes)?;
    let accepted = waiting.is_empty() || input.accept;
    let done = accepted && !input.dry_run;
    if done {
        // Accepted is who brought something that verifies.
        for feed in driver
            .feeds()
            .iter()
            .filter(|feed| feed.is_good() && waiting.contains(&feed.origin))
        {
            write.set_standing(&feed.origin, Standing::Approved)?;
        }
        // Who is accepted now vouches for others.
        crate::levels::settle_in(node, &write)?;
        note_run(&write, run_no, path, &driver, changes.counts, now)?;
        write.commit()?;
        // Lines that were taken back must not stay behind in the log file.
        node.store.forget_dropped(changes.most)?;
        let detail = format!(
            "{} records changed, {} origins accepted",
            changes.total(),
            waiting.len()
        );
        node.audit(now, actor, "bundle import", &path.display(), detail)?;
    }
    Ok(Imported {
        head,
        feeds: driver.feeds().to_vec(),
        origins,
        changed: changes.total(),
        listed: changes.listed,
        evidence: driver.evidence().to_vec(),
        done,
        waiting: if done { Vec::new() } else { waiting },
        own_is_ahead,
        own_came_back,
        damage,
    })
}

/// The last part of a path: the folder is nobody's business in a log.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Notes what the bundle brought; one that brought nothing leaves no run.
fn note_run(
    write: &Write<'_>,
    run_no: i64,
    path: &Path,
    driver: &Driver,
    changed: RunCounts,
    now: Timestamp,
) -> Result<()> {
    // What was held already, and nothing else, is nothing to tell.
    let is_known = |feed: &FeedOutcome| feed.outcome == "duplicate";
    if changed == RunCounts::default() && driver.feeds().iter().all(is_known) {
        return Ok(write.drop_run(run_no)?);
    }
    let counts = RunCounts {
        bytes_received: std::fs::metadata(path).map_or(0, |file| file.len()),
        ..changed
    };
    let end = RunEnd {
        at: now,
        outcome: "done",
        cause: None,
        counts,
    };
    Ok(write.end_run(run_no, &end)?)
}

pub(super) fn drive(
    path: &Path,
    sink: &mut StoreSink<'_, '_>,
    partial: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<Driver> {
    let mut lines = Lines::open(path)?;
    apart(sink, progress, |across| {
        let driver = if partial {
            Driver::partial()
        } else {
            Driver::default()
        };
        let mut driver = driver.digest_by(Box::new(Hashing::start()));
        let mut number = 0;
        loop {
            match lines.next(path)? {
                Next::Line(line) => {
                    number += 1;
                    across.note_lines(number);
                    driver.push(line, across)?;
                }
                Next::End => break,
                Next::Cut if partial || driver.has_failed() => break,
                Next::Cut => return Err(cut(path, number).into()),
            }
        }
        driver.cut_off(across)?;
        Ok(driver)
    })
}

fn preview(
    write: &Write<'_>,
    driver: &Driver,
    before: &BTreeMap<InstanceId, Standing>,
    changes: &Changes,
) -> Result<Vec<OriginPreview>> {
    let mut origins = Vec::new();
    for id in driver.identities().keys() {
        let of_it = changes.origins.get(id);
        origins.push(OriginPreview {
            id: *id,
            name: write.instance_name(id)?,
            standing: before.get(id).copied(),
            counts: of_it.map(|of_it| of_it.counts.clone()).unwrap_or_default(),
            samples: of_it.map(|of_it| of_it.samples.clone()).unwrap_or_default(),
        });
    }
    Ok(origins)
}
