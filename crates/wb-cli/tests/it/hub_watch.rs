//! What a hub tells whoever watches over it: numbers, and a line of each call. The real program.

use serde_json::Value;

use crate::peer_acts::get;
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};
use crate::support::process::wait_until;

/// The value of a line of the numbers.
#[track_caller]
fn number(numbers: &str, line: &str) -> u64 {
    let found = numbers
        .lines()
        .find_map(|l| l.strip_prefix(line)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("no {line:?} in:\n{numbers}"));
    found.parse().expect("a number")
}

#[test]
fn a_hub_counts_what_it_answers_and_writes_a_line_of_each_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let instance = Instance::found(folder.path(), "Harbour", "operator");
    std::fs::write(instance.file("config.toml"), "[hub]\nlog = \"json\"\n").expect("a file");
    let mut hub = Hub::of(instance, "open");
    hub.again();
    let north = Instance::found(folder.path(), "North", "keeper");
    let south = Instance::found(folder.path(), "South", "ash");
    for instance in [&north, &south] {
        instance.ok(&["join", &hub.link(), "--yes"]);
    }
    south.ok(&["follow", &north.id(), "--yes"]);
    south.ok(&["sync"]);
    ask(&north, "A ladder nobody may read in a log");
    north.ok(&["sync"]);

    let place = hub
        .address()
        .strip_prefix("http://")
        .expect("HTTP")
        .to_owned();
    assert_eq!(get(&place, &place, "").0, 404);
    let token = "a-token-that-is-long-enough";
    std::fs::write(hub.instance.file("metrics.token"), token).expect("a file");
    assert_eq!(get(&place, &place, "").0, 403);
    let shown = format!("authorization: Bearer {token}\r\n");
    let (status, numbers) = get(&place, &place, &shown);
    assert_eq!(status, 200);
    assert!(numbers.ends_with("# EOF\n"), "{numbers}");
    assert_eq!(number(&numbers, "wb_hub_members{standing=\"member\"}"), 2);
    assert!(
        number(
            &numbers,
            "wb_hub_answers_total{call=\"push\",status=\"200\"}"
        ) >= 1
    );
    assert!(number(&numbers, "wb_hub_call_seconds_count{call=\"push\"}") >= 1);
    assert!(number(&numbers, "wb_hub_arrivals") >= 3);
    assert_eq!(number(&numbers, "wb_hub_waiting"), 0);
    // South did not say yet that it has what North pushed.
    let behind = number(&numbers, "wb_hub_members_behind");
    assert!(number(&numbers, "wb_hub_lag_arrivals") >= 1 && behind >= 1);
    south.ok(&["sync"]);
    assert_eq!(titles(&south).len(), 1);

    // Somebody whom it does not know is refused, and that is counted by its cause.
    let stranger = Instance::found(folder.path(), "Stranger", "rowan");
    stranger.ok(&["join", &hub.link(), "--yes"]);
    hub.instance.ok(&[
        "hub",
        "suspend",
        "Stranger",
        "--reason",
        "tried out",
        "--yes",
    ]);
    stranger.run(&["sync"]);
    let (_, numbers) = get(&place, &place, &shown);
    assert!(number(&numbers, "wb_hub_refusals_total{cause=\"suspended\"}") >= 1);

    let (code, said) = hub.process().signal("TERM");
    assert_eq!(code, Some(0));
    let is_call = |line: &&Value| line["event"] == "call";
    let lines: Vec<Value> = said
        .lines()
        .filter_map(|l| serde_json::from_str(l).ok())
        .collect();
    let calls: Vec<&Value> = lines.iter().filter(is_call).collect();
    let push = calls
        .iter()
        .find(|line| line["call"] == "push" && text(line, "member") == north.id())
        .expect("a push");
    assert_eq!(push["status"], 200);
    assert!(push["took_us"].as_u64().is_some_and(|us| us > 0));
    let refused = calls.iter().find(|line| line["cause"] == "suspended");
    assert_eq!(refused.expect("it was refused")["status"], 403);
    // Each has a name of its own, and nothing of what was sent or given.
    let mut ids: Vec<&str> = calls.iter().map(|line| text(line, "request_id")).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    for secret in ["nobody may read", token, "signature", "sig1=", "keyid"] {
        assert!(!said.contains(secret), "{secret} in:\n{said}");
    }
}

/// A member that waits holds a connection, and is told within a moment when it is let in, suspended, or something
/// arrives; what arrives of others leaves it waiting.
#[test]
fn who_waits_at_a_hub_is_woken_by_what_another_process_decides() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let north = Instance::found(folder.path(), "North", "keeper");
    let south = Instance::found(folder.path(), "South", "ash");
    for instance in [&north, &south] {
        instance.ok(&["join", &hub.link(), "--yes"]);
    }
    south.ok(&["follow", &north.id(), "--yes"]);
    south.ok(&["sync"]);
    let running = crate::support::process::Up::start(&mut south.command(&[
        "--json",
        "up",
        "--listen",
        "127.0.0.1:0",
        "--sync-every",
        "60",
    ]));
    running.line("{");
    let token = "a-token-that-is-long-enough";
    std::fs::write(hub.instance.file("metrics.token"), token).expect("a file");
    let place = hub.address().strip_prefix("http://").expect("HTTP");
    let shown = format!("authorization: Bearer {token}\r\n");
    let waiting = || number(&get(place, place, &shown).1, "wb_hub_waiting");
    wait_until("South waits", || waiting() >= 1);
    ask(&north, "A ladder");
    north.ok(&["sync"]);
    wait_until("South has it", || titles(&south) == ["A ladder"]);
    let delivered = "wb_hub_delivery_seconds_count";
    assert!(number(&get(place, place, &shown).1, delivered) >= 1);
    wait_until("South waits again", || waiting() >= 1);
    hub.instance
        .ok(&["hub", "suspend", "South", "--reason", "tried out", "--yes"]);
    wait_until("South waits no more", || waiting() == 0);
}
