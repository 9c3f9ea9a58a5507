//! A hub that errs or lies, and what stands between: nothing wrong is shown, nothing is lost, and a good
//! hub heals it.

use std::sync::Arc;

use serde_json::Value;
use wb_core::id::Hash;
use wb_core::scope::Scope;
use wb_core::sync::signature::sign_answer;
use wb_core::sync::{HEADS_EVERY_MS, PeerCause, Policy};
use wb_core::time::Timestamp;
use wb_hub::ChangesPage;

use super::raw::{RawAnswer, Someone};
use super::stand_in::{StandIn, answer};
use super::world::{HubUp, Member, titles};

/// North and South, who follows it and holds its first request.
fn settled() -> (HubUp, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.ask("The first", Scope::Public);
    north.sync(&hub);
    south.follow_all(&hub, &[north.id()]);
    south.sync(&hub);
    assert_eq!(titles(&south), ["The first"]);
    (hub, north, south)
}

/// Replaces words by others of the same length.
fn reworded(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let text = std::str::from_utf8(bytes).expect("pages are text");
    text.replace(from, to).into_bytes()
}

/// The lines of a page of changes whose one section has two deltas of one item, with only one of them.
fn with_one_delta(page: ChangesPage, kept: usize) -> ChangesPage {
    let text = String::from_utf8(page.body.clone()).expect("pages are text");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(section) = lines
        .iter()
        .position(|line| line.starts_with("{\"section\":\"deltas\""))
    else {
        return page;
    };
    let mut totals: Value = serde_json::from_str(&lines[section]).expect("a section");
    assert_eq!(
        (&totals["deltas"], &totals["items"]),
        (&2.into(), &2.into())
    );
    (totals["deltas"], totals["items"]) = (1.into(), 1.into());
    // Its members keep their order but for this; the program reads them by name.
    let name = totals.as_object_mut().expect("an object").remove("section");
    assert_eq!(name, Some("deltas".into()));
    let rest = totals.to_string();
    lines[section] = format!("{{\"section\":\"deltas\",{}", &rest[1..]);
    let gone = section + 1 + 2 * (1 - kept);
    lines.drain(gone..gone + 2);
    ChangesPage {
        body: (lines.join("\n") + "\n").into_bytes(),
        ..page
    }
}

#[test]
fn a_byte_changed_in_a_line_is_noticed_and_the_feed_comes_by_snapshot() {
    let (hub, mut north, mut south) = settled();
    hub.seam().lie_in_changes(|page| ChangesPage {
        body: reworded(&page.body, "The second", "The sacked"),
        ..page
    });
    north.ask("The second", Scope::Public);
    north.sync(&hub);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["The first", "The second"]);
    south.assert_equals(&north);
    south.assert_sound();
}

#[test]
fn a_hub_that_changes_lines_everywhere_is_named_shows_nothing_and_is_asked_again_in_full() {
    let (hub, mut north, mut south) = settled();
    let mut east = Member::found("East");
    east.register(&hub);
    east.ask("From East", Scope::Public);
    east.sync(&hub);
    south.follow_all(&hub, &[north.id(), east.id()]);
    south.sync(&hub);
    hub.seam().lie_in_changes(|page| ChangesPage {
        body: reworded(&page.body, "The second", "The sacked"),
        ..page
    });
    hub.seam()
        .lie_in_snapshots(|page| reworded(&page, "The second", "The sacked"));
    north.ask("The second", Scope::Public);
    north.sync(&hub);
    east.ask("More from East", Scope::Public);
    east.sync(&hub);
    south.ask("From South", Scope::Public);
    for _ in 0..2 {
        let synced = south.sync(&hub);
        let (cause, detail) = synced.end.expect("something is wrong");
        assert_eq!(cause, PeerCause::BadAnswer, "{detail}");
        assert!(detail.contains(&north.id().to_string()), "{detail}");
        // What is wrong of one feed costs no other, in neither direction.
        assert_eq!(
            titles(&south),
            ["From East", "From South", "More from East", "The first"]
        );
        assert_eq!(hub.heads(south.id()).own.len(), 1);
        south.assert_sound();
    }
    // North says nothing more, and what is missing comes all the same.
    hub.seam().be_honest();
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert!(titles(&south).contains(&"The second".to_owned()));
    let again = south.sync(&hub);
    assert_eq!((again.round_trips, again.run_no), (1, None));
}

#[test]
fn a_page_that_is_no_page_is_refused_and_later_nothing_is_missing() {
    type Lie = fn(ChangesPage) -> ChangesPage;
    let lies: [Lie; 3] = [
        // Cut off in the midst of a line, and between two lines.
        |mut page| {
            page.body.truncate(page.body.len() - 10);
            page
        },
        |mut page| {
            let end = page.body[..page.body.len() - 1]
                .iter()
                .rposition(|byte| *byte == b'\n');
            page.body.truncate(end.expect("some lines") + 1);
            page
        },
        |page| ChangesPage {
            body: b"{\"section\":\"news\",\"schema_version\":1}\n".to_vec(),
            ..page
        },
    ];
    let (hub, mut north, mut south) = settled();
    for (n, lie) in lies.into_iter().enumerate() {
        north.ask(&format!("More {n}"), Scope::Public);
        north.sync(&hub);
        hub.seam().lie_in_changes(lie);
        let before = titles(&south);
        let (cause, detail) = south.sync(&hub).end.expect("that is no page");
        assert_eq!(cause, PeerCause::BadAnswer, "{detail}");
        assert_eq!(titles(&south), before);
        hub.seam().be_honest();
        assert_eq!(south.sync(&hub).end, None);
        south.assert_equals(&north);
    }
    assert_eq!(south.held_rows(), Vec::<String>::new());
    south.assert_sound();
}

