//! What a hub's pages list, held against a naive fold of the lines that it serves.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::kinds::To;
use wb_core::scope::FeedScope;
use wb_core::sync::{Policy, Standing, Visibility};
use wb_store::relay::{
    Applicant, COUNTED_MAX, CommentPlace, CommentsAsk, CommunityPlace, LinesAsk, ListedComment,
    ListingRow, Relay, RequestOrder, RequestPlace, RequestsAsk, Words,
};

use super::harbour::{Harbour, later};
use crate::origin::{Do, Origin, now};

/// Every line that is served of a feed, as JSON.
fn lines(harbour: &Harbour, origin: InstanceId) -> Vec<Value> {
    let ask = LinesAsk {
        origin,
        scope: FeedScope::Public,
        after: None,
        kinds: None,
        newest: None,
        only: None,
        bytes: usize::MAX,
    };
    let page = harbour.relay.lines_page(&ask, now()).expect("a page");
    let body = String::from_utf8(page.expect("a feed")).expect("text");
    let lines = body
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .filter(|line: &Value| line["section"].is_null())
        .collect()
}

/// The same, folded by reading all of it.
fn naive(lines: &[Value]) -> Vec<ListingRow> {
    let mut latest: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line["kind"] == "status") {
        let (n, to) = (
            line["body"]["n"].as_u64().expect("n"),
            line["body"]["to"].as_str().expect("to"),
        );
        let held = latest
            .entry(line["body"]["request"]["id"].as_str().expect("an id"))
            .or_insert((n, to));
        *held = (*held).max((n, to));
    }
    let row = |line: &Value| {
        let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let text = |name: &str| line["body"][name].as_str().unwrap_or_default().to_owned();
        let is_request = line["kind"] == "request";
        let said = latest.get(word("id").as_str()).map_or("open", |(_, to)| to);
        ListingRow {
            key: RecordRef {
                origin: word("origin").parse().expect("an id"),
                id: word("id").parse().expect("an id"),
            },
            kind: word("kind"),
            status: is_request.then(|| said.to_owned()),
            is_contested: false,
            words: is_request
                .then(|| format!("{}\n{}", text("title"), text("description")).to_lowercase()),
        }
    };
    let known = lines
        .iter()
        .filter(|line| line["kind"] == "request" || line["kind"] == "status");
    let mut rows: Vec<ListingRow> = known.map(row).collect();
    rows.sort();
    rows
}

/// What is listed is the naive fold, and making all of it again changes nothing.
pub fn check(harbour: &mut Harbour, origin: &Origin) {
    let listed = harbour.relay.listings().expect("rows");
    assert_eq!(listed, naive(&lines(harbour, origin.id())));
    let made = harbour.write(|write| {
        let rows = write.list_anew().expect("rows");
        usize::try_from(rows).expect("few")
    });
    assert_eq!(made, listed.len());
    assert_eq!(harbour.relay.listings().expect("rows"), listed);
}

fn everything(order: RequestOrder) -> RequestsAsk {
    RequestsAsk {
        home: None,
        words: None,
        order,
        after: None,
        limit: 100,
    }
}

fn titles(relay: &Relay, ask: &RequestsAsk) -> Vec<String> {
    let requests = relay.listed_requests(ask, now()).expect("rows");
    let rows = requests.rows.into_iter();
    rows.map(|request| request.title).collect()
}

