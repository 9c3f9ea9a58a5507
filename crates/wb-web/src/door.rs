//! The one door: every request is checked in the same order before a page is made of it.
//!
//! Host, route, body, browser, rate, right, form. What is refused is refused with a page that says what to do.

use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, FORWARDED, HOST, HeaderValue,
    IF_NONE_MATCH, LAST_MODIFIED, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use wb_net::rates::RetryAfter;
use wb_net::{Client, Road};
use wb_node::{Node, entropy, secret};

use crate::answer::{Answer, Body as Answered, Cookie};
use crate::assets;
use crate::browser::{Caller, VISITOR, label};
use crate::form::Form;
use crate::headers;
use crate::limits::{FORM_BYTES_MAX, TLS_ONLY_SECONDS};
use crate::pages::events::EVENTS;
use crate::routes::{Access, ROUTES, Route};
use crate::shell;
use crate::site::Site;
use crate::visit::{Trouble, Visit};

/// The field of a form that binds it to the browser it was made for.
pub(crate) const FORM_TOKEN: &str = "form_token";

/// Said where a page could not even fail in a form of its own.
pub(crate) const FAILED: &str =
    "Something failed here. What you wrote before is safe; please go back and try again.\n";

/// The parameters in a path, by name.
pub(crate) type Params = Vec<(String, String)>;

/// The pages of a site.
pub fn router(site: &Arc<Site>) -> Router {
    let mut router = Router::new().route("/assets/{name}", axum::routing::get(assets::file));
    for route in ROUTES {
        let site = Arc::clone(site);
        let respond = move |params: &Params, parts: &Parts, body: &[u8]| {
            respond(&site, route, params, parts, body)
        };
        router = serve(router, &route.method, route.path, respond);
    }
    router
}

/// Adds a route to a router: its body is bounded, and it is answered on a thread that may block.
pub(crate) fn serve(
    router: Router,
    method: &Method,
    path: &str,
    respond: impl Fn(&Params, &Parts, &[u8]) -> Response + Clone + Send + Sync + 'static,
) -> Router {
    let filter = match *method {
        Method::GET => MethodFilter::GET,
        _ => MethodFilter::POST,
    };
    let handler = move |params: RawPathParams, request: Request| {
        let params = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        enter(params, request, respond)
    };
    router.route(path, on(filter, handler))
}

async fn enter(
    params: Params,
    request: Request,
    respond: impl FnOnce(&Params, &Parts, &[u8]) -> Response + Send + 'static,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(_) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "This form is too large.\n"),
    };
    let answered = tokio::task::spawn_blocking(move || respond(&params, &parts, &body)).await;
    answered.unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, FAILED))
}

/// Answers on a thread that may block. A fault in one page leaves the node of that page behind, and
/// harms no other.
fn respond(
    site: &Site,
    route: &Route,
    params: &[(String, String)],
    parts: &Parts,
    body: &[u8],
) -> Response {
    let client = client(parts);
    if is_in_the_clear(&client) {
        return plain(
            StatusCode::FORBIDDEN,
            "This came without TLS, and not by the proxy that stands in front. Use the address that starts with \
             https. Nothing was changed.\n",
        );
    }
    if client.road == Road::Direct && is_forwarded(&parts.headers) {
        site.tell_of_proxy(client.address);
    }
    let config = &site.config;
    let Some(base) = base_of(&config.hosts, config.secure, &parts.headers) else {
        return plain(
            StatusCode::MISDIRECTED_REQUEST,
            "This node is not known under this name. Its operator can add the name with the setting \
             node.hosts.\n",
        );
    };
    let mut node = match site.is_founded().then(|| site.node()).transpose() {
        Ok(node) => node,
        Err(error) => {
            let text = format!("The node cannot be opened: {error}. Nothing was changed.\n");
            return plain(StatusCode::SERVICE_UNAVAILABLE, &text);
        }
    };
    let made = catch_unwind(AssertUnwindSafe(|| {
        page(site, node.as_mut(), route, params, parts, body, base)
    }));
    let Ok(response) = made else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, FAILED);
    };
    if let Some(node) = node {
        site.keep(node);
    }
    response
}

