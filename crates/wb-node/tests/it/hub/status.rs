//! Where a request stands between communities that sync by a hub: home, one whom it names as a helper, and one that did
//! not accept the helper.

use wb_core::entry::Reason;
use wb_core::id::{Hash, RecordRef};
use wb_core::kinds::To;
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_core::time::Timestamp;
use wb_node::command::conflict_settle::{SETTLE_AFTER_HOURS, conflict_settle, settle_due};
use wb_node::command::helper::{helper_name, helper_withdraw, helpers};
use wb_node::command::publish::publish_retracts;
use wb_node::command::record_retract::record_retract;
use wb_node::command::request_complete::{request_cancel, request_complete, request_reopen};
use wb_node::command::status_say::{SpeaksAs, saying};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::command::user_erase::user_erase;
use wb_node::plan::plan;
use wb_node::query::conflicts::conflicts;
use wb_node::query::notices::{NoticeView, notices};
use wb_node::query::requests::{UNCONFIRMED_DAYS_LISTED, request, requests_at};
use wb_node::view::{RequestView, SaidView};
use wb_store::Role;

use super::world::{HubUp, Member};

/// North asked; South is accepted there and the other way round; West accepted North alone, so that South waits there.
struct World {
    hub: HubUp,
    north: Member,
    south: Member,
    west: Member,
    request: RecordRef,
}

impl World {
    fn new() -> Self {
        let hub = HubUp::start("Harbour", Policy::Open);
        let mut north = Member::found("North");
        let mut south = Member::found("South");
        let mut west = Member::found("West");
        for member in [&mut north, &mut south, &mut west] {
            member.register(&hub);
        }
        let request = north.ask("A ladder", Scope::Public);
        for member in [&mut north, &mut south, &mut west] {
            member.sync(&hub);
        }
        north.follow_all(&hub, &[south.id(), west.id()]);
        south.follow_all(&hub, &[north.id(), west.id()]);
        west.follow_all(&hub, &[north.id()]);
        let mut world = Self {
            hub,
            north,
            south,
            west,
            request,
        };
        world.sync();
        world
    }

    /// Everybody publishes, and everybody takes it.
    fn sync(&mut self) {
        for _ in 0..2 {
            for member in [&mut self.north, &mut self.south, &mut self.west] {
                member.sync(&self.hub);
            }
        }
    }

    fn name_south(&mut self) {
        let actor = self.north.actor();
        helper_name(&self.north.node, &actor, &self.request, self.south.id()).expect("its own");
        self.sync();
    }

    fn says(&mut self, who: Who, to: To, note: Option<&str>) {
        let request = self.request;
        let member = match who {
            Who::North => &mut self.north,
            Who::South => &mut self.south,
        };
        let actor = member.actor();
        let node = &mut member.node;
        match to {
            To::Open => request_reopen(node, &actor, &request, note),
            To::Completed => request_complete(node, &actor, &request, note),
            To::Cancelled => request_cancel(node, &actor, &request, note),
        }
        .expect("it may say so");
    }

    fn all(&self) -> [&Member; 3] {
        [&self.north, &self.south, &self.west]
    }

    /// What everybody shows, which is the same.
    fn shown(&self) -> (To, bool) {
        let shown: Vec<(To, bool)> = self
            .all()
            .map(|member| self.view(member))
            .map(|view| (view.status, view.contested))
            .to_vec();
        assert!(shown.iter().all(|other| *other == shown[0]), "{shown:?}");
        shown[0]
    }

    fn view(&self, member: &Member) -> RequestView {
        request(&member.node, &self.request).expect("it is shown")
    }

    /// What is said in the place of a word was sealed with what took that word back.
    fn assert_all_sealed(&self, member: &Member) {
        let left = plan(&member.node, member.node.now()).expect("a plan");
        assert!(left.is_empty(), "{left:?}");
    }

    fn said_by_south(&self, member: &Member) -> SaidView {
        let said = self.view(member).said;
        let of_south = said
            .into_iter()
            .find(|said| said.instance == self.south.id());
        of_south.expect("it said something")
    }
}

#[derive(Clone, Copy)]
enum Who {
    North,
    South,
}

