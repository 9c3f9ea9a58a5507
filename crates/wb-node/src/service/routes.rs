//! What a node answers: who it is, whether it is well, and the calls of its peers.
//!
//! A node is opened for each call: what another process changed counts at once, a key above all.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Method, Response, StatusCode};
use wb_core::bundle::Speaks;
use wb_core::sync::{Role, WhoIsThis};
use wb_net::signed::{JSON, Reply, Request, below_base};
use wb_store::Home;

use super::direct::{Peers, Work};
use crate::node::Node;
use crate::query::backups::backup_state;

/// The routes of the node in a folder, also while nothing is founded there yet.
pub fn router(home: &Home) -> Router {
    routes(home, Work::OnThreads)
}

/// The same, with the database worked at in place: for a simulator, which owns the one thread there is.
pub fn router_in_place(home: &Home) -> Router {
    routes(home, Work::InPlace)
}

fn routes(home: &Home, work: Work) -> Router {
    let peers = Arc::new(Peers::new(home.clone(), work));
    Router::new().fallback(answer).with_state(peers)
}

fn who_is_this(node: &Node) -> WhoIsThis {
    let speaks = Speaks::this();
    let lines = node.identity().entries().iter();
    WhoIsThis {
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
        invite: false,
    }
}

async fn answer(State(peers): State<Arc<Peers>>, request: http::Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = below_base(parts.uri.path()).to_owned();
    match (parts.method.clone(), path.as_str()) {
        (Method::GET, "/livez") => plain(StatusCode::OK, "alive\n"),
        (Method::GET, "/readyz") => ready(peers.home()).await,
        (Method::GET, "/metrics") => {
            let answers = move || super::metrics::answer(peers.home(), &parts);
            let answered = tokio::task::spawn_blocking(answers).await;
            answered
                .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "something failed\n"))
        }
        _ => speak(&peers, parts, body, &path).await,
    }
}

/// Answers in the protocol.
async fn speak(
    peers: &Arc<Peers>,
    parts: http::request::Parts,
    body: Body,
    path: &str,
) -> Response<Body> {
    let Some((node, responder)) = peers.open().await else {
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "nothing is founded here yet, or the files cannot be read; `wb doctor` says why\n",
        );
    };
    let is_asked_who = parts.method == Method::GET && path == "/.well-known/wb/node";
    let mut request = Request::new(parts, Vec::new());
    let answered = if is_asked_who {
        let body = wb_core::signed::payload(&who_is_this(&node));
        let charged = peers.charge_address(&request);
        charged.map(|()| Reply::ok(JSON, body))
    } else {
        peers.answer(node, &mut request, body).await
    };
    let reply = answered.unwrap_or_else(|problem| Reply::refusal(&problem));
    responder.answer(&request, reply)
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
