//! A node that runs from an older copy of its folder, which the guard does not notice.

use std::path::Path;
use std::sync::mpsc::channel;

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Policy};

use super::stand_in::StandIn;
use super::world::{BOTH_WAYS, HubUp, Member, titles};

/// Everything that is copied when somebody copies all of a folder.
const FILES: [&str; 3] = ["wb.db", "private.db", "guard.json"];

fn copy_files(from: &Path, to: &Path) {
    for file in FILES {
        std::fs::copy(from.join(file), to.join(file)).expect("a copy");
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(to.join(format!("{file}{suffix}")));
        }
    }
}

#[test]
fn an_older_copy_that_the_hub_is_ahead_of_seals_and_pushes_nothing() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.ask("The first", Scope::Public);
    north.sync(&hub);
    south.follow_all(&hub, &[north.id()]);
    let copy = tempfile::tempdir().expect("a folder");
    north.reopen_with(|home| copy_files(home, copy.path()));
    north.ask("The second", Scope::Public);
    north.sync(&hub);
    south.sync(&hub);
    let newest = tempfile::tempdir().expect("a folder");
    north.reopen_with(|home| {
        copy_files(home, newest.path());
        copy_files(copy.path(), home);
    });
    assert_eq!(titles(&north), ["The first"], "this is the older copy");

    north.ask("What the copy would add", Scope::Public);
    let at_hub = hub.heads(north.id());
    let push_only = wb_node::command::sync::SyncInput {
        pull: false,
        ..BOTH_WAYS
    };
    let head = north.head(north.id());
    for input in [BOTH_WAYS, push_only, BOTH_WAYS] {
        let synced = north.sync_as(&hub, input);
        let (cause, detail) = synced.end.expect("the hub is ahead");
        assert_eq!(cause, PeerCause::OwnIsAhead, "{detail}");
        assert_eq!((synced.published.puts, synced.published.deltas), (0, 0));
        assert_eq!(synced.pushed.deltas, 0);
        assert_eq!(north.head(north.id()), head, "nothing is sealed");
        assert_eq!(hub.heads(north.id()), at_hub, "nothing arrived");
    }
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["The first", "The second"]);

    // With the newest copy everything goes on.
    north.reopen_with(|home| copy_files(newest.path(), home));
    north.ask("The third", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    south.sync(&hub);
    south.assert_equals(&north);
    assert_eq!(titles(&south).len(), 3);
}

/// What a guard file counts.
fn counted(guard: &Path) -> u64 {
    let bytes = std::fs::read(guard).expect("a guard file");
    let guard: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    guard["counter"].as_u64().expect("a counter")
}

/// The order is commit, guard, send: a process that ends between the last two, and whose databases come back
/// as an older copy, has to know that something of it is elsewhere.
#[test]
fn the_guard_has_counted_before_anything_sealed_is_sent() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    north.register(&hub);
    let (guard, to) = (north.home().guard(), hub.socket());
    let (seen, counts) = channel();
    let between = StandIn::start(move |asked| {
        if asked.target().starts_with("/sync/v1/push") {
            // Who asks for it waits until the sync is over.
            let _ = seen.send(counted(&guard));
        }
        asked.hand_on(to)
    });
    north.edit_peer(&hub, |peer| peer.address = between.address());
    assert_eq!(counted(&north.home().guard()), 0);
    north.ask("A ladder", Scope::Public);

    assert_eq!(north.sync(&hub).end, None);

    assert_eq!(counts.try_iter().collect::<Vec<_>>(), [1]);
}
