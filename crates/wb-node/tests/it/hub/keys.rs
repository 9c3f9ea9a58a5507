//! The keys of an instance over a life: changed, stolen, taken back with the words.

use wb_core::id::RecordRef;
use wb_core::limits::NUMBER_MAX;
use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::{PeerCause, Policy};
use wb_core::words::RecoveryWords;
use wb_node::NodeError;
use wb_node::command::key_recover::{
    Gathered, Recover, RecoveredKey, check_words, fresh_words, gather, key_recover,
};
use wb_node::command::key_rotate::{Rotate, Rotated, key_rotate};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::restore::{Confirmed, confirm};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::command::user_erase::user_erase;
use wb_node::command::void_decide::{void_drop, void_keep};
use wb_node::keys::Behind;
use wb_node::query::inbox::{inbox, inbox_item};
use wb_node::query::key::key;
use wb_store::{Home, Role, Store};

use super::world::{HubUp, Member, titles};

/// An instance of which the words are known.
pub(super) struct Owner {
    pub(super) member: Member,
    words: RecoveryWords,
}

pub(super) fn rotate(member: &mut Member) -> wb_node::Result<Rotated> {
    rotate_behind(member, &Behind::AsBefore)
}

fn rotate_behind(member: &mut Member, behind: &Behind) -> wb_node::Result<Rotated> {
    rotate_as(member, behind, false)
}

fn rotate_as(member: &mut Member, behind: &Behind, offline: bool) -> wb_node::Result<Rotated> {
    let actor = member.actor();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(key_rotate(
        &mut member.node,
        &actor,
        Rotate { behind, offline },
    ))
}

fn gathered(member: &mut Member) -> Gathered {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(gather(&mut member.node))
        .expect("it gathers")
}

impl Owner {
    pub(super) fn found(name: &str) -> Self {
        let (member, words) = Member::found_with_words(name);
        let words = RecoveryWords::parse(&words).expect("its own words");
        Self { member, words }
    }

    /// Recovers to the newest publication that was sealed in its folder.
    pub(super) fn recover(&mut self) -> wb_node::Result<RecoveredKey> {
        let gathered = gathered(&mut self.member);
        let last_good = gathered.suggested().map(|one| one.hash);
        self.recover_to(&gathered, last_good)
    }

    fn recover_to(
        &mut self,
        gathered: &Gathered,
        last_good: Option<wb_core::id::Hash>,
    ) -> wb_node::Result<RecoveredKey> {
        let new_words = fresh_words();
        let input = Recover {
            words: &self.words,
            new_words: &new_words,
            last_good,
            gathered,
            behind: Behind::AsBefore,
        };
        let actor = self.member.actor();
        let recovered = key_recover(&mut self.member.node, &actor, &input)?;
        self.words = new_words;
        Ok(recovered)
    }
}

/// North with three requests, South and East who follow it, at one hub.
struct Street {
    hub: HubUp,
    north: Owner,
    south: Member,
    east: Member,
    asked: Vec<RecordRef>,
}

const OWN: [&str; 3] = ["A ladder", "A lift to town", "Soup on Friday"];

impl Street {
    fn new() -> Self {
        let hub = HubUp::start("Harbour", Policy::Open);
        let mut north = Owner::found("North");
        let (mut south, mut east) = (Member::found("South"), Member::found("East"));
        for member in [&mut north.member, &mut south, &mut east] {
            member.register(&hub);
        }
        let asked = OWN
            .iter()
            .map(|title| north.member.ask(title, Scope::Public))
            .collect();
        assert_eq!(north.member.sync(&hub).end, None);
        for follower in [&mut south, &mut east] {
            follower.follow_all(&hub, &[north.member.id()]);
            assert_eq!(follower.sync(&hub).end, None);
            assert_eq!(titles(follower), OWN);
        }
        Self {
            hub,
            north,
            south,
            east,
            asked,
        }
    }

    /// Whoever has a copy of the folder publishes, takes everything back and rotates first.
    fn steal(&mut self) -> Member {
        let mut thief = self.north.member.twin();
        thief.ask("Send money here", Scope::Public);
        for asked in &self.asked {
            thief.take_back(asked);
        }
        assert_eq!(thief.sync(&self.hub).end, None);
        rotate(&mut thief).expect("the thief is first");
        thief.ask("And here", Scope::Public);
        assert_eq!(thief.sync(&self.hub).end, None);
        thief
    }
}

