//! Hostile hubs and peers over real sockets: each attack of `docs/attacks.md` that is about what a page holds.
//! What is refused is named, with the rule, in the inbox; what stood before is the same row by row; and
//! what others say in the same page is taken.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use wb_core::entry::Entry;
use wb_core::id::InstanceId;
use wb_core::limits::DIRECTORY_READ_MAX;
use wb_core::line::Line;
use wb_core::ndjson;
use wb_core::scope::Scope;
use wb_core::sync::{DirectoryRow, PeerCause, Policy};
use wb_hub::ChangesPage;
use wb_node::Node;
use wb_node::command::join::offers;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::query::inbox::{inbox, inbox_item};
use wb_node::query::requests;
use wb_store::Home;

use super::lies::{Town, rows, section, steps, tell, vector};
use super::world::{HubUp, Member, titles};

/// The steps of a vector up to the first that is refused, that one, and what is accepted after all.
fn parts(name: &str) -> (Vec<Vec<String>>, Vec<String>, Option<Vec<String>>) {
    let steps = steps(name);
    let refused = steps
        .iter()
        .position(|step| step["outcome"] == "refused")
        .expect("a refused step");
    let before = steps[..refused].iter().map(section).collect();
    let last = steps.last().filter(|step| step["outcome"] != "refused");
    (before, section(&steps[refused]), last.map(section))
}

/// Lets the hub bring a feed, break one rule in it, and bring what is right after all. Gives the sentence on what was kept of it, where it could be read at all.
#[track_caller]
fn refused_by_name(name: &str, rule: &str) -> Option<String> {
    let mut town = Town::new();
    let (before, bad, last) = parts(name);
    let alice = steps(name)[0]["lines"][0].as_str().map(instance);
    let alice = alice.expect("a vector begins with an identity log");
    assert_eq!(town.offer(&before).end, None, "{name}");
    let stood = rows(&town.south, &alice);

    let synced = town.offer(&[bad]);

    let (cause, detail) = synced.end.expect(name);
    assert_eq!(cause, PeerCause::BadAnswer, "{name}");
    assert!(detail.contains(&alice), "{name}: {detail}");
    assert!(
        detail.ends_with(&format!("(public) breaks {rule}")),
        "{name}: {detail}"
    );
    assert_eq!(
        rows(&town.south, &alice),
        stood,
        "{name}: what stood before"
    );
    let told = inbox(&town.south.node).expect("a store");
    let named = told.iter().filter(|item| item.happened.contains(rule));
    assert!(named.count() > 0, "{name}: {told:#?}");
    let mut kept = None;
    for item in told.iter().filter(|item| item.cause == "refused") {
        assert_eq!(item.rule.as_deref(), Some(rule));
        assert_eq!((item.count, item.news), (1, true));
        assert!(item.safe.contains("other feeds go on"), "{item:?}");
        assert!(item.action.starts_with("`wb sync` asks again"), "{item:?}");
        kept = Some(item.happened.clone());
    }
    if let Some(last) = last {
        // Heads are compared first: what could not be taken as changes comes as snapshots.
        town.offer(&[]);
        assert_eq!(town.offer(&[last]).end, None, "{name}: it goes on");
        assert_ne!(rows(&town.south, &alice), stood, "{name}: it goes on");
    }
    kept
}

fn instance(line: &str) -> String {
    let log = wb_core::identity::IdentityLog::verify(None, &[line]).expect("a vector");
    log.id().to_string()
}

#[test]
fn a_wrong_live_set_is_refused_by_name() {
    let told = refused_by_name("refuse_wrong_live", "wrong_live").expect("it is kept");
    assert!(
        told.starts_with("1 delta breaks the rule wrong_live of the public feed of "),
        "{told}"
    );
    assert!(told.ends_with(": its origin sealed it so"), "{told}");
}

