//! Disks that are full or read-only, and databases that somebody else holds: a person is told what
//! happened, that nothing is lost and what to do, and reading goes on.

mod full;
mod locked;
mod mount;
mod read_only;

use crate::support::instance::{Instance, Run, text};

/// Runs every command that only reads, and gives what they say.
#[track_caller]
fn read_all(instance: &Instance, bundle: &str) -> Vec<String> {
    let requests = instance.json(&["request", "list"]);
    let first = requests
        .first()
        .map(|request| text(request, "id").to_owned());
    let first = first.expect("there is a request");
    let commands: &[&[&str]] = &[
        &["--json", "status"],
        &["doctor"],
        &["--json", "request", "list"],
        &["--json", "record", "list"],
        &["--json", "record", "show", &first],
        &["--json", "peer", "list"],
        &["--json", "user", "list"],
        &["--json", "sync", "log"],
        &["publish", "--dry-run"],
        &["config", "show"],
        &["bundle", "verify", bundle],
    ];
    commands.iter().map(|words| instance.ok(words)).collect()
}

/// A command ends with 1, says what is in the way, that nothing is lost, and what to do.
#[track_caller]
fn tells(run: Run, what: &str, action: &str) {
    let run = run.ends(1);
    let said = run.stderr.to_lowercase();
    for words in [what, "safe", action] {
        assert!(
            said.contains(&words.to_lowercase()),
            "no {words:?}: {run:?}"
        );
    }
    assert_eq!(run.stdout, "", "{run:?}");
}
