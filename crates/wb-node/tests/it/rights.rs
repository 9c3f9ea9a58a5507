//! Erasing an account, where nobody sees it: cut off half-way, after a restore, and what others have of it.

use tempfile::TempDir;
use wb_core::entry::Reason;
use wb_core::id::{RecordId, RecordRef, Salt};
use wb_core::kinds::To;
use wb_core::leave::Life;
use wb_core::scope::{By, FeedScope, Scope};
use wb_node::command::init::{Init, init};
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_node::command::publish::publish;
use wb_node::command::record_retract::record_retract;
use wb_node::command::record_share::{record_share, record_unshare};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::request_complete::request_complete;
use wb_node::command::share_all::{answer, asked, share_all};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::command::user_erase::user_erase;
use wb_node::plan::plan;
use wb_node::query::member_data::member_data;
use wb_node::query::{request_status, users};
use wb_node::{Actor, Node};
use wb_store::{AccountState, AgreementAnswer, ErasedList, Home, Role};

/// An instance founded by alice, with a steward bob and a member eve.
struct World {
    _dir: TempDir,
    home: Home,
    node: Node,
    alice: Actor,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path().join("north"));
        let input = Init {
            name: "North",
            admin: "alice",
            words_file: None,
        };
        let mut node = init(&home, &input).expect("an empty folder").node;
        let alice = node.actor(None).expect("a founder");
        for (handle, role) in [("bob", Role::Steward), ("eve", Role::Member)] {
            let user = UserAdd {
                handle,
                display_name: None,
                bio: None,
                role,
                email: Some("somebody@mail.example"),
            };
            user_add(&mut node, &alice, &user).expect("a member");
        }
        Self {
            _dir: dir,
            home,
            node,
            alice,
        }
    }

    fn actor(&self, handle: &str) -> Actor {
        self.node.actor(Some(handle)).expect("a member")
    }

    fn ask(&mut self, handle: &str, scope: Scope) -> RecordRef {
        let actor = self.actor(handle);
        let ask = RequestAdd {
            title: "A kettle",
            description: "with a spout",
            scope,
        };
        let id = request_add(&mut self.node, &actor, &ask).expect("a request");
        RecordRef {
            origin: self.node.own_id(),
            id,
        }
    }

    fn body(&self, id: &RecordId) -> String {
        let record = self.node.store().local(id).expect("it is read");
        record.expect("a record").body
    }
}

/// The list comes first. A power cut after it, at whatever moment, leaves an account that is on it.
#[test]
fn an_erasing_that_was_cut_off_is_finished_when_the_folder_is_opened() {
    let mut world = World::new();
    let request = world.ask("eve", Scope::Public);
    let eve = world.actor("eve").user;
    let mut list = ErasedList::new(Salt([9; 16]));
    list.add(&eve, "eve", &[By::User(eve)]);
    list.write(&world.home).expect("it is written");
    world.node = Node::open(&world.home).expect("it opens");
    assert_eq!(world.body(&request.id), "{}");
    let private = world.node.store().private();
    assert_eq!(private.account("eve").unwrap(), None);
    let account = private
        .account_of(&eve)
        .unwrap()
        .expect("that there was one");
    assert_eq!(account.state, AccountState::Gone);
    assert!(private.contacts(&eve).unwrap().is_empty());
    // Nobody else lost anything.
    assert_eq!(users::users(&world.node, &world.alice).unwrap().len(), 2);
    // And a list that cannot be read is not taken for an empty one.
    std::fs::write(world.home.erased(), "{").unwrap();
    assert!(Node::open(&world.home).is_err());
}

