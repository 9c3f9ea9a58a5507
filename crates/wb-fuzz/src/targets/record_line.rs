//! Record lines and bodies: the entry of a line is canonical, and a body that is read is read from what is
//! written of it.

use wb_core::entry::Entry;
use wb_core::kinds::Body;
use wb_core::line::Line;

use crate::vectors::{cases, file, files, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "record_line",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let Ok(line) = Line::read(input) else { return };
    assert_eq!(&*line.bytes, input, "a line keeps its bytes");
    assert!(!Entry::starts(input), "a line is no entry");
    let entry = Entry::of_line(&line);
    assert_eq!(
        Entry::read(&entry.to_bytes()),
        Ok(entry),
        "its entry is canonical"
    );
    assert!(
        wb_core::json::check(line.body().as_bytes()).is_ok(),
        "its body is strict"
    );
    let Ok(body) = Body::of_line(&line) else {
        return;
    };
    assert_eq!(body.kind(), line.kind);
    let written = serde_json::to_string(&body).expect("a body is written");
    let again = Body::read(&line.kind, line.schema_version, line.origin, &written);
    assert_eq!(
        again.as_ref(),
        Ok(&body),
        "a body is read from what is written of it"
    );
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("entries.json");
    let mut seeds: Vec<Vec<u8>> = cases(&vectors)
        .iter()
        .filter_map(|case| Some(case["line"].as_str()?.as_bytes().to_vec()))
        .collect();
    for feed in files("feeds") {
        for step in feed["steps"].as_array().into_iter().flatten() {
            let lines = texts(&step["items"])
                .into_iter()
                .chain(texts(&step["lines"]));
            seeds.extend(
                lines
                    .filter(|line| line.starts_with("{\"origin\""))
                    .map(String::into_bytes),
            );
        }
    }
    seeds.sort();
    seeds.dedup();
    // One of each length says all that the vectors say of the form.
    seeds.dedup_by_key(|seed| seed.len());
    seeds
}
