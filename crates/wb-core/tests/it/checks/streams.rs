//! Sections without the frame of a bundle: what the sync API answers with.
//!
//! The lines are those of the vectors of bundles, without head and end. What the store makes of a
//! refused delta is tested with the store.

use std::collections::BTreeMap;
use std::convert::Infallible;

use wb_core::bundle::{
    BundleError, BundleReader, Driver, FeedOutcome, Memory, Sink, Stage, Writer,
};
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};
use wb_core::limits::{
    DELTA_BYTES_MAX, ENTRY_BYTES_MAX, IDENTITY_ENTRY_BYTES_MAX, LINE_BYTES_MAX, STREAM_SECTIONS_MAX,
};
use wb_core::rule::Rule;

use crate::vectors::{file, texts};

/// Keeps feeds in memory, and writes down how sections begin and end and what is asked.
#[derive(Default)]
struct Watched {
    memory: Memory,
    calls: Vec<&'static str>,
}

impl Sink for Watched {
    type Error = Infallible;

    fn begin_section(&mut self) -> Result<(), Infallible> {
        self.calls.push("begin");
        Ok(())
    }

    fn keep_section(&mut self) -> Result<(), Infallible> {
        self.calls.push("keep");
        Ok(())
    }

    fn undo_section(&mut self) -> Result<(), Infallible> {
        self.calls.push("undo");
        Ok(())
    }

    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, Infallible> {
        self.calls.push("ask");
        self.memory.known_identity(id)
    }

    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), Infallible> {
        self.memory.identity(log)
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, Infallible> {
        self.memory.place(snapshot, identity)
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), Infallible> {
        self.memory.item(item)
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Result<(), Infallible> {
        self.memory.retracted(pairs)
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, Infallible> {
        self.memory.finish(snapshot)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, Infallible> {
        self.calls.push("delta");
        self.memory.delta(delta)
    }
}

/// The sections of a vector, each with its lines.
fn sections(name: &str) -> Vec<Vec<String>> {
    let mut sections: Vec<Vec<String>> = Vec::new();
    for line in texts(&file(&format!("bundles/{name}.json"))["lines"])
        .into_iter()
        .skip(1)
    {
        if line.starts_with(r#"{"section":"end""#) {
            break;
        }
        if line.starts_with(r#"{"section":"#) {
            sections.push(Vec::new());
        }
        sections.last_mut().expect("a section began").push(line);
    }
    sections
}

/// The identity logs of a vector, and its feed sections.
fn parts(name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let (identities, feeds): (Vec<_>, Vec<_>) = sections(name)
        .into_iter()
        .partition(|section| section[0].starts_with(r#"{"section":"identity""#));
    (identities.concat(), feeds)
}

fn drive(lines: &[String], sink: &mut Watched) -> (Driver, Result<(), BundleError>) {
    let mut driver = Driver::sections();
    for line in lines {
        let Ok(()) = driver.push(line.as_bytes(), sink);
    }
    let Ok(()) = driver.cut_off(sink);
    let end = driver.finish();
    (driver, end)
}

fn outcomes(driver: &Driver) -> Vec<(&'static str, Option<Rule>)> {
    let of = |feed: &FeedOutcome| (feed.outcome, feed.rule);
    driver.feeds().iter().map(of).collect()
}

fn error(stage: Stage, line: usize, rule: Rule) -> BundleError {
    let line = line as u64;
    BundleError { stage, line, rule }
}

const TWO_GOOD: [(&str, Option<Rule>); 2] = [("take", None), ("append", None)];

#[test]
fn a_stream_of_nothing_is_whole() {
    let (driver, end) = drive(&[], &mut Watched::default());
    assert_eq!(end, Ok(()));
    assert!(driver.head().is_none());
}

#[test]
fn sections_come_in_any_order() {
    let (identities, feeds) = parts("two_origins");
    let mut sink = Watched::default();
    // A log may come again between feeds, as when it grew while the answer was written.
    let lines = [&identities, &feeds[1], &identities, &feeds[0]].map(Vec::as_slice);
    let (driver, end) = drive(&lines.concat(), &mut sink);
    assert_eq!(end, Ok(()));
    assert_eq!(outcomes(&driver), [("append", None), ("take", None)]);
    assert_eq!(sink.calls, ["begin", "delta", "keep", "begin", "keep"]);
}

#[test]
fn a_feed_is_verified_with_the_log_that_is_held() {
    let (identities, feeds) = parts("two_origins");
    let mut sink = Watched::default();
    assert_eq!(drive(&identities, &mut sink).1, Ok(()));
    // Each origin is asked for once, however many sections it has.
    let lines = [&feeds[0], &feeds[1], &feeds[1]].map(Vec::as_slice);
    let (driver, end) = drive(&lines.concat(), &mut sink);
    assert_eq!(end, Ok(()));
    assert_eq!(outcomes(&driver)[..2], TWO_GOOD);
    assert_eq!(outcomes(&driver)[2], ("duplicate", None));
    assert_eq!(sink.calls.iter().filter(|call| **call == "ask").count(), 2);
}

#[test]
fn a_feed_of_somebody_unknown_ends_the_stream() {
    let (_, feeds) = parts("two_origins");
    let mut sink = Watched::default();
    let (driver, end) = drive(&feeds.concat(), &mut sink);
    assert_eq!(end, Err(error(Stage::Identity, 1, Rule::WrongOrder)));
    assert!(driver.feeds().is_empty());
    assert_eq!(sink.calls, ["ask"]);
}

#[test]
fn a_refused_delta_stops_its_feed_only() {
    let (identities, bad) = parts("a_revision_not_above_in_a_delta");
    let (_, good) = parts("two_origins");
    let mut sink = Watched::default();
    let lines = [&identities, &bad[0], &good[0]].map(Vec::as_slice);
    let (driver, end) = drive(&lines.concat(), &mut sink);
    assert_eq!(end, Ok(()));
    let expected = [("refused", Some(Rule::RevNotAbove)), ("take", None)];
    assert_eq!(outcomes(&driver), expected);
    // The first delta stays, and so does what the sink noted of the second.
    let calls = ["begin", "delta", "delta", "keep", "begin", "keep"];
    assert_eq!(sink.calls, calls);
}

#[test]
fn after_a_refused_delta_no_other_of_its_section_is_taken() {
    let (identities, feeds) = parts("deltas_answer_a_want");
    let mut deltas = feeds[0].clone();
    // The first header (of two items) promises another thing than was signed.
    deltas[1] = deltas[1].replace(r#""live_n":2"#, r#""live_n":3"#);
    let mut sink = Watched::default();
    let (driver, end) = drive(&[identities, deltas].concat(), &mut sink);
    assert_eq!(end, Ok(()));
    let expected = [("refused", Some(Rule::BadSignature))];
    assert_eq!(outcomes(&driver), expected);
    assert_eq!(sink.calls, ["begin", "delta", "keep"]);
}

#[test]
fn a_delta_that_cannot_be_read_stops_its_feed_only() {
    let (identities, bad) = parts("a_malformed_line_in_a_delta");
    let (_, good) = parts("two_origins");
    let mut headless = good[1].clone();
    headless[1] = r#"{"no":"header"}"#.to_owned();
    let mut sink = Watched::default();
    let lines = [&identities, &bad[0], &headless, &good[0]].map(Vec::as_slice);
    let (driver, end) = drive(&lines.concat(), &mut sink);
    assert_eq!(end, Ok(()));
    let expected = [
        ("refused", Some(Rule::LineMalformed)),
        ("refused", Some(Rule::NotSignedLine)),
        ("take", None),
    ];
    assert_eq!(outcomes(&driver), expected);
    let calls = ["begin", "delta", "keep", "begin", "keep", "begin", "keep"];
    assert_eq!(sink.calls, calls);
}

#[test]
fn a_refused_snapshot_is_undone_and_passed_over() {
    for (name, rule) in [
        ("feed_signed_by_another_key", Rule::BadSignature),
        ("a_chain_that_does_not_lead_to_the_head", Rule::WrongChain),
        ("items_out_of_order", Rule::WrongOrder),
    ] {
        let (_, bad) = parts(name);
        let (identities, good) = parts("two_origins");
        let mut sink = Watched::default();
        let lines = [&identities, &bad[0], &good[1]].map(Vec::as_slice);
        let (driver, end) = drive(&lines.concat(), &mut sink);
        assert_eq!(end, Ok(()), "{name}");
        let expected = [("refused", Some(rule)), ("append", None)];
        assert_eq!(outcomes(&driver), expected, "{name}");
        let calls = ["begin", "undo", "begin", "delta", "keep"];
        assert_eq!(sink.calls, calls, "{name}");
    }
}

#[test]
fn a_stream_may_end_with_a_snapshot_that_is_passed_over() {
    let (identities, bad) = parts("items_out_of_order");
    let (driver, end) = drive(
        &[identities, bad.concat()].concat(),
        &mut Watched::default(),
    );
    assert_eq!(end, Ok(()));
    let expected = [("refused", Some(Rule::WrongOrder))];
    assert_eq!(outcomes(&driver), expected);
}

#[test]
fn a_stream_that_ends_within_a_section_is_truncated() {
    let (identities, feeds) = parts("two_origins");
    let whole = [identities.clone(), feeds[0].clone(), feeds[1].clone()].concat();
    let between = [0, 2, 4, 4 + feeds[0].len(), whole.len()];
    for n in 0..=whole.len() {
        let mut sink = Watched::default();
        let (driver, end) = drive(&whole[..n], &mut sink);
        let is_whole = between.contains(&n);
        let expected = if is_whole {
            Ok(())
        } else {
            Err(error(Stage::Format, n, Rule::Truncated))
        };
        assert_eq!(end, expected, "after {n} lines");
        // What was begun and is not whole does not stay.
        let in_feed = n > 4 && !is_whole;
        let last = sink.calls.last().copied();
        assert_eq!(last == Some("undo"), in_feed, "after {n} lines");
        let rule = driver.feeds().last().and_then(|feed| feed.rule);
        assert_eq!(rule, in_feed.then_some(Rule::Truncated), "after {n} lines");
    }
}

#[test]
fn deltas_that_are_passed_over_still_have_to_be_whole() {
    let (identities, feeds) = parts("deltas_answer_a_want");
    let mut lines = [identities, feeds[0].clone()].concat();
    lines[3] = r#"{"no":"header"}"#.to_owned();
    let whole = lines.len();
    for n in 4..whole {
        let (_, end) = drive(&lines[..n], &mut Watched::default());
        let expected = error(Stage::Format, n, Rule::Truncated);
        assert_eq!(end, Err(expected), "after {n} lines");
    }
    lines.insert(whole - 1, lines[0].clone());
    let (_, end) = drive(&lines, &mut Watched::default());
    assert_eq!(end, Err(error(Stage::Format, whole, Rule::WrongCount)));
}

#[test]
fn what_is_wrong_with_the_lines_ends_the_stream() {
    let (identities, feeds) = parts("two_origins");
    let whole = [identities, feeds.concat()].concat();
    let end_line = r#"{"section":"end","schema_version":1,"lines":0,"sha256":""}"#;
    let at_snapshot = 4;
    let last = whole.len() - 1;
    let cases: [(usize, &str, Rule); 5] = [
        (last, "{", Rule::NotJson),
        (at_snapshot, end_line, Rule::UnknownSection),
        (
            at_snapshot,
            r#"{"section":"new","schema_version":1}"#,
            Rule::UnknownSection,
        ),
        (last, &whole[0], Rule::WrongCount),
        (last, &whole[at_snapshot], Rule::WrongCount),
    ];
    for (at, line, rule) in cases {
        let mut lines = whole.clone();
        lines[at] = line.to_owned();
        let mut sink = Watched::default();
        let (driver, end) = drive(&lines, &mut sink);
        assert_eq!(end, Err(error(Stage::Format, at + 1, rule)));
        let expected: &[&str] = if at == last {
            &["begin", "keep", "begin", "undo"]
        } else {
            &[]
        };
        assert_eq!(sink.calls, expected, "{line}");
        assert_eq!(driver.feeds().len(), expected.len() / 2, "{line}");
    }
}

#[test]
fn broken_json_in_a_feed_that_is_passed_over_ends_the_stream() {
    for name in ["items_out_of_order", "a_malformed_line_in_a_delta"] {
        let (identities, feeds) = parts(name);
        let mut lines = [identities, feeds.concat()].concat();
        if name == "a_malformed_line_in_a_delta" {
            lines[5] = r#"{"no":"header"}"#.to_owned();
        }
        let last = lines.len();
        lines[last - 1] = r#"{"a":1,"a":2}"#.to_owned();
        let mut sink = Watched::default();
        let (_, end) = drive(&lines, &mut sink);
        let expected = error(Stage::Format, last, Rule::DuplicateKey);
        assert_eq!(end, Err(expected), "{name}");
        // It was ended before.
        assert_eq!(sink.calls.iter().filter(|c| **c != "delta").count(), 2);
    }
}

#[test]
fn an_identity_log_that_breaks_a_rule_ends_the_stream() {
    let (mut identities, feeds) = parts("two_origins");
    identities[1] = identities[1].replace(r#""n":0"#, r#""n":1"#);
    let mut sink = Watched::default();
    let (_, end) = drive(&[identities, feeds.concat()].concat(), &mut sink);
    assert_eq!(end.map_err(|error| error.stage), Err(Stage::Identity));
    assert!(sink.calls.is_empty());
}

#[test]
fn an_identity_log_is_read_no_further_than_the_first_entry_that_breaks_a_rule() {
    let (identities, _) = parts("two_origins");
    let announced = identities[0].replace(r#""entries":1"#, r#""entries":1024"#);
    assert_ne!(announced, identities[0]);
    let long = format!("{{\"signature\":\"{}", "0".repeat(IDENTITY_ENTRY_BYTES_MAX));
    for (second, rule) in [
        (long, Rule::LineTooLong),
        (identities[1].clone(), Rule::NotFoundFirst),
    ] {
        let mut driver = Driver::sections();
        for line in [&announced, &identities[1], &second] {
            assert!(!driver.has_failed(), "{rule}");
            let Ok(()) = driver.push(line.as_bytes(), &mut Watched::default());
        }
        // Of what was announced 1,022 lines are left, and none of them is waited for.
        assert!(driver.has_failed(), "{rule}");
        assert_eq!(driver.finish(), Err(error(Stage::Identity, 3, rule)));
    }
}

#[test]
fn a_stream_has_a_limit_of_sections() {
    let (identities, feeds) = parts("two_origins");
    // A section of no deltas.
    let numbers = feeds[1][0].find(r#""deltas":1"#).expect("one delta");
    let empty = format!(r#"{}"deltas":0,"items":0}}"#, &feeds[1][0][..numbers]);
    let mut sink = Watched::default();
    let mut lines = identities;
    let before = lines.len();
    lines.resize(before + STREAM_SECTIONS_MAX - 2, empty.clone());
    assert_eq!(drive(&lines, &mut sink).1, Ok(()));
    lines.push(empty);
    let expected = error(Stage::Format, lines.len(), Rule::TooLarge);
    assert_eq!(drive(&lines, &mut sink).1, Err(expected));
}

#[test]
fn a_snapshot_is_placed_before_its_items_are_looked_at() {
    let name = "feeds/refuse_snapshot_identity_decreases_from_its_first_header.json";
    let steps = &file(name)["steps"];
    let log = texts(&steps[0]["lines"]);
    let id = IdentityLog::verify(None, &log).expect("a good log").id();
    let start = String::from_utf8(Writer::identity(id, log.len() as u64)).expect("text");
    let mut snapshot = texts(&steps[1]["lines"]);
    // After section, head, first header and chain: two items that also stand in the wrong order.
    snapshot.swap(4, 5);
    let lines = [vec![start], log, snapshot].concat();
    let (driver, end) = drive(&lines, &mut Watched::default());
    assert_eq!(end, Ok(()));
    let expected = [("refused", Some(Rule::IdentityDecreases))];
    assert_eq!(outcomes(&driver), expected);
}

/// A reader within a section of one delta that announces many items.
fn within_a_delta(items: usize) -> BundleReader {
    let (_, feeds) = parts("two_origins");
    let section = feeds[1][0].replace(r#""items":2"#, &format!(r#""items":{items}"#));
    let header = feeds[1][1].replace(r#""entries":2"#, &format!(r#""entries":{items}"#));
    let mut reader = BundleReader::sections();
    for line in [section, header] {
        let read = reader.push(line.as_bytes(), &BTreeMap::new());
        assert!(read.is_ok(), "{read:?}");
    }
    reader
}

#[test]
fn a_delta_is_given_up_at_the_item_that_makes_it_too_large() {
    let most = usize::try_from(DELTA_BYTES_MAX).expect("fits") / LINE_BYTES_MAX;
    let mut reader = within_a_delta(most + 10);
    // With its LF each is one part of the limit; what a line says is looked at when all have come.
    let line = vec![b'x'; LINE_BYTES_MAX - 1];
    for _ in 0..most {
        assert!(reader.push(&line, &BTreeMap::new()).is_ok());
    }
    // A retract is no record line and does not count.
    let retract = br#"{"op":"retract"}"#;
    assert!(reader.push(retract, &BTreeMap::new()).is_ok());
    let refused = reader.push(b"{}", &BTreeMap::new()).expect_err("too large");
    let expected = error(Stage::Feed, most + 4, Rule::DeltaTooLarge);
    assert_eq!(refused, expected);
}

#[test]
fn an_entry_is_given_up_when_it_is_longer_than_any() {
    for (len, is_refused) in [(ENTRY_BYTES_MAX, false), (ENTRY_BYTES_MAX + 1, true)] {
        let mut reader = within_a_delta(10);
        let mut entry = br#"{"op":"retract""#.to_vec();
        entry.resize(len, b' ');
        let expected = error(Stage::Feed, 3, Rule::EntryMalformed);
        let refused = reader.push(&entry, &BTreeMap::new()).err();
        assert_eq!(refused, is_refused.then_some(expected), "{len} bytes");
    }
}

#[test]
fn a_snapshot_with_another_number_of_headers_is_refused_at_its_head() {
    let (identities, feeds) = parts("one_snapshot");
    for headers in [3, 5, 9_007_199_254_740_992_u64] {
        let announced = format!(r#""headers":{headers}"#);
        let section = feeds[0][0].replace(r#""headers":4"#, &announced);
        let mut lines = identities.clone();
        lines.extend([section, feeds[0][1].clone()]);
        let (driver, end) = drive(&lines, &mut Watched::default());
        assert_eq!(end, Ok(()));
        let expected = [("refused", Some(Rule::WrongChain))];
        assert_eq!(outcomes(&driver), expected, "{headers} headers");
    }
}