#[test]
fn a_wrong_root_is_refused_by_name() {
    let told = refused_by_name("refuse_wrong_root", "wrong_root").expect("it is kept");
    assert!(
        told.ends_with(": it was changed on the way, or never was right"),
        "{told}"
    );
}

#[test]
fn swapped_stubs_are_refused_by_name() {
    refused_by_name("refuse_wrong_root_swapped_stubs", "wrong_root");
    refused_by_name("refuse_snapshot_wrong_live_swapped_stubs", "wrong_live");
}

#[test]
fn lines_grafted_from_another_feed_are_refused_by_name() {
    refused_by_name("refuse_line_origin", "line_origin");
    refused_by_name("refuse_line_scope", "line_scope");
}

#[test]
fn a_snapshot_with_the_chain_of_another_log_is_refused_by_name() {
    refused_by_name("refuse_snapshot_wrong_chain", "wrong_chain");
}

#[test]
fn a_delta_that_drops_what_is_not_live_is_refused_by_name() {
    refused_by_name("refuse_wrong_drops", "wrong_drops");
}

#[test]
fn a_replayed_revision_is_refused_by_name() {
    refused_by_name("refuse_rev_not_above", "rev_not_above");
}

#[test]
fn a_key_above_its_last_head_is_refused_by_name() {
    refused_by_name("refuse_above_last_head", "above_last_head");
    refused_by_name(
        "refuse_snapshot_above_last_head_from_its_first_header",
        "above_last_head",
    );
}

#[test]
fn a_header_signed_by_another_is_refused_by_name() {
    refused_by_name("refuse_bad_signature", "bad_signature");
    refused_by_name("refuse_wrong_key", "wrong_key");
}

#[test]
fn counts_that_are_too_large_are_refused_by_name() {
    refused_by_name("refuse_too_many_entries", "too_many_entries");
    // What counts lines wrongly leaves nothing to go on with: the page is dropped, and heads are compared.
    let mut town = Town::new();
    let origin = town.north.id();
    let huge = 9_007_199_254_740_992_u64;
    for section in [
        format!(
            r#"{{"section":"deltas","schema_version":1,"origin":"{origin}","scope":"public","deltas":{huge},"items":{huge}}}"#
        ),
        format!(
            r#"{{"section":"identity","schema_version":1,"origin":"{origin}","entries":{huge}}}"#
        ),
        format!(
            r#"{{"section":"snapshot","schema_version":1,"origin":"{origin}","scope":"public","headers":{huge},"live":{huge},"retracted":{huge}}}"#
        ),
    ] {
        let stood = rows(&town.south, &origin.to_string());
        let (cause, detail) = town.tell(&section).end.expect("that is no page");
        assert_eq!(cause, PeerCause::BadAnswer, "{detail}");
        assert!(
            rows(&town.south, &origin.to_string()) == stood,
            "nothing of the page counts"
        );
        assert_eq!(town.south.sync(&town.hub).end, None);
        town.south.assert_equals(&town.north);
    }
}

/// Plays the steps of a vector, each in a page of its own.
fn play(town: &mut Town, name: &str) -> String {
    let steps = steps(name);
    for step in &steps {
        town.offer(&[section(step)]);
    }
    let first = steps[0]["lines"][0].as_str().map(instance);
    first.expect("a vector begins with an identity log")
}

#[test]
fn a_fork_is_held_with_both_headers_and_what_was_taken_stays() {
    let mut town = Town::new();
    let alice = play(&mut town, "fork_of_one_seq");
    let items = town.inbox_of(&alice);
    let fork = items.iter().find(|item| item.cause == "fork");
    let fork = fork.unwrap_or_else(|| panic!("{items:#?}"));
    assert!(fork.happened.contains("contradicts itself"), "{fork:?}");
    assert!(fork.safe.contains("up to number 1 stays"), "{fork:?}");
    assert!(fork.action.contains("a new log of"), "{fork:?}");
    assert!(!fork.news, "it stays until it is over");
    let (_, things) = inbox_item(&town.south.node, &fork.key).expect("it is there");
    let notes: Vec<&str> = things.iter().map(|thing| thing.note.as_str()).collect();
    assert_eq!(things.len() as u64, fork.count);
    assert!(notes.contains(&"kept here"), "{notes:?}");
    assert!(
        notes.iter().any(|note| note.starts_with("contradicts it")),
        "{notes:?}"
    );
    let hashes: std::collections::BTreeSet<_> = things.iter().map(|thing| thing.hash).collect();
    assert_eq!(hashes.len(), things.len(), "each header once");
    // What waits because of it is an item of its own.
    assert!(items.iter().any(|item| item.cause == "held"), "{items:#?}");
}