/// The worked case: South helps and says that it is done, while North, which has not heard, says that it is not.
#[test]
fn words_that_cross_are_contested_alike_everywhere_and_one_word_of_home_ends_it() {
    let mut world = World::new();
    world.name_south();
    world.says(Who::North, To::Completed, None);
    world.says(Who::North, To::Open, Some("the wrong ladder"));
    world.says(Who::South, To::Completed, Some("brought at noon"));
    // Before they hear of each other each shows what it knows.
    assert_eq!(world.view(&world.north).status, To::Open);
    assert_eq!(world.view(&world.south).status, To::Completed);
    world.sync();
    assert_eq!(world.shown(), (To::Open, true));
    let contests: Vec<Option<String>> = world
        .all()
        .map(|member| world.view(member).contest)
        .to_vec();
    let words = contests[0].as_deref().expect("it is contested");
    assert!(words.contains("North settles it"), "{words}");
    assert!(
        contests.iter().all(|other| *other == contests[0]),
        "{contests:?}"
    );
    for member in world.all() {
        let said = world.said_by_south(member);
        assert_eq!((said.voice, said.to), ("helper", To::Completed));
        assert!(said.pending && !said.answers, "{said:?}");
        let home = &world.view(member).said[0];
        assert_eq!((home.voice, home.to), ("home", To::Open));
        assert_eq!(home.note.as_deref(), Some("the wrong ladder"));
        assert_eq!(conflicts(&member.node).expect("a list").len(), 1);
    }
    // Who did not accept South reads what it says, and none of its words.
    let at_west = world.said_by_south(&world.west);
    assert_eq!(at_west.note, None);
    assert_eq!(
        world.said_by_south(&world.north).note.as_deref(),
        Some("brought at noon")
    );
    // Nobody settles it elsewhere.
    let actor = world.south.actor();
    let elsewhere = conflict_settle(
        &world.south.node,
        &actor,
        &world.request,
        To::Open,
        None,
        None,
    );
    assert!(elsewhere.is_err(), "{elsewhere:?}");
    let actor = world.north.actor();
    let settled = conflict_settle(
        &world.north.node,
        &actor,
        &world.request,
        To::Completed,
        None,
        None,
    );
    settled.expect("its author may");
    world.sync();
    assert_eq!(world.shown(), (To::Completed, false));
    assert!(conflicts(&world.south.node).expect("a list").is_empty());
    let node = &world.north.node;
    let again = conflict_settle(node, &actor, &world.request, To::Open, None, None);
    assert!(again.is_err(), "nothing is contested: {again:?}");
}

#[test]
fn a_claim_is_shown_and_changes_nothing_and_naming_who_made_it_closes_nothing() {
    let mut world = World::new();
    let south = world.south.actor();
    let saying = saying(&world.south.node, &south, &world.request, To::Completed);
    let saying = saying.expect("it may say so");
    assert_eq!(saying.speaks_as, SpeaksAs::Claim);
    assert!(saying.words.contains("does not change"), "{}", saying.words);
    world.says(Who::South, To::Completed, None);
    world.sync();
    assert_eq!(world.shown(), (To::Open, false));
    assert_eq!(world.said_by_south(&world.north).voice, "claim");
    // Nobody who did not accept South is shown what it claims.
    let at_west = world.view(&world.west).said;
    assert!(at_west.is_empty(), "{at_west:?}");
    // It is said already, and only home cancels.
    let request = world.request;
    let node = &mut world.south.node;
    assert!(request_complete(node, &south, &request, None).is_err());
    assert!(request_cancel(node, &south, &request, None).is_err());
    // From the naming on its word counts; what it said before does not close the need.
    world.name_south();
    assert_eq!(world.shown(), (To::Open, false));
    world.says(Who::South, To::Completed, None);
    world.sync();
    assert_eq!(world.shown(), (To::Completed, false));
    assert!(world.said_by_south(&world.west).pending);
}

/// Whoever waits here, or fell, may have claimed something before: its words are not shown, and are heard all the same.
#[test]
fn naming_somebody_who_is_not_accepted_closes_nothing() {
    let mut world = World::new();
    world.says(Who::South, To::Completed, None);
    world.sync();
    let write = world.north.node.store().write_in_sight().expect("a store");
    write
        .set_standing(&world.south.id(), wb_store::Standing::Waiting)
        .expect("a row");
    write.commit().expect("a store");
    assert!(world.view(&world.north).said.is_empty());
    world.name_south();
    assert_eq!(world.shown(), (To::Open, false));
}

#[test]
fn withdrawing_a_helper_and_taking_a_word_back_change_nothing_that_is_shown() {
    let mut world = World::new();
    world.name_south();
    world.says(Who::South, To::Completed, Some("by the canal"));
    world.sync();
    assert_eq!(world.shown(), (To::Completed, false));
    // South takes its words back, and seals nothing else.
    let said = world.said_by_south(&world.south);
    let key = RecordRef {
        origin: world.south.id(),
        id: said.id,
    };
    let actor = world.south.actor();
    record_retract(&world.south.node, &actor, &key, Reason::Scope).expect("its own");
    publish_retracts(&mut world.south.node, &actor).expect("it seals");
    world.assert_all_sealed(&world.south);
    world.south.sync(&world.hub);
    world.north.sync(&world.hub);
    world.west.sync(&world.hub);
    assert_eq!(world.shown(), (To::Completed, false));
    assert_eq!(world.said_by_south(&world.north).note, None);
    // North lets its word count no more.
    let (actor, south) = (world.north.actor(), world.south.id());
    let node = &world.north.node;
    let withdrawn = helper_withdraw(node, &actor, &world.request, south);
    assert!(withdrawn.expect("its own"));
    assert!(helpers(node, &world.request).expect("a list").is_empty());
    publish_retracts(&mut world.north.node, &actor).expect("it seals");
    world.assert_all_sealed(&world.north);
    world.north.sync(&world.hub);
    world.south.sync(&world.hub);
    world.west.sync(&world.hub);
    assert_eq!(world.shown(), (To::Completed, false));
    assert_eq!(world.said_by_south(&world.north).voice, "claim");
    // Named once more, it is the same record, and what was heard stays heard.
    world.name_south();
    assert_eq!(world.shown(), (To::Completed, false));
}

