//! Files of bundles, plain or compressed: what is counted is what was read, and no line is above its limit.

use std::cell::RefCell;
use std::io::Write as _;

use tempfile::NamedTempFile;
use wb_core::limits::{BUNDLE_RATIO_FREE_BYTES, BUNDLE_RATIO_MAX, LINE_BYTES_MAX};
use wb_net::body::encode_zstd;
use wb_node::import::lines::{Lines, Next};

use crate::input::seed;
use crate::vectors::{files, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "bundle_file",
    run,
    seeds,
    // The window that zstd may ask for, and lines of the longest kind.
    memory: Memory {
        base_bytes: 160 * 1_024 * 1_024,
        per_byte: 16,
    },
};

thread_local! {
    static FILE: RefCell<Option<NamedTempFile>> = const { RefCell::new(None) };
}

fn run(input: &[u8]) {
    FILE.with_borrow_mut(|file| {
        let file = file.get_or_insert_with(|| NamedTempFile::new().expect("a file"));
        file.as_file().set_len(0).expect("a file is cut");
        std::io::Seek::rewind(file).expect("a file is rewound");
        file.write_all(input).expect("a file is written");
        read(file.path(), input);
    });
}

fn read(path: &std::path::Path, input: &[u8]) {
    let Ok(mut lines) = Lines::open(path) else {
        return;
    };
    let (mut bytes, mut whole) = (0, false);
    while let Ok(next) = lines.next(path) {
        match next {
            Next::Line(line) => {
                assert!(
                    line.len() <= LINE_BYTES_MAX + 1,
                    "a line is cut at its limit"
                );
                bytes += line.len() as u64 + 1;
            }
            Next::End => {
                whole = true;
                break;
            }
            Next::Cut => break,
        }
    }
    let free = BUNDLE_RATIO_FREE_BYTES.max(input.len() as u64 * BUNDLE_RATIO_MAX);
    assert!(bytes <= free, "{bytes} bytes were handed on");
    if whole && input.iter().all(u8::is_ascii) {
        assert_eq!(
            (bytes, lines.plain_bytes()),
            (input.len() as u64, input.len() as u64)
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let bundles = files("bundles");
    let plain = bundles
        .iter()
        .map(|bundle| seed(b'{', texts(&bundle["lines"]))[1..].to_vec());
    let mut seeds: Vec<Vec<u8>> = plain
        .filter(|bytes| bytes.len() < 16 * 1_024)
        .take(4)
        .collect();
    seeds.extend(seeds.clone().iter().map(|bytes| encode_zstd(3, bytes)));
    let zeros = vec![0; 17 * 1_024 * 1_024];
    seeds.push(encode_zstd(1, &zeros));
    seeds.push(b"\n\n{}\n".to_vec());
    seeds
}
