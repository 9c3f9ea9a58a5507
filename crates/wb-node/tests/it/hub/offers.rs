//! Offers of help through a hub: who sees what and when, what becomes of it, and that nobody's contacts go before both
//! sides agreed.

use rusqlite::Connection;
use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::To;
use wb_core::letter::{Closed, LetterBody};
use wb_core::limits::{LETTERS_PER_PAIR_MAX, OFFERS_PER_MEMBER_MAX, OFFERS_PER_REQUEST_MAX};
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_node::command::helper::helpers;
use wb_node::command::offer_answer::{accepting, offer_accept, offer_decline};
use wb_node::command::offer_done::offer_done;
use wb_node::command::offer_make::{Ways, offer_make, offering};
use wb_node::command::peer_block::peer_block;
use wb_node::command::record_share::record_unshare;
use wb_node::command::request_complete::{request_cancel, request_complete};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::command::user_erase::user_erase;
use wb_node::query::letters::letters;
use wb_node::query::member_data::member_data;
use wb_node::query::offers::{offers, waiting};
use wb_node::query::request_status;
use wb_node::view::OfferView;
use wb_node::{Actor, Node};
use wb_store::{NewLetter, Role};

use super::sealed::{home_holds, sync_all, three, trust};
use super::world::{HubUp, Member};

const TEXT: &str = "Heron-cart on Saturday";
const HELPER: &str = "ann.heron@south.example";
const ASKER: &str = "kim.kingfisher@north.example";
const THANKS: &str = "Warbler-cake for you";

fn ways(email: &str) -> Ways {
    Ways {
        name: Some("Ann".to_owned()),
        email: Some(email.to_owned()),
        ..Ways::default()
    }
}

fn offer_as(node: &Node, actor: &Actor, request: &RecordRef) -> wb_node::Result<RecordId> {
    let shown = offering(node, actor, request, Some(TEXT.to_owned()), ways(HELPER))?;
    offer_make(node, actor, &shown)
}

/// Offers help, as somebody who was shown what goes and when, and said yes.
fn offer(member: &Member, request: &RecordRef) -> RecordRef {
    let id = offer_as(&member.node, &member.actor(), request).expect("it can be offered");
    RecordRef {
        origin: member.id(),
        id,
    }
}

fn accept(member: &Member, key: &RecordRef) -> wb_node::Result<()> {
    let actor = member.actor();
    let shown = accepting(&member.node, &actor, key, ways(ASKER))?;
    offer_accept(&member.node, &actor, &shown)
}

fn seen(member: &Member, key: &RecordRef) -> OfferView {
    let all = offers(&member.node, &member.actor()).expect("a store");
    let found = all
        .into_iter()
        .find(|offer| (offer.origin, offer.id) == (key.origin, key.id));
    found.expect("it is one of theirs")
}

fn state(member: &Member, key: &RecordRef) -> &'static str {
    seen(member, key).state
}

fn email(offer: &OfferView) -> Option<&str> {
    offer
        .contact
        .as_ref()
        .and_then(|ways| ways.email.as_deref())
}

fn status(member: &Member, request: &RecordRef) -> To {
    request_status(&member.node, request)
        .expect("a store")
        .value
}

/// Changes the private file behind the back of the program.
fn in_private(member: &Member, sql: &str) {
    let file = member.home().dir().join("private.db");
    let file = Connection::open(file).expect("a file");
    file.execute_batch(sql).expect("it is sound");
}

/// What each holds of what the other may not have.
fn assert_neither_has_contacts(north: &Member, south: &Member, hub: &HubUp) {
    assert!(!home_holds(north, HELPER), "North has not what South shows");
    assert!(!home_holds(south, ASKER), "South has not what North shows");
    let bytes = hub.bytes();
    for words in [HELPER, ASKER, TEXT] {
        let words = words.as_bytes();
        assert!(!bytes.windows(words.len()).any(|found| found == words));
    }
}

/// North asked something that everybody sees.
fn asked(scope: Scope) -> (HubUp, Member, Member, Member, RecordRef) {
    let (hub, mut north, mut south, east) = three();
    if scope == Scope::TrustedPeers {
        trust(&mut north, south.id());
    }
    let request = north.ask("Ladders for Saturday", scope);
    sync_all(&hub, &mut [&mut north, &mut south]);
    (hub, north, south, east, request)
}

