//! Numbers of arrivals while writers commit out of order, of several processes, and where one ended too early.
//!
//! What is expected is counted here from what was pushed; nothing of it is asked of the code under test.

use std::time::Duration;

use tokio_postgres::{Client, NoTls};
use wb_core::bundle::Writer;
use wb_core::id::{Hash, InstanceId};
use wb_core::scope::FeedScope;
use wb_core::sync::{Arrival, ChangesSection, Cursor, FollowList, Policy, Visibility};
use wb_hub::{HubStore as _, Registering};
use wb_hub_pg::PgHub;

use crate::origin::{Do, Origin, Sealed, now};
use crate::server::{database, hub};

/// The number of the lock that holds a writer back.
const HELD_BACK: i64 = 7;

/// A connection of the test's own.
async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a server");
    tokio::spawn(connection);
    client
}

async fn register(hub: &PgHub, members: &[&Origin]) {
    for member in members {
        let registering = Registering {
            identity: member.identity.clone(),
            name: member.id().short(),
            card: member.card(),
            visibility: Visibility::Public,
            code: None,
            counter: 1,
        };
        let registered = hub.register(registering, Policy::Open, now()).await;
        registered.expect("a store").expect("it is new");
        let everybody = FollowList {
            counter: 1,
            all: true,
            ..FollowList::default()
        };
        let put = hub.put_follows(member.id(), everybody).await;
        put.expect("a store").expect("it is new");
    }
}

fn body(id: InstanceId, delta: &Sealed) -> Vec<u8> {
    let mut lines = vec![Writer::deltas(
        id,
        FeedScope::Public,
        1,
        delta.items.len() as u64,
    )];
    lines.extend(delta.lines());
    lines.join(&b'\n')
}

async fn push(hub: &PgHub, id: InstanceId, delta: &Sealed) -> Result<String, wb_hub::StoreProblem> {
    let pushed = hub.push(id, body(id, delta), now()).await?;
    Ok(pushed.expect("a good push").feeds[0].outcome.clone())
}

/// Reads on to the end: the hashes of the headers that came, and where that ends.
async fn read(hub: &PgHub, member: &Origin, since: Cursor) -> (Vec<Hash>, Cursor) {
    let (mut came, mut at) = (Vec::new(), since);
    loop {
        let page = hub.changes(member.id(), at, now()).await.expect("a store");
        let page = page.expect("a cursor of this hub");
        let mut lines = page.body.split(|byte| *byte == b'\n');
        let first = lines.next().expect("a first line");
        let section = ChangesSection::read(first).expect("a section");
        came.extend(lines.filter_map(header_hash));
        at = section.cursor;
        if !section.more {
            return (came, at);
        }
    }
}

/// The hash of a header line, worked out from its bytes; none for another line.
fn header_hash(line: &[u8]) -> Option<Hash> {
    let (header, unverified) = wb_core::feed::Header::read(line).ok()?;
    let body = wb_core::feed::Header::body_hash(unverified.payload());
    Some(wb_core::hash::header(header.prev.as_ref(), &body))
}

async fn start(hub: &PgHub, member: &Origin) -> Cursor {
    let heads = hub.heads(member.id(), None, now()).await.expect("a store");
    Cursor::new(heads.cursor.log, 0, &Hash([0; 32]))
}

/// Holds every writer of one member back that has done everything but commit.
async fn hold_back(url: &str, member: InstanceId) -> Client {
    let client = connect(url).await;
    let trigger = format!(
        "SELECT pg_advisory_lock({HELD_BACK});
         CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF EXISTS (SELECT 1 FROM members WHERE instance_no = NEW.instance_no AND id = '\\x{member}') THEN
             PERFORM pg_advisory_xact_lock({HELD_BACK});
           END IF;
           RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER hold_back AFTER INSERT ON arriving DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
           EXECUTE FUNCTION hold_back();"
    );
    client.batch_execute(&trigger).await.expect("a trigger");
    client
}

