//! The private feed of a member: who reads it, when it ends, and that the same is not sent twice.

use http::header::{HOST, IF_NONE_MATCH};
use http::{Request, StatusCode};
use wb_core::scope::Scope;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_store::AccountState;

use super::site::{Browser, Came, Elm, NAME};

/// A feed reader: it holds no cookie.
async fn read(elm: &Elm, path: &str, held: Option<&str>) -> Came {
    let mut request = Request::builder().uri(path).header(HOST, NAME);
    if let Some(tag) = held {
        request = request.header(IF_NONE_MATCH, tag);
    }
    let request = request.body(axum::body::Body::empty());
    elm.send(request.expect("a request")).await
}

async fn address(elm: &Elm, browser: &Browser) -> String {
    elm.post(browser, "/settings/feed", &[("new", "yes")]).await;
    let page = elm.get(browser, "/settings/feed").await.body;
    let (_, rest) = page.split_once("href=\"/feeds/").expect("an address");
    let (token, _) = rest.split_once('/').expect("a secret");
    format!("/feeds/{token}/requests")
}

#[tokio::test]
async fn a_reader_sees_what_its_member_sees_without_logging_in() {
    let elm = Elm::found();
    let path = address(&elm, &elm.of("mira")).await;
    for (ending, kind) in [
        ("atom", "application/atom+xml; charset=utf-8"),
        ("rss", "application/rss+xml; charset=utf-8"),
    ] {
        let came = read(&elm, &format!("{path}.{ending}"), None).await;
        assert_eq!(came.status, StatusCode::OK);
        assert_eq!(came.header("content-type"), Some(kind));
        assert_eq!(came.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(came.header("set-cookie"), None);
        assert!(came.body.contains("A ladder"), "{}", came.body);
        assert!(came.body.contains("mira, Elm Street"), "{}", came.body);
    }
    let request = format!("/requests/{}/{}/complete", elm.node().own_id(), elm.request);
    elm.post(&elm.of("mira"), &request, &[]).await;
    let came = read(&elm, &format!("{path}.atom"), None).await;
    assert!(!came.body.contains("A ladder"), "{}", came.body);
}

#[tokio::test]
async fn what_a_reader_holds_is_not_sent_again() {
    let elm = Elm::found();
    let path = format!("{}.atom", address(&elm, &elm.of("mira")).await);
    let first = read(&elm, &path, None).await;
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = read(&elm, &path, Some(&format!("\"other\", W/{tag}"))).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.body, "");
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    let mut node = elm.node();
    let omar = node.actor(Some("omar")).expect("omar");
    let ask = RequestAdd {
        title: "A drill",
        description: "",
        scope: Scope::Private,
    };
    request_add(&mut node, &omar, &ask).expect("a request");
    let changed = read(&elm, &path, Some(&tag)).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert!(changed.body.contains("A drill"));
}

#[tokio::test]
async fn an_address_ends_with_the_next_one_when_switched_off_and_with_the_membership() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let first = format!("{}.atom", address(&elm, &mira).await);
    let second = format!("{}.atom", address(&elm, &mira).await);
    assert_ne!(first, second);
    let gone = read(&elm, &first, None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert_eq!(read(&elm, &second, None).await.status, StatusCode::OK);

    let node = elm.node();
    let account = node.store().private().account("mira").expect("it is read");
    let mut account = account.expect("an account");
    account.state = AccountState::Pending;
    let put = node.store().private().put_account(&account);
    put.expect("it is written");
    let out = read(&elm, &second, None).await;
    assert_eq!(out.status, StatusCode::NOT_FOUND);
    account.state = AccountState::Approved;
    let put = node.store().private().put_account(&account);
    put.expect("it is written");

    elm.post(&mira, "/settings/feed", &[("off", "yes")]).await;
    let off = read(&elm, &second, None).await;
    assert_eq!(off.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_the_member_is_told_where_the_feed_is_and_when_it_was_read() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let path = format!("{}.atom", address(&elm, &mira).await);
    let before = elm.get(&mira, "/settings/feed").await.body;
    assert!(before.contains("<dd>never</dd>"), "{before}");
    read(&elm, &path, None).await;
    let after = elm.get(&mira, "/settings/feed").await.body;
    assert!(!after.contains("<dd>never</dd>"), "{after}");
    let link = format!("rel=\"alternate\" type=\"application/atom+xml\" href=\"{path}\"");
    assert!(elm.get(&mira, "/requests").await.body.contains(&link));
    for other in [elm.of("omar"), elm.of("ada")] {
        for page in ["/requests", "/settings/feed"] {
            let came = elm.get(&other, page).await;
            assert!(!came.body.contains("/feeds/"), "{page}");
        }
    }
    let stranger = elm.get(&elm.stranger(), "/").await;
    assert!(!stranger.body.contains("/feeds/"));
    // The secret itself is nowhere in the file.
    let secret = path.split('/').nth(2).expect("a secret").to_owned();
    let node = elm.node();
    let user = node.actor(Some("mira")).expect("mira").user;
    let row = node.store().private().feed_link_of(&user).expect("a row");
    assert_ne!(row.expect("a row").link.to_string(), secret);
}
