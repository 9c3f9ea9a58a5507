//! What a review by hand and by reading found in how marks, names and sealing go together. Each test
//! tells the story of one fault.

use std::path::Path;

use tempfile::TempDir;
use wb_core::entry::Reason;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Personalisation};
use wb_core::leave::{ProfileShares, Stays};
use wb_core::scope::{By, FeedScope, Scope};
use wb_node::command::comment_add::comment_add;
use wb_node::command::init::{Init, init};
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_node::command::publish::{publish, publish_retracts};
use wb_node::command::record_retract::record_retract;
use wb_node::command::record_share::{record_share, record_unshare};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::request_edit::request_edit;
use wb_node::command::retire::{Retirement, retire, retirement};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::plan::{plan, whole};
use wb_node::{Actor, Node, entropy};
use wb_store::{AudienceRow, Belongs, Home, NewLog, Role, Store};

/// An instance founded by alice, with a member bob whose profile is private.
struct World {
    dir: TempDir,
    node: Node,
    alice: Actor,
    bob: Actor,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("the world is sound");
        let home = Home::new(dir.path().join("north"));
        let input = Init {
            name: "North",
            admin: "alice",
            words_file: None,
        };
        let mut node = init(&home, &input).expect("the world is sound").node;
        let alice = node.actor(None).expect("the world is sound");
        let bob = UserAdd {
            handle: "bob",
            display_name: None,
            bio: None,
            role: Role::Member,
            email: None,
        };
        user_add(&mut node, &alice, &bob).expect("the world is sound");
        let bob = node.actor(Some("bob")).expect("the world is sound");
        Self {
            dir,
            node,
            alice,
            bob,
        }
    }

    fn home(&self) -> &Path {
        self.node.store().home().dir()
    }

    fn key(&self, id: RecordId) -> RecordRef {
        RecordRef {
            origin: self.node.own_id(),
            id,
        }
    }

    fn ask(&mut self, actor: &Actor) -> RecordRef {
        let input = RequestAdd {
            title: "A ladder",
            description: "Ours is too short.",
            scope: Scope::Public,
        };
        let id = request_add(&mut self.node, actor, &input).expect("the world is sound");
        self.key(id)
    }

    fn publish(&mut self) {
        let alice = self.alice.clone();
        publish(&mut self.node, &alice).expect("the world is sound");
    }

    /// The author that a record leaves, or left, with.
    fn by(&self, id: RecordId) -> Option<By> {
        self.node
            .store()
            .local(&id)
            .expect("the world is sound")
            .expect("the world is sound")
            .left_by
    }
}

/// `request edit` and `publish` at the same time: the edit read the record before it was sealed and
/// wrote its revision back as 0, and from then on every publish was refused for ever.
#[test]
fn a_change_that_was_begun_before_a_publish_does_not_undo_what_it_noted() {
    let mut world = World::new();
    let alice = world.alice.clone();
    let request = world.ask(&alice);
    let stale = world.node.store().local(&request.id).unwrap().unwrap();
    world.publish();
    let mut other = Store::open(&Home::new(world.home())).unwrap();
    let write = other.write().unwrap();
    write.put_local(&stale).unwrap();
    write.commit().unwrap();
    let after = world.node.store().local(&request.id).unwrap().unwrap();
    assert_eq!((after.rev, after.left_by.is_some()), (1, true));
    request_edit(&world.node, &alice, &request, Some("A long ladder"), None).unwrap();
    world.publish();
    assert_eq!(
        world.node.store().local(&request.id).unwrap().unwrap().rev,
        2
    );
}