#[test]
fn a_fork_that_comes_by_snapshot_is_kept_with_its_head() {
    let mut town = Town::new();
    let steps = steps("snapshot_of_another_log");
    for step in &steps {
        town.offer(&[section(step)]);
    }
    let alice = instance(steps[0]["lines"][0].as_str().expect("a text"));
    let fork = town.inbox_of(&alice);
    let fork = fork
        .iter()
        .find(|item| item.cause == "fork")
        .expect("a fork");
    let (_, things) = inbox_item(&town.south.node, &fork.key).expect("it is there");
    assert_eq!(
        things.len(),
        3,
        "mine, the twin's, and that of the log after it"
    );
}

#[test]
fn a_fork_of_two_logs_of_which_neither_is_held_is_told_and_neither_is_taken() {
    let mut town = Town::new();
    let steps = steps("fork_of_two_logs_nothing_held");
    let alice = instance(steps[0]["lines"][0].as_str().expect("a text"));
    let fork = |town: &Town| {
        let items = town.inbox_of(&alice);
        let fork = items.iter().find(|item| item.cause == "fork").cloned();
        let fork = fork.unwrap_or_else(|| panic!("{items:#?}"));
        let (_, things) = inbox_item(&town.south.node, &fork.key).expect("it is there");
        assert_eq!(things.len() as u64, fork.count);
        assert!(!fork.news, "it stays until it is over");
        fork.happened
    };
    for step in &steps[..5] {
        town.offer(&[section(step)]);
    }
    assert!(fork(&town).starts_with("two logs of the public feed of "));
    let id = alice.parse().expect("an id");
    assert_eq!(town.south.head(id), None, "neither is taken");
    // What both have in common goes on.
    for step in &steps[5..] {
        town.offer(&[section(step)]);
    }
    assert!(fork(&town).contains("contradicts itself"));
    assert_eq!(town.south.head(id).map(|head| head.seq), Some(0));
}

#[test]
fn a_fork_that_a_new_log_ended_is_news() {
    let mut town = Town::new();
    let alice = play(&mut town, "fork_ended_by_a_new_log");
    let items = town.inbox_of(&alice);
    assert!(items.iter().all(|item| item.cause != "fork"), "{items:#?}");
    let over = items.iter().find(|item| item.cause == "fork_over");
    assert!(over.expect("it is told").news);
}

#[test]
fn a_late_retract_in_a_closed_log_counts_and_its_puts_do_not() {
    let mut town = Town::new();
    let steps = steps("closed_log");
    let (late, before) = steps.split_last().expect("steps");
    for step in before {
        town.offer(&[section(step)]);
    }
    let alice = instance(steps[0]["lines"][0].as_str().expect("a text"));
    let live = |rows: &[String]| {
        let live = rows
            .iter()
            .filter(|row| row.contains("Integer(1)|Integer(0)"));
        live.count()
    };
    let stood = live(&rows(&town.south, &alice));
    assert_eq!(town.offer(&[section(late)]).end, None);
    assert_eq!(
        live(&rows(&town.south, &alice)),
        stood,
        "nothing is live that was not"
    );
    let items = town.inbox_of(&alice);
    let late = items
        .iter()
        .find(|item| item.cause == "closed")
        .expect("it is told");
    assert!(
        late.news && late.safe.starts_with("what they take back is gone"),
        "{late:?}"
    );
    // It is put away, and comes back when there is more of it.
    let actor = town.south.actor();
    let dismissed =
        wb_node::command::inbox_dismiss::inbox_dismiss(&mut town.south.node, &actor, &late.key);
    assert_eq!(dismissed.expect("it is news").key, late.key);
    assert!(
        town.inbox_of(&alice)
            .iter()
            .all(|item| item.key != late.key)
    );
}

