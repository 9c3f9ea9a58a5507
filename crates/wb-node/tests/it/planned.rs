//! A publish looks at what changed, and at what hangs on it: what would be published by that is what would be published from
//! everything, and nothing stays public because nobody looked.

use tempfile::TempDir;
use wb_core::entry::Reason;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::leave::{ProfileShares, Stays};
use wb_core::scope::{FeedScope, Scope};
use wb_node::command::comment_add::comment_add;
use wb_node::command::init::{Init, init};
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_node::command::publish::{publish, publish_retracts};
use wb_node::command::record_retract::record_retract;
use wb_node::command::record_share::{record_share, record_unshare};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::request_complete::request_complete;
use wb_node::command::request_edit::request_edit;
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::command::user_erase::user_erase;
use wb_node::plan::{Plan, disagreement, plan, whole};
use wb_node::{Actor, Node, entropy};
use wb_store::{AccountState, AudienceRow, Belongs, Home, Role};

const HISTORIES: u64 = 8;
const STEPS: usize = 40;
const MEMBERS: [&str; 3] = ["alice", "bob", "eve"];
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// An instance founded by alice, with the members bob and eve.
struct World {
    _dir: TempDir,
    node: Node,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let input = Init {
            name: "North",
            admin: "alice",
            words_file: None,
        };
        let home = Home::new(dir.path().join("north"));
        let mut node = init(&home, &input).expect("an empty folder").node;
        let alice = node.actor(None).expect("a founder");
        for handle in &MEMBERS[1..] {
            let user = UserAdd {
                handle,
                display_name: None,
                bio: None,
                role: Role::Member,
                email: None,
            };
            user_add(&mut node, &alice, &user).expect("a member");
        }
        Self { _dir: dir, node }
    }

    fn actor(&self, handle: &str) -> Actor {
        self.node.actor(Some(handle)).expect("a member")
    }

    fn key(&self, id: RecordId) -> RecordRef {
        let origin = self.node.own_id();
        RecordRef { origin, id }
    }

    fn ask(&mut self, handle: &str, scope: Scope) -> RecordRef {
        let actor = self.actor(handle);
        let input = RequestAdd {
            title: "A ladder",
            description: "Ours is too short.",
            scope,
        };
        let id = request_add(&mut self.node, &actor, &input).expect("a request");
        self.key(id)
    }

    fn comment(&mut self, handle: &str, request: &RecordRef, scope: Scope) -> RecordId {
        let actor = self.actor(handle);
        comment_add(&mut self.node, &actor, request, "Have mine.", scope).expect("a comment")
    }

    fn publish(&mut self) {
        let alice = self.actor("alice");
        publish(&mut self.node, &alice).expect("it seals");
    }

    /// Publishes until a publish has nothing to look at any more.
    fn settle(&mut self) {
        for _ in 0..3 {
            self.publish();
        }
    }

    fn plan(&self) -> Plan {
        plan(&self.node, self.node.now()).expect("a store")
    }

    fn taken_back(&self) -> Vec<RecordId> {
        self.plan()
            .retracts
            .iter()
            .map(|retract| retract.id)
            .collect()
    }

    /// Somebody is in the trusted audience, or nobody is.
    fn trust(&self, somebody: bool) {
        let write = self.node.store().write_in_sight().expect("a store");
        write
            .put_audience(&AudienceRow {
                member: InstanceId([9; 32]),
                belongs: if somebody {
                    Belongs::In
                } else {
                    Belongs::Unsure
                },
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
            .expect("a store");
        write.commit().expect("a store");
    }
}

#[test]
fn a_publish_looks_at_what_changed_alone() {
    let mut world = World::new();
    let requests: Vec<RecordRef> = (0..30).map(|_| world.ask("eve", Scope::Public)).collect();
    for request in &requests {
        world.comment("bob", request, Scope::Public);
        world.comment("bob", request, Scope::Private);
    }
    assert!(world.plan().looked_at() > 90, "all of it is new");
    world.settle();
    assert_eq!(world.plan().looked_at(), 0);
    let tally = world.plan().tally;
    assert!(
        tally.unchanged >= 60 && tally.stays[&Stays::ScopePrivate] >= 30,
        "{tally:?}"
    );

    // A request goes as far as it did, so what belongs to it is not looked at.
    let eve = world.actor("eve");
    request_edit(&world.node, &eve, &requests[3], Some("A long ladder"), None).expect("hers");
    let plan = world.plan();
    let puts: Vec<RecordId> = plan.puts.iter().map(|put| put.leaving.id()).collect();
    assert_eq!((plan.looked_at(), puts), (1, vec![requests[3].id]));
    assert_eq!(plan.tally.unchanged, tally.unchanged - 1);
    world.publish();
    assert_eq!(world.plan().looked_at(), 0);
    assert_eq!(world.plan().tally, tally);
}

#[test]
fn what_belongs_to_a_request_goes_home_with_it_though_nothing_happened_to_it() {
    let mut world = World::new();
    let (request, other) = (
        world.ask("eve", Scope::Public),
        world.ask("eve", Scope::Public),
    );
    let comments = [
        world.comment("bob", &request, Scope::Public),
        world.comment("eve", &request, Scope::Public),
    ];
    world.comment("bob", &other, Scope::Public);
    world.settle();
    record_unshare(&world.node, &world.actor("eve"), &request).expect("hers");
    let mut expected = vec![request.id, comments[0], comments[1]];
    expected.sort();
    assert_eq!(world.taken_back(), expected);
    // What is shared again comes back with what belongs to it.
    world.settle();
    assert_eq!(world.plan().looked_at(), 0);
    record_share(
        &world.node,
        &world.actor("eve"),
        &request,
        Scope::Public,
        None,
    )
    .expect("hers");
    assert_eq!(world.plan().puts.len(), 3);
}

#[test]
fn what_somebody_wrote_who_is_no_member_any_more_is_taken_back() {
    let mut world = World::new();
    let request = world.ask("alice", Scope::Public);
    let (hers, his) = (
        world.comment("eve", &request, Scope::Public),
        world.comment("bob", &request, Scope::Public),
    );
    world.settle();
    // The account alone: nothing of the main file is written.
    let private = world.node.store().private();
    let mut account = private.account("eve").expect("a store").expect("hers");
    account.state = AccountState::Pending;
    private.put_account(&account).expect("a store");
    assert_eq!(world.taken_back(), [hers]);
    account.state = AccountState::Approved;
    world
        .node
        .store()
        .private()
        .put_account(&account)
        .expect("a store");
    assert_eq!(world.taken_back(), []);

    user_erase(&world.node, &world.actor("alice"), "bob").expect("she is an admin");
    let plan = world.plan();
    let erased = plan
        .retracts
        .iter()
        .map(|retract| (retract.id, retract.reason));
    assert_eq!(erased.collect::<Vec<_>>(), [(his, Reason::Erase)]);
}

/// Nothing is written when an invite ends, and a clock may be set back.
#[test]
fn an_invite_that_ends_is_taken_back_at_that_time() {
    let mut world = World::new();
    let alice = world.actor("alice");
    let ends = world.node.now().plus_ms(DAY_MS / 2);
    let input = InviteCreate {
        expires_at: Some(ends),
        ..InviteCreate::default()
    };
    let (invite, _) = invite_create(&mut world.node, &alice, &input).expect("an invite");
    record_share(&world.node, &alice, &world.key(invite), Scope::Public, None).expect("hers");
    world.settle();
    let taken_back = |at| {
        let plan = plan(&world.node, at).expect("a store");
        plan.retracts
            .iter()
            .map(|retract| retract.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(taken_back(ends.plus_ms(-1)), []);
    assert_eq!(taken_back(ends), [invite]);
    assert_eq!(taken_back(world.node.now()), []);
}

#[test]
fn whom_this_instance_trusts_decides_about_everything_that_is_for_them() {
    let mut world = World::new();
    let (trusted, public) = (
        world.ask("eve", Scope::TrustedPeers),
        world.ask("eve", Scope::Public),
    );
    world.settle();
    let for_them = |world: &World| {
        let puts = world
            .plan()
            .puts
            .into_iter()
            .map(|put| (put.leaving.id(), put.leaving.scope()));
        puts.collect::<Vec<_>>()
    };
    assert_eq!(for_them(&world), []);
    world.trust(true);
    assert_eq!(for_them(&world), [(trusted.id, FeedScope::TrustedPeers)]);
    world.trust(false);
    assert_eq!(for_them(&world), []);
    assert!(!world.taken_back().contains(&public.id));
}

/// A publish that seals what is taken back alone leaves the rest for the next one.
#[test]
fn what_was_not_sealed_is_looked_at_again() {
    let mut world = World::new();
    let goes = world.ask("eve", Scope::Public);
    world.settle();
    let waits = world.ask("bob", Scope::Public);
    let alice = world.actor("alice");
    record_retract(&world.node, &world.actor("eve"), &goes, Reason::Mistake).expect("hers");
    publish_retracts(&mut world.node, &alice).expect("it seals");
    let puts: Vec<RecordId> = world
        .plan()
        .puts
        .iter()
        .map(|put| put.leaving.id())
        .collect();
    assert_eq!(puts, [waits.id]);
    assert_eq!(world.taken_back(), []);
}

/// A change that nothing marked must not keep public for long what should be taken back.
#[test]
fn once_a_day_everything_is_looked_at() {
    let mut world = World::new();
    world.ask("eve", Scope::Public);
    world.settle();
    assert_eq!(world.plan().looked_at(), 0);
    let next_day = world.node.now().plus_ms(DAY_MS);
    let everything = plan(&world.node, next_day).expect("a store").looked_at();
    let listed = whole(&world.node, next_day).expect("a store");
    assert_eq!(everything, listed.unchanged.len() + listed.stays.len());
}

/// Draws the next number below a bound (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).expect("below a usize")
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// One act of whoever may; what is refused changes nothing.
fn act(
    world: &mut World,
    dice: &mut Dice,
    requests: &mut Vec<RecordRef>,
    all: &mut Vec<RecordRef>,
) {
    const SCOPES: [Scope; 3] = [Scope::Private, Scope::TrustedPeers, Scope::Public];
    let handle = *dice.pick(&MEMBERS);
    let Ok(actor) = world.node.actor(Some(handle)) else {
        return;
    };
    let (scope, request, any) = (*dice.pick(&SCOPES), *dice.pick(requests), *dice.pick(all));
    let node = &mut world.node;
    match dice.below(15) {
        0 | 1 => {
            requests.push(world.ask(handle, scope));
            all.extend(requests.last());
        }
        2 | 3 => {
            let text = "Have mine.";
            if let Ok(id) = comment_add(node, &actor, &request, text, scope) {
                all.push(world.key(id));
            }
        }
        4 | 5 => drop(record_share(node, &actor, &any, scope, None)),
        6 => drop(record_unshare(node, &actor, &any)),
        7 => drop(record_retract(node, &actor, &any, Reason::Erase)),
        8 => drop(request_edit(node, &actor, &request, Some("Another"), None)),
        9 => drop(request_complete(node, &actor, &request, None)),
        10 => {
            let profile = world.key(actor.user);
            let shares = ProfileShares {
                handle: true,
                ..ProfileShares::default()
            };
            drop(record_share(
                &world.node,
                &actor,
                &profile,
                scope,
                Some(shares),
            ));
        }
        11 => {
            let input = InviteCreate {
                max_uses: Some(1 + dice.below(2) as u64),
                expires_at: Some(node.now().plus_ms(DAY_MS / 3)),
                ..InviteCreate::default()
            };
            let (id, _) = invite_create(node, &actor, &input).expect("an invite");
            all.push(world.key(id));
        }
        12 => world.trust(dice.below(2) == 0),
        13 if handle == "eve" && dice.below(4) == 0 => drop(user_erase(node, &actor, "eve")),
        13 => drop(publish_retracts(node, &actor)),
        _ => drop(publish(node, &actor)),
    }
}

#[test]
fn a_plan_from_what_changed_is_the_plan_of_everything_after_every_step() {
    for seed in 1..=HISTORIES {
        let (mut world, mut dice) = (World::new(), Dice(seed));
        let mut requests = vec![world.ask("alice", Scope::Public)];
        let mut all = requests.clone();
        for step in 0..STEPS {
            act(&mut world, &mut dice, &mut requests, &mut all);
            for later in [0, DAY_MS / 2, DAY_MS + 1] {
                let at = world.node.now().plus_ms(later);
                let differs = disagreement(&world.node, at).expect("a store");
                assert_eq!(differs, None, "seed {seed}, step {step}, {later} ms later");
            }
        }
        world.settle();
        assert_eq!(world.plan().looked_at(), 0, "seed {seed}");
    }
}
