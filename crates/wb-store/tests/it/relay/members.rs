//! Registration, standing and follow lists.

use wb_core::id::LogId;
use wb_core::sync::{FollowList, Policy, Standing, Visibility};
use wb_store::relay::{Applicant, Relay, Stale, StaleRegistration};

use super::harbour::{Harbour, LOG, later};
use crate::origin::{Do, Origin, now};

#[test]
fn the_relay_log_is_made_once_and_the_file_is_the_owners() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("hub.db");
    let relay = Relay::open(&path, LOG).expect("a new file");
    assert_eq!(
        relay.cursor().expect("a cursor").to_string(),
        format!("{LOG}.0.{:016}", 0)
    );
    drop(relay);
    let relay = Relay::open(&path, LogId([6; 16])).expect("the same file");
    assert_eq!(relay.log(), LOG);
    assert_eq!(relay.reader().expect("a reader").log(), LOG);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn registering_again_changes_the_standing_of_nobody() {
    let mut harbour = Harbour::new();
    let north = Origin::new(1);
    let first = harbour.register(&north, Policy::Approval);
    assert!(first.is_new && first.standings.standing == Standing::Waiting);
    assert_eq!(harbour.relay.cursor().expect("a cursor").n, 0);
    let again = harbour.register(&north, Policy::Open);
    assert!(!again.is_new && again.standings.standing == Standing::Waiting);

    harbour.stand(&north.id(), Standing::Member, None);
    assert_eq!(harbour.relay.cursor().expect("a cursor").n, 1);
    harbour.stand(&north.id(), Standing::Suspended, None);
    let again = harbour.register(&north, Policy::Open).standings;
    assert_eq!(again.standing, Standing::Suspended);
    assert_eq!(again.reason.as_deref(), Some("noise"));
    assert_eq!(harbour.relay.cursor().expect("a cursor").n, 1);
}

#[test]
fn a_suspension_ends_by_itself_and_its_feeds_arrive_again() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1)]);
    let (id, reader) = (north.id(), south.id());
    let before = harbour.start();
    let all = [
        format!("identity {} 1", id.short()),
        format!("deltas {} 1", id.short()),
    ];
    assert_eq!(harbour.told(&reader, &before), all);

    harbour.stand(&id, Standing::Suspended, Some(later(60)));
    assert_eq!(harbour.told(&reader, &before), [""; 0]);
    assert!(
        harbour
            .relay
            .heads(&reader, None, 9, now())
            .expect("heads")
            .feeds
            .is_empty()
    );
    let suspended = harbour.changes(&reader, &before).section.cursor;

    let member = harbour
        .relay
        .member(&id, later(60))
        .expect("a row")
        .expect("a member");
    assert_eq!(member.standings.standing, Standing::Member);
    assert_eq!(member.standings.reason, None);
    let heads = harbour
        .relay
        .heads(&reader, None, 9, later(60))
        .expect("heads");
    assert_eq!(heads.feeds.len(), 1);
    // Who asked meanwhile was told nothing, and its cursor is beyond.
    let ended = harbour.write(|write| write.end_suspensions(later(60)));
    assert_eq!(ended.expect("a stored standing"), 1);
    let told = harbour.told(&reader, &suspended);
    assert_eq!(
        told,
        [
            format!("identity {} 1", id.short()),
            format!("again {} 0", id.short())
        ]
    );
}

#[test]
fn who_is_listed_from_now_on_arrives_for_those_who_follow_all() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&south]);
    let card = north.card();
    let mut applicant = Applicant {
        identity: &north.identity.clone(),
        card: &card,
        name: "North",
        visibility: Visibility::Unlisted,
        counter: 1,
    };
    harbour
        .write(|write| write.register(&applicant, Policy::Open, now()))
        .expect("a registration")
        .expect("nothing newer is held");
    harbour.publish(&mut north, &[Do::Put(1)]);
    let start = harbour.start();
    assert_eq!(harbour.told(&south.id(), &start), [""; 0]);
    let unlisted = harbour
        .relay
        .directory(None, 9, now())
        .expect("a directory");
    assert_eq!(unlisted.members.len(), 1);
    let since = harbour.relay.cursor().expect("a cursor");

    applicant.listed = true;
    applicant.counter = 2;
    harbour
        .write(|write| write.register(&applicant, Policy::Open, now()))
        .expect("a registration")
        .expect("nothing newer is held");
    let (id, told) = (north.id().short(), harbour.told(&south.id(), &since));
    assert_eq!(told, [format!("identity {id} 1"), format!("again {id} 0")]);
}

