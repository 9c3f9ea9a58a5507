//! What stays up: a node, a hub, the demonstration. Each answers, ends when it is told to, and says what
//! stands in its way.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, WB, run, text, wb};
use crate::support::process::{Up, wait_until};

/// Asks for something, and gives status and body of the answer.
fn get(address: &str, path: &str) -> (u16, String) {
    let host = address.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(host).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("it answers in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).expect("a status");
    (status.parse().expect("a number"), body.to_owned())
}

fn up(instance: &Instance, more: &[&str]) -> (Up, Value) {
    let arguments = ["--json", "up", "--listen", "127.0.0.1:0"];
    let up = Up::start(&mut instance.command(&[&arguments[..], more].concat()));
    let started = serde_json::from_str(&up.line("{")).expect("a line of JSON");
    (up, started)
}

#[test]
fn a_node_that_is_up_says_who_it_is_and_hands_out_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let north = Instance::found(folder.path(), "North", "keeper");
    let (up, started) = up(&north, &[]);
    let address = text(&started, "address");
    assert_eq!(
        (
            &started["schema_version"],
            text(&started, "id"),
            &started["sync_every_minutes"]
        ),
        (&Value::from(1), north.id().as_str(), &Value::Null)
    );
    assert_eq!(get(address, "/livez").0, 200);
    assert_eq!(get(address, "/readyz").0, 200);
    let (status, who) = get(address, "/.well-known/wb/node");
    let who: Value = serde_json::from_str(&who).expect("JSON");
    assert_eq!(status, 200);
    assert_eq!(
        (text(&who, "role"), text(&who, "id"), text(&who, "name")),
        ("node", north.id().as_str(), "North")
    );
    let feed = format!("/sync/v1/snapshot/{}/public", north.id());
    for path in ["/sync/v1/heads", &feed, "/private.db"] {
        let (status, problem) = get(address, path);
        let problem: Value = serde_json::from_str(&problem).expect("a problem is JSON");
        assert_eq!(
            (status, text(&problem, "cause")),
            (404, "not_found"),
            "{path}"
        );
        assert!(
            text(&problem, "detail").contains("to hubs and to its peers"),
            "{problem}"
        );
    }
    // It is no hub, and whoever takes it for one is told so.
    let south = Instance::found(folder.path(), "South", "ash");
    let run = south.run(&["join", address, "--yes"]).ends(1);
    assert!(run.stderr.contains("no hub"), "{run:?}");
    let (code, said) = up.signal("TERM");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Stopped."), "{said}");
}

#[test]
fn what_one_shares_appears_at_another_that_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let north = Instance::found(folder.path(), "North", "keeper");
    let south = Instance::found(folder.path(), "South", "ash");
    for instance in [&north, &south, &north] {
        instance.ok(&["join", &hub.link(), "--yes"]);
        instance.ok(&["sync"]);
    }
    let south_asks = ask(&south, "Flour");
    let (up, started) = up(&south, &["--sync-every", "1"]);
    assert_eq!(started["sync_every_minutes"], 1);
    // The first round gives and takes.
    wait_until("South's request is at North", || {
        north.ok(&["sync"]);
        titles(&north) == ["Flour"]
    });
    let soup = ask(&north, "Soup on Sunday");
    north.ok(&["sync"]);
    wait_until("North's request is at South", || {
        titles(&south) == ["Flour", "Soup on Sunday"]
    });
    north.ok(&["record", "unshare", &soup]);
    north.ok(&["sync"]);
    wait_until("it is gone at South", || titles(&south) == ["Flour"]);
    // Commands of the same folder work meanwhile.
    south.ok(&["request", "show", &south_asks]);
    south.ok(&["doctor"]);
    let (code, said) = up.signal("TERM");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("sync: Harbour: 1 new"), "{said}");
}