#[test]
fn a_recovery_wins_over_a_thief_who_published_took_everything_back_and_rotated_first() {
    let mut street = Street::new();
    let mut thief = street.steal();
    assert_eq!(street.south.sync(&street.hub).end, None);
    assert_eq!(titles(&street.south), ["And here", "Send money here"]);
    // The owner is shut out, and told what to do.
    let (cause, _) = street.north.member.sync(&street.hub).end.expect("shut out");
    assert_eq!(cause, PeerCause::KeyRetired);
    assert!(cause.action().contains("wb key recover"));

    let seen = gathered(&mut street.north.member);
    let from_here: Vec<bool> = seen
        .publications
        .iter()
        .map(|one| one.machine.is_some())
        .collect();
    assert_eq!(from_here, [false, false, true], "the newest first");
    assert_eq!(seen.other_keys.len(), 1, "the thief's rotation");
    let recovered = street.north.recover().expect("it recovers");
    assert_eq!(
        (recovered.void, recovered.listed, recovered.afresh),
        (2, 2, false)
    );
    let hub = &street.hub;
    let synced = street.north.member.sync(hub);
    assert_eq!(synced.end, None, "{synced:?}");
    assert_eq!(synced.published.new_logs, 1);

    // Who stood at the thief's head, who was away meanwhile, and who comes new.
    let pulled = street.south.sync(hub);
    assert_eq!(pulled.end, None, "{pulled:?}");
    assert_eq!(pulled.recovered.len(), 1);
    assert_eq!(
        (pulled.recovered[0].hidden, pulled.recovered[0].returned),
        (2, 3)
    );
    assert_eq!(street.east.sync(hub).end, None);
    let mut west = Member::found("West");
    west.register(hub);
    west.follow_all(hub, &[street.north.member.id()]);
    assert_eq!(west.sync(hub).end, None);
    for follower in [&mut street.south, &mut street.east, &mut west] {
        assert_eq!(titles(follower), OWN);
        follower.assert_equals(&street.north.member);
        assert_eq!(follower.held_rows(), [""; 0], "no fork is seen");
        follower.assert_sound();
    }
    let news = inbox(&street.south.node).expect("a store");
    let causes: Vec<&str> = news.iter().map(|item| item.cause).collect();
    assert!(causes.contains(&"recovered"), "{causes:?}");

    // What the thief published is listed, at the owner alone.
    let items = inbox(&street.north.member.node).expect("a store");
    let void = items.iter().find(|item| item.cause == "void_publications");
    assert_eq!(void.expect("it is listed").count, 2);
    assert_eq!(titles(&street.north.member), OWN);
    street.north.member.assert_sound();

    // The thief is out: at the hub, and with everybody who follows.
    let (cause, _) = thief.sync(hub).end.expect("shut out");
    assert_eq!(cause, PeerCause::KeyRetired);
    assert_eq!(street.south.sync(hub).end, None);
    assert_eq!(titles(&street.south), OWN);
}

#[test]
fn old_words_are_dead_after_a_recovery() {
    let mut street = Street::new();
    let old = RecoveryWords::parse(&street.north.words.text()).expect("words");
    street.north.recover().expect("it recovers");
    assert!(check_words(&street.north.member.node, &old).is_err());
    street.north.words = old;
    let gathered = gathered(&mut street.north.member);
    let last_good = gathered.suggested().map(|one| one.hash);
    let before = key(&street.north.member.node).expect("a key").entry;
    let again = street.north.recover_to(&gathered, last_good);
    assert!(matches!(again, Err(NodeError::Refused(_))), "{again:?}");
    assert_eq!(key(&street.north.member.node).expect("a key").entry, before);
    // A copy of the folder from before, with the old words, comes too late as well.
    let mut copy = street.north.member.twin();
    assert_eq!(copy.node.identity().entries().len(), 2);
    copy.assert_sound();
}