#[test]
fn help_is_offered_accepted_and_done_and_contacts_are_there_in_between_and_only_then() {
    let (hub, mut north, mut south, mut east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    assert!(
        seen(&south, &key)
            .sentence
            .contains("goes with the next sync")
    );
    south.sync(&hub);
    assert!(seen(&south, &key).sentence.contains("waits at Harbour"));
    assert_neither_has_contacts(&north, &south, &hub);
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert!(seen(&south, &key).sentence.contains("it arrived at North"));
    let came = seen(&north, &key);
    assert_eq!((came.state, came.waits), ("offered", true));
    assert_eq!(
        (came.text.as_deref(), came.who.as_str()),
        (Some(TEXT), "Ann at South")
    );
    assert_eq!((email(&came), &came.own_contact), (None, &None));
    assert_eq!(
        waiting(&north.node, &north.actor().user).expect("a store"),
        1
    );
    assert_neither_has_contacts(&north, &south, &hub);
    assert_eq!(helpers(&north.node, &request).expect("a store"), []);

    accept(&north, &key).expect("its author may");
    assert_eq!(
        helpers(&north.node, &request).expect("a store"),
        [south.id()]
    );
    let waits = seen(&north, &key);
    assert!(
        waits.sentence.contains("comes with a letter of South"),
        "{}",
        waits.sentence
    );
    sync_all(&hub, &mut [&mut north]);
    // Nothing of South's left before its node saw the yes.
    assert!(!home_holds(&north, HELPER));
    sync_all(&hub, &mut [&mut south, &mut north]);
    assert_eq!(email(&seen(&south, &key)), Some(ASKER));
    assert_eq!(email(&seen(&north, &key)), Some(HELPER));
    // What was said in letters is shown with the offer alone.
    for member in [&north, &south] {
        let all = letters(&member.node, &member.actor()).expect("a store");
        let told = all.iter().filter_map(|letter| letter.text.as_deref());
        assert!(told.into_iter().all(|text| !text.contains('@')), "{all:?}");
    }

    let south_says = offer_done(&south.node, &south.actor(), &key, Some(THANKS.to_owned()));
    south_says.expect("either side may");
    assert!(!home_holds(&south, ASKER), "gone here at once");
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut south, &mut north, &mut east]);
    }
    assert_eq!(seen(&north, &key).thanks.as_deref(), Some(THANKS));
    for (member, words) in [
        (&north, HELPER),
        (&south, ASKER),
        (&north, ASKER),
        (&south, HELPER),
    ] {
        assert!(
            !home_holds(member, words),
            "{words} at {}",
            member.node.name()
        );
    }
    for member in [&north, &south] {
        let over = seen(member, &key);
        assert_eq!((over.state, email(&over)), ("done", None));
        assert_eq!(
            status(member, &request),
            To::Completed,
            "{}",
            member.node.name()
        );
    }
    assert_eq!(
        status(&east, &request),
        To::Completed,
        "by the word of a named helper"
    );
    let north_says = offer_done(
        &north.node,
        &north.actor(),
        &key,
        Some("And you".to_owned()),
    );
    north_says.expect("thanks can still be given");
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(seen(&south, &key).thanks.as_deref(), Some("And you"));
    for words in [TEXT, HELPER, ASKER, THANKS] {
        assert!(!home_holds(&east, words), "{words} is for nobody else");
    }
    north.assert_sound();
    south.assert_sound();
}

#[test]
fn help_with_what_is_for_trusted_communities_is_agreed_on_and_done_as_well() {
    let (hub, mut north, mut south, mut east, request) = asked(Scope::TrustedPeers);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    accept(&north, &key).expect("its author may");
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(email(&seen(&north, &key)), Some(HELPER));
    offer_done(&south.node, &south.actor(), &key, None).expect("either side may");
    sync_all(&hub, &mut [&mut south, &mut north]);
    sync_all(&hub, &mut [&mut south, &mut east]);
    for member in [&north, &south] {
        assert_eq!(status(member, &request), To::Completed);
        assert_eq!(state(member, &key), "done");
    }
    assert!(!home_holds(&east, TEXT), "it is for nobody else");
}

