//! Backups that a node makes by itself: as often as it was told, old ones removed after a good one.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use wb_core::backup::Keep;
use wb_core::time::Timestamp;
use wb_store::Home;

use crate::backup::rotate;
use crate::command::backup::{BackupInput, backup, usual_lock};
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::view::BackupView;

/// Between two looks at whether a backup is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long after one that failed it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(3_600);

/// How a node makes backups by itself.
#[derive(Debug, Clone)]
pub struct AutoBackup {
    /// Its folder.
    pub home: Home,
    /// Where backups go; none are made without it.
    pub dir: Option<PathBuf>,
    /// How often.
    pub every: Duration,
    /// Which are kept.
    pub keep: Keep,
}

/// A backup that was made, and the older ones that went.
#[derive(Debug)]
pub struct Made {
    /// The new one.
    pub backup: BackupView,
    /// Those that had outlived their time.
    pub removed: Vec<PathBuf>,
}

/// Makes backups until told to stop, and removes what upgrades kept and has had its time. Call it on a thread of its own: the database is used in place.
pub fn auto_backup(
    settings: &AutoBackup,
    mut stop: watch::Receiver<bool>,
    report: &dyn Fn(&Made),
    trouble: &dyn Fn(&NodeError),
) {
    let mut failed: Option<Timestamp> = None;
    while !is_stopped(&stop) {
        let now = crate::entropy::now();
        let waits = failed.is_some_and(|at| is_before(now, at, AGAIN_AFTER));
        if !waits {
            match make_if_due(settings, &stop) {
                Ok(Some(made)) => {
                    failed = None;
                    report(&made);
                }
                Ok(None) => failed = None,
                Err(_) if is_stopped(&stop) => return,
                Err(error) => {
                    trouble(&error);
                    failed = Some(now);
                }
            }
        }
        pause(&mut stop);
    }
}

fn is_before(now: Timestamp, from: Timestamp, wait: Duration) -> bool {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    // A clock that was set back makes nothing wait for years.
    now >= from && now < from.plus_ms(wait)
}

fn make_if_due(settings: &AutoBackup, stop: &watch::Receiver<bool>) -> Result<Option<Made>> {
    drop_old_snapshots(&settings.home);
    let Some(dir) = &settings.dir else {
        return Ok(None);
    };
    let node = Node::open(&settings.home)?;
    let last = node.store.private().last_scheduled_backup()?;
    let last = last.filter(|row| row.problem.is_none());
    if last.is_some_and(|row| is_before(node.now(), row.at, settings.every)) {
        return Ok(None);
    }
    let actor = node.actor(None)?;
    std::fs::create_dir_all(dir).map_err(NodeError::file(dir))?;
    let input = BackupInput {
        to: dir,
        lock: usual_lock(&node.store)?,
        hub: true,
        scheduled: true,
    };
    let mut going = |_, _, _| match is_stopped(stop) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let backup = backup(&node, &actor, &input, &mut going)?;
    let removed = rotate(dir, &node.own_id(), settings.keep)?;
    Ok(Some(Made { backup, removed }))
}

fn drop_old_snapshots(home: &Home) {
    let now = crate::entropy::now().unix_ms_clamped();
    let now = std::time::UNIX_EPOCH + Duration::from_millis(now);
    drop(home.drop_old_snapshots(now));
}

fn is_stopped(stop: &watch::Receiver<bool>) -> bool {
    // Whoever could say so being gone means the same.
    *stop.borrow() || stop.has_changed().is_err()
}

/// Waits for the next look, or for the end.
fn pause(stop: &mut watch::Receiver<bool>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let Ok(runtime) = runtime else {
        std::thread::sleep(LOOK_EVERY);
        return;
    };
    runtime.block_on(async {
        // Either is a reason to look.
        let _ = tokio::time::timeout(LOOK_EVERY, stop.wait_for(|stop| *stop)).await;
    });
}
