//! Who may come to a hub and who may be seen there, with the real program on both sides: invitations, and communities that
//! only members see.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::pages::Browser;
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, text};

/// A hub of a policy, and communities beside it.
struct Bay {
    folder: TempDir,
    hub: Hub,
}

impl Bay {
    fn new(policy: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", policy);
        Self { folder, hub }
    }

    fn found(&self, name: &str) -> Instance {
        Instance::found(self.folder.path(), name, "keeper")
    }

    /// What a public page shows to whoever asks.
    fn page(&self, path: &str) -> String {
        let mut browser = Browser::new(self.hub.address());
        browser.open(path);
        assert!(
            matches!(browser.status, 200 | 404),
            "{path}: {}",
            browser.page
        );
        browser.page
    }
}

fn error(run: &str) -> Value {
    serde_json::from_str(run).expect("one line of JSON")
}

#[test]
fn a_community_comes_by_a_code_once_and_is_never_asked_again() {
    let bay = Bay::new("invite");
    let (north, south) = (bay.found("North"), bay.found("South"));
    let link = bay.hub.link();

    // Without a code it is told who has to do what, and nothing of it is there.
    let run = north.run(&["--json", "join", &link, "--yes"]).ends(3);
    let said = error(&run.stderr);
    let message = text(&said["error"], "message");
    assert!(
        message.contains("Harbour takes only whom it invited"),
        "{said}"
    );
    let hint = text(&said["error"], "hint");
    assert!(hint.contains("--code"), "{said}");
    assert!(bay.hub.instance.json(&["hub", "list"]).is_empty());

    let made = bay
        .hub
        .instance
        .json(&["hub", "invite", "create", "--note", "for North"]);
    let code = text(&made[0], "code").to_owned();
    assert_eq!(
        (&made[0]["number"], &made[0]["uses"]),
        (&json!(1), &json!(1))
    );
    let wrong = north
        .run(&["--json", "hub", "register", &link, "--code", "abc"])
        .ends(3);
    assert!(
        wrong.stderr.contains("of no invitation of Harbour"),
        "{}",
        wrong.stderr
    );
    let came = north.json(&["hub", "register", &link, "--code", &code]);
    assert_eq!(text(&came[0], "standing"), "member");
    let used = south
        .run(&["--json", "join", &link, "--code", &code, "--yes"])
        .ends(3);
    assert!(
        used.stderr.contains("somebody came by this code already"),
        "{}",
        used.stderr
    );

    // Never again: registering anew, joining and syncing need none.
    for arguments in [
        &["hub", "register", &link][..],
        &["join", &link, "--yes"],
        &["sync"],
    ] {
        north.ok(arguments);
    }
    let invites = bay.hub.instance.json(&["hub", "invite", "list"]);
    let invite = &invites[0];
    assert_eq!(
        (&invite["used"], &invite["open"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(text(&invite["came"][0], "name"), "North");
    assert_eq!(text(invite, "note"), "for North");
    assert!(!invites[0].to_string().contains(&code));
    let shown = bay.hub.instance.json(&["hub", "show", "North"]);
    assert_eq!(shown[0]["invite"], 1);

    // Several, until it is switched off; the other folder then finds it off.
    let many = bay
        .hub
        .instance
        .json(&["hub", "invite", "create", "--unlimited"]);
    let many = text(&many[0], "code");
    south.ok(&["join", &link, "--code", many, "--yes"]);
    bay.hub.instance.ok(&["hub", "invite", "off", "2"]);
    let east = bay.found("East");
    let off = east
        .run(&["--json", "join", &link, "--code", many, "--yes"])
        .ends(3);
    assert!(off.stderr.contains("was switched off"), "{}", off.stderr);
    let audit = bay.hub.instance.json(&["hub", "audit"]);
    let acts: Vec<&str> = audit.iter().map(|line| text(line, "act")).collect();
    assert_eq!(
        acts,
        ["hub invite off", "hub invite create", "hub invite create"]
    );
}

#[test]
fn a_community_for_members_is_seen_by_members_and_by_no_stranger() {
    let bay = Bay::new("open");
    let (north, south) = (bay.found("North"), bay.found("South"));
    let link = bay.hub.link();
    let came = north.json(&["hub", "register", &link, "--visibility", "members"]);
    assert_eq!(
        (
            text(&came[0], "visibility"),
            text(&came[0], "shown"),
            &came[0]["listed"]
        ),
        ("members", "members", &json!(false))
    );
    ask(&north, "Soup for members");
    north.ok(&["sync"]);

    // A member finds it in the directory, follows it with everybody, and is told that it is not for everybody.
    let joined = south.run(&["join", &link, "--yes"]).ends(0);
    assert!(joined.stdout.contains("North") && joined.stdout.contains("for members of this hub"));
    assert_eq!(titles(&south), ["Soup for members"]);

    // A stranger finds nothing of it.
    let id = text(&north.json(&["status"])[0], "id").to_owned();
    let paths = [
        "/",
        "/communities",
        "/requests",
        "/requests?words=soup",
        "/requests.atom",
    ];
    let mut all: String = paths.iter().map(|path| bay.page(path)).collect();
    all.push_str(&bay.page(&format!("/communities/{id}")));
    all.push_str(&bay.page(&format!("/communities/{id}/requests.atom")));
    assert!(
        !all.contains("Soup") && !all.contains("North") && all.contains("South"),
        "{all}"
    );
    // Nor in a bundle for everybody, but in one that names it.
    let bundle = |arguments: &[&str]| {
        let file = bay.folder.path().join("out.wbb");
        let _ = std::fs::remove_file(&file);
        let path = file.display().to_string();
        bay.hub
            .instance
            .ok(&[&["hub", "bundle", &path], arguments].concat());
        String::from_utf8_lossy(&std::fs::read(&file).expect("a file")).into_owned()
    };
    assert!(!bundle(&[]).contains("Soup for members"));
    assert!(bundle(&["--of", "North"]).contains("Soup for members"));

    // Registering again without a word changes nothing; with one it is for everybody.
    north.ok(&["hub", "register", &link]);
    assert!(!bay.page("/requests").contains("Soup"));
    let told = north.json(&["peer", "show", "Harbour"]);
    let registration = &told[0]["registration"];
    assert_eq!(
        (text(registration, "asked"), text(registration, "shown")),
        ("members", "members")
    );
    north.ok(&["hub", "register", &link, "--visibility", "public"]);
    assert!(bay.page("/requests").contains("Soup"));

    // A moderator narrows it, and the community is told; what was asked for holds after that.
    bay.hub
        .instance
        .ok(&["hub", "delist", "North", "--reason", "They asked for it."]);
    assert!(!bay.page("/requests").contains("Soup"));
    let told = north.json(&["hub", "register", &link]);
    assert_eq!(
        (text(&told[0], "visibility"), text(&told[0], "shown")),
        ("public", "unlisted")
    );
    bay.hub
        .instance
        .ok(&["hub", "reinstate", "North", "--reason", "Again."]);
    assert!(bay.page("/requests").contains("Soup"));
}