/// A copied registration changed the card and `listed` back to what they had been.
#[test]
fn an_old_registration_after_a_newer_one_changes_nothing_but_a_longer_log() {
    let (mut harbour, north) = (Harbour::new(), Origin::new(1));
    let register = |harbour: &mut Harbour, counter, card: &str| {
        let applicant = Applicant {
            identity: &north.identity,
            card,
            name: "North",
            visibility: Visibility::of_listed(counter == 1),
            counter,
        };
        let taken = harbour.write(|write| write.register(&applicant, Policy::Open, now()));
        taken.expect("a store").map(|taken| taken.is_new)
    };
    assert_eq!(register(&mut harbour, 1, "{}"), Ok(true));
    assert_eq!(register(&mut harbour, 7, "{\"a\":1}"), Ok(false));
    let held = harbour.relay.member(&north.id(), now()).expect("a row");
    let before = harbour.relay.cursor().expect("a cursor");
    let stale = Err(StaleRegistration { counter: 7 });
    assert_eq!(register(&mut harbour, 1, "{}"), stale);
    assert_eq!(
        register(&mut harbour, 7, "{}"),
        stale,
        "another of the same"
    );
    assert_eq!(
        register(&mut harbour, 7, "{\"a\":1}"),
        Ok(false),
        "the same"
    );
    let after = harbour.relay.member(&north.id(), now()).expect("a row");
    assert_eq!(
        (after, harbour.relay.cursor().expect("a cursor")),
        (held, before)
    );
}

#[test]
fn directory_and_members_come_in_pages_by_id() {
    let origins: Vec<Origin> = (1..=5).map(Origin::new).collect();
    let harbour = Harbour::with(&origins.iter().collect::<Vec<_>>());
    let mut ids: Vec<_> = origins.iter().map(Origin::id).collect();
    ids.sort_unstable();
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = harbour
            .relay
            .directory(after.as_ref(), 2, now())
            .expect("a page");
        seen.extend(page.members.iter().map(|row| row.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let members = |standing, after| {
        let members = harbour
            .relay
            .members(standing, after, 3, now())
            .expect("members");
        members.iter().map(|member| member.id).collect::<Vec<_>>()
    };
    assert_eq!(members(Some(Standing::Member), None), ids[..3]);
    assert_eq!(members(None, Some(&ids[2])), ids[3..]);
    assert_eq!(members(Some(Standing::Waiting), None), []);
    let counts = harbour.relay.member_counts(&ids[0], now()).expect("counts");
    assert_eq!((counts.followers, counts.pending), (4, 4));
    assert_eq!(
        harbour.relay.counts(now()).expect("counts").members["member"],
        5
    );
}

#[test]
fn only_a_newer_follow_list_is_taken() {
    let north = Origin::new(1);
    let mut harbour = Harbour::new();
    harbour.register(&north, Policy::Open);
    let mut list = FollowList {
        counter: 4,
        ..FollowList::default()
    };
    list.add(Origin::new(2).id());
    list.add(Origin::new(3).id());
    list.all = true;
    list.remove(Origin::new(3).id());
    harbour.put_follows(&north.id(), &list);
    assert_eq!(harbour.relay.follows(&north.id()).expect("a list"), list);
    // The same once more.
    harbour.put_follows(&north.id(), &list);
    for counter in [3, 4] {
        let other = FollowList {
            counter,
            ..FollowList::default()
        };
        let refused = harbour.write(|write| write.put_follows(&north.id(), &other));
        assert_eq!(refused.expect("a readable list"), Err(Stale { counter: 4 }));
    }
}

/// The operator's commands write from another process while the hub takes in what is pushed.
#[test]
fn two_connections_write_by_turns_and_the_arrivals_have_no_gap() {
    const DELTAS: u64 = 60;
    let mut north = Origin::new(1);
    let members: Vec<Origin> = (2..=12).map(Origin::new).collect();
    let mut harbour = Harbour::with(&[&north]);
    for member in &members {
        harbour.register(member, Policy::Approval);
    }
    let path = harbour.path();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut relay = Relay::existing(&path).expect("the hub's file");
            for member in &members {
                let write = relay.write().expect("a transaction, in its turn");
                let known = write.set_standing(&member.id(), Standing::Member, None, None, now());
                assert!(known.expect("a stored standing"));
                write.commit().expect("a commit");
            }
        });
        for n in 0..DELTAS {
            harbour.publish(&mut north, &[Do::Put(n)]);
        }
    });
    // The first log, the deltas, and the log of each that was let in.
    let last = harbour.relay.cursor().expect("a cursor").n;
    assert_eq!(last, 1 + DELTAS + members.len() as u64);
    for finding in harbour.relay.check().expect("a check") {
        assert_eq!(finding.problems, [""; 0], "{}", finding.check);
    }
}

#[test]
fn looking_at_a_hub_neither_makes_nor_changes_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("hub.db");
    assert!(Relay::existing(&path).is_err());
    assert!(!path.exists());
    std::fs::write(&path, b"").expect("an empty file");
    let looked = Relay::existing(&path);
    assert!(matches!(
        looked,
        Err(wb_store::StoreError::Older { found: 0, .. })
    ));
    assert_eq!(std::fs::metadata(&path).expect("a file").len(), 0);
}