#[test]
fn pages_of_requests_begin_with_open_ones_and_miss_none() {
    let (mut north, mut south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    let puts: Vec<Do> = (0..20).map(|n| Do::Put(2 * n)).collect();
    harbour.publish(&mut north, &puts);
    harbour.publish(&mut south, &puts);
    harbour.publish(
        &mut north,
        &[Do::Said(1, 0, 1), Do::Said(3, 2, 1), Do::Said(5, 2, 2)],
    );
    let all = titles(&harbour.relay, &everything(RequestOrder::OpenFirst));
    assert_eq!(all.len(), 40);
    let mut ask = everything(RequestOrder::OpenFirst);
    ask.limit = 7;
    let mut paged = Vec::new();
    loop {
        let page = harbour.relay.listed_requests(&ask, now()).expect("rows");
        let page = page.rows;
        let Some(last) = page.last() else { break };
        // The text of a place is the place.
        let place: RequestPlace = last.place().to_string().parse().expect("a place");
        assert_eq!(place, last.place());
        ask.after = Some(place);
        paged.extend(page);
    }
    let closed = paged.iter().position(|request| request.status != To::Open);
    assert_eq!(closed, Some(39), "the one that was completed comes last");
    let paged: Vec<String> = paged.into_iter().map(|request| request.title).collect();
    assert_eq!(paged, all);
}

#[test]
fn nothing_is_listed_of_who_is_not_listed_waits_or_is_suspended() {
    let (mut north, mut south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1)]);
    harbour.publish(&mut south, &[Do::Put(1)]);
    let ask = everything(RequestOrder::Changed);
    let all = titles(&harbour.relay, &ask);
    assert_eq!(all.len(), 2);

    harbour.stand(&north.id(), Standing::Suspended, Some(later(60)));
    assert_eq!(titles(&harbour.relay, &ask).len(), 1);
    let is_there = |relay: &Relay| {
        let key = RecordRef {
            origin: north.id(),
            id: north.record(1),
        };
        let found = relay.listed_request(&key, now()).expect("a row");
        let community = relay.community(&north.id(), now()).expect("a row");
        assert_eq!(found.is_some(), community.is_some());
        found.is_some()
    };
    assert!(!is_there(&harbour.relay));
    let after = harbour
        .relay
        .listed_requests(&ask, later(61))
        .expect("rows");
    assert_eq!(after.rows.len(), 2, "its suspension is over then");
    harbour.stand(&north.id(), Standing::Member, None);
    assert!(is_there(&harbour.relay));

    let card = north.card();
    let unlisted = Applicant {
        identity: &north.identity,
        card: &card,
        name: "somebody",
        visibility: Visibility::Unlisted,
        counter: 2,
    };
    harbour
        .write(|write| write.register(&unlisted, Policy::Open, now()))
        .expect("a registration")
        .expect("it is newer");
    assert!(!is_there(&harbour.relay));
    assert_eq!(
        harbour
            .relay
            .communities(None, 10, now())
            .expect("rows")
            .len(),
        1
    );
}

fn words(text: &str, rows_max: usize) -> Option<Words> {
    let text = text.to_owned();
    Some(Words { text, rows_max })
}

#[test]
fn search_looks_at_so_many_rows_and_goes_on_where_it_stopped() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    let puts: Vec<Do> = (10..30).map(Do::Put).collect();
    harbour.publish(&mut north, &puts);
    let mut ask = everything(RequestOrder::OpenFirst);
    // The newest come first: this is the last but one.
    ask.words = words("record 11", 7);
    let mut pages = Vec::new();
    loop {
        let page = harbour.relay.listed_requests(&ask, now()).expect("rows");
        pages.push(page.rows.len());
        let Some(place) = page.stopped_at else { break };
        ask.after = Some(place);
    }
    assert_eq!(pages, [0, 0, 1]);
    // A page that is full did not stop for having looked at too many.
    ask.after = None;
    ask.words = words("record", 7);
    ask.limit = 7;
    let page = harbour.relay.listed_requests(&ask, now()).expect("rows");
    assert_eq!((page.rows.len(), page.stopped_at), (7, None));
}

