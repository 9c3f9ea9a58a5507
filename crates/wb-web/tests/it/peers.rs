//! Hubs and peers on pages: what stewards see, what admins decide, and what is said before something goes.

use http::StatusCode;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::sync::{FollowList, PeerCause, PeerEvent, PeerState, Role};
use wb_store::{Peer, Standing};

use super::origin::now;
use super::site::Elm;

/// Elm with Oak as a hub that was not reached, and a request of Oak that came in a bundle.
fn world() -> (Elm, RecordRef) {
    let elm = Elm::found();
    let request = elm.neighbour();
    let mut state = PeerState::new(now());
    let end = PeerEvent::Ended(PeerCause::Unreachable, "nobody <answers>".to_owned());
    state.on(now(), end, 0);
    let peer = Peer {
        id: request.origin,
        role: Role::Hub,
        address: "https://oak.example".to_owned(),
        lan: false,
        name: "Oak <Square>".to_owned(),
        follows: FollowList {
            counter: 1,
            all: false,
            follow: vec![request.origin],
            except: Vec::new(),
        },
        cursor: None,
        heads_at: None,
        acked: Vec::new(),
        paused: false,
        registered: None,
        counter: 1,
        state: serde_json::to_string(&state).expect("a state serialises"),
        first_seen: now(),
        last_ok: None,
    };
    let mut store = elm.store();
    let write = store.write().expect("a transaction");
    write.put_peer(&peer).expect("a row");
    write.commit().expect("a commit");
    (elm, request)
}

fn path(id: InstanceId, act: &str) -> String {
    format!("/sync/with/{id}{act}")
}

#[tokio::test]
async fn a_steward_reads_where_it_stands_and_decides_nothing() {
    let (elm, request) = world();
    let stella = elm.of("stella");
    let list = elm.get(&stella, "/sync/peers").await.body;
    for says in [
        "Oak &#60;Square&#62;",
        "cannot be reached",
        "By itself: by hand",
        "Nobody is suggested",
        "Nobody is refused",
    ] {
        assert!(list.contains(says), "{says}\n{list}");
    }
    let page = elm.get(&stella, &path(request.origin, "")).await.body;
    for says in [
        "unreachable, since",
        "nobody &#60;answers&#62;",
        "1 in a row",
        "Nothing was exchanged",
    ] {
        assert!(page.contains(says), "{says}\n{page}");
    }
    assert!(!page.contains("Refuse for good"), "{page}");
    for act in [
        "/pause", "/resume", "/retry", "/block", "/unblock", "/forget",
    ] {
        let refused = elm.post(&stella, &path(request.origin, act), &[]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{act}");
    }
    let stranger = path(elm.node().own_id(), "");
    assert_eq!(
        elm.get(&stella, &stranger).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_admin_pauses_chooses_how_often_and_tries_again() {
    let (elm, request) = world();
    let ada = elm.of("ada");
    let here = path(request.origin, "");
    elm.post(&ada, &path(request.origin, "/pause"), &[]).await;
    let page = elm.get(&ada, &here).await.body;
    assert!(page.contains("is paused here"), "{page}");
    let every = [("how", "every"), ("minutes", "15")];
    let chosen = elm
        .post(&ada, &path(request.origin, "/resume"), &every)
        .await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER);
    let page = elm.get(&ada, &here).await.body;
    assert!(
        page.contains("every 15 minutes while `wb up` runs"),
        "{page}"
    );
    assert!(page.contains("value=\"15\""), "{page}");
    for wrong in ["", "soon", "0", "99999999"] {
        let every = [("how", "every"), ("minutes", wrong)];
        let refused = elm
            .post(&ada, &path(request.origin, "/resume"), &every)
            .await;
        assert!(
            refused.status.is_client_error(),
            "{wrong}: {}",
            refused.status
        );
    }
    let store = elm.store();
    assert_eq!(
        store.intervals().expect("a store").get(&request.origin),
        Some(&15)
    );
    elm.post(&ada, &path(request.origin, "/resume"), &[("how", "hand")])
        .await;
    let page = elm.get(&ada, &here).await.body;
    assert!(page.contains("<dd>by hand</dd>"), "{page}");
    let retried = elm.post(&ada, &path(request.origin, "/retry"), &[]).await;
    assert_eq!(retried.header("location"), Some("/sync"));
}

#[tokio::test]
async fn what_is_refused_is_gone_from_pages_until_the_refusal_is_forgotten_and_then_waits() {
    let (elm, request) = world();
    let ada = elm.of("ada");
    let shown = |page: &str| page.contains("A tent");
    assert!(shown(&elm.get(&ada, "/requests").await.body));
    let asked = elm.get(&ada, &path(request.origin, "/block")).await.body;
    assert!(
        asked.contains("until an admin forgets the refusal"),
        "{asked}"
    );
    assert!(
        shown(&elm.get(&ada, "/requests").await.body),
        "looking decides nothing"
    );
    elm.post(&ada, &path(request.origin, "/block"), &[]).await;
    assert!(!shown(&elm.get(&ada, "/requests").await.body));
    let page = elm.get(&ada, &path(request.origin, "")).await.body;
    assert!(page.contains("this instance refuses"), "{page}");
    assert!(!page.contains("Try now"), "{page}");
    let retried = elm.post(&ada, &path(request.origin, "/retry"), &[]).await;
    assert!(retried.status.is_client_error(), "{}", retried.status);
    let list = elm.get(&ada, "/sync/peers").await.body;
    assert!(list.contains("Forget the refusal"), "{list}");
    elm.post(&ada, &path(request.origin, "/unblock"), &[]).await;
    let standing = elm.store().standing(&request.origin).expect("a store");
    assert_eq!(standing, Some(Standing::Waiting));
    let itself = path(elm.node().own_id(), "/block");
    let refused = elm.post(&ada, &itself, &[]).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
}

#[tokio::test]
async fn before_a_peer_is_forgotten_the_page_says_what_stays() {
    let (elm, request) = world();
    let ada = elm.of("ada");
    let asked = elm.get(&ada, &path(request.origin, "/forget")).await.body;
    assert!(asked.contains("of others stay here"), "{asked}");
    assert!(
        asked.contains("could stand here although they were taken back"),
        "{asked}"
    );
    assert!(
        elm.store()
            .peer(&request.origin)
            .expect("a store")
            .is_some()
    );
    elm.post(&ada, &path(request.origin, "/forget"), &[]).await;
    assert!(
        elm.store()
            .peer(&request.origin)
            .expect("a store")
            .is_none()
    );
    let gone = elm.get(&ada, &path(request.origin, "/forget")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(elm.get(&ada, "/requests").await.body.contains("A tent"));
}