#[test]
fn two_rotates_hold_everything_new_of_their_instance_only() {
    let mut town = Town::new();
    let steps = steps("two_rotates_hold_the_feed");
    for step in &steps[..6] {
        town.offer(&[section(step)]);
    }
    let alice = instance(steps[0]["lines"][0].as_str().expect("a text"));
    let items = town.inbox_of(&alice);
    let keys = items.iter().find(|item| item.cause == "two_rotates");
    let keys = keys.unwrap_or_else(|| panic!("{items:#?}"));
    assert!(keys.happened.contains("two keys"), "{keys:?}");
    assert!(keys.action.contains("only a recovery"), "{keys:?}");
    assert!(items.iter().any(|item| item.cause == "held" && !item.news));
    for step in &steps[6..] {
        town.offer(&[section(step)]);
    }
    let items = town.inbox_of(&alice);
    assert!(
        items.iter().all(|item| item.cause != "two_rotates"),
        "{items:#?}"
    );
}

#[test]
fn a_second_recovery_is_evidence_and_the_first_one_known_stays() {
    let mut town = Town::new();
    let vector = vector("identity");
    let cases = vector["cases"].as_array().expect("cases");
    let case = cases
        .iter()
        .find(|case| case["name"] == "two_recovers_from_one_entry")
        .expect("a case");
    let id = case["id"].as_str().expect("an id").to_owned();
    let log = |name: &str| -> Vec<String> {
        let lines = case[name].as_array().expect("lines").iter();
        lines
            .map(|line| line.as_str().expect("a text").to_owned())
            .collect()
    };
    let known = super::lies::identity(&id, &log("known"));
    let offered = super::lies::identity(&id, &log("offered"));
    town.offer(&[known]);
    let id_known = |town: &Town| {
        let id = id.parse().expect("an id");
        let log = town.south.node.store().identity_log(&id).expect("a store");
        log.expect("it is known").newest().hash
    };
    let newest = id_known(&town);
    for _ in 0..2 {
        town.offer(std::slice::from_ref(&offered));
        assert_eq!(id_known(&town), newest, "the first one known stays");
        let items = town.inbox_of(&id);
        let [item] = items.as_slice() else {
            panic!("{items:#?}")
        };
        assert_eq!(
            (item.cause, item.count, item.news),
            ("two_recovers", 1, true)
        );
        assert!(item.happened.contains("a second time"), "{item:?}");
    }
}

#[test]
fn a_delta_that_names_a_key_nobody_knows_waits_and_is_told() {
    let mut town = Town::new();
    let steps = steps("early_rotate_unknown");
    for step in &steps[..3] {
        town.offer(&[section(step)]);
    }
    let alice = instance(steps[0]["lines"][0].as_str().expect("a text"));
    let items = town.inbox_of(&alice);
    let early = items.iter().find(|item| item.cause == "early");
    let early = early.unwrap_or_else(|| panic!("{items:#?}"));
    assert_eq!(early.rule.as_deref(), Some("identity"));
    assert!(
        early.safe.starts_with("it waits with its bytes"),
        "{early:?}"
    );
    town.offer(&[section(&steps[3])]);
    assert!(
        town.inbox_of(&alice)
            .iter()
            .all(|item| item.cause != "early")
    );
}