#[test]
fn no_more_is_counted_than_a_page_tells() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    harbour.publish(&mut north, &[Do::Put(0)]);
    let request = RecordRef {
        origin: north.id(),
        id: north.record(0),
    };
    let counted = |harbour: &Harbour| {
        let found = harbour.relay.listed_request(&request, now());
        let found = found.expect("readable").expect("a row");
        let community = harbour.relay.community(&request.origin, now());
        let community = community.expect("readable").expect("a row");
        let kinds = &community.kinds;
        let (comments, requests) = (kinds["comment"].to_string(), kinds["request"].to_string());
        (found.comments.to_string(), comments, requests)
    };
    let told = |n: &str| (n.to_owned(), n.to_owned(), "1".to_owned());
    let delta = north.seal_bodies(&comments_on(&request, 1..=COUNTED_MAX));
    assert_eq!(harbour.push(&delta).as_str(), "append");
    assert_eq!(counted(&harbour), told("1000"));
    let delta = north.seal_bodies(&comments_on(&request, COUNTED_MAX + 1..=COUNTED_MAX + 9));
    assert_eq!(harbour.push(&delta).as_str(), "append");
    assert_eq!(counted(&harbour), told("1000+"));
}

#[test]
fn search_looks_at_small_and_capital_letters_alike() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    harbour.publish(&mut north, &[Do::Put(1), Do::Put(2)]);
    let mut ask = everything(RequestOrder::OpenFirst);
    ask.words = words("RECORD 2", 100);
    let found = titles(&harbour.relay, &ask);
    assert!(
        found.len() == 1 && found[0].starts_with("record 2"),
        "{found:?}"
    );
    ask.words = words("100 %", 100);
    assert!(titles(&harbour.relay, &ask).is_empty());
}

#[test]
fn a_time_to_come_puts_nobody_on_top() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    // Everything of this feed says that it was written at `now`, which is yet to come here.
    let delta = north.seal(&[Do::Put(1)]);
    let earlier = later(-3_600);
    harbour
        .write(|write| write.push_delta(&delta.read(), earlier))
        .expect("a readable feed");
    let ask = everything(RequestOrder::Changed);
    let listed = harbour.relay.listed_requests(&ask, now()).expect("rows");
    let listed = listed.rows;
    assert_eq!(
        (listed[0].placed_at, listed[0].changed_at),
        (earlier, earlier)
    );
}

