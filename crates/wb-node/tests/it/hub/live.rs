//! Waiting for changes, and syncing by itself.

use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use wb_core::id::InstanceId;
use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::{PeerCause, PeerState, Policy};
use wb_core::time::Timestamp;
use wb_hub::{ChangesPage, Decision};
use wb_node::command::sync::{SyncInput, Synced};
use wb_node::service::{AutoSync, auto_sync};
use wb_store::{Filter, Home};

use super::world::{BOTH_WAYS, HubUp, Member, titles};

/// Far beyond what anything here takes: a wait that nobody wakes ends without news.
const PATIENCE: Duration = Duration::from_secs(50);

#[test]
fn who_waits_is_woken_by_what_another_member_pushes() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    for member in [&mut north, &mut south] {
        member.sync(&hub);
    }
    // The first pull takes what came before; from then on there is nothing.
    south.sync(&hub);
    let (asked, id) = (hub.seam().listen(), hub.id());
    let (south, synced) = std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let input = SyncInput {
                push: false,
                wait: PATIENCE,
                ..BOTH_WAYS
            };
            let synced = south.sync_by_id(id, input);
            (south, synced)
        });
        asked.recv_timeout(PATIENCE).expect("South asks");
        north.ask("Just now", Scope::Public);
        north.sync(&hub);
        waiting.join().expect("South ends well")
    });
    assert_eq!(synced.end, None);
    // One to take it, one to say so.
    assert_eq!((synced.tally.deltas, synced.round_trips), (1, 2));
    assert_eq!(titles(&south), ["Just now"]);
}

#[test]
fn who_is_suspended_while_it_waits_is_told_so_and_is_given_nothing() {
    let (hub, mut north, mut south) = settled();
    let (asked, id, south_id) = (hub.seam().listen(), hub.id(), south.id());
    let (south, synced) = std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let input = SyncInput {
                push: false,
                wait: PATIENCE,
                ..BOTH_WAYS
            };
            let synced = south.sync_by_id(id, input);
            (south, synced)
        });
        asked.recv_timeout(PATIENCE).expect("South asks");
        let suspend = Decision::Suspend {
            reason: "too much noise".to_owned(),
            until: None,
        };
        hub.decide(south_id, suspend);
        north.ask("Not for South", Scope::Public);
        north.sync(&hub);
        waiting.join().expect("South ends well")
    });
    let (cause, detail) = synced.end.expect("it is suspended");
    assert_eq!(cause, PeerCause::Suspended);
    assert!(detail.contains("too much noise"), "{detail}");
    assert_eq!(titles(&south), Vec::<String>::new());
}

/// What is told of a sync.
struct Told {
    end: Option<PeerCause>,
    new: u64,
    state: PeerState,
}

impl Told {
    fn of(synced: &Synced) -> Self {
        Self {
            end: synced.end.as_ref().map(|(cause, _)| *cause),
            new: synced.tally.new,
            state: synced.state.clone(),
        }
    }
}

/// A node that syncs by itself on a thread of its own.
struct Auto {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    reports: Receiver<Told>,
}

impl Auto {
    fn start(home: Home, every: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (sender, reports) = channel();
        let settings = AutoSync {
            home,
            every: Some(every),
            kinds: None,
        };
        let thread = std::thread::spawn(move || {
            let report = |synced: &Synced| {
                // Who listens no more has heard enough.
                let _ = sender.send(Told::of(synced));
            };
            let trouble = |error: &wb_node::NodeError| panic!("{error}");
            auto_sync(&settings, stopped, &report, &trouble).expect("it runs");
        });
        Self {
            stop,
            thread: Some(thread),
            reports,
        }
    }

    fn next(&self) -> Told {
        self.reports.recv_timeout(PATIENCE).expect("a report")
    }

    /// The first report of which something holds.
    fn until(&self, holds: impl Fn(&Told) -> bool) -> Told {
        loop {
            let told = self.next();
            if holds(&told) {
                return told;
            }
        }
    }

    fn stop(mut self) {
        self.stop.send(true).expect("it runs");
        let thread = self.thread.take().expect("it was started");
        thread.join().expect("it stops when told to");
    }
}

