//! What follows from a hub's notices is the same in PostgreSQL as in an SQLite file, step by step: who is left out, in
//! no list or let in again, which line is handed to nobody, and what a follower is given meanwhile.

use std::collections::BTreeMap;

use wb_core::bundle::Writer;
use wb_core::id::{Hash, InstanceId, RecordRef};
use wb_core::kinds::Subject;
use wb_core::scope::FeedScope;
use wb_core::sync::{Cursor, FollowList, Policy, Visibility};
use wb_hub::{HubListings, HubNotices as _, HubStore, Registering, SnapshotAsk, SqliteHub};
use wb_store::relay::Relay;

use crate::origin::{Do, Origin, Sealed, now};
use crate::server::{database, hub, log_id};

/// What the hub decides, one after the other: a word, whose record (0: the member itself), and whether only the line
/// that is live now. `put` and `take back` are what the member does in between.
const STEPS: [(&str, u64, bool); 16] = [
    ("withhold", 1, false),
    ("put", 1, false),
    ("reinstate", 1, false),
    ("withhold", 2, true),
    ("put", 2, false),
    ("withhold", 3, false),
    ("take back", 3, false),
    ("delist", 0, false),
    ("put", 4, false),
    ("reinstate", 0, false),
    ("put", 5, false),
    ("suspend", 0, false),
    ("reinstate", 0, false),
    ("revoke", 0, false),
    ("reinstate", 0, false),
    ("put", 1, false),
];

fn body(id: InstanceId, delta: &Sealed) -> Vec<u8> {
    let count = delta.items.len() as u64;
    let mut lines = vec![Writer::deltas(id, FeedScope::Public, 1, count)];
    lines.extend(delta.lines());
    lines.join(&b'\n')
}

fn registering(origin: &Origin, listed: bool) -> Registering {
    Registering {
        identity: origin.identity.clone(),
        name: "Elm".to_owned(),
        card: origin.card(),
        visibility: Visibility::of_listed(listed),
        code: None,
        counter: 1,
    }
}

