//! A hub with more members than fit on a screen, and with less room than they would fill.

use serde_json::Value;

use crate::support::hub::{Hub, ask};
use crate::support::instance::Instance;

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["id"].as_str()).collect()
}

#[test]
fn members_are_listed_by_page_and_the_next_page_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(folder.path(), "Harbour", "approval");
    for name in ["North", "South", "East"] {
        let instance = Instance::found(folder.path(), name, "keeper");
        instance
            .run(&["hub", "register", &hub.link(), "--yes"])
            .ends(3);
    }
    let hub = &hub.instance;
    let all = hub.json(&["hub", "list"]);
    let all = ids(&all);
    assert_eq!(all.len(), 3);
    let page = hub.json(&["hub", "list", "--limit", "2"]);
    assert_eq!(ids(&page), all[..2]);
    let page = hub.json(&["hub", "list", "--limit", "2", "--after", all[1]]);
    assert_eq!(ids(&page), all[2..]);

    let run = hub.run(&["hub", "list", "--limit", "1"]).ends(0);
    let said = format!("{}{}", run.stdout, run.stderr);
    let next = format!("There are more: `wb hub list --after {}`.", all[0]);
    assert!(said.contains(&next), "{said}");
    // Those that wait are counted, whether or not they are on this page.
    assert!(
        said.contains("3 registrations wait for `wb hub approve NAME`."),
        "{said}"
    );
    hub.ok(&["hub", "approve", all[2]]);
    let approved = hub.json(&["hub", "list", "--standing", "member"]);
    assert_eq!(ids(&approved), all[2..]);
}

#[test]
fn a_quota_is_a_setting_that_both_sides_can_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut hub = Hub::start(folder.path(), "Harbour", "open");
    let config = "[hub]\nmember_records_max = 3\n";
    std::fs::write(hub.instance.file("config.toml"), config).expect("a file");
    hub.kill();
    hub.again();
    let north = Instance::found(folder.path(), "North", "keeper");
    north.ok(&["join", &hub.link(), "--yes"]);
    for title in ["Wheelbarrow", "Ladder", "Saw", "Spade"] {
        ask(&north, title);
    }
    let run = north.run(&["--json", "sync"]).ends(3);
    let said = run.json().remove(0);
    assert_eq!(said["cause"], "over_quota", "{said}");

    let shown = hub.instance.json(&["hub", "show", "North"]).remove(0);
    assert_eq!(
        (&shown["records"], &shown["records_max"]),
        (&0.into(), &3.into())
    );
    let shown = hub.instance.ok(&["hub", "show", "North"]);
    assert!(
        shown.contains("room       1 of 4096 MiB, 0 of 3 records"),
        "{shown}"
    );
}