#[test]
fn a_delta_that_the_hub_drops_is_missed_and_fetched() {
    let (hub, mut north, mut south) = settled();
    for kept in [1, 0] {
        for n in 0..2 {
            north.ask(&format!("Asked {kept} {n}"), Scope::Public);
            north.sync(&hub);
        }
        hub.seam()
            .lie_in_changes(move |page| with_one_delta(page, kept));
        assert_eq!(south.sync(&hub).end, None);
        hub.seam().be_honest();
        if kept == 1 {
            // The one before it is missing: that is seen at once.
            south.assert_equals(&north);
        } else {
            // The one after it is missing: nobody can see that before there is more.
            assert_eq!(titles(&south).len(), 4);
            north.ask("One more", Scope::Public);
            north.sync(&hub);
            assert_eq!(south.sync(&hub).end, None);
            south.assert_equals(&north);
        }
        assert_eq!(south.held_rows(), Vec::<String>::new());
    }
    south.assert_sound();
}

/// Seed 1808 of the simulator: the hub kept the last delta of an origin back, told the cursor after it, and the
/// origin was silent since, so that nothing contradicted.
#[test]
fn what_a_hub_kept_back_of_an_origin_that_is_silent_since_comes_with_the_next_look_at_its_heads() {
    let (hub, mut north, mut south) = settled();
    north.ask("The second", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    hub.seam().lie_in_changes(|page| {
        let first = page.body.split(|byte| *byte == b'\n').next();
        let body = [first.expect("a first line"), b"\n"].concat();
        ChangesPage { body, ..page }
    });
    assert_eq!(south.sync(&hub).end, None);
    hub.seam().be_honest();
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["The first"], "the cursor is past it");

    let almost_a_day = HEADS_EVERY_MS - 60_000;
    south.edit_peer(&hub, |peer| {
        let last = peer.heads_at.expect("they were compared at first");
        peer.heads_at = Timestamp::from_unix_ms(last.unix_ms() - almost_a_day);
    });
    let synced = south.sync(&hub);
    assert_eq!(titles(&south), ["The first"], "{synced:?}");
    south.edit_peer(&hub, |peer| {
        let last = peer.heads_at.expect("not compared since");
        peer.heads_at = Timestamp::from_unix_ms(last.unix_ms() - 60_000);
    });
    let synced = south.sync(&hub);
    assert_eq!((synced.end, synced.tally.snapshots), (None, 1));
    south.assert_equals(&north);
    // That was it for a day.
    let again = south.sync(&hub);
    assert!(again.round_trips < synced.round_trips, "{again:?}");
}

#[test]
fn heads_that_are_stale_or_invented_neither_take_back_nor_publish_anything() {
    let (hub, mut north, mut south) = settled();
    let stale = hub.heads(south.id());
    let stale_own = hub.heads(north.id()).own;
    north.ask("The second", Scope::Public);
    north.sync(&hub);
    // A newcomer is shown an old head; what it takes is proved by the snapshot itself.
    let cursor_is_new = hub.heads(south.id()).cursor;
    let feeds = stale.feeds;
    hub.seam().lie_in_heads(move |heads| wb_core::sync::Heads {
        cursor: cursor_is_new,
        feeds: feeds.clone(),
        own: stale_own.clone(),
        ..heads
    });
    south.edit_peer(&hub, |peer| peer.cursor = None);
    north.edit_peer(&hub, |peer| peer.cursor = None);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(
        titles(&south),
        ["The first"],
        "it is not told, and nothing is lost"
    );
    // North sends again what the hub says to lack, and nothing comes twice of it.
    assert_eq!(north.sync(&hub).end, None);
    hub.seam().be_honest();
    north.ask("The third", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);

    // A head of North that North never had: it publishes nothing until that is explained.
    hub.seam().lie_in_heads(|mut heads| {
        for own in &mut heads.own {
            (own.seq, own.hash) = (own.seq + 5, Hash([7; 32]));
        }
        heads
    });
    north.edit_peer(&hub, |peer| peer.cursor = None);
    // What comes with changes would put it right at once.
    hub.seam().lie_in_changes(|page| {
        let mut lines = page.body.splitn(2, |byte| *byte == b'\n');
        let first = lines.next().expect("a first line");
        let mut first: Value = serde_json::from_slice(first).expect("a section");
        for own in first["own"].as_array_mut().expect("a list") {
            own["seq"] = 99.into();
            own["hash"] = Hash([7; 32]).to_string().into();
        }
        let mut body = first.to_string().into_bytes();
        body.push(b'\n');
        body.extend_from_slice(lines.next().unwrap_or_default());
        ChangesPage { body, ..page }
    });
    north.ask("The fourth", Scope::Public);
    let synced = north.sync(&hub);
    let (cause, detail) = synced.end.expect("that head is not its own");
    assert_eq!(cause, PeerCause::OwnIsAhead, "{detail}");
    assert_eq!(synced.published.puts, 0);
    hub.seam().be_honest();
    assert_eq!(north.sync(&hub).end, None);
    south.sync(&hub);
    south.assert_equals(&north);
}

