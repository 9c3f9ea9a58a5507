//! The pages of a hub of the real program, over a real socket: three communities show up, go when they are
//! suspended, and take back; one that is not listed never shows; a moderator works in a browser.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::pages::Browser;
use crate::support::hub::Hub;
use crate::support::instance::{Instance, text};
use crate::support::process::Up;

/// What must never be read on a page of the hub.
const HIDDEN: [&str; 4] = [
    "marker_private",
    "marker_trusted",
    "marker_unlisted",
    "Hollow",
];

struct Bay {
    folder: TempDir,
    hub: Hub,
}

fn add(instance: &Instance, title: &str, scope: &str) -> String {
    let arguments = [
        "request",
        "add",
        "--title",
        title,
        "--description",
        title,
        "--scope",
        scope,
    ];
    let added = instance.json(&arguments).remove(0);
    text(&added, "id").to_owned()
}

impl Bay {
    fn new(policy: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", policy);
        Self { folder, hub }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A community that joined and published a request under a marker of its own.
    fn community(&self, name: &str, more: &[&str]) -> Instance {
        let community = Instance::found(self.path(), name, "keeper");
        community.ok(&[&["hub", "register", &self.hub.link(), "--yes"], more].concat());
        community
    }

    /// Every page and feed that links lead to from the start.
    fn everything(&self) -> String {
        let (mut all, mut seen) = (String::new(), vec!["/".to_owned()]);
        let mut next = 0;
        while let Some(path) = seen.get(next).cloned() {
            next += 1;
            let mut browser = Browser::new(self.hub.address());
            browser.open(&path);
            if browser.status == 401 || browser.status == 403 {
                continue;
            }
            assert_eq!(browser.status, 200, "{path}: {}", browser.page);
            for part in browser.page.split("href=\"").skip(1) {
                let link = part.split('"').next().expect("an end");
                let link = link.replace("&#38;", "&");
                let is_ours = link.starts_with('/') && !link.starts_with("/assets/");
                if is_ours && !seen.contains(&link) {
                    seen.push(link);
                }
            }
            all.push_str(&browser.page);
        }
        all
    }
}

#[test]
fn three_communities_show_up_and_go_when_they_take_back_or_are_suspended() {
    let bay = Bay::new("open");
    let names = ["North", "South", "East"];
    let communities = names.map(|name| bay.community(name, &[]));
    let hollow = bay.community("Hollow", &["--unlisted"]);
    add(&hollow, "marker_unlisted", "public");
    let ids: Vec<String> = communities
        .iter()
        .zip(names)
        .map(|(community, name)| {
            add(community, "marker_private", "private");
            add(community, "marker_trusted", "trusted_peers");
            add(community, &format!("marker_{name}"), "public")
        })
        .collect();
    for community in communities.iter().chain([&hollow]) {
        community.ok(&["sync", "--yes"]);
    }
    let all = bay.everything();
    for name in names {
        assert!(all.contains(&format!("marker_{name}")), "{name}");
        assert!(all.contains(&format!("from <bdi>{name}</bdi>")), "{name}");
    }
    for hidden in HIDDEN {
        assert!(!all.contains(hidden), "{hidden}");
    }

    communities[0].ok(&["record", "unshare", &ids[0]]);
    communities[0].ok(&["sync", "--yes"]);
    bay.hub
        .instance
        .ok(&["hub", "suspend", "South", "--reason", "noise"]);
    let all = bay.everything();
    assert!(!all.contains("marker_North") && !all.contains("marker_South"));
    assert!(all.contains("marker_East"));
    // Its name goes with it, and stands in the notice alone.
    assert_eq!(all.matches(">South<").count(), 1);
    assert!(all.contains("suspended <bdi>South</bdi>"));
    bay.hub.instance.ok(&["hub", "reinstate", "South"]);
    assert!(bay.everything().contains("marker_South"));
}

#[test]
fn a_moderator_lets_a_community_in_and_out_in_a_browser() {
    let bay = Bay::new("approval");
    let north = Instance::found(bay.path(), "North", "keeper");
    north
        .run(&["hub", "register", &bay.hub.link(), "--yes"])
        .ends(3);
    let link = bay.hub.instance.json(&["hub", "login-link"]).remove(0);
    let link = text(&link, "link");
    // (To one of its processes, where it has several.)
    let (_, path) = link.split_once("/login").expect("a link of this hub");
    let path = &format!("/login{path}");
    let mut moderator = Browser::new(bay.hub.address());
    moderator.open("/moderate");
    assert_eq!(moderator.status, 401);
    moderator.open(path);
    moderator.send(path, "");
    assert!(moderator.page.contains("Waiting (1)"), "{}", moderator.page);
    let member = format!("/moderate/members/{}", north.id());
    moderator.open(&member);
    moderator.send(&format!("{member}/approve"), "");
    add(&north, "marker_north", "public");
    north.ok(&["sync", "--yes"]);
    assert!(bay.everything().contains("marker_north"));

    moderator.open(&member);
    let suspend = format!("{member}/suspend");
    moderator.send(&suspend, "reason=It+floods+the+list");
    // First what would come of it.
    assert!(
        moderator.page.contains("North cannot sync here"),
        "{}",
        moderator.page
    );
    assert!(bay.everything().contains("marker_north"));
    moderator.send(&suspend, "reason=It+floods+the+list&sure=1");
    assert!(!bay.everything().contains("marker_north"));
    let shown = bay.hub.instance.json(&["hub", "show", "North"]).remove(0);
    assert_eq!(text(&shown, "reason"), "It floods the list");
    // What is decided by command is in the same log.
    let reason = ["hub", "reinstate", "North", "--reason", "They talked"];
    bay.hub.instance.ok(&reason);
    moderator.open("/moderate/log");
    assert!(moderator.page.contains("They talked"), "{}", moderator.page);
    assert!(moderator.page.contains("It floods the list"));
    assert!(bay.everything().contains("marker_north"));
}

#[test]
fn a_hub_on_a_network_is_moderated_by_the_proxy_that_is_named_and_by_nobody_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let harbour = Instance::found(folder.path(), "Harbour", "operator");
    let settings = harbour.file("config.toml");
    for (named, wanted) in [("", 403), ("behind_proxy = \"127.0.0.1\"\n", 200)] {
        std::fs::write(&settings, format!("[hub]\n{named}")).expect("a file");
        let mut command = harbour.command(&["--json", "hub", "up", "--listen", "0.0.0.0:0"]);
        let up = Up::start(&mut command);
        let started: Value = serde_json::from_str(&up.line("{")).expect("a line of JSON");
        let mut browser = Browser::new(text(&started, "address"));
        browser.open("/login");
        assert_eq!(browser.status, wanted, "{named}: {}", browser.page);
        browser.open("/communities");
        assert_eq!(browser.status, 200, "{named}: {}", browser.page);
    }
}
