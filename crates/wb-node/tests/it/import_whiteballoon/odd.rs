//! Files with everything odd in them: names that clash or cannot be typed, missing authors, texts that
//! no record may hold, invites that admit nobody.

use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::command::record_share::record_share;
use wb_node::command::request_edit::request_edit;
use wb_node::import::whiteballoon::{Done, Found};
use wb_node::query::{comments, invites, requests};
use wb_store::Role;

use super::build::Legacy;
use super::{Alice, FOR_REAL, fixture_path, troubles};

fn key(base: &wb_node::view::Base) -> RecordRef {
    RecordRef {
        origin: base.origin,
        id: base.id,
    }
}

#[test]
fn the_founder_keeps_the_name_and_the_rights() {
    let mut alice = Alice::found("Ash");
    let founder = alice.node.actor(None).unwrap();
    let report = alice.import(&fixture_path(), FOR_REAL);
    let renamed = || "ash-2".to_owned();
    assert_eq!(
        troubles(&report, "users", "1"),
        [
            (
                &Found::HandleTaken {
                    handle: "ash".to_owned()
                },
                &Done::Renamed { handle: renamed() }
            ),
            (&Found::AdminRenamed, &Done::KeptAdmin { handle: renamed() }),
        ]
    );
    assert_eq!(alice.node.actor(None).unwrap(), founder);
    let imported = alice.node.actor(Some("ash-2")).unwrap();
    assert_ne!(imported.user, founder.user);
    assert_eq!(imported.role, Role::Admin);
    assert_eq!(report.admins, ["ash-2", "echium-canary-private-user-0031"]);
    let kept: String = alice.private("SELECT value FROM attributes WHERE key = 'legacy_username'");
    assert_eq!(kept, "ash");
    let text = alice.lines().join("\n");
    assert!(text.contains("{\"handle\":\"ash-2\"}"));
    alice.check();
}

#[test]
fn an_admin_of_the_same_name_gains_nothing_and_loses_nothing() {
    let legacy = Legacy::new();
    legacy.user(1, "alice");
    legacy.user(2, "two words");
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(
        alice.node.actor(Some("alice-2")).unwrap().role,
        Role::Member
    );
    assert_eq!(alice.node.actor(Some("alice")).unwrap().role, Role::Admin);
    assert_eq!(
        troubles(&report, "users", "2"),
        [(
            &Found::HandleRefused {
                handle: "two words".to_owned()
            },
            &Done::Renamed {
                handle: "two-words".to_owned()
            }
        )]
    );
    assert!(report.admins.is_empty());
}

#[test]
fn what_has_no_author_never_leaves_whatever_is_marked() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.request(1, 1);
    legacy.request(2, 99);
    legacy.run("UPDATE help_requests SET status = 'completed' WHERE id = 2");
    legacy.comment(1, 1, 99);
    legacy.add("invite_tokens", &[("token", "'abc123'")]);
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    for (table, row) in [
        ("help_requests", "2"),
        ("request_comments", "1"),
        ("invite_tokens", "ab…"),
    ] {
        assert_eq!(
            troubles(&report, table, row),
            [(&Found::NoAuthor, &Done::KeptPrivate)]
        );
    }
    for sharing in &report.sharing[1..] {
        let stays = u64::from(sharing.public_in_file > 0);
        assert_eq!(sharing.stays.get("no_author").copied().unwrap_or(0), stays);
    }
    let shown = requests::requests(&alice.node).unwrap().into_iter();
    let [request] = &shown
        .filter(|request| request.base.author == "an unknown author")
        .collect::<Vec<_>>()[..]
    else {
        panic!("one request has no author")
    };
    assert_eq!(request.status.as_str(), "completed");
    assert_eq!(
        comments::comments(&alice.node, None).unwrap()[0]
            .base
            .author,
        "an unknown author"
    );

    // A steward lifts the ceiling and an admin shares: it stays all the same.
    let admin = alice.node.actor(None).unwrap();
    let steward = wb_node::Actor {
        role: Role::Steward,
        ..alice.node.actor(Some("ash")).unwrap()
    };
    for actor in [&steward, &admin] {
        let key = key(&request.base);
        let marked = record_share(&alice.node, actor, &key, Scope::Public, None).unwrap();
        assert!(marked.reach.is_err(), "{marked:?}");
    }
    let record = alice.node.store().local(&request.base.id).unwrap().unwrap();
    assert_eq!(
        (record.scope, record.ceiling),
        (Scope::Public, Scope::Public)
    );
    assert!(
        alice
            .plan()
            .puts
            .iter()
            .all(|put| put.leaving.id() != record.id)
    );
    alice.check();
}