#[test]
fn who_answers_under_the_address_without_being_the_hub_is_named() {
    let (hub, mut north, mut south) = settled();
    let socket = hub.socket();
    let stranger = Arc::new(Someone::new(1));
    let elsewhere = HubUp::start("Elsewhere", Policy::Open);
    type Wrong = Box<dyn FnMut(&super::stand_in::Asked) -> Vec<u8> + Send>;
    let cases: [(&str, Wrong, PeerCause); 8] = [
        (
            "the hub's answer under somebody else's signature",
            Box::new(move |asked| {
                let real = RawAnswer::read(&asked.hand_on(socket));
                let request = asked.field("signature");
                let now = super::raw::now();
                let by = (stranger.key, &*stranger.signer);
                let signed =
                    sign_answer(real.status, &real.body, request.as_deref(), by.0, by.1, now);
                let encoding = real
                    .field("content-encoding")
                    .map_or_else(String::new, |name| format!("content-encoding: {name}\r\n"));
                let fields = format!(
                    "content-digest: {}\r\nsignature-input: {}\r\nsignature: {}\r\n{encoding}",
                    signed.content_digest, signed.signature_input, signed.signature
                );
                answer("200 OK", &fields, &real.body)
            }),
            PeerCause::NotProved,
        ),
        (
            "the hub's answer with a byte changed on the way",
            Box::new(move |asked| {
                let mut bytes = asked.hand_on(socket);
                *bytes.last_mut().expect("a body") ^= 1;
                bytes
            }),
            PeerCause::NotProved,
        ),
        (
            "the hub's answer with another status",
            Box::new(move |asked| {
                let bytes = asked.hand_on(socket);
                [b"HTTP/1.1 201 ", &bytes[13..]].concat()
            }),
            PeerCause::NotProved,
        ),
        (
            "another hub",
            Box::new({
                let socket = elsewhere.socket();
                move |asked| asked.hand_on(socket)
            }),
            PeerCause::WrongIdentity,
        ),
        (
            "a redirect, which is not followed",
            Box::new({
                let to = hub.address();
                move |asked| {
                    let location = format!("location: {to}{}\r\n", asked.target());
                    answer("307 Temporary Redirect", &location, b"")
                }
            }),
            PeerCause::BadAnswer,
        ),
        (
            "a page of a captive portal",
            Box::new(|_| {
                let fields = "content-type: text/html\r\n";
                answer("200 OK", fields, b"<html><body>Log in</body></html>")
            }),
            PeerCause::NotProved,
        ),
        (
            "a proxy without its hub",
            Box::new(|_| answer("502 Bad Gateway", "", b"<html>502</html>")),
            PeerCause::PeerFailed,
        ),
        (
            "something that is no HTTP",
            Box::new(|_| b"SSH-2.0-OpenSSH_9.9\r\n\r\n".to_vec()),
            PeerCause::BadAnswer,
        ),
    ];
    north.ask("The second", Scope::Public);
    north.sync(&hub);
    for (what, wrong, expected) in cases {
        let stand_in = StandIn::start(wrong);
        south.edit_peer(&hub, |peer| peer.address = stand_in.address());
        let synced = south.sync(&hub);
        let (cause, detail) = synced.end.expect(what);
        assert_eq!(cause, expected, "{what}: {detail}");
        assert_eq!(synced.state.cause, expected);
        assert_eq!(titles(&south), ["The first"], "{what}");
    }
    south.edit_peer(&hub, |peer| peer.address = hub.address());
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    south.assert_sound();
}

#[test]
fn a_few_bytes_that_become_many_are_not_unpacked() {
    let (hub, north, _) = settled();
    let socket = hub.socket();
    let mut south = Member::found("Newcomer");
    south.register(&hub);
    south.follow_all(&hub, &[north.id()]);
    // Above what is unpacked without asking for the ratio.
    let bomb = zstd::bulk::compress(&vec![b' '; 4 * 1_024 * 1_024], 3).expect("it compresses");
    let stand_in = StandIn::start(move |asked| {
        if asked.target().starts_with("/sync/v1/snapshot/") {
            answer("200 OK", "content-encoding: zstd\r\n", &bomb)
        } else {
            asked.hand_on(socket)
        }
    });
    south.edit_peer(&hub, |peer| peer.address = stand_in.address());
    let (cause, detail) = south.sync(&hub).end.expect("it is a bomb");
    assert_eq!(cause, PeerCause::BadAnswer, "{detail}");
    assert_eq!(south.head(north.id()), None);
    south.edit_peer(&hub, |peer| peer.address = hub.address());
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
}
