//! Copies that are settled: what was published since comes back, and nobody sees a fork.

use tempfile::TempDir;
use wb_core::id::RecordRef;
use wb_core::leave::Life;
use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Phase, Policy, TurnOutcome};
use wb_hub::HubStore as _;
use wb_node::command::publish::publish;
use wb_node::command::restore::{Confirmed, Restore, Restored, confirm, restore};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::{Node, entropy};
use wb_store::{Home, Role};

use super::world::{HubUp, Member, titles};

/// A backup: the files of a folder without what stands beside the databases.
pub(super) fn backup(member: &mut Member) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    member.reopen_with(|home| {
        for file in ["wb.db", "private.db", "signing.key"] {
            std::fs::copy(home.join(file), copy.path().join(file)).expect("a copy");
        }
    });
    copy
}

/// The disk is lost, and the backup is put on another.
pub(super) fn come_back(member: &mut Member, backup: &TempDir) {
    let disk = tempfile::tempdir().expect("a folder");
    for file in std::fs::read_dir(backup.path()).expect("a folder") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), disk.path().join(file.file_name())).expect("a copy");
    }
    member.node = Node::open(&Home::new(disk.keep())).expect("it opens");
}

pub(super) fn settle(member: &mut Member, offline: bool) -> wb_node::Result<Restored> {
    let actor = member.actor();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let input = Restore {
        offline,
        bundles: &[],
    };
    runtime.block_on(restore(&mut member.node, &actor, input))
}

/// Erases a record of a member's own.
pub(super) fn erase(member: &mut Member, record: &RecordRef) {
    let mut store = wb_store::Store::open(&member.home()).expect("it opens");
    let write = store.write().expect("a transaction");
    let mut local = write.local(&record.id).expect("a store").expect("a record");
    local.life = Life::Deleted;
    local.edit += 1;
    write.put_local(&local).expect("it is stored");
    write.commit().expect("it counts");
}

pub(super) fn scope_of(member: &Member, record: &RecordRef) -> Scope {
    let local = member.node.store().local(&record.id).expect("a store");
    local.expect("it is here").scope
}

pub(super) fn names(told: &[wb_node::command::restore::Told]) -> Vec<&str> {
    told.iter().map(|told| told.headline.as_str()).collect()
}

pub(super) fn street() -> (HubUp, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    (hub, north, south)
}

