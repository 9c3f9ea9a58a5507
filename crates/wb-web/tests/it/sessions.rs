//! Browsers: asking, letting in, being let in, ending. Nothing shows whether a handle exists.

use http::StatusCode;
use wb_node::command::session::WAITING_PER_HANDLE_MAX;

use super::site::{Came, Elm};

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
