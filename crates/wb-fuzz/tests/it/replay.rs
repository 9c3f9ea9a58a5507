//! One test for each target. An input that fails is named; `wb-fuzz run TARGET FILE` runs it alone.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// The kept inputs of a target, by name.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    let read = |file: PathBuf| {
        let bytes = std::fs::read(&file).expect("a readable file");
        (file.display().to_string(), bytes)
    };
    files.into_iter().map(read).collect()
}

fn replay(name: &str) {
    let target = wb_fuzz::target(name).expect("a target of this name");
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    let mut inputs: Vec<(String, Vec<u8>)> = corpus(name);
    // With which libFuzzer begins as well.
    inputs.push(("the empty input".to_owned(), Vec::new()));
    inputs.extend(
        seeds
            .into_iter()
            .enumerate()
            .map(|(n, seed)| (format!("seed {n}"), seed)),
    );
    let failed: Vec<&str> = inputs
        .iter()
        .filter(|(_, input)| catch_unwind(|| (target.run)(input)).is_err())
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} inputs fail:\n{}",
        failed.len(),
        inputs.len(),
        failed.join("\n")
    );
}

macro_rules! replays {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            let replayed = [$(stringify!($name)),*];
            assert!(wb_fuzz::ALL.iter().map(|target| target.name).eq(replayed));
        }
    };
}

replays!(
    address,
    answer,
    backup_manifest,
    body,
    bundle,
    bundle_damage,
    bundle_file,
    entry,
    envelope,
    feeds,
    follows,
    identity,
    legacy,
    letter,
    lone_vouch,
    message,
    receipt,
    record_line,
    reply,
    request,
    sealed,
    sections,
    signed_line,
    strict_json,
    text,
    want,
    words,
);