fn notice(
    own: &mut Origin,
    n: u64,
    act: &str,
    subject: InstanceId,
    record: &str,
    line: &str,
) -> Sealed {
    let body = format!(
        r#"{{"act":"{act}","subject":"{subject}"{record}{line},"n":{n},"reason":"a test","issued_at":"{}"}}"#,
        now()
    );
    own.seal_bodies(&[(n, "notice", body)])
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_heeded_alike() {
    let dir = tempfile::tempdir().expect("a folder");
    let (url, log) = database();
    let relay = Relay::open(&dir.path().join("hub.db"), log_id(log)).expect("a new file");
    let (sqlite, pg) = (SqliteHub::new(relay), hub(&url, log));
    let (mut own, mut north, west, east) = (
        Origin::new(90),
        Origin::new(1),
        Origin::new(2),
        Origin::new(3),
    );
    // West follows everybody that is listed, East follows North by its id.
    let mut by_id = FollowList {
        counter: 1,
        ..FollowList::default()
    };
    by_id.add(north.id());
    let everybody = FollowList {
        counter: 1,
        all: true,
        ..FollowList::default()
    };
    for (member, list) in [
        (&north, None),
        (&west, Some(everybody)),
        (&east, Some(by_id)),
    ] {
        for done in [
            sqlite
                .register(registering(member, true), Policy::Open, now())
                .await,
            pg.register(registering(member, true), Policy::Open, now())
                .await,
        ] {
            done.expect("a store").expect("it is new");
        }
        if let Some(list) = list {
            sqlite
                .put_follows(member.id(), list.clone())
                .await
                .expect("a store")
                .expect("newer");
            pg.put_follows(member.id(), list)
                .await
                .expect("a store")
                .expect("newer");
        }
    }
    let start: Vec<Do> = (1..=5).map(Do::Put).collect();
    let mut deltas = vec![north.seal(&start)];
    let (mut n, mut at) = (0, [Cursor::new(log_id(log), 0, &Hash([0; 32])); 2]);
    let mut said = std::collections::BTreeSet::new();
    // Snapshots of North by what each hub said that they were made from.
    let mut stamps: [BTreeMap<String, String>; 2] = Default::default();
    for (step, (act, record, only)) in (0..).zip(STEPS) {
        match act {
            "put" => deltas.push(north.seal(&[Do::Put(record)])),
            "take back" => deltas.push(north.seal(&[Do::Retract(record)])),
            _ => {}
        }
        for delta in deltas.drain(..) {
            let sqlite = sqlite
                .push(north.id(), body(north.id(), &delta), now())
                .await;
            let pg = pg.push(north.id(), body(north.id(), &delta), now()).await;
            assert_eq!(
                sqlite.expect("a store"),
                pg.expect("a store"),
                "{step}: {act}"
            );
        }
        if !matches!(act, "put" | "take back") {
            n += 1;
            let id = north.record(record);
            let about = if record == 0 {
                String::new()
            } else {
                format!(r#","record":"{id}""#)
            };
            let line = wb_core::feed::FeedView::live(&north, &id).expect("it never fails");
            let line = line
                .filter(|_| only)
                .map(|live| format!(r#","line":"{}""#, live.line_hash));
            let sealed = notice(
                &mut own,
                n,
                act,
                north.id(),
                &about,
                &line.unwrap_or_default(),
            );
            let page = vec![body(own.id(), &sealed)];
            let hub = registering(&own, false);
            let sqlite = sqlite.carry(hub.clone(), page.clone(), now()).await;
            let pg = pg.carry(hub, page, now()).await;
            assert_eq!(sqlite.expect("a store"), Ok(()), "{step}: {act}");
            assert_eq!(pg.expect("a store"), Ok(()), "{step}: {act}");
        }
        let readers = [&west, &east];
        let (one, other) = (
            told(&sqlite, &north, readers, at).await,
            told(&pg, &north, readers, at).await,
        );
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "{step}: {act} {record}");
        }
        for (known, stamped) in stamps
            .iter_mut()
            .zip([stamped(&sqlite, &north).await, stamped(&pg, &north).await])
        {
            let (Some(stamp), snapshot) = stamped else {
                continue;
            };
            let first = known.entry(stamp).or_insert_with(|| snapshot.clone());
            assert_eq!(
                *first, snapshot,
                "{step}: {act} {record}: another page under one stamp"
            );
        }
        said.extend(one.into_iter().map(|told| told.len()));
        for (reader, at) in readers.into_iter().zip(&mut at) {
            *at = sqlite
                .heads(reader.id(), None, now())
                .await
                .expect("a store")
                .cursor;
        }
    }
    assert!(said.len() > 20, "what they said differed from step to step");
}

fn first_page(north: &Origin) -> SnapshotAsk {
    SnapshotAsk {
        origin: north.id(),
        scope: FeedScope::Public,
        head: None,
        after: None,
        kinds: None,
    }
}

/// The stamp of North's snapshot, and after it the snapshot.
async fn stamped<S: HubStore>(hub: &S, north: &Origin) -> (Option<String>, String) {
    let stamp = hub.snapshot_stamp(north.id(), FeedScope::Public, now());
    let stamp = stamp.await.expect("a store").map(|stamp| stamp.text);
    let page = hub.snapshot(first_page(north), now()).await;
    let page = page.expect("a store");
    let text = page.map(|page| String::from_utf8(page).expect("text"));
    (stamp, format!("{text:?}"))
}

/// Everything that a notice could change, as text.
async fn told<S: HubStore + HubListings>(
    hub: &S,
    north: &Origin,
    readers: [&Origin; 2],
    at: [Cursor; 2],
) -> Vec<String> {
    let text = |body: Vec<u8>| String::from_utf8(body).expect("text");
    let mut told = Vec::new();
    for (reader, at) in readers.into_iter().zip(at) {
        let page = hub.changes(reader.id(), at, now()).await.expect("a store");
        told.push(format!("{:?}", page.map(|page| text(page.body))));
        told.push(format!("{:?}", hub.heads(reader.id(), None, now()).await));
    }
    told.push(format!("{:?}", hub.notices(now()).await));
    told.push(format!("{:?}", hub.notices_about(north.id(), now()).await));
    told.push(format!("{:?}", hub.member(north.id(), now()).await));
    told.push(format!("{:?}", hub.standings(now()).await));
    told.push(format!("{:?}", hub.directory(None, 9, now()).await));
    told.push(format!("{:?}", hub.communities(None, 9, now()).await));
    told.push(format!("{:?}", hub.watched(now()).await));
    let own = hub.own(north.id(), FeedScope::Public, None).await;
    told.push(format!("{:?}", own.expect("a store").map(text)));
    let snapshot = hub
        .snapshot(first_page(north), now())
        .await
        .expect("a store");
    told.push(format!("{:?}", snapshot.map(text)));
    let whole = Subject::Instance(north.id());
    told.push(format!("{:?}", hub.effect(whole, now()).await));
    for record in 1..=5 {
        let key = RecordRef {
            origin: north.id(),
            id: north.record(record),
        };
        told.push(format!(
            "{:?}",
            hub.effect(Subject::Record(key), now()).await
        ));
        told.push(format!("{:?}", hub.request(key, now()).await));
    }
    told
}
