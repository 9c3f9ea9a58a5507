//! Pages of a snapshot are those of one head, whatever happens to the feed between them.

use std::collections::BTreeSet;

use wb_core::feed::{SnapshotOutcome, SnapshotReader};
use wb_core::id::Hash;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::PageSection;
use wb_store::relay::{SnapshotAsk, SnapshotRefused};

use super::follower::Follower;
use super::harbour::Harbour;
use crate::origin::{Do, Origin, now};

/// Records in the feed that is paged.
const RECORDS: u64 = 3_000;

pub fn ask(origin: &Origin, bytes: usize) -> SnapshotAsk<'static> {
    SnapshotAsk {
        origin: origin.id(),
        scope: FeedScope::Public,
        head: None,
        after: None,
        kinds: None,
        bytes,
    }
}

/// One page: its first line, and the rest.
pub fn page(
    harbour: &Harbour,
    ask: &SnapshotAsk<'_>,
) -> Result<(PageSection, Vec<u8>), SnapshotRefused> {
    let body = harbour
        .relay
        .snapshot_page(ask, now())
        .expect("a readable feed")?;
    let end = body.iter().position(|byte| *byte == b'\n').expect("a line");
    let section = PageSection::read(&body[..end]).expect("a page line first");
    Ok((section, body[end + 1..].to_vec()))
}

/// All pages, with something done before each but the first; returns the head they are of.
fn all_pages(
    harbour: &mut Harbour,
    ask: SnapshotAsk<'_>,
    mut between: impl FnMut(&mut Harbour),
) -> (Hash, Vec<u8>, usize) {
    let (mut section, mut body) = page(harbour, &ask).expect("a first page");
    let (head, mut pages) = (section.head, 1);
    while let Some(next) = section.next.take() {
        between(harbour);
        let ask = SnapshotAsk {
            head: Some(head),
            after: Some(&next),
            ..ask
        };
        let (more, rest) = page(harbour, &ask).expect("a next page");
        assert_eq!(more.head, head);
        assert!(!rest.is_empty(), "what comes next is there");
        (section, pages) = (more, pages + 1);
        body.extend(rest);
    }
    (head, body, pages)
}

/// Reads a snapshot as any follower does; returns how many lines stand alone as stubs.
pub fn verify(origin: &Origin, body: &[u8], head: Hash) -> usize {
    let lines = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let mut lines = lines.skip_while(|line| !line.starts_with(b"{\"section\":\"snapshot\""));
    let mut reader = SnapshotReader::start(lines.next().expect("totals")).expect("good totals");
    let mut stubs = 0;
    for line in lines {
        stubs += usize::from(line.starts_with(b"{\"op\":"));
        reader
            .push(line, Some(&origin.identity))
            .expect("a good line");
    }
    assert_eq!(reader.finish(), Ok(()));
    assert_eq!(reader.head().expect("a head").2, head);
    stubs
}

/// A hub with a feed of many records, some revised and some taken back.
fn filled() -> (Harbour, Origin, Origin) {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    for start in (0..RECORDS).step_by(500) {
        let puts: Vec<Do> = (start..start + 500)
            .map(|n| {
                if n % 3 == 0 {
                    Do::Comment(n)
                } else {
                    Do::Put(n)
                }
            })
            .collect();
        harbour.publish(&mut north, &puts);
    }
    harbour.publish(
        &mut north,
        &[
            Do::Put(1),
            Do::Put(4),
            Do::Put(7),
            Do::Retract(10),
            Do::Retract(13),
        ],
    );
    (harbour, north, south)
}