/// Bob commented under a pseudonym and shared his profile later. Alice took her request back and shared
/// it again, and bob's comment came out under his name, on the same id as before: so everything he had
/// said under the pseudonym was his.
#[test]
fn a_name_given_later_does_not_join_what_was_said_under_a_pseudonym() {
    let mut world = World::new();
    let (alice, bob) = (world.alice.clone(), world.bob.clone());
    let request = world.ask(&alice);
    let comment = comment_add(
        &mut world.node,
        &bob,
        &request,
        "I have one.",
        Scope::Public,
    )
    .unwrap();
    world.publish();
    let first = world.by(comment);
    assert!(matches!(first, Some(By::Pseudonym(_))), "{first:?}");

    let profile = world.key(bob.user);
    record_share(&world.node, &bob, &profile, Scope::Public, None).unwrap();
    record_unshare(&world.node, &alice, &request).unwrap();
    world.publish();
    record_share(&world.node, &alice, &request, Scope::Public, None).unwrap();
    world.publish();
    assert_eq!(world.by(comment), first);

    // Also when bob marks it public once more, and when a steward narrows and lifts.
    let comment_key = world.key(comment);
    record_share(&world.node, &bob, &comment_key, Scope::Public, None).unwrap();
    world.publish();
    record_unshare(&world.node, &alice, &comment_key).unwrap();
    world.publish();
    record_share(&world.node, &alice, &comment_key, Scope::Public, None).unwrap();
    world.publish();
    assert_eq!(world.by(comment), first);
}

/// Who shared who invited them published the id of the inviter, who shared nothing.
#[test]
fn an_inviter_who_shares_nothing_is_not_named_by_whom_they_invited() {
    let world = World::new();
    let bob = world.bob.clone();
    let mut record = world.node.store().local(&bob.user).unwrap().unwrap();
    let Ok(Body::User(mut profile)) =
        Body::read(&record.kind, 1, world.node.own_id(), &record.body)
    else {
        panic!("a profile")
    };
    profile.inviter = Some(world.key(world.alice.user));
    record.body = serde_json::to_string(&profile).unwrap();
    let mut other = Store::open(&Home::new(world.home())).unwrap();
    let write = other.write().unwrap();
    write.put_local(&record).unwrap();
    write.commit().unwrap();
    let shares = ProfileShares {
        handle: true,
        inviter: true,
        ..ProfileShares::default()
    };
    record_share(
        &world.node,
        &bob,
        &world.key(bob.user),
        Scope::Public,
        Some(shares),
    )
    .unwrap();

    let alice_id = world.alice.user.to_string();
    let bodies = |world: &World| -> Vec<String> {
        let plan = plan(&world.node, entropy::now()).unwrap();
        plan.puts
            .iter()
            .map(|put| put.leaving.body().to_owned())
            .collect()
    };
    assert!(bodies(&world).iter().all(|body| !body.contains(&alice_id)));
    record_share(
        &world.node,
        &world.alice,
        &world.key(world.alice.user),
        Scope::Public,
        None,
    )
    .unwrap();
    assert!(bodies(&world).iter().any(|body| body.contains(&alice_id)));
}

/// One invite with long examples, marked public, kept the whole instance from publishing: its line was
/// longer than a line may be, and that showed only while sealing.
#[test]
fn a_record_that_is_too_long_stays_home_and_holds_up_nobody() {
    let mut world = World::new();
    let alice = world.alice.clone();
    let long = InviteCreate {
        personalisation: Some(Personalisation {
            examples: Some(vec!["€".repeat(15_000); 12]),
            ..Personalisation::default()
        }),
        ..InviteCreate::default()
    };
    assert!(invite_create(&mut world.node, &alice, &long).is_err());
    let huge = InviteCreate {
        max_uses: Some(9_007_199_254_740_993),
        ..InviteCreate::default()
    };
    assert!(invite_create(&mut world.node, &alice, &huge).is_err());

    // One that is there all the same, as a database moved over can hold it.
    let (invite, _) = invite_create(&mut world.node, &alice, &InviteCreate::default()).unwrap();
    let mut record = world.node.store().local(&invite).unwrap().unwrap();
    let Ok(Body::Invite(mut body)) = Body::read(&record.kind, 1, world.node.own_id(), &record.body)
    else {
        panic!("an invite")
    };
    body.personalisation = long.personalisation;
    record.body = serde_json::to_string(&body).unwrap();
    record.scope = Scope::Public;
    let mut other = Store::open(&Home::new(world.home())).unwrap();
    let write = other.write().unwrap();
    write.put_local(&record).unwrap();
    write.commit().unwrap();
    let request = world.ask(&alice);
    let now = whole(&world.node, entropy::now()).unwrap();
    let why = now
        .stays
        .iter()
        .find(|stay| stay.id == invite)
        .map(|stay| stay.cause);
    assert_eq!(why, Some(Stays::BodyUnfit));
    world.publish();
    assert_eq!(world.node.store().sealed(&request.id).unwrap().len(), 1);
    assert!(world.dir.path().exists());
}