#[test]
fn a_record_under_the_id_of_another_is_another_record() {
    let mut town = Town::new();
    let steps = steps("comment_on_another_origin");
    let (bob, alice) = (&steps[0], &steps[2]);
    for step in &steps {
        town.offer(&[section(step)]);
    }
    let ids = [bob, alice].map(|step| instance(step["lines"][0].as_str().expect("a text")));
    // Both have a user of the same number; each stands in its own feed, in its own words.
    let users = ids.each_ref().map(|id| {
        let rows = rows(&town.south, id);
        let users = rows
            .into_iter()
            .filter(|row| row.contains("|put|Integer(1)|user|"));
        users.collect::<Vec<_>>()
    });
    assert_eq!(users.each_ref().map(Vec::len), [1, 1]);
    let id = |row: &str| row.split('|').next().expect("a cell").to_owned();
    assert_eq!(id(&users[0][0]), id(&users[1][0]), "one number");
    assert_ne!(users[0], users[1], "two records");
}

#[test]
fn what_was_taken_back_does_not_come_back_with_old_pages() {
    let mut town = Town::new();
    let saw = town.north.ask("A saw", Scope::Public);
    let pages: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&pages);
    town.north.sync(&town.hub);
    town.hub.seam().lie_in_changes(move |page| {
        let text = String::from_utf8(page.body.clone()).expect("pages are text");
        let (_, sections) = text.split_once('\n').expect("a first line");
        kept.lock()
            .expect("nobody panics")
            .push(sections.trim_end().to_owned());
        page
    });
    assert_eq!(town.south.sync(&town.hub).end, None);
    town.hub.seam().be_honest();
    let old = pages.lock().expect("nobody panics").concat();
    assert!(
        old.contains("A saw"),
        "the page holds what is taken back later"
    );
    let whole = town.south.live_lines(town.north.id());
    assert!(!whole.is_empty());

    town.north.take_back(&saw);
    town.north.sync(&town.hub);
    assert_eq!(town.south.sync(&town.hub).end, None);
    assert!(!titles(&town.south).contains(&"A saw".to_owned()));
    for _ in 0..2 {
        let synced = town.tell(&old);
        assert_eq!(synced.end, None, "a replay is a duplicate");
        assert!(!titles(&town.south).contains(&"A saw".to_owned()));
        town.south.assert_equals(&town.north);
    }
    let all = rows(&town.south, &town.north.id().to_string()).concat();
    assert!(!all.contains("A saw"), "nor is it anywhere on the disk");
    assert_eq!(inbox(&town.south.node).expect("a store"), []);
}

/// The lines of a page, with an entry in the place of each record line.
fn stripped(mut page: ChangesPage) -> ChangesPage {
    let lines = ndjson::lines(&page.body).map(|line| match Line::read(line) {
        Ok(line) => Entry::of_line(&line).to_bytes(),
        Err(_) => line.to_vec(),
    });
    let mut body = lines.collect::<Vec<_>>().join(&b'\n');
    body.push(b'\n');
    page.body = body;
    page
}

#[test]
fn lines_that_a_hub_withholds_are_told_by_name_and_filled_by_another() {
    let mut town = Town::new();
    let two = HubUp::start("Two", Policy::Open);
    for member in [&mut town.north, &mut town.south] {
        member.register(&two);
    }
    town.north.ask("A saw", Scope::Public);
    town.north.sync(&town.hub);
    town.north.sync(&two);
    town.hub.seam().lie_in_changes(stripped);
    town.hub.seam().keep_lines();
    assert_eq!(
        town.south.sync(&town.hub).end,
        None,
        "it is proved, and short"
    );
    assert_eq!(titles(&town.south), ["Request 0"]);
    assert_eq!(
        town.south.head(town.north.id()),
        town.north.head(town.north.id())
    );
    let items = inbox(&town.south.node).expect("a store");
    let [item] = items.as_slice() else {
        panic!("{items:#?}")
    };
    assert_eq!(
        (item.cause, item.count, item.news),
        ("missing_lines", 1, false)
    );
    assert_eq!(
        item.happened,
        "lines of the public feed of North are missing, withheld by Harbour: 1 request"
    );
    assert!(
        item.safe.contains("everything else of the feed is here"),
        "{item:?}"
    );
    let (_, things) = inbox_item(&town.south.node, "1").expect("the first");
    assert_eq!(
        things[0].kind.as_ref().map(ToString::to_string).as_deref(),
        Some("request")
    );
    town.south.assert_sound();

    town.south.follow_all(&two, &[town.north.id()]);
    let synced = town.south.sync(&two);
    assert_eq!((synced.end, synced.tally.filled), (None, 1));
    assert_eq!(titles(&town.south), ["A saw", "Request 0"]);
    assert_eq!(inbox(&town.south.node).expect("a store"), []);
    town.south.assert_equals(&town.north);
}

