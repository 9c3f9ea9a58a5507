//! Codes of other communities' invitations, in a browser: what a newcomer is shown before anything is sent, what stewards
//! see of it, and what the author of an invitation sees of its uses elsewhere.

use http::StatusCode;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::scope::Scope;
use wb_node::Node;
use wb_node::command::init::{Init, init};
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_node::command::record_share::record_share;
use wb_node::entropy;
use wb_node::query::invites::invites;
use wb_store::{AccountState, Home, InviteUse};

use super::site::Elm;

/// Oak, which Elm accepted, shares an invitation of its member bob, who shows a profile; its code.
fn oak_invites(elm: &Elm) -> (InstanceId, String) {
    let folder = elm.node().store().home().dir().to_owned();
    let input = Init {
        name: "Oak Square",
        admin: "bob",
        words_file: None,
    };
    let home = Home::new(folder.with_file_name("oak"));
    let mut oak = init(&home, &input).expect("it is founded").node;
    let bob = oak.actor(None).expect("the founder");
    let own = oak.own_id();
    let key = |id| RecordRef { origin: own, id };
    record_share(&oak, &bob, &key(bob.user), Scope::Public, None).expect("a profile");
    let (id, _) = invite_create(&mut oak, &bob, &InviteCreate::default()).expect("an invite");
    record_share(&oak, &bob, &key(id), Scope::Public, None).expect("an invite");
    let code = invites(&oak, &bob).expect("a store").remove(0).share_code;
    elm.takes_from(&mut oak, &bob);
    (own, code.to_string())
}

#[tokio::test]
async fn whoever_invites_without_a_name_is_of_their_community_once() {
    let elm = Elm::found();
    let (oak, code) = oak_invites(&elm);
    let folder = elm.node().store().home().dir().to_owned();
    let mut node = Node::open(&Home::new(folder.with_file_name("oak"))).expect("it opens");
    let bob = node.actor(None).expect("the founder");
    let profile = RecordRef {
        origin: oak,
        id: bob.user,
    };
    record_share(&node, &bob, &profile, Scope::Private, None).expect("it stays home");
    elm.takes_from(&mut node, &bob);
    let page = elm
        .get(&elm.stranger(), &format!("/code/{code}"))
        .await
        .body;
    let (_, heading) = page.split_once("<h1>").expect("a heading");
    let heading = heading.split("</h1>").next().unwrap_or_default();
    assert!(
        heading.starts_with("<bdi>A member of Oak Square"),
        "{heading}"
    );
    assert_eq!(heading.matches("Oak Square").count(), 1, "{heading}");
}

/// What a page has in a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let at = page.find(&start).expect("the field") + start.len();
    page[at..].split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_newcomer_says_yes_to_exactly_what_is_told_and_waits() {
    let elm = Elm::found();
    let (oak, code) = oak_invites(&elm);
    let nela = elm.stranger();
    assert!(elm.get(&nela, "/").await.body.contains("href=\"/code\""));
    // A whole link that was copied does as well.
    let typed = format!("/code?code=https%3A%2F%2Felm.test%2Fcode%2F{code}%2F");
    let led = elm.get(&nela, &typed).await;
    assert_eq!(led.status, StatusCode::SEE_OTHER);
    let path = format!("/code/{oak}.{code}");
    assert_eq!(led.header("location"), Some(path.as_str()));
    let page = elm.get(&nela, &path).await.body;
    for words in [
        "<bdi>bob</bdi> of <bdi>Oak Square</bdi> invites you",
        &format!("code: {code}"),
        "Your name is not in it",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let shown = hidden(&page, "shown");
    let not_agreed = [("handle", "nela"), ("shown", &shown)];
    let other = [
        ("handle", "nela"),
        ("sure", "yes"),
        ("shown", &"0".repeat(64)),
    ];
    for fields in [&not_agreed[..], &other] {
        let came = elm.post(&nela, &path, fields).await;
        assert!(
            came.body.contains("obody was told anything"),
            "{}",
            came.body
        );
        let made = elm.node().store().private().account("nela");
        assert_eq!(made.expect("a store"), None);
    }
    let fields = [("handle", "nela"), ("sure", "yes"), ("shown", &*shown)];
    let came = elm.post(&nela, &path, &fields).await;
    assert_eq!(came.status, StatusCode::SEE_OTHER);
    let nela = elm.holding(&came);
    let told = "invited by bob at Oak Square; Oak Square did not count it yet";
    assert!(elm.get(&nela, "/waiting").await.body.contains(told));
    assert!(
        elm.get(&elm.of("stella"), "/review")
            .await
            .body
            .contains(told)
    );
    assert!(
        elm.get(&elm.of("mira"), "/members")
            .await
            .body
            .contains(told)
    );
    let (node, account) = (elm.node(), elm.node().store().private().account("nela"));
    let account = account.expect("a store").expect("an account");
    assert_eq!(account.state, AccountState::Pending);
    let letters = node.store().private().letters_out().expect("a store");
    assert_eq!((letters.len(), letters[0].recipient), (1, oak));
    assert!(!letters[0].body.contains("nela"));
}

#[tokio::test]
async fn a_code_that_is_of_no_invitation_says_so_and_members_find_those_of_others() {
    let elm = Elm::found();
    let (oak, code) = oak_invites(&elm);
    for wrong in ["x", &"0".repeat(32)] {
        let came = elm.get(&elm.stranger(), &format!("/code/{wrong}")).await;
        assert_eq!(came.status, StatusCode::OK);
        assert!(came.body.contains("role=\"alert\""), "{wrong}");
    }
    let page = elm.get(&elm.of("mira"), "/invites").await.body;
    assert!(page.contains(&format!("href=\"/code/{oak}.{code}\"")));
    let member = elm.of("mira");
    let came = elm
        .post(&member, &format!("/code/{code}"), &[("sure", "yes")])
        .await;
    assert!(came.body.contains("You are in already"));
}

#[tokio::test]
async fn its_author_sees_where_an_invitation_was_used_and_switches_it_off() {
    let elm = Elm::found();
    let (oak, _) = oak_invites(&elm);
    let mut node = elm.node();
    let mira = node.actor(Some("mira")).expect("mira");
    let (id, token) = invite_create(&mut node, &mira, &InviteCreate::default()).expect("an invite");
    let used = InviteUse {
        origin: oak,
        thread: entropy::record_id(node.now()),
        invite: id,
        at: node.now(),
        refused: None,
    };
    node.store()
        .private()
        .put_invite_use(&used)
        .expect("a store");
    let path = format!("/invites/{token}/off");
    let page = elm.get(&elm.of("mira"), "/invites").await.body;
    assert!(page.contains("somebody joined Oak Square") && page.contains(&path));
    let other = elm.post(&elm.of("omar"), &path, &[]).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let link = format!("/invite/{token}");
    assert_eq!(elm.get(&elm.stranger(), &link).await.status, StatusCode::OK);
    let off = elm.post(&elm.of("mira"), &path, &[]).await;
    assert_eq!(off.status, StatusCode::SEE_OTHER);
    let over = elm.get(&elm.stranger(), &link).await;
    assert_eq!(over.status, StatusCode::BAD_REQUEST);
    let page = elm.get(&elm.of("mira"), "/invites").await.body;
    assert!(!page.contains(&path));
}
