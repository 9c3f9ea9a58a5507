//! A sync that somebody started on a page: it runs beside the pages, and they show how far it is.
//!
//! One at a time: the lock of the folder keeps other processes away, too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wb_core::id::InstanceId;
use wb_node::command::sync::{SyncInput, Synced, lock, sync};
use wb_node::plan::headline;
use wb_node::query::peers::goes_by_itself;
use wb_node::{Actor, Node, NodeError};
use wb_store::Home;

/// Rows of one list of a preview that are shown; the command line shows all.
const ROWS_MAX: usize = 500;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Taking and giving.
    Sync,
    /// Finding out what that would do.
    Preview,
}

/// How far it is.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub what: What,
    pub done: u64,
    pub total: u64,
    /// With whom it is now.
    pub peer: String,
    pub ended: bool,
    /// What came of it, a sentence for each peer.
    pub told: Vec<Told>,
    pub preview: Preview,
}

#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub is_good: bool,
    pub text: String,
}

/// What would leave, and what would change here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preview {
    pub leaves: Vec<Row>,
    pub lacks: Vec<Row>,
    pub comes: Vec<Row>,
    /// Whether there was more than is listed.
    pub is_cut: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub what: &'static str,
    pub kind: String,
    pub id: String,
    pub text: String,
    pub scope: String,
    pub home: String,
}

impl Job {
    /// How far it is, for a page that goes on by itself: done, of how many, and in words; or that it ended.
    pub fn progress(&self) -> String {
        match self.ended {
            true => "ended".to_owned(),
            false => format!("{} {} {}", self.done, self.total, self.sentence()),
        }
    }

    /// The same in words.
    pub fn sentence(&self) -> String {
        match (self.peer.as_str(), self.total) {
            ("", _) => "It begins.".to_owned(),
            (peer, 0) => format!("With {peer}."),
            (peer, total) => format!("With {peer}: {} of {total}.", self.done),
        }
    }
}

/// The one that runs, or ran last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<Option<Job>>>);

impl Jobs {
    /// As it is now.
    pub fn current(&self) -> Option<Job> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edit(&self, edit: impl FnOnce(&mut Job)) {
        if let Some(job) = self.lock().as_mut() {
            edit(job);
        }
    }

    /// Starts one, unless one runs: with one peer, or with all that are neither paused nor refused.
    pub fn start(&self, what: What, home: Home, actor: Actor, only: Option<InstanceId>) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|job| !job.ended) {
            return;
        }
        *current = Some(Job {
            what,
            done: 0,
            total: 0,
            peer: String::new(),
            ended: false,
            told: Vec::new(),
            preview: Preview::default(),
        });
        drop(current);
        let jobs = self.clone();
        let run = move || {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                jobs.run(what, &home, &actor, only)
            }));
            let trouble = match ended {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => {
                    Some("something failed here; what was taken until then is safe".to_owned())
                }
            };
            jobs.edit(|job| {
                job.told.extend(trouble.map(|text| Told {
                    is_good: false,
                    text,
                }));
                job.ended = true;
            });
        };
        if std::thread::Builder::new()
            .name("sync".to_owned())
            .spawn(run)
            .is_err()
        {
            self.edit(|job| job.ended = true);
        }
    }

    fn run(
        &self,
        what: What,
        home: &Home,
        actor: &Actor,
        only: Option<InstanceId>,
    ) -> Result<(), NodeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| NodeError::Refused(format!("a sync cannot be started: {error}")))?;
        let mut node = Node::open(home)?;
        let _lock = lock(&node)?;
        let input = SyncInput {
            pull: true,
            push: true,
            dry_run: what == What::Preview,
            wait: Duration::ZERO,
        };
        for peer in node.store().peers()? {
            let is_wanted = match only {
                Some(only) => peer.id == only,
                None => goes_by_itself(&node, &peer)?,
            };
            if !is_wanted {
                continue;
            }
            self.edit(|job| {
                job.peer.clone_from(&peer.name);
                (job.done, job.total) = (0, 0);
            });
            let mut progress = |done, total| self.edit(|job| (job.done, job.total) = (done, total));
            let synced = runtime.block_on(sync(&mut node, actor, peer, input, &mut progress))?;
            self.edit(|job| {
                job.told.push(told(what, &synced));
                let clock = synced.clock_words(&synced.peer.name);
                job.told.extend(clock.map(|text| Told {
                    is_good: false,
                    text,
                }));
                job.preview.add(&node, &synced);
            });
        }
        runtime.shutdown_background();
        Ok(())
    }
}

fn told(what: What, synced: &Synced) -> Told {
    let name = &synced.peer.name;
    if let Some((cause, detail)) = &synced.end {
        return Told {
            is_good: false,
            text: format!("{}: {detail}. Next: {}.", cause.about(name), cause.action()),
        };
    }
    let (tally, pushed) = (&synced.tally, &synced.pushed);
    let text = match what {
        What::Preview => format!("{name} answers; a sync would end well."),
        What::Sync => format!(
            "{name}: {} new, {} changed, {} gone here; {} given, {} taken back there.",
            tally.new, tally.changed, tally.gone, pushed.records, pushed.retracts
        ),
    };
    Told {
        is_good: true,
        text,
    }
}

impl Preview {
    fn add(&mut self, node: &Node, synced: &Synced) {
        let own = node.name();
        if let Some(plan) = &synced.plan {
            // The same for every hub, as nothing was sealed.
            let puts = plan.puts.iter().map(|put| Row {
                what: if put.is_new { "new" } else { "changed" },
                kind: put.leaving.kind().to_string(),
                id: put.leaving.id().to_string(),
                text: headline(put.leaving.kind().as_str(), put.leaving.body()),
                scope: put.leaving.scope().as_str().to_owned(),
                home: own.to_owned(),
            });
            let retracts = plan.retracts.iter().map(|retract| Row {
                what: "taken back",
                kind: retract.kind.clone(),
                id: retract.id.to_string(),
                text: String::new(),
                scope: retract.scope.as_str().to_owned(),
                home: own.to_owned(),
            });
            self.leaves = puts.chain(retracts).collect();
        }
        self.lacks.extend(synced.lacking.iter().map(|lacking| Row {
            what: if lacking.is_retract {
                "taken back"
            } else {
                "sent"
            },
            kind: lacking.kind.clone(),
            id: lacking.id.to_string(),
            text: lacking.headline.clone(),
            scope: lacking.scope.as_str().to_owned(),
            home: synced.peer.name.clone(),
        }));
        self.comes.extend(synced.changed.iter().map(|change| {
            let body = change.body.as_deref().unwrap_or_default();
            Row {
                what: change.difference.as_str(),
                kind: change.kind.to_string(),
                id: change.id.to_string(),
                text: headline(change.kind.as_str(), body),
                scope: String::new(),
                home: change.origin.short(),
            }
        }));
        for list in [&mut self.leaves, &mut self.lacks, &mut self.comes] {
            self.is_cut |= list.len() > ROWS_MAX;
            list.truncate(ROWS_MAX);
        }
    }
}
