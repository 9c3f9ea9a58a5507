//! Syncing: where it stands with each hub, what a sync would do, doing it, and what was done.

use askama::Template;
use wb_node::query::{peers, sync_log};
use wb_node::view::{PeerView, RunRecordView, RunView};

use crate::answer::Answer;
use crate::jobs::{Job, What};
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Exchanges listed on the page.
const RUNS_SHOWN: u64 = 20;

#[derive(Template)]
#[template(path = "sync.html")]
struct Page {
    shell: Shell,
    peers: Vec<PeerView>,
    runs: Vec<RunView>,
    job: Option<Job>,
}

impl Page {
    fn is_preview(job: &Job) -> bool {
        job.what == What::Preview
    }
}

/// The dashboard.
pub fn dashboard(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let (peers, runs) = (peers::peers(node)?, sync_log::runs(node, RUNS_SHOWN, None)?);
    let page = Page {
        shell: visit.shell("Sync"),
        peers,
        runs,
        job: visit.site.jobs.current(),
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "sync_run.html")]
struct RunPage {
    shell: Shell,
    run: RunView,
    records: Vec<RunRecordView>,
    /// Records beyond those that are listed.
    more: usize,
}

/// One exchange, with what came by it.
pub fn run(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let number = visit.param("run").parse().map_err(|_| Trouble::NotFound)?;
    let (run, mut records) = sync_log::run(visit.node()?, number)?;
    let more = records.len().saturating_sub(THINGS_SHOWN_MAX);
    records.truncate(THINGS_SHOWN_MAX);
    let page = RunPage {
        shell: visit.shell("An exchange"),
        run,
        records,
        more,
    };
    Ok(Answer::page(page.render()?))
}

/// Starts a sync.
pub fn now(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    start(visit, What::Sync)
}

/// Finds out what a sync would do.
pub fn preview(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    start(visit, What::Preview)
}

fn start(visit: &mut Visit<'_>, what: What) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let home = visit.site.config.home.clone();
    visit.site.jobs.start(what, home, actor);
    Ok(Answer::see("/sync"))
}