#[test]
fn a_text_too_long_stays_home_until_its_author_shortens_it() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.request(1, 1);
    legacy.run("UPDATE help_requests SET description = printf('%.*c', 30000, 'x')");
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(
        troubles(&report, "help_requests", "1"),
        [(&Found::TooLong, &Done::KeptPrivate)]
    );
    assert_eq!(report.sharing[1].stays["too_long"], 1);
    // It is shown in full at home.
    let shown = requests::requests(&alice.node).unwrap();
    assert_eq!(shown[0].description.len(), 30_000);
    let ash = alice.node.actor(Some("ash")).unwrap();
    let key = key(&shown[0].base);
    request_edit(&alice.node, &ash, &key, None, Some("short")).unwrap();
    record_share(&alice.node, &ash, &key, Scope::Public, None).unwrap();
    let text = alice.lines().join("\n");
    assert!(text.contains("\"short\""));
}

#[test]
fn a_request_without_a_title_gets_its_first_words() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.request(1, 1);
    legacy.run("UPDATE help_requests SET title = NULL, description = 'A ride\nto the clinic'");
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.titles_made, 1);
    let shown = requests::requests(&alice.node).unwrap();
    assert_eq!(shown[0].title, "A ride to the clinic");
}

#[test]
fn an_invite_that_admits_nobody_moves_closed() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    let row = [
        ("token", "'abc123'"),
        ("created_by_user_id", "1"),
        ("max_uses", "0"),
    ];
    legacy.add("invite_tokens", &row);
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.sharing[4].stays["invite_closed"], 1);
    let actor = alice.node.actor(None).unwrap();
    let [invite] = &invites::invites(&alice.node, &actor).unwrap()[..] else {
        panic!("one invite")
    };
    assert_eq!(invite.open, Some(false));
    alice.check();
}

#[test]
fn a_token_that_is_taken_here_stays_behind() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    let row = [("token", "'abc123'"), ("created_by_user_id", "1")];
    legacy.add("invite_tokens", &row);
    let other = Legacy::new();
    other.user(1, "birch");
    other.add("invite_tokens", &row);
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    let report = alice.import(&other.path(), FOR_REAL);
    assert_eq!(
        troubles(&report, "invite_tokens", "ab…"),
        [(&Found::TokenTaken, &Done::LeftBehind)]
    );
    let invites = report.table("invite_tokens").unwrap();
    assert_eq!((invites.in_file, invites.not_moved), (1, 1));
    assert_eq!(report.sharing[4].stays["not_moved"], 1);
    alice.check();
}

#[test]
fn pictures_with_an_address_are_kept_apart_from_paths() {
    let legacy = Legacy::new();
    for (id, name) in [(1, "ash"), (2, "birch")] {
        legacy.user(id, name);
    }
    legacy.attribute(1, "profile_photo_url", "'https://example.org/a.png'");
    legacy.attribute(2, "profile_photo_url", "'/static/b.png'");
    legacy.attribute(2, "invited_by_user_id", "'1'");
    legacy.attribute(2, "likes", "'tea'");
    legacy.attribute(2, "likes", "'bread'");
    legacy.attribute(2, "likes", "NULL");
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    let avatars: i64 = alice.main(
        "SELECT count(*) FROM local_records WHERE body LIKE '%\"avatar\":\"https://example.org/a.png\"%'",
    );
    assert_eq!(avatars, 1);
    let attributes: String = alice.private(
        "SELECT group_concat(key || '=' || value, ' ') FROM (SELECT * FROM attributes ORDER BY key)",
    );
    assert_eq!(
        attributes,
        "likes= likes-2=bread likes-3=tea profile_photo_path=/static/b.png"
    );
    assert_eq!(report.table("user_attributes").unwrap().new, 6);
    let text = alice.lines().join("\n");
    assert!(!text.contains("example.org") && !text.contains("/static"));
}

#[test]
fn references_to_nobody_do_not_stop_anything() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.request(1, 1);
    legacy.comment(1, 77, 1);
    legacy.vouch(1, 1, 77);
    legacy.attribute(77, "key", "'value'");
    legacy.add("invite_personalizations", &[("token", "'nobody'")]);
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    for table in &report.tables {
        let sum = table.new + table.already_here + table.not_moved;
        assert_eq!(table.in_file, sum, "{table:?}");
    }
    let not_moved: Vec<u64> = report.tables.iter().map(|table| table.not_moved).collect();
    assert_eq!(not_moved, [0, 1, 0, 1, 0, 1, 1]);
    alice.check();
}
