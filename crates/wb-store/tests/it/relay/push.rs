//! What members push: every delta that is applied arrives once, in the order in which it was.

use wb_core::bundle::{Driver, Writer};
use wb_core::hash;
use wb_core::id::Hash;
use wb_core::sync::{Arrival, Policy};
use wb_core::want::Held;
use wb_store::relay::{PushError, RelaySink};

use super::harbour::{Harbour, LOG};
use crate::origin::{Do, Origin, Sealed, now};

fn section(origin: &Origin, deltas: &[Sealed]) -> Vec<Vec<u8>> {
    let items = deltas.iter().map(|delta| delta.items.len() as u64).sum();
    let held: Held = origin.held();
    let mut lines = vec![Writer::deltas(
        held.origin,
        held.scope,
        deltas.len() as u64,
        items,
    )];
    lines.extend(deltas.iter().flat_map(Sealed::lines));
    lines
}

#[test]
fn each_delta_arrives_once_also_one_that_waited() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    let deltas: Vec<Sealed> = (1..=5).map(|n| north.seal(&[Do::Put(n)])).collect();
    let outcomes: Vec<&str> = [3, 2, 4, 0, 0, 1]
        .map(|at: usize| harbour.push(&deltas[at]).as_str())
        .into();
    assert_eq!(
        outcomes,
        [
            "need_snapshot",
            "need_snapshot",
            "need_snapshot",
            "append",
            "duplicate",
            "append"
        ]
    );
    for (at, outcome) in [(4, "early"), (3, "early"), (2, "append"), (3, "duplicate")] {
        assert_eq!(harbour.push(&deltas[at]).as_str(), outcome);
    }

    // Two logs, then five deltas in the order in which they were applied.
    let mut running = Hash([0; 32]);
    for (origin, entry) in [(&north, 0), (&south, 0)] {
        let entry = &origin.identity.entries()[entry];
        running = Arrival::Identity.running(&running, &origin.id(), &entry.hash);
    }
    let mut prev = None;
    for delta in &deltas {
        let header = delta.read();
        prev = Some(hash::header(prev.as_ref(), &header.body_hash));
        running = Arrival::Delta.running(&running, &north.id(), &header.hash);
        assert_eq!(prev, Some(header.hash));
    }
    let cursor = harbour.relay.cursor().expect("a cursor");
    assert_eq!((cursor.log, cursor.n), (LOG, 7));
    assert!(cursor.agrees(&running));
}

#[test]
fn a_push_is_driven_in_sections_and_brings_its_senders_own_alone() {
    let (mut north, mut eve) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &eve]);
    let mut body = section_of(&mut north);
    let before = harbour.relay.cursor().expect("a cursor");
    let outcome = |harbour: &mut Harbour, body: &[Vec<u8>]| {
        harbour.write(|write| {
            let mut sink = RelaySink::new(write, north.id(), now());
            let mut driver = Driver::sections();
            for line in body {
                driver.push(line, &mut sink)?;
            }
            assert_eq!(driver.finish(), Ok(()));
            Ok::<_, PushError>((driver.feeds()[0].outcome, write.own_heads(&north.id())?))
        })
    };
    let (first, own) = outcome(&mut harbour, &body).expect("a good push");
    assert_eq!((first, own), ("append", vec![north.held()]));
    assert_eq!(harbour.relay.cursor().expect("a cursor").n, before.n + 2);
    let (again, _) = outcome(&mut harbour, &body).expect("the same push");
    assert_eq!(again, "duplicate");
    assert_eq!(harbour.relay.cursor().expect("a cursor").n, before.n + 2);

    body.extend(section_of(&mut eve));
    let refused = outcome(&mut harbour, &body);
    assert!(matches!(refused, Err(PushError::NotYours(id)) if id == eve.id()));
}

fn section_of(origin: &mut Origin) -> Vec<Vec<u8>> {
    let deltas = [
        origin.seal(&[Do::Put(1)]),
        origin.seal(&[Do::Put(2), Do::Retract(1)]),
    ];
    section(origin, &deltas)
}

#[test]
fn a_delta_that_is_refused_stops_its_feed_and_the_ones_before_stay() {
    let mut north = Origin::new(1);
    let mut harbour = Harbour::with(&[&north]);
    let mut deltas = vec![north.seal(&[Do::Put(1)]), north.seal(&[Do::Put(2)])];
    let line = deltas[1].items[0].clone();
    deltas[1].items[0] = String::from_utf8(line)
        .expect("text")
        .replace("record 2", "record 3")
        .into_bytes();
    let body = section(&north, &deltas);
    harbour.write(|write| {
        let mut sink = RelaySink::new(write, north.id(), now());
        let mut driver = Driver::sections();
        for line in &body {
            driver.push(line, &mut sink).expect("a readable store");
        }
        let feed = &driver.feeds()[0];
        assert_eq!(
            (feed.outcome, feed.rule.map(wb_core::rule::Rule::as_str)),
            ("refused", Some("wrong_root"))
        );
        assert_eq!(write.own_heads(&north.id()).expect("heads")[0].seq, 0);
    });
    // Its two arrivals: its log and the first delta.
    assert_eq!(harbour.relay.cursor().expect("a cursor").n, 2);
}

#[test]
fn a_fork_is_held_and_does_not_arrive() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1)]);
    let aside = north.seal_aside(&[Do::Put(2)]);
    harbour.publish(&mut north, &[Do::Put(3)]);
    let before = harbour.relay.cursor().expect("a cursor");
    assert_eq!(harbour.push(&aside).as_str(), "fork");
    let next = north.seal(&[Do::Put(4)]);
    assert_eq!(harbour.push(&next).as_str(), "held");
    assert_eq!(harbour.relay.cursor().expect("a cursor"), before);
    assert_eq!(
        harbour.register(&north, Policy::Open).merge.as_str(),
        "known"
    );
}
