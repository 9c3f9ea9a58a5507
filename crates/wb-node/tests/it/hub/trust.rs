//! What a level does: who is shown by a vouch, what a fall does and asks, and that a vouch ends without anybody's act.

use std::rc::Rc;

use wb_core::id::{InstanceId, RecordRef};
use wb_core::kinds::Level;
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_core::time::Timestamp;
use wb_node::Node;
use wb_node::command::comment_send::{comment_send, sending};
use wb_node::command::peer_block::peer_block;
use wb_node::command::rebuild::rebuild;
use wb_node::command::review::{Decision, review_fallen, review_origin};
use wb_node::command::vouch::{VouchAdd, vouch_add, vouch_revoke};
use wb_node::entropy::{self, Source, with_source};
use wb_node::query::comments::comments;
use wb_node::query::inbox::inbox;
use wb_node::query::review::review;
use wb_node::query::trust::{vouches_for, why};
use wb_store::Standing;

use super::sealed::{ask, trust};
use super::world::{HubUp, Member, titles};

/// A moment to come. Nothing that has to be random is made then.
struct Later(Timestamp);

impl Later {
    /// So many days from now.
    fn days(days: i64) -> Rc<Self> {
        let ms = entropy::now().unix_ms() + days * 24 * 60 * 60 * 1_000;
        Rc::new(Self(Timestamp::from_unix_ms(ms).expect("a time")))
    }
}

impl Source for Later {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
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
    vouch_add(&issuer.node, &issuer.actor(), &input, None).expect("an admin may");
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
    vouch_revoke(&east.node, &east.actor(), south.id(), None).expect("it vouched");
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
    vouch_revoke(&east.node, &east.actor(), south.id(), None).expect("it vouched");
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

    let thirteen_months = with_source(Later::days(400));
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
    let eleven_months = with_source(Later::days(335));
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
    // A steward who was refused is none any more, however it comes back.
    let store = north.node.store();
    let write = store.write_in_sight().expect("a store");
    let now = entropy::now();
    write.block(&east.id(), "East", now).expect("a row");
    write.unblock(&east.id()).expect("a row");
    write.approve(&east.id()).expect("a row");
    write.commit().expect("a store");
    assert_eq!(why(&north.node, south.id()).expect("known").level, 2);
}

#[test]
fn who_is_refused_reads_nothing_more_of_what_is_for_trusted_peers() {
    let (hub, mut north, mut east, south) = street();
    vouch(&east, south.id(), Level::Steward);
    round(&hub, &mut [&mut east, &mut north]);
    let actor = north.actor();
    review_origin(&mut north.node, &actor, east.id(), Decision::Steward).expect("known");
    trust(&mut north, south.id());
    review_origin(&mut north.node, &actor, south.id(), Decision::Refuse).expect("known");
    let audience = north.node.store().audience().expect("a store");
    let belongs = audience.iter().find(|row| row.member == south.id());
    assert!(
        belongs.is_none_or(|row| row.belongs != wb_store::Belongs::In),
        "{belongs:?}"
    );
    assert_eq!(standing(&north, south.id()), Some(Standing::Blocked));
}

/// What a hub says about whom somebody follows nothing of is verified, and taken for what it is.
#[test]
fn a_hub_gives_vouches_one_by_one_and_what_nobody_signed_is_not_shown() {
    use wb_node::query::vouches_at_hub::vouches_for_at;
    let (hub, mut north, mut east, south) = street();
    vouch(&east, south.id(), Level::Trusted);
    vouch(&north, south.id(), Level::Known);
    round(&hub, &mut [&mut east, &mut north]);
    // West follows nobody but what it registered with.
    let mut west = Member::found("West");
    west.register(&hub);
    assert_eq!(west.sync(&hub).end, None);
    let ask_west = |west: &Member| {
        let peer = west.peer(&hub);
        west.block_on(vouches_for_at(&west.node, &peer, south.id()))
            .expect("an answer")
    };
    let given = ask_west(&west);
    assert_eq!((given.unproved, given.broken), (0, 0));
    let mut issuers: Vec<InstanceId> = given.vouches.iter().map(|one| one.says.issuer).collect();
    issuers.sort();
    let mut expected = vec![east.id(), north.id()];
    expected.sort();
    assert_eq!(issuers, expected);
    assert!(given.vouches.iter().all(|one| !one.counts));

    // A hub that gives a vouch another subject, or a better level, is found out.
    hub.seam().lie_in_vouches(|mut page| {
        for vouch in &mut page.vouches {
            vouch.level = Level::Steward;
            vouch.line = vouch.line.replace("\"trusted\"", "\"steward\"");
        }
        page
    });
    let given = ask_west(&west);
    assert_eq!((given.vouches.len(), given.broken), (0, 2));
    hub.seam().be_honest();

    // What was taken back is given to nobody.
    vouch_revoke(&east.node, &east.actor(), south.id(), None).expect("it vouched");
    round(&hub, &mut [&mut east]);
    let given = ask_west(&west);
    assert_eq!(given.vouches.len(), 1);
    assert_eq!(given.vouches[0].says.issuer, north.id());
}

/// Replies by letter, as somebody who was shown what is sent and said yes.
fn reply(member: &mut Member, request: &RecordRef, words: &str) {
    let actor = member.actor();
    let shown = sending(&member.node, &actor, request, words, None);
    let shown = shown.expect("it may go").expect("it goes by letter");
    comment_send(&mut member.node, &actor, request, &shown).expect("it may go");
}

fn answers(member: &Member, request: &RecordRef) -> Vec<String> {
    let all = comments(&member.node, Some(*request)).expect("a store");
    all.into_iter().map(|comment| comment.body).collect()
}

#[test]
fn letters_of_who_is_trusted_by_vouches_are_opened_and_later_ones_wait_once_it_fell() {
    let (hub, mut north, mut east, mut south) = street();
    south.follow_all(&hub, &[north.id()]);
    vouch(&east, south.id(), Level::Steward);
    let actor = north.actor();
    review_origin(&mut north.node, &actor, east.id(), Decision::Steward).expect("known");
    round(&hub, &mut [&mut east, &mut north, &mut south]);
    trust(&mut north, south.id());
    let request = ask(&mut north, "Ladders for Saturday");
    round(&hub, &mut [&mut north, &mut south]);
    reply(&mut south, &request, "I have one");
    round(&hub, &mut [&mut south, &mut north]);
    assert_eq!(answers(&north, &request), ["I have one"]);

    vouch_revoke(&east.node, &east.actor(), south.id(), None).expect("it vouched");
    round(&hub, &mut [&mut east, &mut north]);
    // Nobody was taken out of the audience; nothing more is sealed to it, and that is told.
    assert!(causes(&north.node).contains(&"audience_fell"));
    reply(&mut south, &request, "And another");
    round(&hub, &mut [&mut south, &mut north]);
    assert_eq!(answers(&north, &request), ["I have one"]);
    review_fallen(&north.node, &north.actor(), south.id(), false).expect("it fell");
    assert_eq!(answers(&north, &request), [""; 0]);
}