#[test]
fn what_is_declined_never_shows_who_offered_and_who_asked() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    let kind = Some("Somebody was faster, thank you".to_owned());
    offer_decline(&north.node, &north.actor(), &key, kind).expect("its author may");
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    let told = seen(&south, &key);
    assert_eq!(told.state, "declined");
    assert_eq!(
        told.answer.as_deref(),
        Some("Somebody was faster, thank you")
    );
    assert_neither_has_contacts(&north, &south, &hub);
    assert!(
        !home_holds(&north, TEXT),
        "what was said with it is asked back"
    );
    assert_eq!(helpers(&north.node, &request).expect("a store"), []);
    assert!(accept(&north, &key).is_err(), "it is over");
    // It can be offered again.
    offer(&south, &request);
}

#[test]
fn an_offer_that_is_taken_back_while_it_is_accepted_leaves_nothing_of_either() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    accept(&north, &key).expect("its author may");
    sync_all(&hub, &mut [&mut north]);
    offer_decline(&south.node, &south.actor(), &key, None).expect("its own");
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut south, &mut north]);
    }
    assert_eq!(
        (state(&south, &key), state(&north, &key)),
        ("taken_back", "taken_back")
    );
    assert_neither_has_contacts(&north, &south, &hub);
    assert!(!home_holds(&north, TEXT));
    assert_eq!(helpers(&north.node, &request).expect("a store"), []);
    assert_eq!(status(&north, &request), To::Open);
}

#[test]
fn contacts_that_nobody_agreed_to_are_neither_sent_nor_kept() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    // A fault at South queues what was agreed to for later.
    in_private(
        &south,
        "UPDATE letters_out SET kind = 'contacts', n = 2, line = NULL, sealed = NULL, receipt = NULL,
           body = (SELECT helper_contact FROM offers), act_shown = (SELECT act_shown FROM offers)
         WHERE is_receipt = 0;
         DELETE FROM letters_given",
    );
    assert_eq!(south.sync(&hub).letters.given, 0, "the one door keeps it");
    let kept = letters(&south.node, &south.actor()).expect("a store");
    let kept = kept.iter().find(|letter| letter.thread == key.id);
    let why = &kept.expect("it waits").state;
    assert!(why.sentence.contains("not accepted"), "{}", why.sentence);
    // A node that does not care sends them all the same.
    in_private(&south, "UPDATE offers SET state = 'accepted'");
    assert_eq!(south.sync(&hub).letters.given, 1);
    north.sync(&hub);
    assert_eq!(state(&north, &key), "offered");
    assert!(!home_holds(&north, HELPER), "nothing of it is kept");
}

#[test]
fn members_of_one_community_help_each_other_without_a_letter() {
    let mut north = Member::found("North");
    let alice = north.actor();
    let input = UserAdd {
        handle: "bob",
        display_name: Some("Bob"),
        bio: None,
        role: Role::Member,
        email: Some(HELPER),
    };
    user_add(&mut north.node, &alice, &input).expect("a member");
    let bob = north.node.actor(Some("bob")).expect("a member");
    let request = north.ask("A drill", Scope::Private);
    assert!(offer_as(&north.node, &alice, &request).is_err(), "her own");
    let id = offer_as(&north.node, &bob, &request).expect("a member may");
    let again = offer_as(&north.node, &bob, &request);
    assert!(again.is_err(), "once is enough");
    let key = RecordRef {
        origin: north.id(),
        id,
    };
    assert_eq!(email(&seen(&north, &key)), None, "not before she accepts");
    // Nobody else sees that there is one.
    let input = UserAdd {
        handle: "eve",
        role: Role::Steward,
        ..input
    };
    user_add(&mut north.node, &alice, &input).expect("a steward");
    let eve = north.node.actor(Some("eve")).expect("a steward");
    assert_eq!(offers(&north.node, &eve).expect("a store"), []);
    assert!(accepting(&north.node, &eve, &key, ways(ASKER)).is_err());
    assert!(accepting(&north.node, &bob, &key, ways(ASKER)).is_err());
    accept(&north, &key).expect("its author may");
    assert_eq!(email(&seen(&north, &key)), Some(HELPER));
    let his = offers(&north.node, &bob).expect("a store");
    assert_eq!(email(&his[0]), Some(ASKER));
    assert!(letters(&north.node, &alice).expect("a store").is_empty());
    offer_done(&north.node, &bob, &key, Some(THANKS.to_owned())).expect("either side may");
    assert_eq!(status(&north, &request), To::Completed);
    let hers = seen(&north, &key);
    assert_eq!(
        (hers.state, email(&hers), hers.thanks.as_deref()),
        ("done", None, Some(THANKS))
    );
    assert!(!home_holds(&north, ASKER), "it is hidden again");
}