impl Drop for Auto {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// North and South at a hub, South following North and nothing new.
fn settled() -> (HubUp, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    for member in [&mut north, &mut south] {
        member.sync(&hub);
    }
    south.sync(&hub);
    (hub, north, south)
}

#[test]
fn a_node_that_syncs_by_itself_pulls_at_once_what_the_hub_has_new_and_stops_when_told() {
    let (hub, mut north, south) = settled();
    let asked = hub.seam().listen();
    // Longer than this test: only what it waits for at the hub can wake it.
    let auto = Auto::start(south.home(), Duration::from_secs(3_600));
    assert_eq!(auto.next().end, None);
    for n in 1..=2 {
        // What a sync of its own asks comes before; a wait is what is asked after its report.
        while asked.try_recv().is_ok() {}
        asked.recv_timeout(PATIENCE).expect("it waits");
        north.ask(&format!("News {n}"), Scope::Public);
        assert_eq!(north.sync(&hub).end, None);
        let told = auto.until(|told| told.new > 0 || told.end.is_some());
        assert_eq!((told.end, told.new), (None, 1));
    }
    auto.stop();
    assert_eq!(titles(&south), ["News 1", "News 2"]);
}

#[test]
fn a_node_that_syncs_by_itself_leaves_a_dead_hub_alone_for_a_while_and_comes_back() {
    let (mut hub, mut north, mut south) = settled();
    hub.cut_off();
    let auto = Auto::start(south.home(), Duration::from_millis(300));
    let told = auto.next();
    assert_eq!(told.end, Some(PeerCause::Unreachable));
    assert!(
        told.state
            .next_try
            .is_some_and(|next| next > told.state.since)
    );
    assert!(told.state.failures >= 1);

    hub.up();
    north.ask("After the outage", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    // The time until then passes.
    south.edit_peer(&hub, |peer| {
        let mut state: PeerState = serde_json::from_str(&peer.state).expect("a state");
        state.next_try = None;
        peer.state = serde_json::to_string(&state).expect("a text");
    });
    let told = auto.until(|told| told.end.is_none());
    assert_eq!((told.new, told.state.failures), (1, 0));
    auto.stop();
    assert_eq!(titles(&south), ["After the outage"]);
}

#[test]
fn a_node_that_syncs_every_second_asks_once_a_round_and_not_all_the_time() {
    let (hub, _north, south) = settled();
    let before = hub.seam().asked_changes();
    // What is left of a round is less than the second that a hub could wait.
    let auto = Auto::start(south.home(), Duration::from_millis(900));
    for _ in 0..3 {
        assert_eq!(auto.next().end, None);
    }
    auto.stop();
    let asked = hub.seam().asked_changes() - before;
    assert!(asked <= 5, "{asked} questions in 3 rounds");
}

#[test]
fn a_hub_that_does_not_hold_its_answer_back_is_not_asked_all_the_time() {
    let (hub, _north, south) = settled();
    // It says at once that there is nothing, however long it was asked to wait.
    hub.seam().lie_in_changes(|page| ChangesPage {
        has_news: true,
        ..page
    });
    let before = hub.seam().asked_changes();
    let auto = Auto::start(south.home(), Duration::from_millis(2_500));
    for _ in 0..2 {
        assert_eq!(auto.next().end, None);
    }
    auto.stop();
    let asked = hub.seam().asked_changes() - before;
    assert!(asked <= 6, "{asked} questions in 2 rounds");
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Until when the newest header that a node holds of a public feed promises a newer one.
fn promised(member: &Member, origin: InstanceId) -> Option<Timestamp> {
    let validity = member.node.store().served().validity().expect("a store");
    validity[&(origin, FeedScope::Public)]
}

/// How often an instance syncs, as its card says at a node.
fn rhythm(member: &Member, origin: InstanceId) -> String {
    let filter = Filter {
        kind: Some("card".parse().expect("a kind")),
        origin: Some(origin),
        ..Filter::default()
    };
    let rows = member.node.store().records(&filter).expect("a store");
    let body = rows[0].body.as_deref().expect("it is here");
    let card: serde_json::Value = serde_json::from_str(body).expect("a body");
    card["sync"].to_string()
}

#[test]
fn a_node_that_syncs_by_itself_promises_to_be_heard_of_and_says_so_anew() {
    let (hub, mut north, mut south) = settled();
    north.ask("A ladder", Scope::Public);
    north.sync(&hub);
    south.sync(&hub);
    let (id, now) = (north.id(), north.node.now());
    assert_eq!(promised(&south, id), None, "it is synced by hand");
    let by_itself = |north: &Member| {
        let auto = Auto::start(north.home(), Duration::from_secs(1));
        for _ in 0..2 {
            assert_eq!(auto.next().end, None);
        }
        auto.stop();
    };
    by_itself(&north);
    south.sync(&hub);
    let first = promised(&south, id).expect("it is promised");
    assert!(first >= now.plus_ms(14 * DAY_MS), "{first}");
    assert_eq!(rhythm(&south, id), r#"{"every_hours":1}"#);
    // Somebody stops the program for a moment.
    north.ask("Another ladder", Scope::Public);
    north.sync(&hub);
    let synced = south.sync(&hub);
    assert_eq!((synced.tally.deltas, synced.tally.changed), (1, 0));
    assert!(promised(&south, id) > Some(first));

    // Nothing is written there any more, and half of the time is over.
    north.valid_until(id, now.plus_ms(6 * DAY_MS));
    by_itself(&north);
    let synced = south.sync(&hub);
    let tally = &synced.tally;
    assert_eq!((tally.deltas, tally.new, tally.changed), (1, 0, 0));
    assert!(promised(&south, id) >= Some(now.plus_ms(14 * DAY_MS)));
    // Once is enough.
    by_itself(&north);
    assert_eq!(south.sync(&hub).tally.deltas, 0);

    // The promise was broken; whoever publishes by hand then promises nothing.
    north.valid_until(id, now.plus_ms(-DAY_MS));
    north.sync(&hub);
    south.sync(&hub);
    assert_eq!(promised(&south, id), None);
    assert_eq!(rhythm(&south, id), r#"{"by_hand":true}"#);
    north.assert_sound();
}
