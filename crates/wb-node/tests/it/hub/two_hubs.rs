//! Three nodes at two hubs: what one hub lacks comes by the other, and nothing comes twice.

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Policy};
use wb_node::query::inbox::inbox;

use super::world::{HubUp, Member, titles};

fn everywhere(members: &mut [&mut Member], hubs: &[&HubUp]) {
    for member in members {
        for hub in hubs {
            member.register(hub);
        }
    }
}

#[test]
fn what_a_stopped_hub_got_in_part_comes_by_the_other_and_afterwards_everything_is_equal() {
    let (mut one, two) = (
        HubUp::start("One", Policy::Open),
        HubUp::start("Two", Policy::Open),
    );
    let mut north = Member::found("North");
    let (mut south, mut east) = (Member::found("South"), Member::found("East"));
    everywhere(&mut [&mut north, &mut south, &mut east], &[&one, &two]);
    for hub in [&one, &two] {
        south.follow_all(hub, &[north.id(), east.id()]);
        east.follow_all(hub, &[north.id(), south.id()]);
    }
    let ladder = north.ask("A ladder", Scope::Public);
    let saw = north.ask("A saw", Scope::Public);
    north.sync(&one);
    south.sync(&one);
    north.reword(&ladder, "A long ladder");
    north.sync(&one);
    // One stops. It has the first two deltas, and Two has nothing of them.
    one.down();
    assert_eq!(titles(&south), ["A ladder", "A saw"]);
    north.take_back(&saw);
    north.ask("A hammer", Scope::Public);
    let unreachable = north.sync(&one).end.expect("it is down");
    assert_eq!(unreachable.0, PeerCause::Unreachable, "{}", unreachable.1);
    assert_eq!(north.sync(&two).end, None);

    for follower in [&mut south, &mut east] {
        assert_eq!(follower.sync(&two).end, None);
        follower.assert_equals(&north);
        assert_eq!(titles(follower), ["A hammer", "A long ladder"]);
    }
    // South answers meanwhile, through Two alone.
    south.ask("From South", Scope::Public);
    south.sync(&two);
    east.sync(&two);

    one.up();
    for member in [&mut north, &mut south, &mut east] {
        assert_eq!(member.sync(&one).end, None);
    }
    for member in [&mut north, &mut south, &mut east] {
        for hub in [&one, &two] {
            assert_eq!(member.sync(hub).end, None);
        }
    }
    for follower in [&south, &east] {
        follower.assert_equals(&north);
    }
    east.assert_equals(&south);
    for member in [&mut north, &mut south, &mut east] {
        // Both hubs hold of it what it holds itself.
        let own = member.head(member.id());
        for hub in [&one, &two] {
            assert_eq!(hub.heads(member.id()).own.first(), own.as_ref());
            let again = member.sync(hub);
            assert_eq!(
                (again.round_trips, again.run_no),
                (1, None),
                "nothing twice"
            );
        }
        assert_eq!(member.held_rows(), Vec::<String>::new());
        member.assert_sound();
    }
}

#[test]
fn whichever_road_a_delta_takes_first_the_other_brings_nothing_new() {
    let (one, two) = (
        HubUp::start("One", Policy::Open),
        HubUp::start("Two", Policy::Open),
    );
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    everywhere(&mut [&mut north, &mut south], &[&one, &two]);
    for hub in [&one, &two] {
        south.follow_all(hub, &[north.id()]);
    }
    for n in 0..4 {
        north.ask(&format!("Request {n}"), Scope::Public);
        for hub in [&one, &two] {
            assert_eq!(north.sync(hub).end, None);
        }
        let (first, second) = if n % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        assert_eq!(south.sync(first).tally.new, if n == 0 { 2 } else { 1 });
        let tally = south.sync(second).tally;
        assert_eq!((tally.new, tally.changed, tally.gone), (0, 0, 0));
        south.assert_equals(&north);
    }
    assert_eq!(south.held_rows(), Vec::<String>::new());
    south.assert_sound();
}

/// Found by the simulator: South accepted North by name at Two, and North came by One, where it was only
/// listed. There it was held for a decision that had been made.
#[test]
fn who_is_accepted_at_one_hub_is_shown_whichever_hub_brings_it() {
    let (one, two) = (
        HubUp::start("One", Policy::Open),
        HubUp::start("Two", Policy::Open),
    );
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    everywhere(&mut [&mut north, &mut south], &[&one, &two]);
    south.follow_all(&one, &[]);
    south.follow_all(&two, &[north.id()]);
    north.ask("A ladder", Scope::Public);
    for hub in [&one, &two] {
        assert_eq!(north.sync(hub).end, None);
    }

    assert_eq!(south.sync(&one).end, None);
    assert_eq!(titles(&south), ["A ladder"]);
    assert_eq!(south.sync(&two).end, None);
    assert_eq!(titles(&south), ["A ladder"]);
}

/// Found by the simulator: the name that a card had told stayed when the words of the card went, and `wb
/// doctor` found that what is shown is not what is stored.
#[test]
fn who_is_unfollowed_leaves_nothing_that_the_doctor_finds() {
    let hub = HubUp::start("One", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    everywhere(&mut [&mut north, &mut south], &[&hub]);
    south.follow_all(&hub, &[north.id()]);
    north.ask("A ladder", Scope::Public);
    north.sync(&hub);
    south.sync(&hub);
    assert_eq!(titles(&south), ["A ladder"]);

    south.unfollow(north.id());

    assert_eq!(titles(&south), Vec::<String>::new());
    south.assert_sound();
}

/// Found by the simulator: followers ended every later sync with the hub of the other branch as a false answer,
/// for good, because its snapshot led to less than the head it announced.
#[test]
fn a_fork_makes_no_liar_of_the_hub_that_has_the_other_branch() {
    let (one, two) = (
        HubUp::start("One", Policy::Open),
        HubUp::start("Two", Policy::Open),
    );
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    everywhere(&mut [&mut north, &mut south], &[&one, &two]);
    north.ask("A ladder", Scope::Public);
    north.sync(&one);
    north.sync(&two);
    let mut twin = north.twin();
    north.ask("Here", Scope::Public);
    north.sync(&one);
    for title in ["There", "And there"] {
        twin.ask(title, Scope::Public);
        assert_eq!(twin.sync(&two).end, None);
    }
    south.follow_all(&one, &[north.id()]);
    assert_eq!(south.sync(&one).end, None);
    assert_eq!(titles(&south), ["A ladder", "Here"]);

    south.follow_all(&two, &[north.id()]);
    for _ in 0..3 {
        assert_eq!(south.sync(&two).end, None, "the hub gave what it was given");
    }
    let told = inbox(&south.node).expect("the store works");
    let fork = told.iter().find(|item| item.cause == "fork");
    assert_eq!(fork.and_then(|item| item.origin), Some(north.id()));
    assert_eq!(titles(&south), ["A ladder", "Here"], "what was taken stays");
}