/// The story of the issue: Monday's backup, Tuesday's work, the disk lost.
#[test]
fn what_was_published_after_a_backup_comes_back_from_the_hub() {
    let (hub, mut north, mut south) = street();
    north.ask("Stays as it was", Scope::Public);
    let reworded = north.ask("Before", Scope::Public);
    let erased = north.ask("Erased on Tuesday", Scope::Public);
    let unshared = north.ask("Taken back on Tuesday", Scope::Public);
    let narrowed = north.ask("Shared again on Tuesday", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    north.take_back(&narrowed);
    assert_eq!(north.sync(&hub).end, None);
    let monday = backup(&mut north);

    let tuesday = north.ask("Written on Tuesday", Scope::Public);
    north.ask("Private on Tuesday", Scope::Private);
    north.reword(&reworded, "After");
    erase(&mut north, &erased);
    north.take_back(&unshared);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    let shared = titles(&south);
    assert_eq!(shared, ["After", "Stays as it was", "Written on Tuesday"]);

    come_back(&mut north, &monday);
    // Nothing is sealed, and nothing of others is shown, until it is settled.
    let (cause, _) = north.sync(&hub).end.expect("it is held");
    assert_eq!(cause.phase(), Phase::Held);
    let restored = settle(&mut north, false).expect("the hub is there");

    assert_eq!(names(&restored.came.back), ["Written on Tuesday"]);
    assert_eq!(names(&restored.came.newer), ["After"]);
    assert_eq!(names(&restored.came.erased), ["Erased on Tuesday"]);
    assert_eq!(names(&restored.came.private), ["Taken back on Tuesday"]);
    assert_eq!(restored.came.private_unsure, 0);
    assert_eq!(scope_of(&north, &unshared), Scope::Private);
    assert_eq!(scope_of(&north, &tuesday), Scope::Public);
    let gone = north.node.store().local(&erased.id).expect("a store");
    assert_eq!(gone.map(|local| local.body).as_deref(), Some("{}"));
    // It goes on in a new log, and nobody sees a fork.
    north.ask("Written on Wednesday", Scope::Public);
    let synced = north.sync(&hub);
    assert_eq!((synced.end, synced.published.new_logs), (None, 1));
    assert_eq!(synced.published.puts, 1, "what came back is sealed already");
    let pulled = south.sync(&hub);
    assert_eq!((pulled.end, pulled.tally.snapshots), (None, 0));
    assert_eq!(pulled.tally.set_aside, []);
    south.assert_equals(&north);
    assert_eq!(titles(&south).len(), 4);
    assert_eq!(south.held_rows(), [""; 0]);
    for member in [&mut north, &mut south] {
        member.assert_sound();
    }
}

/// Whoever has a stolen copy and the key erases everything: an owner who is told of two copies and settles this
/// one must not lose the text by it.
#[test]
fn what_was_erased_from_elsewhere_keeps_its_text_where_this_is_no_older_copy() {
    let (hub, mut north, _) = street();
    let asked = north.ask("A ladder", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let mut thief = north.twin();
    erase(&mut thief, &asked);
    assert_eq!(thief.sync(&hub).end, None);
    let (cause, _) = north.sync(&hub).end.expect("two copies are known");
    assert!(cause.action().contains("wb key recover"), "{cause:?}");

    let restored = settle(&mut north, false).expect("the hub is there");

    assert_eq!(names(&restored.came.erased), [""; 0]);
    assert_eq!(names(&restored.came.private), ["A ladder"]);
    assert_eq!(restored.came.private_erased, 1);
    assert_eq!(scope_of(&north, &asked), Scope::Private);
    let local = north.node.store().local(&asked.id).expect("a store");
    assert!(local.expect("it is here").body.contains("A ladder"));
}

/// What this copy had narrowed and not sealed yet stays narrow, whatever was published after the backup.
#[test]
fn a_narrowing_of_this_copy_outlives_a_later_revision() {
    let (hub, mut north, mut south) = street();
    let request = north.ask("A key under the mat", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    north.take_back(&request);
    let monday = backup(&mut north);
    let actor = north.actor();
    wb_node::command::record_share::record_share(
        &north.node,
        &actor,
        &request,
        Scope::Public,
        None,
    )
    .expect("its own");
    north.reword(&request, "A key under the other mat");
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["A key under the other mat"]);

    come_back(&mut north, &monday);
    let restored = settle(&mut north, false).expect("the hub is there");

    assert_eq!(restored.came.narrowed, 1);
    assert_eq!(scope_of(&north, &request), Scope::Private);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), [""; 0], "it is taken back");
    south.assert_equals(&north);
}

