//! Invitations: looking uses nothing up, taking counts, and both edges of uses and time.

use http::StatusCode;
use wb_core::time::Timestamp;
use wb_node::command::invite_create::{InviteCreate, invite_create};

use super::site::Elm;

fn invite(elm: &Elm, input: &InviteCreate) -> String {
    let mut node = elm.node();
    let mira = node.actor(Some("mira")).expect("mira");
    invite_create(&mut node, &mira, input).expect("an invite").1
}

#[tokio::test]
async fn programs_that_look_at_links_use_nothing_up() {
    let elm = Elm::found();
    let token = invite(
        &elm,
        &InviteCreate {
            max_uses: Some(1),
            ..InviteCreate::default()
        },
    );
    let path = format!("/invite/{token}");
    for _ in 0..5 {
        assert_eq!(elm.get(&elm.stranger(), &path).await.status, StatusCode::OK);
    }
    let taken = elm
        .post(&elm.stranger(), &path, &[("handle", "nela")])
        .await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_for_one_admits_one() {
    let elm = Elm::found();
    let token = invite(
        &elm,
        &InviteCreate {
            max_uses: Some(1),
            ..InviteCreate::default()
        },
    );
    let path = format!("/invite/{token}");
    // Two that come at the same moment.
    let (first, second) = (elm.stranger(), elm.stranger());
    let (one, two) = tokio::join!(
        elm.post(&first, &path, &[("handle", "nela")]),
        elm.post(&second, &path, &[("handle", "otto")]),
    );
    let taken = [&one, &two]
        .iter()
        .filter(|came| came.status == StatusCode::SEE_OTHER)
        .count();
    assert_eq!(taken, 1);
    let late = elm.get(&elm.stranger(), &path).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    assert!(late.body.contains("This invitation is over"));
}

#[tokio::test]
async fn an_invitation_ends_at_the_very_moment_it_says() {
    let elm = Elm::found();
    let now = elm.node().now().unix_ms();
    for (ms, status) in [(-1, StatusCode::BAD_REQUEST), (60_000, StatusCode::OK)] {
        let ends = Timestamp::from_unix_ms(now + ms);
        let token = invite(
            &elm,
            &InviteCreate {
                expires_at: ends,
                ..InviteCreate::default()
            },
        );
        let came = elm.get(&elm.stranger(), &format!("/invite/{token}")).await;
        assert_eq!(came.status, status, "{ms}");
    }
}

#[tokio::test]
async fn a_handle_that_is_taken_uses_nothing_up_and_keeps_what_was_typed() {
    let elm = Elm::found();
    let token = invite(
        &elm,
        &InviteCreate {
            max_uses: Some(1),
            ..InviteCreate::default()
        },
    );
    let path = format!("/invite/{token}");
    let fields = [("handle", "MIRA"), ("bio", "likes bread")];
    let came = elm.post(&elm.stranger(), &path, &fields).await;
    assert_eq!(came.status, StatusCode::OK);
    assert!(came.body.contains("likes bread") && came.body.contains("MIRA"));
    let again = elm
        .post(&elm.stranger(), &path, &[("handle", "nela")])
        .await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn who_joined_sees_nothing_of_others_until_somebody_accepts() {
    let elm = Elm::found();
    let token = invite(&elm, &InviteCreate::default());
    let taken = elm
        .post(
            &elm.stranger(),
            &format!("/invite/{token}"),
            &[("handle", "nela")],
        )
        .await;
    let nela = elm.holding(&taken);
    assert_eq!(
        elm.get(&nela, "/requests").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert!(
        elm.get(&nela, "/waiting")
            .await
            .body
            .contains("looks at your account")
    );
    let account = elm
        .node()
        .store()
        .private()
        .account("nela")
        .expect("it is read");
    let user = account.expect("an account").user.to_string();
    let stella = elm.of("stella");
    elm.post(
        &stella,
        "/review/account",
        &[("user", &user), ("decision", "accept")],
    )
    .await;
    assert_eq!(elm.get(&nela, "/requests").await.status, StatusCode::OK);
}
