//! What is told of peers and exchanges: what a hub confirmed and what it lacks, what the last sync
//! brought, and by which road a record came.

use tempfile::TempDir;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::{
    FollowList, PeerCause, PeerEvent, PeerState, Role, Standing as Member, Standings,
};
use wb_core::want::Held;
use wb_node::command::init::{Init, init};
use wb_node::command::publish::publish;
use wb_node::command::record_share::record_unshare;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::request_edit::request_edit;
use wb_node::query::peers::{peer_view, peers};
use wb_node::query::status::status;
use wb_node::query::sync_log::{run, runs};
use wb_node::view::ConfirmedView;
use wb_node::{Actor, Node, NodeError, entropy};
use wb_store::{Home, Peer, Road, RunCounts, RunEnd, RunStart, Standing};

/// A node that is a member of a hub whose identity is that of another instance.
struct World {
    _dir: TempDir,
    node: Node,
    actor: Actor,
    hub: Peer,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let found = |name: &str| {
            let input = Init {
                name,
                admin: "alice",
                words_file: None,
            };
            let home = Home::new(dir.path().join(name));
            init(&home, &input).expect("an empty folder").node
        };
        let (node, harbour) = (found("North"), found("Harbour"));
        let now = entropy::now();
        let hub = Peer {
            id: harbour.own_id(),
            role: Role::Hub,
            address: "https://harbour.example".to_owned(),
            lan: false,
            name: "Harbour".to_owned(),
            follows: FollowList::default(),
            cursor: None,
            heads_at: None,
            acked: Vec::new(),
            paused: false,
            registered: Some(Standings {
                schema_version: 1,
                standing: Member::Member,
                reason: None,
                until: None,
                visibility: None,
            }),
            counter: 1,
            state: state(PeerEvent::Synced),
            first_seen: now,
            last_ok: None,
        };
        let actor = node.actor(None).expect("the founder");
        let mut world = Self {
            _dir: dir,
            node,
            actor,
            hub,
        };
        let mut store = wb_store::Store::open(world.node.store().home()).expect("a store");
        let write = store.write().expect("a transaction");
        write
            .put_identity(harbour.identity(), Standing::Waiting, now)
            .expect("a sound log");
        write.commit().expect("a commit");
        world.keep();
        world
    }

    fn keep(&mut self) {
        let hub = self.hub.clone();
        self.write(|write| write.put_peer(&hub));
    }

    fn write<T>(&self, work: impl FnOnce(&wb_store::Write<'_>) -> wb_store::Result<T>) -> T {
        let mut store = wb_store::Store::open(self.node.store().home()).expect("a store");
        let write = store.write().expect("a transaction");
        let done = work(&write).expect("what is written is sound");
        write.commit().expect("a commit");
        done
    }

    fn ask(&mut self, title: &str) -> RecordRef {
        let input = RequestAdd {
            title,
            description: "D",
            scope: Scope::Public,
        };
        let id = request_add(&mut self.node, &self.actor, &input).expect("a request");
        RecordRef {
            origin: self.node.own_id(),
            id,
        }
    }

    fn publish(&mut self) -> Held {
        publish(&mut self.node, &self.actor).expect("a sound plan");
        let own = self.node.own_id();
        let head = self.node.store().served().head(&own, FeedScope::Public);
        head.expect("a readable feed").expect("it was published")
    }

    fn confirmed(&self) -> ConfirmedView {
        let view = peer_view(&self.node, &self.hub).expect("a readable peer");
        view.confirmed
    }
}

fn state(event: PeerEvent) -> String {
    let mut state = PeerState::new(entropy::now());
    state.on(entropy::now(), event, 0);
    serde_json::to_string(&state).expect("it serialises")
}

#[test]
fn what_a_hub_has_is_what_it_confirmed() {
    let mut world = World::new();
    assert_eq!(world.confirmed(), ConfirmedView::default());
    let soup = world.ask("Soup");
    let ladder = world.ask("A ladder");
    let first = world.publish();
    // The card is in the feed as well. Nothing was confirmed, whatever was sent.
    let mut expected = ConfirmedView {
        lacks_records: 3,
        lacks_deltas: 1,
        ..ConfirmedView::default()
    };
    assert_eq!(world.confirmed(), expected);
    world.hub.acked = vec![first.clone()];
    expected = ConfirmedView {
        records: 3,
        deltas: 1,
        ..ConfirmedView::default()
    };
    assert_eq!(world.confirmed(), expected);

    // One revised twice, one taken back, one new: of the three confirmed, one is as it is now.
    for title in ["Soup for four", "Soup for five"] {
        request_edit(&world.node, &world.actor, &soup, Some(title), None).expect("an own request");
        world.publish();
    }
    world.ask("Chairs");
    record_unshare(&world.node, &world.actor, &ladder).expect("an own record");
    let last = world.publish();
    expected = ConfirmedView {
        records: 1,
        deltas: 1,
        lacks_records: 2,
        lacks_retracts: 1,
        lacks_deltas: 3,
        other_history: false,
    };
    assert_eq!(world.confirmed(), expected);
    world.hub.acked = vec![last];
    expected = ConfirmedView {
        records: 3,
        deltas: 4,
        ..ConfirmedView::default()
    };
    assert_eq!(world.confirmed(), expected);
}

