//! The manifest of a backup: what is taken is written in one form, which says the same.

use wb_core::backup::{Manifest, ManifestError, Part, PartName};
use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::limits::{BACKUP_MANIFEST_BYTES_MAX, BACKUP_PART_BYTES_MAX};
use wb_core::time::Timestamp;

use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "backup_manifest",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let manifest = match Manifest::read(input) {
        Ok(manifest) => manifest,
        Err(ManifestError::NotABackup | ManifestError::Newer(_) | ManifestError::Malformed(_)) => {
            return;
        }
    };
    assert!(input.len() <= BACKUP_MANIFEST_BYTES_MAX);
    let names: Vec<PartName> = manifest.parts.iter().map(|part| part.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "each part once, in order");
    assert_eq!(names.last(), Some(&PartName::Key), "the key is the last");
    assert!(
        manifest
            .parts
            .iter()
            .all(|part| part.bytes <= BACKUP_PART_BYTES_MAX)
    );
    let line = manifest.line();
    let (lf, written) = line.split_last().expect("it ends with LF");
    assert_eq!(*lf, b'\n');
    assert!(!written.contains(&b'\n'));
    assert_eq!(Manifest::read(written), Ok(manifest));
}

fn seeds() -> Vec<Vec<u8>> {
    let part = |name| Part {
        name,
        bytes: 7,
        sha256: hash::sha256(b"part"),
    };
    let manifest = Manifest {
        instance: InstanceId([7; 32]),
        name: "North".to_owned(),
        made_at: Timestamp::from_unix_ms(1_800_000_000_000).expect("within the years"),
        software: "whiteballoon/0.1.0".to_owned(),
        formats: [("wb.db".to_owned(), 3)].into(),
        parts: PartName::ALL.map(part).to_vec(),
    };
    let mut line = manifest.line();
    line.pop();
    let text = String::from_utf8(line.clone()).expect("it is text");
    let changed = [
        text.replace("v1", "v2"),
        text.replace("wb.db\",\"bytes", "media\",\"bytes"),
        text.replace("\"bytes\":7", "\"bytes\":-7"),
    ];
    std::iter::once(line)
        .chain(changed.map(String::into_bytes))
        .collect()
}