#[test]
fn whoever_cannot_be_answered_is_told_so() {
    let (hub, mut north, mut south, mut east, request) = asked(Scope::Public);
    sync_all(&hub, &mut [&mut east]);
    let (first, second) = (offer(&south, &request), offer(&east, &request));
    sync_all(&hub, &mut [&mut south, &mut east, &mut north]);
    // One of two helped; the other need not wait for an answer.
    accept(&north, &first).expect("its author may");
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    offer_done(&north.node, &north.actor(), &first, None).expect("either side may");
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    assert_eq!(
        (state(&south, &first), state(&east, &second)),
        ("done", "closed")
    );
    assert_eq!(status(&south, &request), To::Completed);
    // What comes when the request is gone already.
    let request = north.ask("A cot", Scope::Public);
    sync_all(&hub, &mut [&mut north, &mut south]);
    let late = offer(&south, &request);
    let author = north.actor();
    record_unshare(&north.node, &author, &request).expect("her own");
    sync_all(&hub, &mut [&mut south, &mut north]);
    sync_all(&hub, &mut [&mut south]);
    assert_eq!(state(&south, &late), "closed");
    assert!(!home_holds(&south, ASKER));
    let hers = offers(&north.node, &author).expect("a store");
    assert!(
        hers.iter().all(|offer| offer.id != late.id),
        "nothing of it is kept"
    );
}

#[test]
fn an_offer_is_over_after_thirty_days_and_one_that_never_arrives_is_told() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    sync_all(&hub, &mut [&mut south]);
    let month = "UPDATE offers SET at = at - 30 * 86400000 - 1";
    in_private(&north, month);
    in_private(&south, month);
    assert_eq!((state(&north, &key), state(&south, &key)), ("over", "over"));
    assert!(accept(&north, &key).is_err(), "too late");
    let again = offer(&south, &request);
    in_private(
        &south,
        "UPDATE letters_out SET expires = 1 WHERE receipt IS NULL AND is_receipt = 0",
    );
    south.sync(&hub);
    assert_eq!(state(&south, &again), "lost");
}

#[test]
fn so_many_offers_are_made_and_taken_and_no_more() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let actor = south.actor();
    for _ in 0..OFFERS_PER_REQUEST_MAX {
        let key = offer(&south, &request);
        offer_decline(&south.node, &actor, &key, None).expect("its own");
    }
    assert!(offer_as(&south.node, &actor, &request).is_err());
    // A node that does not count its own is counted by the other.
    in_private(&south, "DELETE FROM offers; DELETE FROM letters_out");
    for _ in 0..=OFFERS_PER_REQUEST_MAX {
        offer(&south, &request);
        in_private(
            &south,
            "UPDATE offers SET helper = NULL, request = x'019adf000000700080000000000000aa'",
        );
    }
    sync_all(&hub, &mut [&mut south, &mut north]);
    let came = offers(&north.node, &north.actor()).expect("a store");
    assert_eq!(came.len() as u64, OFFERS_PER_REQUEST_MAX);
    let requests: Vec<RecordRef> = (0..=OFFERS_PER_MEMBER_MAX)
        .map(|n| north.ask(&format!("Request {n}"), Scope::Public))
        .collect();
    sync_all(&hub, &mut [&mut north, &mut south]);
    let (last, rest) = requests.split_last().expect("some");
    for request in rest {
        offer(&south, request);
    }
    assert!(offer_as(&south.node, &actor, last).is_err());
}

/// A second member, who helps, so that somebody can leave.
fn with_bob(member: &mut Member) -> Actor {
    let alice = member.actor();
    let input = UserAdd {
        handle: "bob",
        display_name: None,
        bio: None,
        role: Role::Member,
        email: None,
    };
    user_add(&mut member.node, &alice, &input).expect("a member");
    member.node.actor(Some("bob")).expect("a member")
}