#[test]
fn what_its_author_had_kept_home_before_is_erased_elsewhere_as_well() {
    let mut world = World::new();
    let request = world.ask("eve", Scope::Public);
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let eve = world.actor("eve");
    record_unshare(&world.node, &eve, &request).expect("she may");
    user_erase(&world.node, &eve, "eve").expect("she may");
    let planned = plan(&world.node, world.node.now()).expect("a plan");
    let retract = planned
        .retracts
        .iter()
        .find(|retract| retract.id == request.id);
    assert_eq!(retract.expect("it is taken back").reason, Reason::Erase);
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let again = plan(&world.node, world.node.now()).expect("a plan");
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn a_need_that_was_met_is_not_open_again_because_whoever_said_so_is_gone() {
    let mut world = World::new();
    let request = world.ask("alice", Scope::Public);
    let bob = world.actor("bob");
    let said = request_complete(&mut world.node, &bob, &request, Some("by my cousin"));
    let said = said.expect("a steward may");
    publish(&mut world.node, &world.alice).expect("it is sealed");
    user_erase(&world.node, &world.alice, "bob").expect("an admin may");
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let status = request_status(&world.node, &request).expect("a status");
    assert_eq!((status.value, status.contested), (To::Completed, false));
    assert_eq!(world.body(&said), "{}");
}

/// A hub may hold what the erased one had shared under a name that nobody here can make anew.
#[test]
fn what_was_shared_under_a_pseudonym_is_on_the_list_too() {
    let mut world = World::new();
    let request = world.ask("eve", Scope::Public);
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let record = world
        .node
        .store()
        .local(&request.id)
        .unwrap()
        .expect("a record");
    let left_by = record.left_by.expect("it left");
    assert!(matches!(left_by, By::Pseudonym(_)), "{left_by:?}");
    let eve = world.actor("eve");
    user_erase(&world.node, &eve, "eve").expect("she may");
    let list = ErasedList::read(&world.home).unwrap().expect("a list");
    assert!(list.has_name(&left_by) && list.has_name(&By::User(eve.user)));
    assert!(!list.has_name(&By::User(world.alice.user)));
}

#[test]
fn who_was_invited_by_somebody_erased_names_them_no_more() {
    let mut world = World::new();
    let (eve, bob) = (world.actor("eve"), world.actor("bob"));
    let profile = RecordRef {
        origin: world.node.own_id(),
        id: bob.user,
    };
    let mut record = world
        .node
        .store()
        .local(&bob.user)
        .unwrap()
        .expect("a profile");
    let mut body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
    body["inviter"] = serde_json::json!({ "origin": profile.origin, "id": eve.user });
    record.body = body.to_string();
    record.edit += 1;
    let write = world.node.store().write_in_sight().unwrap();
    write.put_local(&record).unwrap();
    write.commit().unwrap();
    record_share(&world.node, &bob, &profile, Scope::Public, None).expect("he may");
    publish(&mut world.node, &world.alice).expect("it is sealed");
    user_erase(&world.node, &eve, "eve").expect("she may");
    assert!(!world.body(&bob.user).contains(&eve.user.to_string()));
    let record = world
        .node
        .store()
        .local(&bob.user)
        .unwrap()
        .expect("a profile");
    assert_eq!(record.life, Life::Active);
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let sealed = world.node.store().sealed(&bob.user).unwrap();
    assert_eq!(
        sealed.first().map(|line| line.scope),
        Some(FeedScope::Public)
    );
    assert!(
        users::user(&world.node, &world.alice, "bob")
            .unwrap()
            .inviter
            .is_none()
    );
}

#[test]
fn nobody_is_erased_by_somebody_else_but_an_admin() {
    let world = World::new();
    let (eve, bob) = (world.actor("eve"), world.actor("bob"));
    for (actor, handle) in [(&eve, "bob"), (&bob, "eve"), (&bob, "nobody")] {
        assert!(user_erase(&world.node, actor, handle).is_err(), "{handle}");
    }
    assert_eq!(ErasedList::read(&world.home).unwrap(), None);
    assert!(
        user_erase(&world.node, &world.alice, "alice").is_err(),
        "the last admin"
    );
    assert_eq!(ErasedList::read(&world.home).unwrap(), None);
}

/// Words of the audit log and of notices were emptied wherever the handle stood in them: somebody named `scope` washed
/// away what stewards had done with everybody's records.
#[test]
fn nobody_washes_away_what_was_done_by_leaving() {
    let mut world = World::new();
    let user = UserAdd {
        handle: "scope",
        display_name: None,
        bio: None,
        role: Role::Steward,
        email: None,
    };
    user_add(&mut world.node, &world.alice, &user).expect("a member");
    let request = world.ask("eve", Scope::Public);
    let (scope, eve) = (world.actor("scope"), world.actor("eve"));
    record_unshare(&world.node, &scope, &request).expect("a steward may");
    let private = world.node.store().private();
    let let_in = ["Firefox was let in by scope", "Firefox has a wide scope"];
    for detail in let_in {
        private
            .put_notice(&eve.user, world.node.now(), "let in", detail, None)
            .expect("it is told");
    }
    user_erase(&world.node, &world.alice, "scope").expect("an admin may");
    let rows = private.audit_rows(None, None, 100).expect("a log");
    let narrowed = rows.iter().filter(|(_, row)| row.act == "record unshare");
    let details: Vec<&str> = narrowed.map(|(_, row)| row.detail.as_str()).collect();
    assert_eq!(details.len(), 2, "{rows:?}");
    assert!(
        details
            .iter()
            .all(|detail| detail.contains("scope private")),
        "{details:?}"
    );
    let is_named = |row: &wb_store::AuditRow| {
        row.actor == Some(scope.user)
            || row.target == scope.user.to_string()
            || row.detail == "added scope"
    };
    assert!(rows.iter().all(|(_, row)| !is_named(row)), "{rows:?}");
    let told = private.all_notices(&eve.user).expect("notices");
    let told: Vec<&str> = told.iter().map(|(row, _)| row.detail.as_str()).collect();
    assert_eq!(
        told,
        [
            "Firefox was let in by a former member",
            "Firefox has a wide scope"
        ]
    );
}

/// Ways to reach somebody about a request went after the main file, by the list of what the account wrote: cut off in
/// between, nothing there said any more whose they were, and they stayed for ever.
#[test]
fn an_erasing_that_was_cut_off_between_the_two_files_leaves_no_contact() {
    let mut world = World::new();
    let request = world.ask("eve", Scope::Public);
    let eve = world.actor("eve");
    let private = world.node.store().private();
    private
        .put_contact(&request.id, "phone", "+49 30 1234")
        .expect("it is kept");
    let file = rusqlite::Connection::open(world.home.private()).expect("a file");
    let cut =
        "CREATE TRIGGER cut BEFORE UPDATE ON accounts BEGIN SELECT RAISE(ABORT, 'cut off'); END";
    file.execute_batch(cut).expect("a trigger");

    user_erase(&world.node, &eve, "eve").expect_err("it is cut off");

    // The main file is done, the account is not.
    assert_eq!(world.body(&request.id), "{}");
    let private = world.node.store().private();
    assert!(private.account("eve").unwrap().is_some());
    file.execute_batch("DROP TRIGGER cut").expect("no trigger");
    drop(file);
    world.node = Node::open(&world.home).expect("it opens");
    let private = world.node.store().private();
    assert_eq!(private.account("eve").unwrap(), None);
    assert_eq!(private.contacts(&request.id).unwrap(), []);
}

#[test]
fn a_request_that_is_erased_by_itself_takes_its_contacts_along() {
    let mut world = World::new();
    let (kept, erased) = (
        world.ask("eve", Scope::Public),
        world.ask("eve", Scope::Public),
    );
    let eve = world.actor("eve");
    let private = world.node.store().private();
    for request in [&kept, &erased] {
        private
            .put_contact(&request.id, "phone", "+49 30 1234")
            .expect("it is kept");
    }
    record_retract(&world.node, &eve, &erased, Reason::Erase).expect("she may");
    record_retract(&world.node, &eve, &kept, Reason::Scope).expect("she may");
    let private = world.node.store().private();
    assert_eq!(private.contacts(&erased.id).unwrap(), []);
    assert_eq!(private.contacts(&kept.id).unwrap().len(), 1);
}

/// To agree to what one steward had asked lifted what another had set since.
#[test]
fn an_answer_to_an_old_question_lifts_no_newer_ceiling() {
    type Narrow = fn(&World, &RecordRef);
    let ways: [(&str, Scope, Narrow); 4] = [
        ("unshare", Scope::Private, |world, request| {
            record_unshare(&world.node, &world.actor("bob"), request).expect("he may");
        }),
        ("share less far", Scope::TrustedPeers, |world, request| {
            let bob = world.actor("bob");
            record_share(&world.node, &bob, request, Scope::TrustedPeers, None).expect("he may");
        }),
        ("retract", Scope::Private, |world, request| {
            let bob = world.actor("bob");
            record_retract(&world.node, &bob, request, Reason::Scope).expect("he may");
        }),
        // Where its author chose as little by themselves, no ceiling is set.
        ("share all less far", Scope::Public, |world, _| {
            let (bob, kind) = (world.actor("bob"), "request".parse().expect("a kind"));
            share_all(&world.node, &bob, &kind, Scope::Private).expect("he may");
        }),
    ];
    for (way, ceiling, narrow) in ways {
        let mut world = World::new();
        let request = world.ask("eve", Scope::Private);
        let (eve, kind) = (world.actor("eve"), "request".parse().expect("a kind"));
        let done = share_all(&world.node, &world.alice, &kind, Scope::Public);
        assert_eq!(done.expect("a steward may").asked, 1, "{way}");
        assert_eq!(asked(&world.node, &eve.user).unwrap().len(), 1, "{way}");

        narrow(&world, &request);

        assert_eq!(asked(&world.node, &eve.user).unwrap(), [], "{way}");
        let agreed = answer(&world.node, &eve, &request.id, AgreementAnswer::Agreed);
        assert!(agreed.is_err(), "{way}: {agreed:?}");
        let record = world.node.store().local(&request.id).unwrap();
        let record = record.expect("a request");
        assert_eq!(
            (record.scope, record.ceiling),
            (Scope::Private, ceiling),
            "{way}"
        );
    }
    // A word that is as wide as the question leaves it, and what was declined stays so.
    let mut world = World::new();
    let request = world.ask("eve", Scope::Private);
    let (eve, kind) = (world.actor("eve"), "request".parse().expect("a kind"));
    share_all(&world.node, &world.alice, &kind, Scope::Public).expect("a steward may");
    let bob = world.actor("bob");
    record_share(&world.node, &bob, &request, Scope::Public, None).expect("he may");
    assert_eq!(asked(&world.node, &eve.user).unwrap().len(), 1);
    answer(&world.node, &eve, &request.id, AgreementAnswer::Declined).expect("she may");
    record_unshare(&world.node, &bob, &request).expect("he may");
    let again = share_all(&world.node, &bob, &kind, Scope::Public).expect("he may");
    assert_eq!((again.asked, again.declined), (0, 1));
}

/// Sharing many shared again what had been taken back because it should not have gone out.
#[test]
fn what_was_taken_back_is_not_shared_again_with_many() {
    let mut world = World::new();
    let [by_mistake, by_a_steward, kept, never] =
        [Scope::Public, Scope::Public, Scope::Public, Scope::Private]
            .map(|scope| world.ask("eve", scope));
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let (eve, bob) = (world.actor("eve"), world.actor("bob"));
    record_retract(&world.node, &eve, &by_mistake, Reason::Mistake).expect("she may");
    record_retract(&world.node, &bob, &by_a_steward, Reason::Scope).expect("he may");
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let kind = "request".parse().expect("a kind");
    let of_bob = share_all(&world.node, &bob, &kind, Scope::Public).expect("he may");
    assert_eq!((of_bob.taken_back, of_bob.asked, of_bob.already), (2, 1, 1));
    let of_eve = share_all(&world.node, &eve, &kind, Scope::Public).expect("she may");
    assert_eq!(
        (of_eve.taken_back, of_eve.changed, of_eve.already),
        (2, 1, 1)
    );
    publish(&mut world.node, &world.alice).expect("it is sealed");
    let is_out = |key: &RecordRef| !world.node.store().sealed(&key.id).unwrap().is_empty();
    assert_eq!(
        [by_mistake, by_a_steward, kept, never]
            .each_ref()
            .map(is_out),
        [false, false, true, true]
    );
    // One by one it can be shared again.
    record_share(&world.node, &eve, &by_mistake, Scope::Public, None).expect("she may");
    publish(&mut world.node, &world.alice).expect("it is sealed");
    assert!(
        !world
            .node
            .store()
            .sealed(&by_mistake.id)
            .unwrap()
            .is_empty()
    );
}

/// The body of an invitation was given as it is, and whoever found the file could ask for a place with it.
#[test]
fn what_is_held_about_a_member_gives_no_share_code_away() {
    let mut world = World::new();
    let input = InviteCreate {
        suggested_handle: Some("newcomer".to_owned()),
        ..InviteCreate::default()
    };
    let alice = world.alice.clone();
    let (id, token) = invite_create(&mut world.node, &alice, &input).expect("an invite");
    let body: serde_json::Value = serde_json::from_str(&world.body(&id)).expect("a body");
    let code = body["share_code"].as_str().expect("a code");
    let data = member_data(&world.node, &alice, "alice").expect("her own");
    let record = data.records.iter().find(|record| record.id == id);
    let record = record.expect("the invitation is hers");
    assert_eq!(record.body["suggested_handle"], "newcomer");
    let json = data.to_json();
    assert!(!json.contains(code) && !json.contains(&token), "{json}");
}