#[test]
fn with_nobody_to_ask_nothing_is_settled_unless_that_is_said_and_others_stay_hidden() {
    let (mut hub, mut north, mut south) = street();
    south.ask("Of South", Scope::Public);
    assert_eq!(south.sync(&hub).end, None);
    north.follow_all(&hub, &[south.id()]);
    north.ask("Of North", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let monday = backup(&mut north);
    north.ask("Lost until the hub is back", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    hub.down();

    come_back(&mut north, &monday);
    assert_eq!(titles(&north), ["Of North"], "South may have taken it back");
    let refused = settle(&mut north, false).expect_err("nobody answers");
    assert!(refused.to_string().contains("Harbour"), "{refused}");
    settle(&mut north, true).expect("it was said");
    assert_eq!(titles(&north), ["Of North"]);
    // Sealed without anybody: in a new log, of which the hub knows nothing yet.
    north.ask("While nobody was there", Scope::Public);
    north.seal();

    hub.up();
    // The hub has what this copy never saw: it is not overwritten, and asked for with another restore.
    let synced = north.sync(&hub);
    assert_eq!(synced.end.expect("it is held").0, PeerCause::OwnIsAhead);
    assert_eq!(
        titles(&north),
        ["Of North", "Of South", "While nobody was there"]
    );
    let restored = settle(&mut north, false).expect("the hub is there");
    assert_eq!(names(&restored.came.back), ["Lost until the hub is back"]);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    south.follow_all(&hub, &[north.id()]);
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert_eq!(titles(&south).len(), 4);
    assert_eq!(south.held_rows(), [""; 0]);
    for member in [&mut north, &mut south] {
        member.assert_sound();
    }
}

/// A member who joined after the backup: the account comes back with the profile, or the words under the name
/// they left with.
#[test]
fn records_of_members_who_came_after_the_backup_stay_published() {
    let (hub, mut north, mut south) = street();
    north.ask("Of the founder", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let monday = backup(&mut north);
    let founder = north.actor();
    for handle in ["mira", "noor"] {
        let input = UserAdd {
            handle,
            display_name: None,
            bio: None,
            role: Role::Member,
            email: None,
        };
        user_add(&mut north.node, &founder, &input).expect("a member");
    }
    let mira = north.node.actor(Some("mira")).expect("a member");
    let key = RecordRef {
        origin: north.id(),
        id: mira.user,
    };
    wb_node::command::record_share::record_share(&north.node, &mira, &key, Scope::Public, None)
        .expect("her own");
    for handle in ["mira", "noor"] {
        let actor = north.node.actor(Some(handle)).expect("a member");
        let input = wb_node::command::request_add::RequestAdd {
            title: handle,
            description: "",
            scope: Scope::Public,
        };
        wb_node::command::request_add::request_add(&mut north.node, &actor, &input)
            .expect("a request");
    }
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    let before = south.live_lines(north.id());

    come_back(&mut north, &monday);
    let restored = settle(&mut north, false).expect("the hub is there");

    assert_eq!(restored.came.accounts, ["mira"]);
    assert_eq!(restored.came.nameless, 1);
    assert!(north.node.actor(Some("mira")).is_ok());
    let synced = north.sync(&hub);
    assert_eq!((synced.published.puts, synced.published.retracts), (0, 0));
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(
        south.live_lines(north.id()),
        before,
        "nothing was taken back"
    );
    // Nobody here can change its words, and a steward can take it back.
    let noor = restored
        .came
        .back
        .iter()
        .find(|told| told.headline == "noor");
    let key = RecordRef {
        origin: north.id(),
        id: noor.expect("it came back").id,
    };
    north.take_back(&key);
    assert_eq!(north.sync(&hub).published.retracts, 1);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["Of the founder", "mira"]);
}

/// A copied virtual machine: both run, both sync.
#[test]
fn of_two_running_copies_both_are_held_until_one_is_settled() {
    let (hub, mut north, mut south) = street();
    north.node = Node::open(&north.home())
        .expect("it opens")
        .on_machine("first");
    north.ask("Before the copy", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let mut twin = north.twin();
    twin.node = Node::open(&twin.home())
        .expect("it opens")
        .on_machine("second");

    twin.ask("Of the second", Scope::Public);
    assert_eq!(twin.sync(&hub).end, None, "it came first");
    north.ask("Of the first", Scope::Public);
    let held = |member: &mut Member, other: &str| {
        // Another process.
        let machine = member.node.machine().to_owned();
        member.node = Node::open(&member.home())
            .expect("it opens")
            .on_machine(machine);
        let synced = member.sync(&hub);
        let (cause, words) = synced.end.expect("it is held");
        assert_eq!(cause, PeerCause::TwoCopies, "{words}");
        assert!(words.contains(other), "{words}");
        assert_eq!(synced.published.deltas, 0);
    };
    held(&mut north, "second");
    held(&mut twin, "first");
    held(&mut north, "second");
    // Nothing is sealed for a file either.
    for member in [&mut north, &mut twin] {
        let actor = member.actor();
        assert!(publish(&mut member.node, &actor).is_err());
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        assert!(runtime.block_on(confirm(&member.node)).is_err());
    }

    let restored = settle(&mut north, false).expect("the hub is there");
    assert_eq!(names(&restored.came.back), ["Of the second"]);
    assert_eq!(north.sync(&hub).end, None);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let confirmed = runtime.block_on(confirm(&north.node)).expect("it answers");
    assert_eq!(confirmed, Confirmed::By("Harbour".to_owned()));
    let synced = twin.sync(&hub);
    let (cause, words) = synced.end.expect("it stays held");
    assert_eq!(cause, PeerCause::TwoCopies);
    assert!(words.contains("first was settled"), "{words}");
    assert_eq!(north.sync(&hub).end, None, "and disturbs nobody");
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert_eq!(
        titles(&south),
        ["Before the copy", "Of the first", "Of the second"]
    );
    assert_eq!(south.held_rows(), [""; 0]);
}

/// What somebody recorded of a node's calls comes again at a hub that went back to an older copy of itself, and knows
/// nothing of them. It looked like a second copy, and the node was held until its operator settled it.
#[test]
fn recorded_calls_make_nobody_two_at_a_hub_that_went_back_to_an_older_copy() {
    let (mut hub, mut north, _) = street();
    let publishes = |north: &mut Member, hub: &HubUp, title: &str| {
        north.ask(title, Scope::Public);
        // Another process.
        north.node = Node::open(&north.home()).expect("it opens");
        assert_eq!(north.sync(hub).end, None, "{title}");
    };
    let copy = hub.copy();
    for title in ["One", "Two", "Three"] {
        publishes(&mut north, &hub, title);
    }
    let recorded = hub.seam().turns();
    assert!(recorded.len() >= 3, "{recorded:?}");
    hub.restore(&copy);
    publishes(&mut north, &hub, "Four");

    for call in recorded {
        let answer = north.block_on(hub.store().turn(north.id(), call, entropy::now()));
        assert_eq!(answer.expect("a store").outcome, TurnOutcome::Yours);
    }

    publishes(&mut north, &hub, "Five");
}

/// Two copies that published at two hubs: both branches are kept.
#[test]
fn what_two_copies_published_at_two_hubs_is_published_once_more_by_the_one_that_is_settled() {
    let (hub, mut north, mut south) = street();
    let pier = HubUp::start("Pier", Policy::Open);
    north.register(&pier);
    let both = north.ask("Of both", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(north.sync(&pier).end, None);
    let mut twin = north.twin();
    north.ask("At the harbour", Scope::Public);
    north.reword(&both, "Reworded at the harbour");
    assert_eq!(north.sync(&hub).end, None);
    twin.ask("At the pier", Scope::Public);
    twin.reword(&both, "Reworded at the pier");
    assert_eq!(twin.sync(&pier).end, None);
    assert_eq!(south.sync(&hub).end, None);
    // The harbour saw one copy and the pier the other; the first that goes to both meets it.
    assert!(north.sync(&pier).end.is_some());

    let restored = settle(&mut north, false).expect("the hubs are there");
    assert_eq!(names(&restored.came.back), ["At the pier"]);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(north.sync(&pier).end, None);
    assert_eq!(pier.heads(north.id()).own, hub.heads(north.id()).own);
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert_eq!(
        titles(&south),
        ["At the harbour", "At the pier", "Reworded at the harbour"]
    );
    let sealed = north.node.store().sealed(&both.id).expect("a store");
    assert_eq!(sealed[0].rev, 3, "above what either branch gave it");
    north.assert_sound();
}

/// The hub was restored from an older copy as well, so nobody who could be asked knew of the first log, and a second
/// first log contradicted what followers held (seed 1086 of the simulator).
#[test]
fn a_copy_from_before_the_first_publication_makes_no_fork_where_the_hub_lost_it_too() {
    let (mut hub, mut north, mut south) = street();
    assert_eq!(south.sync(&hub).end, None);
    let (at_hub, at_north) = (hub.copy(), backup(&mut north));
    north.ask("Of the lost disk", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["Of the lost disk"]);

    hub.restore(&at_hub);
    come_back(&mut north, &at_north);
    settle(&mut north, false).expect("the hub says that it has nothing");
    north.ask("After it", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let synced = south.sync(&hub);

    assert_eq!(synced.end, None, "{synced:?}");
    assert_eq!(titles(&south), ["After it"]);
    south.assert_equals(&north);
    south.assert_sound();
}
