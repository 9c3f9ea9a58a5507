//! Who may ask a hub for what: every route, every kind of browser, as the table in `docs/routes.md` says.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use wb_hub::SqliteHub;
use wb_net::Proxies;
use wb_web::hub::routes;

use super::world::{Harbour, NAME, Served};
use crate::access::{HUB, keep};
use crate::origin::Origin;

fn word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "log in",
        StatusCode::FORBIDDEN => "no",
        StatusCode::NOT_FOUND => "nothing",
        _ => "yes",
    }
}

async fn asked(harbour: &Harbour, north: &Origin, index: usize) -> String {
    let route = &routes::<SqliteHub>()[index];
    let path = route
        .path
        .replace("{home}", &north.id().to_string())
        .replace("{id}", &north.record(1).to_string())
        .replace("{n}", "1")
        .replace("{token}", "0123");
    let browsers = [harbour.visitor(), harbour.of("omar"), harbour.of("stella")];
    let mut row = format!("| {} `{}` |", route.method, route.path);
    for browser in &browsers {
        let came = match route.method {
            Method::GET => harbour.get(browser, &path).await,
            _ => harbour.post(browser, &path, &[]).await,
        };
        row.push_str(&format!(" {} |", word(came.status)));
    }
    row
}

fn with_north(how: &Served) -> (Harbour, Origin) {
    let (harbour, mut north) = (Harbour::served(how), Origin::new(1));
    harbour.register(&north, "North", true, 1);
    harbour.publish(&mut north, &[(1, "A ladder")]);
    (harbour, north)
}

#[tokio::test]
async fn every_route_of_a_hub_answers_each_kind_of_browser_as_the_table_says() {
    let mut table = String::from(
        "| route | anybody | member of the hub's own instance | moderator |\n|---|---|---|---|\n",
    );
    for index in 0..routes::<SqliteHub>().len() {
        // Anew for each route: one that changes something must not decide about the next.
        let (harbour, north) = with_north(&Served::moderated(true));
        table.push_str(&asked(&harbour, &north, index).await);
        table.push('\n');
    }
    let about =
        "Every page and form of a hub. Moderators are the stewards and admins of its own instance.";
    keep(HUB, about, &table);
}

#[tokio::test]
async fn where_somebody_could_read_along_nobody_moderates() {
    let (harbour, north) = with_north(&Served::moderated(false));
    for route in routes::<SqliteHub>() {
        let is_public = route.access == wb_web::hub::Access::Public;
        let path = route
            .path
            .replace("{home}", &north.id().to_string())
            .replace("{id}", &north.record(1).to_string());
        let stella = harbour.of("stella");
        let came = match route.method {
            Method::GET => harbour.get(&stella, &path).await,
            _ => harbour.post(&stella, &path, &[]).await,
        };
        let wanted = if is_public {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(came.status, wanted, "{path}");
        if !is_public {
            assert!(came.body.contains("two ways out"), "{}", came.body);
        }
    }
}

#[tokio::test]
async fn moderators_come_by_the_named_proxy_and_not_past_it_from_another_computer() {
    let (harbour, _) = with_north(&Served::moderated(true));
    let stella = harbour.of("stella");
    let (name, secret) = stella.cookie.as_ref().expect("a session");
    let proxies: Proxies = "10.0.0.1".parse().expect("an address");
    for (remote, path, wanted) in [
        ("10.0.0.1", "/moderate", StatusCode::OK),
        ("10.0.0.9", "/moderate", StatusCode::FORBIDDEN),
        ("10.0.0.9", "/login", StatusCode::FORBIDDEN),
        // What everybody may read holds nothing that could be read along.
        ("10.0.0.9", "/communities", StatusCode::OK),
        ("127.0.0.1", "/moderate", StatusCode::OK),
    ] {
        let mut request = Request::builder()
            .uri(path)
            .header("host", NAME)
            .header("cookie", format!("{name}={secret}"))
            .header("x-forwarded-for", "198.51.100.7")
            .body(Body::empty())
            .expect("a request");
        let remote_address = remote.parse().expect("an address");
        let client = proxies.client(remote_address, request.headers());
        request.extensions_mut().insert(client);
        let came = harbour.send(request).await;
        assert_eq!(came.status, wanted, "{remote} {path}: {}", came.body);
        if wanted == StatusCode::FORBIDDEN {
            assert!(came.body.contains("starts with https"), "{}", came.body);
            assert!(came.header("set-cookie").is_none());
        }
    }
}

#[tokio::test]
async fn under_another_name_nothing_is_answered() {
    let (harbour, _) = with_north(&Served::moderated(true));
    let other = [("host", "elsewhere.test")];
    let nobody = harbour.nobody();
    for path in ["/", "/requests.atom", "/login"] {
        let came = harbour.ask(&nobody, Method::GET, path, &[], &other).await;
        assert_eq!(came.status, StatusCode::MISDIRECTED_REQUEST);
        assert!(came.body.contains("hub.hosts"), "{}", came.body);
    }
}

#[tokio::test]
async fn public_pages_are_the_same_for_everybody_and_set_nothing() {
    let (harbour, _) = with_north(&Served::moderated(true));
    for path in ["/", "/communities", "/requests", "/requests.atom"] {
        let nobody = harbour.get(&harbour.nobody(), path).await;
        let moderator = harbour.get(&harbour.of("stella"), path).await;
        assert_eq!(nobody.body, moderator.body);
        assert_eq!(nobody.header("set-cookie"), None);
        let kept = nobody
            .header("cache-control")
            .expect("how long it may be kept");
        assert_eq!(kept, "public, max-age=0, must-revalidate");
    }
    let inside = harbour.get(&harbour.of("stella"), "/moderate").await;
    assert_eq!(inside.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn whoever_asks_without_end_is_told_to_wait() {
    let (harbour, _) = with_north(&Served::moderated(true));
    let nobody = harbour.nobody();
    for _ in 0..1_000 {
        let came = harbour.get(&nobody, "/communities").await;
        if came.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(came.header("retry-after").is_some());
            return;
        }
    }
    panic!("a thousand pages were given at once");
}
