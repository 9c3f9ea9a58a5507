//! Whether everybody can use a page, as far as a program can tell: axe-core, put into the page by the
//! driver and never served.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::chromium::Chromium;

/// All rules that are not experimental; that targets are large enough has to be asked for.
const RUN: &str = "\
    const done = arguments[arguments.length - 1];
    axe.run(document, { rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] })
        .then(found => done(found.violations.map(broken => [broken.id, broken.help].concat(
            broken.nodes.slice(0, 3).map(node => node.html + ' :: ' + node.failureSummary)))),
            failed => done([['axe failed', String(failed)]]));";

static SOURCE: LazyLock<String> = LazyLock::new(|| {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let usual = || format!("{root}/target/browser/node_modules/axe-core/axe.min.js").into();
    let file: PathBuf = std::env::var_os("WB_AXE").map_or_else(usual, PathBuf::from);
    std::fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `scripts/test browser` installs axe-core",
            file.display()
        )
    })
});

/// What is wrong with the page that is shown: each broken rule with the first places.
///
/// # Panics
///
/// Where axe-core is not installed or does not answer.
#[must_use]
pub fn violations(browser: &Chromium) -> Vec<String> {
    browser.run(&format!("{};", *SOURCE), &[]);
    let found = browser.run_later(RUN, &[json!(null)]);
    let found = found.as_array().expect("axe answers with a list");
    let lines = |broken: &Value| {
        let parts = broken.as_array().into_iter().flatten();
        let parts: Vec<&str> = parts.filter_map(Value::as_str).collect();
        parts.join("\n    ")
    };
    found.iter().map(lines).collect()
}
