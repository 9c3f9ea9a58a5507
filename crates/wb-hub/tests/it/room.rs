//! What a hub keeps at most: of one member, and of registrations that nobody has looked at.

use tempfile::TempDir;
use wb_core::bundle::Writer;
use wb_core::id::LogId;
use wb_core::scope::FeedScope;
use wb_core::sync::{Policy, Standing, Standings, Visibility};
use wb_core::time::Timestamp;
use wb_hub::{
    Counted, HubStore as _, PushRefused, Quota, RegisterRefused, Registering, SqliteHub,
    StoreLimits,
};
use wb_store::relay::Relay;

use super::origin::{Do, Origin, Sealed, now};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn harbour(limits: StoreLimits) -> (TempDir, SqliteHub) {
    let dir = tempfile::tempdir().expect("a folder");
    let relay = Relay::open(&dir.path().join("hub.db"), LogId([5; 16])).expect("a new file");
    (dir, SqliteHub::new(relay).with_limits(limits))
}

fn of_member(bytes: u64, records: u64) -> StoreLimits {
    StoreLimits {
        member: Quota { bytes, records },
        ..StoreLimits::default()
    }
}

async fn register(
    hub: &SqliteHub,
    origin: &Origin,
    policy: Policy,
    at: Timestamp,
) -> Result<Standings, RegisterRefused> {
    let registering = Registering {
        identity: origin.identity.clone(),
        name: origin.id().short(),
        card: origin.card(),
        visibility: Visibility::Public,
        code: None,
        counter: 1,
    };
    hub.register(registering, policy, at)
        .await
        .expect("a store")
}

async fn push(hub: &SqliteHub, origin: &Origin, delta: &Sealed) -> Result<(), PushRefused> {
    let items = u64::try_from(delta.items.len()).expect("a small number");
    let mut lines = vec![Writer::deltas(origin.id(), FeedScope::Public, 1, items)];
    lines.extend(delta.lines());
    let pushed = hub.push(origin.id(), lines.join(&b'\n'), now()).await;
    pushed.expect("a store").map(|pushed| {
        assert_eq!(pushed.feeds[0].outcome, "append");
    })
}

#[tokio::test]
async fn of_one_member_so_many_records_are_kept_and_what_is_taken_back_is_always_taken() {
    let (_dir, hub) = harbour(of_member(1 << 30, 3));
    let (mut north, mut south) = (Origin::new(1), Origin::new(2));
    for origin in [&north, &south] {
        register(&hub, origin, Policy::Open, now())
            .await
            .expect("a member");
    }
    let delta = north.seal(&[Do::Put(1), Do::Put(2), Do::Put(3)]);
    push(&hub, &north, &delta).await.expect("three fit");
    // A fourth does not; with one taken back in the same delta it would.
    let fourth = north.seal(&[Do::Put(4)]);
    let refused = push(&hub, &north, &fourth).await.expect_err("a fourth");
    let over = PushRefused::OverQuota {
        counted: Counted::Records,
        limit: 3,
        used: 4,
    };
    assert_eq!(refused, over);
    let room = hub.room(north.id()).await.expect("a store");
    assert_eq!((room.records, room.quota.records), (3, 3));
    // Another member has room of its own.
    let delta = south.seal(&[Do::Put(1), Do::Put(2), Do::Put(3)]);
    push(&hub, &south, &delta).await.expect("three fit");
    let back = south.seal(&[Do::Retract(1)]);
    push(&hub, &south, &back).await.expect("less is taken");
    assert_eq!(hub.room(south.id()).await.expect("a store").records, 2);
    let fourth = south.seal(&[Do::Put(4)]);
    push(&hub, &south, &fourth).await.expect("three fit");
}

