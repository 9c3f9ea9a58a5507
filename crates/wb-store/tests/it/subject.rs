//! The store as a [`Subject`]: a real instance in a real SQLite file, following feeds of others.

use tempfile::TempDir;
use wb_core::feed::{
    Delta, Early, Outcome as Answer, Progress, Refusal, SnapshotOutcome, SnapshotReader,
};
use wb_core::id::RecordId;
use wb_core::identity::{IdentityLog, found};
use wb_core::live::LiveHash;
use wb_core::scope::FeedScope;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_store::{Filter, Founding, Home, Standing, Store, Write};
use zeroize::Zeroizing;

use crate::histories::Subject;
use crate::naive::{FeedView, HiddenView, Outcome, ShownView};

/// When everything in these tests happens.
const NOW: &str = "2026-11-22T10:23:59.123Z";
/// Seed of the follower's own signing key.
const OWN_SEED: [u8; 32] = [7; 32];

/// A store that takes one step a transaction.
#[derive(Debug)]
pub struct InStore {
    scopes: Vec<FeedScope>,
    store: Store,
    /// The folder of the files, until the subject is dropped.
    _dir: TempDir,
}

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

impl InStore {
    pub fn new(scopes: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let signer = Signer::from_seed(&Zeroizing::new(OWN_SEED));
        let line = found(&signer, wb_core::hash::sha256(b"no words"), now());
        let identity = IdentityLog::verify(None, &[line]).expect("a good founding");
        let founding = Founding {
            identity: &identity,
            name: "follower",
            founder: RecordId::new(now(), [1; 10]),
            incarnation: "test".to_owned(),
            node_secret: &[2; 32],
            now: now(),
        };
        let home = Home::new(dir.path().join("node"));
        let scopes = scopes.iter().map(|scope| scope.parse().expect("a scope"));
        Self {
            scopes: scopes.collect(),
            store: Store::create(&home, &founding).expect("a new store"),
            _dir: dir,
        }
    }

    fn in_transaction(&mut self, take: impl FnOnce(&Write<'_>) -> Outcome) -> Outcome {
        let write = self.store.write().expect("a transaction");
        let outcome = take(&write);
        write.commit().expect("a commit");
        outcome
    }

    fn follows(&self, scope: FeedScope) -> bool {
        self.scopes.contains(&scope)
    }
}

fn refused(refusal: &Refusal) -> Outcome {
    Outcome::refused(refusal.rule.as_str())
}

fn take_snapshot(write: &Write<'_>, lines: &[String]) -> Result<Outcome, Refusal> {
    let ingest = write.ingest(now());
    let mut reader = SnapshotReader::start(lines.first().map_or("", String::as_str).as_bytes())?;
    let origin = reader.totals().origin;
    let identity = write.identity_log(&origin).expect("a readable log");
    let (mut placed, mut taken) = (None, None);
    for line in lines.iter().skip(1) {
        match (reader.push(line.as_bytes(), identity.as_ref())?, &taken) {
            (Progress::Item(item), Some(taken)) => {
                ingest.snapshot_item(taken, &item).expect("a stored item");
            }
            (Progress::Item(item), None) if placed == Some(SnapshotOutcome::Duplicate) => {
                ingest.fill_item(&item).expect("a filled stub");
            }
            (Progress::Retracted(pairs), Some(taken)) => {
                ingest
                    .snapshot_retracted(taken, &pairs)
                    .expect("stored marks");
            }
            _ => {}
        }
        if placed.is_none() && reader.is_placed() {
            let answer = ingest.place_snapshot(&mut reader, identity.as_ref());
            let (outcome, begun) = answer.expect("a readable feed")?;
            (placed, taken) = (Some(outcome), begun);
        }
    }
    match &taken {
        Some(taken) => ingest
            .finish_snapshot(&reader, taken)
            .expect("a stored snapshot")?,
        None => reader.finish()?,
    }
    Ok(match placed {
        Some(SnapshotOutcome::Early) => Outcome::early("identity"),
        Some(outcome) => Outcome::plain(outcome.as_str()),
        None => unreachable!("a finished snapshot was placed"),
    })
}

impl Subject for InStore {
    fn identity(&mut self, lines: &[String]) -> Outcome {
        match IdentityLog::verify(None, lines) {
            Err(error) => Outcome::refused(error.rule.as_str()),
            Ok(log) => self.in_transaction(|write| {
                let merge = write.put_identity(&log, Standing::Approved, now());
                Outcome::plain(merge.expect("a stored log").as_str())
            }),
        }
    }

