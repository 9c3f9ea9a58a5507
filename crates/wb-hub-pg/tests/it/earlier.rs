//! Processes of the version before, on tables of this one: what they write shows nobody to more than before.

use wb_core::sync::{Policy, Visibility};
use wb_hub::{HubStore as _, Registering};

use crate::conformance::registration;
use crate::origin::{Origin, now};
use crate::server::{database, hub, server};

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_process_takes_leaves_nobody_shown_to_members_who_did_not_ask_for_it() {
    let (url, number) = database();
    let (hub, north) = (hub(&url, number), Origin::new(1));
    let for_members = Registering {
        visibility: Visibility::Members,
        counter: 4,
        ..registration(&north)
    };
    let taken = hub.register(for_members, Policy::Open, now()).await;
    let taken = taken.expect("a store").expect("it is new");
    assert_eq!(taken.visibility, Some(Visibility::Members));
    // As the version before takes a later registration: it reads `listed` alone, and knows no column for members.
    let earlier = "UPDATE members SET listed = false, counter = 5;";
    let database = format!("hub_{number}");
    server().run_in(&database, &[earlier]).expect("it can");
    let row = hub.member(north.id(), now()).await.expect("a store");
    let row = row.expect("a member");
    let unlisted = (Visibility::Unlisted, Visibility::Unlisted);
    assert_eq!((row.visibility, row.asks), unlisted);
    let page = hub.directory(None, 10, now()).await.expect("a store");
    assert!(page.members.is_empty());
}