/// Whoever keeps a copy of the folder from before a recovery and has the old words is told that they were used.
#[test]
fn words_that_were_used_elsewhere_recover_nothing() {
    let mut street = Street::new();
    let mut copy = Owner {
        member: street.north.member.twin(),
        words: RecoveryWords::parse(&street.north.words.text()).expect("words"),
    };
    street.north.recover().expect("it recovers");
    assert_eq!(street.north.member.sync(&street.hub).end, None);

    let refused = copy.recover();

    let Err(NodeError::Refused(why)) = refused else {
        panic!("it is refused: {refused:?}");
    };
    assert!(why.contains("used before"), "{why}");
    assert_eq!(copy.member.node.identity().entries().len(), 1);
}

#[test]
fn what_somebody_else_published_is_kept_or_dropped_one_by_one() {
    let mut street = Street::new();
    street.steal();
    street.north.recover().expect("it recovers");
    assert_eq!(street.north.member.sync(&street.hub).end, None);
    let items = inbox(&street.north.member.node).expect("a store");
    let void = items.iter().find(|item| item.cause == "void_publications");
    let (_, things) =
        inbox_item(&street.north.member.node, &void.expect("listed").key).expect("an item");
    let id_of = |title: &str| {
        let thing = things.iter().find(|thing| thing.note == title);
        thing
            .and_then(|thing| thing.id)
            .expect("listed")
            .to_string()
    };

    let actor = street.north.member.actor();
    let node = &mut street.north.member.node;
    void_keep(node, &actor, &id_of("And here")).expect("it is kept");
    void_drop(node, &actor, &id_of("Send money here")).expect("it is dropped");

    assert_eq!(street.north.member.sync(&street.hub).end, None);
    assert_eq!(street.south.sync(&street.hub).end, None);
    let shown = titles(&street.south);
    assert_eq!(shown.len(), 4, "{shown:?}");
    assert!(shown.contains(&"And here".to_owned()), "{shown:?}");
    let items = inbox(&street.north.member.node).expect("a store");
    assert!(items.iter().all(|item| item.cause != "void_publications"));
    street.south.assert_equals(&street.north.member);
    street.north.member.assert_sound();
}

/// What a stolen key had published in a member's name waited for its owner's decision with all its words, after that
/// member was erased; and came, with all its words, when they were erased before.
#[test]
fn nothing_that_waits_for_a_decision_has_words_of_an_erased_member() {
    for is_erased_first in [false, true] {
        let mut street = Street::new();
        let actor = street.north.member.actor();
        let eve = UserAdd {
            handle: "eve",
            display_name: None,
            bio: None,
            role: Role::Member,
            email: None,
        };
        user_add(&mut street.north.member.node, &actor, &eve).expect("a member");
        assert_eq!(street.north.member.sync(&street.hub).end, None);
        let mut thief = street.north.member.twin();
        let as_eve = thief.node.actor(Some("eve")).expect("she is there, too");
        let ask = RequestAdd {
            title: "A secret of hers",
            description: "Please.",
            scope: Scope::Public,
        };
        request_add(&mut thief.node, &as_eve, &ask).expect("a request");
        thief.ask("Send money here", Scope::Public);
        assert_eq!(thief.sync(&street.hub).end, None);

        let erase = |street: &Street| {
            user_erase(&street.north.member.node, &actor, "eve").expect("an admin may");
        };
        if is_erased_first {
            erase(&street);
        }
        street.north.recover().expect("it recovers");
        assert_eq!(street.north.member.sync(&street.hub).end, None);
        if !is_erased_first {
            erase(&street);
        }

        let waiting = street.north.member.node.store().void_publications();
        let waiting = waiting.expect("they are read");
        assert_eq!(waiting.len(), 2, "{is_erased_first}: both are told of");
        let words: Vec<String> = waiting
            .iter()
            .filter_map(|void| void.line.as_deref())
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        assert_eq!(words.len(), 1, "{is_erased_first}: {words:?}");
        assert!(words[0].contains("Send money here"), "{words:?}");
        street.north.member.assert_sound();
    }
}

