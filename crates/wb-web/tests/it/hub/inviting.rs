//! Invitations on a moderator's pages: the code shown once, who came by each, and switching off.

use http::StatusCode;
use wb_core::sync::{Policy, Visibility};
use wb_hub::{HubStore as _, Registering, SqliteHub, code_hash};
use wb_node::entropy;
use wb_store::relay::Relay;

use super::world::{Harbour, Served};
use crate::origin::Origin;

/// What stands between two texts.
fn between<'b>(body: &'b str, before: &str, after: &str) -> &'b str {
    let from = body.find(before).expect("it begins") + before.len();
    let rest = &body[from..];
    &rest[..rest.find(after).expect("it ends")]
}

/// Somebody comes by a code, as the service of the hub lets it in.
async fn comes(harbour: &Harbour, origin: &Origin, name: &str, code: &str) -> bool {
    let file = harbour.node().store().home().hub();
    let store = SqliteHub::new(Relay::existing(&file).expect("a file"));
    let registering = Registering {
        identity: origin.identity.clone(),
        name: name.to_owned(),
        card: origin.card(),
        visibility: Visibility::Public,
        code: Some(code_hash(code)),
        counter: 1,
    };
    let came = store.register(registering, Policy::Invite, entropy::now());
    came.await.expect("a store").is_ok()
}

#[tokio::test]
async fn a_code_is_shown_once_and_its_invitation_names_who_came_and_is_switched_off() {
    let harbour = Harbour::served(&Served {
        moderated: true,
        policy: Policy::Invite,
    });
    let start = harbour.get(&harbour.nobody(), "/").await.body;
    assert!(
        start.contains("--code CODE") && start.contains("has an invitation"),
        "{start}"
    );

    let stella = harbour.of("stella");
    let fields = [
        ("uses", "2"),
        ("until", "2099-12-31"),
        ("note", "Old <friends>"),
    ];
    let made = harbour.post(&stella, "/moderate/invites", &fields).await;
    assert_eq!(made.status, StatusCode::OK);
    let code = between(&made.body, "<dt>Code</dt><dd><code>", "</code>").to_owned();
    assert_eq!(code.len(), 32, "{}", made.body);
    assert!(made.body.contains(&format!("--code {code}</code>")));
    assert!(made.body.contains("2 communities") && made.body.contains("2099"));

    let (north, south) = (Origin::new(1), Origin::new(2));
    assert!(comes(&harbour, &north, "North", &code).await);
    let list = harbour.get(&stella, "/moderate/invites").await.body;
    assert!(!list.contains(&code), "it was shown once");
    assert!(
        list.contains("Invitation 1: <bdi>Old &#60;friends&#62;</bdi>"),
        "{list}"
    );
    assert!(list.contains("came: 1 of 2") && list.contains("<bdi>North</bdi>"));
    let member = format!("/moderate/members/{}", north.id());
    let member = harbour.get(&stella, &member).await.body;
    assert!(member.contains("invitation 1"), "{member}");

    harbour.post(&stella, "/moderate/invites/1/off", &[]).await;
    assert!(!comes(&harbour, &south, "South", &code).await);
    let list = harbour.get(&stella, "/moderate/invites").await.body;
    assert!(list.contains("switched off") && list.contains("closed"));
    let log = harbour.get(&stella, "/moderate/log").await.body;
    assert!(log.contains("switched off: <a href=\"/moderate/invites\"><bdi>invitation 1"));
    assert!(!log.contains(&code));
    // In the files of the hub neither.
    let file = std::fs::read(harbour.node().store().home().hub()).expect("a file");
    let holds = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("Old <friends>") && !holds(&code));
}

#[tokio::test]
async fn what_is_typed_wrongly_makes_nothing_and_only_moderators_may() {
    let harbour = Harbour::new();
    let stella = harbour.of("stella");
    for (fields, says) in [
        (&[("uses", "0")][..], "a number from 1"),
        (&[("uses", "many")][..], "a number from 1"),
        (
            &[("uses", "1"), ("until", "2001-01-01")][..],
            "not in the future",
        ),
        (
            &[("uses", "1"), ("until", "soon")][..],
            "written like 2026-12-31",
        ),
    ] {
        let came = harbour.post(&stella, "/moderate/invites", fields).await;
        assert!(came.body.contains(says), "{}", came.body);
    }
    let list = harbour.get(&stella, "/moderate/invites").await;
    assert!(list.body.contains("None was made yet."));
    for browser in [harbour.nobody(), harbour.of("omar")] {
        let came = harbour
            .post(&browser, "/moderate/invites", &[("uses", "1")])
            .await;
        assert!(came.status.is_client_error() || came.status.is_redirection());
        assert!(!came.body.contains("<dt>Code</dt>"));
    }
    assert!(
        harbour
            .get(&stella, "/moderate/invites")
            .await
            .body
            .contains("None was made yet.")
    );
    let none = harbour.post(&stella, "/moderate/invites/7/off", &[]).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
}
