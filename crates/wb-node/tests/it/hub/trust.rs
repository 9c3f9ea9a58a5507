//! What a level does: who is shown by a vouch, what a fall does and asks, and that a vouch ends without anybody's act.

use std::rc::Rc;

use wb_core::id::InstanceId;
use wb_core::kinds::Level;
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_core::time::Timestamp;
use wb_node::Node;
use wb_node::command::peer_block::peer_block;
use wb_node::command::rebuild::rebuild;
use wb_node::command::review::{Decision, review_fallen, review_origin};
use wb_node::command::vouch::{VouchAdd, vouch_add, vouch_revoke};
use wb_node::entropy::{Source, with_source};
use wb_node::query::inbox::inbox;
use wb_node::query::review::review;
use wb_node::query::trust::{vouches_for, why};
use wb_store::Standing;

use super::world::{HubUp, Member, titles};

/// The clock of this computer, so many days later.
struct Later(i64);

impl Source for Later {
    fn now(&self) -> Timestamp {
        let machine = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let ms = i64::try_from(machine.expect("after 1970").as_millis()).expect("it fits");
        Timestamp::from_unix_ms(ms + self.0 * 24 * 60 * 60 * 1_000).expect("a time")
    }

    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("randomness");
    }
}

/// North accepted East and follows everybody; East knows South, and North does not.
fn street() -> (HubUp, Member, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut all = ["North", "East", "South"].map(Member::found);
    for one in &mut all {
        one.register(&hub);
    }
    let [mut north, mut east, mut south] = all;
    south.ask("Oars to lend", Scope::Public);
    north.follow_all(&hub, &[east.id()]);
    east.follow_all(&hub, &[south.id()]);
    south.follow_all(&hub, &[]);
    round(&hub, &mut [&mut south, &mut east, &mut north]);
    round(&hub, &mut [&mut south, &mut east, &mut north]);
    (hub, north, east, south)
}

fn round(hub: &HubUp, members: &mut [&mut Member]) {
    for member in members {
        assert_eq!(member.sync(hub).end, None);
    }
}

fn vouch(issuer: &Member, subject: InstanceId, level: Level) {
    let input = VouchAdd {
        subject,
        level,
        basis: "We met at the market",
        months: 12,
    };
    vouch_add(&issuer.node, &issuer.actor(), &input).expect("an admin may");
}

fn causes(node: &Node) -> Vec<&'static str> {
    let all = inbox(node).expect("a store");
    all.into_iter().map(|item| item.cause).collect()
}

fn standing(member: &Member, id: InstanceId) -> Option<Standing> {
    member.node.store().standing(&id).expect("a store")
}

#[test]
fn a_vouch_shows_what_waited_and_taking_it_back_asks_about_what_is_shown() {
    let (hub, mut north, mut east, mut south) = street();
    assert_eq!(titles(&north), Vec::<String>::new());
    assert_eq!(review(&north.node).expect("a store").origins.len(), 1);

    vouch(&east, south.id(), Level::Trusted);
    round(&hub, &mut [&mut east, &mut north]);
    assert_eq!(titles(&north), ["Oars to lend"]);
    assert_eq!(standing(&north, south.id()), Some(Standing::Vouched));
    assert!(review(&north.node).expect("a store").origins.is_empty());

    // What comes after it fell waits, and a later revision of what was shown does as well.
    let lamp = south.ask("A lamp to mend", Scope::Public);
    round(&hub, &mut [&mut south, &mut north]);
    vouch_revoke(&east.node, &east.actor(), south.id()).expect("it vouched");
    round(&hub, &mut [&mut east, &mut north]);
    south.ask("Something new", Scope::Public);
    south.reword(&lamp, "A lamp, and other words");
    round(&hub, &mut [&mut south, &mut north]);
    assert_eq!(titles(&north), ["Oars to lend"]);
    let asked = review(&north.node).expect("a store").fallen;
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].why,
        "South fell to level 0, because East took back what it vouched for South"
    );
    assert!(causes(&north.node).contains(&"fell"));

    // It stays so when everything is made again, and once somebody says that it stays.
    rebuild(&mut north.node).expect("a store");
    assert_eq!(titles(&north), ["Oars to lend"]);
    review_fallen(&north.node, &north.actor(), south.id(), true).expect("it fell");
    assert_eq!(titles(&north), ["Oars to lend"]);
    assert!(!causes(&north.node).contains(&"fell"));
    review_fallen(&north.node, &north.actor(), south.id(), false).expect("it fell");
    assert_eq!(titles(&north), Vec::<String>::new());

    // Vouched for again, all of it is shown; approved by hand, no vouch counts for that.
    vouch(&east, south.id(), Level::Trusted);
    round(&hub, &mut [&mut east, &mut north]);
    assert_eq!(titles(&north).len(), 3);
    let actor = north.actor();
    review_origin(&mut north.node, &actor, south.id(), Decision::Accept).expect("known");
    vouch_revoke(&east.node, &east.actor(), south.id()).expect("it vouched");
    round(&hub, &mut [&mut east, &mut north]);
    assert_eq!(titles(&north).len(), 3);
    assert!(review(&north.node).expect("a store").fallen.is_empty());
    north.assert_sound();
}

