//! Syncing: where it stands with each hub, what a sync would do, doing it, and what was done.

use askama::Template;
use wb_core::id::InstanceId;
use wb_node::query::backups::backup_state;
use wb_node::query::conflicts::conflicts;
use wb_node::query::inbox::vouches_ending;
use wb_node::query::peer_holds::{HoldsPage, Of, peer_holds};
use wb_node::query::sync_log::{RunsPage, runs_page};
use wb_node::query::{peers, sync_log};
use wb_node::view::{BackupState, InboxView, PeerView, RunRecordView, RunView};

use super::inbox::{Way, with_ways};
use crate::answer::Answer;
use crate::jobs::{Job, What};
use crate::limits::{ROWS_PER_PAGE, THINGS_SHOWN_MAX};
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Exchanges listed on the page.
const RUNS_SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "sync.html")]
struct Page {
    shell: Shell,
    peers: Vec<PeerView>,
    runs: RunsPage,
    job: Option<Job>,
    backup: BackupState,
    /// Requests about which a home and those who help disagree.
    contested: usize,
    /// Vouches of this community that end soon.
    vouches_end: Vec<(InboxView, Option<Way>)>,
}

impl Page {
    fn is_preview(job: &Job) -> bool {
        job.what == What::Preview
    }
}

/// The dashboard.
pub fn dashboard(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    // Looked at first: where it has ended, what is read after it is of after its end.
    let job = visit.site.jobs.current();
    let node = visit.node()?;
    let (peers, runs) = (
        peers::peers(node)?,
        runs_page(node, None, RUNS_SHOWN, None)?,
    );
    let backup = backup_state(node)?;
    let contested = conflicts(node)?.len();
    let vouches_end = with_ways(node, vouches_ending(node)?)?;
    let page = Page {
        shell: visit.shell("Sync"),
        peers,
        runs,
        job,
        backup,
        contested,
        vouches_end,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "sync_runs.html")]
struct Runs {
    shell: Shell,
    runs: RunsPage,
}

/// Exchanges, also the older ones.
pub fn runs(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let before = visit.query.word("before");
    let before = before.and_then(|before| before.parse().ok());
    let page = Runs {
        runs: runs_page(visit.node()?, before, ROWS_PER_PAGE, None)?,
        shell: visit.shell("Exchanges"),
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "sync_holds.html")]
struct Holds {
    shell: Shell,
    peer: InstanceId,
    home: InstanceId,
    /// Which list, as its address says.
    which: &'static str,
    title: &'static str,
    page: HoldsPage,
}

/// What a hub has of ours, record by record.
pub fn has(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    holds(visit, Of::Has, "has", "It has of ours")
}

/// What it lacks.
pub fn lacks(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    holds(visit, Of::Lacks, "lacks", "It lacks of ours")
}

/// What was taken back, and it does not know yet.
pub fn lacks_retracts(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let title = "Taken back, and not there yet";
    holds(visit, Of::LacksRetracts, "taken-back", title)
}

fn holds(
    visit: &mut Visit<'_>,
    of: Of,
    which: &'static str,
    title: &'static str,
) -> Result<Answer, Trouble> {
    let peer = visit.param("home").parse().map_err(|_| Trouble::NotFound)?;
    let after = visit.query.word("after");
    let after = after.and_then(|after| after.parse().ok());
    let node = visit.node()?;
    let page = peer_holds(node, &peer, of, after, ROWS_PER_PAGE)?;
    let page = Holds {
        home: node.own_id(),
        shell: visit.shell(title),
        peer,
        which,
        title,
        page,
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
    visit.site.jobs.start(what, home, actor, None);
    Ok(Answer::see("/sync"))
}