/// Somebody at this very folder published and took back: below the publication that was good.
#[test]
fn a_recovery_below_the_own_head_puts_everything_that_stays_again() {
    let mut street = Street::new();
    let good = gathered(&mut street.north.member).publications[0].hash;
    street
        .north
        .member
        .ask("Written by somebody else", Scope::Public);
    street.north.member.take_back(&street.asked[0]);
    assert_eq!(street.north.member.sync(&street.hub).end, None);
    assert_eq!(street.south.sync(&street.hub).end, None);
    assert_eq!(titles(&street.south).len(), 3);

    let gathered = gathered(&mut street.north.member);
    let recovered = street
        .north
        .recover_to(&gathered, Some(good))
        .expect("it recovers");
    assert_eq!(
        (recovered.void, recovered.listed, recovered.afresh),
        (1, 1, true)
    );
    let synced = street.north.member.sync(&street.hub);
    assert_eq!(synced.end, None, "{synced:?}");

    for follower in [&mut street.south, &mut street.east] {
        assert_eq!(follower.sync(&street.hub).end, None);
        // What was taken back here stays so until whoever wrote it says otherwise.
        assert_eq!(titles(follower), OWN[1..]);
        follower.assert_equals(&street.north.member);
        follower.assert_sound();
    }
    street.north.member.assert_sound();
}

fn causes(member: &Member) -> Vec<&'static str> {
    let items = inbox(&member.node).expect("a store");
    items.iter().map(|item| item.cause).collect()
}

/// Whoever recovers below own publications had unshared something since: its text, which may be another one by
/// now, was published again unasked.
#[test]
fn what_its_owner_took_back_goes_nowhere_by_a_recovery() {
    let mut street = Street::new();
    let good = gathered(&mut street.north.member).publications[0].hash;
    let asked = street.asked[0];
    street.north.member.take_back(&asked);
    assert_eq!(street.north.member.sync(&street.hub).end, None);
    street
        .north
        .member
        .reword(&asked, "Only for us: the key is under the pot");

    let gathered = gathered(&mut street.north.member);
    let recovered = street.north.recover_to(&gathered, Some(good));

    assert!(recovered.expect("it recovers").afresh);
    assert_eq!(street.north.member.sync(&street.hub).end, None);
    assert_eq!(street.south.sync(&street.hub).end, None);
    assert_eq!(titles(&street.south), OWN[1..]);
    let north = &mut street.north.member;
    let local = north.node.store().local(&asked.id).expect("a store");
    assert_eq!(local.expect("it is here").scope, Scope::Private);
    assert!(causes(north).contains(&"void_retractions"));
    let shown = key(&north.node).expect("a key");
    assert_eq!((shown.void_taken_back, shown.void_returned), (1, 0));

    // Nobody can keep it by mistake; whoever wrote it shares it.
    let (actor, id) = (north.actor(), asked.id.to_string());
    assert!(void_keep(&mut north.node, &actor, "all").is_err());
    let kept = void_keep(&mut north.node, &actor, &id);
    let Err(NodeError::Refused(why)) = kept else {
        panic!("it is refused: {kept:?}");
    };
    assert!(why.contains("wb record share"), "{why}");
    void_drop(&mut north.node, &actor, &id).expect("it is put away");
    assert!(!causes(north).contains(&"void_retractions"));
}

/// Keeping a void publication must lose nothing of what is here, and publish nothing that it does not say.
#[test]
fn a_void_publication_that_would_lose_something_here_is_not_kept() {
    let mut street = Street::new();
    let good = gathered(&mut street.north.member).publications[0].hash;
    let mut thief = street.north.member.twin();
    for asked in &street.asked {
        thief.reword(asked, "Send money here");
    }
    let gone = thief.ask("Sent and taken back", Scope::Public);
    assert_eq!(thief.sync(&street.hub).end, None);
    thief.take_back(&gone);
    assert_eq!(thief.sync(&street.hub).end, None);
    let gathered = gathered(&mut street.north.member);
    street
        .north
        .recover_to(&gathered, Some(good))
        .expect("it recovers");
    let north = &mut street.north.member;
    assert_eq!(north.sync(&street.hub).end, None);
    // One is changed here and not published, one is taken back, and one is as it was.
    let [changed, home, kept] = [0, 1, 2].map(|at| street.asked[at]);
    north.reword(&changed, "Two ladders");
    north.take_back(&home);

    let actor = north.actor();
    let decided = void_keep(&mut north.node, &actor, "all").expect("what can be kept is");

    let refused = |id| {
        let one = decided.iter().find(|one| one.id == id).expect("listed");
        one.refused.is_some()
    };
    assert_eq!(decided.len(), 3, "what was taken back is not among them");
    assert_eq!(
        [changed, home, kept].map(|record| refused(record.id)),
        [true, true, false]
    );
    let named = void_keep(&mut north.node, &actor, &home.id.to_string());
    assert!(matches!(named, Err(NodeError::Refused(_))), "{named:?}");
    assert_eq!(north.sync(&street.hub).end, None);
    assert_eq!(street.south.sync(&street.hub).end, None);
    assert_eq!(titles(&street.south), ["Send money here", "Two ladders"]);
}

