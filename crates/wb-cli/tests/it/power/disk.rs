//! What a disk holds after the power failed.
//!
//! A file's bytes are safe once that file was synced, a name once its folder was. Of what was not, each
//! write may have come to the disk or not, or in part, sector by sector; of the names made and removed in
//! one folder, the first of them came and the rest did not, as file systems write such a list in order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::log::Done;
use crate::support::chance::Chance;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// How unlucky it went for what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Luck {
    /// All of it is gone.
    AllLost,
    /// All of it is there, as after a process that was killed.
    AllKept,
    /// The names are there, and the bytes are not.
    NamesOnly,
    /// Each as it falls.
    Mixed,
}

/// Every luck, the instructive ones more often.
pub const LUCKS: &[Luck] = &[
    Luck::AllLost,
    Luck::AllLost,
    Luck::AllKept,
    Luck::NamesOnly,
    Luck::Mixed,
    Luck::Mixed,
    Luck::Mixed,
];

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Cut { length } => file.resize(*length, 0),
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[*offset..end].copy_from_slice(bytes);
            }
        }
    }

    /// Some of its sectors.
    fn torn(&self, file: &mut Vec<u8>, chance: &mut Chance) {
        let Self::Write { offset, bytes } = self else {
            return;
        };
        let (mut at, end) = (*offset, offset + bytes.len());
        while at < end {
            let next = end.min((at / SECTOR_BYTES + 1) * SECTOR_BYTES);
            if chance.below(2) == 0 {
                let part = Self::Write {
                    offset: at,
                    bytes: bytes[at - offset..next - offset].to_vec(),
                };
                part.apply(file);
            }
            at = next;
        }
    }
}

#[derive(Debug, Clone)]
enum Name {
    Put { path: PathBuf, node: usize },
    Move { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
}

impl Name {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Put { path, node } => {
                names.insert(path.clone(), *node);
            }
            Self::Move { from, to } => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Remove { path } => {
                names.remove(path);
            }
        }
    }

    fn folder(&self) -> &Path {
        let (Self::Put { path, .. } | Self::Move { to: path, .. } | Self::Remove { path }) = self;
        path.parent().expect("it is below the folder looked at")
    }
}

/// A file, or a folder.
#[derive(Debug, Default)]
struct Node {
    /// The path, of a folder.
    folder: Option<PathBuf>,
    safe: Vec<u8>,
    unsafe_yet: Vec<Change>,
}

/// A disk while it is written to.
#[derive(Debug)]
pub struct Disk {
    nodes: Vec<Node>,
    by_inode: BTreeMap<u64, usize>,
    safe_names: BTreeMap<PathBuf, usize>,
    unsafe_names: Vec<Name>,
    root: PathBuf,
}

impl Disk {
    /// An empty folder with an inode of its own, which is safe.
    pub fn new(root: &Path, inode: u64) -> Self {
        let folder = Node {
            folder: Some(root.to_owned()),
            ..Node::default()
        };
        Self {
            nodes: vec![folder],
            by_inode: BTreeMap::from([(inode, 0)]),
            safe_names: BTreeMap::new(),
            unsafe_names: Vec::new(),
            root: root.to_owned(),
        }
    }

    /// Does what was done.
    pub fn take(&mut self, done: &Done) {
        match done {
            Done::Made { inode, path } => self.make(*inode, path, Node::default()),
            Done::MadeFolder { inode, path } => {
                let folder = Some(path.clone());
                let node = Node {
                    folder,
                    ..Node::default()
                };
                self.make(*inode, path, node);
            }
            Done::Wrote {
                inode,
                offset,
                bytes,
            } => {
                let (offset, bytes) = (*offset, bytes.clone());
                self.change(*inode, Change::Write { offset, bytes });
            }
            Done::Cut { inode, length } => self.change(*inode, Change::Cut { length: *length }),
            Done::Synced { inode } => self.sync(*inode),
            Done::Renamed { from, to } => {
                let (from, to) = (from.clone(), to.clone());
                self.unsafe_names.push(Name::Move { from, to });
            }
            Done::Removed { path } => {
                let path = path.clone();
                self.unsafe_names.push(Name::Remove { path });
            }
            Done::Told | Done::Pushed | Done::Sent => {}
        }
    }