async fn waits(client: &Client) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    for _ in 0..600 {
        let row = client.query_one(waiting, &[]).await.expect("a count");
        if row.get::<_, i64>(0) > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the slow writer never came to its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_past_a_slow_writer_sees_it_later() {
    let (url, number) = database();
    let hub = hub(&url, number);
    let (mut north, mut south, west) = (Origin::new(1), Origin::new(2), Origin::new(3));
    register(&hub, &[&north, &south, &west]).await;
    let (_, before) = read(&hub, &west, start(&hub, &west).await).await;
    let (slow, quick) = (north.seal(&[Do::Put(1)]), south.seal(&[Do::Put(1)]));
    let later = south.seal(&[Do::Put(2)]);

    // The first writer has written everything and does not get to commit.
    let held = hold_back(&url, north.id()).await;
    let (writer, id, delta) = (hub.clone(), north.id(), slow.clone());
    let writing = tokio::spawn(async move { push(&writer, id, &delta).await });
    waits(&held).await;

    // Nobody waits for it, neither who writes nor who reads.
    for delta in [&quick, &later] {
        let pushed = push(&hub, south.id(), delta).await;
        assert_eq!(pushed.expect("a store"), "append");
    }
    let (came, passed) = read(&hub, &west, before).await;
    assert_eq!(came, [quick.read().hash, later.read().hash]);
    assert_eq!(passed.n, before.n + 2);

    let unlock = format!("SELECT pg_advisory_unlock({HELD_BACK})");
    held.batch_execute(&unlock).await.expect("it was held");
    assert_eq!(writing.await.expect("it ends").expect("a store"), "append");
    let (came, at) = read(&hub, &west, passed).await;
    assert_eq!(came, [slow.read().hash], "whoever passed it sees it");
    assert_eq!(at.n, before.n + 3);
    let expected = [
        (&quick, south.id()),
        (&later, south.id()),
        (&slow, north.id()),
    ];
    let running = expected.into_iter().fold(
        identities(&[&north, &south, &west]),
        |running, (delta, id)| Arrival::Delta.running(&running, &id, &delta.read().hash),
    );
    assert!(
        at.agrees(&running),
        "the running hash goes over all, in the order of their numbers"
    );
}

/// The running hash after the identity logs of members that registered in this order.
fn identities(members: &[&Origin]) -> Hash {
    members.iter().fold(Hash([0; 32]), |running, member| {
        let newest = member.identity.newest().hash;
        Arrival::Identity.running(&running, &member.id(), &newest)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_give_each_number_once() {
    const EACH: u64 = 10;
    let (url, number) = database();
    let hubs = [hub(&url, number), hub(&url, number + 100)];
    let west = Origin::new(9);
    let mut origins: Vec<Origin> = (1..=6).map(Origin::new).collect();
    register(&hubs[0], &[&west]).await;
    register(&hubs[1], &origins.iter().collect::<Vec<_>>()).await;
    let since = start(&hubs[1], &west).await;
    assert_eq!(since.log, start(&hubs[0], &west).await.log, "one relay log");

    let mut writing = tokio::task::JoinSet::new();
    let mut expected = Vec::new();
    for (place, origin) in origins.iter_mut().enumerate() {
        let deltas: Vec<Sealed> = (1..=EACH).map(|n| origin.seal(&[Do::Put(n)])).collect();
        expected.extend(deltas.iter().map(|delta| delta.read().hash));
        let (hubs, id) = (hubs.clone(), origin.id());
        writing.spawn(async move {
            for (n, delta) in deltas.iter().enumerate() {
                let hub = &hubs[(place + n) % 2];
                assert_eq!(push(hub, id, delta).await.expect("a store"), "append");
            }
        });
    }
    // Somebody reads meanwhile, at one process and at the other.
    let (mut came, mut at, mut looks) = (Vec::new(), since, 0);
    while !writing.is_empty() {
        if let Some(ended) = writing.try_join_next() {
            ended.expect("every push counts");
        }
        let page = read(&hubs[looks % 2], &west, at).await;
        came.extend(page.0);
        (at, looks) = (page.1, looks + 1);
    }
    let page = read(&hubs[0], &west, at).await;
    came.extend(page.0);
    let arrivals = 7 + 6 * EACH;
    assert_eq!(page.1.n, arrivals, "no number is missing");
    expected.sort_unstable();
    came.sort_unstable();
    assert_eq!(came, expected, "each came once");
}

/// A process that ends between both leaves a row, and whoever tidies gives it its number.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_left_without_a_number_gets_one() {
    let (url, number) = database();
    let hub = hub(&url, number);
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    register(&hub, &[&north, &west]).await;
    let (_, before) = read(&hub, &west, start(&hub, &west).await).await;
    let client = connect(&url).await;
    let broken = "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'it ends here'; END $$;
        CREATE TRIGGER broken BEFORE INSERT ON arrivals FOR EACH ROW EXECUTE FUNCTION broken();";
    client.batch_execute(broken).await.expect("a trigger");
    let delta = north.seal(&[Do::Put(1)]);
    push(&hub, north.id(), &delta)
        .await
        .expect_err("it got no number");
    client
        .batch_execute("DROP TRIGGER broken ON arrivals")
        .await
        .expect("it is there");

    assert_eq!(read(&hub, &west, before).await.0, []);
    hub.end_suspensions(now()).await.expect("a store");
    let (came, at) = read(&hub, &west, before).await;
    assert_eq!((came, at.n), (vec![delta.read().hash], before.n + 1));
    assert_eq!(
        push(&hub, north.id(), &delta).await.expect("a store"),
        "duplicate"
    );
    assert_eq!(read(&hub, &west, at).await.1, at, "nothing arrives twice");
}
