//! What a program did to its files, as `power.c` wrote it down.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The beginning of a request that gives a hub deltas.
const PUSH: &[u8] = b"POST /sync/v1/push";
/// Bytes before the path: what was done, inode, offset, and two lengths.
const HEAD_BYTES: usize = 1 + 4 * 8;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A file was made.
    Made { inode: u64, path: PathBuf },
    /// A folder was made.
    MadeFolder { inode: u64, path: PathBuf },
    /// Bytes were written.
    Wrote {
        inode: u64,
        offset: usize,
        bytes: Vec<u8>,
    },
    /// A file was cut, or made longer.
    Cut { inode: u64, length: usize },
    /// The disk was waited for: for a file's bytes, or a folder's names.
    Synced { inode: u64 },
    /// A file got another name.
    Renamed { from: PathBuf, to: PathBuf },
    /// A name was removed.
    Removed { path: PathBuf },
    /// Something was told on standard output.
    Told,
    /// Deltas began to be sent to a hub.
    Pushed,
    /// Something else was sent.
    Sent,
}

impl Done {
    /// Whether something changes here in what the disk, or somebody else, can count on.
    pub fn is_turn(&self) -> bool {
        !matches!(self, Self::Wrote { .. } | Self::Made { .. } | Self::Sent)
    }
}

/// Builds the recorder, once for a test.
pub fn build(folder: &Path) -> PathBuf {
    let library = folder.join("power.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power/power.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .status()
        .expect("a C compiler, which SQLite needs as well");
    assert!(built.success(), "power.c does not compile");
    library
}

/// How many things were done until now.
pub fn length(path: &Path) -> usize {
    read(path).len()
}

/// Reads everything that was written down.
pub fn read(path: &Path) -> Vec<Done> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let (mut rest, mut all) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let (head, after) = rest.split_at(HEAD_BYTES);
        let number = |at: usize| {
            let field = &head[1 + at * 8..][..8];
            u64::from_ne_bytes(field.try_into().expect("eight bytes"))
        };
        let size = |at| usize::try_from(number(at)).expect("it fits in memory");
        let (path, after) = after.split_at(size(2));
        let (data, after) = after.split_at(size(3));
        all.push(one(head[0], (number(0), size(1)), &text(path), data));
        rest = after;
    }
    all
}

fn one(what: u8, (inode, offset): (u64, usize), path: &str, data: &[u8]) -> Done {
    let path = PathBuf::from(path);
    match what {
        b'C' => Done::Made { inode, path },
        b'M' => Done::MadeFolder { inode, path },
        b'W' => Done::Wrote {
            inode,
            offset,
            bytes: data.to_vec(),
        },
        b'T' => Done::Cut {
            inode,
            length: offset,
        },
        b'S' => Done::Synced { inode },
        b'R' => Done::Renamed {
            from: path,
            to: PathBuf::from(text(data)),
        },
        b'U' => Done::Removed { path },
        b'O' => Done::Told,
        b'N' if data.starts_with(PUSH) => Done::Pushed,
        b'N' => Done::Sent,
        other => panic!("power.c wrote down {other}"),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("our paths are UTF-8")
}
