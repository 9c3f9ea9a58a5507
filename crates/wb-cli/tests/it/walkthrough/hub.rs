//! The walk-through with hubs, and what everybody holds at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;

use super::{home_of, own, repository};
use crate::support::chance::Chance;
use crate::support::database::{self, LiveLine, live_lines, live_lines_in, number};
use crate::support::document::{Shell, steps};
use crate::support::instance::{Instance, WB, text};

/// Where the hubs of the page listen.
const ADDRESSES: [&str; 2] = ["127.0.0.1:8100", "127.0.0.1:8200"];
/// Ports to try in their place: below those that systems give to whoever connects, so that a port is
/// still free when its hub comes back.
const PORTS: (usize, usize) = (20_000, 30_000);

#[test]
fn the_walkthrough_with_hubs_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(
        repository("fixtures/legacy/app.db"),
        folder.path().join("app.db"),
    )
    .unwrap();
    let document = std::fs::read_to_string(repository("docs/walkthrough-hub.md")).unwrap();
    let document = on_free_ports(document);
    let mut shell = Shell::new(folder.path());
    let mut syncs = 0;
    for step in steps(&document) {
        let taking = home_of(&step.command, folder.path()).filter(|(_, command)| {
            command.starts_with("sync --pull") || command.starts_with("join")
        });
        let before = taking.as_ref().map(|(home, _)| own(home));
        shell.run(&step);
        if let Some((home, _)) = taking {
            syncs += 1;
            assert!(
                before == Some(own(&home)),
                "line {}: taking touched what is {}'s own",
                step.line,
                home.display()
            );
        }
    }
    assert!(syncs >= 5, "only {syncs} steps that take");
    everybody_holds_the_same(folder.path());
}

/// The page with ports that are free here.
fn on_free_ports(mut document: String) -> String {
    let mut chance = Chance::announced("the_walkthrough_with_hubs_does_what_it_says");
    let mut taken = BTreeSet::new();
    for address in ADDRESSES {
        assert!(document.contains(address));
        let port = loop {
            let port = PORTS.0 + chance.below(PORTS.1 - PORTS.0);
            let free = TcpListener::bind(format!("127.0.0.1:{port}")).is_ok();
            if free && taken.insert(port) {
                break port;
            }
        };
        document = document.replace(address, &format!("127.0.0.1:{port}"));
    }
    document
}

/// For every origin, everybody's live lines of it are the same bytes as its own, and so are the titles
/// that are shown.
fn everybody_holds_the_same(folder: &Path) {
    let at = |name: &str| Instance::at(folder, name, Path::new(WB));
    let communities = ["north", "south", "east"].map(at);
    let hubs = ["harbour", "lighthouse"].map(at);
    let mut shared: BTreeMap<String, BTreeSet<LiveLine>> = BTreeMap::new();
    for (origin, lines) in communities.iter().zip([376, 3, 1]) {
        let own = live_lines(&origin.home, &origin.id());
        assert_eq!(own.len(), lines, "{}", origin.home.display());
        shared.insert(origin.id(), own);
    }
    for (origin, lines) in &shared {
        for holder in &communities {
            let held = live_lines(&holder.home, origin);
            assert!(held == *lines, "{origin} at {}", holder.home.display());
        }
        for hub in &hubs {
            let held = live_lines_in(&hub.file("hub.db"), origin);
            assert!(held == *lines, "{origin} at {}", hub.home.display());
        }
    }
    // Nothing else is anywhere: no other feed but Harbour's own, who said something in public, and no line that is not live.
    let others = "SELECT count(*) FROM feed_lines WHERE live != 1 AND line IS NOT NULL";
    let feeds = "SELECT count(*) FROM feeds";
    let communities_files = communities.iter().map(|it| (it.file("wb.db"), 4));
    let hubs_files = hubs.iter().zip([4, 3]);
    let hubs_files = hubs_files.map(|(hub, count)| (hub.file("hub.db"), count));
    for (file, count) in communities_files.chain(hubs_files) {
        assert_eq!(number(&file, feeds), count, "{}", file.display());
        assert_eq!(number(&file, others), 0, "{}", file.display());
    }
    for hub in &hubs {
        let sound = database::texts(&hub.file("hub.db"), "PRAGMA integrity_check");
        assert_eq!(sound, ["ok"]);
    }
    the_titles_shown_are_the_same(&communities);
}

/// What each community shows of each origin is what this one shows of what it shares.
fn the_titles_shown_are_the_same(communities: &[Instance]) {
    let titles = |shown_by: &Instance, origin: &str| -> BTreeSet<(String, String)> {
        let requests = shown_by.json(&["request", "list"]);
        requests
            .iter()
            .filter(|request| text(request, "origin") == origin && request["scope"] == "public")
            .map(|request| {
                (
                    text(request, "id").to_owned(),
                    text(request, "title").to_owned(),
                )
            })
            .collect()
    };
    for (origin, least) in communities.iter().zip([99, 1, 0]) {
        let id = origin.id();
        // What is marked public and stays all the same is not among what is shared.
        let leaves: BTreeSet<String> = live_lines(&origin.home, &id)
            .into_iter()
            .map(|(_, id, ..)| id)
            .collect();
        let mut own = titles(origin, &id);
        own.retain(|(id, _)| leaves.contains(&id.replace('-', "")));
        assert_eq!(own.len(), least);
        for other in communities.iter().filter(|other| other.home != origin.home) {
            assert_eq!(titles(other, &id), own, "{}", other.home.display());
        }
    }
}