#[test]
fn offers_are_in_what_a_member_takes_along_and_go_with_the_account() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let bob = with_bob(&mut south);
    let id = offer_as(&south.node, &bob, &request).expect("a member may");
    let key = RecordRef {
        origin: south.id(),
        id,
    };
    sync_all(&hub, &mut [&mut south, &mut north]);
    accept(&north, &key).expect("its author may");
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    let data = member_data(&south.node, &bob, "bob")
        .expect("his own")
        .to_json();
    for words in [TEXT, HELPER, ASKER] {
        assert!(data.contains(words), "{words} is his");
    }
    let others = member_data(&south.node, &south.actor(), "alice").expect("her own");
    assert!(others.offers.is_empty());

    user_erase(&south.node, &bob, "bob").expect("his own");
    for words in [TEXT, HELPER, ASKER] {
        assert!(!home_holds(&south, words), "{words} went with the account");
    }
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut south, &mut north]);
    }
    assert_eq!(state(&north, &key), "taken_back");
    for words in [TEXT, HELPER, ASKER] {
        assert!(!home_holds(&north, words), "{words} is asked back");
    }
    assert!(!home_holds(&south, ASKER));
}

#[test]
fn offers_to_a_member_go_with_the_account_and_who_made_them_is_told() {
    let (hub, mut north, mut south, mut east) = three();
    let bob = with_bob(&mut north);
    let input = wb_node::command::request_add::RequestAdd {
        title: "A lift",
        description: "Please.",
        scope: Scope::Public,
    };
    let id = wb_node::command::request_add::request_add(&mut north.node, &bob, &input);
    let request = RecordRef {
        origin: north.id(),
        id: id.expect("a request"),
    };
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    let (first, second) = (offer(&south, &request), offer(&east, &request));
    sync_all(&hub, &mut [&mut south, &mut east, &mut north]);
    let shown = accepting(&north.node, &bob, &first, ways(ASKER)).expect("his own");
    offer_accept(&north.node, &bob, &shown).expect("his own");
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    user_erase(&north.node, &bob, "bob").expect("his own");
    for words in [TEXT, HELPER, ASKER] {
        assert!(!home_holds(&north, words), "{words} went with the account");
    }
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    }
    assert_eq!(
        (state(&south, &first), state(&east, &second)),
        ("closed", "closed")
    );
    assert!(!home_holds(&south, ASKER));
}

#[test]
fn a_request_is_completed_once_and_who_helped_says_thanks_all_the_same() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    accept(&north, &key).expect("its author may");
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    let actor = north.actor();
    request_complete(&mut north.node, &actor, &request, None).expect("her own");
    sync_all(&hub, &mut [&mut north, &mut south]);
    // Who helps can still be reached for a while, or until one of them says that it is done.
    assert_eq!(email(&seen(&north, &key)), Some(HELPER));
    assert!(seen(&north, &key).ends_at.is_some());
    offer_done(&south.node, &south.actor(), &key, Some(THANKS.to_owned())).expect("either side");
    sync_all(&hub, &mut [&mut south, &mut north]);
    assert_eq!(seen(&north, &key).thanks.as_deref(), Some(THANKS));
}

#[test]
fn help_that_nobody_says_is_done_ends_by_itself_a_week_after_its_request() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    accept(&north, &key).expect("its author may");
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut north, &mut south]);
    }
    let actor = north.actor();
    // While it is open nothing ends by itself.
    assert_eq!(seen(&north, &key).ends_at, None);
    request_cancel(&mut north.node, &actor, &request, None).expect("her own");
    let ends = seen(&north, &key).ends_at.expect("a time");
    let day = 24 * 60 * 60 * 1_000;
    let left = ends.unix_ms() - north.node.now().unix_ms();
    assert!((7 * day - left).abs() < day / 24, "{left}");
    let back = |north: &Member, days: i64| {
        let sql = "UPDATE records SET at = at - ?1 WHERE kind = 'status'";
        assert_eq!(north.file().execute(sql, [days * day]).expect("a row"), 1);
    };
    sync_all(&hub, &mut [&mut north, &mut south]);
    back(&north, 6);
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(email(&seen(&north, &key)), Some(HELPER));
    assert_eq!(email(&seen(&south, &key)), Some(ASKER));
    back(&north, 1);
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut north, &mut south]);
    }
    assert_eq!(
        (state(&north, &key), state(&south, &key)),
        ("closed", "closed")
    );
    for (member, words) in [
        (&north, HELPER),
        (&south, ASKER),
        (&north, ASKER),
        (&south, HELPER),
    ] {
        assert!(!home_holds(member, words), "{words}");
    }
    let told = north.told();
    assert!(
        told.iter().any(|words| words.contains("ended by itself")),
        "{told:?}"
    );
    assert!(helpers(&north.node, &request).expect("a store").is_empty());
}