/// North, South, and two hubs at which South follows North.
struct Both {
    one: HubUp,
    two: HubUp,
    north: Member,
    south: Member,
}

impl Both {
    fn new() -> Self {
        let (one, two) = (
            HubUp::start("One", Policy::Open),
            HubUp::start("Two", Policy::Open),
        );
        let (mut north, mut south) = (Member::found("North"), Member::found("South"));
        for hub in [&one, &two] {
            north.register(hub);
            south.register(hub);
            south.follow_all(hub, &[north.id()]);
        }
        north.ask("Request 0", Scope::Public);
        for hub in [&one, &two] {
            assert_eq!(north.sync(hub).end, None);
            assert_eq!(south.sync(hub).end, None);
        }
        Self {
            one,
            two,
            north,
            south,
        }
    }
}

#[test]
fn who_is_frozen_at_one_hub_goes_on_by_another() {
    let mut both = Both::new();
    let frozen: Arc<Mutex<Option<ChangesPage>>> = Arc::default();
    both.one.seam().lie_in_changes(move |page| {
        let mut frozen = frozen.lock().expect("nobody panics");
        frozen.get_or_insert(page).clone()
    });
    // The page that it shows from now on.
    both.south.sync(&both.one);
    both.north.ask("Request 1", Scope::Public);
    for hub in [&both.one, &both.two] {
        both.north.sync(hub);
    }
    assert_eq!(both.south.sync(&both.one).end, None, "nobody can tell");
    assert_eq!(titles(&both.south), ["Request 0"]);
    assert_eq!(both.south.sync(&both.two).end, None);
    both.south.assert_equals(&both.north);
    assert_eq!(both.south.sync(&both.one).end, None);
    both.south.assert_equals(&both.north);
    both.south.assert_sound();
}

#[test]
fn an_origin_that_tells_two_hubs_two_things_is_found_out() {
    let mut both = Both::new();
    let copy = both.north.copy();
    both.north.ask("For One", Scope::Public);
    assert_eq!(both.north.sync(&both.one).end, None);
    let kept = both.north.head(both.north.id()).expect("a head");
    // Another copy of the folder, with its guard: it cannot know of what the first one sealed.
    both.north.node = Node::open(&Home::new(copy.path())).expect("it opens");
    both.north.ask("For Two", Scope::Public);
    assert_eq!(both.north.sync(&both.two).end, None);
    assert_eq!(
        both.north.head(both.north.id()).expect("a head").seq,
        kept.seq
    );

    assert_eq!(both.south.sync(&both.one).end, None);
    let synced = both.south.sync(&both.two);
    let outcomes: Vec<_> = synced.tally.set_aside.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, ["fork"]);
    assert_eq!(
        titles(&both.south),
        ["For One", "Request 0"],
        "what came first stays"
    );
    assert_eq!(both.south.head(both.north.id()), Some(kept));
    let items = inbox(&both.south.node).expect("a store");
    let fork = items
        .iter()
        .find(|item| item.cause == "fork")
        .expect("it is told");
    assert_eq!(
        fork.happened,
        "the public feed of North contradicts itself: two headers for one place, both signed by North"
    );
    assert_eq!(fork.count, 2, "one header of each");
    both.south.assert_sound();
}

