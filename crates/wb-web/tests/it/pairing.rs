//! Pairing on pages: an admin makes a link, somebody else's node uses it, and words are compared; and a link
//! that came is looked at before it is agreed to.

use http::StatusCode;
use tempfile::TempDir;
use wb_core::pairing::PairLink;
use wb_net::ServerLimits;
use wb_node::command::init::{Init, init};
use wb_node::command::peer_accept::peer_confirm;
use wb_node::command::peer_invite::{INVITE_MINUTES, peer_invite};
use wb_node::{Node, service};
use wb_store::{Home, PairState};

use super::site::Elm;

/// Another community, which answers on a port for as long as the test runs.
struct Oak {
    _dir: TempDir,
    node: Node,
    address: String,
}

impl Oak {
    async fn found() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path().join("home"));
        let input = Init {
            name: "Oak <b>",
            admin: "omar",
            words_file: None,
        };
        let node = init(&home, &input).expect("it is founded").node;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = service::router(&home);
        let forever = std::future::pending();
        tokio::spawn(wb_net::serve(
            listener,
            router,
            ServerLimits::default(),
            forever,
        ));
        Self {
            _dir: dir,
            node,
            address,
        }
    }

    fn link(&mut self) -> PairLink {
        let actor = self.node.actor(None).expect("the founder");
        let at = [self.address.clone()];
        let invited = peer_invite(&mut self.node, &actor, INVITE_MINUTES, &at);
        invited.expect("a link").link
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_came_is_looked_at_agreed_to_and_confirmed_there() {
    let (elm, mut oak) = (Elm::found(), Oak::found().await);
    let ada = elm.of("ada");
    let link = oak.link().to_string();
    // Not without the switch: it is an address of this computer.
    let refused = elm.post(&ada, "/sync/pair/ask", &[("link", &link)]).await;
    assert!(refused.body.contains("--lan"), "{}", refused.body);
    let fields = [("link", link.as_str()), ("lan", "on")];
    let looked = elm.post(&ada, "/sync/pair/ask", &fields).await;
    assert!(looked.body.contains("Oak &#60;b&#62;"), "{}", looked.body);
    assert!(looked.body.contains("The eight words"), "{}", looked.body);
    assert!(elm.node().store().pairs().expect("a store").is_empty());
    let agreed = elm.post(&ada, "/sync/pair/accept", &fields).await;
    assert!(agreed.body.contains("has not confirmed"), "{}", agreed.body);
    let words = elm.node().store().pairs().expect("a store")[0]
        .words
        .clone();
    assert!(looked.body.contains(&words));
    let there = oak
        .node
        .store()
        .pair(&elm.node().own_id())
        .expect("a store");
    assert_eq!(there.map(|pair| pair.words), Some(words));
    let actor = oak.node.actor(None).expect("the founder");
    peer_confirm(&mut oak.node, &actor, elm.node().own_id(), true).expect("it asked");
    // Agreed to once more, it is known to be confirmed.
    let again = elm.post(&ada, "/sync/pair/accept", &fields).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    let wrong = elm.post(&ada, "/sync/pair/ask", &[("link", "elm")]).await;
    assert!(wrong.body.contains("nothing was sent"), "{}", wrong.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_with_a_picture_and_who_uses_it_is_confirmed_by_an_admin() {
    let elm = Elm::found();
    let ada = elm.of("ada");
    let made = elm.post(&ada, "/sync/pair/invite", &[]).await;
    let (_, rest) = made.body.split_once("<code>wb:pair#").expect("a link");
    let (secret, _) = rest.split_once('<').expect("a link");
    assert!(made.body.contains("data:image/svg+xml,"), "{}", made.body);
    assert!(made.body.contains("No address of this node is known"));
    // It is shown once.
    let page = elm.get(&ada, "/sync/pair").await;
    assert!(!page.body.contains(secret), "{}", page.body);
    let wrong = [("address", "somewhere")];
    let refused = elm.post(&ada, "/sync/pair/invite", &wrong).await;
    assert!(
        refused.body.contains("no address of a node"),
        "{}",
        refused.body
    );

    // Oak uses it by the way back: Elm pastes what came of it.
    let mut oak = Oak::found().await;
    let link: PairLink = format!("wb:pair#{secret}").parse().expect("a link");
    let back = tokio::task::spawn_blocking(move || {
        let actor = oak.node.actor(None).expect("the founder");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let at = [oak.address.clone()];
        let accepted = runtime.block_on(async {
            use wb_node::command::peer_accept::{look, peer_accept};
            let inviter = look(&oak.node, &actor, &link, true).await?;
            peer_accept(&mut oak.node, &actor, &inviter, &at).await
        });
        (oak, accepted.expect("it is noted").way_back)
    });
    let (oak, back) = back.await.expect("it runs");
    let back = back.expect("a link").to_string();
    let fields = [("link", back.as_str()), ("lan", "on")];
    let paired = elm.post(&ada, "/sync/pair/accept", &fields).await;
    assert_eq!(paired.status, StatusCode::SEE_OTHER);
    let pair = elm
        .node()
        .store()
        .pair(&oak.node.own_id())
        .expect("a store");
    assert_eq!(pair.map(|pair| pair.state), Some(PairState::Paired));
}

#[tokio::test]
async fn a_link_opened_in_a_browser_says_what_it_is_for() {
    let elm = Elm::found();
    let page = elm.get(&elm.stranger(), "/pair").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("wb peer accept LINK"), "{}", page.body);
}
