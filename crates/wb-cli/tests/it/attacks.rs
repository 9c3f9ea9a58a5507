//! `docs/attacks.md` names for each attack the tests that hold it: each of them has to be there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::document::table;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the functions under `#[test]` in every crate.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let mut is_test = false;
            for line in text.lines().map(str::trim_start) {
                if let Some(rest) = line.split_once("fn ").map(|(_, rest)| rest)
                    && is_test
                {
                    let name = rest.split(['(', '<']).next().expect("a name");
                    found.insert(name.to_owned());
                    is_test = false;
                }
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            }
        }
    }
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_test_that_the_page_on_attacks_names_is_there() {
    let page = std::fs::read_to_string(root().join("docs/attacks.md")).expect("the page");
    let mut known = BTreeSet::new();
    tests(&root().join("crates"), &mut known);
    assert!(known.contains("every_test_that_the_page_on_attacks_names_is_there"));
    let tables = [("| attack |", 5), ("| fault |", 3)];
    let mut missing = Vec::new();
    for (head, columns) in tables {
        let rows = table(&page, head);
        assert!(rows.len() > 10, "{head}");
        for row in rows {
            assert_eq!(row.len(), columns, "{row:?}");
            let named = quoted(row.last().expect("a cell"));
            assert!(!named.is_empty(), "no test: {row:?}");
            for name in named {
                let is_there = if name.ends_with(".json") {
                    root().join("docs/spec/vectors").join(name).is_file()
                } else {
                    known.contains(name)
                };
                if !is_there {
                    missing.push(format!("{}: {name}", row[0]));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
