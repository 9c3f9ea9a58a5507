//! Hubs that have much: a directory without end, and members that publish more than is kept of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::value::RawValue;
use wb_core::id::InstanceId;
use wb_core::limits::{DIRECTORY_PAGE_MAX, DIRECTORY_READ_MAX};
use wb_core::scope::Scope;
use wb_core::sync::{Directory, DirectoryRow, PeerCause, Phase, Policy};
use wb_hub::{Quota, StoreLimits};
use wb_node::command::join::Offers;
use wb_node::entropy;

use super::world::{HubUp, Member, titles};

/// The `n`th of the ids that a hub invents.
fn invented(n: u32) -> InstanceId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&n.to_be_bytes());
    InstanceId(id)
}

/// What a newcomer reads at a hub whose directory goes on for ever, in pages of so many members; and how many
/// pages it asked for.
fn read_endless(page_members: u32) -> (Offers, u32) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut bob = Member::found("South");
    bob.register(&hub);
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    hub.seam().lie_in_directory(move |page: Directory| {
        let first = 1 + counted.fetch_add(1, Ordering::SeqCst) * page_members;
        let row = |n| DirectoryRow {
            id: invented(n),
            card: RawValue::from_string("{}".to_owned()).expect("an object"),
            since: entropy::now(),
            visibility: None,
            feeds: Vec::new(),
        };
        Directory {
            next: Some(invented(first + page_members - 1)),
            members: (first..first + page_members).map(row).collect(),
            ..page
        }
    });
    let offers = bob.offers(&hub).expect("the hub answers");
    (offers, asked.load(Ordering::SeqCst))
}

#[test]
fn a_directory_without_end_is_read_up_to_a_limit_and_that_is_said() {
    let page_members = u32::try_from(DIRECTORY_PAGE_MAX).expect("a small number");
    let (offers, asked) = read_endless(page_members);
    assert_eq!(
        (offers.list.len(), offers.is_cut_off),
        (DIRECTORY_READ_MAX, true)
    );
    assert_eq!(asked, 51);
}

#[test]
fn a_directory_of_endless_small_pages_is_left_after_so_many() {
    let (offers, asked) = read_endless(1);
    assert_eq!(
        (offers.list.len(), offers.is_cut_off, asked),
        (500, true, 500)
    );
}

#[test]
fn who_publishes_more_than_is_kept_is_told_so_and_what_it_takes_back_leads_out_of_it() {
    let mut hub = HubUp::start("Harbour", Policy::Open);
    let records = 4;
    hub.keep(StoreLimits {
        member: Quota {
            records,
            ..Quota::default()
        },
        ..StoreLimits::default()
    });
    let (mut alice, mut bob) = (Member::found("North"), Member::found("South"));
    alice.register(&hub);
    bob.register(&hub);
    bob.follow_all(&hub, &[alice.id()]);
    bob.ask("A saw", Scope::Public);
    let asked: Vec<_> = (0..6)
        .map(|n| alice.ask(&format!("Ladder {n}"), Scope::Public))
        .collect();

    let synced = alice.sync(&hub);
    let (cause, detail) = synced.end.expect("it is refused");
    assert_eq!(
        (cause, cause.phase()),
        (PeerCause::OverQuota, Phase::Waiting)
    );
    assert!(
        detail.starts_with("the hub keeps 4 records of one member"),
        "{detail}"
    );
    // Another member goes on, and nothing of what was refused is there.
    assert_eq!(bob.sync(&hub).end, None);
    assert_eq!(titles(&bob), ["A saw"]);

    for request in &asked[..5] {
        alice.take_back(request);
    }
    assert_eq!(alice.sync(&hub).end, None);
    assert_eq!(bob.sync(&hub).end, None);
    assert_eq!(titles(&bob), ["A saw", "Ladder 5"]);
}
