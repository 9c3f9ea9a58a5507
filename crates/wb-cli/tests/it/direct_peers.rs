//! Two communities that never had a hub, by the real program: one is called, the other never listens.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::instance::{Instance, text};
use crate::support::process::{Up, wait_until};

/// Marked as private, and looked for where it must not be.
const CANARY: &str = "CANARY-DIRECT-7f3a";

struct Two {
    folder: TempDir,
    elm: Instance,
    oak: Instance,
}

/// A node that answers on a free port.
struct Served {
    up: Up,
    address: String,
}

fn serve(instance: &Instance, port: &str) -> Served {
    serve_with(instance, port, &[])
}

fn serve_with(instance: &Instance, port: &str, more: &[&str]) -> Served {
    let at = format!("127.0.0.1:{port}");
    let mut command = instance.command(&[&["--json", "up", "--listen", &at], more].concat());
    let up = Up::start(&mut command);
    let line: Value = serde_json::from_str(&up.line("{")).expect("a line of JSON");
    let address = text(&line, "address").to_owned();
    Served { up, address }
}

impl Served {
    fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("a port")
    }
}

fn ask(instance: &Instance, title: &str, scope: &str) -> String {
    let words = ["--title", title, "--description", "D", "--scope", scope];
    instance.ok(&[&["request", "add"], &words[..]].concat())
}

fn titles(instance: &Instance) -> Vec<String> {
    let list = instance.json(&["request", "list"]);
    let mut titles: Vec<String> = list
        .iter()
        .map(|row| text(row, "title").to_owned())
        .collect();
    titles.sort();
    titles
}

impl Two {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let elm = Instance::found(folder.path(), "Elm", "ada");
        let oak = Instance::found(folder.path(), "Oak", "omar");
        Self { folder, elm, oak }
    }

    /// Pairs them; Oak is the one that calls.
    fn pair(&self, elm: &Served) {
        let invited = self
            .elm
            .json(&["peer", "invite", "--address", &elm.address]);
        let link = text(&invited[0], "link");
        let asked = ["--json", "--yes", "peer", "accept", link, "--lan"];
        let asked = self.oak.run(&asked).ends(3).json();
        assert_eq!(text(&asked[0], "pair"), "offered");
        let waits = self.elm.json(&["peer", "list"]);
        assert_eq!(text(&waits[0], "cause"), "pair_asked");
        assert_eq!(waits[0]["pair"]["words"], asked[0]["words"]);
        let confirmed = self.elm.json(&["--yes", "peer", "accept", "Oak"]);
        assert_eq!(confirmed[0]["words"], asked[0]["words"]);
        assert_eq!(text(&confirmed[0], "pair"), "paired");
    }
}

#[test]
fn two_communities_without_a_hub_pair_sync_both_ways_and_keep_what_is_private() {
    let two = Two::new();
    let elm = serve(&two.elm, "0");
    two.pair(&elm);
    ask(&two.elm, "Soup", "public");
    ask(&two.oak, "A ladder", "public");
    ask(&two.oak, CANARY, "private");
    two.elm.ok(&["publish", "--yes"]);
    // A preview names what would come and go, and changes nothing.
    let preview = two.oak.run(&["sync", "--dry-run"]).ends(0);
    assert!(preview.stdout.contains("Soup"), "{preview:?}");
    assert!(preview.stdout.contains("A ladder"), "{preview:?}");
    assert!(!preview.stdout.contains(CANARY));
    // Without anybody at a terminal the marking was the decision about what leaves, and what comes waits.
    let synced = two.oak.run(&["sync"]).ends(0);
    assert!(synced.stdout.contains("Elm publishes"), "{synced:?}");
    assert_eq!(titles(&two.oak), ["A ladder", CANARY]);
    two.oak.ok(&["review", "accept", "Elm"]);
    two.elm.ok(&["review", "accept", "Oak"]);
    assert_eq!(titles(&two.oak), ["A ladder", CANARY, "Soup"]);
    assert_eq!(titles(&two.elm), ["A ladder", "Soup"]);
    let runs = two.elm.json(&["sync", "log"]);
    assert_eq!(text(&runs[0], "road"), "direct");
    for file in std::fs::read_dir(&two.elm.home).expect("a folder") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let found = bytes
            .windows(CANARY.len())
            .any(|at| at == CANARY.as_bytes());
        assert!(!found, "{}", path.display());
    }
    for instance in [&two.elm, &two.oak] {
        instance.run(&["doctor"]).ends(0);
    }
    elm.up.kill();
}

/// Elm has nobody to call, so nothing but its own sync seals what it marks for those that call it.
#[test]
fn a_node_that_is_only_called_seals_what_is_marked_with_its_own_sync_and_by_itself() {
    let two = Two::new();
    let elm = serve(&two.elm, "0");
    two.pair(&elm);
    ask(&two.elm, "Soup", "public");
    let preview = two.elm.run(&["sync", "--dry-run"]).ends(0);
    let words = "Oak calls this node, and would find 2 records more";
    assert!(preview.stderr.contains(words), "{preview:?}");
    let synced = two.elm.run(&["sync"]).ends(0);
    let words = "Oak calls this node: sealed 2 records";
    assert!(synced.stderr.contains(words), "{synced:?}");
    two.oak.run(&["sync"]).ends(0);
    two.oak.ok(&["review", "accept", "Elm"]);
    assert_eq!(titles(&two.oak), ["Soup"]);
    let port = elm.port().to_owned();
    elm.up.kill();

    ask(&two.elm, "Bread", "public");
    let elm = serve_with(&two.elm, &port, &["--sync-every", "60"]);
    wait_until("what was marked before it started is sealed", || {
        two.oak.run(&["sync"]).ends(0);
        titles(&two.oak) == ["Bread", "Soup"]
    });
    // Whoever is paused is not sealed for.
    two.elm.ok(&["peer", "pause", "Oak"]);
    let synced = two.elm.run(&["sync"]).ends(0);
    assert!(synced.stderr.contains("paused or refused"), "{synced:?}");
    elm.up.kill();
}

