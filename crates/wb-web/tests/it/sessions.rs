//! Browsers: asking, letting in, being let in, ending. Nothing shows whether a handle exists.

use http::StatusCode;
use wb_node::command::login_link::login_link;
use wb_node::command::session::WAITING_PER_HANDLE_MAX;

use super::site::{Browser, Came, Elm};

fn code(came: &Came) -> String {
    let (_, rest) = came.body.split_once("class=\"code\">").expect("a code");
    rest.split('<').next().expect("a code").to_owned()
}

#[tokio::test]
async fn a_browser_is_in_only_after_its_code_was_typed_and_with_a_new_secret() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let asked = elm
        .post(&elm.stranger(), "/login", &[("handle", "mira")])
        .await;
    let waiting = elm.holding(&asked);
    let page = elm.get(&waiting, "/waiting").await;
    assert_eq!(
        elm.get(&waiting, "/requests").await.status,
        StatusCode::UNAUTHORIZED
    );
    let wrong = [("handle", "mira"), ("code", "AAAAAA")];
    let refused = elm.post(&mira, "/settings/sessions/approve", &wrong).await;
    assert!(
        refused.body.contains("no browser with that code"),
        "{}",
        refused.body
    );
    let code = code(&page);
    let right = [("handle", "mira"), ("code", code.as_str())];
    let let_in = elm.post(&mira, "/settings/sessions/approve", &right).await;
    assert!(let_in.body.contains("Let in"), "{}", let_in.body);
    // The secret it waited with lets nobody in, whoever saw it.
    assert_eq!(
        elm.get(&waiting, "/requests").await.status,
        StatusCode::UNAUTHORIZED
    );
    let renewed = elm.get(&waiting, "/waiting").await;
    let inside = elm.holding(&renewed);
    assert_eq!(elm.get(&inside, "/requests").await.status, StatusCode::OK);
    assert_eq!(
        elm.get(&waiting, "/waiting").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_ne!(inside.cookie_line(), waiting.cookie_line());
}

#[tokio::test]
async fn a_handle_that_nobody_has_is_answered_like_one_that_somebody_has() {
    let elm = Elm::found();
    let mut answers = Vec::new();
    for handle in ["mira", "nobody"] {
        let mut seen = Vec::new();
        for _ in 0..=WAITING_PER_HANDLE_MAX {
            let asked = elm
                .post(&elm.stranger(), "/login", &[("handle", handle)])
                .await;
            let page = if asked.status == StatusCode::SEE_OTHER {
                elm.get(&elm.holding(&asked), "/waiting").await.body
            } else {
                asked.body.clone()
            };
            // The code and the names differ, as they should.
            let plain: String = page.replace(handle, "HANDLE");
            let plain = match plain.split_once("class=\"code\">") {
                Some((before, after)) => format!("{before}{}", &after[7..]),
                None => plain,
            };
            seen.push((asked.status, without_tokens(&plain)));
        }
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][WAITING_PER_HANDLE_MAX].0, StatusCode::OK);
}

fn without_tokens(page: &str) -> String {
    let pieces = page.split("name=\"form_token\" value=\"");
    pieces
        .map(|piece| piece.get(64..).unwrap_or(piece))
        .collect()
}

#[tokio::test]
async fn a_steward_lets_members_in_and_no_admins() {
    let elm = Elm::found();
    let (stella, omar) = (elm.of("stella"), elm.of("omar"));
    for (handle, who, works) in [
        ("mira", &stella, true),
        ("ada", &stella, false),
        ("mira", &omar, false),
    ] {
        let asked = elm
            .post(&elm.stranger(), "/login", &[("handle", handle)])
            .await;
        let code = code(&elm.get(&elm.holding(&asked), "/waiting").await);
        let fields = [("handle", handle), ("code", code.as_str())];
        let came = elm.post(who, "/settings/sessions/approve", &fields).await;
        assert_eq!(
            came.body.contains("Let in"),
            works,
            "{handle}: {}",
            came.body
        );
    }
}

#[tokio::test]
async fn drafts_join_the_account_only_when_the_browser_is_let_in() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    for (title, button) in [("kept", "approve"), ("forgotten", "deny")] {
        let asked = elm
            .post(&elm.stranger(), "/login", &[("handle", "mira")])
            .await;
        let waiting = elm.holding(&asked);
        let code = code(&elm.get(&waiting, "/waiting").await);
        elm.post(
            &waiting,
            "/waiting/drafts",
            &[("title", title), ("description", "x")],
        )
        .await;
        let fields = [("handle", "mira"), ("code", code.as_str()), (button, "yes")];
        elm.post(&mira, "/settings/sessions/approve", &fields).await;
    }
    let drafts = elm.node().store().private().drafts().expect("drafts");
    let titles: Vec<&str> = drafts.iter().map(|draft| draft.title.as_str()).collect();
    assert_eq!(titles, ["kept"]);
}

