//! What a node answers: who it is, and whether it is well.
//!
//! It hands out no feeds: those go by hubs. Every other call of the protocol is refused by name.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Method, Response, StatusCode};
use wb_core::bundle::Speaks;
use wb_core::sync::{Cause, Problem, Role, WhoIsThis};
use wb_net::signed::{JSON, Reply, Request, Responder, below_base};
use wb_store::Home;

use crate::error::Result;
use crate::node::Node;
use crate::query::backups::backup_state;

struct Service {
    home: Home,
    /// Who this is; known once there is an instance.
    known: OnceLock<Known>,
}

struct Known {
    responder: Responder,
    who: WhoIsThis,
}

/// The routes of the node in a folder, also while nothing is founded there yet.
pub fn router(home: &Home) -> Router {
    let service = Service {
        home: home.clone(),
        known: OnceLock::new(),
    };
    Router::new().fallback(answer).with_state(Arc::new(service))
}

impl Service {
    /// Who this is. Opens files, so it belongs on a thread for work that blocks.
    fn load(&self) -> Result<&Known> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let node = Node::open(&self.home)?;
        let speaks = Speaks::this();
        let lines = node.identity().entries().iter();
        let who = WhoIsThis {
            schema_version: 1,
            role: Role::Node,
            id: node.own_id(),
            name: node.name().to_owned(),
            identity: lines
                .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
                .collect(),
            protocol: speaks.protocol,
            kinds: speaks.kinds,
            software: speaks.software,
            policy: None,
        };
        let responder = super::responder(&node)?;
        Ok(self.known.get_or_init(|| Known { responder, who }))
    }
}

async fn answer(
    State(service): State<Arc<Service>>,
    request: http::Request<Body>,
) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let path = below_base(parts.uri.path()).to_owned();
    match (parts.method.clone(), path.as_str()) {
        (Method::GET, "/livez") => plain(StatusCode::OK, "alive\n"),
        (Method::GET, "/readyz") => ready(&service.home).await,
        _ => {
            let speaks = move || speak(&service, parts, &path);
            let spoken = tokio::task::spawn_blocking(speaks).await;
            spoken
                .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "something failed\n"))
        }
    }
}

/// Answers in the protocol.
fn speak(service: &Service, parts: http::request::Parts, path: &str) -> Response<Body> {
    let Ok(known) = service.load() else {
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "nothing is founded here yet, or the files cannot be read; `wb doctor` says why\n",
        );
    };
    let is_asked_who = parts.method == Method::GET && path == "/.well-known/wb/node";
    let request = Request::new(parts, Vec::new());
    if is_asked_who {
        let body = wb_core::signed::payload(&known.who);
        return known.responder.answer(&request, Reply::ok(JSON, body));
    }
    let problem = Problem::new(
        Cause::NotFound,
        "this is a community's node; it hands out its feed through hubs",
        "ask the hub where this community is registered",
    );
    known.responder.answer(&request, Reply::refusal(&problem))
}

/// Whether the databases can be opened and read, and how old the last backup is, on a thread for work that blocks.
async fn ready(home: &Home) -> Response<Body> {
    let home = home.clone();
    let opened = tokio::task::spawn_blocking(move || backup_state(&Node::open(&home)?)).await;
    match opened {
        Ok(Ok(backup)) => {
            let warning = if backup.needs_somebody() {
                "warning: "
            } else {
                ""
            };
            plain(
                StatusCode::OK,
                format!("ready\n{warning}{}\n", backup.age()),
            )
        }
        _ => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "the databases cannot be opened; `wb doctor` says why\n",
        ),
    }
}

fn plain(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
}