#[test]
fn two_hubs_carry_an_offer_and_nothing_counts_twice() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let other = HubUp::start("Lighthouse", Policy::Open);
    for member in [&mut north, &mut south] {
        member.register(&other);
    }
    let key = offer(&south, &request);
    for hub in [&hub, &other] {
        sync_all(hub, &mut [&mut south, &mut north]);
    }
    accept(&north, &key).expect("its author may");
    for hub in [&hub, &other] {
        sync_all(hub, &mut [&mut north, &mut south]);
        sync_all(hub, &mut [&mut north]);
    }
    assert_eq!(email(&seen(&south, &key)), Some(ASKER));
    assert_eq!(email(&seen(&north, &key)), Some(HELPER));
    let told = south
        .node
        .store()
        .private()
        .all_notices(&south.actor().user);
    let told = told.expect("a store");
    let accepted = told
        .iter()
        .filter(|(notice, _)| notice.detail.contains("was accepted"));
    assert_eq!(accepted.count(), 1, "{told:?}");
}

#[test]
fn an_offer_that_is_over_gives_out_no_way_to_reach_who_made_it() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    accept(&north, &key).expect("its author may");
    in_private(&south, "UPDATE offers SET at = at - 30 * 86400000 - 1");
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut north, &mut south]);
    }
    assert_eq!(state(&south, &key), "closed");
    assert_neither_has_contacts(&north, &south, &hub);
}

#[test]
fn so_many_are_told_that_nobody_answers_and_no_more() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    record_unshare(&north.node, &north.actor(), &request).expect("her own");
    let closed = LetterBody::Closed(Closed { request });
    let (raw, kind) = (closed.to_raw(), closed.kind());
    let now = north.node.now();
    for _ in 0..LETTERS_PER_PAIR_MAX {
        let letter = NewLetter {
            recipient: south.id(),
            thread: wb_node::entropy::record_id(now),
            is_receipt: false,
            n: 1,
            kind: kind.as_str(),
            body: raw.get(),
            owner: None,
            request: Some(request),
            act: None,
            at: now,
            expires: now.plus_ms(86_400_000),
        };
        let private = north.node.store().private();
        private.put_letter(&letter).expect("a store");
    }
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    let private = north.node.store().private();
    let told = private.letter_out(&key.origin, &key.id, false);
    assert_eq!(told.expect("a store"), None);
    // Those that are over make room.
    in_private(
        &north,
        "UPDATE letters_out SET expires = 1 WHERE kind = 'closed'",
    );
    let private = north.node.store().private();
    private.tidy_letters(north.node.now()).expect("a store");
    assert_eq!(private.closed_to(&key.origin).expect("a store"), 0);
}

#[test]
fn refusing_a_community_ends_offers_between_it_and_members_here() {
    for accepted in [false, true] {
        let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
        let key = offer(&south, &request);
        sync_all(&hub, &mut [&mut south, &mut north]);
        if accepted {
            accept(&north, &key).expect("its author may");
            sync_all(&hub, &mut [&mut north, &mut south]);
            sync_all(&hub, &mut [&mut north]);
        }
        let actor = north.actor();
        peer_block(&mut north.node, &actor, key.origin).expect("an admin may");
        assert_eq!(state(&north, &key), "closed");
        for words in [TEXT, HELPER] {
            assert!(!home_holds(&north, words), "{words} went with it");
        }
    }
}

#[test]
fn an_offer_ends_here_where_the_other_community_is_not_accepted_any_more() {
    let (hub, mut north, mut south, _east, request) = asked(Scope::Public);
    let key = offer(&south, &request);
    sync_all(&hub, &mut [&mut south, &mut north]);
    let actor = north.actor();
    peer_block(&mut north.node, &actor, key.origin).expect("an admin may");
    in_private(&north, "UPDATE offers SET state = 'accepted'");
    offer_decline(&north.node, &actor, &key, None).expect("her own");
    assert_eq!(state(&north, &key), "declined");
}

#[test]
fn what_was_said_with_an_offer_to_a_neighbour_goes_when_it_is_taken_back() {
    let mut north = Member::found("North");
    let bob = with_bob(&mut north);
    let request = north.ask("A drill", Scope::Private);
    let id = offer_as(&north.node, &bob, &request).expect("a member may");
    let key = RecordRef {
        origin: north.id(),
        id,
    };
    assert!(home_holds(&north, TEXT));
    offer_decline(&north.node, &bob, &key, None).expect("his own");
    assert!(!home_holds(&north, TEXT));
    assert!(!home_holds(&north, HELPER));
}