#[tokio::test]
async fn a_session_that_was_ended_is_out_and_nobody_ends_that_of_another() {
    let elm = Elm::found();
    let (first, second, omar) = (elm.of("mira"), elm.of("mira"), elm.of("omar"));
    let name = second.session_name();
    let foreign = elm
        .post(&omar, "/settings/sessions/end", &[("session", &name)])
        .await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert_eq!(elm.get(&second, "/requests").await.status, StatusCode::OK);
    let own = elm
        .post(&first, "/settings/sessions/end", &[("session", &name)])
        .await;
    assert_eq!(own.status, StatusCode::SEE_OTHER);
    assert_eq!(
        elm.get(&second, "/requests").await.status,
        StatusCode::UNAUTHORIZED
    );
}

/// A browser of a member that was let in by its code.
async fn let_in(elm: &Elm, by: &Browser, handle: &str) -> Browser {
    let asked = elm
        .post(&elm.stranger(), "/login", &[("handle", handle)])
        .await;
    let waiting = elm.holding(&asked);
    let code = code(&elm.get(&waiting, "/waiting").await);
    let fields = [("handle", handle), ("code", code.as_str())];
    elm.post(by, "/settings/sessions/approve", &fields).await;
    elm.holding(&elm.get(&waiting, "/waiting").await)
}

#[tokio::test]
async fn every_own_browser_is_told_of_one_that_asks_and_can_send_it_away() {
    let elm = Elm::found();
    let (first, second, omar) = (elm.of("mira"), elm.of("mira"), elm.of("omar"));
    let asked = elm
        .post(&elm.stranger(), "/login", &[("handle", "mira")])
        .await;
    let waiting = elm.holding(&asked);
    for browser in [&first, &second] {
        for page in ["/requests", "/members", "/settings"] {
            let came = elm.get(browser, page).await;
            assert!(came.body.contains("asks to be let in as you"), "{page}");
        }
    }
    let name = waiting.session_name();
    let foreign = elm
        .post(&omar, "/settings/sessions/refuse", &[("session", &name)])
        .await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert!(
        !elm.get(&omar, "/requests")
            .await
            .body
            .contains("asks to be")
    );
    elm.post(&first, "/settings/sessions/refuse", &[("session", &name)])
        .await;
    let away = elm.get(&waiting, "/waiting").await;
    assert_eq!(away.status, StatusCode::UNAUTHORIZED);
    assert!(
        !elm.get(&second, "/requests")
            .await
            .body
            .contains("asks to be")
    );
}

#[tokio::test]
async fn a_browser_that_was_let_in_cannot_hide_it_from_those_that_were_in_before() {
    let elm = Elm::found();
    let (mira, stella) = (elm.of("mira"), elm.of("stella"));
    let new = let_in(&elm, &stella, "mira").await;
    let told = elm.get(&mira, "/requests").await.body;
    assert!(told.contains("was let in by stella"), "{told}");
    assert!(!elm.get(&new, "/requests").await.body.contains("was let in"));
    // Nor by letting in another one.
    let newer = let_in(&elm, &new, "mira").await;
    let (_, rest) = told
        .split_once("name=\"notice\" value=\"")
        .expect("a notice");
    let number = rest.split('"').next().expect("its number");
    for browser in [&new, &newer] {
        let hidden = elm
            .post(browser, "/notices/seen", &[("notice", number)])
            .await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    }
    assert!(
        elm.get(&mira, "/requests")
            .await
            .body
            .contains("was let in by stella")
    );
    // The owner ends it from the notice, and puts the notice away.
    let name = new.session_name();
    assert!(told.contains(&name));
    elm.post(&mira, "/settings/sessions/end", &[("session", &name)])
        .await;
    assert_eq!(
        elm.get(&new, "/requests").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert!(
        elm.get(&mira, "/requests")
            .await
            .body
            .contains("It is out again")
    );
    elm.post(&mira, "/notices/seen", &[("notice", number)])
        .await;
    assert!(
        !elm.get(&mira, "/requests")
            .await
            .body
            .contains("was let in by stella")
    );
}

#[tokio::test]
async fn a_link_that_lets_somebody_in_is_told_to_the_browsers_that_were_in() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let node = elm.node();
    let ada = node.actor(None).expect("the founder");
    let secret = login_link(&node, &ada, "mira").expect("a link");
    let path = format!("/login/link/{}", secret.as_str());
    let used = elm.post(&elm.stranger(), &path, &[]).await;
    assert_eq!(used.status, StatusCode::SEE_OTHER);
    let told = elm.get(&mira, "/requests").await.body;
    assert!(told.contains("was let in by a link to log in"), "{told}");
    let again = elm.post(&elm.stranger(), &path, &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_nobody_can_be_called_or_ask_for_is_not_kept_while_a_browser_waits() {
    let elm = Elm::found();
    let long = "m".repeat(400_000);
    let asked = elm
        .post(&elm.stranger(), "/login", &[("handle", &long)])
        .await;
    assert!(asked.status.is_client_error(), "{}", asked.status);
    let node = elm.node();
    let private = node.store().private();
    assert_eq!(private.count_waiting(node.now()).expect("it counts"), 0);
    let waiting = elm.waiting();
    let words = [("title", long.as_str()), ("description", "")];
    let refused = elm.post(&waiting, "/waiting/drafts", &words).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    let page = elm.get(&waiting, "/waiting").await;
    assert!(!page.body.contains("mmmm"), "no draft of it is kept");
}
