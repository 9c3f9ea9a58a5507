//! What is new comes by itself: to whom, how often, and for how long.

use std::time::Duration;

use axum::body::Body;
use http::header::{ACCEPT, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use wb_node::command::session::{session_approve, session_ask, session_code, session_end};

use super::site::{Browser, Elm};

/// Long enough for a busy machine; a test that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(60);
/// What one browser is granted.
const STREAMS: usize = 3;

struct Stream {
    body: Body,
    came: String,
}

impl Stream {
    /// Waits until this has come.
    async fn until(&mut self, text: &str) {
        while !self.came.contains(text) {
            assert!(self.next().await, "{text} has not come: {}", self.came);
        }
    }

    /// Waits until the end. That it is still there does not count as coming to one.
    async fn end(mut self) -> String {
        let to_the_end = async { while self.next().await {} };
        let ended = tokio::time::timeout(PATIENCE, to_the_end).await;
        ended.expect("it ends in time");
        self.came
    }

    async fn next(&mut self) -> bool {
        let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
        let Some(frame) = frame.expect("something comes in time") else {
            return false;
        };
        let data = frame.expect("a stream does not break").into_data();
        let data = data.expect("a stream has no trailers");
        self.came.push_str(&String::from_utf8_lossy(&data));
        true
    }

    /// The id of the last state.
    fn id(&self) -> String {
        let (_, id) = self.came.rsplit_once("id: ").expect("a state");
        id.lines().next().expect("a state").to_owned()
    }
}

async fn ask(elm: &Elm, browser: &Browser, known: Option<&str>) -> Response<Body> {
    let mut request = Elm::request(browser, Method::GET, "/events", &[]);
    let kind = HeaderValue::from_static("text/event-stream");
    request.headers_mut().insert(ACCEPT, kind);
    if let Some(known) = known {
        let known = known.parse().expect("a value");
        request.headers_mut().insert("last-event-id", known);
    }
    elm.begin(request).await
}

async fn open(elm: &Elm, browser: &Browser, known: Option<&str>) -> Stream {
    let answer = ask(elm, browser, known).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["x-accel-buffering"], "no");
    Stream {
        body: answer.into_body(),
        came: String::new(),
    }
}

#[tokio::test]
async fn a_browser_that_waits_is_told_when_somebody_lets_it_in_at_the_command_line() {
    let elm = Elm::found();
    let waiting = elm.waiting();
    let mut stream = open(&elm, &waiting, None).await;
    stream.until("event: session\ndata: waits\n").await;
    let node = elm.node();
    let ada = node.actor(None).expect("the founder");
    let session = waiting.session_name().parse().expect("a session");
    let code = session_code(&node, &session).expect("a code");
    session_approve(&node, &ada, "mira", &code).expect("it is let in");
    stream.until("event: session\ndata: let-in\n").await;
    // The page gets its new secret, and this stream is over.
    let page = elm.get(&waiting, "/waiting").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert!(stream.end().await.ends_with("event: ended\ndata: yes\n\n"));
}

#[tokio::test]
async fn members_are_told_what_arrives_and_stewards_who_waits_and_how_far_a_sync_is() {
    let elm = Elm::found();
    let (mira, stella) = (elm.of("mira"), elm.of("stella"));
    let mut hers = open(&elm, &mira, None).await;
    let mut stewards = open(&elm, &stella, None).await;
    stewards.until("event: waiting\ndata: 0\n").await;
    session_ask(&elm.node(), "omar", "A browser")
        .expect("it asks")
        .expect("it waits");
    stewards.until("event: waiting\ndata: 1\n").await;
    // With no hub a sync ends at once.
    elm.post(&stella, "/sync/now", &[]).await;
    stewards.until("event: sync\ndata: ended\n").await;
    hers.until("event: session\ndata: in\n").await;
    assert!(
        hers.came.contains("event: arrived\ndata: 0\n"),
        "{}",
        hers.came
    );
    elm.close();
    let came = hers.end().await;
    assert!(!came.contains("event: waiting"), "{came}");
    assert!(!came.contains("event: sync"), "{came}");
}

#[tokio::test]
async fn who_comes_back_is_told_only_what_is_new_since() {
    let elm = Elm::found();
    let stella = elm.of("stella");
    let mut first = open(&elm, &stella, None).await;
    first.until("event: waiting\ndata: 0\n").await;
    let known = first.id();
    drop(first);
    let mut again = open(&elm, &stella, Some(&known)).await;
    let looked = tokio::time::timeout(Duration::from_secs(2), again.next()).await;
    assert!(looked.is_err(), "nothing is new: {}", again.came);
    session_ask(&elm.node(), "omar", "A browser")
        .expect("it asks")
        .expect("it waits");
    again.until("event: waiting\ndata: 1\n").await;
    assert!(!again.came.contains("event: session"), "{}", again.came);
    drop(again);
    // Who was away meanwhile is told.
    let mut later = open(&elm, &stella, Some(&known)).await;
    later.until("event: waiting\ndata: 1\n").await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_nobody_else_has_one() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let mut stream = open(&elm, &mira, None).await;
    stream.until("data: in\n").await;
    let node = elm.node();
    let user = node.actor(Some("mira")).expect("mira").user;
    let session = mira.session_name().parse().expect("a session");
    session_end(&node, &user, &session).expect("it is ended");
    assert!(stream.end().await.ends_with("event: ended\ndata: yes\n\n"));
    for browser in [&mira, &elm.stranger()] {
        let answer = ask(&elm, browser, None).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn one_browser_has_so_many_streams_and_gets_back_what_it_hung_up() {
    let elm = Elm::found();
    let (mira, omar) = (elm.of("mira"), elm.of("omar"));
    let mut held = Vec::new();
    for _ in 0..STREAMS {
        held.push(open(&elm, &mira, None).await);
    }
    // A browser that is told this does not ask again by itself.
    let refused = ask(&elm, &mira, None).await;
    assert_eq!(refused.status(), StatusCode::NO_CONTENT);
    let mut other = open(&elm, &omar, None).await;
    other.until("data: in\n").await;
    held.pop();
    let mut freed = open(&elm, &mira, None).await;
    freed.until("data: in\n").await;
}

#[tokio::test]
async fn when_the_program_stops_streams_end() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let mut stream = open(&elm, &mira, None).await;
    stream.until("data: in\n").await;
    elm.close();
    assert!(!stream.end().await.contains("ended"));
    let late = ask(&elm, &mira, None).await;
    assert_eq!(late.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn without_a_stream_the_state_is_told_once() {
    let elm = Elm::found();
    let came = elm.get(&elm.waiting(), "/events").await;
    assert!(
        came.body.contains("event: session\ndata: waits\n"),
        "{}",
        came.body
    );
    let page = elm.get(&elm.waiting(), "/waiting").await;
    assert!(page.body.contains("data-live=\"/events\""));
    assert!(page.body.contains("data-session=\"waits\""));
    let page = elm.get(&elm.stranger(), "/login").await;
    assert!(!page.body.contains("data-live"));
}

#[tokio::test]
async fn a_browser_that_waits_has_one_stream_and_all_that_wait_take_none_from_members() {
    let elm = Elm::found();
    let waiting = elm.waiting();
    let held = open(&elm, &waiting, None).await;
    let refused = ask(&elm, &waiting, None).await;
    assert_eq!(refused.status(), StatusCode::NO_CONTENT);
    let mut member = open(&elm, &elm.of("mira"), None).await;
    member.until("data: in\n").await;
    drop(held);
}