/// Whoever has the key decides how much there is to list.
#[test]
fn what_is_kept_of_void_publications_is_bounded() {
    const VOID_ENTRIES_MAX: i64 = 65_536;
    let mut street = Street::new();
    street.steal();
    let main = rusqlite::Connection::open(street.north.member.home().main()).expect("a file");
    let filled = main.execute(
        "INSERT INTO void_own (hash, log, seq, scope, at, op, id, rev, kind)
         WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         SELECT randomblob(32), randomblob(16), n, 'public', 0, 'retract', randomblob(16), 1, 'request' FROM n",
        [VOID_ENTRIES_MAX],
    );
    assert_eq!(filled.expect("filled"), 65_535);

    street.north.recover().expect("it recovers");

    let count = "SELECT count(*) FROM void_own";
    let kept: i64 = main
        .query_row(count, [], |row| row.get(0))
        .expect("a count");
    assert_eq!(kept, VOID_ENTRIES_MAX);
    let synced = street.north.member.sync(&street.hub);
    assert_eq!(synced.end, None, "{synced:?}");
}

/// Two copies were known before: after the recovery the owner's goes on, and the other one is closed.
#[test]
fn a_recovery_ends_what_was_said_of_two_copies() {
    let mut street = Street::new();
    let mut thief = street.north.member.twin();
    thief.ask("Send money here", Scope::Public);
    assert_eq!(thief.sync(&street.hub).end, None);
    // As another process of this folder: one that stays open took its turn a moment ago.
    let mut north = street.north.member.at_same_folder();
    let (cause, _) = north.sync(&street.hub).end.expect("two copies are known");
    assert_eq!(cause, PeerCause::TwoCopies);
    assert!(cause.action().contains("wb key recover"));

    let recovered = street.north.recover().expect("it recovers");

    assert_eq!(recovered.warnings, [""; 0]);
    let north = &mut street.north.member;
    assert_eq!(north.node.store().own_copies().expect("a store"), []);
    let synced = north.sync(&street.hub);
    assert_eq!(synced.end, None, "{synced:?}");
    north.ask("Still here", Scope::Public);
    assert_eq!(north.sync(&street.hub).end, None);
    assert!(thief.sync(&street.hub).end.is_some());
    assert_eq!(north.sync(&street.hub).end, None);
}

/// A hub that was not told of a new key yet is told when it is asked before sealing, and not called unreachable.
#[test]
fn a_hub_is_told_of_a_new_key_when_it_is_asked_for_the_newest_copy() {
    let mut street = Street::new();
    let north = &mut street.north.member;
    rotate(north).expect("it rotates");

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let confirmed = runtime.block_on(confirm(&north.node));

    assert!(matches!(confirmed, Ok(Confirmed::By(_))), "{confirmed:?}");
}

/// The entry was committed, and something after it failed: that was told as if nothing had been done, and the sheet
/// of the words that count was removed.
#[test]
fn what_fails_after_a_recovery_is_committed_is_a_warning() {
    let mut north = Owner::found("North");
    let home = north.member.home();
    // The next key cannot take this place.
    std::fs::remove_file(home.signing_key()).expect("a key");
    std::fs::create_dir_all(home.signing_key().join("in the way")).expect("a folder");
    let (gathered, new_words) = (gathered(&mut north.member), fresh_words());
    let input = Recover {
        words: &north.words,
        new_words: &new_words,
        last_good: None,
        gathered: &gathered,
        behind: Behind::Nothing,
    };
    let actor = north.member.actor();

    let recovered = key_recover(&mut north.member.node, &actor, &input).expect("it is recovered");

    assert_eq!(recovered.position.era, 1);
    assert!(!recovered.warnings.is_empty());
    check_words(&north.member.node, &new_words).expect("the new words count");
    // The key that speaks stays beside until there is room.
    std::fs::remove_dir_all(home.signing_key()).expect("a folder");
    std::fs::write(home.signing_key(), "11".repeat(32)).expect("a file");
    north.member.node = wb_node::Node::open(&home).expect("it opens");
    assert!(!home.next_signing_key().exists());
    north.member.ask("Something", Scope::Public);
    north.member.seal();
}

