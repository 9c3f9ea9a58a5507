//! `wb import whiteballoon`: moves the database of the Python program over.
//!
//! Promises that nothing becomes visible to others by moving: what was private stays private, what
//! cannot be shared as it stands stays home, and nothing leaves before something is published. Every
//! row gets one id for ever (`legacy_map`), so a second import of the same file, or of the file grown
//! since, adds what is new and doubles nothing; what was changed here since wins.
//!
//! Both files change in one transaction each, the private one first. A crash between the two leaves
//! accounts and ids without records; the next import finds the ids and writes the records. A dry run
//! is the import itself with both transactions dropped, so it cannot say anything else than what then
//! happens. What a row becomes is in the file named after it.

mod comments;
mod handles;
mod ids;
mod invites;
mod problem;
mod report;
mod requests;
mod run;
mod sharing;
mod source;
mod users;
mod vouches;

use std::path::Path;

use wb_store::legacy::read_through;
use wb_store::{Role, StoreError};

pub use problem::{Done, Found, Problem, Trouble};
pub use report::{Report, TableCount};
pub use sharing::Sharing;

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use run::Import;

/// How to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportWhiteballoon {
    /// Say what would happen, and change nothing.
    pub dry_run: bool,
    /// The file is of another community although most of its members seem to be here already.
    pub another: bool,
}

/// Why the private transaction is not kept.
enum Stop {
    /// It was a dry run.
    Rehearsed(Box<Report>),
    /// Something failed.
    Failed(NodeError),
}

impl From<NodeError> for Stop {
    fn from(error: NodeError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Imports an `app.db`, or says what importing it would do; only an admin can. `progress` hears how
/// many rows of how many were looked at.
///
/// # Errors
/// That the actor may not, why the file cannot be read, that it seems to be here already under
/// another first user, or what the store reports. Nothing counts then, unless the very last step
/// failed: then the next import goes on from there.
pub fn import_whiteballoon(
    node: &mut Node,
    actor: &Actor,
    path: &Path,
    input: ImportWhiteballoon,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report> {
    if actor.role != Role::Admin {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "import a database",
            why: "it makes accounts, and only an admin does that without an invite",
        });
    }
    // The private copy that is read holds everything, so it stays on the disk of this node.
    let dump = read_through(path, node.store.home().dir())?;
    let (node, now) = (&*node, node.now());
    let write = node.store.write_in_sight()?;
    let done = node.store.private().together(|private| {
        if !input.another {
            source::check(private, &dump)?;
        }
        let mut import = Import::new(node.own_id(), &write, private, &dump, progress)?;
        import.run(&dump)?;
        let (mut report, public) = import.finish();
        report.sharing = sharing::count(&crate::plan::whole(node, now)?, &public);
        report.dry_run = input.dry_run;
        if input.dry_run {
            return Err(Stop::Rehearsed(Box::new(report)));
        }
        if report.changes() > 0 {
            let detail = format!("{} rows of source {}", report.changes(), report.source);
            node.audit_before(now, actor, "import whiteballoon", &path.display(), detail)?;
        }
        Ok(report)
    });
    match done {
        Ok(report) => {
            write.commit()?;
            // What was deleted in the old program must not stay behind in the log file.
            if report.deleted_now > 0 {
                node.store.checkpoint()?;
            }
            Ok(report)
        }
        Err(Stop::Rehearsed(report)) => Ok(*report),
        Err(Stop::Failed(error)) => Err(error),
    }
}