#[test]
fn a_peer_that_is_killed_in_the_middle_loses_nothing_and_is_gone_on_with() {
    let two = Two::new();
    let mut elm = serve(&two.elm, "0");
    let port = elm.port().to_owned();
    two.pair(&elm);
    let long = "long ".repeat(3_000);
    for n in 0..60 {
        let title = format!("Number {n}");
        let words = [
            "--title",
            &title,
            "--description",
            &long,
            "--scope",
            "public",
        ];
        two.elm.ok(&[&["request", "add"], &words[..]].concat());
        let words = [
            "--title",
            &title,
            "--description",
            &long,
            "--scope",
            "public",
        ];
        two.oak.ok(&[&["request", "add"], &words[..]].concat());
    }
    two.elm.ok(&["publish", "--yes"]);
    // Whoever calls, and whoever is called, each cut off a few times at some moment.
    for moment_ms in [5, 20, 40, 70, 110, 160] {
        let calling = Up::start(&mut two.oak.command(&["sync"]));
        std::thread::sleep(std::time::Duration::from_millis(moment_ms));
        if moment_ms % 20 == 0 {
            calling.kill();
        } else {
            elm.up.kill();
            drop(calling);
            elm = serve(&two.elm, &port);
        }
        for instance in [&two.elm, &two.oak] {
            instance.run(&["doctor"]).ends(0);
        }
    }
    two.oak.run(&["sync"]).ends(0);
    let again = two.oak.json(&["sync"]);
    // An exchange and a turn.
    assert_eq!(again[0]["round_trips"], 2, "nothing is left to do");
    for (here, there) in [(&two.elm, "Oak"), (&two.oak, "Elm")] {
        let peer = here.json(&["peer", "show", there]);
        assert_eq!(peer[0]["confirmed"]["records"], 61);
        assert_eq!(peer[0]["confirmed"]["lacks_deltas"], 0);
    }
    elm.up.kill();
}

#[test]
fn a_stick_goes_back_and_forth() {
    let two = Two::new();
    let stick = two.folder.path().join("stick");
    std::fs::create_dir(&stick).expect("a folder");
    let stick = stick.to_str().expect("a path");
    ask(&two.elm, "Soup", "public");
    let add = ["--yes", "peer", "add", "--folder", stick];
    two.elm.run(&add).ends(3);
    let there = two.oak.json(&add);
    let here = two.elm.json(&add);
    assert_eq!(here[0]["words"], there[0]["words"]);
    let oak = text(&here[0], "id")[..8].to_owned();
    let elm = text(&there[0], "id")[..8].to_owned();
    two.elm.ok(&["sync", &oak]);
    let taken = two.oak.run(&["sync", &elm]).ends(0);
    assert!(taken.stdout.contains("“Soup”"), "{taken:?}");
    two.oak.ok(&["review", "accept", &elm]);
    assert_eq!(titles(&two.oak), ["Soup"]);
    two.elm.ok(&["sync", &oak]);
    let peer = two.elm.json(&["peer", "show", &oak]);
    assert_eq!(peer[0]["confirmed"]["lacks_deltas"], 0);
    assert_eq!(peer[0]["confirmed"]["records"], 2);
    std::fs::remove_dir_all(stick).expect("the stick goes");
    let away = two.elm.run(&["sync", &oak]).ends(6);
    assert!(away.stdout.contains("is not there"), "{away:?}");
}

#[test]
fn a_link_that_is_wrong_or_leads_inside_says_what_to_do_and_sends_nothing() {
    let two = Two::new();
    let invited = two
        .elm
        .json(&["peer", "invite", "--address", "http://127.0.0.1:9"]);
    let link = text(&invited[0], "link").to_owned();
    let inside = two.oak.run(&["--yes", "peer", "accept", &link]).ends(1);
    assert!(inside.stderr.contains("--lan"), "{inside:?}");
    for wrong in [
        "https://elm.example.org/pair#short",
        "wb:pair#",
        &link[..link.len() - 1],
    ] {
        let run = two
            .oak
            .run(&["--yes", "peer", "accept", wrong, "--lan"])
            .ends(2);
        assert!(run.stderr.contains("nothing was sent"), "{run:?}");
    }
    // Nobody answers there: without an own address there is no way back, and that is said.
    let away = two
        .oak
        .run(&["--yes", "peer", "accept", &link, "--lan"])
        .ends(3);
    assert!(away.stderr.contains("--address URL"), "{away:?}");
    let back = [
        "--yes",
        "peer",
        "accept",
        &link,
        "--lan",
        "--address",
        "http://127.0.0.1:10",
    ];
    let back = two.oak.run(&back).ends(3);
    assert!(
        back.stdout.contains("http://127.0.0.1:10/pair#"),
        "{back:?}"
    );
    let own = two
        .elm
        .run(&["--yes", "peer", "accept", &link, "--lan"])
        .ends(1);
    assert!(own.stderr.contains("made here"), "{own:?}");
}