/// Where South stands with an instance: its head, what is live, and the newest key.
fn stand(south: &Member, id: &str) -> (String, String) {
    let id = id.parse().expect("an id");
    let log = south.node.store().identity_log(&id).expect("a store");
    let newest = log.map(|log| log.newest().hash.to_string());
    (format!("{:?}", south.head(id)), newest.unwrap_or_default())
}

#[test]
fn an_old_log_and_a_stale_identity_log_give_way_to_the_newer_in_either_order() {
    // A rotation in the midst of a log, and a log that another has closed.
    for (name, old, new) in [
        ("rotate_goes_on_in_the_log", 0..2, 0..4),
        (
            "snapshot_of_a_log_that_was_opened_above_and_is_held",
            0..2,
            0..3,
        ),
    ] {
        let steps = steps(name);
        let alice = instance(steps[0]["lines"][0].as_str().expect("a text"));
        let lines = |range: std::ops::Range<usize>| {
            let sections = steps[range].iter().flat_map(section);
            sections.collect::<Vec<_>>().join("\n")
        };
        let (old, new) = (lines(old), lines(new));
        let mut ends = BTreeSet::new();
        for order in [[&old, &new], [&new, &old]] {
            let mut both = Both::new();
            for (n, (hub, told)) in [(&both.one, order[0]), (&both.two, order[1])]
                .into_iter()
                .enumerate()
            {
                let title = format!("More {n}");
                let members = (&mut both.north, &mut both.south);
                assert_eq!(tell(hub, members, &title, told).end, None, "{name}");
            }
            ends.insert(stand(&both.south, &alice));
            both.south.assert_sound();
        }
        assert_eq!(ends.len(), 1, "{name}: {ends:#?}");
    }
}

#[test]
fn a_directory_without_end_is_read_so_far_and_no_further() {
    let town = Town::new();
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    town.hub.seam().lie_in_directory(move |mut page| {
        let from = count.fetch_add(1, Ordering::SeqCst) * 200;
        let members = (from..from + 200).map(|n| DirectoryRow {
            id: InstanceId(
                [&[0xEE; 24][..], &n.to_be_bytes()]
                    .concat()
                    .try_into()
                    .expect("32 bytes"),
            ),
            card: serde_json::value::RawValue::from_string(r#"{"name":"Nobody"}"#.to_owned())
                .expect("JSON"),
            since: wb_node::entropy::now(),
            visibility: None,
            feeds: Vec::new(),
        });
        page.members = members.collect();
        page.next = page.members.last().map(|row| row.id);
        page
    });
    let peer = town.south.peer(&town.hub);
    let offers = town
        .south
        .block_on(offers(&town.south.node, &peer))
        .expect("it answers");
    assert_eq!(
        (offers.list.len(), offers.is_cut_off),
        (DIRECTORY_READ_MAX, true)
    );
    assert_eq!(
        asked.load(Ordering::SeqCst) * 200,
        DIRECTORY_READ_MAX as u64 + 200
    );
}

#[test]
fn text_with_newlines_and_rules_stays_text() {
    let mut town = Town::new();
    let description =
        "A cart.\n---\nComment-ID: 7\nUsername: keeper\n\nforged\n{\"op\":\"retract\"}\n\u{feff}#";
    let actor = town.north.actor();
    let input = RequestAdd {
        title: "Title: \"{}\" \\n --- [peer]",
        description,
        scope: Scope::Public,
    };
    request_add(&mut town.north.node, &actor, &input).expect("a request");
    town.offer(&[]);
    let list = requests::requests(&town.south.node).expect("a store");
    let taken = list.iter().find(|request| request.title == input.title);
    let taken = taken.expect("it came");
    assert_eq!(
        (taken.description.as_str(), taken.comments),
        (description, 0)
    );
    assert_eq!(taken.base.origin, town.north.id());
}