fn page(
    site: &Site,
    node: Option<&mut Node>,
    route: &Route,
    params: &[(String, String)],
    parts: &Parts,
    body: &[u8],
    base: String,
) -> Response {
    let instance = node.as_deref().map(Node::own_id);
    let caller = match Caller::of(&parts.headers, node.as_deref()) {
        Ok(caller) => caller,
        Err(error) => return plain(StatusCode::SERVICE_UNAVAILABLE, &format!("{error}\n")),
    };
    let query = parts.uri.query().unwrap_or_default();
    let mut visit = Visit {
        site,
        node,
        caller,
        path: parts.uri.path(),
        params,
        query: Form::read(query.as_bytes()).unwrap_or_default(),
        form: Form::default(),
        label: label(&parts.headers),
        wants_events: text(&parts.headers, &ACCEPT).is_some_and(|accept| accept.contains(EVENTS)),
        known_event: text(&parts.headers, &LAST_EVENT).map(str::to_owned),
        base,
    };
    let mut fresh = None;
    if visit.caller.is_new() && route.method == Method::GET {
        let secret = secret::fresh();
        visit.caller.bind(&secret);
        fresh = Some(Cookie {
            name: Site::cookie(VISITOR, instance),
            value: Some(secret.to_string()),
            days: 1,
        });
    }
    let answered = charge(&visit, route, parts)
        .and_then(|()| admit(&mut visit, route, parts, body))
        .and_then(|()| (route.handler)(&mut visit));
    let mut answer = answered.unwrap_or_else(|trouble| shell::trouble(&visit, &trouble));
    // What reads feeds fills in no forms.
    if answer.tag.is_none() {
        answer.cookies.extend(fresh);
    }
    if route.method != Method::GET {
        site.live.poke();
    }
    let held = text(&parts.headers, &IF_NONE_MATCH);
    let mut response = write(site.config.secure, answer, held);
    // Other programs on this computer have the name localhost, too.
    if visit.base.starts_with("https://") && !visit.base.starts_with("https://localhost") {
        let only = format!("max-age={TLS_ONLY_SECONDS}");
        put(&mut response, STRICT_TRANSPORT_SECURITY, &only);
    }
    response
}

/// Charges the page to who asks for it.
fn charge(visit: &Visit<'_>, route: &Route, parts: &Parts) -> Result<(), Trouble> {
    let member = visit.caller.member().map(|account| account.user);
    let address = client(parts).address;
    let charges = &visit.site.charges;
    let charged = charges.page(member, address, route.is_at_door, entropy::now());
    charged.map_err(|RetryAfter(seconds)| Trouble::TooOften(seconds))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Who asks. Without a server in front, as in tests, it is this computer.
pub(crate) fn client(parts: &Parts) -> Client {
    let told = parts.extensions.get().copied();
    told.unwrap_or(Client {
        address: Ipv4Addr::LOCALHOST.into(),
        road: Road::Direct,
    })
}

/// Whether somebody on the way could read along: it came from another computer without TLS, and where a proxy
/// ends that, past the proxy.
pub(crate) fn is_in_the_clear(client: &Client) -> bool {
    client.road == Road::Direct && !client.address.is_loopback()
}

/// Whether somebody on the way says to speak for others.
fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for")
}

/// Whether this browser may do this, with this form.
fn admit(visit: &mut Visit<'_>, route: &Route, parts: &Parts, body: &[u8]) -> Result<(), Trouble> {
    // Before there is an instance only founding is there, and afterwards it never is again.
    if (route.access == Access::Setup) == visit.node.is_some() {
        return match visit.node.is_some() {
            true => Err(Trouble::NotFound),
            false => Err(Trouble::Refused(NOT_FOUNDED.to_owned())),
        };
    }
    if !visit.caller.may(route.access) {
        return Err(Trouble::Forbidden(route.access));
    }
    if route.method == Method::GET {
        return Ok(());
    }
    visit.form = Form::read(body).map_err(|error| Trouble::Refused(error.to_string()))?;
    let is_ours = is_ours(&parts.headers, &visit.base, &visit.caller, &visit.form);
    if !is_ours {
        return Err(Trouble::Refused(STALE_FORM.to_owned()));
    }
    Ok(())
}