#[test]
fn pages_stay_those_of_their_head_while_the_feed_moves_on() {
    let (mut harbour, mut north, south) = filled();
    let first = north.held();
    let mut follower = Follower::new();
    let cursor = harbour.relay.cursor().expect("a cursor");
    let (mut turn, ask) = (0, ask(&north, 60_000));
    let (head, body, pages) = all_pages(&mut harbour, ask, |harbour| {
        turn += 1;
        // Near the beginning, near the end and in the middle of what is still to come.
        let (early, late) = (20 + turn * 12, RECORDS - 1 - turn * 12);
        let late = late - late % 3 + 1;
        let early = early - early % 3 + 1;
        harbour.publish(
            &mut north,
            &[Do::Put(early), Do::Retract(late), Do::Put(RECORDS + turn)],
        );
        harbour.publish(&mut north, &[Do::Put(early), Do::Put(late), Do::Put(1_501)]);
        harbour.publish(&mut north, &[]);
        if turn % 2 == 0 {
            harbour.publish(
                &mut north,
                &[Do::Retract(RECORDS + turn), Do::Retract(early)],
            );
        }
    });
    assert!(pages > 15, "{pages} pages are too few to test anything");
    assert_eq!(head, first.hash);
    assert_ne!(north.held(), first);
    let stubs = verify(&north, &body, head);
    assert!(stubs > 0, "nothing was revised before it was paged");

    // The follower stands on that head, and the changes bring it to the newest one.
    assert_eq!(follower.take(&body), [SnapshotOutcome::Take.as_str()]);
    assert_eq!(follower.held(), [first]);
    let changes = harbour.changes(&south.id(), &cursor).body;
    assert_eq!(follower.take(&changes), ["append"]);
    assert_eq!(follower.held(), [north.held()]);
    follower.check(0);
}

#[test]
fn each_page_has_one_thing_at_least_whatever_the_bytes() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1), Do::Put(2), Do::Put(3)]);
    harbour.publish(&mut north, &[Do::Retract(2)]);
    let ask = ask(&north, 1);
    let (head, body, pages) = all_pages(&mut harbour, ask, |_| {});
    // The chain, two records, one mark.
    assert_eq!(pages, 4);
    assert_eq!(verify(&north, &body, head), 0);
    let whole = SnapshotAsk {
        bytes: usize::MAX,
        ..ask
    };
    let (_, whole, pages) = all_pages(&mut harbour, whole, |_| {});
    assert_eq!((pages, &whole), (1, &body));
}

#[test]
fn lines_of_kinds_not_asked_for_come_as_stubs() {
    let (mut harbour, north, _) = filled();
    let kinds: BTreeSet<Kind> = ["comment".parse().expect("a kind")].into();
    let ask = SnapshotAsk {
        kinds: Some(&kinds),
        ..ask(&north, 60_000)
    };
    let (head, body, _) = all_pages(&mut harbour, ask, |_| {});
    let stubs = verify(&north, &body, head);
    assert_eq!(
        stubs,
        north.live_n() - usize::try_from(RECORDS / 3).expect("few")
    );
    let mut follower = Follower::new();
    follower.take(&body);
    follower.check(stubs as u64);
}

#[test]
fn a_feed_in_a_new_log_is_paged_from_there() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1), Do::Put(2), Do::Put(3)]);
    let old = north.held();
    north.open(9, 1);
    // Nothing in its first delta: what is live came by rows of the log before.
    harbour.publish(&mut north, &[]);
    let ask = ask(&north, 1);
    let (head, body, _) = all_pages(&mut harbour, ask, |harbour| {
        harbour.publish(&mut north, &[Do::Put(1), Do::Put(4)]);
        harbour.publish(&mut north, &[Do::Retract(4)]);
    });
    assert_eq!(verify(&north, &body, head), 1);
    // The old log has no snapshot any more.
    let gone = SnapshotAsk {
        head: Some(old.hash),
        ..ask
    };
    assert_eq!(page(&harbour, &gone).err(), Some(SnapshotRefused::HeadGone));
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    let refused = |harbour: &Harbour, ask: SnapshotAsk<'_>| page(harbour, &ask).err();
    assert_eq!(
        refused(&harbour, ask(&north, 1)),
        Some(SnapshotRefused::NotFound)
    );
    harbour.publish(&mut north, &[Do::Put(1)]);
    let head = Some(north.held().hash);
    for after in ["", "live:", "live:x", "chain:-1", "later:0", "gone"] {
        let ask = SnapshotAsk {
            head,
            after: Some(after),
            ..ask(&north, 1)
        };
        assert_eq!(
            refused(&harbour, ask),
            Some(SnapshotRefused::BadToken),
            "{after}"
        );
    }
    let without_head = SnapshotAsk {
        after: Some("chain:0"),
        ..ask(&north, 1)
    };
    assert_eq!(
        refused(&harbour, without_head),
        Some(SnapshotRefused::BadToken)
    );
    let unknown = SnapshotAsk {
        head: Some(Hash([1; 32])),
        ..ask(&north, 1)
    };
    assert_eq!(refused(&harbour, unknown), Some(SnapshotRefused::HeadGone));
    assert_eq!(
        refused(
            &harbour,
            SnapshotAsk {
                head,
                ..ask(&north, 1)
            }
        ),
        None
    );
}