    fn delta(&mut self, header: &str, items: &[String]) -> Outcome {
        let delta = match Delta::read(header.as_bytes(), items) {
            Ok(delta) => delta,
            Err(refusal) => return refused(&refusal),
        };
        if !self.follows(delta.header.scope) {
            return Outcome::plain("not_followed");
        }
        self.in_transaction(|write| {
            match write.ingest(now()).delta(&delta).expect("a readable feed") {
                Answer::Refused(refusal) => refused(&refusal),
                Answer::Early(Early::Gap) => Outcome::early("gap"),
                Answer::Early(Early::Identity) => Outcome::early("identity"),
                other => Outcome::plain(other.as_str()),
            }
        })
    }

    fn snapshot(&mut self, lines: &[String]) -> Outcome {
        // Dropped, the transaction changes nothing.
        let write = self.store.write().expect("a transaction");
        match take_snapshot(&write, lines) {
            Err(refusal) => refused(&refusal),
            Ok(outcome) => {
                write.commit().expect("a commit");
                outcome
            }
        }
    }

    fn fill(&mut self, line: &str) -> Outcome {
        self.in_transaction(|write| {
            let filled = write.ingest(now()).fill(line.as_bytes());
            match filled.expect("a readable feed") {
                Ok(true) => Outcome::plain("filled"),
                Ok(false) => Outcome::plain("not_wanted"),
                Err(rule) => Outcome::refused(rule.as_str()),
            }
        })
    }

    fn feeds(&self) -> Vec<FeedView> {
        let feeds = self.store.served().feeds().expect("readable feeds");
        let view = |feed: wb_store::FeedRow| FeedView {
            origin: feed.held.origin.to_string(),
            scope: feed.held.scope.as_str().to_owned(),
            log: feed.held.log.to_string(),
            generation: feed.held.generation,
            seq: feed.held.seq,
            head: feed.held.hash.to_string(),
            live: self.live_digest(&feed),
            live_n: feed.live_n,
            forked: feed.forked,
        };
        let mut views: Vec<FeedView> = feeds.into_iter().map(view).collect();
        views.sort();
        views
    }

    fn shown(&self) -> Vec<ShownView> {
        let rows = self
            .store
            .records(&Filter::default())
            .expect("readable records");
        let others = rows.into_iter().filter(|row| row.standing != Standing::Own);
        let mut views: Vec<ShownView> = others
            .map(|row| ShownView {
                origin: row.key.origin.to_string(),
                id: row.key.id.to_string(),
                rev: row.rev,
                scope: row.scope.as_str().to_owned(),
                line_hash: row
                    .line_hash
                    .expect("a line of another instance")
                    .to_string(),
            })
            .collect();
        views.sort();
        views
    }

    fn hidden(&self) -> Vec<HiddenView> {
        let lines = self.store.hidden_lines().expect("readable records");
        let mut views: Vec<HiddenView> = lines
            .into_iter()
            .map(|line| HiddenView {
                origin: line.key.origin.to_string(),
                id: line.key.id.to_string(),
                rev: line.rev,
                scope: line.scope.as_str().to_owned(),
                cause: line.cause,
            })
            .collect();
        views.sort();
        views
    }
}

impl InStore {
    /// The digest over what a snapshot of the feed would list: served, and not the stored lanes.
    fn live_digest(&self, feed: &wb_store::FeedRow) -> String {
        let rows = self
            .store
            .served()
            .snapshot(&feed.held.origin, feed.held.scope);
        let rows = rows.expect("a readable feed").expect("a feed that is held");
        let mut live = LiveHash::default();
        let header = wb_core::feed::Header::read(&rows.head)
            .expect("a stored header")
            .0;
        self.store
            .served()
            .each_live(&rows, |item| {
                let item = wb_core::feed::Item::read(item, &header).expect("a stored item");
                live.add(&item.entry.live_element().expect("a put"));
                Ok::<(), wb_store::StoreError>(())
            })
            .expect("readable lines");
        live.digest().to_string()
    }
}

/// The files are sound, and making what is shown again changes nothing.
impl Drop for InStore {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for finding in self.store.check().expect("a check") {
            assert!(
                finding.problems.is_empty(),
                "{}: {:?}",
                finding.check,
                finding.problems
            );
        }
    }
}
