//! Moderators: how their browsers come in and go, and what they decide.

use http::{Method, StatusCode};
use rusqlite::Connection;
use wb_core::sync::Standing;
use wb_core::time::Timestamp;
use wb_hub::{HubStore, SqliteHub, approve};
use wb_node::command::login_link::login_link;
use wb_node::entropy;
use wb_store::relay::Relay;

use super::world::{Browser, Harbour};
use crate::origin::Origin;

fn standing(harbour: &Harbour, origin: &Origin) -> (Standing, Option<String>, Option<Timestamp>) {
    let held = harbour.write(|write| write.member(&origin.id(), entropy::now()));
    let held = held.expect("a row").expect("a member").standings;
    (held.standing, held.reason, held.until)
}

fn address(origin: &Origin, act: &str) -> String {
    format!("/moderate/members/{}/{act}", origin.id())
}

/// A hub at which North waits.
fn waiting() -> (Harbour, Origin) {
    let (harbour, north) = (Harbour::new(), Origin::new(1));
    harbour.register(&north, "North", true, 1);
    harbour.stand(&north, Standing::Waiting, None);
    (harbour, north)
}

#[tokio::test]
async fn a_registration_is_let_in_suspended_and_let_in_again_with_who_when_and_why() {
    let (harbour, north) = waiting();
    let stella = harbour.of("stella");
    let list = harbour.get(&stella, "/moderate").await;
    assert!(list.body.contains("Waiting (1)") && list.body.contains("<bdi>North</bdi>"));

    harbour
        .post(&stella, &address(&north, "approve"), &[])
        .await;
    assert_eq!(standing(&harbour, &north).0, Standing::Member);
    let fields = [("reason", "It floods the list."), ("until", "2099-12-31")];
    let step = harbour
        .post(&stella, &address(&north, "suspend"), &fields)
        .await;
    assert!(
        step.body.contains("North cannot sync here until 2099"),
        "{}",
        step.body
    );
    assert_eq!(standing(&harbour, &north).0, Standing::Member);
    let fields = [&fields[..], &[("sure", "1")]].concat();
    harbour
        .post(&stella, &address(&north, "suspend"), &fields)
        .await;
    let until = "2099-12-31T00:00:00.000Z".parse().ok();
    let suspended = (
        Standing::Suspended,
        Some("It floods the list.".to_owned()),
        until,
    );
    assert_eq!(standing(&harbour, &north), suspended);
    let ada = harbour.of("ada");
    harbour
        .post(
            &ada,
            &address(&north, "reinstate"),
            &[("reason", "They talked."), ("sure", "1")],
        )
        .await;
    assert_eq!(standing(&harbour, &north).0, Standing::Member);

    let log = harbour.get(&stella, "/moderate/log").await.body;
    let places = [
        "let in again",
        "They talked.",
        "suspended",
        "It floods the list. (until 2099",
        "let in:",
    ];
    let found: Vec<usize> = places
        .iter()
        .map(|text| log.find(text).expect(text))
        .collect();
    assert!(found.is_sorted(), "{log}");
    assert!(log.contains("<bdi>ada</bdi>") && log.contains("<bdi>stella</bdi>"));
    let page = harbour
        .get(&stella, &format!("/moderate/members/{}", north.id()))
        .await;
    assert!(page.body.contains("They talked."), "{}", page.body);
}

#[tokio::test]
async fn nothing_is_decided_without_a_reason_or_until_a_day_that_is_over() {
    let (harbour, north) = waiting();
    let stella = harbour.of("stella");
    for (fields, says) in [
        (&[("reason", " ")][..], "a reason is needed"),
        (
            &[("reason", "x"), ("until", "2001-01-01")][..],
            "not in the future",
        ),
        (
            &[("reason", "x"), ("until", "tomorrow")][..],
            "written like 2026-12-31",
        ),
    ] {
        let came = harbour
            .post(&stella, &address(&north, "suspend"), fields)
            .await;
        assert!(came.body.contains(says), "{}", came.body);
        assert_eq!(standing(&harbour, &north).0, Standing::Waiting);
    }
    let long = "x".repeat(501);
    let came = harbour
        .post(&stella, &address(&north, "suspend"), &[("reason", &long)])
        .await;
    assert!(came.body.contains("longer than 500"), "{}", came.body);
    let came = harbour
        .post(&stella, &address(&north, "reinstate"), &[("reason", "x")])
        .await;
    assert!(came.body.contains("was never let in"), "{}", came.body);
    assert_eq!(standing(&harbour, &north).0, Standing::Waiting);
}

/// Fields of a form, or headers.
type Pairs<'p> = &'p [(&'p str, &'p str)];

#[tokio::test]
async fn a_form_that_was_not_made_here_decides_nothing() {
    let (harbour, north) = waiting();
    let (stella, path) = (harbour.of("stella"), address(&north, "approve"));
    let token = stella.form_token();
    let ours = ("form_token", token.as_str());
    let other = harbour.of("ada").form_token();
    let refused: [(Pairs<'_>, Pairs<'_>); 4] = [
        (&[], &[]),
        (&[("form_token", other.as_str())], &[]),
        (&[ours], &[("origin", "https://elsewhere.test")]),
        (&[ours], &[("sec-fetch-site", "cross-site")]),
    ];
    for (fields, headers) in refused {
        let came = harbour
            .ask(&stella, Method::POST, &path, fields, headers)
            .await;
        assert_eq!(came.status, StatusCode::BAD_REQUEST);
        assert_eq!(standing(&harbour, &north).0, Standing::Waiting);
    }
    harbour
        .ask(&stella, Method::POST, &path, &[ours], &[])
        .await;
    assert_eq!(standing(&harbour, &north).0, Standing::Member);
}

