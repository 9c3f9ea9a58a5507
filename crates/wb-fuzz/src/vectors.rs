//! The vectors of `docs/spec/vectors`, from which inputs begin.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the vectors.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/vectors")
}

fn load(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a vector file");
    serde_json::from_str(&text).expect("a vector file is JSON")
}

/// One file by its name, such as `words.json`.
pub fn file(name: &str) -> Value {
    load(&folder().join(name))
}

/// Every file of a folder, by name.
pub fn files(name: &str) -> Vec<Value> {
    let entries = std::fs::read_dir(folder().join(name)).expect("a folder of vectors");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| load(path)).collect()
}

/// The cases of a file.
pub fn cases(file: &Value) -> &[Value] {
    file["cases"].as_array().map_or(&[], Vec::as_slice)
}

/// A list of texts; nothing where there is none.
pub fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten();
    texts
        .filter_map(|text| Some(text.as_str()?.to_owned()))
        .collect()
}

/// Bytes that stand in a file as hexadecimal digits.
pub fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("digits").as_bytes();
    let pair = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal")
    };
    digits.chunks(2).map(pair).collect()
}
