//! A small disk of its own for a test: it can be filled to the last byte, and made read-only.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Fills the disk.
const FILLER: &str = "filler";

/// A disk in memory. It goes with what holds it.
pub struct Disk {
    // Dropped after the disk was taken away.
    folder: TempDir,
    path: PathBuf,
}

impl Disk {
    /// Makes one of so many KiB, or says loudly that this cannot be tried here: it takes root. Then the
    /// test fails, unless whoever runs it says `WB_DISKS=skip`.
    pub fn new(kib: u64) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk");
        fs::create_dir(&path).expect("a folder");
        let size = format!("size={kib}k,mode=700");
        let made = mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], &path);
        if made {
            return Some(Self { folder, path });
        }
        let what =
            "MISSING: disks that are full or read-only were not tried: mounting one takes root";
        assert_eq!(
            std::env::var("WB_DISKS").as_deref(),
            Ok("skip"),
            "{what}; WB_DISKS=skip goes without"
        );
        eprintln!("{what}");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder that is on another disk.
    pub fn elsewhere(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it until only so many KiB are free.
    pub fn leave(&self, kib: usize) {
        let filler = self.path.join(FILLER);
        drop(fs::remove_file(&filler));
        let mut file = fs::File::create(&filler).expect("a file takes no room while it is empty");
        let page = [0x5a; 4_096];
        let mut pages = 0_u64;
        while file.write_all(&page).is_ok() {
            pages += 1;
        }
        let left = u64::try_from(kib / 4).expect("a small number");
        let kept = pages.saturating_sub(left);
        file.set_len(kept * 4_096).expect("shorter than it is");
    }

    /// Makes room.
    pub fn empty(&self) {
        fs::remove_file(self.path.join(FILLER)).expect("it is there");
    }

    /// Lets nobody write.
    pub fn read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.path), "remounted");
    }

    /// Lets everybody write again.
    pub fn writable(&self) {
        assert!(mount(&["-o", "remount,rw"], &self.path), "remounted");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process of a test that failed may still be in it.
        drop(Command::new("umount").arg("-l").arg(&self.path).output());
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let run = Command::new("mount").args(arguments).arg(path).output();
    run.is_ok_and(|run| run.status.success())
}