#[test]
fn what_a_hub_confirmed_and_this_database_lacks_is_told() {
    let mut world = World::new();
    world.ask("Soup");
    let mut head = world.publish();
    head.seq += 7;
    world.hub.acked = vec![head];
    let confirmed = world.confirmed();
    assert!(confirmed.other_history, "{confirmed:?}");
    assert_eq!(confirmed.records, 0);
}

#[test]
fn a_hub_that_publishes_nothing_is_no_community_that_waits() {
    let world = World::new();
    let status = status(&world.node).expect("a readable store");
    assert!(status.instances.is_empty(), "{:?}", status.instances);
    let named: Vec<_> = status
        .peers
        .iter()
        .map(|peer| (peer.id, peer.cause))
        .collect();
    assert_eq!(named, [(world.hub.id, "synced")]);
}

#[test]
fn the_state_is_told_with_its_cause_and_what_to_do() {
    let mut world = World::new();
    world.hub.state = state(PeerEvent::Ended(PeerCause::Suspended, "noise".to_owned()));
    world.keep();
    let view = peers(&world.node).expect("readable peers").remove(0);
    assert_eq!((view.phase, view.cause), ("blocked", "suspended"));
    assert_eq!(view.sentence, "Harbour has suspended this instance");
    assert_eq!(view.detail.as_deref(), Some("noise"));
    // What cannot be read is as if it had never been synced with.
    world.hub.state = "of another version".to_owned();
    world.hub.name = " ".to_owned();
    let view = peer_view(&world.node, &world.hub).expect("a readable peer");
    assert_eq!(
        (view.cause, view.name),
        ("never_synced", world.hub.id.short())
    );
}

fn hub_run(world: &World, counts: RunCounts, end: Option<&str>) -> i64 {
    let at = entropy::now();
    world.write(|write| {
        let run_no = write.start_run(&RunStart {
            peer: Some(world.hub.id),
            road: Road::Hub,
            detail: &world.hub.address,
            at,
        })?;
        if let Some(outcome) = end {
            let cause = (outcome != "done").then_some("timeout");
            write.end_run(
                run_no,
                &RunEnd {
                    at,
                    outcome,
                    cause,
                    counts,
                },
            )?;
        }
        Ok(run_no)
    })
}

#[test]
fn what_the_last_sync_brought_is_told_with_its_run() {
    let mut world = World::new();
    let view = |world: &World| peer_view(&world.node, &world.hub).expect("a readable peer");
    assert_eq!(view(&world).taken, None);
    let counts = RunCounts {
        pulled_new: 5,
        deltas_in: 2,
        ..RunCounts::default()
    };
    let run_no = hub_run(&world, counts, Some("done"));
    let ended = world
        .node
        .store()
        .run(run_no)
        .expect("a run")
        .expect("it is kept");
    world.hub.last_ok = ended.ended_at;
    let taken = view(&world).taken.expect("it went well");
    assert_eq!((taken.run, taken.new, taken.deltas), (Some(run_no), 5, 2));
    // One that went well later and moved nothing leaves no run.
    world.hub.last_ok = ended.ended_at.map(|at| at.plus_ms(1));
    let taken = view(&world).taken.expect("it went well");
    assert_eq!((taken.run, taken.new), (None, 0));
}

#[test]
fn runs_are_told_with_how_they_ended() {
    let world = World::new();
    let counts = RunCounts {
        pushed_records: 2,
        ..RunCounts::default()
    };
    let done = hub_run(&world, counts, Some("done"));
    let failed = hub_run(&world, counts, Some("ended early"));
    let cut = hub_run(&world, counts, None);
    let told = |peer: Option<&InstanceId>| -> Vec<_> {
        let runs = runs(&world.node, 9, peer).expect("readable runs");
        runs.into_iter()
            .map(|run| (run.run, run.outcome, run.sentence))
            .collect()
    };
    let sentence = "Harbour did not answer in time".to_owned();
    let expected = [
        (cut, "cut off".to_owned(), None),
        (failed, "ended early".to_owned(), Some(sentence)),
        (done, "done".to_owned(), None),
    ];
    assert_eq!(told(None), expected);
    assert_eq!(told(Some(&world.hub.id)), expected);
    assert_eq!(told(Some(&world.node.own_id())), []);
    let lock = wb_node::command::sync::lock(&world.node).expect("nobody syncs");
    assert_eq!(told(None)[0].1, "runs");
    drop(lock);
    let (view, records) = run(&world.node, done).expect("a run");
    assert_eq!((view.name.as_str(), view.pushed.records), ("Harbour", 2));
    assert!(records.is_empty());
    let missing = run(&world.node, 99).expect_err("no such run");
    assert!(matches!(missing, NodeError::Unknown { what: "run", .. }));
}