/// A thief put a revision that leaves no number above it, and nothing could be published ever after.
#[test]
fn a_thief_cannot_use_up_the_numbers_of_revisions() {
    let mut street = Street::new();
    let mut thief = street.north.member.twin();
    let asked = street.asked[0];
    let write = thief.node.store().write_in_sight().expect("a store");
    write
        .rise_above(&asked.id, NUMBER_MAX - 1)
        .expect("a store");
    write.commit().expect("a store");
    thief.reword(&asked, "Send money here");
    assert_eq!(thief.sync(&street.hub).end, None);
    assert_eq!(street.south.sync(&street.hub).end, None);
    street.north.recover().expect("it recovers");
    assert_eq!(street.north.member.sync(&street.hub).end, None);

    street.north.member.reword(&asked, "A long ladder");
    let synced = street.north.member.sync(&street.hub);

    assert_eq!(synced.end, None, "{synced:?}");
    for follower in [&mut street.south, &mut street.east] {
        assert_eq!(follower.sync(&street.hub).end, None);
        assert_eq!(
            titles(follower),
            ["A lift to town", "A long ladder", OWN[2]]
        );
        follower.assert_equals(&street.north.member);
    }
}

/// Of one record whose numbers are used up by what counts, that one stays, and all others leave.
#[test]
fn a_record_without_numbers_keeps_no_other_home() {
    let mut street = Street::new();
    let (north, asked) = (&mut street.north.member, street.asked[0]);
    let write = north.node.store().write_in_sight().expect("a store");
    write
        .put_again_above(&asked.id, NUMBER_MAX)
        .expect("a store");
    write.commit().expect("a store");
    north.ask("Another", Scope::Public);

    assert_eq!(north.sync(&street.hub).end, None);

    let plan = wb_node::plan::whole(&north.node, north.node.now()).expect("a store");
    let stays = plan.stays.iter().find(|stay| stay.id == asked.id);
    assert_eq!(
        stays.map(|stay| stay.cause),
        Some(wb_core::leave::Stays::NumbersUsedUp)
    );
    assert_eq!(street.south.sync(&street.hub).end, None);
    assert_eq!(titles(&street.south).len(), 4);
}

#[test]
fn hubs_and_followers_follow_a_rotation_by_themselves() {
    let mut street = Street::new();
    let before = key(&street.north.member.node).expect("a key");
    let rotated = rotate(&mut street.north.member).expect("it rotates");
    assert_eq!((rotated.asked.len(), rotated.unasked.len()), (1, 0));
    let after = key(&street.north.member.node).expect("a key");
    assert_ne!(after.key, before.key);
    assert_eq!((after.n, after.era), (1, 0));
    assert!(!street.north.member.home().next_signing_key().exists());

    street.north.member.ask("With the new key", Scope::Public);
    assert_eq!(street.north.member.sync(&street.hub).end, None);

    let pulled = street.south.sync(&street.hub);
    assert_eq!((pulled.end, pulled.tally.snapshots), (None, 0));
    street.south.assert_equals(&street.north.member);
    assert_eq!(titles(&street.south).len(), 4);
    // The registration is as it was.
    let member = street
        .hub
        .member(street.north.member.id())
        .expect("a member");
    assert!(member.listed);
}

/// A node that stays open speaks with the key that another process put in place.
#[test]
fn a_node_that_is_open_notices_a_new_key() {
    let mut street = Street::new();
    let mut other = street.north.member.at_same_folder();
    street
        .north
        .member
        .ask("By the one that stays up", Scope::Public);
    rotate(&mut other).expect("it rotates");

    assert_eq!(street.north.member.sync(&street.hub).end, None);
    assert_eq!(street.south.sync(&street.hub).end, None);
    assert_eq!(titles(&street.south).len(), 4);
}

