//! Names and addresses, over a network that the test makes up below the filter.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wb_net::network::{Answer, Network, Stream};
use wb_net::{Base, BodyLimit, Connection, NetError, Outgoing, Reach};

use crate::support::{Served, connection_to, within};

/// Names lead to what the test says; nothing accepts a connection, but what was tried is known.
#[derive(Default)]
struct MadeUp {
    addresses: Vec<&'static str>,
    /// An address that never answers.
    dead: Option<&'static str>,
    tried: Mutex<Vec<String>>,
}

impl Network for MadeUp {
    fn resolve<'a>(&'a self, _name: &'a str, port: u16) -> Answer<'a, Vec<SocketAddr>> {
        let with_port = |text: &&str| SocketAddr::new(text.parse().expect("an address"), port);
        let addresses = self.addresses.iter().map(with_port).collect();
        Box::pin(async { Ok(addresses) })
    }

    fn connect(&self, address: SocketAddr) -> Answer<'_, Box<dyn Stream>> {
        let mut tried = self.tried.lock().expect("one thread");
        tried.push(address.to_string());
        let is_dead = self
            .dead
            .is_some_and(|dead| dead == address.ip().to_string());
        Box::pin(async move {
            if is_dead {
                std::future::pending::<()>().await;
            }
            // A refusal takes a moment, so an address that has no time left is told from one that has.
            tokio::time::sleep(Duration::from_millis(1)).await;
            Err(io::ErrorKind::ConnectionRefused.into())
        })
    }
}

async fn send_over(network: &Arc<MadeUp>, base: &str, reach: Reach) -> NetError {
    let base = Base::parse(base).expect("an address");
    let mut connection =
        Connection::new(base, reach).with_network(Arc::clone(network) as Arc<dyn Network>);
    within(connection.send(Outgoing::get("/"), BodyLimit::default()))
        .await
        .expect_err("nothing answers here")
}

fn tried(network: &MadeUp) -> Vec<String> {
    network.tried.lock().expect("one thread").clone()
}

#[tokio::test]
async fn a_name_cannot_point_inside() {
    for inside in [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
    ] {
        let network = Arc::new(MadeUp {
            addresses: vec![inside],
            ..MadeUp::default()
        });
        let error = send_over(&network, "http://hub.example.org", Reach::Global).await;
        assert!(
            matches!(&error, NetError::NotGlobal { host, address }
                if host == "hub.example.org" && address.to_string() == inside),
            "{error}"
        );
        assert_eq!(error.cause(), "unreachable");
        assert!(tried(&network).is_empty(), "nothing was connected to");

        let error = send_over(&network, "http://hub.example.org", Reach::Lan).await;
        assert!(matches!(error, NetError::Connect { .. }), "{error}");
        assert_eq!(tried(&network).len(), 1, "on purpose it is");
    }
}

#[tokio::test]
async fn an_address_written_out_is_judged_too() {
    let network = Arc::new(MadeUp::default());
    let error = send_over(&network, "http://192.168.1.20:8100", Reach::Global).await;
    assert!(matches!(error, NetError::NotGlobal { .. }), "{error}");
    assert!(tried(&network).is_empty());
}

#[tokio::test]
async fn of_a_mixed_name_only_the_public_addresses_are_tried() {
    let network = Arc::new(MadeUp {
        addresses: vec!["10.0.0.1", "93.184.215.14", "::1", "2606:4700::1111"],
        ..MadeUp::default()
    });
    let error = send_over(&network, "https://hub.example.org", Reach::Global).await;
    assert!(matches!(error, NetError::Connect { .. }), "{error}");
    assert_eq!(
        tried(&network),
        ["93.184.215.14:443", "[2606:4700::1111]:443"]
    );
}

#[tokio::test]
async fn a_name_without_an_address_and_one_with_too_many() {
    let network = Arc::new(MadeUp::default());
    let error = send_over(&network, "http://hub.example.org", Reach::Lan).await;
    assert!(matches!(error, NetError::Resolve { .. }), "{error}");

    let network = Arc::new(MadeUp {
        addresses: vec!["93.184.215.14"; 100],
        ..MadeUp::default()
    });
    send_over(&network, "http://hub.example.org", Reach::Global).await;
    assert_eq!(tried(&network).len(), 4);
}

/// Time is paused here: it passes when everything waits, so the share of the dead address ends.
#[tokio::test(start_paused = true)]
async fn a_dead_address_does_not_take_the_time_of_the_next() {
    let network = Arc::new(MadeUp {
        addresses: vec!["93.184.215.14", "93.184.215.15"],
        dead: Some("93.184.215.14"),
        ..MadeUp::default()
    });
    let error = send_over(&network, "http://hub.example.org", Reach::Global).await;
    assert!(matches!(error, NetError::Connect { .. }), "{error}");
    assert_eq!(tried(&network), ["93.184.215.14:80", "93.184.215.15:80"]);

    let network = Arc::new(MadeUp {
        addresses: vec!["93.184.215.14"],
        dead: Some("93.184.215.14"),
        ..MadeUp::default()
    });
    let error = send_over(&network, "http://hub.example.org", Reach::Global).await;
    assert!(matches!(error, NetError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn this_machine_by_name_needs_the_switch() {
    let router = axum::Router::new().route("/", axum::routing::get(|| async { "here" }));
    let served = Served::new(router, wb_net::ServerLimits::default()).await;
    let base = Base::parse(&format!("http://localhost:{}", served.address.port())).expect("a base");

    let mut global = Connection::new(base.clone(), Reach::Global);
    let refused = within(global.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert!(
        matches!(refused, Err(NetError::NotGlobal { .. })),
        "{refused:?}"
    );
    assert_eq!(global.traffic().sent, 0);

    let mut lan = Connection::new(base, Reach::Lan);
    let answer = within(lan.send(Outgoing::get("/"), BodyLimit::default())).await;
    assert_eq!(answer.expect("allowed").body, b"here");
    within(served.stop()).await;
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable() {
    let (listener, address) = crate::support::listen().await;
    drop(listener);
    let sent = within(connection_to(address).send(Outgoing::get("/"), BodyLimit::default())).await;
    let error = sent.expect_err("nobody listens");
    assert!(matches!(error, NetError::Connect { .. }), "{error}");
    assert_eq!(error.cause(), "unreachable");
}
