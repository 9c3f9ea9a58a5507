//! A hub keeps pages of snapshots in memory as they travel: nobody is served what was taken out of the feed since.

use wb_core::id::InstanceId;
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_hub::{Decision, PageRefused};

use super::raw::{Raw, RawAnswer, Someone};
use super::world::{HubUp, Member};

const CANARY: &str = "A canary in a kept page";

/// North has published some requests, and somebody who is only a key is a member too.
fn published() -> (HubUp, Member, Someone) {
    let hub = HubUp::start("Harbour", Policy::Open);
    hub.seam().keep_pages();
    let mut north = Member::found("North");
    north.register(&hub);
    for n in 0..20 {
        north.ask(&format!("Request {n}"), Scope::Public);
    }
    let somebody = Someone::new(7);
    let call = (
        "POST",
        "/sync/v1/register",
        &somebody.registration("Somebody", false)[..],
    );
    let registered = Raw::signed(&somebody, hub.id(), call, super::raw::now()).send(hub.socket());
    assert_eq!(registered.status, 200);
    (hub, north, somebody)
}

fn page(hub: &HubUp, who: &Someone, origin: InstanceId) -> RawAnswer {
    let target = format!("/sync/v1/snapshot/{origin}/public");
    let ask = Raw::get(who, hub.id(), &target).with("accept-encoding", "zstd");
    ask.send(hub.socket())
}

fn words(answer: &RawAnswer) -> String {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("content-encoding"), Some("zstd"));
    let plain = zstd::decode_all(&answer.body[..]).expect("it unpacks");
    String::from_utf8(plain).expect("lines")
}

/// Whether a page is served without the store having been asked for it.
fn is_kept(hub: &HubUp, who: &Someone, origin: InstanceId) -> bool {
    hub.seam().refuse_a_page(PageRefused::HeadGone);
    let is_kept = page(hub, who, origin).status == 200;
    hub.seam().forget_refusals();
    is_kept
}

#[test]
fn a_page_that_was_made_once_is_served_again_as_it_was() {
    let (hub, mut north, somebody) = published();
    north.sync(&hub);
    assert!(!is_kept(&hub, &somebody, north.id()));
    let first = page(&hub, &somebody, north.id());
    assert!(is_kept(&hub, &somebody, north.id()));
    let again = page(&hub, &somebody, north.id());
    assert_eq!(first.body, again.body);
    assert_eq!(first.field("content-digest"), again.field("content-digest"));
    // Who cannot unpack it gets what it can read.
    let target = format!("/sync/v1/snapshot/{}/public", north.id());
    let plain = Raw::get(&somebody, hub.id(), &target).send(hub.socket());
    assert_eq!(plain.field("content-encoding"), None);
    assert_eq!(String::from_utf8(plain.body).expect("lines"), words(&again));
}

#[test]
fn what_an_origin_erases_is_in_no_page_any_more() {
    let (hub, mut north, somebody) = published();
    let canary = north.ask(CANARY, Scope::Public);
    north.sync(&hub);
    assert!(words(&page(&hub, &somebody, north.id())).contains(CANARY));
    assert!(is_kept(&hub, &somebody, north.id()));
    north.take_back(&canary);
    north.sync(&hub);
    assert!(!is_kept(&hub, &somebody, north.id()));
    let after = words(&page(&hub, &somebody, north.id()));
    assert!(!after.contains(CANARY) && after.contains("Request 7"));
}

/// What a moderator takes out of the file by another process leaves the head where it is.
#[test]
fn what_another_process_takes_out_of_the_file_is_in_no_page_any_more() {
    let (hub, mut north, somebody) = published();
    let canary = north.ask(CANARY, Scope::Public);
    north.sync(&hub);
    assert!(words(&page(&hub, &somebody, north.id())).contains(CANARY));
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    let taken = "UPDATE feed_lines SET line = NULL WHERE id = ?1";
    let lines = file.execute(taken, [&canary.id.as_bytes()[..]]);
    assert_eq!(lines.expect("its table"), 1);
    let after = words(&page(&hub, &somebody, north.id()));
    assert!(!after.contains(CANARY) && after.contains("Request 7"));
}

#[test]
fn nothing_of_who_is_suspended_is_served_whatever_is_kept() {
    let (hub, mut north, somebody) = published();
    north.sync(&hub);
    page(&hub, &somebody, north.id());
    assert!(is_kept(&hub, &somebody, north.id()));
    let reason = "why not".to_owned();
    hub.decide(
        north.id(),
        Decision::Suspend {
            reason,
            until: None,
        },
    );
    assert_eq!(page(&hub, &somebody, north.id()).status, 404);
}