#[test]
fn who_helped_and_erased_their_account_leaves_what_is_shown() {
    let mut world = World::new();
    world.name_south();
    let founder = world.south.actor();
    let ben = UserAdd {
        handle: "ben",
        display_name: None,
        bio: None,
        role: Role::Member,
        email: None,
    };
    let node = &mut world.south.node;
    user_add(node, &founder, &ben).expect("a member");
    let ben = node.actor(Some("ben")).expect("a member");
    let note = Some("by the canal");
    request_complete(node, &ben, &world.request, note).expect("any member may");
    world.sync();
    assert_eq!(world.shown(), (To::Completed, false));
    user_erase(&world.south.node, &ben, "ben").expect("their own");
    world.sync();
    assert_eq!(world.shown(), (To::Completed, false));
    for member in world.all() {
        let said = world.said_by_south(member);
        assert_eq!((said.author.as_str(), said.note), ("South", None));
    }
}

fn later(from: Timestamp, hours: i64) -> Timestamp {
    from.plus_ms(hours * 60 * 60 * 1_000)
}

#[test]
fn home_says_by_itself_what_is_shown_when_nobody_settles() {
    let mut world = World::new();
    world.name_south();
    world.says(Who::North, To::Cancelled, None);
    world.says(Who::South, To::Completed, None);
    world.sync();
    assert_eq!(world.shown(), (To::Cancelled, true));
    // The sync noticed it. Who asked is told on every page until it is settled.
    let author = world.north.node.actor(None).expect("the founder");
    let account = world.north.node.store().private().account_of(&author.user);
    let account = account.expect("a store").expect("the founder");
    let told = || notices(&world.north.node, &account, &Hash([0; 32])).expect("a store");
    let title = world.view(&world.north).title;
    let notice = NoticeView::Contested {
        request: world.request,
        title,
    };
    assert_eq!(told(), [notice]);
    // Another word of the helper does not begin the hours anew.
    let noticed = world.north.node.store().contests().expect("a list");
    let since = noticed.first().expect("it was noticed").since;
    let node = &world.north.node;
    let early = settle_due(node, later(since, SETTLE_AFTER_HOURS - 1));
    assert!(early.expect("it is looked").is_empty());
    let at = conflicts(node).expect("a list")[0].settles_at;
    assert_eq!(at, Some(later(since, SETTLE_AFTER_HOURS)));
    // Nobody else does it for home.
    let away = settle_due(&world.south.node, later(since, SETTLE_AFTER_HOURS + 1));
    assert!(away.expect("it is looked").is_empty());
    let due = settle_due(node, later(since, SETTLE_AFTER_HOURS)).expect("it is done");
    assert_eq!(due, [world.request.id]);
    assert_eq!(told(), []);
    world.sync();
    assert_eq!(world.shown(), (To::Cancelled, false));
    let home = &world.view(&world.south).said[0];
    assert_eq!(home.author, "North", "no person said it: {home:?}");
    assert!(
        world
            .north
            .node
            .store()
            .contests()
            .expect("a list")
            .is_empty()
    );
}

#[test]
fn what_a_silent_home_does_not_confirm_says_so_and_goes_from_lists_after_a_month() {
    let world = World::new();
    let now = world.south.node.now();
    let day = 24;
    let until = later(now, -day);
    world.south.valid_until(world.north.id(), until);
    let at = |now| {
        let list = requests_at(&world.south.node, now).expect("a list");
        let found = list.into_iter().find(|row| row.base.id == world.request.id);
        let found = found.expect("it is found");
        (found.unconfirmed_since, found.unlisted)
    };
    assert_eq!(at(later(until, -1)), (None, false));
    assert_eq!(at(now), (Some(until), false));
    let month = UNCONFIRMED_DAYS_LISTED * day;
    assert_eq!(at(later(until, month)), (Some(until), false));
    assert_eq!(at(later(until, month + 1)), (Some(until), true));
    // Its own home needs nobody to confirm it.
    let own = requests_at(&world.north.node, later(until, month + 1)).expect("a list");
    assert!(own.iter().all(|row| row.unconfirmed_since.is_none()));
}
