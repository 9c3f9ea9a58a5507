//! The door of a hub's pages: every request is checked in the same order before a page is made of it.
//!
//! Rate, host, route, body, browser, right, form; where everybody may read, no browser is looked at.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::header::IF_NONE_MATCH;
use http::request::Parts;
use http::{Method, StatusCode};
use wb_hub::{HubListings, HubStore, RetryAfter};
use wb_net::client_of;
use wb_node::command::session_idle::session_end_idle;
use wb_node::{NodeError, entropy, secret};

use super::routes::{Access, Route, routes};
use super::shell;
use super::site::HubSite;
use super::visit::{Inside, Trouble, Visit};
use crate::answer::{Answer, Cookie};
use crate::assets;
use crate::browser::{Caller, SESSION, VISITOR, cookie, label};
use crate::door::{
    FAILED, Params, STALE_FORM, base_of, client, is_in_the_clear, is_ours, plain, serve, write,
};
use crate::form::Form;
use crate::limits::MODERATOR_IDLE_HOURS;
use crate::site::Site;

/// The pages of a hub; `calls` answers everything else, which is what nodes ask.
pub fn router<S: HubStore + HubListings>(site: &Arc<HubSite<S>>, calls: Router) -> Router {
    let mut router = Router::new().route("/assets/{name}", axum::routing::get(assets::file));
    for route in routes::<S>() {
        let (site, method, path) = (Arc::clone(site), route.method.clone(), route.path);
        let route = Arc::new(route);
        let respond = move |params: &Params, parts: &Parts, body: &[u8]| {
            respond(&site, &route, params, parts, body)
        };
        router = serve(router, &method, path, respond);
    }
    router.fallback_service(calls)
}

/// Answers on a thread that may block. A fault in one page leaves its instance behind, and harms no other.
fn respond<S: HubStore + HubListings>(
    site: &HubSite<S>,
    route: &Route<S>,
    params: &[(String, String)],
    parts: &Parts,
    body: &[u8],
) -> Response {
    let (hosts, secure) = (&site.config.hosts, site.config.secure);
    let Some(base) = base_of(hosts, secure, &parts.headers) else {
        return plain(
            StatusCode::MISDIRECTED_REQUEST,
            "This hub is not known under this name. Its operator can add the name with the setting hub.hosts; \
             syncing works all the same.\n",
        );
    };
    let visit = Visit {
        site,
        inside: None,
        path: parts.uri.path(),
        params,
        headers: &parts.headers,
        query: Form::read(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default(),
        form: Form::default(),
        label: label(&parts.headers),
        base,
        now: entropy::now(),
    };
    let made = catch_unwind(AssertUnwindSafe(|| answer(visit, route, parts, body)));
    match made {
        Ok(answer) => {
            let held = parts.headers.get(IF_NONE_MATCH);
            write(secure, answer, held.and_then(|tags| tags.to_str().ok()))
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, FAILED),
    }
}

fn answer<S: HubStore + HubListings>(
    mut visit: Visit<'_, S>,
    route: &Route<S>,
    parts: &Parts,
    body: &[u8],
) -> Answer {
    let mut fresh = None;
    let answered = charge(&visit, parts)
        .and_then(|()| look_inside(&mut visit, route, parts, &mut fresh))
        .and_then(|()| admit(&mut visit, route, body))
        .and_then(|()| (route.handler)(&mut visit));
    let mut answer = answered.unwrap_or_else(|trouble| shell::trouble(&visit, &trouble));
    answer.cookies.extend(fresh);
    if let Some(inside) = visit.inside {
        visit.site.keep(inside.node);
    }
    answer
}

/// Charges the page to the address that asks for it.
fn charge<S>(visit: &Visit<'_, S>, parts: &Parts) -> Result<(), Trouble> {
    let address = client_of(client(parts).address);
    let taken = visit.site.rates.take(address, visit.now);
    taken.map_err(|RetryAfter(seconds)| Trouble::TooOften(seconds))
}

/// Opens the hub's own instance and finds out who asks, where that matters.
fn look_inside<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
    route: &Route<S>,
    parts: &Parts,
    fresh: &mut Option<Cookie>,
) -> Result<(), Trouble> {
    if route.access == Access::Public {
        return Ok(());
    }
    if !visit.site.config.moderated || is_in_the_clear(&client(parts)) {
        return Err(Trouble::NotHere);
    }
    let node = visit.site.node()?;
    let instance = Some(node.own_id());
    let caller = || -> Result<Caller, NodeError> {
        if let Some(held) = cookie(visit.headers, &Site::cookie(SESSION, instance)) {
            session_end_idle(&node, &secret::name(&held), MODERATOR_IDLE_HOURS)?;
        }
        Caller::of(visit.headers, Some(&node))
    };
    let mut caller = caller()?;
    if caller.is_new() && route.access == Access::Door && route.method == Method::GET {
        let secret = secret::fresh();
        caller.bind(&secret);
        *fresh = Some(Cookie {
            name: Site::cookie(VISITOR, instance),
            value: Some(secret.to_string()),
            days: 1,
        });
    }
    visit.inside = Some(Inside { node, caller });
    Ok(())
}

/// Whether this browser may do this, with this form.
fn admit<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
    route: &Route<S>,
    body: &[u8],
) -> Result<(), Trouble> {
    if route.access == Access::Moderator && visit.moderator().is_none() {
        return Err(Trouble::LogIn);
    }
    if route.method == Method::GET {
        return Ok(());
    }
    visit.form = Form::read(body).map_err(|error| Trouble::Refused(error.to_string()))?;
    let caller = &visit.inside()?.caller;
    if !is_ours(visit.headers, &visit.base, caller, &visit.form) {
        return Err(Trouble::Refused(STALE_FORM.to_owned()));
    }
    Ok(())
}