#[test]
fn the_word_of_a_helper_counts_while_it_is_listed_and_served() {
    let (mut north, mut south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    let (home, request) = (north.id(), north.record(1));
    harbour.publish(&mut north, &[Do::Put(1)]);
    let names = format!(r#"{{"request":"{request}","instance":"{}"}}"#, south.id());
    let helper = north.seal_bodies(&[(2, "helper", names)]);
    assert_eq!(harbour.push(&helper).as_str(), "append");
    let word =
        format!(r#"{{"request":{{"origin":"{home}","id":"{request}"}},"to":"completed","n":1}}"#);
    let said = south.seal_bodies(&[(1, "status", word)]);
    assert_eq!(harbour.push(&said).as_str(), "append");
    let status = |harbour: &Harbour| {
        let ask = everything(RequestOrder::OpenFirst);
        harbour
            .relay
            .listed_requests(&ask, later(120))
            .expect("rows")
            .rows[0]
            .status
    };
    assert_eq!(status(&harbour), To::Completed);

    harbour.stand(&south.id(), Standing::Suspended, Some(later(60)));
    assert_eq!(status(&harbour), To::Open);
    let ended = harbour.write(|write| write.end_suspensions(later(61)));
    assert_eq!(ended.expect("a row"), 1);
    assert_eq!(status(&harbour), To::Completed);
    let retract = south.seal(&[Do::Retract(1)]);
    assert_eq!(harbour.push(&retract).as_str(), "append");
    assert_eq!(status(&harbour), To::Open);
}

#[test]
fn a_file_of_the_version_before_is_listed_when_it_is_opened() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    harbour.publish(&mut north, &[Do::Put(1), Do::Put(2), Do::Said(3, 1, 1)]);
    let listed = harbour.relay.listings().expect("rows");
    assert_eq!(listed.len(), 3);
    // What version 1 did not have goes, and the number of the version with it.
    let file = rusqlite::Connection::open(harbour.path()).expect("a file");
    file.execute_batch(
        "DROP TABLE mail; DROP TABLE turns; DROP TABLE receipts; DROP TABLE envelopes_for; DROP TABLE envelopes;
         DROP TRIGGER held_lines_go; DROP TRIGGER served_line_changed; DROP TRIGGER served_line_gone; DROP TABLE served_changes;
         DROP TRIGGER withheld_comes; DROP TRIGGER withheld_is_filled; DROP TRIGGER withheld_ends;
         DROP TRIGGER withheld_goes; DROP TABLE withheld; DROP TABLE withheld_lines; DROP TABLE replies;
         DROP INDEX members_hub; DROP INDEX members_notice; ALTER TABLE members DROP COLUMN is_hub;
         ALTER TABLE members DROP COLUMN delisted; ALTER TABLE members DROP COLUMN asks_listed;
         ALTER TABLE members DROP COLUMN listed_from; ALTER TABLE members DROP COLUMN revoked; ALTER TABLE members DROP COLUMN notice;
         DROP TABLE held_lines; DROP TABLE listings; DROP INDEX members_name; DELETE FROM meta WHERE key = 'listed_by';
         PRAGMA user_version = 1",
    )
    .expect("the older form");
    drop(file);
    let relay = Relay::open(&harbour.path(), super::harbour::LOG).expect("it is brought here");
    assert_eq!(relay.listings().expect("rows"), listed);
}

#[test]
fn many_words_about_one_request_in_one_push_are_read_once() {
    for events in [100, 200, 400] {
        let mut north = Origin::new(1);
        let mut harbour = Harbour::with(&[&north]);
        harbour.publish(&mut north, &[Do::Put(0)]);
        let said: Vec<Do> = (1..=events).map(|n| Do::Said(n, 0, n)).collect();
        let deltas: Vec<_> = said.chunks(50).map(|some| north.seal(some)).collect();
        let read = harbour.write(|write| {
            for delta in &deltas {
                let outcome = write.push_delta(&delta.read(), now());
                assert_eq!(outcome.expect("a readable feed").as_str(), "append");
            }
            write.tell_statuses().expect("readable lines")
        });
        assert_eq!(read, events, "lines read for {events} words");
        let read_again = harbour.write(|write| {
            write.list_anew().expect("rows");
            write.tell_statuses().expect("readable lines")
        });
        assert_eq!(read_again, events, "lines read when all is made again");
        check(&mut harbour, &north);
    }
}

/// Registers under a name, listed or not; the higher the counter, the newer.
fn register(harbour: &mut Harbour, origin: &Origin, name: &str, listed: bool, counter: u64) {
    let card = origin.card();
    let applicant = Applicant {
        identity: &origin.identity,
        card: &card,
        name,
        visibility: Visibility::of_listed(listed),
        counter,
    };
    harbour
        .write(|write| write.register(&applicant, Policy::Open, now()))
        .expect("a registration")
        .expect("it is newer");
}

fn names(relay: &Relay, after: Option<&CommunityPlace>, limit: usize) -> Vec<String> {
    let communities = relay.communities(after, limit, now()).expect("rows");
    communities.into_iter().map(|row| row.name).collect()
}

#[test]
fn a_list_of_communities_goes_on_where_it_was_when_the_one_there_is_gone() {
    let mut harbour = Harbour::new();
    let origins: Vec<Origin> = (1..=4).map(Origin::new).collect();
    for (origin, name) in origins.iter().zip(["Ash", "Birch. ", "Cedar", "Elm"]) {
        register(&mut harbour, origin, name, true, 1);
    }
    let page = harbour.relay.communities(None, 2, now()).expect("rows");
    let place = &page[1].place;
    assert_eq!(place.to_string().parse().as_ref(), Ok(place));
    assert_eq!(names(&harbour.relay, Some(place), 9), ["Cedar", "Elm"]);
    register(&mut harbour, &origins[1], "Birch. ", false, 2);
    assert_eq!(names(&harbour.relay, Some(place), 9), ["Cedar", "Elm"]);
}

#[test]
fn a_place_does_not_tell_whether_somebody_unlisted_is_a_member() {
    let (mut north, unlisted, unknown) = (Origin::new(1), Origin::new(2), Origin::new(3));
    let mut harbour = Harbour::new();
    register(&mut harbour, &north, "North", true, 1);
    register(&mut harbour, &unlisted, "Unlisted", false, 1);
    harbour.publish(&mut north, &[Do::Put(1)]);
    let listed = everything(RequestOrder::OpenFirst);
    let listed = harbour.relay.listed_requests(&listed, now()).expect("rows");
    let request = listed.rows[0].place();
    let seen = |id: InstanceId| {
        let mut ask = everything(RequestOrder::OpenFirst);
        ask.after = Some(RequestPlace {
            key: RecordRef {
                origin: id,
                ..request.key
            },
            ..request
        });
        let place = |name: &str| CommunityPlace {
            name: name.to_owned(),
            id,
        };
        (
            titles(&harbour.relay, &ask),
            names(&harbour.relay, Some(&place("")), 9),
            names(&harbour.relay, Some(&place("Oak")), 9),
        )
    };
    assert_eq!(seen(unlisted.id()), seen(unknown.id()));
}

#[test]
fn a_name_is_told_apart_from_those_that_are_listed_alone() {
    let (north, other) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::new();
    register(&mut harbour, &north, "North", true, 1);
    register(&mut harbour, &other, "North", false, 1);
    assert_eq!(names(&harbour.relay, None, 9), ["North"]);
    register(&mut harbour, &other, "North", true, 2);
    let both = names(&harbour.relay, None, 9);
    assert_eq!(both.len(), 2);
    assert!(both.iter().all(|name| name.starts_with("North (")));
    harbour.stand(&other.id(), Standing::Suspended, None);
    assert_eq!(names(&harbour.relay, None, 9), ["North"]);
}

fn comments_on(
    request: &RecordRef,
    numbers: RangeInclusive<u64>,
) -> Vec<(u64, &'static str, String)> {
    let (origin, id, at) = (request.origin, request.id, now());
    let comment = |n| {
        let body = format!(
            r#"{{"request":{{"origin":"{origin}","id":"{id}"}},"body":"comment {n}","created_at":"{at}"}}"#
        );
        (n, "comment", body)
    };
    numbers.map(comment).collect()
}

#[test]
fn comments_go_on_where_they_were_when_the_one_there_is_taken_back() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    harbour.publish(&mut north, &[Do::Put(0)]);
    let request = RecordRef {
        origin: north.id(),
        id: north.record(0),
    };
    let delta = north.seal_bodies(&comments_on(&request, 1..=4));
    assert_eq!(harbour.push(&delta).as_str(), "append");
    let page = |harbour: &Harbour, after: Option<CommentPlace>, limit: usize| {
        let ask = CommentsAsk {
            request,
            after,
            limit,
        };
        let comments = harbour.relay.listed_comments(&ask, now()).expect("rows");
        let said = |comment: &ListedComment| comment.body.clone();
        let bodies: Vec<String> = comments.iter().map(said).collect();
        (bodies, comments.last().map(ListedComment::place))
    };
    let (first, place) = page(&harbour, None, 2);
    assert_eq!(first, ["comment 1", "comment 2"]);
    let place = place.expect("a comment");
    assert_eq!(place.to_string().parse().as_ref(), Ok(&place));
    harbour.publish(&mut north, &[Do::Retract(2)]);
    let (rest, _) = page(&harbour, Some(place), 9);
    assert_eq!(rest, ["comment 3", "comment 4"]);
}