impl World {
    fn take_back(&mut self, record: &RecordRef) -> (u64, u64) {
        let alice = self.alice.clone();
        record_retract(&self.node, &alice, record, Reason::Erase).expect("it is erased");
        let sealed = publish_retracts(&mut self.node, &alice).expect("it is sealed");
        (sealed.puts, sealed.retracts)
    }

    fn feeds_of(&self, record: &RecordRef) -> Vec<FeedScope> {
        let sealed = self.node.store().sealed(&record.id).expect("a store");
        sealed.iter().map(|line| line.scope).collect()
    }
}

/// Taking one record back sealed half of a move of another: it left the trusted feed, and was in none until somebody
/// published. And a new log of one feed let everything leave that was marked for the other.
#[test]
fn taking_one_record_back_seals_no_half_of_a_move_and_nothing_marked_for_another_feed() {
    let mut world = World::new();
    let alice = world.alice.clone();
    let mut other = Store::open(&Home::new(world.home())).unwrap();
    let write = other.write().unwrap();
    write
        .put_audience(&AudienceRow {
            member: InstanceId([9; 32]),
            belongs: Belongs::In,
            since: None,
            added_at: entropy::now(),
            sealing_key: "age1nobody".to_owned(),
            era: 0,
            rekeyed_at: None,
            whole: false,
            held: None,
            held_at: None,
            given: None,
            given_at: None,
            had: false,
            parting: None,
        })
        .unwrap();
    write.commit().unwrap();
    let (moves, first, second) = (world.ask(&alice), world.ask(&alice), world.ask(&alice));
    record_share(&world.node, &alice, &moves, Scope::TrustedPeers, None).unwrap();
    world.publish();
    assert_eq!(world.feeds_of(&moves), [FeedScope::TrustedPeers]);
    record_share(&world.node, &alice, &moves, Scope::Public, None).unwrap();
    let waits = world.ask(&alice);

    assert_eq!(world.take_back(&first), (0, 1));
    assert_eq!(world.feeds_of(&moves), [FeedScope::TrustedPeers]);
    let write = other.write().unwrap();
    write
        .due_new_log(
            FeedScope::TrustedPeers,
            NewLog::Follow,
            "test",
            entropy::now(),
        )
        .unwrap();
    write.commit().unwrap();
    assert_eq!(world.take_back(&second), (0, 1));
    assert_eq!(world.feeds_of(&waits), []);

    world.publish();
    assert_eq!(world.feeds_of(&moves), [FeedScope::Public]);
    assert_eq!(world.feeds_of(&waits), [FeedScope::Public]);
}

/// Past the date of `wb retire` taking one record back took everything back, and left the card out that says why.
#[test]
fn taking_one_record_back_closes_no_instance() {
    let mut world = World::new();
    let alice = world.alice.clone();
    let (taken, stays) = (world.ask(&alice), world.ask(&alice));
    world.publish();
    retire(&world.node, &alice, 0).unwrap();
    assert_eq!(world.take_back(&taken), (0, 1));
    assert_eq!(world.feeds_of(&stays), [FeedScope::Public]);
    assert!(matches!(
        retirement(&world.node).unwrap(),
        Retirement::Announced(_)
    ));
    world.publish();
    assert_eq!(world.feeds_of(&stays), []);
    assert!(matches!(
        retirement(&world.node).unwrap(),
        Retirement::Retired(_)
    ));
}

/// What a steward does with somebody's record stands in that one's own log, also when it is taken back for a reason.
#[test]
fn what_a_steward_takes_back_stands_in_the_log_of_its_author() {
    let mut world = World::new();
    let (alice, bob) = (world.alice.clone(), world.bob.clone());
    let asked = world.ask(&bob);
    record_retract(&world.node, &alice, &asked, Reason::Scope).unwrap();
    let rows = world.node.store().private();
    let rows = rows.audit_rows(Some(&bob.user), None, 100).unwrap();
    let about: Vec<&str> = rows
        .iter()
        .filter(|(_, row)| row.act == "record retract" && row.target == bob.user.to_string())
        .map(|(_, row)| row.detail.as_str())
        .collect();
    let detail = format!("request {}, reason scope", asked.id);
    assert_eq!(about, [detail]);
}