#[tokio::test]
async fn only_a_moderator_decides_whoever_else_has_an_account() {
    let (harbour, north) = waiting();
    let omar = harbour.of("omar");
    let came = harbour.post(&omar, &address(&north, "approve"), &[]).await;
    assert_eq!(came.status, StatusCode::UNAUTHORIZED);
    // The use case says so, too, whoever calls it.
    let node = harbour.node();
    let actor = node.actor(Some("omar")).expect("omar");
    let file = Relay::existing(&node.store().home().hub()).expect("a file");
    let (store, log) = (SqliteHub::new(file).in_place(), node.store().private());
    let by = (actor.user, actor.role);
    let done = approve(&store, log, by, north.id(), entropy::now()).await;
    assert!(done.is_err());
    let member = store
        .member(north.id(), entropy::now())
        .await
        .expect("a row");
    assert_eq!(member.expect("North").standings.standing, Standing::Waiting);
}

/// The browser that was given a session with an answer.
fn holding(harbour: &Harbour, came: &crate::site::Came) -> Option<Browser> {
    let set = came.headers.get_all("set-cookie").iter();
    let mut lines = set.filter_map(|line| line.to_str().ok());
    let line = lines.find(|line| line.starts_with("wb_session_"))?;
    assert!(line.contains("; HttpOnly; SameSite=Lax"), "{line}");
    let (_, secret) = line.split(';').next()?.split_once('=')?;
    Some(harbour.browser("session", secret.to_owned()))
}

#[tokio::test]
async fn a_link_lets_a_moderator_in_once_and_only_when_it_is_used() {
    let harbour = Harbour::new();
    let node = harbour.node();
    let ada = node.actor(None).expect("the founder");
    let visitor = harbour.visitor();
    let secret = login_link(&node, &ada, "stella").expect("a link");
    let path = format!("/login/link/{}", secret.as_str());
    for _ in 0..2 {
        let looked = harbour.get(&visitor, &path).await;
        assert_eq!(looked.status, StatusCode::OK);
        assert!(holding(&harbour, &looked).is_none());
    }
    let used = harbour.post(&visitor, &path, &[]).await;
    assert_eq!(used.location.as_deref(), Some("/moderate"));
    let stella = holding(&harbour, &used).expect("a session");
    assert_eq!(
        harbour.get(&stella, "/moderate").await.status,
        StatusCode::OK
    );
    assert_eq!(
        harbour.post(&visitor, &path, &[]).await.status,
        StatusCode::NOT_FOUND
    );

    harbour.post(&stella, "/logout", &[]).await;
    assert_eq!(
        harbour.get(&stella, "/moderate").await.status,
        StatusCode::UNAUTHORIZED
    );
    // A link of somebody who does not moderate opens nothing here.
    let secret = login_link(&node, &ada, "omar").expect("a link");
    let path = format!("/login/link/{}", secret.as_str());
    assert_eq!(
        harbour.post(&visitor, &path, &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn browsers_are_listed_and_ended_and_one_cannot_end_those_of_another() {
    let harbour = Harbour::new();
    let (here, there, ada) = (
        harbour.of("stella"),
        harbour.of("stella"),
        harbour.of("ada"),
    );
    let page = harbour.get(&here, "/moderate/sessions").await;
    assert_eq!(page.body.matches("(this one)").count(), 1);
    assert_eq!(page.body.matches("/moderate/sessions/end").count(), 2);
    let name = |browser: &Browser| {
        let (_, secret) = browser.cookie.as_ref().expect("a secret");
        wb_node::secret::name(secret).to_string()
    };
    harbour
        .post(&here, "/moderate/sessions/end", &[("session", &name(&ada))])
        .await;
    assert_eq!(harbour.get(&ada, "/moderate").await.status, StatusCode::OK);
    harbour
        .post(
            &here,
            "/moderate/sessions/end",
            &[("session", &name(&there))],
        )
        .await;
    assert_eq!(
        harbour.get(&there, "/moderate").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(harbour.get(&here, "/moderate").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_browser_that_does_nothing_for_half_a_day_is_out() {
    let harbour = Harbour::new();
    let stella = harbour.of("stella");
    let seen_hours_ago = |hours: i64| {
        let at = entropy::now().plus_ms(-hours * 3_600_000).unix_ms();
        let file = Connection::open(harbour.node().store().home().private()).expect("a file");
        file.execute("UPDATE sessions SET seen_at = ?1", [at])
            .expect("a row");
    };
    seen_hours_ago(11);
    assert_eq!(
        harbour.get(&stella, "/moderate").await.status,
        StatusCode::OK
    );
    seen_hours_ago(12);
    assert_eq!(
        harbour.get(&stella, "/moderate").await.status,
        StatusCode::UNAUTHORIZED
    );
    // It is ended, and not only refused.
    seen_hours_ago(0);
    assert_eq!(
        harbour.get(&stella, "/moderate").await.status,
        StatusCode::UNAUTHORIZED
    );
}