#[tokio::test]
async fn of_one_member_so_many_bytes_are_kept_and_taking_back_leads_out_of_too_many() {
    let (dir, hub) = harbour(StoreLimits::default());
    let mut north = Origin::new(1);
    register(&hub, &north, Policy::Open, now())
        .await
        .expect("a member");
    let delta = north.seal(&(1..=20).map(Do::Put).collect::<Vec<_>>());
    push(&hub, &north, &delta).await.expect("it fits");
    let used = hub.room(north.id()).await.expect("a store").bytes;
    assert!(used > 20 * 500, "{used}");
    drop(hub);

    // The operator lowers the quota below what is there.
    let relay = Relay::open(&dir.path().join("hub.db"), LogId([5; 16])).expect("it opens");
    let hub = SqliteHub::new(relay).with_limits(of_member(used - 1, 1_000));
    let back = north.seal(&[Do::Retract(1)]);
    push(&hub, &north, &back).await.expect("less is taken");
    let more = north.seal(&[Do::Put(21), Do::Put(22), Do::Put(23)]);
    match push(&hub, &north, &more).await.expect_err("more") {
        PushRefused::OverQuota {
            counted,
            limit,
            used: there_would_be,
        } => {
            assert_eq!((counted, limit), (Counted::Bytes, used - 1));
            assert!(there_would_be > limit);
        }
        other => panic!("{other:?}"),
    }
    // Nothing of it was kept.
    assert_eq!(hub.room(north.id()).await.expect("a store").records, 19);
}

#[tokio::test]
async fn so_many_wait_and_who_never_asked_again_makes_room_after_a_week() {
    let limits = StoreLimits {
        waiting: 3,
        ..StoreLimits::default()
    };
    let (_dir, hub) = harbour(limits);
    let origins: Vec<Origin> = (1..=6).map(Origin::new).collect();
    let at = |days: i64| now().plus_ms(days * DAY_MS);
    for (days, origin) in (0..).zip(&origins[..3]) {
        let standings = register(&hub, origin, Policy::Approval, at(days)).await;
        assert_eq!(standings.expect("room").standing, Standing::Waiting);
    }
    // The first of them is a node that tries every hour.
    hub.asked(origins[0].id(), at(3)).await.expect("a store");

    let full = Err(RegisterRefused::QueueFull(3));
    assert_eq!(
        register(&hub, &origins[3], Policy::Approval, at(6)).await,
        full
    );
    // Whoever waits may come again with another card.
    register(&hub, &origins[1], Policy::Approval, at(6))
        .await
        .expect("it is known");
    assert_eq!(hub.let_go().await.expect("a store"), 0);

    // On the eighth day the second makes room, and not the first.
    register(&hub, &origins[3], Policy::Approval, at(8))
        .await
        .expect("room");
    let standing = |index: usize| hub.standing(origins[index].id(), at(8));
    assert!(standing(0).await.expect("a store").is_some());
    assert_eq!(standing(1).await.expect("a store"), None);
    assert_eq!(hub.let_go().await.expect("a store"), 1);
    // Nobody else waits for a week, so the next one is told to come again.
    assert_eq!(
        register(&hub, &origins[4], Policy::Approval, at(8)).await,
        full
    );
    // Who made room registers like anybody, once there is some.
    hub.decide(origins[0].id(), wb_hub::Decision::Approve, at(9))
        .await
        .expect("a store");
    register(&hub, &origins[1], Policy::Approval, at(9))
        .await
        .expect("room");
    let standings = hub.standings(at(9)).await.expect("a store");
    assert_eq!((standings["waiting"], standings["member"]), (3, 1));
    // At an open hub nobody waits.
    register(&hub, &origins[5], Policy::Open, at(9))
        .await
        .expect("a member");
}

#[tokio::test]
async fn a_member_is_found_by_name_and_by_the_start_of_its_id_among_many() {
    let (_dir, hub) = harbour(StoreLimits::default());
    let origins: Vec<Origin> = (1..=20).map(Origin::new).collect();
    for origin in &origins {
        register(&hub, origin, Policy::Open, now())
            .await
            .expect("a member");
    }
    let (id, name) = (origins[7].id().to_string(), origins[7].id().short());
    let by_name = hub.find(name, None, 3, now()).await.expect("a store");
    let by_id = hub
        .find("nobody".to_owned(), Some(id[..12].to_owned()), 3, now())
        .await;
    let by_id = by_id.expect("a store");
    assert_eq!((by_name.len(), by_name[0].id), (1, origins[7].id()));
    assert_eq!((by_id.len(), by_id[0].id), (1, origins[7].id()));
    assert!(
        hub.find("no".to_owned(), None, 3, now())
            .await
            .expect("a store")
            .is_empty()
    );
}
