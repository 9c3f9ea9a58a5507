//! `wb hub move`: everything a hub keeps, from the store it is in to another one.
//!
//! The order is: keep everybody else out, copy, bring to the disk, read both and hold them against each other, leave the
//! one store, open the other. Ended at any place it is begun again by the same command: until the last two steps the
//! hub is where it was, and from the first of them on nobody uses the old one.

mod told;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use wb_hub::moving::{
    Compared, Difference, FileFilling, FileRows, Filling, MoveProblem, Rows, compare, copy,
};
use wb_hub_pg::moving::{PgFilling, PgSource, Place, look};
use wb_hub_pg::{Address, PgError};
use wb_node::settings::StoreAddress;
use wb_node::{ErrorKind, Node, NodeError};
use wb_store::Home;
use wb_store::relay::Relay;

use super::hub_up::HubLock;
use super::serve::{in_use, runtime};
use crate::context::Context;
use crate::failure::Failure;
use crate::hub_store::{self, StoreArg, failed, note_elsewhere, noted_elsewhere};
use told::{Telling, next, show};

/// The word for a file in the hub's folder.
const FILE: &str = "file";
/// Where it goes, when no argument says so; with `_FILE` a file that holds it.
const TO: &str = "WB_MOVE_TO";
/// Beside `hub.db` while it is filled, and when it was left.
const FILLING: &str = "hub.db.moving";
const LEFT: &str = "hub.db.moved";

/// Move what the hub of this folder keeps to another store, and check it line for line
#[derive(Debug, Args)]
pub struct Move {
    /// Where it goes: `file`, or postgres://USER@HOST/DATABASE of an empty database. With a password, use --to-file
    #[arg(long, value_name = "STORE", conflicts_with = "to_file")]
    to: Option<StoreAddress>,
    /// The file in which that stands
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArg,
}

/// A store.
enum Store {
    File,
    Postgres(Address),
}

/// One move: of whom, and between which places, in words without a password.
struct Job<'c> {
    context: &'c Context,
    node: &'c Node,
    runtime: tokio::runtime::Runtime,
    from: String,
    to: String,
    is_into_file: bool,
}

/// Moves it.
pub fn run(context: &Context, args: &Move) -> Result<()> {
    let node = context.node()?;
    let home = node.store().home();
    let _in_use = in_use(context)?;
    let from = match hub_store::address(context, &args.store)? {
        Some(address) => Store::Postgres(address),
        None => Store::File,
    };
    let to = destination(args)?;
    let in_words = |store: &Store| match store {
        Store::File => format!("hub.db in {}", home.dir().display()),
        Store::Postgres(address) => address.to_string(),
    };
    let job = Job {
        context,
        node: &node,
        runtime: runtime()?,
        from: in_words(&from),
        to: in_words(&to),
        is_into_file: matches!(to, Store::File),
    };
    let _lock = keep_out(&node)?;
    match (from, to) {
        (Store::File, Store::Postgres(to)) => job.out_of_file(&to),
        (Store::Postgres(from), Store::File) => job.into_file(&from),
        (Store::Postgres(from), Store::Postgres(to)) if job.from != job.to => job.between(&from, &to),
        _ => Err(Failure::usage(
            format!("the hub is in {} already", job.to),
            "the source is what is set with --store, WB_STORE or hub.store, and without that the file; nothing was done",
        )
        .into()),
    }
}

/// Where it goes, as an argument, a file or the environment says.
fn destination(args: &Move) -> Result<Store> {
    let first_line = |path: &Path| -> Result<StoreAddress> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Ok(text.lines().next().unwrap_or_default().trim().parse()?)
    };
    let in_file = std::env::var_os(format!("{TO}_FILE")).map(PathBuf::from);
    let set = match (&args.to, &args.to_file) {
        (Some(to), _) => Some(to.clone()),
        (None, Some(file)) => Some(first_line(file)?),
        (None, None) => match std::env::var(TO) {
            Ok(to) => Some(to.parse()?),
            Err(_) => in_file.as_deref().map(first_line).transpose()?,
        },
    };
    let Some(set) = set else {
        return Err(Failure::usage(
            "where the hub goes is not said",
            "name it with --to, or in the file that --to-file or WB_MOVE_TO_FILE names; nothing was done",
        )
        .into());
    };
    if set.text() == FILE {
        return Ok(Store::File);
    }
    let address: std::result::Result<Address, PgError> = set.text().parse();
    address.map(Store::Postgres).map_err(|error| {
        Failure::usage(
            format!("where the hub goes: {error}"),
            "say `file`, or an address, with --to or in the file that --to-file names; nothing was done",
        )
        .into()
    })
}

