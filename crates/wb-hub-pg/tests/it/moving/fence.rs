//! Whoever comes too late writes nothing, whoever came before is waited for, and what was begun is no hub.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::NoTls;
use wb_core::receipt::Receipt;
use wb_core::sync::{Policy, Visibility};
use wb_hub::{HubStore as _, Registering};
use wb_hub_pg::moving::{PgFilling, PgSource, Place, look};
use wb_hub_pg::{PgError, PgHub};
use wb_store::StoreError;
use wb_store::relay::Relay;

use super::{LOOKS, OWN, REST};
use crate::origin::{Origin, now};
use crate::server::{database, log_id};

/// The same database for a hub whose connections a mover does not see: a process that was forgotten somewhere.
fn unseen(url: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}application_name=forgotten")
}

fn hub(url: &str) -> PgHub {
    PgHub::new(&url.parse().expect("an address"), log_id(1)).expect("a hub")
}

fn registering(origin: &Origin, counter: u64) -> Registering {
    Registering {
        identity: origin.identity.clone(),
        name: "Elm".to_owned(),
        card: origin.card(),
        visibility: Visibility::Public,
        code: None,
        counter,
    }
}

/// What a hub does that writes, each in its own way.
async fn writes(hub: &PgHub, origin: &Origin) -> Vec<(&'static str, bool)> {
    let id = origin.id();
    let receipts: Vec<(Receipt, Vec<u8>)> = Vec::new();
    vec![
        (
            "register",
            hub.register(registering(origin, 2), Policy::Open, now())
                .await
                .is_ok(),
        ),
        ("push", hub.push(id, Vec::new(), now()).await.is_ok()),
        ("receipts", hub.put_receipts(receipts, now()).await.is_ok()),
        (
            "envelopes",
            hub.envelopes_taken(id, Vec::new()).await.is_ok(),
        ),
        ("letters", hub.mail_taken(id, Vec::new()).await.is_ok()),
        ("forgetting", hub.forget_before(now()).await.is_ok()),
        ("tidying", hub.end_suspensions(now()).await.is_ok()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_forgotten_writes_nothing_more() {
    let (url, _) = database();
    let late = hub(&unseen(&url));
    let elm = Origin::new(1);
    late.register(registering(&elm, 1), Policy::Open, now())
        .await
        .expect("a store")
        .expect("new");
    late.claim(OWN).await.expect("its own");
    let address = url.parse().expect("an address");
    let held = PgSource::hold(&address, OWN, "elsewhere")
        .await
        .expect("nobody else");
    for (what, went_through) in writes(&late, &elm).await {
        assert!(!went_through, "{what} was written");
    }
    // Whoever starts it now, while it is moved, is told so.
    assert!(matches!(
        hub(&unseen(&url)).claim(OWN).await,
        Err(PgError::Moving)
    ));
    assert!(matches!(
        PgSource::hold(&address, OWN, "elsewhere").await,
        Err(PgError::Moving)
    ));
    held.stay().await.expect("it stays");
    for (what, went_through) in writes(&late, &elm).await {
        assert!(went_through, "{what} was refused");
    }
    let held = PgSource::hold(&address, OWN, "elsewhere")
        .await
        .expect("nobody else");
    held.leave().await.expect("it was left");
    for (what, went_through) in writes(&late, &elm).await {
        assert!(!went_through, "{what} was written");
    }
    assert!(
        matches!(hub(&unseen(&url)).claim(OWN).await, Err(PgError::Left(to)) if to == "elsewhere")
    );
    assert!(matches!(
        PgSource::hold(&address, OWN, "a third place").await,
        Err(PgError::Left(_))
    ));
    // For the same place it is begun again: whoever did it may have been interrupted.
    let held = PgSource::hold(&address, OWN, "elsewhere")
        .await
        .expect("the same place");
    held.stay().await.expect("it stays left");
    assert_eq!(
        look(&address).await.expect("a look"),
        Place::Left("elsewhere".to_owned())
    );
}

/// A command that opened the file before waits for whoever moves it, and then writes nothing that would be lost.
#[test]
fn nobody_writes_to_a_file_that_was_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("hub.db");
    let mut mover = Relay::open(&path, log_id(1)).expect("a new file");
    let mut late = Relay::open(&path, log_id(1)).expect("the file");
    mover
        .hold("elsewhere")
        .expect("nobody writes")
        .leave("elsewhere")
        .expect("it was left");
    assert!(matches!(late.write(), Err(StoreError::Left(to)) if to == "elsewhere"));
    assert!(matches!(
        late.hold("a third place"),
        Err(StoreError::Left(_))
    ));
    // Whoever moved it there may have been interrupted.
    assert!(late.hold("elsewhere").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_before_the_fence_is_waited_for() {
    let (url, _) = database();
    let address = url.parse().expect("an address");
    hub(&unseen(&url)).claim(OWN).await.expect("its own");
    let (mut client, connection) = tokio_postgres::connect(&url, NoTls)
        .await
        .expect("a connection");
    tokio::spawn(connection);
    // It asked, as every process does, and is slow to write.
    let slow = client.transaction().await.expect("a transaction");
    slow.query_one("SELECT needs FROM hub_schema", &[])
        .await
        .expect("a row");
    let hold = tokio::spawn(async move { PgSource::hold(&address, OWN, "elsewhere").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!hold.is_finished(), "it waits");
    slow.execute("UPDATE waiting SET let_go = 5", &[])
        .await
        .expect("it may");
    slow.commit().await.expect("it may");
    let held = hold.await.expect("it ends").expect("nobody else");
    let batches = wb_hub::moving::Rows::read(held.rows(), wb_hub::moving::Table::Relay);
    let row = tokio::task::spawn_blocking(move || batches.recv().expect("a batch").expect("a row"));
    let row = row.await.expect("read").remove(0);
    assert_eq!(
        row[5],
        wb_hub::moving::Value::Int(5),
        "what it wrote is carried"
    );
    held.stay().await.expect("it stays");
}

/// Whoever moved it was killed. A command that only uses a hub that is there finds it as well.
#[test]
fn after_a_move_that_was_killed_the_hub_is_where_it_was() {
    let (url, _) = database();
    let address = url.parse().expect("an address");
    let runtime = Runtime::new().expect("a runtime");
    runtime
        .block_on(hub(&unseen(&url)).claim(OWN))
        .expect("its own");
    let killed = Runtime::new().expect("a runtime");
    let source = killed
        .block_on(PgSource::hold(&address, OWN, "elsewhere"))
        .expect("nobody else");
    // Its connections end, and it does nothing more.
    let _killed = std::mem::ManuallyDrop::new(source);
    killed.shutdown_background();
    let leaving = Place::Leaving("elsewhere".to_owned());
    assert_eq!(runtime.block_on(look(&address)).expect("a look"), leaving);
    let unseen = unseen(&url).parse().expect("an address");
    let claimed = (0..LOOKS).find_map(|_| {
        let late = PgHub::existing(&unseen).expect("a hub");
        match runtime.block_on(late.claim(OWN)) {
            Err(PgError::Moving) => {
                std::thread::sleep(REST);
                None
            }
            claimed => Some(claimed),
        }
    });
    claimed
        .expect("its lock goes with its connection")
        .expect("it is there");
    assert!(matches!(
        runtime.block_on(look(&address)),
        Ok(Place::Hub { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_and_not_ended_is_no_hub_and_is_begun_again() {
    let (url, _) = database();
    let address = url.parse().expect("an address");
    let filling = PgFilling::begin(&address, OWN, "a file")
        .await
        .expect("empty");
    assert!(matches!(
        PgFilling::begin(&address, OWN, "a file").await,
        Err(PgError::Moving)
    ));
    filling.give_up().await.expect("given up");
    assert!(
        matches!(hub(&unseen(&url)).claim(OWN).await, Err(PgError::Unfinished(from)) if from == "a file")
    );
    assert!(matches!(
        PgSource::hold(&address, OWN, "x").await,
        Err(PgError::Unfinished(_))
    ));
    let again = PgFilling::begin(&address, OWN, "a file")
        .await
        .expect("it is begun again");
    again.give_up().await.expect("given up");
    // And a hub that is there is not filled.
    let (url, _) = database();
    let address = url.parse().expect("an address");
    hub(&unseen(&url)).claim(OWN).await.expect("its own");
    assert!(matches!(
        PgFilling::begin(&address, OWN, "a file").await,
        Err(PgError::NotEmpty)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_runs_is_not_moved() {
    let (url, _) = database();
    let address = url.parse().expect("an address");
    let running = hub(&url);
    running.claim(OWN).await.expect("its own");
    assert!(matches!(
        PgSource::hold(&address, OWN, "elsewhere").await,
        Err(PgError::InUse(_))
    ));
    running.check().await.expect("it goes on");
    assert!(matches!(
        PgSource::hold(
            &unseen(&url).parse().expect("an address"),
            wb_core::id::InstanceId([1; 32]),
            "x"
        )
        .await,
        Err(PgError::OfAnother(_))
    ));
}
