//! The door: names, forms of other sites, and what every answer says about itself.

use http::header::{COOKIE, HOST};
use http::{Method, Request, StatusCode};

use super::site::{Elm, NAME};

#[tokio::test]
async fn another_name_is_refused_so_that_no_other_site_can_stand_for_this_one() {
    let elm = Elm::found();
    for host in ["evil.test", "elm.test.evil.test", "elm.test:81", ""] {
        let request = Request::builder()
            .uri("/login")
            .header(HOST, host)
            .body(axum::body::Body::empty())
            .expect("a request");
        let came = elm.send(request).await;
        assert_eq!(came.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(!came.body.contains("Elm Street"), "{host}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let omar = elm.of("omar");
    let path = format!("/requests/{}/{}/complete", elm.node().own_id(), elm.request);
    // Without the token, and with that of another browser.
    let bare = elm.ask(&mira, Method::POST, &path, &[]).await;
    let foreign = elm
        .ask(
            &mira,
            Method::POST,
            &path,
            &[("form_token", &omar.form_token())],
        )
        .await;
    // With the right token, sent from elsewhere as the browser says.
    let elsewhere = |name: &'static str, value: &'static str| {
        let body = format!("form_token={}", mira.form_token());
        let request = Request::builder()
            .method(Method::POST)
            .uri(&path)
            .header(HOST, NAME)
            .header(COOKIE, mira.cookie_line())
            .header(name, value)
            .body(axum::body::Body::from(body))
            .expect("a request");
        elm.send(request)
    };
    let origin = elsewhere("origin", "https://evil.test").await;
    let site = elsewhere("sec-fetch-site", "cross-site").await;
    for came in [bare, foreign, origin, site] {
        assert_eq!(came.status, StatusCode::BAD_REQUEST);
        assert!(came.body.contains("nothing was changed"), "{}", came.body);
    }
    assert_eq!(elm.status_of_request(), "open");
    let own = elm.post(&mira, &path, &[]).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER);
    assert_eq!(elm.status_of_request(), "completed");
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need() {
    let elm = Elm::found();
    let came = elm.get(&elm.of("mira"), "/requests").await;
    let says = |name: &str| came.header(name).unwrap_or_default();
    let policy = says("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(says("referrer-policy"), "no-referrer");
    assert_eq!(says("x-content-type-options"), "nosniff");
    assert_eq!(says("cache-control"), "no-store");
    for banned in [
        "<script>",
        " style=",
        "onclick",
        "javascript:",
        "http://",
        "https://",
    ] {
        assert!(!came.body.contains(banned), "{banned}");
    }
}

#[tokio::test]
async fn text_of_people_stays_text() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let long = "w".repeat(10_000);
    for hostile in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "\u{202e}desrever\u{202c}",
        "👩‍👩‍👧‍👦 شكرا",
        "{{ shell.form_token }} {% raw %}",
        long.as_str(),
    ] {
        let fields = [
            ("title", "A title"),
            ("description", hostile),
            ("scope", "private"),
        ];
        let made = elm.post(&mira, "/requests/new", &fields).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{hostile:.40}");
        let path = made.location.expect("its page");
        for page in [path.as_str(), "/requests"] {
            let came = elm.get(&mira, page).await;
            assert_eq!(came.status, StatusCode::OK);
            assert!(!came.body.contains("<script>alert"), "{hostile:.40}");
            assert!(!came.body.contains("<img src=x"), "{hostile:.40}");
        }
    }
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let huge = "x".repeat(600 * 1_024);
    let came = elm
        .post(
            &mira,
            "/requests/new",
            &[("title", "T"), ("description", &huge)],
        )
        .await;
    assert_eq!(came.status, StatusCode::PAYLOAD_TOO_LARGE);
}
