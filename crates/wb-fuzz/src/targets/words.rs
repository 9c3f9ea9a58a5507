//! Recovery words: what is taken is written in one form, which is the same key.

use wb_core::words::{RecoveryWords, WORDS};

use crate::vectors::file;
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "words",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(words) = RecoveryWords::parse(text) else {
        return;
    };
    let written = words.text();
    assert_eq!(written.split(' ').count(), WORDS);
    let typed: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    assert_eq!(
        typed.join(" "),
        *written,
        "words as typed are the words of the sheet"
    );
    let again = RecoveryWords::parse(&written).expect("what is written is read");
    let keys = [&words, &again].map(|words| words.recovery_signer().public_key());
    assert_eq!(keys[0], keys[1]);
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("words.json");
    let good = vectors["cases"].as_array().into_iter().flatten();
    let bad = vectors["refused"].as_array().into_iter().flatten();
    good.chain(bad)
        .filter_map(|case| case["words"].as_str().or(case.as_str()))
        .map(|words| words.as_bytes().to_vec())
        .collect()
}