impl Job<'_> {
    fn home(&self) -> &Home {
        self.node.store().home()
    }

    fn wait<T>(&self, work: impl Future<Output = std::result::Result<T, PgError>>) -> Result<T> {
        self.runtime.block_on(work).map_err(failed)
    }

    /// From the file into a database.
    fn out_of_file(&self, to: &Address) -> Result<()> {
        let (home, own) = (self.home(), self.node.own_id());
        let path = home.hub();
        let noted = noted_elsewhere(home);
        let there = self.wait(look(to))?;
        let is_ours = matches!(there, Place::Hub { owner, .. } if owner == Some(own));
        if is_ours && noted.as_deref() == Some(&self.to) {
            // It was opened, and this ended before the last step.
            set_aside(&path)?;
            return self.was_moved();
        }
        let is_begun = matches!(there, Place::Filling(_)) && noted.as_deref() == Some(&self.to);
        if let Some(elsewhere) = noted.filter(|_| !is_begun) {
            return Err(Failure::usage(
                format!("the data of this hub are in {elsewhere}"),
                "name that with --store or in the file that WB_STORE_FILE names; nothing was done",
            )
            .into());
        }
        hub_store::check_there(home)?;
        let mut relay = Relay::existing(&path).map_err(NodeError::from)?;
        // Whoever would write waits, and is told that it is busy.
        let held = relay.hold(&self.to).map_err(NodeError::from)?;
        let mut filling = self.wait(PgFilling::begin(to, own, &self.from))?;
        let rows = FileRows::new(&path);
        let filled = self.copy(&rows, &mut filling);
        let compared = filled
            .and_then(|()| self.wait(filling.finish()))
            .and_then(|()| self.compare(&rows, &filling));
        let compared = match compared {
            Ok(compared) => compared,
            Err(error) => {
                let _ = self.wait(filling.give_up());
                return Err(error);
            }
        };
        // From here on the file begins no hub; should this end now, the same command goes on.
        note_elsewhere(home, Some(to))?;
        held.leave(&self.to).map_err(NodeError::from)?;
        self.wait(filling.open())?;
        relay.checkpoint().map_err(NodeError::from)?;
        drop(relay);
        set_aside(&path)?;
        self.done(&compared)
    }

    /// From a database into the file.
    fn into_file(&self, from: &Address) -> Result<()> {
        let home = self.home();
        let path = home.hub();
        let there = self.wait(look(from))?;
        if there == Place::Left(self.to.clone()) && path.exists() {
            note_elsewhere(home, None)?;
            return self.was_moved();
        }
        if path.exists() {
            return Err(failure(
                format!("there is {} already", self.to),
                ErrorKind::Conflict,
                "move that file away, or delete it; nothing was done",
            ));
        }
        let filling_at = home.dir().join(FILLING);
        remove(&filling_at)?;
        let source = self.wait(PgSource::hold(from, self.node.own_id(), &self.to))?;
        let filled = self.fill(source.rows(), &filling_at);
        let compared = match filled {
            Ok(compared) => compared,
            Err(error) => {
                let _ = self.wait(source.stay());
                return Err(error);
            }
        };
        self.wait(source.leave())?;
        std::fs::rename(&filling_at, &path).with_context(|| path.display().to_string())?;
        sync_folder(home.dir())?;
        note_elsewhere(home, None)?;
        self.done(&compared)
    }

    fn fill(&self, from: &impl Rows, path: &Path) -> Result<Compared> {
        let mut filling = FileFilling::begin(path).map_err(NodeError::from)?;
        self.copy(from, &mut filling)?;
        let filled = filling.finish().map_err(NodeError::from)?;
        self.compare(from, &filled)
    }

    /// From a database into another one.
    fn between(&self, from: &Address, to: &Address) -> Result<()> {
        let own = self.node.own_id();
        let places = (self.wait(look(from))?, self.wait(look(to))?);
        if let (Place::Left(left_for), Place::Hub { owner, .. }) = &places
            && (left_for, *owner) == (&self.to, Some(own))
        {
            note_elsewhere(self.home(), Some(to))?;
            return self.was_moved();
        }
        let source = self.wait(PgSource::hold(from, own, &self.to))?;
        let filled = self.fill_database(&source, to);
        let (filling, compared) = match filled {
            Ok(filled) => filled,
            Err(error) => {
                let _ = self.wait(source.stay());
                return Err(error);
            }
        };
        self.wait(source.leave())?;
        self.wait(filling.open())?;
        note_elsewhere(self.home(), Some(to))?;
        self.done(&compared)
    }

    fn fill_database(&self, source: &PgSource, to: &Address) -> Result<(PgFilling, Compared)> {
        let mut filling = self.wait(PgFilling::begin(to, self.node.own_id(), &self.from))?;
        self.copy(source.rows(), &mut filling)?;
        self.wait(filling.finish())?;
        let compared = self.compare(source.rows(), &filling)?;
        Ok((filling, compared))
    }

    fn copy(&self, from: &impl Rows, to: &mut impl Filling) -> Result<()> {
        let mut telling = Telling::new(self.context, "copying");
        let copied = copy(from, to, &mut |progress| telling.tell(progress));
        telling.end();
        copied.map_err(|problem| broken_off(&problem))
    }

    /// Reads both. What differs is an error, after all tables were shown.
    fn compare(&self, from: &impl Rows, to: &impl Rows) -> Result<Compared> {
        let mut telling = Telling::new(self.context, "checking");
        let compared = compare(from, to, &mut |progress| telling.tell(progress));
        telling.end();
        let compared = compared.map_err(|problem| broken_off(&problem))?;
        let Some(Difference { table, key, what }) = &compared.difference else {
            return Ok(compared);
        };
        show(self.context, (&self.from, &self.to), &compared, false)?;
        Err(failure(
            format!(
                "what was copied is not the same: table {}, {key}: {what}",
                table.name()
            ),
            ErrorKind::Verification,
            "nothing was switched: the hub is where it was; look at it with `wb doctor`, and begin again with the same command",
        ))
    }

    fn done(&self, compared: &Compared) -> Result<()> {
        show(self.context, (&self.from, &self.to), compared, true)?;
        next(self.context, &self.to, self.is_into_file);
        Ok(())
    }

    fn was_moved(&self) -> Result<()> {
        let to = &self.to;
        self.context.say(format!(
            "The hub was moved to {to} before; what was left to do is done."
        ));
        next(self.context, to, self.is_into_file);
        Ok(())
    }
}