#[test]
fn a_hub_that_is_up_answers_and_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::start(folder.path(), "Harbour", "approval");
    let address = hub.address().to_owned();
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/readyz").0, 200);
    let (_, who) = get(&address, "/.well-known/wb/node");
    let who: Value = serde_json::from_str(&who).expect("JSON");
    assert_eq!(
        (text(&who, "role"), text(&who, "id"), text(&who, "policy")),
        ("hub", hub.id(), "approval")
    );
    let (status, problem) = get(&address, "/sync/v1/heads");
    let problem: Value = serde_json::from_str(&problem).expect("a problem is JSON");
    assert_eq!(
        (status, text(&problem, "cause")),
        (401, "signature_missing")
    );
    // Somebody who waits for news does not keep it from ending.
    let south = Instance::found(folder.path(), "South", "ash");
    south.run(&["hub", "register", &hub.link()]).ends(3);
    hub.instance.ok(&["hub", "approve", "South"]);
    south.ok(&["sync"]);
    let (waiting, _) = up(&south, &["--sync-every", "1"]);
    for (process, signal) in [(hub.process(), "TERM"), (waiting, "INT")] {
        let (code, said) = process.signal(signal);
        assert_eq!(code, Some(0), "{signal}: {said}");
        assert!(said.contains("Stopped."), "{said}");
    }
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let north = Instance::found(folder.path(), "North", "keeper");
    let taken = format!("127.0.0.1:{}", hub.port());
    for command in [&["up"][..], &["hub", "up"]] {
        let arguments = [command, &["--listen", &taken]].concat();
        let run = north.run(&arguments).ends(1);
        assert!(run.stdout.is_empty(), "{run:?}");
        assert!(
            run.stderr.contains(&format!("cannot listen at {taken}")),
            "{run:?}"
        );
        assert!(run.stderr.contains("--listen"), "{run:?}");
        let run = north.run(&[&["--json"], &arguments[..]].concat()).ends(1);
        let error: Value = serde_json::from_str(&run.stderr).expect("one line of JSON");
        assert_eq!(error["error"]["code"], "failed");
        assert!(
            text(&error["error"], "hint").contains("127.0.0.1:0"),
            "{error}"
        );
    }
}

#[test]
fn the_demonstration_stays_up_and_its_commands_work() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(WB, bin.join("wb")).unwrap();
    let temporary = folder.path().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = wb(folder.path());
    let demo = Up::start(command.arg("demo").env("TMPDIR", &temporary));
    demo.line("Ctrl-C stops everything");
    let said = demo.said();
    let lines = said.lines().map(str::trim_start);
    let commands: Vec<&str> = lines.filter_map(|line| line.strip_prefix("wb ")).collect();
    assert!(commands.len() >= 5, "{said}");
    let homes: Vec<&str> = commands
        .iter()
        .filter_map(|command| command.split(' ').nth(1))
        .collect();
    assert!(
        homes
            .iter()
            .all(|home| Path::new(home).starts_with(&temporary))
    );
    for command in &commands {
        let script = format!("'{}' {command}", bin.join("wb").display());
        let done = run(Command::new("sh").args(["-c", &script])).ends(0);
        assert!(!done.stdout.is_empty(), "{command}");
    }
    // What was asked for in one community is in the others without another command.
    let south = commands
        .iter()
        .find(|command| command.ends_with("request list"));
    let script = format!(
        "'{}' {}",
        bin.join("wb").display(),
        south.expect("South looks")
    );
    wait_until("the lamp is at South", || {
        let listed = run(Command::new("sh").args(["-c", &script])).ends(0);
        listed.stdout.contains("A lamp")
    });
    // Hub and communities answer under the addresses that are shown.
    let addresses = said
        .split_whitespace()
        .filter(|word| word.starts_with("http://"));
    let answering = addresses.filter(|address| get(address, "/readyz").0 == 200);
    assert!(answering.count() >= 4, "{said}");
    let (code, said) = demo.signal("INT");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("The folder is removed."), "{said}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}