const NOT_FOUNDED: &str =
    "Nothing is founded here yet. The link for it was printed where `wb up` was started.";
pub(crate) const STALE_FORM: &str = "This form is from another log-in, or was not made here. Go back, load the page again, and send it again; \
     nothing was changed.";

/// Whether a form was made here for this browser.
pub(crate) fn is_ours(headers: &HeaderMap, base: &str, caller: &Caller, form: &Form) -> bool {
    is_same_origin(headers, base)
        && caller
            .form_token()
            .is_some_and(|token| form.text(FORM_TOKEN) == token)
}

/// Whether a form was sent from a page of ours, as far as the browser says it. Our pages tell no referrer,
/// and a browser that obeys says `null` for the origin then; newer ones say in a field of its own whether
/// it was the same site.
fn is_same_origin(headers: &HeaderMap, base: &str) -> bool {
    let from = headers.get(ORIGIN).map(HeaderValue::as_bytes);
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    from.is_none_or(|from| from == b"null" || from == base.as_bytes())
        && site.is_none_or(|site| site == b"same-origin")
}

const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The address under which this was asked; none where that is not one of ours.
pub(crate) fn base_of(hosts: &[String], secure: bool, headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let known = hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    let scheme = if secure { "https" } else { "http" };
    known.then(|| format!("{scheme}://{}", host.to_ascii_lowercase()))
}

pub(crate) fn write(secure: bool, answer: Answer, held: Option<&str>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status;
    if let Some(tag) = &answer.tag {
        put(&mut response, ETAG, tag);
        // Whoever keeps it asks each time: what is taken back is gone at once.
        let kept = if answer.is_for_all {
            "public, max-age=0, must-revalidate"
        } else {
            "private, no-cache"
        };
        put(&mut response, CACHE_CONTROL, kept);
    }
    if let Some(name) = answer.keep_as {
        let kept = format!("attachment; filename=\"{name}\"");
        put(&mut response, CONTENT_DISPOSITION, &kept);
    }
    if let Some(since) = &answer.since {
        put(&mut response, LAST_MODIFIED, since);
    }
    let is_held = held.is_some_and(|tags| answer.is_held(tags));
    let mut is_foreign = false;
    match answer.body {
        _ if is_held => *response.status_mut() = StatusCode::NOT_MODIFIED,
        Answered::Page(html) => {
            put(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
            *response.body_mut() = Body::from(html);
        }
        Answered::SeeOther(path) => put(&mut response, LOCATION, &path),
        Answered::File(kind, bytes) => {
            put(&mut response, CONTENT_TYPE, kind);
            *response.body_mut() = Body::from(bytes);
        }
        Answered::Foreign(kind, bytes) => {
            put(&mut response, CONTENT_TYPE, kind);
            *response.body_mut() = Body::from(bytes);
            is_foreign = true;
        }
        Answered::Events(lines) => {
            put(&mut response, CONTENT_TYPE, EVENTS);
            // A proxy that collects answers would keep the news to itself.
            put(&mut response, BUFFERING, "no");
            *response.body_mut() = Body::new(lines);
        }
        Answered::Nothing => {}
    }
    if let Some(seconds) = answer.retry_after {
        put(&mut response, RETRY_AFTER, &seconds.to_string());
    }
    for cookie in answer.cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie_text(secure, &cookie)) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    headers::guard(response.headers_mut());
    if is_foreign {
        headers::shut_in(response.headers_mut());
    }
    response
}

fn cookie_text(secure: bool, cookie: &Cookie) -> String {
    let (value, seconds) = match &cookie.value {
        Some(value) => (value.as_str(), cookie.days * 24 * 60 * 60),
        None => ("", 0),
    };
    let secure = if secure { "; Secure" } else { "" };
    format!(
        "{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
        cookie.name
    )
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// An answer where not even a page can be made.
pub(crate) fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    put(&mut response, CONTENT_TYPE, "text/plain; charset=utf-8");
    headers::guard(response.headers_mut());
    response
}
