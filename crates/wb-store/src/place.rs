//! Unpacking an instance into a folder of its own, and giving its files their places, the key last.
//!
//! A folder without a signing key is no instance, so that a cut at any moment leaves either what was there,
//! moved aside and named, or what was restored, or no instance. Nothing is ever removed.

use std::fs;
use std::path::{Path, PathBuf};

use wb_core::backup::PartName;
use wb_core::id::InstanceId;

use crate::doctor::Findings;
use crate::error::{Result, StoreError};
use crate::home::{Home, sync_names};
use crate::in_use::InUse;
use crate::relay::Relay;
use crate::scratch::{Purpose, Scratch};
use crate::sql::Sql;
use crate::store::Store;

/// What belongs to an instance beside the parts of a backup.
const BESIDE: [&str; 2] = ["guard.json", "identity.jsonl"];
/// What SQLite and upgrades keep beside a database.
const BESIDE_DATABASES: [&str; 4] = ["-wal", "-shm", "-journal", ".v"];

/// An instance that is being unpacked beside the files of a home.
#[derive(Debug)]
pub struct Placing {
    home: Home,
    scratch: Scratch,
    _alone: InUse,
}

/// Where the files that were there are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The folder; none when nothing was there.
    pub dir: Option<PathBuf>,
}

impl Placing {
    /// Begins in a folder where nothing runs; makes the folder when it is missing.
    ///
    /// # Errors
    /// `AlreadyFounded` when something is there and `replace` was not said, `Runs`, or what stands in the way.
    pub fn begin(home: &Home, replace: bool) -> Result<Self> {
        home.create()?;
        let alone = InUse::alone(home)?;
        if !replace && !is_settings_only(&present(home)?) {
            return Err(StoreError::AlreadyFounded(home.dir().to_owned()));
        }
        crate::scratch::sweep(home.dir());
        let scratch =
            Scratch::new(home.dir(), Purpose::Restore).map_err(StoreError::io(home.dir()))?;
        Ok(Self {
            home: home.clone(),
            scratch,
            _alone: alone,
        })
    }

    /// Where a part is unpacked to.
    #[must_use]
    pub fn path(&self, name: PartName) -> PathBuf {
        self.scratch.file(name.as_str())
    }

    /// The home that is being replaced.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The instance whose files are there, as far as they can be read.
    #[must_use]
    pub fn replaces(&self) -> Option<InstanceId> {
        let main = crate::copies::open(&self.home.main()).ok()?;
        let sql = "SELECT id FROM instances WHERE standing = 'self'";
        let id: Sql<InstanceId> = main.query_row(sql, [], |row| row.get(0)).ok()?;
        Some(id.0)
    }

    /// Brings what was unpacked to the newest formats and checks it. Gives whose it is, and what was found.
    ///
    /// # Errors
    /// What stands in the way of opening it.
    pub fn check(&self) -> Result<(InstanceId, Findings)> {
        let unpacked = Home::new(self.scratch.path());
        let mut store = Store::open(&unpacked)?;
        let id = store.own_id()?;
        let mut findings = store.check()?;
        // It has no guard, and is not to have one.
        findings.retain(|finding| finding.check != "guard against restored copies");
        drop(store);
        if unpacked.hub().exists() {
            drop(crate::open::open(
                &unpacked.hub(),
                crate::open::RELAY,
                crate::open::Opening::Upgrade,
            )?);
            findings.extend(Relay::existing(&unpacked.hub())?.check()?);
        }
        Ok((id, findings))
    }

    /// Moves what is there into a folder named by `stamp`, and what was unpacked into its place.
    ///
    /// # Errors
    /// What the operating system reports; the message says where files are.
    pub fn finish(self, names: &[PartName], stamp: &str) -> Result<Replaced> {
        let there = present(&self.home)?;
        let aside = free_name(self.home.dir(), &format!("before-restore-{stamp}"));
        let brings_settings = names.contains(&PartName::Config);
        let dir = if there.is_empty() || (is_settings_only(&there) && !brings_settings) {
            None
        } else {
            Home::new(&aside).create()?;
            for path in &there {
                let name = path.file_name().unwrap_or_default();
                rename(path, &aside.join(name))?;
            }
            sync_names(&aside).map_err(StoreError::io(&aside))?;
            Some(aside)
        };
        // The key is the last in the order of parts: only with it is there an instance.
        for name in names {
            if *name == PartName::Identity {
                continue;
            }
            let from = self.path(*name);
            let sync = fs::File::open(&from).and_then(|file| file.sync_all());
            sync.map_err(StoreError::io(&from))?;
            if *name == PartName::Key {
                // What the key makes an instance of is on the disk before it.
                sync_names(self.home.dir()).map_err(StoreError::io(self.home.dir()))?;
            }
            rename(&from, &self.home.part(*name))?;
        }
        sync_names(self.home.dir()).map_err(StoreError::io(self.home.dir()))?;
        Ok(Replaced { dir })
    }
}

/// A name that nothing has: what was moved aside is never written over.
fn free_name(dir: &Path, name: &str) -> PathBuf {
    let numbered = (2_u32..).map(|n| dir.join(format!("{name}-{n}")));
    let mut names = std::iter::once(dir.join(name)).chain(numbered);
    let free = names.find(|path| !path.exists());
    free.expect("numbers do not end before names do")
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(StoreError::io(to))
}

/// Files of an instance that are in a folder, the signing key first: moved first, it leaves no instance.
fn present(home: &Home) -> Result<Vec<PathBuf>> {
    let dir = home.dir();
    let entries = fs::read_dir(dir).map_err(StoreError::io(dir))?;
    let mut names: Vec<String> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io(dir))?;
        if let Ok(name) = entry.file_name().into_string()
            && belongs(&name)
        {
            names.push(name);
        }
    }
    names.sort_by_key(|name| (name != PartName::Key.as_str(), name.clone()));
    Ok(names.iter().map(|name| dir.join(name)).collect())
}

/// Settings alone are no instance: they may have been put there for the one to come.
fn is_settings_only(there: &[PathBuf]) -> bool {
    there
        .iter()
        .all(|path| path.ends_with(PartName::Config.as_str()))
}

fn belongs(name: &str) -> bool {
    let mut parts = PartName::ALL.into_iter();
    let is_beside = |part: PartName| {
        let rest = name
            .strip_prefix(part.as_str())
            .filter(|_| part.is_database());
        rest.is_some_and(|rest| {
            BESIDE_DATABASES
                .iter()
                .any(|beside| rest.starts_with(beside))
        })
    };
    BESIDE.contains(&name) || parts.any(|part| part.as_str() == name || is_beside(part))
}

/// Room on the disk of a folder, for who is no administrator; none where the system does not say.
#[must_use]
pub fn free_bytes(dir: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(dir).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = dir;
        None
    }
}
