//! A plain HTTP cache in front of a hub carries the pages of snapshots: Apache, as operators have it.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};
use crate::world::cast::free_port;
use crate::world::proxy::Proxy;

/// Bytes and statuses of the snapshots that a hub answered, as its log tells.
fn snapshots(said: &str) -> Vec<(u64, u64)> {
    let lines = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let number = |line: &Value, name: &str| line[name].as_u64().expect("a number");
    lines
        .filter(|line| line["call"] == "snapshot")
        .map(|line| (number(&line, "status"), number(&line, "bytes")))
        .collect()
}

/// Who comes second has its pages from the cache, for the price of a question; what is taken back is given to nobody
/// after that, and who is suspended is given nothing that the cache holds.
#[test]
fn a_cache_carries_what_a_hub_gives_to_many_and_what_is_taken_back_goes_through_it() {
    carries_and_takes_back(&[]);
}

/// The same wherever the hub's data are, as its environment says.
pub fn carries_and_takes_back(environment: &[(&'static str, PathBuf)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut instance = Instance::found(folder.path(), "Harbour", "operator");
    instance.environment.extend_from_slice(environment);
    let settings = "[hub]\nlog = \"json\"\ncacheable = true\n";
    std::fs::write(instance.file("config.toml"), settings).expect("a file");
    let mut hub = Hub::of(instance, "open");
    hub.again();
    let port = free_port();
    let proxy = Proxy::start(folder.path(), port, hub.port());
    let named = |name: &str| Instance::found(folder.path(), name, "keeper");
    let (north, south, east, west) = (named("North"), named("South"), named("East"), named("West"));
    north.ok(&["join", &hub.link_by(port), "--yes"]);
    let keeps = ask(&north, "A ladder that stays on offer until spring");
    let goes = ask(&north, "A saw that somebody will regret having asked for");
    north.ok(&["sync"]);
    // Whoever joins later takes the feed as it stands.
    let take = |instance: &Instance| {
        instance.ok(&["join", &hub.link_by(port), "--yes"]);
        instance.ok(&["sync"]);
        titles(instance).len()
    };
    assert_eq!((take(&south), take(&east)), (2, 2));

    north.ok(&["record", "retract", &goes, "--reason", "erase", "--yes"]);
    north.ok(&["sync"]);
    assert_eq!(take(&west), 1);
    assert_eq!(text(&west.json(&["request", "list"])[0], "id"), keeps);
    hub.instance
        .ok(&["hub", "suspend", "East", "--reason", "tried out", "--yes"]);
    east.ok(&["unfollow", &north.id()]);
    east.run(&["sync"]).ends(5);

    drop(proxy);
    let (_, said) = hub.process().signal("TERM");
    let answered = snapshots(&said);
    let whole = |(status, bytes): &&(u64, u64)| (*status, *bytes > 0) == (200, true);
    let again: Vec<_> = answered
        .iter()
        .filter(|(status, _)| *status == 304)
        .collect();
    // North's for East, South's for West: the bytes of both come from the cache.
    assert!(
        again.len() == 2 && again.iter().all(|(_, bytes)| *bytes == 0),
        "{answered:?}"
    );
    // North's twice, before and after; South's; East's.
    assert_eq!(answered.iter().filter(whole).count(), 4, "{answered:?}");
}
