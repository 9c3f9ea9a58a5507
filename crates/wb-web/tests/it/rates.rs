//! How often pages may be asked for, who is charged, and by which road one may come.

use http::{Method, StatusCode};
use wb_net::proxies::Proxies;
use wb_net::rates::Rate;
use wb_net::{Client, Road};
use wb_web::SiteLimits;

use super::site::{Browser, Came, Elm};

/// So rarely that nothing comes back while a test runs.
const FEW: Rate = Rate {
    burst: 3,
    every_ms: 600_000,
};

fn few() -> SiteLimits {
    SiteLimits {
        member: FEW,
        address: FEW,
        ..SiteLimits::default()
    }
}

/// Asks over a connection from `remote`, with a header about who asks, by way of named proxies.
async fn ask_by(
    elm: &Elm,
    browser: &Browser,
    path: &str,
    remote: &str,
    header: Option<(&'static str, &str)>,
    proxies: &str,
) -> Came {
    let mut request = Elm::request(browser, Method::GET, path, &[]);
    if let Some((name, value)) = header {
        let value = value.parse().expect("a value");
        request.headers_mut().insert(name, value);
    }
    let proxies: Proxies = proxies.parse().expect("addresses");
    let client = proxies.client(remote.parse().expect("an address"), request.headers());
    request.extensions_mut().insert(client);
    elm.send(request).await
}

#[tokio::test]
async fn a_member_who_asks_too_often_is_told_when_to_come_back_and_others_go_on() {
    let elm = Elm::with(few(), false);
    let (mira, omar) = (elm.of("mira"), elm.of("omar"));
    for _ in 0..FEW.burst {
        assert_eq!(elm.get(&mira, "/requests").await.status, StatusCode::OK);
    }
    // Another browser of hers is no way out.
    for browser in [&mira, &elm.of("mira")] {
        let came = elm.get(browser, "/requests").await;
        assert_eq!(came.status, StatusCode::TOO_MANY_REQUESTS);
        let seconds: u64 = came
            .header("retry-after")
            .expect("when to come back")
            .parse()
            .expect("seconds");
        assert!((1..=600).contains(&seconds), "{seconds}");
        assert!(came.body.contains("Wait a minute"), "{}", came.body);
        assert!(came.body.contains("Nothing was changed"), "{}", came.body);
    }
    assert_eq!(elm.get(&omar, "/requests").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_that_comes_too_often_changes_nothing() {
    let elm = Elm::with(few(), false);
    let mira = elm.of("mira");
    for _ in 0..FEW.burst {
        elm.get(&mira, "/requests").await;
    }
    let path = format!("/requests/{}/{}/complete", elm.node().own_id(), elm.request);
    let came = elm.post(&mira, &path, &[]).await;
    assert_eq!(came.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(elm.status_of_request(), "open");
}

#[tokio::test]
async fn who_is_not_in_is_charged_by_address_and_members_there_go_on() {
    let elm = Elm::with(few(), false);
    let stranger = elm.stranger();
    for _ in 0..FEW.burst {
        assert_eq!(elm.get(&stranger, "/").await.status, StatusCode::OK);
    }
    let came = elm.get(&stranger, "/").await;
    assert_eq!(came.status, StatusCode::TOO_MANY_REQUESTS);
    let mira = elm.of("mira");
    assert_eq!(elm.get(&mira, "/requests").await.status, StatusCode::OK);
}

#[tokio::test]
async fn invitations_and_handles_cannot_be_tried_out_for_long() {
    let limits = SiteLimits {
        door: FEW,
        ..SiteLimits::default()
    };
    let elm = Elm::with(limits, false);
    let stranger = elm.stranger();
    let mut tries = Vec::new();
    for n in 0..=FEW.burst {
        tries.push(elm.get(&stranger, &format!("/invite/{n}")).await.status);
    }
    assert_eq!(tries.pop(), Some(StatusCode::TOO_MANY_REQUESTS));
    assert!(!tries.contains(&StatusCode::TOO_MANY_REQUESTS), "{tries:?}");
    for path in ["/login", "/login/link/0123"] {
        let came = elm.post(&stranger, path, &[("handle", "mira")]).await;
        assert_eq!(came.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    // What gives nothing away is still shown, with what there is to do.
    assert_eq!(elm.get(&stranger, "/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_makes_up_where_it_comes_from_is_charged_all_the_same() {
    for (proxies, remote) in [("", "127.0.0.1"), ("10.0.0.1", "127.0.0.1")] {
        for name in ["x-forwarded-for", "forwarded"] {
            let elm = Elm::with(few(), false);
            let mut last = None;
            for n in 0..=FEW.burst {
                let value = match name {
                    "forwarded" => format!("for=192.0.2.{n}"),
                    _ => format!("192.0.2.{n}"),
                };
                let header = Some((name, value.as_str()));
                let came = ask_by(&elm, &elm.stranger(), "/", remote, header, proxies).await;
                last = Some(came.status);
            }
            assert_eq!(
                last,
                Some(StatusCode::TOO_MANY_REQUESTS),
                "{name} {proxies}"
            );
        }
    }
}

#[tokio::test]
async fn behind_a_named_proxy_everybody_has_a_bucket_and_nobody_can_make_up_another() {
    let elm = Elm::with(few(), true);
    let proxy = "10.0.0.1";
    let ask = async |value: &str| {
        let header = Some(("x-forwarded-for", value));
        let came = ask_by(&elm, &elm.stranger(), "/", proxy, header, proxy).await;
        came.status
    };
    for n in 0..FEW.burst {
        // What stands first was sent by the client, and is different each time.
        assert_eq!(
            ask(&format!("203.0.113.{n}, 192.0.2.1")).await,
            StatusCode::OK
        );
    }
    let refused = ask("203.0.113.99, 192.0.2.1").await;
    assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("192.0.2.2").await, StatusCode::OK);
}

#[tokio::test]
async fn nobody_comes_past_the_proxy_in_the_clear_from_another_computer() {
    let elm = Elm::with(SiteLimits::default(), true);
    let mira = elm.of("mira");
    let past = ask_by(&elm, &mira, "/requests", "10.0.0.9", None, "10.0.0.1").await;
    assert_eq!(past.status, StatusCode::FORBIDDEN);
    assert!(!past.body.contains("ladder"), "{}", past.body);
    let by = ask_by(&elm, &mira, "/requests", "10.0.0.1", None, "10.0.0.1").await;
    assert_eq!(by.status, StatusCode::OK);
}

#[tokio::test]
async fn browsers_are_told_to_keep_to_tls_only_where_they_came_over_it() {
    for (secure, road) in [
        (true, Road::Tls),
        (true, Road::Proxy),
        (false, Road::Direct),
    ] {
        let elm = Elm::with(SiteLimits::default(), secure);
        let mut request = Elm::request(&elm.stranger(), Method::GET, "/", &[]);
        request.extensions_mut().insert(Client {
            address: [127, 0, 0, 1].into(),
            road,
        });
        let came = elm.send(request).await;
        let told = came.header("strict-transport-security").is_some();
        assert_eq!(told, secure, "{road:?}");
    }
}
