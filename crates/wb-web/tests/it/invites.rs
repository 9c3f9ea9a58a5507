//! Invitations: looking uses nothing up, taking counts, and both edges of uses and time.

use http::StatusCode;
use wb_core::time::Timestamp;
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_store::AccountState;

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

#[tokio::test]
async fn an_invitation_shows_everything_that_was_written_for_it_and_loads_nothing_from_elsewhere() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let fields = [
        ("photo", "https://pictures.example.org/us.png"),
        ("gratitude", "for the <soup>"),
        ("support", "I have a van"),
        ("examples", "a lift\r\n\r\n  moving boxes "),
        ("fun", "I collect corks"),
        ("suggested_handle", "nela"),
        ("suggested_bio", "plays the tuba"),
        ("uses", "2"),
        ("days", "3"),
    ];
    let made = elm.post(&mira, "/invites", &fields).await;
    let card = made.location.expect("its card");
    let token = card.trim_start_matches("/invites/");
    let page = elm
        .get(&elm.stranger(), &format!("/invite/{token}"))
        .await
        .body;
    for shown in [
        "href=\"https://pictures.example.org/us.png\" rel=\"noreferrer noopener nofollow\"",
        "for the &#60;soup&#62;",
        "I have a van",
        "<li><bdi>a lift</bdi></li><li><bdi>moving boxes</bdi></li>",
        "I collect corks",
        "value=\"nela\"",
        "plays the tuba",
        "mira",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("<img"), "{page}");
    let list = elm.get(&mira, "/invites").await.body;
    assert!(
        list.contains("for <bdi>nela</bdi>; used 0 of 2 times"),
        "{list}"
    );
    // What is not an address is refused, and no invitation made.
    let wrong = [("photo", "javascript:alert(1)")];
    let refused = elm.post(&mira, "/invites", &wrong).await;
    assert_eq!(refused.status, StatusCode::OK);
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
}

#[tokio::test]
async fn only_a_steward_invites_so_that_nobody_looks_first() {
    let elm = Elm::found();
    for (inviter, handle, state) in [
        ("mira", "nela", AccountState::Pending),
        ("stella", "otto", AccountState::Approved),
    ] {
        let browser = elm.of(inviter);
        let form = elm.get(&browser, "/invites").await.body;
        let offers = form.contains("name=\"auto_approve\"");
        assert_eq!(offers, inviter == "stella");
        let made = elm
            .post(&browser, "/invites", &[("auto_approve", "yes")])
            .await;
        let card = made.location.expect("its card");
        let path = format!("/invite/{}", card.trim_start_matches("/invites/"));
        elm.post(&elm.stranger(), &path, &[("handle", handle)])
            .await;
        let node = elm.node();
        let account = node.store().private().account(handle).expect("it is read");
        assert_eq!(account.expect("an account").state, state, "{inviter}");
    }
}

#[tokio::test]
async fn the_words_of_an_invitation_are_shared_and_its_link_never_is() {
    let elm = Elm::found();
    let (mira, omar) = (elm.of("mira"), elm.of("omar"));
    let words = [("fun", "corks"), ("examples", "ask at 030 1234567")];
    let made = elm.post(&mira, "/invites", &words).await;
    let card = made.location.expect("its card");
    let token = card.trim_start_matches("/invites/").to_owned();
    let list = elm.get(&mira, "/invites").await.body;
    assert!(list.contains("stays here"), "{list}");
    let (_, rest) = list.split_once("href=\"/records/").expect("a link");
    let (id, _) = rest.split_once('/').expect("an id");
    let path = format!("/records/{id}/scope");
    let foreign = elm.post(&omar, &path, &[("scope", "public")]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let asked = elm.post(&mira, &path, &[("scope", "public")]).await;
    assert!(asked.body.contains("phone number"), "{}", asked.body);
    let sure = [("scope", "public"), ("sure", "yes")];
    let shared = elm.post(&mira, &path, &sure).await;
    assert_eq!(shared.location.as_deref(), Some("/invites"));
    elm.publish();
    assert_eq!(elm.rev(&id.parse().expect("an id")), 1);
    let node = elm.node();
    let feeds = node.store().served();
    for feed in feeds.feeds().expect("feeds") {
        let headers = feeds
            .all_headers(&feed.held.origin, feed.held.scope)
            .expect("headers");
        for header in headers.unwrap_or_default() {
            for item in feeds.items(&header).expect("items") {
                let text = String::from_utf8_lossy(&item).into_owned();
                assert!(!text.contains(&token), "{text}");
            }
        }
    }
}