/// A copy of Monday is put back on Wednesday, and rotates: Tuesday's publications stay where they are.
#[test]
fn a_rotation_on_a_restored_old_copy_harms_nothing() {
    let mut street = Street::new();
    let mut copy = street.north.member.twin();
    street.north.member.ask("Of Tuesday", Scope::Public);
    assert_eq!(street.north.member.sync(&street.hub).end, None);
    assert_eq!(street.south.sync(&street.hub).end, None);

    // It asks first, and is told that others hold more.
    let refused = rotate(&mut copy);
    assert!(
        matches!(
            &refused,
            Err(NodeError::Peer {
                cause: PeerCause::OwnIsAhead,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(copy.node.identity().entries().len(), 1);
    // Where nobody can be asked that has to be said, and still nothing is lost with anybody.
    street.hub.down();
    let refused = rotate(&mut copy);
    assert!(
        matches!(&refused, Err(NodeError::Unconfirmed(_))),
        "{refused:?}"
    );
    let rotated = rotate_as(&mut copy, &Behind::AsBefore, true).expect("it was said");
    assert_eq!(rotated.unasked.len(), 1);
    street.hub.up();
    // The port may be another one now.
    let synced = copy.sync(&street.hub);
    let (cause, detail) = synced.end.expect("the hub is ahead");
    assert_eq!(cause, PeerCause::OwnIsAhead, "{detail}");
    // The newest copy goes on with its key.
    street.north.member.ask("Of Wednesday", Scope::Public);
    assert_eq!(street.north.member.sync(&street.hub).end, None);
    for follower in [&mut street.south, &mut street.east] {
        assert_eq!(follower.sync(&street.hub).end, None);
        assert_eq!(follower.held_rows(), [""; 0]);
        follower.assert_sound();
    }
    assert_eq!(titles(&street.south).len(), 5, "Tuesday's is still there");
    street.south.assert_equals(&street.north.member);
}

/// What a thief published at a hub that could not be asked at the recovery was outdone there, and never listed.
#[test]
fn what_a_thief_published_at_a_hub_that_was_away_is_listed_when_it_is_back() {
    let mut street = Street::new();
    let mut thief = street.north.member.twin();
    thief.ask("Send money here", Scope::Public);
    assert_eq!(thief.sync(&street.hub).end, None);
    street.hub.down();
    let recovered = street.north.recover().expect("it recovers");
    assert_eq!(recovered.listed, 0, "the hub is away");
    street.hub.up();

    let synced = street.north.member.sync(&street.hub);

    assert_eq!(synced.end, None, "{synced:?}");
    let void = street.north.member.node.store().void_publications();
    assert_eq!(void.expect("a store").len(), 1);
    assert_eq!(street.south.sync(&street.hub).end, None);
    assert_eq!(titles(&street.south), OWN);
}

/// A copy of the folder published at one hub while the owner went on at another, and the owner recovered to a
/// publication after that place: what the copy sealed there is not void, and it kept the hub that had it from
/// everything that came after.
#[test]
fn a_hub_with_a_branch_below_the_last_good_publication_is_given_all_after_a_recovery() {
    for is_away in [false, true] {
        let mut street = Street::new();
        let quay = HubUp::start("Quay", Policy::Open);
        street.north.member.register(&quay);
        let mut thief = street.north.member.twin();
        thief.ask("Send money here", Scope::Public);
        thief.reword(&street.asked[0], "Not a ladder");
        assert_eq!(thief.sync(&street.hub).end, None);
        assert_eq!(street.south.sync(&street.hub).end, None);
        for title in ["A drill", "Of Wednesday"] {
            street.north.member.ask(title, Scope::Public);
            assert_eq!(street.north.member.sync(&quay).end, None);
        }
        if is_away {
            street.hub.down();
        }
        let recovered = street.north.recover().expect("it recovers");
        assert_eq!(recovered.void, 0, "it stands below the last good one");
        if is_away {
            street.hub.up();
        }

        let synced = street.north.member.sync(&street.hub);

        assert_eq!(synced.end, None, "{synced:?}");
        for follower in [&mut street.south, &mut street.east] {
            assert_eq!(follower.sync(&street.hub).end, None);
            let shown = titles(follower);
            assert_eq!(shown.len(), 5, "{shown:?}");
            assert!(shown.contains(&"A ladder".to_owned()), "{shown:?}");
            follower.assert_equals(&street.north.member);
            follower.assert_sound();
        }
        street.north.member.assert_sound();
        // And the next time as well.
        street.north.member.ask("Of Thursday", Scope::Public);
        assert_eq!(street.north.member.sync(&street.hub).end, None);
        assert_eq!(street.north.member.sync(&quay).end, None);
    }
}

/// A process that ends between two steps of a rotation leaves a key that speaks, whichever step it was.
#[test]
fn a_rotation_that_was_cut_off_is_finished_or_dropped() {
    let mut north = Member::found("North");
    north.ask("Something", Scope::Public);
    north.seal();
    let home = north.home();
    let files = [home.signing_key(), home.next_signing_key()];
    let old = std::fs::read(&files[0]).expect("a key");

    // Before the entry was committed: the next key is dropped.
    std::fs::write(&files[1], "11".repeat(32)).expect("a file");
    north.node = wb_node::Node::open(&home).expect("it opens");
    assert!(!files[1].exists());
    assert_eq!(std::fs::read(&files[0]).expect("a key"), old);
    north.ask("Another", Scope::Public);
    north.seal();

    // After it was: the old key is still in its place, the next one beside it.
    rotate(&mut north).expect("it rotates");
    std::fs::rename(&files[0], &files[1]).expect("moved");
    std::fs::write(&files[0], &old).expect("a file");
    north.node = wb_node::Node::open(&home).expect("it opens");
    assert!(!files[1].exists());
    assert_ne!(std::fs::read(&files[0]).expect("a key"), old);
    north.ask("And another", Scope::Public);
    north.seal();
    north.assert_sound();
}

fn asking(home: &Home, passphrase: &'static str) -> Home {
    let ask = move || Some(zeroize::Zeroizing::new(passphrase.to_owned()));
    Home::new(home.dir()).asking(std::sync::Arc::new(ask))
}

#[test]
fn a_key_behind_a_passphrase_signs_for_who_says_it_alone() {
    let mut north = Member::found("North");
    let home = north.home();
    let right = zeroize::Zeroizing::new("correct horse".to_owned());
    let rotated = rotate_behind(&mut north, &Behind::Passphrase(right)).expect("it rotates");
    assert_eq!(key(&north.node).expect("a key").form, "passphrase");
    let file = std::fs::read(home.signing_key()).expect("a key");
    assert!(file.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    // Whoever has put it there goes on.
    north.ask("Something", Scope::Public);
    north.seal();

    // Nobody is asked for the passphrase before it is needed.
    let locked = wb_node::Node::open(&Home::new(home.dir())).expect("it opens");
    assert!(matches!(locked.unlock(), Err(NodeError::KeyLocked(_))));
    let wrong = wb_node::Node::open(&asking(&home, "wrong horse")).expect("it opens");
    assert!(matches!(wrong.unlock(), Err(NodeError::WrongPassphrase(_))));
    north.node = wb_node::Node::open(&asking(&home, "correct horse")).expect("it opens");
    north.node.unlock().expect("it fits");

    // The next key is behind the same, unless something else is said.
    let next = rotate(&mut north).expect("it rotates");
    assert_ne!(next.key, rotated.key);
    assert_eq!(key(&north.node).expect("a key").form, "passphrase");
    rotate_behind(&mut north, &Behind::Nothing).expect("it rotates");
    assert_eq!(key(&north.node).expect("a key").form, "plain");
    north.node = wb_node::Node::open(&Home::new(home.dir())).expect("it opens");
    north.ask("Another", Scope::Public);
    north.seal();
    north.assert_sound();
}

/// Everything that was sealed in a folder is told from what came by its history.
#[test]
fn every_delta_that_is_sealed_here_is_noted_as_such() {
    let mut north = Member::found("North");
    for title in OWN {
        north.ask(title, Scope::Public);
        north.seal();
    }
    let store = Store::open(&Home::new(north.home().dir())).expect("it opens");
    let deltas = store.own_deltas().expect("a store");
    assert_eq!(deltas.len(), 3);
    assert!(deltas.iter().all(|delta| delta.machine.is_some()));
    assert!(deltas.iter().all(|delta| delta.scope == FeedScope::Public));
}
