//! What was said about requests of others goes no further than they do, whatever becomes of them and of their home.

use wb_core::id::{RecordId, RecordRef};
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_node::command::comment_add::comment_add;
use wb_node::command::peer_block::peer_block;

use super::world::{HubUp, Member};

/// North answered a request of South, for everybody.
fn answered() -> (HubUp, Member, Member, RecordRef, RecordId) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    north.register(&hub);
    south.register(&hub);
    let request = south.ask("A ladder", Scope::Public);
    south.sync(&hub);
    north.follow_all(&hub, &[south.id()]);
    north.sync(&hub);
    let actor = north.actor();
    let comment = comment_add(&mut north.node, &actor, &request, "Ours.", Scope::Public);
    let comment = comment.expect("it is shown");
    north.sync(&hub);
    north.sync(&hub);
    assert!(is_published(&north, &comment));
    (hub, north, south, request, comment)
}

fn is_published(member: &Member, id: &RecordId) -> bool {
    let sealed = member.node.store().sealed(id).expect("a store");
    !sealed.is_empty()
}

#[test]
fn an_answer_is_taken_back_with_the_request_of_others() {
    let (hub, mut north, mut south, request, comment) = answered();
    south.take_back(&request);
    south.sync(&hub);
    north.sync(&hub);
    assert!(!is_published(&north, &comment));
}

#[test]
fn an_answer_is_taken_back_when_its_request_is_not_shown_here_any_more() {
    let (hub, mut north, south, _, comment) = answered();
    let actor = north.actor();
    peer_block(&mut north.node, &actor, south.id()).expect("an admin");
    north.sync(&hub);
    assert!(!is_published(&north, &comment));
}