fn failure(message: String, kind: ErrorKind, hint: &str) -> anyhow::Error {
    Failure {
        message,
        kind,
        hint: Some(hint.to_owned()),
    }
    .into()
}

/// What a store said while it was read or filled.
fn broken_off(problem: &MoveProblem) -> anyhow::Error {
    let hint = "nothing was switched: the hub is where it was; the same command begins again";
    failure(problem.to_string(), ErrorKind::Failed, hint)
}

/// No process of this folder runs, and none starts.
fn keep_out(node: &Node) -> Result<HubLock> {
    HubLock::take(node, false).map_err(|error| match error.downcast::<Failure>() {
        Ok(running) => failure(
            running.message,
            running.kind,
            "stop it first; members try again by themselves until it is back. Nothing was done",
        ),
        Err(error) => error,
    })
}

/// Names a file that the hub has left.
fn set_aside(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let left = path.with_file_name(LEFT);
    remove(&left)?;
    std::fs::rename(path, &left).with_context(|| path.display().to_string())?;
    // Its log was emptied into it.
    remove(path)?;
    sync_folder(path.parent().unwrap_or(path))
}

/// Removes a database and what lies beside it, where they are.
fn remove(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| path.display().to_string());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Names of files are on the disk for good.
fn sync_folder(dir: &Path) -> Result<()> {
    let synced = std::fs::File::open(dir).and_then(|dir| dir.sync_all());
    synced.with_context(|| dir.display().to_string())
}