#[test]
fn a_vouch_ends_without_anybodys_act() {
    let (hub, mut north, mut east, south) = street();
    vouch(&east, south.id(), Level::Trusted);
    round(&hub, &mut [&mut east, &mut north]);
    assert_eq!(titles(&north), ["Oars to lend"]);
    let home = north.home();

    let thirteen_months = with_source(Rc::new(Later(400)));
    let node = Node::open(&home).expect("it opens");
    let standing = node.store().standing(&south.id()).expect("a store");
    assert_eq!(standing, Some(Standing::Waiting));
    let fell = review(&node).expect("a store").fallen;
    assert_eq!(
        fell[0].why,
        "South fell to level 0, because what East vouched for South ran out"
    );
    drop(thirteen_months);
}

#[test]
fn an_own_vouch_that_ends_soon_is_told_with_what_renews_it() {
    let (_hub, _north, east, south) = street();
    vouch(&east, south.id(), Level::Trusted);
    assert!(!causes(&east.node).contains(&"vouch_ends"));
    let eleven_months = with_source(Rc::new(Later(335)));
    let told = inbox(&east.node).expect("a store");
    let item = told.iter().find(|item| item.cause == "vouch_ends");
    let item = item.expect("it is told");
    let renews = format!(
        "`wb vouch add {} --level trusted --basis 'We met at the market'` renews it",
        south.id().short()
    );
    assert!(item.action.starts_with(&renews), "{}", item.action);
    vouch(&east, south.id(), Level::Trusted);
    assert!(!causes(&east.node).contains(&"vouch_ends"));
    drop(eleven_months);
}

#[test]
fn a_refusal_beats_every_vouch_and_takes_the_own_one_back() {
    let (hub, mut north, mut east, south) = street();
    vouch(&east, south.id(), Level::Trusted);
    round(&hub, &mut [&mut east, &mut north]);
    vouch(&north, south.id(), Level::Trusted);
    assert!(vouches_for(&north.node, &south.id()).expect("a store"));
    let actor = north.actor();
    peer_block(&mut north.node, &actor, south.id()).expect("an admin may");
    assert!(!vouches_for(&north.node, &south.id()).expect("a store"));
    assert_eq!(standing(&north, south.id()), Some(Standing::Blocked));
    assert_eq!(why(&north.node, south.id()).expect("known").level, 0);
    assert_eq!(titles(&north), Vec::<String>::new());
}

#[test]
fn only_a_steward_lets_others_be_offered_what_is_for_trusted_peers() {
    use wb_node::command::peer_trust::would_show;
    let (hub, mut north, mut east, south) = street();
    vouch(&east, south.id(), Level::Steward);
    round(&hub, &mut [&mut east, &mut north]);
    // East was approved by hand, and not as a steward: its word reaches level 2.
    assert_eq!(why(&north.node, south.id()).expect("known").level, 2);
    let refused = would_show(&north.node, south.id(), None).expect_err("not a steward");
    assert!(refused.to_string().contains("approves it by hand first"));
    let actor = north.actor();
    review_origin(&mut north.node, &actor, east.id(), Decision::Steward).expect("known");
    assert_eq!(why(&north.node, south.id()).expect("known").level, 3);
    would_show(&north.node, south.id(), None).expect("it may be offered");
    // Nobody gets it by a vouch alone.
    assert!(north.node.store().audience().expect("a store").is_empty());
}
