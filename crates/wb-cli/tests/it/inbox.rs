//! `wb inbox` by the real binary: what waits is listed with what to do, shown in full, and gone when it was
//! decided about.

use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::Instance;

#[test]
fn who_waits_is_in_the_inbox_until_somebody_decides() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::start(folder.path(), "Harbour", "open");
    let [south, east] =
        ["South", "East"].map(|name| Instance::found(folder.path(), name, "keeper"));
    let run = south.run(&["inbox"]).ends(0);
    assert_eq!(
        run.stdout,
        "Nothing is set aside, and nothing waits for you.\n"
    );
    assert!(south.run(&["--json", "inbox"]).ends(0).stdout.is_empty());

    south.ok(&["join", &hub.link(), "--yes"]);
    east.ok(&["join", &hub.link(), "--yes"]);
    ask(&east, "Quince jelly");
    east.ok(&["sync"]);
    south.ok(&["sync"]);

    let items = south.run(&["--json", "inbox"]).ends(0).json();
    let [item] = items.as_slice() else {
        panic!("{items:#?}")
    };
    assert_eq!(item["cause"], "waiting");
    assert_eq!(item["origin"], *east.id());
    assert_eq!(item["safe"], "nothing of it is shown until you decide");
    let key = item["key"].as_str().expect("a key");
    let list = south.run(&["inbox"]).ends(0).stdout;
    assert!(list.contains(key) && list.contains("East"), "{list}");
    assert!(
        list.contains(&format!("next  `wb follow {}` accepts it", east.id())),
        "{list}"
    );
    for name in ["1", key] {
        let shown = south.run(&["--json", "inbox", "show", name]).ends(0).json();
        assert_eq!(shown[0]["key"], key);
        assert_eq!(shown[1]["item"], key);
    }
    let status = south.run(&["status"]).ends(0).stdout;
    assert!(
        status.contains("inbox      1 thing (`wb inbox` names each)"),
        "{status}"
    );
    assert!(
        status.contains("seen     through one hub only (Harbour)"),
        "{status}"
    );
    // It is no news: it stays until it is over.
    let run = south.run(&["inbox", "dismiss", "1"]);
    assert_ne!(run.code, Some(0));
    assert!(
        run.stderr.contains("this stays until it is over"),
        "{run:?}"
    );
    south.run(&["inbox", "show", "2"]).ends(2);

    south.ok(&["follow", &east.id()]);
    assert!(south.run(&["--json", "inbox"]).ends(0).stdout.is_empty());
    assert_eq!(titles(&south), ["Quince jelly"]);
}