    fn make(&mut self, inode: u64, path: &Path, node: Node) {
        let number = self.nodes.len();
        self.nodes.push(node);
        self.by_inode.insert(inode, number);
        let path = path.to_owned();
        self.unsafe_names.push(Name::Put { path, node: number });
    }

    fn change(&mut self, inode: u64, change: Change) {
        let node = self.by_inode.get(&inode).expect("it was made before");
        self.nodes[*node].unsafe_yet.push(change);
    }

    fn sync(&mut self, inode: u64) {
        let number = *self.by_inode.get(&inode).expect("it was made before");
        let node = &mut self.nodes[number];
        if let Some(folder) = node.folder.clone() {
            let (safe, rest) = std::mem::take(&mut self.unsafe_names)
                .into_iter()
                .partition(|name| name.folder() == folder);
            self.unsafe_names = rest;
            let safe: Vec<Name> = safe;
            for name in safe {
                name.apply(&mut self.safe_names);
            }
            return;
        }
        for change in node.unsafe_yet.drain(..) {
            change.apply(&mut node.safe);
        }
    }

    /// Writes what is left of it into another folder.
    pub fn fail(&self, to: &Path, luck: Luck, chance: &mut Chance) {
        let mut names = self.safe_names.clone();
        for name in self.names_kept(luck, chance) {
            name.apply(&mut names);
        }
        fs::create_dir_all(to).expect("a folder to write to");
        // Folders come before what is in them.
        for (path, node) in &names {
            let inside = path.strip_prefix(&self.root).expect("it is below");
            let target = to.join(inside);
            if !target.parent().is_some_and(Path::is_dir) {
                // Its folder did not survive.
                continue;
            }
            let node = &self.nodes[*node];
            if node.folder.is_some() {
                fs::create_dir(&target).expect("a folder");
            } else {
                fs::write(&target, left(node, luck, chance)).expect("a file");
            }
        }
    }

    fn names_kept(&self, luck: Luck, chance: &mut Chance) -> Vec<Name> {
        let mut folders: BTreeMap<&Path, Vec<&Name>> = BTreeMap::new();
        for name in &self.unsafe_names {
            folders.entry(name.folder()).or_default().push(name);
        }
        let mut kept = Vec::new();
        for names in folders.values() {
            let count = match luck {
                Luck::AllLost => 0,
                Luck::AllKept | Luck::NamesOnly => names.len(),
                Luck::Mixed => chance.below(names.len() + 1),
            };
            kept.extend(names[..count].iter().copied().cloned());
        }
        kept
    }
}

/// The bytes of a file that are left.
fn left(node: &Node, luck: Luck, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = node.safe.clone();
    for change in &node.unsafe_yet {
        match luck {
            Luck::AllLost | Luck::NamesOnly => {}
            Luck::AllKept => change.apply(&mut bytes),
            Luck::Mixed => match chance.below(3) {
                0 => change.apply(&mut bytes),
                1 => change.torn(&mut bytes, chance),
                _ => {}
            },
        }
    }
    bytes
}

#[test]
fn only_what_was_synced_is_safe() {
    let path = |name: &str| Path::new("/disk").join(name);
    let mut disk = Disk::new(Path::new("/disk"), 1);
    let write = |inode, bytes: &[u8]| Done::Wrote {
        inode,
        offset: 0,
        bytes: bytes.to_vec(),
    };
    for done in [
        Done::Made {
            inode: 2,
            path: path("a.new"),
        },
        write(2, b"one"),
        Done::Synced { inode: 2 },
        Done::Renamed {
            from: path("a.new"),
            to: path("a"),
        },
        Done::Synced { inode: 1 },
        write(2, b"two"),
        Done::Made {
            inode: 3,
            path: path("b"),
        },
        write(3, b"new"),
    ] {
        disk.take(&done);
    }
    let mut chance = Chance::announced("only_what_was_synced_is_safe");
    let mut after = |luck| {
        let folder = tempfile::tempdir().expect("a folder");
        disk.fail(folder.path(), luck, &mut chance);
        ["a", "a.new", "b"].map(|name| fs::read_to_string(folder.path().join(name)).ok())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(after(Luck::AllLost), [some("one"), None, None]);
    assert_eq!(after(Luck::AllKept), [some("two"), None, some("new")]);
    assert_eq!(after(Luck::NamesOnly), [some("one"), None, some("")]);
}
