//! With disk and backup gone: an instance from its sheet of words and from hubs.

use wb_core::scope::Scope;
use wb_core::sync::{Policy, RecoveryAsk, Visibility};
use wb_core::words::RecoveryWords;
use wb_node::NodeError;
use wb_node::command::key_recover::fresh_words;
use wb_node::command::restore::{From, FromWords, Taken, restore_words};
use wb_store::Home;

use super::world::{HubUp, Member, titles};

fn from_words(
    home: &Home,
    (id, words): (wb_core::id::InstanceId, &RecoveryWords),
    hubs: &[&HubUp],
) -> wb_node::Result<Taken> {
    let addresses: Vec<String> = hubs.iter().map(|hub| hub.address()).collect();
    let from: Vec<From<'_>> = addresses
        .iter()
        .map(|address| From::Hub {
            address,
            lan: true,
            visibility: Visibility::Public,
        })
        .collect();
    let input = FromWords {
        words,
        id,
        name: "North",
        from: &from,
        admin: "warden",
        new_words: &fresh_words(),
        new_sheet: &home.dir().with_extension("sheet"),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(restore_words(home, &input))
}

/// Of two hubs one was away for the last publication, and is named first.
#[test]
fn of_every_hub_that_is_named_the_longest_history_counts() {
    let (hub, pier) = (
        HubUp::start("Harbour", Policy::Open),
        HubUp::start("Pier", Policy::Open),
    );
    let (mut north, words) = Member::found_with_words("North");
    let mut south = Member::found("South");
    for hub in [&hub, &pier] {
        north.register(hub);
        south.register(hub);
        south.follow_all(hub, &[north.id()]);
    }
    north.ask("At both", Scope::Public);
    assert_eq!(north.sync(&pier).end, None);
    north.ask("At the harbour", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    let id = north.id();
    let words = RecoveryWords::parse(&words).expect("words");
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::new(dir.path().join("again"));

    // Other words name nothing there.
    let wrong = from_words(&home, (id, &fresh_words()), &[&pier, &hub]);
    assert!(wrong.is_err());
    assert!(!home.main().exists());
    let taken = from_words(&home, (id, &words), &[&pier, &hub]).expect("both are there");

    assert!(!taken.only_one);
    assert_eq!(taken.unasked, []);
    north.node = taken.node;
    assert_eq!(titles(&north), ["At both", "At the harbour"]);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(north.sync(&pier).end, None);
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert_eq!(titles(&south), ["At both", "At the harbour"]);
    assert_eq!(south.held_rows(), [""; 0]);
}

/// A file that lay in the folder was removed when taking back failed.
#[test]
fn a_folder_in_which_anything_of_an_instance_is_stays_as_it_is() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, words) = Member::found_with_words("North");
    north.register(&hub);
    let words = RecoveryWords::parse(&words).expect("words");
    for file in [
        "private.db",
        "signing.key",
        "signing.key.next",
        "guard.json",
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(file);
        std::fs::write(&path, b"of somebody").expect("a file");

        let refused = from_words(&Home::new(dir.path()), (north.id(), &words), &[&hub]);

        assert!(matches!(refused, Err(NodeError::Refused(_))), "{file}");
        assert_eq!(std::fs::read(&path).expect("a file"), b"of somebody");
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 1);
    }
}

/// The call gives log and head to who names the key of the words, and says nothing to anybody else.
#[test]
fn a_hub_gives_log_and_head_to_who_names_the_recovery_key() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, words) = Member::found_with_words("North");
    north.register(&hub);
    north.ask("Something", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let right = RecoveryWords::parse(&words).expect("words");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let ask = |words: &RecoveryWords, id| {
        let ask = RecoveryAsk {
            schema_version: 1,
            id,
            recovery_key: words.recovery_signer().public_key(),
        };
        let internet = std::sync::Arc::new(wb_net::network::Internet);
        let address = hub.address();
        runtime.block_on(wb_node::sync::ask_recovery_at(
            internet, &address, true, &ask,
        ))
    };
    let given = ask(&right, north.id()).expect("it is given");
    assert_eq!(given.identity.len(), 1);
    assert!(given.head.is_some());
    assert!(ask(&fresh_words(), north.id()).is_err());
    let other = Member::found("Other");
    assert!(ask(&right, other.id()).is_err());
}
